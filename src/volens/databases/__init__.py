"""Where records rest: SQLite or PostgreSQL, by the same statements, and their migrations."""
