"""Audiences: definitions, built sets, lists that were handed over with what was sent sealed, removals, suppression."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "audiences",
        sa.Column("audience", sa.String(64), primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("until", sa.String(10), nullable=False),
        sa.Column("ended", sa.BigInteger),
    )
    op.create_table(
        "audience_builds",
        sa.Column("audience", sa.String(64), primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("defined", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
    )
    for table, owner in (("audience_sets", "owner"), ("audience_sent", "list")):
        op.create_table(
            table,
            sa.Column(owner, sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("block", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("bitmap" if owner == "owner" else "sealed", sa.LargeBinary, nullable=False),
        )
    op.create_table(
        "audience_lists",
        sa.Column("list", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("audience", sa.String(64), nullable=False),
        sa.Column("recipient", sa.String(64), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("file", sa.String(160), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
    )
    op.create_index("audience_lists_by_audience", "audience_lists", ["audience"])
    op.create_table(
        "audience_removals",
        sa.Column("removal", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("audience", sa.String(64), nullable=False),
        sa.Column("recipient", sa.String(64), nullable=False),
        sa.Column("file", sa.String(160), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("since", sa.String(40), nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("acknowledged", sa.BigInteger),
    )
    op.create_index("audience_removals_by_audience", "audience_removals", ["audience"])
    op.create_table(
        "audience_due",
        sa.Column("audience", sa.String(64), primary_key=True),
        sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("why", sa.String(16), nullable=False),
        sa.Column("since", sa.String(40), nullable=False),
    )
    op.create_index("audience_due_by_customer", "audience_due", ["customer"])
    op.create_table(
        "audience_suppressed",
        sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
