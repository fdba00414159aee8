"""The permission centre: what one customer permits. It shows what the gate enforces, by the same functions."""
