"""SQL of sessions and of the staff. Rules stand in `sessions` and `staff`.

Sessions hold numbers of accounts and customers and hashes, and go with the person. Staff have a name: who looks at customers
is known by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from volens.errors import Tampered

metadata = MetaData()

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("session", LargeBinary, primary_key=True),  # keyed hash of the number that the browser holds
    Column("kind", String(10), nullable=False),  # customer or staff
    Column("account", Integer),  # of a customer: whose it is now is asked each time
    Column("customer", Integer),  # at sign-in, so that it goes with the person
    Column("staff", Integer),
    Column("roles", Text, nullable=False),
    Column("how", String(10), nullable=False),  # account or link
    Column("sign_in", LargeBinary, unique=True),  # the sign-in that made it: one makes one
    Column("created", String(40), nullable=False),  # UTC, ISO 8601, as the rest
    Column("authenticated", String(40)),  # when the person last proved who she is; none if nobody said
    Column("ends", String(40), nullable=False),
    Column("seal", LargeBinary, nullable=False),  # of all that, under the house's key
    Column("seen", String(40), nullable=False),
    Column("ended", String(40)),
    Index("web_sessions_by_customer", "customer"),
    Index("web_sessions_by_account", "account"),
    Index("web_sessions_by_staff", "staff"),
    Index("web_sessions_by_end", "ends"),
)

staff = Table(
    "staff",
    metadata,
    Column("staff", Integer, primary_key=True, autoincrement=False),
    Column("found_by", LargeBinary, nullable=False, unique=True),  # keyed hash of provider and subject
    Column("name", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),  # of the commitment in the newest event about the name
    Column("seq", BigInteger, nullable=False),  # that event
)


@dataclass(frozen=True)
class SessionRow:
    """A session as it is stored."""

    session: bytes
    kind: str
    account: int | None
    customer: int | None
    staff: int | None
    roles: str
    how: str
    sign_in: bytes | None
    created: str
    authenticated: str | None
    ends: str
    seal: bytes
    seen: str
    ended: str | None


@dataclass(frozen=True)
class StaffRow:
    """A member of staff as stored."""

    staff: int
    found_by: bytes
    name: str
    salt: bytes
    seq: int


def _session(found: Any) -> SessionRow:
    try:
        binary = {name: bytes(found[name]) for name in ("session", "seal")}
        sign_in = bytes(found["sign_in"]) if found["sign_in"] is not None else None
    except TypeError as error:
        raise Tampered("A session cannot be read as it was written.", "Run: volens audit") from error
    return SessionRow(**{**found, **binary, "sign_in": sign_in})


def add(connection: Connection, row: SessionRow) -> bool:
    """Keeps a new session; false if its sign-in has made one already."""
    fresh = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(web_sessions).values(vars(row))
    kept = fresh.on_conflict_do_nothing(index_elements=["sign_in"]).returning(web_sessions.c.kind)
    return connection.execute(kept).first() is not None


def by_hash(connection: Connection, session: bytes) -> SessionRow | None:
    """The session with this hash, or none."""
    found = connection.execute(select(web_sessions).where(web_sessions.c.session == session)).mappings().first()
    return _session(found) if found is not None else None


def note_seen(connection: Connection, session: bytes, at: str) -> None:
    """The latest request."""
    connection.execute(update(web_sessions).where(web_sessions.c.session == session).values(seen=at))


def end(connection: Connection, session: bytes, at: str) -> int:
    """Ends one session; returns how many were open."""
    still = (web_sessions.c.session == session) & web_sessions.c.ended.is_(None)
    return connection.execute(update(web_sessions).where(still).values(ended=at)).rowcount


def end_of_accounts(connection: Connection, at: str, accounts: list[int]) -> int:
    """Ends every session of some accounts; returns how many were open."""
    open_ones = web_sessions.c.account.in_(accounts) & web_sessions.c.ended.is_(None)
    return connection.execute(update(web_sessions).where(open_ones).values(ended=at)).rowcount


def end_of_staff(connection: Connection, at: str, number: int) -> int:
    """Ends every session of a member of staff; returns how many were open."""
    open_ones = (web_sessions.c.staff == number) & web_sessions.c.ended.is_(None)
    return connection.execute(update(web_sessions).where(open_ones).values(ended=at)).rowcount


def forget(connection: Connection, customer: int, accounts: Sequence[int]) -> int:
    """Takes away every session that says anything about somebody."""
    hers = or_(web_sessions.c.customer == customer, web_sessions.c.account.in_(accounts))
    return connection.execute(delete(web_sessions).where(hers)).rowcount


def tidy(connection: Connection, before: str) -> int:
    """Takes away what ended before an instant."""
    return connection.execute(delete(web_sessions).where(web_sessions.c.ends < before)).rowcount


def forget_all(connection: Connection) -> int:
    """In records that were put back: who signed in then, and out since, is not known."""
    return connection.execute(delete(web_sessions)).rowcount


def _member(found: Any) -> StaffRow:
    try:
        return StaffRow(**{**found, "found_by": bytes(found["found_by"]), "salt": bytes(found["salt"])})
    except TypeError as error:
        raise Tampered("The row of a member of staff cannot be read as it was written.", "Run: volens audit") from error


def member_by(connection: Connection, found_by: bytes) -> StaffRow | None:
    """The member of staff behind a provider's subject, or none."""
    found = connection.execute(select(staff).where(staff.c.found_by == found_by)).mappings().first()
    return _member(found) if found is not None else None


def member(connection: Connection, number: int) -> StaffRow | None:
    """The member of staff with a number, or none."""
    found = connection.execute(select(staff).where(staff.c.staff == number)).mappings().first()
    return _member(found) if found is not None else None


def members(connection: Connection) -> list[StaffRow]:
    """Everybody who ever signed in as staff."""
    return [_member(found) for found in connection.execute(select(staff).order_by(staff.c.staff)).mappings()]


def next_member(connection: Connection) -> int:
    """The next number, asked while the ledger is held."""
    return int(connection.execute(select(func.coalesce(func.max(staff.c.staff), 0))).scalar_one()) + 1


def keep_member(connection: Connection, row: StaffRow) -> None:
    """A new member, or a known one with another name."""
    changed = connection.execute(
        update(staff).where(staff.c.staff == row.staff).values(name=row.name, salt=row.salt, seq=row.seq)
    )
    if not changed.rowcount:
        connection.execute(insert(staff).values(vars(row)))
