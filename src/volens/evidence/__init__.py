"""Evidence: the record that cannot be rewritten, and what shows it to others.

`merkle`, `checkpoint` and `verify` need nothing of the rest of Volens: copied alone into a folder they still
work.
"""
