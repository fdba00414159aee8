"""Refused lines can be mended: their marks, what was taken in from the quarantine, who opened it, and each batch's mapping."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("quarantine", sa.Column("mark", sa.LargeBinary))
    op.create_table(
        "batch_mappings",
        sa.Column("batch", sa.String(32), primary_key=True),
        sa.Column("mapping", sa.Text, nullable=False),
    )
    op.create_table(
        "mended",
        sa.Column("of_batch", sa.String(32), primary_key=True),
        sa.Column("file_number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("line_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("item", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("batch", sa.String(32), nullable=False),
        sa.Column("mark", sa.LargeBinary, nullable=False),
        sa.Column("basket", sa.BigInteger),
        sa.Column("digest", sa.BigInteger),
    )
    op.create_index("mended_by_mark", "mended", ["mark"])
    op.create_index("mended_by_basket", "mended", ["basket"])
    op.create_index("mended_by_batch", "mended", ["batch"])
    op.create_table(
        "quarantine_openings",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("opened_by", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
    )
