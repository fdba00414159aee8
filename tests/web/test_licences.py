"""Licences over HTTP: what the person sees and presses, what publishers ask, what staff see."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from PIL import Image
from tests.conftest import Urls
from tests.support.licensing import OFFER, SHOPS, SITE, WEBSITE, Studio, photo, settle, settled
from tests.support.taking_part import CLAIRE, MINOR, REASON
from tests.web.conftest import TOKEN, Browser
from tests.web.test_described import DOCUMENT, holds

from volens.web.server import application
from volens.web.visitor import Customer, Machine, Nobody, Staff, Visitor

CHANCE, MINE, DESK = f"/offres/{OFFER}/licence", "/mes-images", "/staff/licences"
PUBLISHER = Machine("site", frozenset({"licences"}), None)
IDRISS = Staff("idriss", "Idriss Exemple", frozenset({"dpo"}))
ASTRID = Staff("astrid", "Astrid Exemple", frozenset({"auditor"}))


@dataclass
class Site:
    """A studio with its web site."""

    studio: Studio
    visitor: Visitor = field(default_factory=Nobody)

    def open(self) -> TestClient:  # type: ignore[type-arg]
        return TestClient(application(self.studio.house, recognise=lambda connection: self.visitor, local=True))

    def be(self, card: int = 1) -> None:
        self.visitor = Customer(self.studio.number(card))


@pytest.fixture
def site(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Everybody; nothing is said yet."""
    if urls.records.startswith("sqlite"):
        made = Site(settled(tmp_path))
    else:
        monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
        made = Site(settle(tmp_path, urls.records))
    made.be()
    yield made
    made.studio.house.close()


def said(text: str) -> dict[str, str]:
    """The hidden fields of the form about the site's pages."""
    form = next(one for one in re.findall(r"<form.*?</form>", text, re.S) if f'value="{SITE}"' in one)
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))


def say(browser: Browser, yes: bool, purpose: str = SITE, page: str = f"{CHANCE}?majeur=oui") -> str:
    """Presses no or yes to a purpose, with what stands in the form."""
    shown = browser.get(page).text
    fields = {key: value for key, value in said(shown).items() if key not in ("_csrf_token", "say")} | {"purpose": purpose}
    return browser.press(page, f"{CHANCE}/choix", **fields, say="yes" if yes else "no").text


def upload(client: Any, file: bytes, name: str = "photo.jpg") -> Any:
    token = TOKEN.search(client.get(MINE).text)
    assert token is not None
    return client.post(
        f"{MINE}/licence/{OFFER}/photo", data={"_csrf_token": token[1]}, files={"photo": (name, file, "image/jpeg")},
        headers={"accept-language": "fr"},
    )  # fmt: skip


@pytest.mark.parametrize("language", ["fr", pytest.param("en", marks=pytest.mark.prove)])
def test_the_choice_stands_apart_beside_the_way_without_it(site: Site, language: str) -> None:
    with site.open() as client:
        browser = Browser(client, language)
        shown = browser.get(CHANCE).text.replace("\xa0", " ").replace("\u202f", " ").replace("&#39;", "'")
        words = {
            "fr": ("Un non ne change rien à l'offre", "Avec un oui", "Sans rien publier",
                   "Vous gagnez 10 € en argent, une seule fois",
                   "Qui a peu d'argent doit pouvoir dire non", "Vous voyez ce que nous publions 7 jours avant", "18 ans ou plus"),
            "en": ("A no changes nothing in the offer", "With a yes", "Without publishing anything",
                   "You earn €10 in money, once",
                   "People with little money", "You see what we publish 7 days before", "18 years old or older"),
        }[language]  # fmt: skip
        for one in words:
            assert one in shown, one
        assert f'value="{SITE}"' not in shown, "first she says that she is of age"
        asked = browser.get(f"{CHANCE}?majeur=oui").text
    assert asked.count(f'action="{CHANCE}/choix"') == 2, "each purpose by itself"
    assert 'aria-pressed="true"' not in asked, "nothing is chosen beforehand"
    assert "checked" not in asked


