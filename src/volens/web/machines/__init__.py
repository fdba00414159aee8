"""What programs call: each by a key with a scope."""
