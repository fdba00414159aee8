"""Where queries over purchases run. Polars answers packs on one machine; DuckDB is the reference it is held to; Spark is for a chain."""