@pytest.mark.prove
def test_age_is_asked_first_and_not_kept(site: Site) -> None:
    with site.open() as client:
        browser = Browser(client, "fr")
        assert "18 ans ou plus. Rien" in browser.press(CHANCE, f"{CHANCE}/age", say="no").text
        assert f'value="{SITE}"' in browser.press(CHANCE, f"{CHANCE}/age", say="yes").text


def test_yes_then_a_photo_then_yes_to_the_photo_then_no(site: Site) -> None:
    with site.open() as client:
        browser = Browser(client, "fr")
        assert "oui, depuis le 3 décembre 2026" in say(browser, True)
        shown = upload(client, photo())
        assert shown.status_code == 200, shown.text
        assert "Voilà comment cela se verra" in shown.text
        for medium in ("notre site", "nos affiches"):
            assert medium in shown.text
        where = re.search(r'action="(/mes-images/chose/\w+)/dire"', shown.text)
        assert where is not None
        answer = client.get(f"{where[1]}/image")
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"] == "no-store"
        assert not Image.open(io.BytesIO(answer.content)).getexif()
        assert "Permis par vous" in browser.press(where[1], f"{where[1]}/dire", say="yes").text
        gone = browser.press(MINE, f"{MINE}/licence/{OFFER}/retirer").text
        assert "Plus rien n&#39;est remis à personne" in gone or "Plus rien n'est remis à personne" in gone
        assert "Avant, c" in gone
        assert "C'est effacé" in browser.press(MINE, f"{where[1]}/effacer").text.replace("&#39;", "'")
        assert client.get(f"{where[1]}/image").status_code == 404
    site.studio.clean()


def test_a_thing_is_shown_to_its_own_person_alone(site: Site) -> None:
    site.studio.say()
    item = site.studio.add()
    with site.open() as client:
        assert client.get(f"{MINE}/chose/{item.item}/image").status_code == 200
        for who in (Customer(site.studio.number(2)), Nobody(), PUBLISHER, IDRISS):
            site.visitor = who
            for path in (f"{MINE}/chose/{item.item}/image", f"{MINE}/chose/{item.item}"):
                assert client.get(path, follow_redirects=False).status_code in (303, 401, 403, 404)


@pytest.mark.prove
def test_files_that_are_no_photo_and_words_that_are_none_are_told_in_words(site: Site) -> None:
    site.studio.say()
    with site.open() as client:
        browser = Browser(client, "fr")
        assert "n'est pas une photo" in upload(client, b"<svg onload='x'/>", "photo.svg").text.replace("&#39;", "'")
        assert "abîmée" in upload(client, photo()[:-3_000]).text
        assert "Aucune photo" in upload(client, b"").text
        assert client.post(f"{MINE}/licence/{OFFER}/photo", files={"photo": ("x.jpg", b"x" * 11_000_000)}).status_code in (403, 413)
        text = f"{MINE}/licence/{OFFER}/texte"
        assert "vide, trop long" in browser.press(MINE, text, kind="review", text=" ").text
        for name in ("a\nb", "<script>x</script>", "Camille 2", "www.x.example"):
            assert "Écrivez un prénom" in browser.press(MINE, text, kind="first-name", text=name).text
        shown = browser.press(MINE, text, kind="review", text="<script>alert(1)</script>").text
        assert "<script>alert" not in shown
        assert "&lt;script&gt;" in shown


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("minor", "personnes de 18 ans ou plus"),
        pytest.param("suspended", "est arrêtée en ce moment", marks=pytest.mark.prove),
        pytest.param("budget", "Tout l'argent prévu", marks=pytest.mark.prove),
    ],
)
def test_when_a_yes_cannot_be_taken_the_page_says_why(site: Site, why: str, told: str) -> None:
    if why == "minor":
        site.be(MINOR)
    if why == "suspended":
        site.studio.house.offering.suspend(OFFER, "FR", reason=REASON, by=CLAIRE)
    if why == "budget":
        site.studio.shop.budget(OFFER, 0)
    with site.open() as client:
        browser = Browser(client, "fr")
        shown = say(browser, True) if why == "budget" else browser.get(f"{CHANCE}?majeur=oui").text
    assert told in shown.replace("&#39;", "'")
    assert site.studio.house.licences.of_customer(site.studio.number()) == ()


