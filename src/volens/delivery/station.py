"""The outbox of messages to customers: asked for with what they tell, handed over at the door, carried, shown, recognised.

Rules:
1. `prepare` seals outside any transaction, `queue` writes within the caller's: a message is there exactly if what it tells is.
2. `deliver` is the only way out. Per channel one `handed_over` event for up to 50 messages, in the transaction that moves them;
   then they are carried; then that is written down. Two processes that deliver at once never take the same hand-over.
3. A message is tried ten times, a minute apart at least; then it has failed, and the list says so.
4. One address that a carrier cannot serve now holds nobody else up; a carrier that does not answer three times in a row stops
   the round. What was handed over passes the door again.
5. Whoever reads a message of somebody else says who they are; it is on the record.
"""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from volens.clock import Clock, legal_day
from volens.delivery import codes, store
from volens.delivery.carriers import LocalOutbox
from volens.delivery.message import (
    CARRIED,
    CHANNELS,
    EMAIL,
    FAILED,
    FIELDS,
    HANDED,
    NONE,
    SMS,
    UNADDRESSED,
    WAITING,
    Addresses,
    Carrier,
    Draft,
    Letter,
    Reached,
    Undeliverable,
    address_of,
)  # fmt: skip
from volens.delivery.store import Sent, Stored
from volens.errors import BadInput, NotFound, Refused, Unavailable
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.gate.barrier import Barrier
from volens.gate.policy import ReadRequest
from volens.holders import Database, Sealer

if TYPE_CHECKING:
    from sqlalchemy import Connection

TOGETHER = 50
"""Messages of one hand-over: what may be carried twice if a process is killed."""
AGAIN_SECONDS, TRIES_MAX, STOP_AFTER = 60, 10, 3
CODE_CHARACTERS = 10
KEPT_DAYS, CODES_KEPT_DAYS = 90, 800
SINGLE_USE = re.compile(r"(/lien/)[\w.~-]{16,}")
"""The token of a link that refuses or signs in."""
NAME_CHARACTERS_MAX = 120

CHECK = {
    "fr": "Ce message vient-il vraiment de nous ? Vérifiez-le sur {address}/vrai-ou-faux avec ce code : {code}",
    "en": "Does this message really come from us? Check it at {address}/true-or-false with this code: {code}",
}
CHECK_SMS = {"fr": "Vrai message ? {address}/vrai-ou-faux {code}", "en": "True message? {address}/true-or-false {code}"}


class People(Sealer, Protocol):
    """What delivery needs of the vault to seal and to open."""

    def open(self, customer: int, sealed: bytes) -> bytes:
        """Gives back what `seal` took; `NotFound` if the customer's key is destroyed."""


@dataclass(frozen=True)
class Service:
    """On which of the programme's purposes messages about a person's own choices rest, and for whom they are sent."""

    purpose: str
    recipient: str


@dataclass(frozen=True)
class Prepared:
    """A message that is sealed and has its code, ready to be queued."""

    message: str
    draft: Draft
    code: str = field(repr=False)
    sealed: bytes = field(repr=False)


@dataclass(frozen=True)
class Round:
    """What one round of delivering did, in numbers."""

    carried: int
    unaddressed: int
    failed: int

    def to_text(self) -> str:
        """For people."""
        rest = f", {self.unaddressed:,} had no address that their person allows" if self.unaddressed else ""
        rest += f", {self.failed:,} failed" if self.failed else ""
        return f"{self.carried:,} messages carried{rest}"


