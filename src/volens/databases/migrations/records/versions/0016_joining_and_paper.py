"""Sign-up forms on their way, printed forms, and the sealed scans of what came back."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "joinings",
        sa.Column("token", sa.String(64), primary_key=True),
        sa.Column("card", sa.String(64), nullable=False, unique=True),
        sa.Column("tried", sa.Integer, nullable=False),
        sa.Column("customer", sa.Integer),
        sa.Column("done", sa.BigInteger),
        sa.Column("day", sa.String(10), nullable=False),
    )
    op.create_index("joinings_by_customer", "joinings", ["customer"])
    op.create_table(
        "paper_forms",
        sa.Column("code", sa.String(16), primary_key=True),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("sections", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
    )
    op.create_table(
        "scans",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("found_by", sa.String(64), nullable=False, unique=True),
        sa.Column("choice", sa.BigInteger, nullable=False),
        sa.Column("media", sa.String(32), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index("scans_by_customer", "scans", ["customer"])
