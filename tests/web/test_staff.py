"""The staff's pages: texts are published by two people, figures single nobody out, a text ends with its consequences told."""

from __future__ import annotations

import re
import shutil
import time

import pytest
from httpx import Response
from tests.support.publishing import STATISTICS, write_version
from tests.web.conftest import Browser, Served

from volens import app
from volens.errors import Unavailable
from volens.evidence import log
from volens.permissions.ledger import Choice
from volens.publishing.comprehension import Understanding
from volens.publishing.workflow import Person
from volens.web.staff.differences import differences
from volens.web.visitor import Customer, Nobody, Staff

NEW = f"{STATISTICS}/2"
CLAIRE = Staff("claire", "Claire Exemple", frozenset({"marketing"}))
IDRISS = Staff("idriss", "Idriss Exemple", frozenset({"dpo"}))
PAGES = ["/staff/texts", f"/staff/texts/{STATISTICS}/1", "/staff/figures", "/staff/figures?by=text", "/staff/figures?by=store"]


def test_nobody_else_comes_in(served: Served) -> None:
    with served.open() as client:
        for who in (Nobody(), Customer(1), Staff("s", "Sam Exemple", frozenset({"support"}))):
            served.visitor = who
            for page in [*PAGES, "/staff/protection", f"/staff/protection/end/{STATISTICS}/1"]:
                assert client.get(page, follow_redirects=False).status_code in (303, 401, 403), (who, page)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_page_opens(served: Served, language: str) -> None:
    with served.open() as client:
        browser = Browser(client, language)
        for who, pages in ((CLAIRE, PAGES), (IDRISS, [*PAGES, "/staff/protection", f"/staff/protection/end/{STATISTICS}/1"])):
            served.visitor = who
            for page in pages:
                answer = browser.get(page)
                assert answer.status_code == 200, page
                assert f'lang="{language}"' in answer.text


def test_whoever_publishes_reads_the_whole_text_and_what_it_changes(served: Served) -> None:
    write_version(served.house.settings.programme, word="Merci de nous lire.")
    with served.open() as client:
        served.visitor = CLAIRE
        shown = Browser(client, "en").get(f"/staff/texts/{NEW}").text
        assert "Merci de nous lire.</ins>" in shown
        assert "Thank you for reading.</ins>" in shown
        assert "Vergers du Midi SAS" in shown.split("The whole text", 1)[1], "also what did not change"
        assert "What differs from supplier-statistics/1, in force" in shown
        published = Browser(client, "en").get(f"/staff/texts/{STATISTICS}/1").text
        assert "<ins>" not in published
        assert "Vergers du Midi SAS" in published.split("The whole text", 1)[1]
    assert differences("Un mot.", "Un <b>.") == "<p>Un <del>mot.</del><ins>&lt;b&gt;.</ins></p>"


def test_a_draft_with_an_error_is_named_with_its_rule_and_what_to_do(served: Served) -> None:
    texts = served.house.settings.programme / "texts" / STATISTICS
    shutil.copytree(texts / "1", texts / "2")
    with served.open() as client:
        served.visitor = CLAIRE
        for page in ("/staff/texts", f"/staff/texts/{STATISTICS}/1"):
            answer = Browser(client).get(page)
            assert answer.status_code == 400
            assert f"texts/{STATISTICS}/2/text.yaml" in answer.text
            assert "LOAD006" in answer.text
            assert "Le programme a une erreur" in answer.text
            assert 'href="/staff"' in answer.text


def test_two_people_publish_and_one_does_not(served: Served) -> None:
    write_version(served.house.settings.programme)
    with served.open() as client:
        browser, page = Browser(client, "en"), f"/staff/texts/{NEW}"
        served.visitor = CLAIRE
        assert "Draft" in browser.get(page).text
        assert "Approved. A second person" in browser.press(page, f"{page}/step", step="approved").text
        assert served.house.programme.current_text(STATISTICS).version == 1
        shown = browser.get(page).text
        assert "You approved it. A second person publishes it." in shown
        assert 'value="published"' not in shown, "a step that is closed has no button"
        assert browser.press(page, f"{page}/step", step="published").status_code == 409
        served.visitor = IDRISS
        assert "Published. People are asked" in browser.press(page, f"{page}/step", step="published").text
    assert served.house.programme.current_text(STATISTICS).version == 2


def test_what_another_process_publishes_is_taken_over(served: Served) -> None:
    write_version(served.house.settings.programme)
    with served.open() as client, app.open_house(served.house.settings.home) as other:
        browser = Browser(client, "en")
        other.publishing.approve([NEW], Person("Claire Exemple", "marketing"))
        other.publishing.publish([NEW], Person("Idriss Exemple", "dpo"))
        until = time.monotonic() + 20
        while served.house.programme.digest != other.programme.digest and time.monotonic() < until:
            time.sleep(0.05)
        while not served.house.doorways.attending and time.monotonic() < until:
            time.sleep(0.05)
        assert served.house.programme.current_text(STATISTICS).version == 2
        assert served.house.doorways.attending, "links go on being sent at once"
        served.visitor = Customer(served.customer)
        assert browser.get("/autorisations").status_code == 200
        assert served.house.permissions.record([Choice(served.customer, STATISTICS, "given", surface="test")])


def test_a_folder_that_lies_behind_brings_nothing_back(served: Served) -> None:
    with served.house._stores.records.writing() as connection:
        log.append(connection, "public", [log.Event("programme", detail={"digest": "newer", "purposes": {}})])
    assert not served.house.keep_up()
    with pytest.raises(Unavailable, match="programme has changed"):
        served.house.permissions.record([Choice(served.customer, STATISTICS, "given", surface="test")])


