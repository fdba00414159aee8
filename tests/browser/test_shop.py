"""The example shop, walked through in a real browser: Volens behind its public HTTP API, the shop in front of it.

Milk is what the customers forget: everybody's usual basket here is without it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from examples.shop.goods import Customer, Product, Shop
from examples.shop.looks import words
from examples.shop.shop import application as shop_application
from examples.shop.volens_api import Volens
from tests.browser.site import LOCALES
from tests.browser.survey import survey
from tests.browser.test_every_page import axe
from tests.browser.test_pictures import BYTES_MAX, FOLDER
from tests.support.habits import CUSTOMERS, PURPOSE, THINGS, USUAL, shop_with_habits
from tests.support.serving import serving
from tests.support.shop import HandClock

from volens.app import House
from volens.clock import system
from volens.permissions.ledger import Choice
from volens.reminding import store
from volens.web.server import application

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
BASKET = tuple(sku for sku in USUAL if sku != "L1")
ADS, PERMIT_ADS = "targeted-ads", (20, 21)
UNDECIDED = CUSTOMERS
"""The card of somebody who was never asked."""
FOR_EVERY_CHANGE = (("fr", 390, "light"), ("en", 1440, "dark"))
LANGUAGES = pytest.mark.parametrize("language", ["fr", "en"])


@dataclass
class Street:
    """A house, its clock, and the shop's address."""

    house: House
    hand: HandClock
    base: str
    chromium: Browser

    @contextmanager
    def open(self, language: str, card: int | None = None, *, scripts: bool = True, width: int = 390) -> Iterator[Page]:
        """The shop's first page in a fresh browser, signed in if a card is named."""
        context = self.chromium.new_context(
            locale=LOCALES[language], java_script_enabled=scripts, viewport={"width": width, "height": 844}
        )
        page = context.new_page()
        page.goto(self.base)
        if card is not None:
            page.goto(f"{self.base}/entrer")
            page.locator(f'button[value="C{card:05}"]').click()
        yield page
        context.close()

    def number(self, card: int) -> int:
        return self.house.customer("card", f"C{card:05}").customer

    def permits(self, card: int, purpose: str = PURPOSE) -> bool:
        return any(one.permits for one in self.house.permissions.of_customer(self.number(card)) if one.purpose == purpose)

    def named(self, card: int) -> list[str | None]:
        """What came of each reminder to a card."""
        with self.house._stores.records.reading() as connection:
            return [one.came_of_it for one in store.everything_named(connection) if one.customer == self.number(card)]


