"""The door of marketing messages: one batch, one transaction, an answer for each.

Rules:
1. What takes long (who it is, her addresses, hashes) is done before the ledger is taken; who may be written to is decided in the
   transaction that commits `handed_over`, against every choice recorded until then. An answer is good for a minute.
2. The same key again is the same message: it is let out once and counted once. It passes the door again, so that nothing goes to
   somebody who said no since; what was held back once stays held back.
3. Who is unknown, does not permit, is suppressed, has no address or has had enough gets the same answer: not sent.
4. What is refused for everybody is said with its reason, and is not on record: nothing was decided about anybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol

from volens.clock import Clock, legal_day
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.evidence.merkle import canonical_json
from volens.gate.barrier import Barrier
from volens.gate.policy import ReadRequest, Rulebook, decide_request
from volens.holders import Database
from volens.messaging import points, store, tokens
from volens.messaging.message import NUMBER, Answer, Caller, Message, Refusal
from volens.messaging.points import Mac, Reached
from volens.messaging.store import Sent
from volens.messaging.suppression import Suppression
from volens.messaging.wording import enclosed, link, spoken
from volens.programme.calling import Calling
from volens.programme.messages import PHONE, Channel, Messages
from volens.programme.model import Basis, Programme

if TYPE_CHECKING:
    from sqlalchemy import Connection

DECIDED = "messages-decided"
SENT, AGAIN = "sent", "again"
UNKNOWN, NO, SILENCED, CAPPED, NOWHERE, HOURS = "unknown", "no", "suppressed", "capped", "nowhere", "hours"
HELD = (UNKNOWN, NO, SILENCED, CAPPED, NOWHERE, HOURS)
"""Why a message is held back, in the house's own sums; no tool is told."""
REUSED = "reused"
LEAVES_WITHIN_SECONDS = 60


class Finder(Protocol):
    """What sending needs of the vault."""

    def known(self, kind: str, values: Sequence[str]) -> Mapping[str, Any]:
        """Those of some references that lead to somebody."""

    def contacts(self, wanted: Sequence[int]) -> Mapping[int, Reached]:
        """How some customers can be reached."""


@dataclass(frozen=True)
class Way:
    """What one door event is for: a channel, whether it advertises, who carries, and on which purpose it rests."""

    channel: Channel
    advertising: bool
    recipient: str
    purpose: str

    @property
    def name(self) -> tuple[str, bool, str, str]:
        """To sort by."""
        return self.channel.name, self.advertising, self.recipient, self.purpose


@dataclass(frozen=True)
class Candidate:
    """A message with everything that was looked up before the ledger was taken."""

    message: Message
    way: Way
    hashed: bytes
    asked: bytes
    customer: int | None
    reached: Reached | None = field(repr=False)
    address: str | None = field(repr=False)
    points: tuple[bytes, ...]
    """Hashes of the address it goes to and of the one it was named by; empty if there is none."""


@dataclass(frozen=True)
class _Decided:
    candidate: Candidate
    verdict: str
    opening: bool = False