@pytest.mark.prove
def test_an_older_form_changes_nothing(site: Site) -> None:
    with site.open() as client:
        browser = Browser(client, "fr")
        told = browser.press(
            f"{CHANCE}?majeur=oui", f"{CHANCE}/choix", purpose=SITE, version="1", shown="0" * 64, adult="oui", say="yes"
        ).text
        assert "Le texte a changé" in told
        assert browser.press(f"{CHANCE}?majeur=oui", f"{CHANCE}/choix", purpose=SITE, say="perhaps").status_code == 400
        assert browser.get("/offres/nothing/licence").status_code == 404


@pytest.mark.prove
def test_the_way_without_a_licence(site: Site) -> None:
    with site.open() as client:
        browser = Browser(client, "fr")
        assert "Vous gagnez la somme sans rien publier" in browser.press(CHANCE, f"{CHANCE}/autrement").text
        site.visitor = PUBLISHER
        done = client.post(f"/v1/licences/{OFFER}/instead", json={"card": "C00001"})
        assert done.json() == {"offer": OFFER, "state": "done"}
        assert client.post(f"/v1/licences/{OFFER}/instead", json={}).status_code == 400
        site.visitor = Machine("printer", frozenset({"licences"}), "envoi-clair")
        assert client.post(f"/v1/licences/{OFFER}/instead", json={"card": "C00001"}).status_code == 403
        site.be()
        assert "C'est fait" in browser.get(CHANCE).text.replace("&#39;", "'")


def test_a_survey_is_there_to_be_answered(site: Site) -> None:
    with site.open() as client:
        browser = Browser(client, "fr")
        page = browser.press(CHANCE, f"{CHANCE}/autrement").text
        fields = re.findall('name="(answer-[0-9]+)"', page)
        assert len(fields) == len(site.studio.house.licences.giving.questions(OFFER, 1)) > 0
        half = browser.press(CHANCE, f"{CHANCE}/reponses", **{fields[0]: "Du jus d'orange"})
        assert half.status_code == 400
        assert "Rien n'est perdu" in half.text.replace("&#39;", "'")
        assert "Du jus d&#39;orange</textarea>" in half.text, "what was typed stays"
        done = browser.press(CHANCE, f"{CHANCE}/reponses", **dict.fromkeys(fields, "Du jus d'orange")).text
        assert "Merci. La somme est dans votre cagnotte." in done
        assert not re.findall('name="(answer-[0-9]+)"', done)


def answered(client: Any, path: str, body: dict[str, Any] | None = None, status: int = 200, **query: str) -> Any:
    """What a publisher is told, of the shape that the document promises."""
    got = client.get(path, params=query) if body is None else client.post(path, json=body)
    assert got.status_code == status, got.text
    described = re.sub(r"/\d+/", "/{use}/", path).replace(OFFER, "{offer}")
    schema = DOCUMENT["paths"][described]["get" if body is None else "post"]["responses"].get(str(status))
    if schema is not None and "application/json" in schema.get("content", {}):
        holds(got.json(), schema["content"]["application/json"]["schema"])
    return got


