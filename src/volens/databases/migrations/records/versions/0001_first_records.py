"""The first records: trees, accounts, choices, uses, budget, releases, batches and quarantine."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

EMPTY_FRONTIER = bytes(8)


def upgrade() -> None:
    _evidence()
    _identity()
    _choices_and_uses()
    _answers()
    _intake()


def _evidence() -> None:
    op.create_table(
        "events",
        sa.Column("tree", sa.String(8), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("customer", sa.Integer),
        sa.Column("purpose", sa.Text),
        sa.Column("recipient", sa.Text),
        sa.Column("text", sa.Text),
        sa.Column("day", sa.String(10)),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("commitment", sa.LargeBinary),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
    )
    op.create_index("events_by_customer", "events", ["customer", "seq"])
    op.create_index("events_by_kind", "events", ["tree", "kind", "seq"])
    heads = op.create_table(
        "heads",
        sa.Column("tree", sa.String(8), primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
    )
    op.bulk_insert(heads, [{"tree": tree, "size": 0, "frontier": EMPTY_FRONTIER} for tree in ("events", "public")])


def _identity() -> None:
    op.create_table(
        "customers",
        sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("person", sa.LargeBinary),
    )
    op.create_table(
        "accounts",
        sa.Column("account", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("found_by", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_index("accounts_by_customer", "accounts", ["customer"])
    numbers = op.create_table(
        "numbers",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("last", sa.Integer, nullable=False),
    )
    op.bulk_insert(numbers, [{"name": name, "last": 0} for name in ("customer", "account")])


def _choices_and_uses() -> None:
    op.create_table(
        "permissions",
        sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("purpose", sa.String(64), primary_key=True),
        sa.Column("recipient", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_index("permissions_by_use", "permissions", ["purpose", "recipient", "kind", "text", "customer"])
    op.create_table(
        "uses",
        sa.Column("read", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("recipient", sa.String(64), nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("first_day", sa.String(10), nullable=False),
        sa.Column("end_day", sa.String(10), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("closed", sa.BigInteger),
        sa.Column("customers", sa.Integer),
        sa.Column("salt", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "doors",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("door", sa.String(16), nullable=False),
        sa.Column("read", sa.BigInteger),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("recipient", sa.String(64), nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("customers", sa.Integer, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "customer_sets",
        sa.Column("owner", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("block", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("bitmap", sa.LargeBinary, nullable=False),
    )


def _answers() -> None:
    op.create_table(
        "reservations",
        sa.Column("plan", sa.String(64), primary_key=True),
        sa.Column("supplier", sa.String(64), nullable=False),
        sa.Column("pack", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("answered", sa.BigInteger),
    )
    op.create_table(
        "charges",
        sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("plan", sa.String(64), primary_key=True),
        sa.Column("rho_nano", sa.BigInteger, nullable=False),
        sa.Column("cap_nano", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "releases",
        sa.Column("release", sa.String(32), primary_key=True),
        sa.Column("plan", sa.String(64), nullable=False),
        sa.Column("supplier", sa.String(64), nullable=False),
        sa.Column("pack", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("certificate", sa.String(64)),
    )
    op.create_table(
        "release_moves",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("release", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
    )


def _intake() -> None:
    op.create_table(
        "batches",
        sa.Column("batch", sa.String(32), primary_key=True),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("ended_at", sa.String(32)),
        sa.Column("summary", sa.Text, nullable=False),
    )
    op.create_index("batches_by_state", "batches", ["state"])
    op.create_table(
        "quarantine",
        sa.Column("batch", sa.String(32), primary_key=True),
        sa.Column("file_number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("line_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("kept_until", sa.String(10), nullable=False),
        sa.Column("sealed", sa.LargeBinary),
    )
    op.create_index("quarantine_by_day", "quarantine", ["kept_until"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", sa.String(40), nullable=False),
    )
