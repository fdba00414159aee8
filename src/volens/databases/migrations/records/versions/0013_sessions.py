"""Sessions of the web, and the members of staff who ever signed in."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "web_sessions",
        sa.Column("session", sa.LargeBinary, primary_key=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("account", sa.Integer),
        sa.Column("customer", sa.Integer),
        sa.Column("staff", sa.Integer),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("how", sa.String(10), nullable=False),
        sa.Column("sign_in", sa.LargeBinary, unique=True),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("authenticated", sa.String(40)),
        sa.Column("ends", sa.String(40), nullable=False),
        sa.Column("seal", sa.LargeBinary, nullable=False),
        sa.Column("seen", sa.String(40), nullable=False),
        sa.Column("ended", sa.String(40)),
    )
    op.create_index("web_sessions_by_customer", "web_sessions", ["customer"])
    op.create_index("web_sessions_by_account", "web_sessions", ["account"])
    op.create_index("web_sessions_by_staff", "web_sessions", ["staff"])
    op.create_index("web_sessions_by_end", "web_sessions", ["ends"])
    op.create_table(
        "staff",
        sa.Column("staff", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("found_by", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