def test_a_publisher_goes_the_whole_way_and_she_sees_it(site: Site) -> None:
    studio = site.studio
    studio.say()
    item = studio.add()
    with site.open() as client:
        site.visitor = PUBLISHER
        wish = {"purpose": SITE, "medium": WEBSITE, "territory": "FR"}
        listed = answered(client, f"/v1/licences/{OFFER}/items", **wish).json()["items"]
        assert [one["item"] for one in listed] == [item.item]
        body = {**wish, "offer": OFFER, "item": item.item, "place": "https://le-panier.example/nous", "key": "k1"}
        use = answered(client, "/v1/licence-uses", body).json()["use"]
        early = answered(client, f"/v1/licence-uses/{use}/item", {}, status=403)
        assert "has not been told" in early.json()["title"]
        site.be()
        browser = Browser(client, "fr")
        assert "Vous avez jusqu'au 10 décembre 2026" in browser.get(MINE).text.replace("&#39;", "'")
        studio.shop.hand.pass_days(7)
        site.visitor = PUBLISHER
        handed = answered(client, f"/v1/licence-uses/{use}/item", {})
        assert handed.headers["content-type"] == "image/jpeg"
        assert handed.content == studio.house.licences.items.content(studio.number(), item.item)[1]
        answered(client, f"/v1/licence-uses/{use}/published", {})
        assert answered(client, "/v1/licence-uses").json()["uses"][0]["state"] == "published"
        site.be()
        assert "Visible depuis le 10 décembre 2026" in browser.get(MINE).text
        shown = browser.press(MINE, f"{MINE}/licence/{OFFER}/retirer").text
        assert "Doit être enlevé au plus tard le 13 décembre 2026" in shown
        site.visitor = PUBLISHER
        answered(client, f"/v1/licence-uses/{use}/item", {}, status=403)
        (due,) = answered(client, "/v1/takedowns").json()["takedowns"]
        assert (due["use"], due["due"], due["overdue"]) == (use, "2026-12-13", False)
        answered(client, f"/v1/licence-uses/{use}/down", {"status": 200}, status=400)
        answered(client, f"/v1/licence-uses/{use}/down", {"status": 404, "at": "yesterday"}, status=400)
        assert answered(client, f"/v1/licence-uses/{use}/down", {"status": 404}).json()["state"] == "down"
        assert answered(client, "/v1/takedowns").json() == {"takedowns": []}
        site.be()
        assert "la page répond 404" in browser.get(MINE).text
    studio.clean()


@pytest.mark.prove
def test_a_publisher_may_give_a_plan_up_and_she_may_refuse_a_place(site: Site) -> None:
    studio = site.studio
    studio.say()
    item = studio.add()
    first, second = studio.plan(item), studio.plan(item)
    with site.open() as client:
        browser = Browser(client, "fr")
        assert "pas à cet endroit" in browser.press(MINE, f"{MINE}/usage/{first.number}/refuser").text
        site.visitor = PUBLISHER
        assert answered(client, f"/v1/licence-uses/{second.number}/cancel", {}).json()["state"] == "cancelled"


def test_the_key_must_allow_it(site: Site) -> None:
    site.visitor = Machine("site", frozenset({"ads"}), None)
    with site.open() as client:
        assert client.get("/v1/takedowns").status_code == 403
        assert client.post("/v1/licence-uses/1/item").status_code == 403
        site.visitor = PUBLISHER
        assert client.post("/v1/licence-uses/1/item").status_code == 404
        wish = {"purpose": "any", "medium": "x", "territory": "FR"}
        assert client.get(f"/v1/licences/{OFFER}/items", params=wish).status_code == 400


@pytest.mark.parametrize("language", ["fr", pytest.param("en", marks=pytest.mark.prove)])
def test_staff_see_what_is_owed_and_nobody_behind_it(site: Site, language: str) -> None:
    studio = site.studio
    studio.say()
    use = studio.out(studio.write(text="Camillette"))
    studio.say(yes=False)
    studio.shop.hand.pass_days(4)
    with site.open() as client:
        site.visitor = ASTRID
        browser = Browser(client, language)
        shown = browser.get(DESK).text
        assert {"fr": "En retard", "en": "Late"}[language] in shown
        assert "https://le-panier.example/clients" in shown
        assert "Camillette" not in shown
        assert f"{DESK}/{use.number}/down" not in shown, "the auditor looks"
        assert client.post(f"{DESK}/{use.number}/down", data={"status": "404"}).status_code == 403
        site.visitor = IDRISS
        assert browser.press(DESK, f"{DESK}/{use.number}/down", status="abc").status_code == 400
        assert browser.press(DESK, f"{DESK}/{use.number}/down", status="", note="").status_code == 400
        told = browser.press(DESK, f"{DESK}/{use.number}/down", status="410", note="").text.replace("&#39;", "'")
        assert {"fr": "Rien ne doit être enlevé", "en": "Nothing has to come down"}[language] in told
        for who in (Nobody(), Customer(1), Staff("s", "Sam Exemple", frozenset({"support"}))):
            site.visitor = who
            assert client.get(DESK, follow_redirects=False).status_code in (303, 401, 403)


