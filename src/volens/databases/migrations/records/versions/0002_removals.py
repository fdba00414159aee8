"""Whose lines are to be taken out of the purchases table, and when that was done."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "removals",
        sa.Column("asked", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("asked_day", sa.String(10), nullable=False),
        sa.Column("due_day", sa.String(10), nullable=False),
        sa.Column("batch", sa.String(32)),
        sa.Column("lines", sa.BigInteger),
        sa.Column("done_day", sa.String(10)),
        sa.Column("done", sa.BigInteger),
    )
    op.create_index("removals_by_customer", "removals", ["customer"])
    op.create_index("removals_by_due", "removals", ["done_day", "due_day"])
