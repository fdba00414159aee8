"""Marketing messages: what was asked and let out, sums by month, and hashed addresses that are not written to."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "marketing_messages",
        sa.Column("message", sa.LargeBinary, primary_key=True),
        sa.Column("asked", sa.LargeBinary, nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("advertising", sa.Integer, nullable=False),
        sa.Column("opening", sa.Integer, nullable=False),
        sa.Column("customer", sa.Integer),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("door", sa.BigInteger, nullable=False),
        sa.Column("link", sa.LargeBinary),
        sa.Column("point", sa.LargeBinary),
    )
    op.create_index("marketing_messages_by_customer", "marketing_messages", ["customer", "channel"])
    op.create_index("marketing_messages_by_link", "marketing_messages", ["link"], unique=True)
    op.create_table(
        "marketing_sums",
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("channel", sa.String(8), primary_key=True),
        sa.Column("what", sa.String(32), primary_key=True),
        sa.Column("messages", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "message_suppressed",
        sa.Column("channel", sa.String(8), primary_key=True),
        sa.Column("point", sa.LargeBinary, primary_key=True),
        sa.Column("purpose", sa.String(64), primary_key=True),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