@pytest.mark.prove
def test_her_page_says_no_to_one_purpose_where_there_are_two(site: Site) -> None:
    site.studio.say()
    site.studio.say(purpose=SHOPS)
    with site.open() as client:
        browser = Browser(client, "fr")
        shown = browser.press(MINE, f"{CHANCE}/choix", purpose=SHOPS, say="no", back=MINE)
        assert shown.url.path == MINE
        assert "non, depuis le" in shown.text
    words = {one.purpose: one.state for one in site.studio.house.licences.of_customer(site.studio.number())[0].words}
    assert words == {SITE: "given", SHOPS: "withdrawn"}


@pytest.mark.parametrize(("language", "never", "kept"), [
    ("fr", "Vous ne l'avez jamais permis.", "Votre oui a pris fin. Personne"),
    ("en", "You have never permitted this.", "Your yes has ended. Nobody"),
])  # fmt: skip
def test_what_was_never_permitted_is_not_said_to_have_ended(site: Site, language: str, never: str, kept: str) -> None:
    site.studio.say()
    site.studio.write(text="Camille", approved=False)
    with site.open() as client:
        browser = Browser(client, language)
        browser.press(MINE, f"{MINE}/licence/{OFFER}/retirer")
        page = browser.get(MINE).text.replace("&#39;", "'")
        assert (never in page, kept in page) == (True, False)


@pytest.mark.parametrize(("language", "alone", "no"), [
    ("fr", "Vous pouvez dire non. Un oui n'est pas possible en ce moment.", "non, depuis le"),
    ("en", "You can say no. A yes is not possible at the moment.", "no, since"),
])  # fmt: skip
def test_a_no_is_taken_while_the_offer_is_stopped(site: Site, language: str, alone: str, no: str) -> None:
    site.studio.house.offering.suspend(OFFER, "FR", REASON, by=CLAIRE)
    with site.open() as client:
        browser = Browser(client, language)
        page = browser.get(CHANCE).text.replace("&#39;", "'")
        assert page.count(alone) == page.count(f'action="{CHANCE}/choix"') == 2, "for each purpose, by the pair of buttons"
        say(browser, True, page=CHANCE)
        assert site.studio.house.licences.chance(site.studio.number(), OFFER).words[SITE] is None, "a yes is not taken"
        answered = say(browser, False, page=CHANCE)
        assert no in answered
        assert answered.replace("&#39;", "'").count(alone) == 1, "the other purpose is still unanswered"
        site.be(MINOR)
        assert f'action="{CHANCE}/choix"' not in browser.get(CHANCE).text


def test_nothing_permitted_is_said_in_french_as_people_say_it(site: Site) -> None:
    with site.open() as client:
        assert "Vous n&#39;avez rien permis de publier." in Browser(client, "fr").get(MINE).text


@pytest.mark.parametrize(("language", "licence", "instead"), [
    ("fr", "Votre oui à publier vos photos et vos textes", "L'autre choix, sans rien publier"),
    ("en", "Your yes to publishing your photos and texts", "The other choice, without publishing anything"),
])  # fmt: skip
def test_what_a_licence_earns_is_named_apart_from_its_offer(site: Site, language: str, licence: str, instead: str) -> None:
    site.studio.say()
    site.studio.house.licences.giving.choose_instead(site.studio.number(2), OFFER)
    site.studio.house.licences.giving.done_instead(site.studio.number(2), OFFER)
    offer = site.studio.house.wallet.names(OFFER, 1, language)
    with site.open() as client:
        browser = Browser(client, language)
        for card, name in ((1, licence), (2, instead)):
            site.be(card)
            shown = browser.get("/cagnotte").text.replace("&#39;", "'")
            assert (shown.count(name), offer in shown) == (2, False), "what waits, and the history"
            assert name in browser.get("/cagnotte/historique.csv").text