class Sending:
    """Decides. Durable when `send` returns."""

    def __init__(
        self, records: Database, finder: Finder, barrier: Barrier, suppression: Suppression, programme: Programme,
        rules: Rulebook, mac: Mac, calling: Calling, clock: Clock, web_address: str,
    ) -> None:  # fmt: skip
        self._records, self._finder, self._barrier, self._suppression = records, finder, barrier, suppression
        self._programme, self._rules, self._mac, self._calling = programme, rules, mac, calling
        self._clock, self._web_address = clock, web_address

    def send(self, told: Messages, messages: Sequence[Message], caller: Caller, *, addresses: bool) -> list[Answer]:
        """Whether each message may go now, and what goes with it. On record before it returns."""
        now = self._clock.now()
        today = legal_day(now, self._programme.country)
        ways = {one.key: self._way(told, one, caller, now, today) for one in messages}
        going = [(one, way) for one in messages if isinstance(way := ways[one.key], Way)]
        looked_up = sorted(self._look_up(going, caller), key=lambda one: one.way.name)
        decided: dict[str, _Decided] = {}
        self._barrier.turn()
        if looked_up:
            with self._records.writing() as connection:
                log.lock(connection, EVENTS)
                before = store.known(connection, [one.hashed for one in looked_up])
                for _, some in groupby(looked_up, key=lambda one: one.way.name):
                    for one in self._through(connection, list(some), before, now, today, caller):
                        decided[one.candidate.message.key] = one
        return [
            Answer(one.key, False, refusal=way) if isinstance(way := ways[one.key], Refusal)
            else self._answer(decided[one.key], addresses=addresses)
            for one in messages
        ]  # fmt: skip

    # What holds for everybody

    def _way(self, told: Messages, message: Message, caller: Caller, now: datetime, today: date) -> Way | Refusal:
        channel = told.channels.get(message.channel)
        if channel is None:
            return Refusal(
                f"The programme does not say on which yes a message by {message.channel} rests.",
                "Declare the channel in messages.yaml, with a purpose that people are asked about: see docs/messages.md.",
            )
        purpose = channel.rests_on(message.advertising, message.purpose)
        if purpose is None and message.purpose is not None:
            return Refusal(
                f"Messages by {channel.name} do not rest on the purpose that was named.",
                "Name one that messages.yaml lists for this channel, or add it there under `also`.",
            )
        if purpose is None:
            return Refusal(
                f"Only advertisements go by {channel.name} here.",
                "Declare `service:` for this channel in messages.yaml, or send `advertising: true`.",
            )
        recipient = caller.recipient or message.carrier or channel.carried_by[0]
        if recipient not in channel.carried_by or message.carrier not in (None, recipient):
            return Refusal(
                f"Messages by {channel.name} are not carried by whoever was named.",
                f"Let {' or '.join(channel.carried_by)} carry it, or change `carried_by` in messages.yaml.",
            )
        way = Way(channel, message.advertising, recipient, purpose)
        verdict = decide_request(self._request(way, today), self._rules, today)
        if not verdict.allowed:
            return Refusal(f"Nobody can have permitted it: {'; '.join(verdict.reasons)}.", "Run: volens check")
        if channel.name == PHONE and message.advertising:
            against = self._against_calls(way, message.country or self._programme.country, now)
            if against:
                return Refusal(f"Nobody is called now: {against}.", "Call at another time; see: volens message rules")
        return way

    def _against_calls(self, way: Way, country: str, now: datetime) -> str:
        consent = self._programme.purposes[way.purpose].basis is Basis.CONSENT
        return self._calling.against(country, now, consent=consent)

    def _request(self, way: Way, today: date) -> ReadRequest:
        told = self._programme.purposes[way.purpose]
        fields = way.channel.fields(told.fields)
        return ReadRequest("messages", told.id, way.recipient, fields, today, today + timedelta(days=1))

    # What is looked up beforehand

    def _look_up(self, going: Sequence[tuple[Message, Way]], caller: Caller) -> list[Candidate]:
        who: dict[tuple[str, str], int] = {}
        who |= {(NUMBER, one.value): int(one.value) for one, _ in going if one.kind == NUMBER}
        for kind in {one.kind for one, _ in going} - {NUMBER}:
            values = [one.value for one, _ in going if one.kind == kind]
            who |= {(kind, value): int(found.customer) for value, found in self._finder.known(kind, values).items()}
        reached = self._finder.contacts(sorted(set(who.values())))
        return [self._candidate(one, way, who.get((one.kind, one.value)), reached, caller) for one, way in going]

    def _candidate(
        self, one: Message, way: Way, customer: int | None, reached: Mapping[int, Reached], caller: Caller
    ) -> Candidate:
        found = reached.get(customer) if customer is not None else None
        named = caller.recipient or "the house"
        key = self._mac("messages/key", canonical_json([named, one.key]))
        what = [one.channel, one.kind, one.value, one.campaign, one.advertising, way.recipient, one.to, way.purpose]
        address = one.to if one.to is not None else points.address_of(found, one.channel) if found is not None else None
        hashes = set[bytes]()
        if found is not None and address is not None:
            for value in {address, *([one.value] if one.kind == one.channel else [])}:
                point = points.hashed(self._mac, one.channel, value, found.country)
                hashes |= {point} if point is not None else set()
        first = points.hashed(self._mac, one.channel, address, found.country) if address and found is not None else None
        ordered = (first, *sorted(hashes - {first})) if first is not None else ()
        asked = self._mac("messages/asked", canonical_json(what))
        return Candidate(one, way, key, asked, customer, found, address, ordered)

    # At the door

    def _through(
        self, connection: Connection, ours: Sequence[Candidate], before: Mapping[bytes, Sent], now: datetime, today: date,
        caller: Caller,
    ) -> list[_Decided]:  # fmt: skip
        """One way: everything that is decided about its messages, with its events, in the transaction that holds the ledger."""
        way = ours[0].way
        verdicts = {one.message.key: _beforehand(one, before.get(one.hashed)) for one in ours}
        asked = [one for one in ours if not verdicts[one.message.key]]
        verdicts |= self._kept_back(connection, way, asked, before, now, today)
        wanted = [one for one in asked if not verdicts[one.message.key]]
        handed = self._barrier.hand_over_within(
            connection, self._request(way, today), sorted({one.customer for one in wanted if one.customer is not None}),
            {"messages": way.channel.name},
        )  # fmt: skip
        for one in wanted:
            verdicts[one.message.key] = SENT if one.customer is not None and one.customer in handed.customers else NO
        told = store.reached(connection, [one.customer for one in wanted if one.customer is not None], way.channel.name)
        decided = list[_Decided]()
        for one in ours:
            verdict, old = verdicts[one.message.key], before.get(one.hashed)
            opening = bool(old.opening) if old is not None else way.advertising and verdict == SENT and one.customer not in told
            if opening and one.customer is not None:
                told.add(one.customer)
            decided.append(_Decided(one, AGAIN if old is not None and verdict == SENT else verdict, opening))
        fresh = [one for one in decided if one.candidate.hashed not in before]
        store.add(connection, [self._row(one, handed.seq, today) for one in fresh])
        self._record(connection, way, fresh, len(decided) - len(fresh), handed.seq, today, caller)
        return decided

    def _kept_back(
        self, connection: Connection, way: Way, asked: Sequence[Candidate], before: Mapping[bytes, Sent], now: datetime, today: date
    ) -> dict[str, str]:
        """Of those that may be asked about: why they are held back besides the gate, or nothing."""
        who: dict[int, set[bytes]] = {}
        for one in asked:
            assert one.customer is not None
            who.setdefault(one.customer, set()).update(one.points)
        silent = self._suppression.silenced(
            connection, way.channel.name, way.purpose, way.recipient, who, advertising=way.advertising
        )
        caps = {one.message.key: self._caps(one, today) for one in asked}
        had = {
            days: store.advertised(connection, who, way.channel.name, (today - timedelta(days=days - 1)).isoformat())
            for days in {days for some in caps.values() for _, days in some}
        }
        found = dict[str, str]()
        for one in asked:
            assert one.customer is not None
            assert one.reached is not None
            why = ""
            if one.customer in silent:
                why = SILENCED
            elif way.advertising and way.channel.name == PHONE and self._against_calls(way, one.reached.country, now):
                why = HOURS
            elif way.advertising and one.hashed not in before and _enough(one.customer, caps[one.message.key], had):
                why = CAPPED
            found[one.message.key] = why
        return found

    def _caps(self, one: Candidate, today: date) -> list[tuple[int, int]]:
        """So many within so many days: what the programme says, and for a call what the law of the person's country says."""
        assert one.reached is not None
        channel = one.way.channel
        law = self._calling.frequency(one.reached.country, today) if channel.name == PHONE else None
        return [(channel.most, channel.days), *([(law.calls, law.days)] if law is not None else [])]

    def _row(self, one: _Decided, door: int, today: date) -> Sent:
        made, left = one.candidate, one.verdict == SENT
        advertising = made.way.advertising
        found_by = tokens.link_of(self._mac, tokens.make(self._mac, made.hashed)) if left and advertising else None
        return Sent(
            made.hashed, made.asked, made.way.channel.name, made.way.purpose, int(advertising), int(one.opening),
            made.customer if left else None, today.isoformat(), door, found_by, made.points[0] if left and made.points else None,
        )  # fmt: skip

    def _record(
        self, connection: Connection, way: Way, fresh: Sequence[_Decided], again: int, door: int, today: date, caller: Caller
    ) -> None:
        counts = Counter(one.verdict for one in fresh)
        campaigns = Counter(one.candidate.message.campaign for one in fresh if one.verdict == SENT)
        sums = {what: count for what, count in {**counts, AGAIN: again}.items() if count}
        detail = {
            "door": door, "channel": way.channel.name, "advertising": way.advertising, "sums": sums,
            "campaigns": dict(sorted(campaigns.items())), "by": caller.name,
        }  # fmt: skip
        log.append(connection, EVENTS, [Event(DECIDED, purpose=way.purpose, recipient=way.recipient, day=today, detail=detail)])
        kept = {(way.channel.name, what if way.advertising else f"service-{what}"): count for what, count in sums.items()}
        store.add_sums(connection, today.isoformat()[:7], kept)

    def _answer(self, one: _Decided, *, addresses: bool) -> Answer:
        made = one.candidate
        if one.verdict == REUSED:
            why = Refusal("This key was used for another message.", "Give each message a key of its own.")
            return Answer(made.message.key, False, refusal=why)
        if one.verdict not in (SENT, AGAIN):
            return Answer(made.message.key, False)
        assert made.reached is not None
        told = enclosed(
            self._programme, made.way.channel.name, made.way.purpose, spoken(made.reached.language, self._programme),
            advertising=made.way.advertising, first=one.opening,
            unsubscribe=link(self._web_address, tokens.make(self._mac, made.hashed)), address=made.address if addresses else None,
        )  # fmt: skip
        return Answer(made.message.key, True, one.verdict == AGAIN, told)


def _enough(customer: int, caps: Sequence[tuple[int, int]], had: Mapping[int, dict[int, int]]) -> bool:
    """Whether a person has had what she may have; if not, one more is counted. `had`: by days, what each had."""
    if any(had[days].get(customer, 0) >= most for most, days in caps):
        return True
    for days in {days for _, days in caps}:
        had[days][customer] = had[days].get(customer, 0) + 1
    return False


def _beforehand(one: Candidate, old: Sent | None) -> str:
    """What is decided before anything is asked of the ledger: empty if it is to be asked."""
    if old is not None and old.asked != one.asked:
        return REUSED
    if old is not None and not old.left:
        return NO
    if one.customer is None or one.reached is None:
        return UNKNOWN
    return "" if one.points else NOWHERE
