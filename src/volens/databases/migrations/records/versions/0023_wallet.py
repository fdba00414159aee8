"""The wallet: accounts and postings of rewards, claims, vouchers, payouts, contests, and the balance of each day.

Postings, and the balances of days, are only ever added: the database itself refuses to change or delete one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

APPEND_ONLY = ("wallet_entries", "wallet_days")


def upgrade() -> None:
    _books()
    _claims()
    _vouchers()
    _payouts()
    for table in APPEND_ONLY:
        _append_only(table)


def _books() -> None:
    op.create_table(
        "wallet_accounts",
        sa.Column("account", sa.String(120), primary_key=True),
        sa.Column("currency", sa.String(3), primary_key=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("cents", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.CheckConstraint("cents >= 0 or kind = 'outside'", name="wallet_never_below_zero"),
    )
    op.create_table(
        "wallet_entries",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(200), nullable=False, unique=True),
        sa.Column("source", sa.String(120), nullable=False),
        sa.Column("target", sa.String(120), nullable=False),
        sa.Column("cents", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("source_before", sa.BigInteger, nullable=False),
        sa.Column("source_after", sa.BigInteger, nullable=False),
        sa.Column("target_before", sa.BigInteger, nullable=False),
        sa.Column("target_after", sa.BigInteger, nullable=False),
        sa.CheckConstraint("cents > 0", name="wallet_moves_something"),
        sa.CheckConstraint("source <> target", name="wallet_moves_somewhere"),
        sa.CheckConstraint(
            "source_after = source_before - cents and target_after = target_before + cents", name="wallet_adds_up"
        ),
    )
    op.create_index("wallet_entries_by_source", "wallet_entries", ["source", "seq"])
    op.create_index("wallet_entries_by_target", "wallet_entries", ["target", "seq"])
    op.create_table(
        "wallet_budgets",
        sa.Column("offer", sa.String(64), primary_key=True),
        sa.Column("country", sa.String(2), primary_key=True),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("cents", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "wallet_days",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("currency", sa.String(3), primary_key=True),
        sa.Column("kind", sa.String(12), primary_key=True),
        sa.Column("cents", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )


def _claims() -> None:
    op.create_table(
        "wallet_claims",
        sa.Column("key", sa.String(160), primary_key=True),
        sa.Column("customer", sa.Integer),
        sa.Column("offer", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("money_cents", sa.BigInteger, nullable=False),
        sa.Column("voucher_cents", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("earned", sa.String(10)),
        sa.Column("matures", sa.String(10)),
        sa.Column("voucher_days", sa.Integer, nullable=False),
        sa.Column("why", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.CheckConstraint(
            "money_cents >= 0 and voucher_cents >= 0 and money_cents + voucher_cents > 0", name="wallet_claims_something"
        ),
    )
    op.create_index("wallet_claims_by_customer", "wallet_claims", ["customer"])
    op.create_index("wallet_claims_by_day", "wallet_claims", ["state", "matures"])
    op.create_table(
        "wallet_contests",
        sa.Column("contest", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("claim", sa.String(160), nullable=False),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("due", sa.String(10), nullable=False),
        sa.Column("words", sa.LargeBinary),
        sa.Column("answer", sa.LargeBinary),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_index("wallet_contests_by_customer", "wallet_contests", ["customer"])


def _vouchers() -> None:
    op.create_table(
        "wallet_vouchers",
        sa.Column("voucher", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("claim", sa.String(160), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("offer", sa.String(64), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("cents", sa.BigInteger, nullable=False),
        sa.Column("code_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("code", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("moved", sa.String(10), nullable=False),
        sa.Column("issued", sa.String(10), nullable=False),
        sa.Column("until", sa.String(10), nullable=False),
        sa.Column("reservation", sa.String(140), nullable=False),
        sa.Column("reserved_until", sa.String(32), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("claim", "place", name="wallet_vouchers_once"),
    )
    op.create_index("wallet_vouchers_by_customer", "wallet_vouchers", ["customer"])
    op.create_index("wallet_vouchers_by_state", "wallet_vouchers", ["state", "until"])


    op.create_table(
        "wallet_bearers",
        sa.Column("customer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("code_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )


def _payouts() -> None:
    op.create_table(
        "wallet_payouts",
        sa.Column("payout", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("customer", sa.Integer, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("cents", sa.BigInteger, nullable=False),
        sa.Column("account", sa.LargeBinary),
        sa.Column("last4", sa.String(4), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("asked", sa.String(10), nullable=False),
        sa.Column("moved", sa.String(10), nullable=False),
        sa.Column("run", sa.String(40)),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_index("wallet_payouts_by_customer", "wallet_payouts", ["customer"])
    op.create_index("wallet_payouts_by_state", "wallet_payouts", ["state", "currency"])
    op.create_table(
        "wallet_runs",
        sa.Column("run", sa.String(40), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("cents", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("prepared_by", sa.String(120), nullable=False),
        sa.Column("released_by", sa.String(120), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )


def _append_only(table: str) -> None:
    words = f"{table}: what is written stays"
    if op.get_bind().dialect.name == "sqlite":
        for what in ("update", "delete"):
            op.execute(
                f"create trigger {table}_no_{what} before {what} on {table} begin select raise(abort, '{words}'); end"
            )
        return
    op.execute(
        f"create or replace function {table}_stays() returns trigger language plpgsql as "
        f"$$ begin raise exception '{words}' using errcode = 'integrity_constraint_violation'; end $$"
    )
    op.execute(
        f"create trigger {table}_stays before update or delete on {table} for each row execute function {table}_stays()"
    )
