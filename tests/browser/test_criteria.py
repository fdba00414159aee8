"""What is measured of the pages, by the numbers of `docs/seen-in-a-browser.md`: each test is one criterion or one pattern.

M12 and M13 on every page are `test_every_page.py`. M16 and M19 to M22 are measured without a browser, where that page says.
"""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from litestar.response import Template
from tests.browser.pages import HOME, PAGES
from tests.browser.patterns import CHECKS, unequal
from tests.browser.site import EVERYTHING, Site
from tests.browser.survey import survey
from tests.browser.walks import clicks
from tests.browser.ways import NO, REFUSE_ALL, YES, Ways, of_purpose, steps
from tests.support.house import STATISTICS

from volens.programme import reading

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
WORDS_FIRST_MAX = 90
TARGET_PX = 44
FIRST_LOAD_BYTES = 60_000
WORDS_A_MINUTE, SECONDS_A_CLICK, NOVICE_SECONDS = 200, 1.0, 20.0
SHORT_WORDS = 12
UNLISTED = frozenset({"/connexion/lien/{token:str}"})
"""Pages that are not on the list: a link to sign in has the same page as other links when it is old, and signs in otherwise."""
WORD = re.compile(r"[^\W_]+(?:[-'’@./][^\W_]+)*")


@pytest.fixture(scope="module")
def ways(site: Site, chromium: Browser) -> Ways:
    """Each page read once."""
    return Ways(site, chromium)


def refuse_all(page: Page, language: str = "fr") -> None:
    page.get_by_role("button", name=REFUSE_ALL[language], exact=True).click()


def test_m1_the_centre_is_two_clicks_away_from_every_page_and_one_from_every_page_of_ones_own(ways: Ways) -> None:
    graph: dict[str, set[str]] = {}
    for _, language, width, page in ways.seen():
        if language == "fr" and width == 390:
            graph.setdefault(page.address, set()).update(urlsplit(one.url).path for one in page.links if one.shown)
    far = {page: clicks(graph, page) for page in graph}
    assert {page: count for page, count in far.items() if count is None or count > (1 if page.startswith(HOME) else 2)} == {}


def test_m2_refusing_everything_is_one_click_without_a_question_and_can_be_taken_back_for_ten_minutes(
    site: Site, chromium: Browser
) -> None:
    who = site.person(EVERYTHING)
    before, asked = site.hand.instant, []
    with site.open(chromium, who) as page:
        page.on("dialog", lambda one: (asked.append(one.message), one.accept()))
        page.goto(HOME)
        refuse_all(page)
        assert site.permitted(who) == set()
        assert not asked
        undo = page.get_by_role("button", name="Annuler ce refus")
        assert undo.is_visible()
        site.hand.pass_minutes(9)
        page.goto(HOME)
        assert undo.is_visible()
        site.hand.pass_minutes(2)
        page.goto(HOME)
        assert undo.count() == 0
    site.hand.instant = before


def test_m3_refusing_one_use_is_one_click(site: Site, chromium: Browser) -> None:
    who = site.person(STATISTICS, "email-marketing")
    with site.open(chromium, who) as page:
        page.goto(f"{HOME}/choisir")
        of_purpose(page, STATISTICS, NO["fr"]).click()
        assert site.permitted(who) == {"email-marketing"}


def test_m4_refusing_takes_no_more_steps_than_permitting(ways: Ways) -> None:
    for purpose, start in ((STATISTICS, f"{HOME}/marques"), ("email-marketing", f"{HOME}/choisir")):
        yes = steps(ways, ways.person(), purpose, YES["en"], True, start=start, language="en")
        no = steps(ways, ways.person(purpose), purpose, NO["en"], False, start=start, language="en")
        assert yes is not None
        assert no is not None
        assert no / yes <= 1


def test_m5_three_presses_of_the_keyboard_reach_the_refusal(site: Site, chromium: Browser) -> None:
    with site.open(chromium, "camille") as page:
        page.goto(HOME)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # the first stop leads past the menu
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent").strip() == "Tout refuser"


def test_m6_and_m7_no_is_as_large_and_as_readable_as_yes(ways: Ways) -> None:
    pairs = [(at.name, language, width, pair) for at, language, width, page in ways.seen() for pair in page.pairs()]
    assert len(pairs) > 100
    assert [(name, language, width, why) for name, language, width, pair in pairs for why in unequal(pair)] == []


