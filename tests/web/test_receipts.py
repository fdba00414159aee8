"""Receipts and the list of one's choices, as a person meets them: every answer, its file, its text, and what to keep."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from httpx import Response
from litestar.testing import TestClient
from tests.web.conftest import TOKEN, Browser, Served
from tests.web.test_centre import HOME, STATISTICS, permitted, visible

from volens.evidence.groups import EXPIRY, GroupRow, append_group, prepare
from volens.evidence.verify import verify_bytes
from volens.permissions.ledger import Choice
from volens.web.customers import receipts
from volens.web.visitor import Customer

RECEIPTS, MINE = f"{HOME}/recus", f"{HOME}/mes-choix"


def files(text: str) -> list[str]:
    """Where a page's receipts are."""
    return re.findall(rf'href="({RECEIPTS}/[0-9]+(?:\?place=[0-9]+)?)"', text)


def hand_in(browser: Browser, content: bytes, choice: str) -> Response:
    """Sends the form with an older file."""
    page = browser.get(f"{RECEIPTS}/ancien")
    token = TOKEN.search(page.text)
    assert token is not None
    return browser.client.post(
        f"{RECEIPTS}/continuer", data={"_csrf_token": token[1], "choice": choice}, files={"older": ("old.json", content)},
        headers={"accept-language": "fr"},
    )  # fmt: skip


def test_every_answer_is_there_in_plain_words_newest_first_with_its_file_and_its_text(browser: Browser, served: Served) -> None:
    browser.press(f"{HOME}/marques", f"{HOME}/choix", say="no", purpose=STATISTICS)
    page = browser.get(RECEIPTS)
    shown = visible(page.text)
    assert shown.index("Non, après un oui") < shown.index("Oui ·") < shown.index("Vous avez pris la carte")
    assert "dans vos autorisations" in shown
    assert "3 réponses" in shown
    found = files(page.text)
    assert [int(one.rsplit("/", 1)[1]) for one in found] == sorted((int(one.rsplit("/", 1)[1]) for one in found), reverse=True)
    for one in found:
        answer = browser.get(one)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == f'attachment; filename="recu-{one.rsplit("/", 1)[1]}.json"'
        assert answer.headers["cache-control"] == "no-store"
        assert verify_bytes(answer.content, trusted_key=served.house.log_key).ok
    assert json.loads(browser.get(found[0]).content)["record"]["event"][0]["event_type"] == "withdrawn"
    text = re.search(rf'href="({RECEIPTS}/texte/[^"]+)"', page.text)
    assert text is not None
    read = browser.get(text[1])
    assert read.status_code == 200
    assert "C'est la version du moment." in visible(read.text)
    assert served.house.programme.current_text(STATISTICS).titles["fr"] in visible(read.text)


def test_a_receipt_is_for_its_person_alone(browser: Browser, served: Served, stranger: Browser) -> None:
    seq = served.house.permissions.history(served.customer)[-1].seq
    answer = stranger.client.get(f"{RECEIPTS}/{seq}", follow_redirects=False)
    assert answer.status_code == 303
    served.house._vault.identify("card", ["C00002"])
    served.visitor = Customer(served.house.customer("card", "C00002").customer)
    with served.open() as client:
        other = Browser(client)
        assert other.get(f"{RECEIPTS}/{seq}").status_code == 404
        assert "Vous n'avez encore rien dit." in visible(other.get(RECEIPTS).text)


@pytest.mark.parametrize(("path", "status"), [
    ("/0", 404), ("/999999", 404), ("/x", 404), ("/1?place=7", 404), ("/1?place=x", 400), ("/-1", 404),
    ("/texte/nothing/1/fr", 404), (f"/texte/{STATISTICS}/1/de", 404), (f"/texte/{STATISTICS}/99/fr", 404),
    ("?page_number=-5", 200), ("?page_number=99", 200),
])  # fmt: skip
def test_odd_addresses_say_so(browser: Browser, path: str, status: int) -> None:
    assert browser.get(RECEIPTS + path).status_code == status


