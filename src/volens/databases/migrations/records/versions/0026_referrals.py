"""Invitations: who invited whom, without a ring and with one sponsor a person, and the signals of a campaign."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

NEVER_CHANGED = {
    "referral_people": ("customer", "generation"),
    "referral_ties": ("number", "friend", "friend_generation", "sponsor", "sponsor_generation", "offer", "accepted"),
}
"""What a row says for as long as it is there."""


def upgrade() -> None:
    op.create_table(
        "referral_people",
        sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.UniqueConstraint("customer", "generation", name="referral_people_once"),
        sa.CheckConstraint("generation >= 0", name="referral_people_from_nought"),
    )
    op.create_table(
        "referral_links",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("handle", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("offer", sa.String(64), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("shown", sa.LargeBinary),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    live = sa.text("state = 'live'")
    op.create_index(
        "referral_links_live", "referral_links", ["customer", "offer"], unique=True, sqlite_where=live, postgresql_where=live
    )
    _ties()
    _signals()
    _unchanged()


def _ties() -> None:
    op.create_table(
        "referral_ties",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("friend", sa.Integer, nullable=False, unique=True),
        sa.Column("friend_generation", sa.Integer, nullable=False),
        sa.Column("sponsor", sa.Integer, nullable=False),
        sa.Column("sponsor_generation", sa.Integer, nullable=False),
        sa.Column("offer", sa.String(64), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("accepted", sa.String(32), nullable=False),
        sa.Column("ordered", sa.String(32)),
        sa.Column("participation", sa.BigInteger),
        sa.Column("act", sa.String(80), nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("due", sa.String(10)),
        sa.Column("contested", sa.String(10)),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("shown", sa.LargeBinary),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.CheckConstraint("friend_generation = sponsor_generation + 1", name="referral_ties_go_down"),
        sa.ForeignKeyConstraint(
            ["friend", "friend_generation"], ["referral_people.customer", "referral_people.generation"], name="referral_ties_friend"
        ),
        sa.ForeignKeyConstraint(
            ["sponsor", "sponsor_generation"], ["referral_people.customer", "referral_people.generation"],
            name="referral_ties_sponsor",
        ),
    )  # fmt: skip
    op.create_index("referral_ties_by_sponsor", "referral_ties", ["sponsor", "offer"])
    op.create_index("referral_ties_by_state", "referral_ties", ["state", "due"])


def _signals() -> None:
    op.create_table(
        "referral_signals",
        sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("offer", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(12), primary_key=True),
        sa.Column("hash", sa.LargeBinary, primary_key=True),
    )
    op.create_index("referral_signals_by_offer", "referral_signals", ["offer"])
    op.create_table(
        "referral_reports",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("offer", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("about", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("cents", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
    )
    op.create_index("referral_reports_by_customer", "referral_reports", ["customer", "offer"])


def _unchanged() -> None:
    """Who invited whom is written once: a change of it fails in the database itself, whoever makes it."""
    if op.get_bind().dialect.name == "sqlite":
        for table, columns in NEVER_CHANGED.items():
            op.execute(
                f"create trigger {table}_unchanged before update of {', '.join(columns)} on {table} "
                f"begin select raise(abort, '{table}: who invited whom is not changed'); end"
            )
        return
    op.execute(
        "create function referral_unchanged() returns trigger language plpgsql as "
        "$$ begin raise exception '%: who invited whom is not changed', tg_table_name; end $$"
    )
    for table, columns in NEVER_CHANGED.items():
        op.execute(
            f"create trigger {table}_unchanged before update of {', '.join(columns)} on {table} "
            "for each row execute function referral_unchanged()"
        )
