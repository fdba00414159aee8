"""What a phone or a browser says it allows: taken once, in order, with the time at which it was heard.

Rules:
1. A report is what a system told an app; nobody here can change it. It says nothing about what its owner chose.
2. Each message of a device has a higher number than the one before, and was made within ten minutes of now: what was caught
   on the way and sent again is refused, and a refused message changes nothing.
3. A state that is new is an event in the same transaction; the same state again only renews when it was last heard.
4. `reported_at` is the server's time of hearing, since a phone's clock may be anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from volens.clock import Clock, legal_day
from volens.devices import store
from volens.devices.registry import REPORTED, require_version
from volens.devices.signing import not_its_word
from volens.errors import BadInput, NotNow, Refused
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.holders import Database
from volens.permissions.ledger import People
from volens.programme.devices import categories

GRANTED, LIMITED, WHILE_IN_USE, DENIED, PROMPT, UNKNOWN = "granted", "limited", "while-in-use", "denied", "prompt", "unknown"
STATES = (GRANTED, LIMITED, WHILE_IN_USE, DENIED, PROMPT, UNKNOWN)
"""What a system can say. `limited`: some of it, such as chosen photos. `prompt`: it asks its owner first, each time."""
OPEN_STATES = frozenset({GRANTED, LIMITED, WHILE_IN_USE})
"""With these the app gets data without anybody being asked."""
CLOCKS_APART = timedelta(minutes=10)
COUNTER_MAX = 2**62
TRIES = 5


@dataclass(frozen=True)
class Report:
    """One message: what a device allows at an instant."""

    device: str
    counter: int
    at: datetime | None
    states: Mapping[str, str]
    app_version: str = ""

    def __post_init__(self) -> None:
        require_counter(self.counter)
        unknown = [name[:40] for name in self.states if name not in categories()]
        if unknown or not self.states:
            raise BadInput(
                f"There is no device category {unknown[0]!r}." if unknown else "The report says nothing.",
                f"Use: {', '.join(categories())}.",
            )
        if any(state not in STATES for state in self.states.values()):
            raise BadInput("A state cannot be read.", f"Use one of: {', '.join(STATES)}.")
        require_version(self.app_version)


def require_counter(counter: int) -> None:
    """Raises `BadInput` for what is no number of a message."""
    if not 0 < counter <= COUNTER_MAX:
        raise BadInput("The message has no number.", "Count the device's messages from 1.")


def require_fresh(at: datetime | None, now: datetime) -> None:
    """Raises `Refused` for a message that was not made just now."""
    if at is None or at.tzinfo is None:
        raise BadInput("The message has no time, or one without its zone.", "Write it as 2026-03-02T09:00:00Z.")
    if abs(at - now) > CLOCKS_APART:
        raise Refused(
            ("this message was not made just now",),
            f"Set the device's clock; here it is {now.isoformat(timespec='seconds')}. Then sign and send anew.",
        )


class Reports:
    """Takes reports. Durable when `take` returns."""

    def __init__(self, records: Database, people: People, clock: Clock, country: str) -> None:
        self._records, self._people, self._clock, self._country = records, people, clock, country

    def require_fresh(self, at: datetime | None) -> None:
        """Raises unless a signed message was made just now."""
        require_fresh(at, self._clock.now())

    def take(self, report: Report) -> int:
        """Keeps what a device reports; how many of its states are new. Whose word it is was found out before."""
        now = self._clock.now()
        require_fresh(report.at, now)
        for _ in range(TRIES):
            with self._records.reading() as connection:
                device = store.device(connection, report.device)
                known = store.states_of(connection, report.device)
            if device is None or device.signed_out is not None:
                raise not_its_word()
            require_next(device, report.counter)
            new = {name: state for name, state in report.states.items() if name not in known or known[name].state != state}
            if self._keep(device, report, new, known, now):
                return len(new)
        raise NotNow("Other messages of this device came in between.", "Send it again.")

    def _keep(
        self, device: store.Device, report: Report, new: Mapping[str, str], known: Mapping[str, store.State], now: datetime
    ) -> bool:
        """One transaction; false, with nothing changed, if another message of the device was quicker."""
        heard, version = now.isoformat(), report.app_version or device.app_version or ""
        said = {"device": device.device, "states": dict(sorted(new.items())), "app_version": version, "at": heard}
        with self._people.sealer([device.customer]) as sealer:
            event = log.sealed_beforehand(
                Event(REPORTED, customer=device.customer, day=legal_day(now, self._country), private=said), sealer
            )
        with self._records.writing() as connection:
            if new:
                log.lock(connection, EVENTS)  # before the device's row: whoever takes both takes them in this order
            if not store.advance(
                connection, device.device, device.counter, report.counter, reported_at=heard, app_version=version or None
            ):
                return False
            seq = log.append(connection, EVENTS, [event]) if new else None
            store.keep_states(connection, [
                store.State(device.device, name, state, heard, heard, version, seq)
                if seq is not None and name in new
                else store.State(device.device, name, state, known[name].since, heard, version, known[name].seq)
                for name, state in sorted(report.states.items())
            ])  # fmt: skip
        return True


def require_next(device: store.Device, counter: int) -> None:
    """Raises `Refused` for a message that was taken before, or is older than one that was."""
    if counter <= device.counter:
        raise Refused(
            ("this message, or a newer one of this device, was taken already",),
            f"The next number of this device is {device.counter + 1}.",
        )
