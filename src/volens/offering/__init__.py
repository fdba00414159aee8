"""Offers in use: versions that two people approve, launched and suspended by country, in which people take part."""
