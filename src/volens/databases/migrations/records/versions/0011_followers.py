"""Who follows what customers change, how far each has acknowledged, and how often decisions were asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "followers",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("recipient", sa.String(64), nullable=False),
        sa.Column("purposes", sa.Text, nullable=False),
        sa.Column("webhook", sa.Text),
        sa.Column("secret", sa.Integer, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("acknowledged", sa.BigInteger, nullable=False),
        sa.Column("under", sa.String(16), nullable=False),
        sa.Column("ended", sa.BigInteger),
        sa.Column("tried", sa.String(40)),
        sa.Column("outcome", sa.Text),
        sa.Column("rules", sa.String(16), nullable=False),
        sa.Column("rules_at", sa.String(40), nullable=False),
    )
    op.create_table(
        "follower_moments",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
    op.create_table(
        "decision_counts",
        sa.Column("hour", sa.String(13), primary_key=True),
        sa.Column("caller", sa.String(64), primary_key=True),
        sa.Column("purpose", sa.String(64), primary_key=True),
        sa.Column("verdict", sa.String(3), primary_key=True),
        sa.Column("answers", sa.BigInteger, nullable=False),
    )