def test_answers_that_were_recorded_together_are_told_apart(browser: Browser, served: Served) -> None:
    text = served.house.programme.current_text(STATISTICS).id
    rows = [GroupRow("expired", served.customer, STATISTICS, to, text, "2026-03-02") for to in ("vergers-du-midi", "soleil-presse")]
    with served.house._stores.records.writing() as connection:
        seq = append_group(connection, EXPIRY, prepare(rows), {})
    page = browser.get(f"{RECEIPTS}/{seq}")
    assert "ont été notées ensemble" in visible(page.text)
    assert files(page.text) == [f"{RECEIPTS}/{seq}?place=0", f"{RECEIPTS}/{seq}?place=1"]
    answer = browser.get(f"{RECEIPTS}/{seq}?place=1")
    assert 'filename="recu-' + str(seq) + '-1.json"' in answer.headers["content-disposition"]
    assert verify_bytes(answer.content).ok
    shown = visible(browser.get(RECEIPTS).text)
    assert "sans que vous ayez rien à faire" in shown
    assert "Pour Vergers du Midi SAS seulement." in shown


def test_what_came_from_a_file_says_so(browser: Browser, served: Served, tmp_path: Path) -> None:
    text = served.house.programme.current_text("basket-reminder").id
    day = served.house.programme.texts[text].valid_from.isoformat()
    file = tmp_path / "old.csv"
    file.write_text(
        "card,purpose,recipient,kind,text,language,time,surface,actor,proof\n"
        f"C00001,basket-reminder,*,refused,{text},fr,{day}T10:00:00+01:00,form at the till,the person,F-1\n", encoding="utf-8"
    )
    told = served.house.imports.take_in(file).to_dict()
    assert (told["taken"], told["refused"]) == (1, 0), told
    shown = visible(browser.get(RECEIPTS).text)
    assert "Repris d'un fichier d'avant." in shown
    assert "à la caisse" in shown


def test_many_answers_come_in_pages(browser: Browser, served: Served) -> None:
    kinds = ("withdrawn", "given") * 15
    for kind in kinds:
        served.house.permissions.record([Choice(served.customer, STATISTICS, kind, surface="test")])
    first, second = browser.get(RECEIPTS), browser.get(f"{RECEIPTS}?page_number=2")
    assert len(files(first.text)) == receipts.PAGE_LINES
    assert len(files(second.text)) == 32 - receipts.PAGE_LINES
    assert not set(files(first.text)) & set(files(second.text))
    assert "Plus anciens" in visible(first.text)
    assert "Plus récents" in visible(second.text)


def test_a_receipt_that_was_kept_gets_one_that_continues_it(browser: Browser, served: Served) -> None:
    kept = browser.get(files(browser.get(RECEIPTS).text)[0]).content
    browser.press(HOME, f"{HOME}/refuser")
    newest = files(browser.get(RECEIPTS).text)[0].rsplit("/", 1)[1]
    answer = hand_in(browser, kept, newest)
    assert answer.status_code == 201 or answer.status_code == 200
    verdict = verify_bytes(answer.content, kept, served.house.log_key)
    assert verdict.ok, verdict.steps
    assert "entries then" in verdict.steps[-1].detail
    assert not permitted(served)


def test_a_kept_receipt_that_cannot_be_continued_is_said_to_be_evidence(browser: Browser, served: Served) -> None:
    kept = browser.get(files(browser.get(RECEIPTS).text)[0]).content
    browser.press(HOME, f"{HOME}/refuser")
    newest = files(browser.get(RECEIPTS).text)[0].rsplit("/", 1)[1]
    served.house.checkpoint()
    leaves = served.house._outside.folder / "events" / "leaves"
    stored = leaves.read_bytes()
    leaves.write_bytes(b"x" * 32 + stored[32:])
    for nodes in (served.house._outside.folder / "events" / "nodes").glob("*"):
        nodes.unlink()
    answer = hand_in(browser, kept, newest)
    assert answer.status_code == 409
    assert "c'est une preuve contre nous" in visible(answer.text)


