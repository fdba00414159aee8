"""Devices: the one way in for command line, web and library.

`overview` is what a customer's page shows, `report` and `send` are what an app calls, `lapse` is what the night does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from volens.clock import Clock, legal_day
from volens.devices import signing, store, view
from volens.devices.intake import Arrived, Intake, Rules, Sent, Taker
from volens.devices.lapse import Lapses
from volens.devices.registry import Newcomer, Registry, owned
from volens.devices.reports import Report, Reports
from volens.errors import BadInput
from volens.gate.policy import Rulebook
from volens.gate.store import ledger_position
from volens.holders import Database
from volens.permissions.ledger import Ledger, People
from volens.programme.devices import uses
from volens.programme.model import Programme

if TYPE_CHECKING:
    from sqlalchemy import Connection

REPORTS, EVENTS = "/v1/devices/reports", "/v1/devices/events"
"""The routes, as devices sign them."""
BODY_BYTES_MAX = 5_000_000


@dataclass(frozen=True)
class _Message:
    """A body as it came, read."""

    device: str
    counter: int
    at: datetime | None
    said: dict[str, Any]


class Devices:
    """Phones and browsers of a house's customers."""

    def __init__(
        self, records: Database, people: People, ledger: Ledger, programme: Programme, book: Rulebook, clock: Clock
    ) -> None:
        self._records, self._people, self._ledger, self._clock = records, people, ledger, clock
        self._programme, self._country = programme, programme.country
        named = {text.id: text.recipients for text in programme.texts.values()}
        rules = Rules(
            programme.apps, book, {one.id: one.controller for one in programme.purposes.values()}, named, programme.digest,
            programme.country,
        )  # fmt: skip
        self._uses = uses(programme.apps)
        self._registry = Registry(records, people, clock, programme.country, programme.apps)
        self._reports = Reports(records, people, clock, programme.country)
        self._intake = Intake(records, rules, clock, ledger.turn)
        self._lapses = Lapses(records, self._uses, named)

    # What a customer does

    def register(self, customer: int, new: Newcomer, *, account: int | None = None) -> str:
        """Adds a device to a customer's account; its number. The same key again is the same device."""
        return self._registry.register(customer, account, new)

    def sign_out(self, customer: int, device: str) -> bool:
        """Takes nothing from a customer's device any more; whether it was signed in until now."""
        return self._registry.sign_out(customer, device)

    def forget(self, customer: int, device: str) -> None:
        """Deletes all that is known of a customer's device."""
        self._registry.forget(customer, device)

    def overview(self, customer: int) -> view.Overview:
        """What a customer sees. What was not used for too long has lapsed when this returns, and is shown so."""
        now = self._clock.now()
        today = self._today(now)
        self._ledger.turn(today)
        self._lapses.of_customer(customer, today)
        history = self._ledger.history(customer)
        with self._records.reading() as connection:
            position = ledger_position(connection)
            mine = store.of_customer(connection, customer)
            states = {one.device: store.states_of(connection, one.device) for one in mine}
            counts = store.counts_of(connection, [one.device for one in mine])
            verdicts = [(use, self._intake.verdict(connection, customer, use, today)) for use in self._uses]
        labels = self._people.reveal([(one.sealed_for, one.label) for one in mine])
        listed = [
            view.device_state(one, label.decode() if label else "", now) for one, label in zip(mine, labels, strict=True)
        ]
        said = [name for one in mine if one.signed_out is None for name in states[one.device]]
        names, unused = view.shown(self._uses, [*said, *(one.category for one in counts if one.purpose == "")])
        found = []
        for name in names:
            ours = [
                view.use_state(use, verdict, history, counts, self._text(use.purpose, today), today)
                for use, verdict in verdicts
                if use.category == name
            ]
            found.append(view.category_state(name, ours, listed, states, counts, today, now))
        return view.Overview(tuple(listed), tuple(found), tuple(unused), position)

    # What an app or a machine sends

    def signed_by_device(self, route: str, body: bytes, signature: str) -> None:
        """Raises `Refused` unless the device that a body names signed exactly this, for this route."""
        device = read(body).device
        with self._records.reading() as connection:
            known = store.device(connection, device)
        usable = known is not None and known.signed_out is None
        signing.require_signed(known.public_key if known is not None and usable else None, route, body, signature)

    def report(self, body: bytes) -> int:
        """Keeps what a device says it allows; how many states are new. Whoever calls knows whose word it is."""
        message = read(body)
        states = message.said.get("states")
        if not isinstance(states, dict) or not all(isinstance(state, str) for state in states.values()):
            raise BadInput("The report has no states.", 'Write: "states": {"camera": "granted"}.')
        version = str(message.said.get("app_version", ""))
        return self._reports.take(Report(message.device, message.counter, message.at, states, version))

    def send(self, body: bytes, *, signed: bool) -> Arrived:
        """Judges and counts what a device sends; the message of a signed one is taken once."""
        message = read(body, counted=signed)
        sent = message.said.get("events", [message.said])
        if not isinstance(sent, list) or not all(isinstance(one, dict) for one in sent):
            raise BadInput("The events are no list.", 'Write: "events": [{"category": "camera"}].')
        things = [Sent(str(one.get("category", "")), str(one.get("purpose") or ""), one.get("data")) for one in sent]
        if signed:
            self._reports.require_fresh(message.at)
        arrived = self._intake.take(message.device, things, counter=message.counter if signed else None)
        return replace(arrived, several="events" in message.said)

    def take(self, device: str, sent: Sequence[Sent]) -> Arrived:
        """As `send`, for whoever calls from Python."""
        return self._intake.take(device, sent)

    def hand_to(self, taker: Taker | None) -> None:
        """Names the service that accepted data go to. Without one they are judged and counted, and go nowhere."""
        self._intake.taker = taker

    # What the house does

    def lapse(self) -> int:
        """Ends everybody's permissions that were not used for the programme's days; how many. Run once a day."""
        return self._lapses.of_everybody(self._today(self._clock.now()))

    def used(self, days: int) -> dict[tuple[str, str], tuple[int, int]]:
        """How often data were taken and refused in the last days, by category and purpose. Every declared use is in it: what an
        app asks for and nobody ever uses can be dropped."""
        today = self._today(self._clock.now())
        with self._records.reading() as connection:
            found = store.totals(connection, today - timedelta(days=days - 1))
        return {(use.category, use.purpose): (0, 0) for use in self._uses} | found

    def of(self, customer: int, device: str) -> store.Device:
        """A customer's own device; `NotFound` for anybody else's."""
        with self._records.reading() as connection:
            return owned(connection, customer, device)

    def _today(self, now: datetime) -> date:
        return legal_day(now, self._country)

    def _text(self, purpose: str, today: date) -> str:
        standing = [text for text in self._programme.texts_of(purpose) if text.stands(today)]
        return standing[-1].id if standing else ""


