"""Phones and browsers: what they say they allow, what their owner chose, what our servers let through."""
