"""Licences in use: each person's word about each purpose, her items, each use of one, what has to come down."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "licences",
        sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("offer", sa.String(64), primary_key=True),
        sa.Column("purpose", sa.String(32), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "licence_items",
        sa.Column("item", sa.String(32), primary_key=True),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("offer", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_index("licence_items_by_customer", "licence_items", ["customer", "offer"])
    op.create_index("licence_items_by_offer", "licence_items", ["offer", "state"])
    op.create_table(
        "licence_insteads",
        sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("offer", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    _uses()


def _uses() -> None:
    op.create_table(
        "licence_uses",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("machine", sa.String(120), nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("recipient", sa.String(64)),
        sa.Column("item", sa.String(32), nullable=False),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("offer", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("medium", sa.String(20), nullable=False),
        sa.Column("territory", sa.String(2), nullable=False),
        sa.Column("place", sa.String(500), nullable=False),
        sa.Column("planned", sa.String(10), nullable=False),
        sa.Column("message", sa.String(24)),
        sa.Column("told", sa.String(10)),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("since", sa.String(40), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("machine", "key"),
    )
    op.create_index("licence_uses_by_customer", "licence_uses", ["customer"])
    op.create_index("licence_uses_by_item", "licence_uses", ["item"])
    op.create_table(
        "licence_takedowns",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(10), nullable=False),
        sa.Column("opened", sa.String(10), nullable=False),
        sa.Column("due", sa.String(10), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("warned", sa.String(10)),
        sa.Column("proof", sa.Text),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_index("licence_takedowns_by_state", "licence_takedowns", ["state", "due"])
    op.create_index("licence_takedowns_by_customer", "licence_takedowns", ["customer"])
