"""Do keys of machines and names of the staff stand as the events say?

Sessions are not looked at: each carries a seal of the house's key, without which nobody is let in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from volens.access import machine_store as store
from volens.access import session_store
from volens.access.machines import ADDED, REVOKED
from volens.access.staff import FIRST_SEEN, RENAMED, committed
from volens.audit.report import Report
from volens.errors import Tampered
from volens.evidence import log
from volens.evidence.log import EVENTS, Row

if TYPE_CHECKING:
    from sqlalchemy import Connection

MACHINES = "every key of a machine is as recorded"
STAFF = "every name of the staff is as recorded"


@dataclass(frozen=True)
class _Told:
    """What events say of a key."""

    machine: str
    recipient: str | None
    scopes: tuple[str, ...]
    addresses: tuple[str, ...]
    secret: str
    added: int
    expires: str
    ended: int | None = None


def check_access(connection: Connection, report: Report) -> None:
    """Machines and staff."""
    for check, table, look in ((MACHINES, "machine_keys", _check_machines), (STAFF, "staff", _check_staff)):
        with report.checking(check) as looked_at:
            try:
                looked_at.append(look(connection, report))
            except Tampered as error:
                report.found(check, table, error.what)


def _check_machines(connection: Connection, report: Report) -> int:
    """Replays the events about keys and compares, both ways."""
    told = _replay(log.rows(connection, EVENTS, kinds=[ADDED, REVOKED]), report)
    stored = {
        row.key: _Told(
            row.machine, row.recipient, row.scopes, row.addresses, row.secret.hex(), row.added, row.expires, row.ended
        )
        for row in store.keys_of(connection)
    }
    for key in sorted(told.keys() | stored.keys()):
        if told.get(key) != stored.get(key):
            report.found(MACHINES, f"machine_keys {key}", "the key is not as its events say")
    return len(stored)


def _replay(rows: Iterable[Row], report: Report) -> dict[str, _Told]:
    told: dict[str, _Told] = {}
    for row in rows:
        try:
            said = row.said()
            if row.kind == REVOKED:
                for key in said["keys"]:
                    told[key] = replace(told[key], ended=row.seq)
                continue
            others = said["others_end"]
            for key, other in told.items():
                if others is not None and other.machine == said["machine"] and other.ended is None and other.expires > others:
                    told[key] = replace(other, expires=others)
            told[said["key"]] = _Told(
                said["machine"], row.recipient, tuple(said["scopes"]), tuple(said["addresses"]), said["secret"], row.seq,
                said["expires"],
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            report.found(MACHINES, f"events {row.seq}", "it cannot be read as it was written")
    return told


def _check_staff(connection: Connection, report: Report) -> int:
    """The name of each member against the newest event about it, both ways."""
    newest: dict[int, Row] = {}
    for row in log.rows(connection, EVENTS, kinds=[FIRST_SEEN, RENAMED]):
        try:
            newest[row.said()["staff"]] = row
        except (ValueError, KeyError, TypeError, AttributeError):
            report.found(STAFF, f"events {row.seq}", "it cannot be read as it was written")
    everybody = session_store.members(connection)
    for one in everybody:
        event = newest.pop(one.staff, None)
        told = (one.seq, committed(one.found_by, one.name, one.salt))
        if event is None or (event.seq, event.commitment) != told:
            report.found(STAFF, f"staff {one.staff}", "the name is not the one that was recorded")
    for row in newest.values():
        report.found(STAFF, f"events {row.seq}", "the member of staff that it names is gone")
    return len(everybody)
