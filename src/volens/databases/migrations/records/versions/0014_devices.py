"""Phones and browsers: which there are, what each last said it allows, how often data of each kind arrived."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "devices",
        sa.Column("device", sa.String(32), primary_key=True),
        sa.Column("account", sa.Integer, nullable=False),
        sa.Column("platform", sa.String(8), nullable=False),
        sa.Column("app", sa.String(64), nullable=False),
        sa.Column("label", sa.LargeBinary, nullable=False),
        sa.Column("sealed_for", sa.Integer, nullable=False),
        sa.Column("public_key", sa.LargeBinary, unique=True),
        sa.Column("counter", sa.BigInteger, nullable=False),
        sa.Column("registered", sa.BigInteger, nullable=False),
        sa.Column("registered_at", sa.String(40), nullable=False),
        sa.Column("app_version", sa.String(32)),
        sa.Column("reported_at", sa.String(40)),
        sa.Column("signed_out", sa.BigInteger),
        sa.Column("signed_out_at", sa.String(40)),
    )
    op.create_index("devices_by_account", "devices", ["account"])
    op.create_table(
        "device_states",
        sa.Column("device", sa.String(32), primary_key=True),
        sa.Column("category", sa.String(32), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("since", sa.String(40), nullable=False),
        sa.Column("reported_at", sa.String(40), nullable=False),
        sa.Column("app_version", sa.String(32), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "device_counts",
        sa.Column("device", sa.String(32), primary_key=True),
        sa.Column("category", sa.String(32), primary_key=True),
        sa.Column("purpose", sa.String(64), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("accepted", sa.Integer, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("last_accepted", sa.String(40)),
        sa.Column("last_refused", sa.String(40)),
    )