@pytest.mark.parametrize("content", [b"nonsense", b"{}", b"PK", b"\xff", b'{"format": "volens-receipt/1"}'])
def test_a_file_that_is_none_of_ours_is_said(browser: Browser, content: bytes) -> None:
    newest = files(browser.get(RECEIPTS).text)[0].rsplit("/", 1)[1]
    answer = hand_in(browser, content, newest)
    assert answer.status_code == 409
    assert "n'est pas un reçu de notre registre" in visible(answer.text)


def test_no_file_too_large_a_file_and_a_choice_that_is_none(browser: Browser) -> None:
    newest = files(browser.get(RECEIPTS).text)[0].rsplit("/", 1)[1]
    assert "Choisissez d'abord le fichier." in visible(hand_in(browser, b"", newest).text)
    assert hand_in(browser, b"{" + b" " * 1_000_001, newest).status_code == 413
    kept = browser.get(files(browser.get(RECEIPTS).text)[0]).content
    for odd in ("", "x", "1-x", "999999"):
        assert hand_in(browser, kept, odd).status_code in (400, 404, 409)


def test_a_form_for_older_receipts_from_elsewhere_is_not_taken(browser: Browser) -> None:
    answer = browser.client.post(f"{RECEIPTS}/continuer", files={"choice": (None, "1")})
    assert answer.status_code == 403


def test_all_choices_can_be_printed_and_taken_as_text_and_as_json(browser: Browser, served: Served) -> None:
    page, plain, data = (browser.get(MINE + ending) for ending in ("", ".txt", ".json"))
    name = served.house.programme.purpose(STATISTICS).plain["fr"]
    assert plain.headers["content-disposition"] == 'attachment; filename="mes-choix.txt"'
    assert data.headers["content-disposition"] == 'attachment; filename="mes-choix.json"'
    assert max(map(len, plain.text.splitlines())) <= 78
    value = json.loads(data.content)
    found = {one["purpose"]: one for one in value["choices"]}
    assert found[STATISTICS]["permitted"] is True
    assert found[STATISTICS]["text"] == f"{STATISTICS}/1"
    assert all(one["permitted"] for one in found[STATISTICS]["recipients"])
    asked = {use.purpose.id for use in served.house.centre.picture(served.customer).uses}
    assert set(found) == asked
    squeezed = re.sub(r"\s+", " ", plain.text)
    for one in value["choices"]:
        for said in (one["name"], one["answer"]):
            assert re.sub(r"\s+", " ", said) in squeezed
            assert re.sub(r"\s+", " ", said).replace("'", "&#39;") in re.sub(r"\s+", " ", page.text)
    assert name in visible(page.text)
    browser.press(HOME, f"{HOME}/refuser")
    after = {one["purpose"]: one for one in json.loads(browser.get(MINE + ".json").content)["choices"]}
    assert after[STATISTICS]["permitted"] is False
    assert [purpose for purpose, one in after.items() if one["permitted"]] == ["loyalty"]


def test_the_list_says_what_the_gate_says(browser: Browser, served: Served) -> None:
    served.house.permissions.record([Choice(served.customer, STATISTICS, "withdrawn", "soleil-presse", surface="test")])
    found = {one["purpose"]: one for one in json.loads(browser.get(MINE + ".json").content)["choices"]}
    for whom in found[STATISTICS]["recipients"]:
        assert whom["permitted"] == permitted(served, recipient=whom["id"]), whom


def test_who_is_not_signed_in_gets_neither(stranger: Browser) -> None:
    client: TestClient = stranger.client  # type: ignore[type-arg]
    for path in (RECEIPTS, MINE, MINE + ".txt", MINE + ".json", f"{RECEIPTS}/ancien"):
        answer = client.get(path, follow_redirects=False)
        assert answer.status_code in (303, 401), path
        assert STATISTICS not in answer.text