@pytest.fixture(scope="module")
def street(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    hand = HandClock(system().now())
    with shop_with_habits(tmp_path_factory.mktemp("street"), None, hand) as house:
        house.reminders.learn()
        advertise(house, hand)
        until = (hand.instant + timedelta(days=300)).date()
        scopes = ["ads", "asking", "reminders"]
        issued = house.access.machines.add("shop", scopes, recipient=None, expires=until, addresses=(), by="A test")
        with serving(application(house, local=True)) as volens:
            api = Volens(volens, issued.secret)
            with serving(shop_application(goods(), api)) as base:
                yield Street(house, hand, base, chromium)
            api.close()


def advertise(house: House, hand: HandClock) -> None:
    """Two juice makers pay for a place; some customers let their purchases choose, the others were never asked."""
    today = hand.instant.date()
    for advertiser, sku in (("vergers-du-midi", "J1"), ("soleil-presse", "J2")):
        told = {
            "placement": f"jus-{sku.lower()}", "name": {"fr": "Du jus", "en": "Juice"}, "purpose": ADS, "advertiser": advertiser,
            "products": [sku], "contexts": {"categories": ["jus-frais"], "pages": ["accueil"]}, "from": today.isoformat(),
            "until": (today + timedelta(days=60)).isoformat(), "cap": {"day": 50, "campaign": 500, "visit": 50},
        }  # fmt: skip
        house.sponsored.define(house.sponsored.read(json.dumps(told)), by="Ana Exemple")
        house.sponsored.approve(f"jus-{sku.lower()}", by="Bruno Modèle")
    house.permissions.record(
        [Choice(house.customer("card", f"C{card:05}").customer, ADS, "given", surface="test") for card in PERMIT_ADS]
    )
    house.sponsored.learn()


def goods() -> Shop:
    products = {
        sku: Product(sku, {"fr": f"Article {sku}", "en": f"Item {sku}"}, shelf, {"fr": shelf, "en": shelf}, "", 100 + place)
        for place, (sku, (shelf, _)) in enumerate(THINGS.items())
    }
    shelves = {shelf: tuple(one for one in products.values() if one.shelf == shelf) for shelf in ("jus-frais", "lait", "cafe")}
    customers = [Customer(f"C{card:05}", f"Camille {card}", BASKET) for card in range(1, CUSTOMERS + 1)]
    return Shop("Le Panier", products, shelves, {one.card: one for one in customers})


def to_the_checkout(page: Page, street: Street) -> None:
    page.goto(f"{street.base}/panier")
    page.locator('form[action="/panier/habituel"] button').click()
    page.locator('a[href="/caisse"]').click()


def press(page: Page, form: str, value: str) -> None:
    page.locator(f'form[action="{form}"] button[value="{value}"]').first.click()


@LANGUAGES
@pytest.mark.parametrize("scripts", [True, False])
def test_the_basket_without_milk(street: Street, language: str, scripts: bool) -> None:
    """She is told before paying, adds it with one tap, and pays."""
    card = {("fr", True): 1, ("fr", False): 2, ("en", True): 3, ("en", False): 4}[language, scripts]
    with street.open(language, card, scripts=scripts) as page:
        to_the_checkout(page, street)
        told = page.locator("section.told").inner_text()
        assert {"fr": "Article L1", "en": "Item L1"}[language] in told
        assert {"fr": "derniers paniers", "en": "last"}[language] in told
        press(page, "/rappel", "added")
        assert {"fr": "Article L1", "en": "Item L1"}[language] in page.locator("table.lines").inner_text()
        page.locator('form[action="/caisse/payer"] button').click()
        assert page.locator("h1").inner_text() == {"fr": "Merci\u00a0!", "en": "Thank you!"}[language]
    assert street.named(card)[0] == "added"


@LANGUAGES
def test_no_reminders_at_all_is_one_tap_and_it_is_obeyed(street: Street, language: str) -> None:
    card = {"fr": 5, "en": 6}[language]
    with street.open(language, card) as page:
        to_the_checkout(page, street)
        press(page, "/rappel", "stop")
        assert {"fr": "plus aucun rappel", "en": "no reminders at all"}[language] in page.locator("[role=status]").inner_text()
        assert page.locator('form[action="/rappel"]').count() == 0
    assert not street.permits(card)


@LANGUAGES
@pytest.mark.parametrize("say", ["no", "yes"])
def test_whoever_was_never_asked_is_asked_once_and_answers_either_way(street: Street, language: str, say: str) -> None:
    """The question stands where the use would happen, with two answers of one size; it is not put again."""
    card = {("fr", "no"): 7, ("fr", "yes"): 8, ("en", "no"): 9, ("en", "yes"): 10}[language, say]
    forget_yes(street, card)
    with street.open(language, card) as page:
        to_the_checkout(page, street)
        buttons = page.locator('form[action="/reponse"] button')
        sizes = [(box["width"], box["height"]) for one in buttons.all() if (box := one.bounding_box()) is not None]
        assert len(sizes) == 2
        assert sizes[0] == sizes[1]
        styles = [buttons.nth(place).evaluate("one => getComputedStyle(one).cssText") for place in range(2)]
        assert styles[0] == styles[1]
        press(page, "/reponse", say)
        assert page.locator("[role=status]").count() == 1
        assert page.locator('form[action="/reponse"]').count() == 0
    assert street.permits(card) == (say == "yes")


def forget_yes(street: Street, card: int) -> None:
    """Her yes ended by itself: she may be asked."""
    street.house.permissions.record([Choice(street.number(card), PURPOSE, "expired", surface="test")])


@LANGUAGES
def test_the_basket_that_she_left_is_there_when_she_comes_back(street: Street, language: str) -> None:
    card = {"fr": 11, "en": 12}[language]
    with street.open(language, card) as page:
        page.goto(f"{street.base}/panier")
        page.locator('form[action="/panier/habituel"] button').click()
        page.locator('form[action="/sortir"] button').click()
    street.hand.instant += timedelta(hours=2)
    with street.open(language, card) as page:
        told = page.locator("section.told").inner_text()
        assert {"fr": "laissé", "en": "left"}[language] in told
        press(page, "/panier/reprendre", "added")
        assert page.locator("table.lines tr").count() == len(BASKET) + 1
    with street.open(language, card) as page:
        assert page.locator("section.told").count() == 0, "once"


@LANGUAGES
def test_the_card_is_taken_in_the_shops_own_page(street: Street, language: str) -> None:
    """The sign-up form is Volens' web component; the choices stay at nothing, and the card works."""
    with street.open(language) as page:
        page.goto(f"{street.base}/carte")
        form = page.locator("volens-question form")
        form.locator('input[name="given_name"]').fill("Sacha")
        form.locator('input[name="family_name"]').fill("Exemple")
        form.locator("button").last.click()
        number = page.locator("volens-question .number")
        number.wait_for()
        assert number.inner_text().replace(" ", "").replace("\u202f", "").startswith("29")


@LANGUAGES
def test_the_shop_goes_on_when_volens_does_not_answer(chromium: Browser, language: str) -> None:
    with serving(shop_application(goods(), Volens("http://127.0.0.1:9", "no key"))) as base:
        page = chromium.new_context(locale=LOCALES[language]).new_page()
        page.goto(f"{base}/entrer")
        page.locator('button[value="C00001"]').click()
        page.goto(f"{base}/panier")
        page.locator('form[action="/panier/habituel"] button').click()
        page.locator('a[href="/caisse"]').click()
        assert page.locator("section.told").count() == 0
        page.locator('form[action="/caisse/payer"] button').click()
        assert page.locator("h1").inner_text() == {"fr": "Merci\u00a0!", "en": "Thank you!"}[language]
        page.context.close()


@pytest.mark.parametrize(
    ("language", "width", "theme"),
    [
        pytest.param(language, width, theme, marks=() if (language, width, theme) in FOR_EVERY_CHANGE else pytest.mark.prove)
        for language in ("fr", "en") for width in (390, 1440) for theme in ("light", "dark")
    ],
)  # fmt: skip
def test_its_pages_are_for_everybody(street: Street, language: str, width: int, theme: str) -> None:
    """axe finds nothing, nothing is wider than the window, and at 400 % it reflows."""
    found = list[str]()
    with street.open(language, UNDECIDED, width=width) as page:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        to_the_checkout(page, street)
        for path in ("/", "/rayon/lait", "/recherche?q=l1", "/article/L1", "/panier", "/caisse", "/entrer", "/carte"):
            page.set_viewport_size({"width": width, "height": 844})
            page.goto(street.base + path)
            found += [f"{path}: {one}" for one in axe(page)]
            for narrow in (width, 320):
                page.set_viewport_size({"width": narrow, "height": 844})
                if (wide := survey(page).wide) > 0:
                    found.append(f"{path}: {wide} px too wide at {narrow}")
    assert not found, "\n".join(found)


@LANGUAGES
def test_a_paid_place_says_who_pays_and_why_and_one_tap_ends_it(street: Street, language: str) -> None:
    """As many places for whoever permits it as for whoever was never asked; only the reason differs."""
    hers, others = {"fr": (20, 22), "en": (21, 23)}[language]
    found = dict[int, list[str]]()
    for card in (hers, others):
        with street.open(language, card) as page:
            page.goto(f"{street.base}/rayon/jus-frais")
            for one in page.locator("aside.ads details summary").all():
                one.click()
            found[card] = page.locator("aside.ads li").all_inner_texts()
            if card == hers:
                page.locator('aside.ads button[value="stop"]').first.click()
    assert len(found[hers]) == len(found[others]) == 2
    for texts in found.values():
        assert all({"fr": "Sponsorisé", "en": "Sponsored"}[language] in text for text in texts)
        assert {"Vergers du Midi SAS", "Soleil Pressé SA"} == {
            name for name in ("Vergers du Midi SAS", "Soleil Pressé SA") if any(name in text for text in texts)
        }
    bought, page_alone = {"fr": ("vous avez acheté", "cette page seulement"), "en": ("you bought", "this page alone")}[language]
    assert any(bought in text for text in found[hers])
    assert all(page_alone in text for text in found[others])
    assert not street.permits(hers, ADS), "the tap withdraws it"
    with street.open(language, hers) as page:
        page.goto(f"{street.base}/rayon/jus-frais")
        assert page.locator("aside.ads li").count() == 2, "a no leaves no hole"
        assert page.locator('aside.ads button[value="stop"]').count() == 0


@LANGUAGES
def test_the_manual_shows_the_checkout(street: Street, language: str, tmp_path: Path) -> None:
    """As `test_pictures`: with VOLENS_PICTURES it is kept."""
    with street.open(language, {"fr": 14, "en": 15}[language]) as page:
        to_the_checkout(page, street)
        assert page.locator("section.told").count() == 1
        taken = page.screenshot(path=tmp_path / "picture.png", animations="disabled", caret="hide")
    kept = FOLDER / f"shop.{language}.390.png"
    if os.environ.get("VOLENS_PICTURES"):
        kept.write_bytes(taken)
    assert kept.exists(), f"VOLENS_PICTURES=1 python -m pytest {Path(__file__).name} takes it"
    assert len(taken) <= BYTES_MAX


def test_nobody_elses_form_is_taken(street: Street) -> None:
    with street.open("fr", 13) as page:
        page.goto(f"{street.base}/panier")
        refused = page.request.post(f"{street.base}/panier/habituel", form={"_csrf_token": "made up"})
        assert refused.status == 403


@LANGUAGES
def test_a_page_that_is_not_there_is_a_page_of_the_shop(street: Street, language: str) -> None:
    with street.open(language) as page:
        for path in ("/rayon/nulle-part", "/article/rien", "/nulle-part"):
            answer = page.goto(street.base + path)
            assert answer is not None
            assert answer.status == 404
            assert page.locator("h1").inner_text() == {"fr": "Cette page n'existe pas", "en": "This page does not exist"}[language]
        page.locator("main a[href='/']").click()
        assert page.url == f"{street.base}/"


def test_no_french_mark_begins_a_line() -> None:
    assert not [said for said in words()["fr"].values() if re.search(r" [:;?!»]|« ", said)]
