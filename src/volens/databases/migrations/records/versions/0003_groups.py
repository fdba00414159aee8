"""Many rows that are one event."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "group_rows",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("commitment", sa.LargeBinary),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
    )
    op.create_index("group_rows_by_customer", "group_rows", ["customer", "seq"])
