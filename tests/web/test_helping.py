"""A named member of staff looks at a customer: on record before anything is shown, and on the customer's own page."""

from __future__ import annotations

from tests.web.conftest import Browser, Served
from tests.web.test_centre import visible

from volens.web.staff.acting import MENU
from volens.web.visitor import Customer, Staff

HERE = "/staff/client"


def signed_in(served: Served, *roles: str) -> Staff:
    """A member of staff whom the house knows."""
    member = served.house.access.staff.recognise("https://staff.example", "bruno", "Bruno Modèle", frozenset(roles))
    return Staff(str(member.number), member.name, frozenset(roles))


def test_a_look_is_recorded_before_anything_is_shown_and_the_customer_sees_it(browser: Browser, served: Served) -> None:
    served.visitor = signed_in(served, "support")
    assert browser.get("/staff").url.path == HERE
    shown = browser.press(HERE, f"{HERE}/voir", card="C00001", reason="desk", note="carte perdue")
    assert "Carte C00001" in visible(shown.text)
    assert "Sa réponse : oui" in visible(shown.text)
    assert "Elle n'a rien dit : c'est non." in visible(shown.text)
    served.visitor = Customer(served.customer)
    page = visible(browser.get("/autorisations/parcours").text)
    assert "Bruno Modèle" in page
    assert "Elle est à l'accueil · carte perdue" in page


def test_without_a_reason_or_a_known_card_nothing_is_shown_and_nothing_recorded(browser: Browser, served: Served) -> None:
    served.visitor = signed_in(served, "support")
    assert 'required><option value="">' in browser.get(HERE).text, "no reason is chosen beforehand"
    for card, reason, status, said in (
        ("C00001", "", 400, "Dites pourquoi vous regardez."), ("C00001", "curious", 400, "Dites pourquoi vous regardez."),
        ("nobody", "desk", 404, "Personne n'est connu par cette carte."), ("nobody", "", 400, "Dites pourquoi vous regardez."),
    ):  # fmt: skip
        answer = browser.press(HERE, f"{HERE}/voir", card=card, reason=reason)
        assert answer.status_code == status
        assert f"{said} Rien n'a été montré" in visible(answer.text)
    assert served.house.access.staff.reads_of(served.customer) == []


def test_other_roles_do_not_look(browser: Browser, served: Served) -> None:
    served.visitor = signed_in(served, "marketing")
    answer = browser.get(HERE)
    assert answer.status_code == 403
    assert "Cette page est pour ce rôle : accueil des clients ou protection des données." in visible(answer.text)
    assert 'href="/staff"' in answer.text
    assert "autorisations" not in visible(answer.text)


def test_the_menu_leads_to_every_page_that_opens_and_to_no_other(browser: Browser, served: Served) -> None:
    for role in ("marketing", "data", "dpo", "support", "auditor"):
        served.visitor = signed_in(served, role)
        first = browser.get("/staff").text
        for address, _, of in MENU:
            assert (f'href="{address}"' in first) == (role in of) == (browser.get(address).status_code == 200), (role, address)
    served.visitor = signed_in(served, "dpo")
    assert 'href="/staff/texts"' in browser.get("/staff/papier").text


def test_every_role_is_led_to_a_page_that_opens(browser: Browser, served: Served) -> None:
    for role in ("marketing", "data", "dpo", "support", "auditor"):
        served.visitor = signed_in(served, role)
        assert browser.get("/staff").status_code == 200, role