def test_m8_everything_to_press_is_large_enough_for_a_thumb(ways: Ways) -> None:
    small = set()
    for at, language, width, page in ways.seen():
        targets = [(one.label, one.box) for one in page.links if one.shown and one.alone and not one.skip]
        targets += [(one.label, one.box) for one in page.controls if one.shown and one.type not in ("radio", "checkbox")]
        small |= {
            f"{at.name} {language} {width}: {label} {box[2]:.0f} × {box[3]:.0f}" for label, box in targets
            if box[3] < TARGET_PX - 0.5 or box[2] < TARGET_PX - 0.5
        }  # fmt: skip
    assert not small, "\n".join(sorted(small))


def test_m9_what_was_done_is_announced(site: Site, chromium: Browser) -> None:
    who = site.person(STATISTICS)
    with site.open(chromium, who) as page:
        page.goto(HOME)
        refuse_all(page)
        assert page.get_by_role("status").inner_text() == "C'est fait. Tout est refusé."
        assert page.title().startswith("C'est fait. Tout est refusé."), "a new page is announced by its title"


def test_m10_without_javascript_everything_works(site: Site, chromium: Browser) -> None:
    who = site.person()
    with site.open(chromium, who, java_script_enabled=False) as page:
        page.goto(HOME)
        page.get_by_role("button", name="Choisir").click()
        of_purpose(page, STATISTICS, YES["fr"]).click()
        assert site.permitted(who) == {STATISTICS}
        of_purpose(page, STATISTICS, NO["fr"]).click()
        assert site.permitted(who) == set()
        of_purpose(page, STATISTICS, YES["fr"]).click()
        page.goto(HOME)
        refuse_all(page)
        assert site.permitted(who) == set()
        page.get_by_role("button", name="Annuler ce refus").click()
        assert site.permitted(who) == {STATISTICS}


def test_m11_without_an_account_a_receipts_address_refuses_in_one_tap(site: Site, chromium: Browser) -> None:
    who = site.person(STATISTICS, "email-marketing")
    with site.open(chromium) as page:
        page.goto(site.doorway(who))
        refuse_all(page)
        assert site.permitted(who) == set()
        assert "Camille" not in page.content()


def test_from_a_receipts_address_is_it_sold_to_whom_and_stop_it_take_three_taps_at_most(site: Site, chromium: Browser) -> None:
    who, taps = site.person(STATISTICS), 0
    with site.open(chromium, who) as page:
        page.goto(site.doorway(who))
        page.get_by_role("link", name="Voir ou changer mes choix").click()
        taps += 1
        answer = page.locator(".sold").inner_text()
        assert "Vendez-vous ce que j'achète\u00a0?" in answer
        assert "Oui." in answer
        assert "Vergers du Midi SAS" in answer
        refuse_all(page)
        taps += 1
        assert site.permitted(who) == set()
        assert page.locator(".sold strong").inner_text() == "Non."
    assert taps <= 3


def test_m14_what_the_centre_shows_is_easily_read(ways: Ways) -> None:
    """Names, addresses and the labels of controls are not sentences and are left out."""
    hard = []
    for at, language, width, page in ways.seen():
        if width != 390:
            continue
        text = sentences([one.text for one in page.blocks if one.inside == "main"], ways.site)
        found = reading.measure(text, language)
        if found.ease < reading.EASE_MIN or found.words_per_sentence > reading.SENTENCE_WORDS_MEAN:
            hard.append(f"{at.name} {language}: ease {found.ease:.0f}, {found.words_per_sentence:.1f} words a sentence")
    assert not hard, "\n".join(hard)


def sentences(blocks: list[str], site: Site) -> str:
    """What is read as text, without the names of companies and without what is listed."""
    programme = site.house.programme
    names = [one.legal_name for one in programme.recipients.values()] + [one.legal_name for one in programme.controllers.values()]
    found = []
    for block in blocks:
        for name in names:
            block = re.sub(rf"(?:(?:, | et | and ){re.escape(name)})+", "", block).replace(name, "Le Panier")
        if len(WORD.findall(block)) >= 4 and block[-1] in ".?:":
            found.append(block)
    return "\n\n".join(found) or "Non."


def test_m15_the_first_screen_is_ninety_words_at_most_and_needs_no_scrolling(ways: Ways) -> None:
    long = []
    for at, language, width, page in ways.seen():
        if at.path == HOME and width == 390:
            count = len(WORD.findall(page.text))
            if count > WORDS_FIRST_MAX or page.high > page.window[1]:
                long.append(f"{at.name} {language}: {count} words, {page.high} px of {page.window[1]}")
    assert not long, "\n".join(long)


