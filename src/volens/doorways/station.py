"""The doorways of one house, as others call them.

Rules:
1. The short address of a card is `/n/` and its code. Whoever opens it may refuse, and learns nothing: the page is the same for
   every code that the house made, whether its card exists, was erased, or has another code by now.
2. A refusal by a code that is no longer in force is not recorded, and the answer says so, with other ways to say no.
3. The holder of a card ends its code by taking a new one (`renew`); the old one never works again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from volens.clock import Clock, legal_day
from volens.delivery.soon import Soon
from volens.delivery.station import Delivery
from volens.doorways import code as codes
from volens.doorways import store
from volens.doorways.code import GENERATIONS, Opened
from volens.doorways.lines import Lines, qr_svg
from volens.doorways.links import REFUSE, Links
from volens.doorways.refusing import EVERYTHING, RECEIPT_LINK, SINGLE_USE_LINK, RefusedByLink, Refusing, Restored
from volens.doorways.yearly import Yearly
from volens.errors import BadInput, NotFound
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.holders import Database, Sealer
from volens.identity import store as identity

if TYPE_CHECKING:
    from sqlalchemy import Connection

CARDS_MAX = 1_000
"""Cards of one call."""


class NotOurs(NotFound):
    """A code that the house never made."""

    def __init__(self) -> None:
        super().__init__("This address is not one of ours: a character of it may be wrong.", "Compare it with the paper.")


class Ended(NotFound):
    """A code that was made, and stands for nobody now."""

    def __init__(self) -> None:
        super().__init__(
            "This address is no longer in force, and nothing was changed.", "Take a newer receipt, or ask for a link by e-mail."
        )


@dataclass(frozen=True)
class Doorway:
    """The short address of one card or login."""

    account: int
    kind: str
    code: str
    """As people read it, with dashes."""
    url: str

    @property
    def svg(self) -> str:
        """Its QR code."""
        return qr_svg(self.url)


class Doorways:
    """Short addresses, single-use links, refusals through either and their undoing, and the page of the year."""

    def __init__(
        self, records: Database, people: Sealer, finder: Any, mac: codes.Mac, delivery: Delivery, links: Links,
        refusing: Refusing, yearly: Yearly, clock: Clock, country: str, address: str,
    ) -> None:  # fmt: skip
        self._records, self._people, self._finder, self._mac = records, people, finder, mac
        self._delivery, self._refusing, self._clock, self._country = delivery, refusing, clock, country
        self._soon: Soon | None = None
        self.links, self.yearly, self.address = links, yearly, address
        self.lines = Lines(address)
        self.groups: Sequence[str] = tuple(refusing.groups)

    # The short address

    def cards(self, kind: str, values: Sequence[str]) -> dict[str, Doorway | None]:
        """The doorways of some cards (or e-mails), for whoever prints them; none for a card that is not known yet.

        Makes nothing and writes nothing. At most 1,000 at a time.
        """
        if len(values) > CARDS_MAX:
            raise BadInput(f"{len(values):,} cards are too many for one call.", f"Ask for {CARDS_MAX:,} at a time.")
        known = self._finder.known(kind, values)
        with self._records.reading() as connection:
            generations = store.generations(connection, [one.account for one in known.values()])
        made = {value: self._doorway(one.account, kind, generations.get(one.account, 0)) for value, one in known.items()}
        return {value: made.get(value) for value in values}

    def of(self, customer: int) -> list[Doorway]:
        """The doorways of a customer's open cards and logins."""
        with self._records.reading() as connection:
            theirs = identity.accounts_of(connection, customer)
            closed = identity.closings(connection, [account for account, _ in theirs])
            open_ones = [(account, kind) for account, kind in theirs if account not in closed and kind in identity.LOGINS]
            generations = store.generations(connection, [account for account, _ in open_ones])
        return [self._doorway(account, kind, generations.get(account, 0)) for account, kind in open_ones]

    def renew(self, customer: int, *, by: str = "the person") -> list[Doorway]:
        """Ends the addresses of all of a customer's cards and logins, and gives each a new one. On record."""
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            theirs = [account for account, _ in identity.accounts_of(connection, customer)]
            if not theirs:
                raise NotFound("No customer has this number.", "It was never given, or its customer is erased.")
            now = store.generations(connection, theirs)
            if max(now.values(), default=0) + 1 >= GENERATIONS:
                raise BadInput("This card has had every address that it can have.", "Give the customer a new card.")
            day, fresh = self._today(), {account: now.get(account, 0) + 1 for account in theirs}
            happened = [
                Event(
                    "doorway-renewed", customer=customer, day=day, detail={"account": account, "generation": generation},
                    private={"by": by},
                )
                for account, generation in fresh.items()
            ]  # fmt: skip
            log.append(connection, EVENTS, happened, self._people)
            for account, generation in fresh.items():
                store.keep_generation(connection, account, generation)
        return self.of(customer)

    def ours(self, code: str) -> bool:
        """Whether the house made this code; nothing about whether it is in force."""
        return codes.read(self._mac, code) is not None

    def refuse(self, code: str, what: str = EVERYTHING, *, language: str) -> list[int]:
        """No to everything, or to one group, for whoever holds the card of a code; the seqs that were recorded, none if all of it
        was refused today already. In force when it returns. `NotOurs` or `Ended` if there is nobody to refuse for."""
        opened = codes.read(self._mac, code)
        if opened is None:
            raise NotOurs
        with self._records.reading() as connection:
            customer = self._holder(connection, opened)

        def still(connection: Connection, seqs: list[int]) -> None:
            if self._holder(connection, opened) != customer:
                raise Ended

        try:
            seqs = self._refusing.refuse(
                customer, what, surface=RECEIPT_LINK, language=language, also=still,
                proof={"doorway": {"account": opened.account, "generation": opened.generation}},
            )  # fmt: skip
        except NotFound as error:
            raise error if isinstance(error, Ended) else Ended from error
        self.nudge()
        return seqs

    def refuse_by_link(self, token: str, what: str = EVERYTHING, *, language: str) -> list[int]:
        """The same by a single-use link, which is used up in the transaction of what is refused."""
        customer = self.links.whose(token, REFUSE)
        seqs = self._refusing.refuse(
            customer, what, surface=SINGLE_USE_LINK, language=language, proof={"link": "single use"},
            also=lambda connection, seqs: self.links.redeem(connection, token, REFUSE),
        )  # fmt: skip
        self.nudge()
        return seqs

    # What others said for somebody

    def refused_by_links(self, customer: int) -> list[RefusedByLink]:
        """Every no that was said for a customer through a doorway or by somebody else, newest first."""
        return self._refusing.of(customer)

    def undo(self, customer: int, seqs: Sequence[int], *, surface: str = "permission centre", language: str) -> Restored:
        """Puts back what stood before such noes. For the signed-in customer alone."""
        return self._refusing.undo(customer, seqs, surface=surface, language=language)

    # Lines

    def line(self, language: str, customer: int | None = None) -> str:
        """The line for a message's end, with the customer's own address to say no, if one is named."""
        return self.lines.line(language, self.first(customer) if customer is not None else None)

    def first(self, customer: int) -> str | None:
        """The address of a customer's first open card or login; none without one."""
        return next((doorway.url for doorway in self.of(customer)), None)

    # Working

    def work(self) -> int:
        """Makes the links that were asked for and delivers what waits. Returns how many messages left."""
        self.links.answer()
        return self._delivery.deliver().carried

    def nightly(self) -> Mapping[str, int]:
        """Pages that are due, what waits, and what has been kept long enough. Killed, the same again does the rest."""
        pages = self.yearly.send()
        carried = self.work()
        messages, message_codes = self._delivery.tidy()
        return {
            "pages": pages, "carried": carried, "links forgotten": self.links.tidy(), "messages forgotten": messages,
            "codes forgotten": message_codes,
        }  # fmt: skip

    def attend(self) -> None:
        """From now on a thread of this process does what is asked for, at once. For servers; a command does its own work."""
        if self._soon is None:
            self._soon = Soon(self.work)
            self._soon.ask()

    @property
    def attending(self) -> bool:
        """Whether such a thread runs."""
        return self._soon is not None

    def nudge(self) -> None:
        """Something was asked for."""
        if self._soon is not None:
            self._soon.ask()

    def close(self) -> None:
        """Ends that thread, when it has done what was asked for."""
        if self._soon is not None:
            self._soon.close()
            self._soon = None

    def _holder(self, connection: Connection, opened: Opened) -> int:
        """Whose card a code is of, if it is the one in force."""
        found = identity.account(connection, opened.account)
        if found is None or store.generations(connection, [opened.account]).get(opened.account, 0) != opened.generation:
            raise Ended
        return found[0]

    def _doorway(self, account: int, kind: str, generation: int) -> Doorway:
        code = codes.make(self._mac, account, generation)
        return Doorway(account, kind, codes.shown(code), f"{self.address}/n/{code}")

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._country)


