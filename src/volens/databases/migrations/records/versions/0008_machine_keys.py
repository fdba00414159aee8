"""Machines that may call over HTTP: hashes of their keys, and what each may do."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "machine_keys",
        sa.Column("key", sa.String(16), primary_key=True),
        sa.Column("machine", sa.String(64), nullable=False),
        sa.Column("recipient", sa.Text),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("addresses", sa.Text, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("seal", sa.LargeBinary, nullable=False),
        sa.Column("added", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.String(10), nullable=False),
        sa.Column("ended", sa.BigInteger),
        sa.Column("last_used", sa.String(13)),
    )
    op.create_index("machine_keys_by_machine", "machine_keys", ["machine"])
