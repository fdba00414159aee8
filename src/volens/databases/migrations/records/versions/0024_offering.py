"""Offers in use: their versions and terms, the countries, who takes part, what was done, and what people said afterwards."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

FROZEN = ("offer_terms", "offer_documents")
"""What somebody accepted is what she read: no row of these changes or goes."""


def upgrade() -> None:
    op.create_table(
        "offer_documents",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "offer_versions",
        sa.Column("offer", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("proposed_by", sa.String(120), nullable=False),
        sa.Column("marketing", sa.String(120), nullable=False),
        sa.Column("dpo", sa.String(120), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("since", sa.String(10), nullable=False),
    )
    op.create_table(
        "offer_terms",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("language", sa.String(2), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "offer_countries",
        sa.Column("offer", sa.String(64), primary_key=True),
        sa.Column("country", sa.String(2), primary_key=True),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("stopped", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    _people()
    op.create_table(
        "offer_counts",
        sa.Column("offer", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("country", sa.String(2), primary_key=True),
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("what", sa.String(10), primary_key=True),
        sa.Column("times", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "offer_answers",
        sa.Column("offer", sa.String(64), primary_key=True),
        sa.Column("yes", sa.BigInteger, nullable=False),
        sa.Column("no", sa.BigInteger, nullable=False),
        sa.Column("shown_yes", sa.BigInteger, nullable=False),
        sa.Column("shown_no", sa.BigInteger, nullable=False),
    )
    for table in FROZEN:
        _freeze(table)


def _people() -> None:
    op.create_table(
        "offer_participations",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("offer", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("claim", sa.String(64), nullable=False),
        sa.Column("joined", sa.String(10), nullable=False),
        sa.Column("moved", sa.String(10), nullable=False),
        sa.Column("matures", sa.String(10), nullable=False),
        sa.Column("told", sa.BigInteger, nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_index("offer_participations_by_customer", "offer_participations", ["customer", "offer"])
    op.create_index("offer_participations_by_offer", "offer_participations", ["offer", "country", "state"])
    op.create_table(
        "offer_acts",
        sa.Column("found_by", sa.LargeBinary, primary_key=True),
        sa.Column("participation", sa.BigInteger, nullable=False),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_index("offer_acts_by_participation", "offer_acts", ["participation"])
    op.create_index("offer_acts_by_customer", "offer_acts", ["customer"])


def _freeze(table: str) -> None:
    """No row of a table is changed or deleted, by whoever it is, as long as the trigger stands."""
    if op.get_bind().dialect.name == "sqlite":
        for what in ("update", "delete"):
            op.execute(
                f"create trigger {table}_no_{what} before {what} on {table} "
                f"begin select raise(abort, '{table} keeps what was written'); end"
            )
        return
    op.execute(
        f"create function {table}_kept() returns trigger language plpgsql as "
        f"$$ begin raise exception '{table} keeps what was written'; end $$"
    )
    op.execute(f"create trigger {table}_kept before update or delete or truncate on {table} execute function {table}_kept()")
