"""Reminders: rhythms, models, what was named, what rests."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "rhythms",
        sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("read", sa.BigInteger, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "reminder_models",
        sa.Column("read", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("model", sa.LargeBinary, nullable=False),
        sa.Column("sold", sa.LargeBinary, nullable=False),
        sa.Column("figures", sa.Text, nullable=False),
    )
    op.create_table(
        "reminders",
        sa.Column("reminder", sa.String(24), primary_key=True),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("basket", sa.LargeBinary, nullable=False),
        sa.Column("need", sa.Integer, nullable=False),
        sa.Column("product", sa.Integer, nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("came_of_it", sa.String(10)),
        sa.UniqueConstraint("customer", "basket", "need"),
    )
    op.create_index("reminders_by_day", "reminders", ["day"])
    op.create_table(
        "reminder_rests",
        sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("need", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("until", sa.String(10)),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
