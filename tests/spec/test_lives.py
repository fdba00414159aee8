"""The whole life of a customer: what goes in, what is permitted, what is in the table. Read from top to bottom.

Each line of `LIFE` is: what happens → who permits statistics for the juice maker afterwards, by card. A card that is not named
does not. Everything goes through the house, on the sample programme, on both databases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.conftest import Urls
from tests.support.house import FIRST_DAY, JUICE_MAKER, STATISTICS, Line, sell, stock
from tests.support.shop import HandClock

from volens.app import House, initialise
from volens.errors import BadInput, NotFound
from volens.gate.policy import ReadRequest
from volens.ingest.mapping import Mapping
from volens.permissions.ages import PARENT
from volens.permissions.ledger import Choice

COLUMNS = ("card", "email", "country", "birth_date", "customer_reference", "replaces", "closed")
MASTER = Mapping("master", "csv", "customers", {name: name for name in COLUMNS}, delimiter=";")
SITE = "onsite-personalisation"


class Life:
    """One house, and what can happen in it."""

    def __init__(self, house: House, hand: HandClock, folder: Path) -> None:
        self.house, self.hand, self.folder, self.feeds = house, hand, folder, 0

    def buy(self, *cards: int) -> None:
        self.feeds += 1
        day = self.feeds
        sell(self.house, self.folder, [Line(card, day) for card in cards], f"feed-{self.feeds}.csv")

    def again(self, *cards: int) -> None:
        """The same receipts as the first time come again."""
        sell(self.house, self.folder, [Line(card, 1) for card in cards], "again.csv")

    def master(self, *lines: str) -> None:
        path = self.folder / "master.csv"
        path.write_text("\n".join([";".join(COLUMNS), *lines]) + "\n", encoding="utf-8")
        self.house.take_in_people(path, MASTER)

    def say(self, card: int, kind: str, purpose: str = STATISTICS, **how: object) -> None:
        self.house.permissions.record([Choice(self.number(card), purpose, kind, **how)])  # type: ignore[arg-type]

    def link(self, card: int, to: int) -> None:
        self.house.customers.link(("card", f"C{card:05}"), ("card", f"C{to:05}"), by="service desk")

    def unlink(self, card: int) -> None:
        self.house.customers.unlink(("card", f"C{card:05}"), by="service desk")

    def night(self) -> None:
        self.house.customers.relabel()

    def days(self, how_many: int) -> None:
        self.hand.pass_days(how_many)

    def number(self, card: int) -> int:
        return self.house.customer("card", f"C{card:05}").customer

    def knows(self, card: int) -> bool:
        try:
            return self.number(card) > 0
        except NotFound:
            return False

    def refused(self, error: type[Exception], what: Callable[[], object]) -> None:
        with pytest.raises(error):
            what()

    def permitted(self, cards: range, purpose: str = STATISTICS, recipient: str = JUICE_MAKER) -> set[int]:
        """The cards whose holders permit today, as a read sees them."""
        rule = self.house.programme.purpose(purpose)
        fields = tuple(sorted(rule.fields & {"customer", "product", "day"}))
        today = self.hand.instant.date()
        request = ReadRequest("a spec", purpose, recipient, fields, today, today + timedelta(days=1))
        with self.house.gate.open_purchases(request) as reading:
            found = set(reading.opened.permitted)
        return {card for card in cards if self.number(card) in found}

    def lines(self) -> Counter[int]:
        """Lines of the table by customer number."""
        import pyarrow.parquet as pq

        found: Counter[int] = Counter()
        for part in self.house._stores.purchases.files(date(2020, 1, 1), date(2100, 1, 1)):
            for path in part.paths:
                found.update(pq.ParquetFile(path).read(columns=["customer"]).column("customer").to_pylist())
        return found


@pytest.fixture
def life(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Life]:
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    hand = HandClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    with initialise(tmp_path / "house", records_url=urls.records, customers=1_000, clock=hand.clock) as house:
        stock(house, tmp_path)
        yield Life(house, hand, tmp_path)
        house.checkpoint()
        report = house.audit()
        assert report.ok, report.to_text()


Step = tuple[str, Callable[[Life], object], set[int]]

LIFE: list[Step] = [
    ("five cards buy", lambda life: life.buy(1, 2, 3, 4, 5), set()),
    ("one and two say yes", lambda life: (life.say(1, "given"), life.say(2, "given")), {1, 2}),
    ("the master comes: one has a birth date, five is a child, one's card is replaced by six", lambda life: life.master(
        "C00001;one@example.org;FR;1980-05-05;;;", "C00005;;FR;2011-05-05;;;", "C00006;;FR;1980-05-05;;C00001;"), {1, 2, 6}),
    ("a child cannot say yes", lambda life: life.refused(BadInput, lambda: life.say(5, "given")), {1, 2, 6}),
    ("its parent can", lambda life: life.say(5, "given", actor=PARENT, proof={"form": "12"}), {1, 2, 5, 6}),
    ("three, who never chose, is linked to two", lambda life: life.link(3, 2), {1, 5, 6}),
    ("the same receipts come again, and are known", lambda life: life.again(1, 2, 3, 4, 5), {1, 5, 6}),
    ("two says yes again: it counts for all her cards", lambda life: life.say(2, "given"), {1, 2, 3, 5, 6}),
    ("it was a mistake: three never chose, and two has what she said since",
     lambda life: (life.unlink(3), life.night()), {1, 2, 5, 6}),
    ("four says yes, and is the same person as one",
     lambda life: (life.say(4, "given"), life.link(4, 1), life.night()), {1, 2, 4, 5, 6}),
    ("one withdraws: all three cards are hers", lambda life: life.say(1, "withdrawn"), {2, 5}),
    ("one moves to Belgium and has another e-mail", lambda life: life.master("C00001;new@example.org;BE;1980-05-05;;;"), {2, 5}),
    ("the former e-mail leads to nobody", lambda life: life.refused(
        NotFound, lambda: life.house.customer("email", "one@example.org")), {2, 5}),
    ("two closes her card", lambda life: life.master("C00002;;FR;;;;2026-03-01"), {5}),
    ("the child is fifteen since the fifth of May, and it is the 31st", lambda life: life.days(90), {5}),
    ("from the month after its birthday it decides alone: its parent's yes has ended", lambda life: life.days(1), set()),
    ("and it says yes", lambda life: life.say(5, "given"), {5}),
]  # fmt: skip


@pytest.mark.slow
def test_a_whole_life(life: Life) -> None:
    for told, happens, expected in LIFE:
        happens(life)
        assert life.permitted(range(1, 7 if life.knows(6) else 6)) == expected, told
    numbers = {card: life.number(card) for card in range(1, 7)}
    assert numbers[1] == numbers[4] == numbers[6]
    # Each receipt is there once, under its holder.
    assert life.lines() == Counter({numbers[1]: 2, numbers[2]: 1, numbers[3]: 1, numbers[5]: 1})


def test_being_told_is_permission_after_the_waiting_period_and_an_objection_ends_it(life: Life) -> None:
    life.buy(1, 2)
    days = life.house.programme.purpose(SITE).waiting_days
    for card in (1, 2):
        life.say(card, "notified", SITE)
    for passes, expected in ((0, set()), (days - 1, set()), (1, {1, 2})):
        life.days(passes)
        assert life.permitted(range(1, 3), SITE, "le-panier") == expected
    life.say(1, "objected", SITE)
    assert life.permitted(range(1, 3), SITE, "le-panier") == {2}
    life.link(2, 1)
    assert life.permitted(range(1, 3), SITE, "le-panier") == set()


def test_advertising_by_profile_is_closed_for_minors(life: Life) -> None:
    life.buy(1)
    life.say(1, "given", "targeted-ads")
    assert life.permitted(range(1, 2), "targeted-ads", "le-panier") == {1}
    life.master("C00001;;FR;2009-05-05;;;")
    assert life.permitted(range(1, 2), "targeted-ads", "le-panier") == set()
    for how in ({}, {"actor": PARENT, "proof": {"form": "12"}}):
        with pytest.raises(BadInput, match="closed for minors"):
            life.say(1, "given", "targeted-ads", **how)
    life.say(1, "given")
    assert life.permitted(range(1, 2)) == {1}, "statistics are no advertising, and she is sixteen"


def test_a_pack_lets_the_lines_of_linked_cards_follow_first(life: Life) -> None:
    life.buy(1, 2)
    for card in (1, 2):
        life.say(card, "given")
    life.link(2, 1)
    assert life.house.customers.pending()
    pack = life.house.reports.pack(JUICE_MAKER, "jus-frais", by="13-weeks", start=FIRST_DAY, count=3)
    release = life.house.reports.request(pack, "Alice Exemple").release
    life.house.reports.draw(release, "Alice Exemple")
    assert life.lines() == Counter({life.number(1): 2}), "one person is one vector"
