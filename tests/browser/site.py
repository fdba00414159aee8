"""A real house behind a real server, and people who look at it with a real browser.

1. Who is signed in is a cookie of the test (`qui`), so that one server serves everybody.
2. A page with a planted fault is the true page with one thing changed on its way out: the cookie `plante` names the fault.
3. Every request comes from an address of its own, so that limits per address do not end a long look at everything.
4. Tests that change what somebody permits do it to somebody of their own (`Site.person`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.adverts import placement
from tests.support.audience import definition
from tests.support.campaigning import kept_as_measured
from tests.support.house import STATISTICS, stock
from tests.support.inviting import Inviting, friends_offer
from tests.support.licensing import Studio, document
from tests.support.phone import Phone
from tests.support.purse import IBAN, PAYER, give_budget
from tests.support.serving import serving
from tests.support.shop import HandClock
from tests.support.taking_part import REASON, orders
from tests.support.taking_part import Shop as Offers

from volens.app import House, initialise
from volens.clock import legal_day
from volens.gate.policy import ReadRequest
from volens.ingest.master import Person
from volens.messaging.message import Caller
from volens.messaging.message import read as read_messages
from volens.offers.document import Amount
from volens.permissions.ledger import Choice
from volens.wallet import claims
from volens.wallet.carriers import SepaFiles
from volens.wallet.claims import Promise
from volens.web.server import application
from volens.web.visitor import Customer, Nobody, Staff, Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

Change = Callable[[str, str], str]
"""Takes a path and what is served there; gives what is served instead."""
LOCALES = {"fr": "fr-FR", "en": "en-GB"}
EVERYTHING = "everything"


@dataclass
class Planter:
    """Serves the house's pages, with the fault changed into them that the browser's cookie names."""

    inner: Any
    changes: dict[str, Change] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    """Faults that really changed something."""
    callers: Iterator[int] = field(default_factory=count)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            caller = next(self.callers)
            scope = {**scope, "client": (f"10.{caller >> 16 & 255}.{caller >> 8 & 255}.{caller & 255}", 1)}
        cookies = dict(scope.get("headers", [])).get(b"cookie", b"").decode("latin-1")
        named = re.search(r"(?:^|; )plante=([\w-]+)", cookies)
        if scope["type"] != "http" or named is None:
            await self.inner(scope, receive, send)
            return
        start: dict[str, Any] = {}
        body = b""

        async def hold(message: Any) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                kind = dict(start["headers"]).get(b"content-type", b"")
                sent = self._change(named[1], scope["path"], body) if kind.startswith((b"text/html", b"text/css")) else body
                headers = [one for one in start["headers"] if one[0] != b"content-length"]
                await send({**start, "headers": [*headers, (b"content-length", str(len(sent)).encode())]})
                await send({"type": "http.response.body", "body": sent})

        await self.inner(scope, receive, hold)

    def _change(self, name: str, path: str, body: bytes) -> bytes:
        was = body.decode()
        sent = self.changes[name](path, was)
        if sent != was:
            self.changed.add(name)
        return sent.encode()


@dataclass
class Site:
    """A served house, its people by name, and its clock."""

    house: House
    hand: HandClock
    base: str
    planter: Planter
    people: dict[str, int] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    """What stands for `{…}` in the paths of `pages`."""

    def person(self, *yes: str, name: str = "", joined: bool = True, born: str = "") -> str:
        """Somebody new, with a card, who permits these purposes."""
        number = len(self.people) + 1
        name = name or f"person-{number}"
        card = f"C{number:05}"
        details = {"given_name": "Camille", **({"birth_date": born} if born else {})}
        self.house.customers.enrol([Person(card=card, email=f"{name}@example.org", country="FR", details=details)])
        customer = self.house.customer("card", card).customer
        self.people[name] = customer
        if joined:
            self.house.permissions.record([Choice(customer, "loyalty", "joined", surface="test")])
        uses = {one.purpose.id for one in self.house.centre.uses(customer) if one.choosable and not one.closed}
        wanted = sorted(uses) if yes == (EVERYTHING,) else yes
        for purpose in wanted:
            text = self.house.centre.use(customer, purpose).text
            self.house.centre.say(customer, purpose, True, text=text.id if text else "", language="fr", surface="website")
        return name

    def doorway(self, name: str) -> str:
        """The address on somebody's receipts."""
        card = f"C{list(self.people).index(name) + 1:05}"
        found = self.house.doorways.cards("card", [card])[card]
        assert found is not None
        return f"/n/{found.code}"

    def letter(self, name: str) -> str:
        """The link of an advertisement that somebody gets by e-mail."""
        card = f"C{list(self.people).index(name) + 1:05}"
        asked = [{"key": f"letter-{name}", "channel": "email", "campaign": "autumn", "card": card}]
        (answer,) = self.house.messages.send(read_messages(asked), Caller("mail-tool", "envoi-clair"))
        assert answer.enclosed is not None
        return str(answer.enclosed.unsubscribe).rsplit("/", 1)[1]

    def permitted(self, name: str, recipient: str | None = None) -> set[str]:
        """The purposes that the gate would let happen for somebody, for any recipient or for one."""
        programme, today = self.house.programme, self.hand.now().date()
        start, end = today.replace(day=1), date(today.year + 1, 1, 1)
        found = set()
        for purpose in programme.purposes.values():
            if purpose.basis.value not in ("consent", "legitimate-interest"):
                continue
            for one in purpose.recipients if recipient is None else (recipient,):
                request = ReadRequest("test", purpose.id, one, (sorted(purpose.fields)[0],), start, end)
                if self.house.gate.explain(self.people[name], request).verdict.allowed:
                    found.add(purpose.id)
        return found

    def path(self, path: str) -> str:
        """A path with its places filled in."""
        return path.format(**self.places)

    @contextmanager
    def open(
        self, chromium: Browser, who: str = "nobody", language: str = "fr", *, width: int = 390, height: int = 844,
        plant: str = "", **options: Any,
    ) -> Iterator[Page]:  # fmt: skip
        """A fresh browser of somebody, at an empty page."""
        context: BrowserContext = chromium.new_context(
            base_url=self.base, locale=LOCALES[language], viewport={"width": width, "height": height},
            reduced_motion="no-preference", **options,
        )  # fmt: skip
        cookies = {"qui": who, "plante": plant}
        context.add_cookies([{"name": k, "value": v, "url": self.base} for k, v in cookies.items() if v])
        try:
            yield context.new_page()
        finally:
            context.close()

    def recognise(self, connection: Any) -> Visitor:
        """Who the test's cookie names."""
        name = connection.cookies.get("qui", "nobody")
        if name in self.people:
            return Customer(self.people[name])
        if name.startswith("staff-"):
            return Staff(name, "Alice Exemple", frozenset({name.removeprefix("staff-")}))
        return Nobody()


