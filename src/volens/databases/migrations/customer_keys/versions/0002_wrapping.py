"""Which key-encryption key new customer keys are wrapped under: one row, so that changing it waits for nobody for long."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    wrapping = op.create_table(
        "wrapping",
        sa.Column("name", sa.String(8), primary_key=True),
        sa.Column("kek", sa.String(16), nullable=False),
    )
    op.bulk_insert(wrapping, [{"name": "kek", "kek": ""}])
