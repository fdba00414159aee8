"""Lines that wait to be appended to the purchases table, and the leases of running reads."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "arrivals",
        sa.Column("chunk", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("batch", sa.String(32), nullable=False),
        sa.Column("bucket", sa.Integer, nullable=False),
        sa.Column("month", sa.Integer, nullable=False),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.Column("arrived", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("staged", sa.String(32)),
    )
    op.create_index("arrivals_by_partition", "arrivals", ["bucket", "month"])
    op.create_table(
        "read_leases",
        sa.Column("read", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("snapshot", sa.BigInteger),
        sa.Column("until", sa.String(40), nullable=False),
    )
