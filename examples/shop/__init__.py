"""A small shop that obeys Volens."""
