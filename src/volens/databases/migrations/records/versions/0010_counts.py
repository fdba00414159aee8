"""Counts of choices and of what was understood, without a person in them; and who ever opened the permission centre."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "choice_counts",
        sa.Column("week", sa.String(10), primary_key=True),
        sa.Column("purpose", sa.String(64), primary_key=True),
        sa.Column("text", sa.Text, primary_key=True),
        sa.Column("language", sa.String(8), primary_key=True),
        sa.Column("surface", sa.String(32), primary_key=True),
        sa.Column("store", sa.String(48), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("n", sa.BigInteger, nullable=False),
    )
    op.create_table("choice_counts_since", sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False))
    # Choices before this were recorded without being counted.
    op.execute("insert into choice_counts_since (seq) select size from heads where tree = 'events'")
    op.create_table(
        "comprehension_counts",
        sa.Column("week", sa.String(10), primary_key=True),
        sa.Column("text", sa.Text, primary_key=True),
        sa.Column("language", sa.String(8), primary_key=True),
        sa.Column("surface", sa.String(32), primary_key=True),
        sa.Column("question", sa.String(8), primary_key=True),
        sa.Column("trial", sa.String(32), primary_key=True),
        sa.Column("answer", sa.String(8), primary_key=True),
        sa.Column("n", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "comprehension_answered",
        sa.Column("question", sa.String(64), primary_key=True),
        sa.Column("until", sa.String(10), nullable=False),
    )
    op.create_table(
        "trials",
        sa.Column("trial", sa.String(32), primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("events_from", sa.BigInteger, nullable=False),
    )
    op.create_table("centre_opened", sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False))
