"""Doorways: ended codes, single-use links, pages of the year; and the outbox of messages."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("message", sa.String(24), primary_key=True),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(8)),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("queued", sa.String(40), nullable=False),
        sa.Column("handed", sa.String(40)),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index("messages_by_state", "messages", ["state", "queued"])
    op.create_index("messages_by_customer", "messages", ["customer"])
    op.create_table(
        "message_codes",
        sa.Column("found_by", sa.LargeBinary, primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
    )
    op.create_table(
        "service_channels",
        sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("channel", sa.String(8), nullable=False),
    )
    op.create_table(
        "doorway_generations",
        sa.Column("account", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("generation", sa.Integer, nullable=False),
    )
    op.create_table(
        "single_use_links",
        sa.Column("found_by", sa.LargeBinary, primary_key=True),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("made", sa.String(40), nullable=False),
        sa.Column("expires", sa.String(40), nullable=False),
        sa.Column("redeemed", sa.String(40)),
        sa.Column("seal", sa.LargeBinary, nullable=False),
    )
    op.create_index("single_use_links_by_customer", "single_use_links", ["customer"])
    op.create_table(
        "link_requests",
        sa.Column("request", sa.String(24), primary_key=True),
        sa.Column("asked", sa.String(40), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "summaries",
        sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_index("summaries_by_day", "summaries", ["day"])
