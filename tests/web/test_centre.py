"""The permission centre as a person meets it: what it says, what a tap does, and what happens when something goes wrong."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from string import Formatter
from typing import Any

import pytest
from tests.web.conftest import Browser, Served

from volens.errors import BadInput, Unavailable
from volens.gate.policy import ReadRequest
from volens.ingest.master import Person
from volens.permissions.ages import PROXY
from volens.permissions.ledger import Choice
from volens.web.visitor import Customer
from volens.web.words import LANGUAGES, texts

HOME = "/autorisations"
STATISTICS = "supplier-statistics"


def permitted(served: Served, purpose: str = STATISTICS, recipient: str = "vergers-du-midi") -> bool:
    """What the gate says, which is what counts."""
    rule = served.house.programme.purpose(purpose)
    day = datetime.now(UTC).date()
    start, end = date(day.year, day.month, 1), date(day.year + 1, 1, 1)
    request = ReadRequest("test", purpose, recipient, (sorted(rule.fields)[0],), start, end)
    return served.house.gate.explain(served.customer, request).verdict.allowed


def visible(text: str) -> str:
    """What is read: no tags, blanks made one."""
    body = text.split("<body", 1)[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).replace("\u00a0", " ").replace("&#39;", "'")


def test_the_first_screen_says_whether_it_is_sold_to_whom_and_how_to_stop_it(browser: Browser) -> None:
    shown = visible(browser.get(HOME).text)
    assert "Vos achats servent aussi à : vendre des statistiques." in shown
    assert "Vendez-vous ce que j'achète ? Oui. Nous vendons des chiffres sans votre nom à Vergers du Midi SAS" in shown
    assert "Tout refuser" in shown
    assert "Choisir" in shown
    assert len(shown.split()) <= 90


@pytest.mark.parametrize(
    ("yes", "headline", "answer"),
    [
        (
            ["partner-marketing"],
            "Vos données servent aussi à : renseigner d'autres entreprises.",
            "Pas vos achats. Nous vendons votre adresse e-mail, votre prénom et votre langue à Voyages Horizon SAS.",
        ),
        (
            ["targeted-ads"],
            "Vos achats servent aussi à : choisir des publicités.",
            "Oui. Nous vendons des publicités choisies pour vous à Vergers du Midi SAS et Soleil Pressé SA.",
        ),
        (
            ["cross-retailer-pooling"],
            "Vos achats servent aussi à : renseigner d'autres entreprises.",
            "Non. Sans être payés, nous donnons la liste de vos achats à Librairie Plume SAS.",
        ),
        (
            ["supplier-sharing"],
            "Vos achats servent aussi à : renseigner d'autres entreprises.",
            "Oui. Nous vendons la liste de vos achats à Vergers du Midi SAS.",
        ),
        (
            ["supplier-sharing", STATISTICS],
            "Vos achats servent aussi à : renseigner d'autres entreprises et vendre des statistiques.",
            "Oui. Nous vendons la liste de vos achats à Vergers du Midi SAS et des chiffres sans votre nom à Vergers du Midi SAS, "
            "Soleil Pressé SA, Maison Nette SARL, Épicerie Valombre SAS et 2 autres.",
        ),
        (
            ["email-marketing"],
            "Vos achats servent à votre carte, et à rien d'autre.",
            "Non. Nous ne vendons et ne donnons rien de vous.",
        ),
        (["social-audience"], "Vos données servent aussi à", "Non. Sans être payés, nous donnons votre adresse e-mail à Place"),
    ],
)
def test_the_first_screen_hides_nothing_that_is_paid_for_or_passed_on(
    browser: Browser, served: Served, yes: list[str], headline: str, answer: str
) -> None:
    served.house.permissions.record([Choice(served.customer, STATISTICS, "withdrawn", surface="test")])
    served.house.permissions.record([Choice(served.customer, one, "given", surface="test") for one in yes])
    shown = visible(browser.get(HOME).text)
    assert headline in shown
    assert f"Vendez-vous ce que j'achète ? {answer}" in shown


def test_whoever_was_refused_alone_pays_nothing(browser: Browser, served: Served) -> None:
    refused = Choice(served.customer, STATISTICS, "refused", recipient="vergers-du-midi", surface="test")
    served.house.permissions.record([refused])
    for page in (HOME, f"{HOME}/mon-annee"):
        shown = visible(browser.get(page).text)
        assert "Soleil Pressé SA" in shown, page
        assert "Vergers du Midi" not in shown, page


def test_refusing_everything_is_one_tap_and_in_force_when_the_page_answers(browser: Browser, served: Served) -> None:
    assert permitted(served)
    answer = browser.press(HOME, f"{HOME}/refuser")
    assert answer.status_code == 200
    assert not permitted(served)
    shown = visible(answer.text)
    assert "Vos achats servent à votre carte, et à rien d'autre." in shown
    assert "Vendez-vous ce que j'achète ? Non." in shown
    assert "C'est fait. Tout est refusé." in shown


def test_a_refusal_can_be_taken_back_for_ten_minutes(browser: Browser, served: Served) -> None:
    page = browser.press(HOME, f"{HOME}/refuser")
    seqs = re.search(r'name="seqs" value="([0-9,]+)"', page.text)
    assert seqs is not None
    assert browser.press(HOME, f"{HOME}/annuler", seqs=seqs[1]).status_code == 200
    assert permitted(served)
    assert "Annuler ce refus" not in browser.get(HOME).text
    last = served.house.permissions.history(served.customer)[-1]
    assert last.kind == "given"
    assert last.how["proof"]["undoes"] == int(seqs[1].split(",")[-1])


def test_what_was_not_refused_lately_cannot_be_undone(browser: Browser, served: Served) -> None:
    browser.press(HOME, f"{HOME}/refuser")
    answer = browser.press(HOME, f"{HOME}/annuler", seqs="0")
    assert answer.status_code == 409
    assert not permitted(served)


def test_one_use_is_changed_in_one_tap_each_way(browser: Browser, served: Served) -> None:
    page = f"{HOME}/marques"
    fields = {"purpose": STATISTICS, "text": f"{STATISTICS}/1", "back": page}
    browser.press(page, f"{HOME}/choix", say="no", **fields)
    assert not permitted(served)
    shown = browser.press(page, f"{HOME}/choix", say="yes", **fields)
    assert permitted(served)
    assert "C'est noté. Votre réponse est oui." in visible(shown.text)


def test_a_yes_under_a_text_that_is_not_in_force_is_not_taken_and_the_page_says_so(browser: Browser, served: Served) -> None:
    served.house.permissions.record([Choice(served.customer, STATISTICS, "withdrawn", surface="test")])
    page = f"{HOME}/marques"
    answer = browser.press(page, f"{HOME}/choix", say="yes", purpose=STATISTICS, shown="0" * 64, back=page)
    assert not permitted(served)
    assert "Rien n'a été noté" in visible(answer.text)


def test_a_no_under_an_old_text_is_taken(browser: Browser, served: Served) -> None:
    page = f"{HOME}/marques"
    browser.press(page, f"{HOME}/choix", say="no", purpose=STATISTICS, text="old/9", back=page)
    assert not permitted(served)


def test_a_pause_and_its_end(browser: Browser, served: Served) -> None:
    served.house.centre.pause(served.customer, language="fr")
    assert not permitted(served)
    assert served.house.centre.picture(served.customer).pause
    served.house.centre.resume(served.customer, language="fr")
    assert permitted(served)
    assert not served.house.centre.picture(served.customer).pause


def test_a_form_from_elsewhere_changes_nothing(browser: Browser, served: Served) -> None:
    answer = browser.client.post(f"{HOME}/refuser", data={"_csrf_token": "0" * 128})
    assert answer.status_code == 403
    assert "Rien n'a changé." in visible(answer.text)
    assert permitted(served)


def test_who_is_not_signed_in_is_sent_to_the_door_and_nothing_is_shown(stranger: Browser) -> None:
    answer = stranger.client.get(HOME, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/entrer?suite=/autorisations"
    assert answer.text == ""


def test_records_that_do_not_answer_are_no_and_the_page_says_so(
    browser: Browser, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(customer: int) -> Any:
        raise Unavailable("The records do not answer.", "Check that the database runs.")

    monkeypatch.setattr(served.house.permissions, "of_customer", silent)
    answer = browser.get(HOME)
    assert answer.status_code == 503
    assert "la réponse est non" in visible(answer.text)


@pytest.mark.parametrize("path", ["/autorisations/rien", "/autorisations/usage/rien", "/rien"])
def test_an_address_that_leads_nowhere_says_so(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 404
    assert "Cette page n'existe pas" in visible(answer.text)


def test_an_unknown_purpose_and_an_answer_that_is_none_change_nothing(browser: Browser, served: Served) -> None:
    page = f"{HOME}/marques"
    assert browser.press(page, f"{HOME}/choix", say="no", purpose="nothing-such").status_code == 404
    assert browser.press(page, f"{HOME}/choix", say="perhaps", purpose=STATISTICS).status_code == 400
    assert permitted(served)


def test_every_answer_forbids_what_a_page_of_one_s_own_never_needs(browser: Browser) -> None:
    for path in (HOME, "/rien", "/static/volens.css"):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
    assert browser.get(HOME).headers["cache-control"] == "no-store"


def test_both_languages_say_the_same_things_with_the_same_gaps() -> None:
    def gaps(value: Any, path: str = "") -> dict[str, list[str]]:
        if isinstance(value, dict):
            return {key: found for name, one in value.items() for key, found in gaps(one, f"{path}.{name}").items()}
        return {path: sorted({name for _, name, _, _ in Formatter().parse(str(value)) if name})}

    first, *others = (gaps(texts(language)) for language in LANGUAGES)
    for other in others:
        assert other == first


def test_where_my_data_went_names_each_use_and_the_choice_it_rests_on(browser: Browser, served: Served) -> None:
    assert "Personne ne s'est servi de vos achats." in visible(browser.get(f"{HOME}/parcours").text)
    request = ReadRequest("Alice Exemple", STATISTICS, "vergers-du-midi", ("product", "day"), date(2026, 1, 1), date(2026, 4, 1))
    with served.house.gate.open_purchases(request) as reading:
        reading.saw(reading.opened.permitted)
    shown = visible(browser.get(f"{HOME}/parcours").text)
    assert "Nous avons compté vos achats pour Vergers du Midi SAS." in shown
    assert "Achats du 1er janvier 2026 au 31 mars 2026." in shown
    assert "ce que vous achetez et le jour" in shown
    assert "Vous aviez dit oui le" in shown
    assert "Un non vous aurait laissé en dehors de 1 utilisation." in visible(browser.get(f"{HOME}/changements").text)


def test_a_reading_that_was_never_closed_is_shown_as_having_seen_the_customer(browser: Browser, served: Served) -> None:
    request = ReadRequest("Alice Exemple", STATISTICS, "vergers-du-midi", ("product", "day"), date(2026, 1, 1), date(2026, 4, 1))
    with served.house.gate.open_purchases(request):
        pass
    assert "nous la comptons comme si vous y étiez" in visible(browser.get(f"{HOME}/parcours").text)


def test_a_browser_s_signal_ends_what_is_sold_once_and_a_later_yes_stands(browser: Browser, served: Served) -> None:
    browser.client.headers["sec-gpc"] = "1"
    assert "Vendez-vous ce que j'achète ? Non." in visible(browser.get(HOME).text)
    assert not permitted(served)
    assert served.house.permissions.history(served.customer)[-1].how["actor"] == "browser signal"
    assert "par le réglage de votre navigateur" in visible(browser.get(f"{HOME}/usage/{STATISTICS}").text)
    page = f"{HOME}/marques"
    browser.press(page, f"{HOME}/choix", say="yes", purpose=STATISTICS, text=f"{STATISTICS}/1", back=page)
    browser.get(HOME)
    assert permitted(served)


def test_one_recipient_of_several_is_refused_alone(browser: Browser, served: Served) -> None:
    page = f"{HOME}/usage/{STATISTICS}"
    fields = {"purpose": STATISTICS, "text": f"{STATISTICS}/1", "back": page, "recipient": "soleil-presse"}
    browser.press(page, f"{HOME}/choix", say="no", **fields)
    assert permitted(served)
    assert not permitted(served, recipient="soleil-presse")


def test_the_page_behind_each_use_says_who_where_and_how_long(browser: Browser) -> None:
    shown = visible(browser.get(f"{HOME}/usage/social-audience").text)
    for words in ("Place Commune Ireland Ltd", "Établi en Irlande.", "Contrôlé par Place Commune Inc. (États-Unis).", "6 mois"):
        assert words in shown


def test_every_page_of_the_centre_opens_in_both_languages(browser: Browser, served: Served) -> None:
    uses = [f"/usage/{purpose}" for purpose in served.house.programme.purposes]
    for path in ["", "/choisir", "/pour-moi", "/publicite", "/marques", "/telephone", "/plus", "/parcours", "/changements", *uses]:
        for language in LANGUAGES:
            answer = browser.client.get(HOME + path, params={"langue": language})
            assert answer.status_code == 200, path
            assert f'<html lang="{language}">' in answer.text


def test_what_a_proxy_said_is_shown_as_such_and_changed_in_one_tap(browser: Browser, served: Served) -> None:
    with pytest.raises(BadInput, match="needs to be shown"):
        Choice(served.customer, "basket-reminder", "given", actor=PROXY, surface="desk")
    said = Choice(served.customer, "basket-reminder", "given", actor=PROXY, surface="desk", proof={"shown by": "mandate 12"})
    served.house.permissions.record([said])
    assert permitted(served, "basket-reminder", "le-panier")
    page = f"{HOME}/usage/basket-reminder"
    assert "par la personne que vous avez chargée de le faire" in visible(browser.get(page).text)
    browser.press(page, f"{HOME}/choix", say="no", purpose="basket-reminder", back=page)
    assert not permitted(served, "basket-reminder", "le-panier")


def test_below_the_age_a_yes_is_closed_and_the_page_says_why(browser: Browser, served: Served) -> None:
    child = [Person(card="C00002", email=None, country="FR", details={"birth_date": f"{datetime.now(UTC).year - 10}-01-01"})]
    served.house.customers.enrol(child)
    served.visitor = Customer(served.house.customer("card", "C00002").customer)
    shown = visible(browser.get(f"{HOME}/publicite").text)
    assert "Fermé pour les moins de 18 ans." in shown
    assert "un parent décide avec vous" in shown


def test_what_reads_no_purchases_is_not_said_to_use_them(browser: Browser, served: Served) -> None:
    said = (("supplier-statistics", "withdrawn"), ("email-marketing", "given"), ("device-camera", "given"))
    served.house.permissions.record([Choice(served.customer, purpose, kind, surface="test") for purpose, kind in said])
    shown = visible(browser.get(HOME).text)
    assert "Vos achats servent à votre carte, et à rien d'autre." in shown
    assert "Publicité 1 sur" in shown
    assert "Mon téléphone 1 sur 3" in shown


def test_what_somebody_else_refused_is_told_where_one_looks_deeper(browser: Browser, served: Served) -> None:
    assert "dit-par-d-autres" in browser.get(f"{HOME}/plus").text
    before = visible(browser.get(f"{HOME}/plus").text)
    doorway = served.house.doorways.cards("card", ["C00001"])["C00001"]
    assert doorway is not None
    served.house.doorways.refuse(doorway.code, language="fr")
    assert not permitted(served)
    assert len(visible(browser.get(f"{HOME}/plus").text)) > len(before)
