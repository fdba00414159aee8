"""The staff's site: texts, what is known of them, and the page of whoever protects the data."""