def forget_with(connection: Connection, customer: int, accounts: Sequence[int]) -> None:
    """Deletes the devices of somebody who is erased, in the erasure's transaction."""
    store.forget_accounts(connection, accounts)


def fields_of(body: bytes, *names: str) -> dict[str, str]:
    """Texts of a JSON object, by name; what is not there is empty, and what else is there is refused."""
    said = _object(body)
    wrong = [name for name, value in said.items() if name not in names or not isinstance(value, str)]
    if wrong:
        raise BadInput("A field is unknown, or is no text.", f"Use: {', '.join(names)}.")
    return {name: said.get(name, "") for name in names}


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > BODY_BYTES_MAX:
        raise BadInput("The message is too large.", f"At most {BODY_BYTES_MAX:,} bytes.")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadInput("The message is no JSON.", "Send one JSON object.") from error
    if not isinstance(said, dict):
        raise BadInput("The message is no JSON object.", "Send one JSON object.")
    return said


def read(body: bytes, *, counted: bool = True) -> _Message:
    """A message's device, number and time; `BadInput` for what is none."""
    said = _object(body)
    if not isinstance(said.get("device"), str):
        raise BadInput("The message names no device.", 'Write: {"device": "…"}.')
    if not counted:
        return _Message(said["device"], 0, None, said)
    counter, at = said.get("counter"), said.get("at")
    if not isinstance(counter, int) or isinstance(counter, bool):
        raise BadInput("The message has no number.", "Count the device's messages from 1.")
    try:
        return _Message(said["device"], counter, datetime.fromisoformat(str(at)), said)
    except ValueError as error:
        raise BadInput("The message has no time.", "Write it as 2026-03-02T09:00:00Z.") from error
