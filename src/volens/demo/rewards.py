"""An offer that two people approved, two friends, a wallet; and the clause that cannot be published.

It runs what `volens offer propose|approve|launch`, the pages `/offres` and `/cagnotte`, the shop's `/v1/referrals/orders` and a
till's `/v1/vouchers/redeem` run, with the two offers of examples/le-panier/offers; their days are the demo's own. The friends are
invented like everybody here. They came some weeks before the story, so that the reward has had time to become hers.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml
from babel.numbers import format_currency

from volens import invented as people
from volens.clock import legal_day
from volens.ingest.master import Person
from volens.offers.check import check
from volens.offers.terms import terms
from volens.referring.orders import Reported

if TYPE_CHECKING:
    from pathlib import Path

    from volens.app import House
    from volens.demo.story import Story

OFFER, PRESS = "cent-euros-parrainage", "cent-euros-presse"
COUNTRY, BUDGET_CENTS, ORDER_CENTS = "FR", 500_000, 4_200
JOINED_WEEKS, FRIENDS_WEEKS, ORDERED_WEEKS = 7, 6, 5
WHO_PROPOSES, WHO_PROTECTS, WHO_OPENS = "Alice Exemple", "Dora Protège", "Bruno Modèle"
FRIENDS = (("9901", "Lina", "Modèle"), ("9902", "Omar", "Fictif"))
"""Two people who are customers since they were invited: card, given name and family name."""
CLAUSES = ("OFF016", "OFF018", "OFF021", "OFF002")
"""Of the rules against the clause of the press, those that the story tells whole."""
TILL = "till-1"
ACCOUNT = """
# An invented account, so that transfers can be tried. Nothing is sent: a file for the bank is written (docs/wallet.md).
[payouts]
name = "Le Panier Distribution SA"
iban = "FR7630006000011234567890189"
bic = "AGRIFRPP"
"""


def two_friends(story: Story, house: House) -> None:
    """Proposed, approved by two, opened; Camille takes part, and two friends of hers order."""
    story.chapter("offer")
    story.weeks_back = JOINED_WEEKS
    document = _document(OFFER, legal_day(story.house_clock().now(), COUNTRY).isoformat(), story)
    house.offering.registry.propose(document, by=WHO_PROPOSES)
    house.offering.approve(OFFER, role="marketing", by=WHO_PROPOSES)
    house.offering.approve(OFFER, role="dpo", by=WHO_PROTECTS)
    house.offering.places.give_budget(OFFER, COUNTRY, BUDGET_CENTS, by=WHO_OPENS)
    house.offering.launch(OFFER, COUNTRY, by=WHO_OPENS)
    one = house.offering.newest(OFFER)
    assert one is not None
    story.say("offer.open", first=WHO_PROPOSES, second=WHO_PROTECTS)
    for line in _first_lines(terms(one, story.language, legal_day(story.house_clock().now(), COUNTRY))):
        story.console.print(f"  {line}", style="dim")
    camille = house.customer("card", people.card(people.HEROINE)).customer
    house.offering.join(camille, OFFER, country=COUNTRY, language=story.language, version=1, adult=True, key="the story")
    link = house.referring.links.token(house.referring.link(camille, OFFER))
    story.say("offer.joined")
    for place, (number, given, family) in enumerate(FRIENDS):
        story.weeks_back = FRIENDS_WEEKS
        card = people.card(int(number))
        details = {"given_name": given, "family_name": family, "birth_date": "1991-05-04"}
        house.customers.enrol([Person(card=card, email=f"invited{number}@example.org", country=COUNTRY, details=details)])
        house.referring.accept(house.customer("card", card).customer, link)
        story.weeks_back, order = ORDERED_WEEKS, f"order-{number}"
        said = Reported("order", order, order, story.house_clock().now(), ORDER_CENTS + 100 * place)
        house.referring.report(("card", card), said)
    story.weeks_back = 0
    house.checkpoint()
    (purse,) = house.wallet.of(camille, story.language)
    (waiting,) = purse.waiting
    story.say("offer.earned", money=_money(story, waiting.money_cents), vouchers=_money(story, waiting.voucher_cents))


def pays_from(home: Path) -> None:
    """The house gets an account to pay from."""
    file = home / "volens.toml"
    file.write_text(file.read_text(encoding="utf-8") + ACCOUNT, encoding="utf-8")


def the_wallet(story: Story, house: House) -> None:
    """The night brings what is due; a voucher is used at a till, once."""
    story.chapter("wallet")
    camille = house.customer("card", people.card(people.HEROINE)).customer
    house.wallet.nightly()
    (purse,) = house.wallet.of(camille, story.language)
    assert purse.available_cents
    assert purse.vouchers
    first = purse.vouchers[0]
    story.say(
        "wallet.hers", money=_money(story, purse.available_cents), count=len(purse.vouchers), each=_money(story, first.cents),
        until=date.fromisoformat(first.until),
    )  # fmt: skip
    house.wallet.vouchers.redeem(TILL, first.code, "basket-of-juice")
    (after,) = house.wallet.of(camille, story.language)
    assert after.voucher_cents == purse.voucher_cents - first.cents
    story.say("wallet.till", cents=_money(story, first.cents), left=_money(story, after.total_cents))
    story.say("wallet.refused-everything")


def the_refused_clause(story: Story, house: House) -> None:
    """The offer of the press is refused by the same rules, whoever approves."""
    story.chapter("clause")
    today = legal_day(story.clock.now(), COUNTRY)
    found = check(house.offering.registry.read(_document(PRESS, today.isoformat(), story), PRESS), today)
    assert not found.ok
    story.say("clause.about", rules=len({one.rule for one in found.refusals}))
    for one in found.refusals:
        if one.rule in CLAUSES:
            story.console.print(f"  [red]✗[/] {one.rule} {one.message}  [dim]{one.article}[/]")
    story.say("clause.lawful")


def what_is_still_hers(story: Story, house: House, number: int) -> None:
    """After her erasure: what she earned is owed to whoever holds the code that she was given."""
    code = house.wallet.leaving.code_of(number)
    assert code is not None
    story.say("wallet.bearer", code=code)


def _document(name: str, first: str, story: Story) -> str:
    """One of the two offers, with the story's days."""
    told: dict[str, Any] = yaml.safe_load(files("volens.offers").joinpath("samples", f"{name}.yaml").read_text("utf-8"))
    last = (legal_day(story.clock.now(), COUNTRY) + timedelta(days=60)).isoformat()
    told |= {"starts": first, "ends": last}
    told["licence"] |= {"starts": first} | ({} if told["licence"]["ends"] == "never" else {"ends": last})
    return json.dumps(told, default=str)


def _first_lines(written: str, most: int = 3) -> list[str]:
    """The beginning of terms, for a taste: a few whole lines of prose."""
    return [line.lstrip("#-* ") for line in written.splitlines() if line.strip()][:most]


def _money(story: Story, cents: int) -> str:
    return str(format_currency(cents / 100, "EUR", locale=story.language))