def used(house: House) -> None:
    """One use of the statistics, closed, so that there is something to show."""
    start, end = date(2026, 1, 1), date(2026, 3, 1)
    request = ReadRequest("Alice Exemple", STATISTICS, "vergers-du-midi", ("product", "day"), start, end)
    with house.gate.open_purchases(request) as reading:
        reading.saw(reading.opened.permitted)


def furnish(site: Site) -> None:
    """The people and places that `pages` knows by name."""
    site.person(STATISTICS, "email-marketing", name="camille")
    site.person(name="fresh")
    site.person(EVERYTHING, name="willing")
    site.person(name="young", born="2012-05-04")
    site.person(STATISTICS, name="paused")
    site.person("email-marketing", name="reader")
    used(site.house)
    site.house.centre.pause(site.people["paused"], language="fr")
    # Whether a choice is followed by a question is drawn; what is drawn has tests of its own.
    site.house.publishing._understanding._draw = lambda below: below - 1
    Phone().join(site.house, site.people["camille"]).report(site.house, camera="granted", location="while-in-use")
    kept_as_measured(site.house)
    site.house.audiences.define(definition(), by="Claire Exemple")
    advertise(site.house)
    take_part(site)
    show(site)
    earn(site)
    invite(site)
    site.hand.pass_days(1)
    site.places["message"] = site.letter("reader")
    site.places["doorway"] = site.doorway("fresh").removeprefix("/n/")


def earn(site: Site) -> None:
    """Camille's wallet has something of everything; somebody else's waits for two people of the staff."""
    house, who, other = site.house, site.people["camille"], site.people["reader"]
    house.wallet.payouts._carrier = SepaFiles(house.settings.payouts, PAYER)
    give_budget(house._stores.records, "invitez-un-ami", 500_000, legal_day(house.clock.now(), "FR"))
    held = {"fr": "Deux commandes sont arrivées dans la même minute.", "en": "Two orders came within the same minute."}
    today = legal_day(house.clock.now(), "FR")
    with house._stores.records.writing() as connection:
        for number, (customer, money, voucher, days, reason) in enumerate((
            (who, 2_000, 8_000, 0, None), (who, 1_000, 0, 41, None), (who, 2_000, 0, 20, held), (other, 1_500, 0, 0, None),
            (other, 2_000, 0, 30, held),
        )):  # fmt: skip
            key = f"participation:{number}"
            amount = Amount(money, voucher)
            claims.reserve(connection, Promise(key, "invitez-un-ami", 1, "FR", "EUR", amount), day=today)
            claims.earn(
                connection, key, customer, earned=today, matures=today + timedelta(days=days), voucher_days=365 if voucher else 0,
                why="referral", held=reason,
            )  # fmt: skip
    house.wallet.nightly()
    house.wallet.payouts.ask(other, "EUR", name="Camille Exemple", iban=IBAN, key="form-1", language="fr")
    house.wallet.payouts.prepare("EUR", by="Claire Exemple")
    house.wallet.contests.contest(other, "participation:4", "C'était bien mon amie.")
    site.house.wallet.leaving.settle(other)
    site.places["bearer"] = site.house.wallet.leaving.code_of(other) or ""