def test_who_has_both_roles_is_still_one_person(served: Served) -> None:
    write_version(served.house.settings.programme)
    both = Staff("zoe", "Zoé Exemple", frozenset({"marketing", "dpo"}))
    with served.open() as client:
        browser, page = Browser(client, "en"), f"/staff/texts/{NEW}"
        served.visitor = both
        browser.press(page, f"{page}/step", step="approved", role="marketing")
        assert browser.press(page, f"{page}/step", step="published", role="dpo").status_code == 409


def test_the_preview_is_the_component_and_may_be_framed_by_us_alone(served: Served) -> None:
    with served.open() as client:
        served.visitor = CLAIRE
        browser = Browser(client)
        page = browser.get(f"/staff/texts/{STATISTICS}/1")
        assert page.text.count('width="390"') == 2, "in each language"
        assert "frame-src 'self'" in page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        for language, no, yes in (("fr", "Non", "Oui"), ("en", "No", "Yes")):
            framed = browser.get(f"/staff/texts/{STATISTICS}/1/{language}")
            assert "frame-ancestors 'self'" in framed.headers["content-security-policy"]
            assert re.findall(r'<button class="choice"[^>]*>(\w+)<', framed.text) == [no, yes]
            assert f'lang="{language}"' in framed.text


def test_figures_are_rounded_and_of_weeks_that_are_over(served: Served) -> None:
    with served.open() as client:
        served.visitor = CLAIRE
        assert "Nothing to show yet" in Browser(client, "en").get("/staff/figures").text


def test_ending_a_text_says_what_it_ends_and_takes_its_name(served: Served) -> None:
    old = f"{STATISTICS}/1"
    with served.open() as client:
        served.visitor = IDRISS
        browser, page = Browser(client, "en"), f"/staff/protection/end/{old}"
        shown = browser.get(page).text
        assert "1 person&#39;s yes ends" in shown or "1 person's yes ends" in shown
        assert "Vergers du Midi SAS" in shown
        assert browser.press(page, f"{page}/confirmed", why="a wrong name", text="another").status_code == 400
        assert browser.press(page, f"{page}/confirmed", why="", text=old).status_code == 400
        assert any(row.permits for row in served.house.permissions.of_customer(served.customer) if row.purpose == STATISTICS)
        answer = browser.press(page, f"{page}/confirmed", why="a wrong name", text=old)
        assert "The text has ended" in answer.text
    assert not any(row.permits for row in served.house.permissions.of_customer(served.customer) if row.purpose == STATISTICS)
    assert served.house.audit().ok


def test_who_is_late_is_shown(served: Served) -> None:
    with served.open() as client:
        served.visitor = IDRISS
        assert "Everybody has confirmed" in Browser(client, "en").get("/staff/protection").text


def test_a_trial_starts_with_the_component_that_customers_see(served: Served) -> None:
    write_version(served.house.settings.programme)
    with served.open() as client:
        browser, page = Browser(client, "en"), f"/staff/texts/{NEW}"
        served.visitor = CLAIRE
        browser.press(page, f"{page}/step", step="approved")
        served.visitor = IDRISS
        answer = browser.press(page, f"{page}/step", step="trial", people="100", days="7")
        assert "The comparison has begun" in answer.text
        assert "There is no result before the end" in answer.text
        (running,) = served.house.publishing.trials()
        assert browser.press(page, f"/staff/texts/comparisons/{running.trial.trial}", step="conclude").status_code == 409
        stopped = browser.press(page, f"/staff/texts/comparisons/{running.trial.trial}", step="stop", why="The shop closes.")
        assert "Stopped without a result" in stopped.text


USE = f"/autorisations/usage/{STATISTICS}"


def choose(browser: Browser, say: str) -> Response:
    return browser.press(USE, "/autorisations/choix", say=say, purpose=STATISTICS, text=f"{STATISTICS}/1", back=USE)


@pytest.mark.parametrize("say", ["yes", "no"])
def test_after_a_choice_the_question_comes_and_passing_is_one_tap(
    served: Served, say: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.house.permissions.record([Choice(served.customer, STATISTICS, "withdrawn" if say == "yes" else "given")])
    monkeypatch.setattr(served.house.publishing._understanding, "_draw", lambda below: 0)
    with served.open() as client:
        browser = Browser(client, "en")

        def send(page: Response, answer: str) -> Response:
            token, number = (re.search(f'name="{name}" value="([^"]+)"', page.text) for name in ("_csrf_token", "number"))
            assert token is not None
            assert number is not None
            fields = {"_csrf_token": token[1], "number": number[1], "answer": answer, "back": USE}
            return client.post("/autorisations/compris", data=fields, headers={"accept-language": "en"})

        first, _, second = (choose(browser, one) for one in (say, "yes" if say == "no" else "no", say))
        assert "what do suppliers receive" in first.text
        assert send(first, "skipped").url.path == USE
        assert send(first, "1").url.path == USE, "who answers twice is not troubled with it"
        told = send(second, "0").text
        assert "Figures in which nobody is recognised." in told
        assert "Your choice stands" in told


def test_most_choices_are_followed_by_nothing(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.house.publishing._understanding, "_draw", lambda below: 99 % below)
    with served.open() as client:
        assert "question=" not in str(choose(Browser(client), "no").url)


def test_a_broken_question_never_breaks_the_choice(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(self: Understanding, *_: object, **__: object) -> None:
        raise Unavailable("The records do not answer.")

    monkeypatch.setattr(Understanding, "question", down)
    with served.open() as client:
        assert choose(Browser(client), "no").status_code == 200
    assert not any(row.permits for row in served.house.permissions.of_customer(served.customer) if row.purpose == STATISTICS)
