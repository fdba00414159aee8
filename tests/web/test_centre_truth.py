"""What the permission centre says is what was recorded: texts, undoings, pauses, signals, mixed answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.support.publishing import write_version
from tests.web.conftest import TOKEN, Browser, Served
from tests.web.test_centre import HOME, STATISTICS, permitted, visible

from volens.permissions.ledger import Choice
from volens.permissions.state import PERMITTING
from volens.publishing.workflow import Person

USE = f"{HOME}/usage/{STATISTICS}"
BRANDS = f"{HOME}/marques"
REMINDER = "basket-reminder"


def press(browser: Browser, page: str, say: str, purpose: str = STATISTICS, **fields: str) -> str:
    """Presses yes or no to one use, as the page has it, and reads the page that answers."""
    answer = browser.press(page, f"{HOME}/choix", say=say, purpose=purpose, back=page, **fields)
    assert answer.status_code == 200
    return visible(answer.text)


def publish_another(served: Served) -> None:
    write_version(served.house.settings.programme)
    served.house.publishing.approve([f"{STATISTICS}/2"], Person("Claire Exemple", "marketing"))
    served.house.publishing.publish([f"{STATISTICS}/2"], Person("Idriss Exemple", "dpo"))


def last(served: Served, purpose: str = STATISTICS) -> Any:
    """The newest word about a use."""
    return [one for one in served.house.permissions.history(served.customer) if one.purpose == purpose][-1]


def test_a_page_that_was_open_while_a_text_was_published_gives_no_yes_and_shows_the_new_text(
    browser: Browser, served: Served
) -> None:
    before = browser.get(USE).text
    stood = re.search(r'name="shown" value="([0-9a-f]{64})"', before)
    assert stood is not None
    publish_another(served)
    shown = press(browser, USE, "yes", shown=stood[1])
    assert last(served).text == f"{STATISTICS}/1"
    assert "Rien n'a été noté : le texte d'aujourd'hui n'était pas sur votre page." in shown
    page = browser.get(USE).text
    assert f'data-text="{STATISTICS}/2"' in page
    assert "Le texte que vous avez accepté le" in visible(page)
    assert "version 1" in visible(page)
    press(browser, USE, "yes")
    assert last(served).text == f"{STATISTICS}/2"


@pytest.mark.parametrize("page", [BRANDS, f"{HOME}/choisir", USE])
def test_a_yes_proves_the_text_as_it_stood_on_the_page(browser: Browser, served: Served, page: str) -> None:
    served.house.permissions.record([Choice(served.customer, STATISTICS, "withdrawn", surface="test")])
    shown = browser.get(page).text
    press(browser, page, "yes")
    proof, text = last(served).how["proof"], served.house.programme.text(f"{STATISTICS}/1")
    assert proof["text_sha256"] == text.digest("fr")
    assert f'name="shown" value="{proof["rendered_sha256"]}"' in shown
    assert "dans lesquelles personne n'est reconnaissable" in visible(shown)


@pytest.mark.parametrize("shown", ["", "0" * 64])
def test_a_yes_without_the_text_is_not_taken_and_a_no_is(browser: Browser, served: Served, shown: str) -> None:
    press(browser, BRANDS, "no", shown=shown)
    assert not permitted(served)
    assert "Le voici en entier" in press(browser, BRANDS, "yes", shown=shown)
    assert not permitted(served)


def seqs(text: str) -> str:
    found = re.search(r'name="seqs" value="([0-9,]+)"', text)
    assert found is not None
    return found[1]


def test_an_undoing_takes_back_one_act_and_says_which(browser: Browser, served: Served) -> None:
    given = ("email-marketing", REMINDER)
    served.house.permissions.record([Choice(served.customer, one, "given", surface="test") for one in given])
    browser.press(f"{HOME}/publicite", f"{HOME}/refuser", group="advertising")
    for say in ("yes", "no"):
        press(browser, f"{HOME}/choisir", say, REMINDER)
    first = browser.get(HOME)
    assert re.search(r"Refusé à \d\d:\d\d : Publicité\.", visible(first.text))
    back = first.text[first.text.index("Ce qui revient") :].split("</details>")[0]
    assert "1\u00a0réponse" in back or "1 réponse" in back
    browser.press(HOME, f"{HOME}/annuler", seqs=seqs(first.text))
    assert permitted(served, "email-marketing", "le-panier")
    assert not permitted(served, REMINDER, "le-panier"), "a later no stays no"
    assert "En annulant un refus." in visible(browser.get(f"{HOME}/recus").text)


def test_a_no_to_one_recipient_stays_when_the_rest_comes_back(browser: Browser, served: Served) -> None:
    press(browser, USE, "no", recipient="soleil-presse")
    page = browser.press(HOME, f"{HOME}/refuser")
    browser.press(HOME, f"{HOME}/annuler", seqs=seqs(page.text))
    assert permitted(served)
    assert not permitted(served, recipient="soleil-presse")


def test_a_second_tap_adds_nothing_and_the_first_is_still_taken_back(browser: Browser, served: Served) -> None:
    browser.press(HOME, f"{HOME}/refuser")
    said = len(served.house.permissions.history(served.customer))
    again = browser.press(HOME, f"{HOME}/refuser")
    assert "Rien n'a changé" in visible(again.text)
    assert len(served.house.permissions.history(served.customer)) == said
    browser.press(HOME, f"{HOME}/annuler", seqs=seqs(again.text))
    assert permitted(served)


def test_an_address_alone_says_nothing(browser: Browser, served: Served) -> None:
    assert "C'est fait" not in visible(browser.get(f"{HOME}?fait=refused").text)
    page = browser.get(HOME)
    token = TOKEN.search(page.text)
    assert token is not None
    answer = browser.client.post(f"{HOME}/refuser", data={"_csrf_token": token[1]}, headers={"accept-language": "fr"})
    assert "C'est fait. Tout est refusé." in visible(answer.text)
    address = f"{answer.url.path}?{answer.url.query.decode()}"
    assert "C'est fait. Tout est refusé." in visible(browser.get(address).text)
    press(browser, BRANDS, "yes")
    assert "C'est fait" not in visible(browser.get(address).text), "something else was said since"


def test_a_pause_is_on_the_first_screen_and_a_yes_meanwhile_is_told(browser: Browser, served: Served) -> None:
    browser.press(f"{HOME}/plus", f"{HOME}/pause", say="pause")
    assert "En pause depuis le" in visible(browser.get(HOME).text)
    assert "Le reste est toujours en pause." in press(browser, f"{HOME}/choisir", "yes", REMINDER)
    assert "En pause depuis le" in visible(browser.get(HOME).text)
    press(browser, f"{HOME}/choisir", "no", "email-marketing")
    browser.press(HOME, f"{HOME}/pause", say="resume")
    assert permitted(served)
    assert permitted(served, REMINDER, "le-panier")
    assert "En pause" not in visible(browser.get(HOME).text)


def test_refusing_everything_ends_a_pause(browser: Browser, served: Served) -> None:
    browser.press(f"{HOME}/plus", f"{HOME}/pause", say="pause")
    browser.press(HOME, f"{HOME}/refuser")
    assert "En pause" not in visible(browser.get(HOME).text)
    assert not permitted(served)


def test_what_somebody_else_refused_is_on_the_first_screen_with_its_undoing(browser: Browser, served: Served) -> None:
    doorway = served.house.doorways.cards("card", ["C00001"])["C00001"]
    assert doorway is not None
    served.house.doorways.refuse(doorway.code, language="fr")
    first = browser.get(HOME)
    assert "quelqu'un a dit non à votre place" in visible(first.text)
    browser.press(HOME, f"{HOME}/dit-par-d-autres/remettre", seqs=seqs(first.text))
    assert permitted(served)
    assert "quelqu'un" not in visible(browser.get(HOME).text)


def test_a_signal_says_what_it_ended_and_a_yes_against_it_is_told_and_stands(browser: Browser, served: Served) -> None:
    browser.client.headers["sec-gpc"] = "1"
    shown = visible(browser.get(BRANDS).text)
    assert "Nous venons de noter un non à :" in shown
    first = visible(browser.get(HOME).text)
    assert "votre navigateur a dit non pour vous" in first
    assert "quelqu'un a dit non" not in first, "her browser is nobody else"
    assert "Nous venons de noter" not in visible(browser.get(BRANDS).text)
    receipts = visible(browser.get(f"{HOME}/recus").text)
    assert "par le réglage de votre navigateur. " in receipts
    assert "browser signal" not in receipts
    assert "Ici, c'est votre oui qui compte." in press(browser, USE, "yes")
    browser.get(HOME)
    assert permitted(served)


def test_a_first_yes_against_a_signal_stands_too(browser: Browser, served: Served) -> None:
    served.house.permissions.record([Choice(served.customer, STATISTICS, "withdrawn", surface="test")])
    browser.client.headers["sec-gpc"] = "1"
    assert "c'est votre oui qui compte" in visible(browser.get(USE).text)
    press(browser, USE, "yes")
    browser.get(HOME)
    assert permitted(served)


def test_a_mixed_answer_is_never_a_plain_yes(browser: Browser, served: Served) -> None:
    shown = press(browser, USE, "no", recipient="vergers-du-midi")
    mixed = "non pour Vergers du Midi SAS ; oui pour 5 autres"
    assert f"C'est noté : {mixed}." in shown
    assert f"Votre réponse : {mixed}, depuis le" in shown
    assert "Votre réponse : oui" not in shown
    for page in (BRANDS, f"{HOME}/choisir", f"{HOME}/mes-choix"):
        assert mixed in visible(browser.get(page).text), page
    assert mixed in browser.get(f"{HOME}/mes-choix.txt").text.replace("\u00a0", " ").replace("\n    ", " ")
    press(browser, BRANDS, "yes", "supplier-sharing")
    assert "Autres entreprises 2 sur 4" in visible(browser.get(HOME).text)


@pytest.mark.parametrize(
    ("purpose", "why"), [("accounting", "la loi nous y oblige"), ("loyalty", "c'est la carte elle-même")]
)
def test_where_there_is_nothing_to_choose_the_true_reason_is_given(
    browser: Browser, served: Served, purpose: str, why: str
) -> None:
    page = visible(browser.get(f"{HOME}/usage/{purpose}").text)
    assert why in page.lower()
    assert "Vous n'avez rien dit" not in page
    assert "Publicité" not in page
    said = len(served.house.permissions.history(served.customer))
    token = TOKEN.search(browser.get(HOME).text)
    assert token is not None
    told = browser.client.post(
        f"{HOME}/choix", data={"_csrf_token": token[1], "say": "no", "purpose": purpose}, headers={"accept-language": "fr"}
    )
    assert f"Rien n'a été noté : {why}" in visible(told.text)
    assert len(served.house.permissions.history(served.customer)) == said


def test_the_question_comes_after_a_change_alone(browser: Browser, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.house.publishing._understanding, "_draw", lambda below: 0)
    assert "Une courte question" in browser.press(USE, f"{HOME}/choix", say="no", purpose=STATISTICS, back=USE).text
    said = len(served.house.permissions.history(served.customer))
    again = browser.press(USE, f"{HOME}/choix", say="no", purpose=STATISTICS, back=USE).text
    assert "Une courte question" not in again
    assert "Rien n'a changé : c'était déjà votre réponse." in visible(again)
    assert len(served.house.permissions.history(served.customer)) == said


def test_changes_that_are_none_are_one_line(browser: Browser) -> None:
    shown = visible(browser.get(f"{HOME}/changements").text)
    assert "dans 0 utilisation" not in shown
    assert re.search(r"Pour \d+ autres usages, rien n'aurait changé", shown)


def test_receipts_are_read_in_one_language_with_their_spaces(browser: Browser, served: Served) -> None:
    press(browser, USE, "no", recipient="soleil-presse")
    said = Choice(served.customer, "email-marketing", "refused", surface="paper")
    named = Choice(served.customer, "sms-marketing", "refused", surface="kiosk")
    served.house.permissions.record([said, named])
    shown = visible(browser.get(f"{HOME}/recus").text)
    assert "dans vos autorisations. Pour Soleil Pressé SA seulement." in shown
    assert "sur un formulaire en papier." in shown
    assert "par « kiosk »" in shown
    assert not re.search(r"\.[A-Z][a-zé]+ ", shown)


def test_every_yes_of_a_customer_here_has_its_text(browser: Browser, served: Served) -> None:
    press(browser, BRANDS, "no")
    press(browser, BRANDS, "yes")
    own = [one for one in served.house.permissions.history(served.customer) if one.how.get("surface") == "permission centre"]
    assert all("rendered_sha256" in one.how["proof"] for one in own if one.kind in PERMITTING)
