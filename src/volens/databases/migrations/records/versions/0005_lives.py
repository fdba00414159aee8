"""Accounts that moved, whose lines have to follow, and that are closed; ages; yeses that parents gave."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "links",
        sa.Column("link", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("account", sa.Integer, nullable=False),
        sa.Column("former", sa.Integer, nullable=False),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("undone", sa.BigInteger),
        sa.Column("restored", sa.BigInteger),
    )
    for column in ("account", "former", "customer"):
        op.create_index(f"links_by_{column}", "links", [column])
    op.create_table(
        "relabellings",
        sa.Column("account", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("former", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
    )
    for column in ("former", "customer"):
        op.create_index(f"relabellings_by_{column}", "relabellings", [column])
    op.create_table("parental", sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False))
    op.add_column("customers", sa.Column("minor_until", sa.String(10)))
    op.create_index("customers_by_age", "customers", ["minor_until"])
    op.add_column("accounts", sa.Column("closed", sa.String(10)))
    with op.batch_alter_table("accounts") as batch:  # SQLite cannot change a column in place
        batch.alter_column("kind", type_=sa.String(16))
