"""Baskets that were left behind."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "left_baskets",
        sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("basket", sa.LargeBinary, primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("products", sa.LargeBinary, nullable=False),
    )
    op.create_index("left_baskets_by_day", "left_baskets", ["day"])