def invite(site: Site) -> None:
    """A sponsor with friends in every state, one of whom waits for a person of the staff."""
    shop, invited = Inviting(site.house, site.hand), site.house.referring
    act = {"kind": "referral", "times": 3, "uses": ["account", "invitation", "orders", "payout"], "cap_a_year": 5,
           "friend": "shared-link", "disclosed": True}  # fmt: skip
    shop.put(friends_offer(starts="2026-02-01", ends="2026-08-31", act=act), budget_cents=100_000)
    cards = {name: at + 1 for at, name in enumerate(site.people)}
    token = shop.token(cards["willing"], shown="Ana")
    for at, (name, email) in enumerate((("invited", ""), ("held", "held@yopmail.com"), ("blocked", "camille+b@example.org"))):
        site.people[name] = shop.newcomer(9_001 + at, email=email or f"{name}@example.org")
        invited.accept(site.people[name], token)
        site.hand.pass_minutes(1)
        shop.said(9_001 + at)
    invited.show(site.people["invited"], "Lina")
    site.people["ordering"] = shop.newcomer(9_004)
    invited.accept(site.people["ordering"], token)
    site.places["invitation"] = token


def advertise(house: House) -> None:
    """A placement that runs and was shown to nobody in particular, and another that waits for a second person."""
    day = legal_day(house.clock.now(), "FR")
    days = {"from": day.isoformat(), "until": (day + timedelta(days=60)).isoformat()}
    for name in ("oranges-du-midi", "jus-du-midi"):
        one = placement(placement=name, products=["J1"], contexts={"categories": ["jus-frais"]}, **days)
        house.sponsored.define(one, by="Claire Exemple")
    house.sponsored.approve("oranges-du-midi", by="Idriss Exemple")
    house.sponsored.decide(house.sponsored.page(category="jus-frais"), 1)


def take_part(site: Site) -> None:
    """An offer in which some take part, one that is stopped, and one that waits for its approvals."""
    days = {"starts": "2026-02-01", "ends": "2026-08-31"}
    shop, cards = Offers(site.house, site.hand), {name: at + 1 for at, name in enumerate(site.people)}
    shop.put(orders(**days))
    surveys = {"kind": "survey", "times": 3, "uses": ["account", "answers"]}
    shop.put(orders(offer="trois-questions", act=surveys, **days))
    shop.join(cards["camille"])
    shop.order(cards["camille"], "order-1")
    shop.join(cards["camille"], "trois-questions", key="second")
    left = shop.join(cards["reader"])
    site.house.offering.leave(shop.number(cards["reader"]), left.id)
    site.house.offering.suspend("trois-questions", "FR", REASON, by="Idriss Exemple")
    site.house.offering.registry.propose(orders(version=2, reward__due_days=20, **days), by="Claire Exemple")


def show(site: Site) -> None:
    """Camille has a photo on the site and a word planned; another waits too long for hers to come down; a third thinks it over."""
    studio = Studio(Offers(site.house, site.hand), cards={name: at + 1 for at, name in enumerate(site.people)})
    now = site.hand.instant
    site.hand.instant = now - timedelta(days=13)  # told, had her days, and everything since
    studio.shop.put(document(starts="2026-02-01", ends="2026-08-31"), budget_cents=100_000)
    for name in ("camille", "willing", "paused"):
        studio.say(studio.cards[name], language="fr")
    picture = studio.add(studio.cards["camille"])
    studio.out(picture)
    site.hand.instant = now - timedelta(days=13)
    studio.out(studio.write(card=studio.cards["willing"]))
    studio.say(studio.cards["willing"], yes=False)
    site.hand.instant = now
    studio.plan(studio.write("review", "Un très bon jus.", studio.cards["camille"]))
    site.places["thing"] = studio.add(studio.cards["paused"], approved=False).item


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    """A furnished house on a free port of this machine."""
    hand = HandClock()
    with initialise(folder / "house", customers=100, clock=hand.clock) as house:
        site = Site(house, hand, "", Planter(None))
        site.planter.inner = application(house, recognise=site.recognise, local=True)
        stock(house, folder / "shelf")
        furnish(site)
        with serving(site.planter) as site.base:
            yield site