def test_m17_no_page_asks_anything_of_another_server(site: Site, chromium: Browser) -> None:
    asked: set[str] = set()
    for who in ("camille", "nobody"):
        with site.open(chromium, who) as page:
            page.on("request", lambda one: asked.add(f"{urlsplit(one.url).scheme}://{urlsplit(one.url).netloc}"))
            for at in PAGES:
                if at.who == who:
                    page.goto(site.path(at.path))
    assert {one for one in asked if not one.startswith("data:")} == {site.base}


def test_m18_the_first_load_is_sixty_kilobytes_at_most(site: Site, chromium: Browser) -> None:
    with site.open(chromium, "willing") as page:
        bodies: list[bytes] = []
        page.on("requestfinished", lambda one: bodies.append(one.response().body()))
        page.goto(HOME, wait_until="networkidle")
        packed = sum(len(gzip.compress(one)) for one in bodies)
        print(f"M18: {len(bodies)} answers, {sum(map(len, bodies))} bytes, {packed} packed")
        assert packed <= FIRST_LOAD_BYTES
        assert sum(map(len, bodies)) <= FIRST_LOAD_BYTES, "also as they are sent, without packing"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_m23_a_model_of_a_novice_reads_and_refuses_within_twenty_seconds(language: str, site: Site, chromium: Browser) -> None:
    """A model, not people: every word up to the control at 200 a minute, and a second a click, from the front door."""
    seconds, who = 0.0, site.person(STATISTICS, "email-marketing")
    with site.open(chromium, who, language) as page:
        page.goto("/")
        for control in (page.locator('main a[href="/autorisations"]'), page.get_by_role("button", name=REFUSE_ALL[language])):
            before = control.evaluate(
                "(node) => { const range = document.createRange(); range.setStart(document.querySelector('main'), 0);"
                " range.setEndAfter(node); return range.toString(); }"
            )
            seconds += len(WORD.findall(before)) * 60 / WORDS_A_MINUTE + SECONDS_A_CLICK
            control.click()
    print(f"M23 ({language}): the model needs {seconds:.1f} s")
    assert seconds <= NOVICE_SECONDS


def test_m24_nothing_moves_and_forced_colours_and_right_to_left_keep_their_shape(site: Site, chromium: Browser) -> None:
    with site.open(chromium, "camille") as page:
        for path in (HOME, f"{HOME}/marques"):
            page.emulate_media(reduced_motion="reduce", forced_colors="active")
            page.goto(path)
            found = survey(page)
            assert found.moving == 0
            assert all(one.border > 0 for one in found.controls if one.shown and one.pair), "buttons keep an edge"
            for chosen in page.locator("[aria-pressed=true]").all():
                assert chosen.evaluate("(node) => getComputedStyle(node).outlineStyle") == "solid", "what stands is seen"
            page.evaluate("document.documentElement.dir = 'rtl'")
            assert survey(page).wide <= 0


def test_m25_the_answers_can_be_printed(site: Site, chromium: Browser) -> None:
    with site.open(chromium, "camille") as page:
        page.goto(f"{HOME}/choisir")
        page.emulate_media(media="print")
        shown = page.locator("main").inner_text().replace("\u00a0", " ")
        assert "Votre réponse : oui" in shown
        assert "Vous n'avez rien dit" in shown
        assert not page.get_by_role("button", name=NO["fr"]).first.is_visible()
        assert page.pdf().startswith(b"%PDF")
        assert programme_words(site) in page.request.get(f"{HOME}/mes-choix.txt").text(), "and kept as plain text"


def programme_words(site: Site) -> str:
    """What the statistics are called."""
    return site.house.programme.purpose(STATISTICS).plain["fr"]


def test_the_list_has_every_page_that_is_served(site: Site) -> None:
    """A page that is not in `pages.PAGES` is a page that nobody looked at."""
    listed = [re.sub(r"\{.*?\}", "X", at.path) for at in PAGES]
    missing = []
    for route in site.planter.inner.routes:
        for handler in getattr(route, "route_handlers", ()):
            if "GET" not in handler.http_methods or handler.parsed_fn_signature.return_type.annotation is not Template:
                continue
            shape = re.sub(r"\{[^}]*\}", "[^/]+", route.path)
            if not any(re.fullmatch(shape, path) for path in listed) and route.path not in UNLISTED:
                missing.append(route.path)
    assert not missing, f"add a line to tests/browser/pages.py for: {', '.join(sorted(missing))}"


@pytest.mark.parametrize("number", CHECKS)
def test_the_site_has_none_of_the_pattern(number: str, ways: Ways) -> None:
    found = sorted(set(CHECKS[number](ways)))
    assert not found, "\n".join(found)
