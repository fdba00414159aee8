"""Sponsored products: placements, what was shown, and what is kept of whoever permits that her purchases choose."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "ad_placements",
        sa.Column("placement", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("proposed_by", sa.String(120), nullable=False),
        sa.Column("until", sa.String(10), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "ad_totals",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("shown", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "ad_counts",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("way", sa.String(10), primary_key=True),
        sa.Column("shown", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "ad_visits",
        sa.Column("visit", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("shown", sa.BigInteger, nullable=False),
    )
    op.create_index("ad_visits_by_day", "ad_visits", ["day"])
    _of_people()


def _of_people() -> None:
    op.create_table(
        "ad_profiles",
        sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("read", sa.BigInteger, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "ad_impressions",
        sa.Column("impression", sa.String(48), primary_key=True),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("product", sa.Integer, nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("bought", sa.Integer, nullable=False),
    )
    op.create_index("ad_impressions_by_customer", "ad_impressions", ["customer"])
    op.create_index("ad_impressions_by_number", "ad_impressions", ["number", "day"])
    op.create_table(
        "ad_hidden",
        sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