class Delivery:
    """Queues and delivers messages. Durable when a method returns."""

    def __init__(
        self, records: Database, people: People, addresses: Addresses, barrier: Barrier, carrier: Carrier,
        mac: Callable[[str, bytes], bytes], clock: Clock, country: str, service: Service | None, address: str,
    ) -> None:  # fmt: skip
        """`mac` keys the hashes of codes; `address` is where people reach the house on the web."""
        self._records, self._people, self._addresses, self._barrier = records, people, addresses, barrier
        self._carrier, self._mac, self._clock, self._country = carrier, mac, clock, country
        self._service, self._address = service, address

    # Asking for a message

    def prepare(self, draft: Draft) -> Prepared:
        """Gives a message its code, writes that under it, and seals it. `NotFound` if its customer is erased."""
        code = codes.fresh(CODE_CHARACTERS)
        check = (CHECK_SMS if draft.channel == SMS else CHECK).get(draft.language, CHECK["en"])
        told = check.format(address=self._address, code=codes.grouped(code, 5))
        value = {
            "language": draft.language, "subject": draft.subject, "text": f"{draft.text.rstrip()}\n\n{told}\n",
            "html": draft.html.replace("</body>", f"<p class=\"check\">{told}</p></body>"), "code": code,
            "address": draft.address,
        }  # fmt: skip
        sealed = self._people.seal(draft.customer, json.dumps(value, ensure_ascii=False).encode())
        return Prepared(secrets.token_hex(10), draft, code, sealed)

    def queue(self, connection: Connection, prepared: Prepared) -> None:
        """Puts a message into the outbox, in the caller's transaction."""
        draft, now = prepared.draft, self._clock.now().isoformat()
        store.add(
            connection,
            Stored(prepared.message, draft.customer, draft.kind, draft.channel, WAITING, now, None, 0, prepared.sealed),
        )

    def lately(self, connection: Connection, customer: int, kind: str, within: timedelta) -> bool:
        """Whether a customer has a message of a kind from the last while."""
        return store.asked_for(connection, customer, kind, (self._clock.now() - within).isoformat())

    def left(self, connection: Connection, messages: Sequence[str]) -> dict[str, datetime]:
        """Those of some messages that a carrier took, with the instant of their hand-over."""
        return {message: datetime.fromisoformat(at) for message, at in store.carried(connection, messages).items()}

    # Letting it out

    def deliver(self) -> Round:
        """Delivers what is due, to the end. `Unavailable` if the carrier does not answer; the rest waits."""
        done: Counter[str] = Counter()
        while True:
            with self._records.reading() as connection:
                due = store.due(connection, self._before(), TOGETHER)
            if not due:
                return Round(done[CARRIED], done[UNADDRESSED], done[FAILED])
            before = sum(done.values())
            letters, settled = self._hand_over(due)
            done.update(settled)
            self._carry(letters, done)
            if sum(done.values()) == before:
                return Round(done[CARRIED], done[UNADDRESSED], done[FAILED])  # somebody else delivers the same

    def _before(self) -> str:
        return (self._clock.now() - timedelta(seconds=AGAIN_SECONDS)).isoformat()

    def _hand_over(self, due: Sequence[Stored]) -> tuple[list[Letter], Counter[str]]:
        """Passes the door with those of some messages that nobody else took meanwhile."""
        who = sorted({one.customer for one in due})
        contacts = self._addresses.contacts(who)
        with self._records.reading() as connection:
            chosen = store.channels(connection, who)
        letters: dict[str, Letter] = {}
        found_by: dict[str, bytes] = {}
        for one in due:
            opened = self._open(one, contacts.get(one.customer), chosen.get(one.customer))
            if opened is not None:
                letters[one.message], found_by[one.message] = opened
        settled: Counter[str] = Counter()
        out: list[Letter] = []
        now, today = self._clock.now().isoformat(), self._today()
        self._barrier.turn()
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            ours = store.standing(connection, due)
            mine = [one for one in due if one.message in ours]
            tired = {one.message for one in mine if one.tries >= TRIES_MAX}
            nowhere = {one.message for one in mine} - letters.keys() - tired
            for state, some in ((FAILED, tired), (UNADDRESSED, nowhere)):
                # Handed over once and without an address now: the state that says so is `failed`.
                handed = {one.message for one in mine if one.state == HANDED and one.message in some}
                store.move(connection, some - handed, state)
                store.move(connection, handed, FAILED)
                settled[state] += len(some)
            for channel in (EMAIL, SMS):
                by = [one for one in mine if one.message not in tired and channel == _channel(letters.get(one.message))]
                out += self._through(connection, by, channel, letters, found_by, now, today)
        return out, settled

    def _through(
        self, connection: Connection, some: Sequence[Stored], channel: str, letters: Mapping[str, Letter],
        found_by: Mapping[str, bytes], now: str, today: date,
    ) -> list[Letter]:  # fmt: skip
        """One event for the messages of one channel, and their state; in the transaction that holds the ledger."""
        if not some:
            return []
        if self._service is None:
            raise BadInput(
                "The programme has no purpose on which a message to a person could rest.",
                "Declare one that rests on a legal obligation and covers rights-handling.",
            )
        request = ReadRequest(
            "delivery", self._service.purpose, self._carrier.recipient or self._service.recipient, FIELDS[channel],
            today, today + timedelta(days=1),
        )  # fmt: skip
        kinds = dict(sorted(Counter(one.kind for one in some).items()))
        handed = self._barrier.hand_over_within(
            connection, request, sorted({one.customer for one in some}), {"channel": channel, "messages": kinds}
        )
        if handed.kept_back:
            # Whoever is erased has no message any more, so it is the use itself that is not declared: nothing is moved.
            raise Refused(
                (f"{self._service.purpose!r} may not read {', '.join(FIELDS[channel])} for {request.recipient!r}",),
                "Declare it in the programme; the messages wait.",
            )
        store.move(connection, [one.message for one in some], HANDED, handed=now)
        store.keep_codes(connection, [(found_by[one.message], one.kind, channel, today.isoformat()) for one in some])
        return [letters[one.message] for one in some]

    def _open(self, one: Stored, contact: Reached | None, chosen: str | None) -> tuple[Letter, bytes] | None:
        """A message with its address, and what its code is found by; none if there is no way to its person."""
        channel = one.channel or chosen or (EMAIL if contact is not None and contact.email else NONE)
        if contact is None or channel not in self._carrier.channels:
            return None
        try:
            value: dict[str, Any] = json.loads(self._people.open(one.customer, one.sealed))
        except NotFound:  # erased since we looked; her messages are gone, or are about to be
            return None
        address = value["address"] or address_of(contact, channel)
        return (_letter(one, channel, address, value), self._found_by(value["code"])) if address else None

    def _carry(self, letters: Sequence[Letter], done: Counter[str]) -> None:
        """Gives letters to the carrier, and writes down which it took and which it never will, also when it stops in between."""
        taken, never, in_a_row = list[str](), list[str](), 0
        trouble: Unavailable | None = None
        try:
            for letter in letters:
                try:
                    self._carrier.carry(letter)
                    taken.append(letter.message)
                    in_a_row = 0
                except Undeliverable:
                    never.append(letter.message)
                except Unavailable as error:
                    trouble, in_a_row = error, in_a_row + 1
                    if in_a_row == STOP_AFTER:
                        break
        finally:
            if taken or never:
                with self._records.writing() as connection:
                    store.move(connection, taken, CARRIED)
                    store.move(connection, never, FAILED)
                done[CARRIED] += len(taken)
                done[FAILED] += len(never)
        if trouble is not None and (in_a_row == STOP_AFTER or not (taken or never)):
            raise trouble

    # What people allow

    def channel_of(self, customer: int) -> str:
        """By which channel a customer is told about her own choices; `none` if by none."""
        with self._records.reading() as connection:
            chosen = store.channels(connection, [customer]).get(customer)
        if chosen is not None:
            return chosen
        contact = self._addresses.contacts([customer]).get(customer)
        return EMAIL if contact is not None and contact.email else NONE

    def language_of(self, customer: int) -> str | None:
        """The language in which a customer is written to, if the customer master says one."""
        contact = self._addresses.contacts([customer]).get(customer)
        return contact.language if contact is not None else None

    def choose_channel(self, customer: int, channel: str, *, by: str = "the person") -> None:
        """By which channel a customer wants to be told about her own choices from now on. On record."""
        if channel not in CHANNELS:
            raise BadInput(f"There is no channel {channel!r}.", f"Use one of: {', '.join(CHANNELS)}.")
        event = Event(
            "service-channel", customer=customer, day=self._today(), detail={"channel": channel}, private={"by": by}
        )
        sealed = log.sealed_beforehand(event, self._people)
        with self._records.writing() as connection:
            log.append(connection, EVENTS, [sealed])
            store.keep_channel(connection, customer, channel)

    # Looking

    def recognise(self, code: str) -> Sent | None:
        """What the house sent with a code, without anything about whom; none if it sent nothing with it."""
        number = codes.read(code, CODE_CHARACTERS)
        if number is None:
            return None
        with self._records.looking() as connection:
            return store.code(connection, self._found_by(codes.written(number, CODE_CHARACTERS)))

    def newest(self, limit: int = 50, customer: int | None = None) -> list[Stored]:
        """The newest messages; what they say stays sealed."""
        with self._records.reading() as connection:
            return store.newest(connection, limit, customer)

    def counts(self) -> dict[str, int]:
        """How many messages stand in each state."""
        with self._records.reading() as connection:
            return store.counts(connection)

    def show(self, message: str, *, by: str) -> Letter:
        """A message as it is or was carried. On record, with who looked.

        Where messages leave the house, a single-use link is left out: it is the customer's to press, and nobody else's.
        """
        if not by.strip() or len(by) > NAME_CHARACTERS_MAX:
            raise BadInput("Who looks?", f"Name yourself, in at most {NAME_CHARACTERS_MAX} characters.")
        with self._records.reading() as connection:
            found = store.one(connection, message)
        if found is None:
            raise NotFound("There is no message of this number.", "List them with: volens outbox list")
        value: dict[str, Any] = json.loads(self._people.open(found.customer, found.sealed))
        contact = self._addresses.contacts([found.customer]).get(found.customer)
        channel = found.channel or self.channel_of(found.customer)
        event = Event(
            "message-shown", customer=found.customer, day=self._today(), detail={"kind": found.kind}, private={"by": by.strip()}
        )
        sealed = log.sealed_beforehand(event, self._people)
        with self._records.writing() as connection:
            log.append(connection, EVENTS, [sealed])
        letter = _letter(found, channel, value["address"] or address_of(contact, channel) or "–", value)
        inside = isinstance(self._carrier, LocalOutbox)
        return letter if inside else replace(letter, text=SINGLE_USE.sub(r"\1…", letter.text))

    def tidy(self) -> tuple[int, int]:
        """Deletes messages that were done 90 days ago, and codes of 800 days ago; how many of each."""
        today = self._today()
        messages = (self._clock.now() - timedelta(days=KEPT_DAYS)).isoformat()
        with self._records.writing() as connection:
            return store.tidy(connection, messages, (today - timedelta(days=CODES_KEPT_DAYS)).isoformat())

    def _found_by(self, code: str) -> bytes:
        return self._mac("message-code", code.encode())

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._country)


def _channel(letter: Letter | None) -> str | None:
    return letter.channel if letter is not None else None


def _letter(one: Stored, channel: str, address: str, value: Mapping[str, Any]) -> Letter:
    return Letter(
        one.message, one.kind, channel, address, value["language"], value["subject"], value["text"], value["html"]
    )
