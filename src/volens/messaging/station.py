"""The marketing messages of one house, as others call them.

Rules:
1. A programme without `messages.yaml` sends nothing; noes are taken all the same.
2. A link in a message works for as long as something is kept of it, and that is longer than any list of a tool (`KEPT_DAYS`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.holders import Database
from volens.messaging import store
from volens.messaging.message import Answer, Caller, Message
from volens.messaging.noes import Noes, Report
from volens.messaging.sending import AGAIN, DECIDED, SENT, Sending
from volens.messaging.suppression import UNSUBSCRIBED, Suppression
from volens.programme.calling import Calling, Row
from volens.programme.messages import CHANNELS, Channel, Messages
from volens.programme.model import Programme

KEPT_DAYS = 800
"""A message and its link: longer than a yes lasts without being renewed, and far longer than the 60 days that are asked for."""
BY_MAX, BATCHES_MAX = 120, 50
SERVICE = "service-"


@dataclass(frozen=True)
class Month:
    """One month of one channel."""

    month: str
    channel: str
    sent: int
    held: int
    service: int
    """Messages that advertised nothing and were let out."""
    unsubscribed: int

    @property
    def asked(self) -> int:
        """How many advertisements were asked about; the same one asked about again is not counted."""
        return self.sent + self.held

    def to_dict(self) -> dict[str, Any]:
        """For scripts."""
        return {**vars(self), "asked": self.asked}


class Marketing:
    """Sends, takes noes, counts. Durable when a method returns."""

    def __init__(
        self, records: Database, programme: Programme, sending: Sending, noes: Noes, suppression: Suppression, calling: Calling,
        clock: Clock,
    ) -> None:  # fmt: skip
        self._records, self._programme, self._sending, self._noes = records, programme, sending, noes
        self._suppression, self._calling, self._clock = suppression, calling, clock

    @property
    def told(self) -> Messages:
        """What the programme says of messages; `NotFound` if it says nothing."""
        if self._programme.messages is None:
            raise NotFound("This programme sends no messages.", "Add a messages.yaml: see docs/messages.md.")
        return self._programme.messages

    def send(self, messages: Sequence[Message], caller: Caller, *, addresses: bool = False) -> list[Answer]:
        """Whether each of a batch may go now, and what goes with it (`Answer`). On record before it returns.

        addresses: tell also where each person is reached, as far as the accepted text names that to whoever carries."""
        _named(caller)
        return self._sending.send(self.told, messages, caller, addresses=addresses)

    # Noes

    def link(self, token: str) -> str:
        """How the link of an unsubscription stands (`noes`). Changes nothing."""
        return self._noes.state(token)

    def channel_of(self, token: str) -> str:
        """By which channel the message of a good link went."""
        return self._noes.channel(token)

    def unsubscribe(self, token: str, *, language: str) -> str:
        """The no of whoever holds the link of a message; in force when it returns. The channel that it was about."""
        return self._noes.unsubscribe(token, language=language)

    def suppress(self, reports: Sequence[Report], caller: Caller) -> int:
        """Addresses, or people, that are not to be written to by a channel. How many reports were taken, known or not."""
        _named(caller)
        return self._noes.report(reports, caller)

    def remember(self, customer: int, why: str = "") -> int:
        """Before somebody's key is destroyed: her noes become hashes of her addresses. How many."""
        return self._suppression.remember(customer, why)

    # Looking

    def suppressed(self) -> dict[tuple[str, str], int]:
        """By (channel, reason): how many addresses are not written to."""
        return self._suppression.counts()

    def is_suppressed(self, channel: str, value: str, country: str = "") -> store.Suppressed | None:
        """Whether an address is on the list by a channel, and since when; none if it is not."""
        if channel not in CHANNELS:
            raise BadInput("Which channel?", f"Use one of: {', '.join(CHANNELS)}.")
        return self._suppression.asked_about(channel, value, country or self._programme.country)

    def channels(self) -> tuple[Channel, ...]:
        """The channels that are declared."""
        return tuple(self.told.channels.values())

    def calling_rules(self) -> tuple[Row, ...]:
        """The rules for calls that stand today, country by country."""
        return self._calling.in_force(legal_day(self._clock.now(), self._programme.country))

    def months(self) -> list[Month]:
        """Each month and channel, newest first."""
        with self._records.reading() as connection:
            sums = store.sums(connection)
        return [_month(month, channel, sums) for month, channel in sorted({key[:2] for key in sums}, key=_newest_first)]

    def batches(self, most: int = BATCHES_MAX) -> list[dict[str, Any]]:
        """The newest batches as their events tell them: day, channel, sums, campaigns, who asked."""
        with self._records.reading() as connection:
            rows = list(log.rows(connection, EVENTS, kinds=[DECIDED]))[-most:]
        return [{"seq": row.seq, "day": row.day, "recipient": row.recipient, **row.said()} for row in reversed(rows)]

    def tidy(self) -> int:
        """Forgets messages and links after `KEPT_DAYS`; how many."""
        today: date = legal_day(self._clock.now(), self._programme.country)
        with self._records.writing() as connection:
            return store.tidy(connection, (today - timedelta(days=KEPT_DAYS)).isoformat())


def _named(caller: Caller) -> None:
    if not caller.name.strip() or len(caller.name) > BY_MAX:
        raise BadInput("Somebody answers for a message.", f"Say who, with --by, in at most {BY_MAX} characters.")


def _newest_first(key: Iterable[str]) -> tuple[int, str]:
    month, channel = key
    return -int(month.replace("-", "")), channel


def _month(month: str, channel: str, sums: dict[tuple[str, str, str], int]) -> Month:
    mine = {what: count for (when, by, what), count in sums.items() if (when, by) == (month, channel)}
    held = sum(
        count for what, count in mine.items() if what not in (SENT, AGAIN, UNSUBSCRIBED) and not what.startswith(SERVICE)
    )
    return Month(month, channel, mine.get(SENT, 0), held, mine.get(SERVICE + SENT, 0), mine.get(UNSUBSCRIBED, 0))
