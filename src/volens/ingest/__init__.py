"""Purchases come in: read, checked, each receipt once, and nobody's name goes further than this station."""
