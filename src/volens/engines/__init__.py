"""Where queries over purchases run: Polars for packs on one machine, DuckDB as its reference, Spark for a chain."""
