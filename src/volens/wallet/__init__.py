"""What people earned: the books of it, claims, vouchers, payouts."""
