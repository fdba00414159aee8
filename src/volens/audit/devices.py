"""Is every device, and everything that it is said to allow, as the events say?

Rules:
1. Devices and their states are a fold of the events about them, whose sealed parts say which device; compared both ways.
2. What is sealed under a key that was destroyed opens for nobody: of such a device only the event is looked for.
3. How often data came is counted, not recorded: nothing is compared with it, but a count belongs to a device that is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from volens.audit.report import Report
from volens.devices import store
from volens.devices.registry import FORGOTTEN, KINDS, REGISTERED, REPORTED, SIGNED_OUT
from volens.evidence import log
from volens.evidence.log import EVENTS, SALT_BYTES

if TYPE_CHECKING:
    from sqlalchemy import Connection

DEVICES = "every device is as the events say"
AT_ONCE = 5_000


class Opener(Protocol):
    """Opens what is sealed; None without a key, b"" where it does not open."""

    def reveal(self, sealed: Sequence[tuple[int, bytes]]) -> list[bytes | None]: ...


@dataclass
class _Told:
    """What the events say of one device."""

    registered: int
    app: str
    platform: str
    signed_out: int | None = None
    states: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    """Category → state, since when, and by which event."""


def check_devices(connection: Connection, vault: Opener, report: Report) -> None:
    """Rows of devices and states against their events."""
    with report.checking(DEVICES) as looked_at:
        told, kinds = _told(connection, vault, report)
        states: dict[str, list[store.State]] = {}
        for state in store.all_states(connection):
            states.setdefault(state.device, []).append(state)
        for owned, row in store.everything(connection):
            looked_at.append(1)
            where, number = f"devices {row['device'][:8]}", str(row["device"])
            if owned is None:
                report.found(DEVICES, where, "it belongs to an account that is not there")
            if kinds.get(row["registered"]) != (REGISTERED, row["sealed_for"]):
                report.found(DEVICES, where, "no event registered it")
                continue
            said = told.pop(number, None)
            if said is None:
                if vault.reveal([(int(row["sealed_for"]), bytes(row["label"]))]) != [None]:
                    report.found(DEVICES, where, "by its events it is not there, or was forgotten")
                continue
            if (said.registered, said.app, said.platform, said.signed_out) != (
                row["registered"], row["app"], row["platform"], row["signed_out"],
            ):  # fmt: skip
                report.found(DEVICES, where, "its row says something else than its events")
            stored = {one.category: (one.state, one.since, one.seq) for one in states.get(number, [])}
            for category in sorted(said.states.keys() | stored.keys()):
                if said.states.get(category) != stored.get(category):
                    report.found(DEVICES, f"device_states {number[:8]} {category}", "it is not what the device last reported")
        for number in sorted(told):
            report.found(DEVICES, f"devices {number[:8]}", "it was registered, never forgotten, and is gone")
        if lost := store.strays(connection):
            report.found(DEVICES, "device_states, device_counts", f"{lost:,} rows are about devices that are not there")


def _told(connection: Connection, vault: Opener, report: Report) -> tuple[dict[str, _Told], Mapping[int, tuple[str, Any]]]:
    """The fold of all events that still open, and kind and customer of every event about devices."""
    found: dict[str, _Told] = {}
    kinds: dict[int, tuple[str, Any]] = {}
    rows = list(log.rows(connection, EVENTS, kinds=KINDS))
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        opened = vault.reveal([(row.customer or 0, row.sealed or b"") for row in some])
        for row, plain in zip(some, opened, strict=True):
            kinds[row.seq] = (row.kind, row.customer)
            if not plain:
                continue  # the key is destroyed, or `check_sealed` says that the sealed part was changed
            try:
                _apply(found, row.kind, row.seq, json.loads(plain[SALT_BYTES:]))
            except (ValueError, KeyError, TypeError, AttributeError):
                report.found(DEVICES, f"events {row.seq}", "its sealed part cannot be read")
    return found, kinds


def _apply(found: dict[str, _Told], kind: str, seq: int, said: Mapping[str, Any]) -> None:
    device = str(said["device"])
    if kind == REGISTERED:
        found[device] = _Told(seq, said["app"], said["platform"])
    elif kind == FORGOTTEN:
        found.pop(device, None)
    elif device in found and kind == SIGNED_OUT:
        found[device].signed_out = seq
    elif device in found and kind == REPORTED:
        found[device].states |= {name: (state, said["at"], seq) for name, state in said["states"].items()}
