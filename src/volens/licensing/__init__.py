"""A licence in use: given and taken back purpose by purpose, its items approved one by one, each use told, shown and taken down."""
