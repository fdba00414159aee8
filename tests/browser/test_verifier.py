"""The page that checks receipts, in a real browser, from the disk and without a network: it says what the command line says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.house import STATISTICS
from tests.support.receipts import put, tampered
from tests.support.serving import serving
from tests.support.witnesses import answering, fresh

from volens.app import initialise
from volens.clock import fixed
from volens.evidence.groups import EXPIRY, GroupRow, append_group, prepare
from volens.evidence.log import EVENTS
from volens.evidence.verify import TITLES, Verdict, verify_bytes
from volens.evidence.witness_client import WitnessAt, Witnesses
from volens.permissions.ledger import Choice
from volens.permissions.state import DPV_STATUS
from volens.web.customers.verifier import saved
from volens.web.server import application

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OWN_WORDS = ("is not readable JSON", "the older checkpoint does not hold")
"""What Python's own parsers say, and the page's parsers say otherwise."""


@dataclass(frozen=True)
class Held:
    """What one customer holds of a house: two receipts of two days, the second proving that the log continues the first."""

    first: bytes
    second: bytes
    plain: bytes
    """The second without that proof."""
    row: bytes
    """One row of an event of many."""
    note: bytes
    key: str
    fingerprint: str
    witness: str
    stranger: str


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Held:
    """Made by a real house with a real witness."""
    folder = tmp_path_factory.mktemp("held")
    with initialise(folder / "house", customers=1_000, clock=fixed(NOW)) as house:
        house._vault.identify("card", ["C1", "C2", "C3"])

        def say(kind: str) -> int:
            return house.permissions.record([Choice(1, STATISTICS, kind, language="fr", surface="formulaire en caisse")])[0]

        older = folder / "older.json"
        older.write_bytes(house.receipts.receipt(1, say("given")))
        text = house.programme.current_text(STATISTICS).id
        rows = [GroupRow("expired", customer, STATISTICS, "*", text, "2026-03-02") for customer in (2, 3, 2)]
        with house._stores.records.writing() as connection:
            group = append_group(connection, EXPIRY, prepare(rows), {})
        seq = say("withdrawn")
        witness = fresh(folder / "w", clock=house.clock)
        witness.add_log(house.log_key)
        with answering(witness) as server:
            house.checkpoint()
            Witnesses(house._outside, (WitnessAt(server.url, witness.key),), house.clock).ask()
        newest = house._outside.latest(EVENTS)
        assert newest is not None
        second = house.receipts.receipt(1, seq, older)
        found = verify_bytes(second).key
        assert found is not None
        return Held(
            older.read_bytes(), second, house.receipts.receipt(1, seq), house.receipts.receipt(2, group, place=2),
            house._outside.note(EVENTS, newest.size).encode(), house.log_key, found.fingerprint, str(witness.key),
            str(fresh(folder / "w2", name="other.example").key),
        )  # fmt: skip


@dataclass
class Reader:
    """Somebody with the saved page and some files."""

    page: Page
    requests: list[str]

    def check(
        self, stored: bytes, *, key: str = "", witnesses: tuple[str, ...] = (), older: bytes | None = None
    ) -> list[tuple[str, Any, str]]:
        """Gives the files to the page and reads the steps that it shows: name, whether it held, what it says."""
        self.page.set_input_files("#receipt", {"name": "recu.json", "mimeType": "application/json", "buffer": stored})
        self.page.locator("details").evaluate("found => { found.open = true }")
        self.page.set_input_files("#older", [] if older is None else [{"name": "old", "mimeType": "text/plain", "buffer": older}])
        self.page.fill("#key", key)
        self.page.fill("#witnesses", "\n".join(witnesses))
        self.page.evaluate("() => { document.getElementById('steps').replaceChildren() }")
        self.page.click("form button")
        self.page.wait_for_selector("#steps li")
        lines = self.page.evaluate(
            "() => [...document.querySelectorAll('#steps li')].map(one => "
            "[one.dataset.step, JSON.parse(one.dataset.ok), one.querySelector('.detail').textContent])"
        )
        return [(name, ok, said) for name, ok, said in lines]

    @property
    def verdict(self) -> str:
        """yes, no or open."""
        found = self.page.get_attribute("#result", "data-verdict")
        assert found is not None
        return found


@pytest.fixture
def reader(chromium: Browser, tmp_path: Path) -> Iterator[Reader]:
    """The page as `volens verify --page` writes it, opened from the disk, in English."""
    (tmp_path / "verifier.html").write_text(saved(), encoding="utf-8")
    with chromium.new_context(locale="en-GB", offline=True) as context:
        page, requests, problems = context.new_page(), list[str](), list[str]()
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.goto((tmp_path / "verifier.html").as_uri())
        yield Reader(page, requests)
        assert not problems
        assert requests == [(tmp_path / "verifier.html").as_uri()], "the page asked for something"


def told(verdict: Verdict) -> list[tuple[str, Any, str]]:
    return [(step.name, step.ok, step.detail) for step in verdict.steps]


def require_same(of: str, page: list[tuple[str, Any, str]], command: list[tuple[str, Any, str]]) -> None:
    """The same steps with the same verdicts and the same sentences."""
    assert [one[:2] for one in page] == [one[:2] for one in command], (of, page, command)
    for (_, _, here), (_, _, there) in zip(page, command, strict=True):
        if not any(words in there for words in OWN_WORDS):
            assert here == there, of


def test_true_receipts_are_verified_as_the_command_line_verifies_them(reader: Reader, held: Held, tmp_path: Path) -> None:
    asked: list[tuple[bytes, dict[str, Any]]] = [
        (held.first, {}), (held.row, {}), (held.second, {"key": held.key}), (held.second, {"key": f" {held.fingerprint.upper()} "}),
        (held.second, {"older": held.first}), (held.first, {"older": held.first}), (held.plain, {"older": held.note}),
        (held.second, {"witnesses": (held.witness,)}),
        (held.second, {"older": held.first, "key": held.key, "witnesses": (held.witness,)}),
    ]  # fmt: skip
    for stored, options in asked:
        page = reader.check(stored, **options)
        assert reader.verdict == "yes", page
        require_same(str(options), page, told(command(tmp_path, stored, **options)))


def command(
    folder: Path, stored: bytes, key: str | None = None, witnesses: tuple[str, ...] = (), older: bytes | None = None
) -> Verdict:
    """What `volens verify` says about the same files."""
    since = None
    if older is not None:
        since = folder / "since"
        since.write_bytes(older)
    return verify_bytes(stored, since, key, witnesses)


def test_every_forgery_fails_at_the_step_where_the_command_line_fails(reader: Reader, held: Held, tmp_path: Path) -> None:
    forgeries = list(tampered(held.second))
    assert len(forgeries) > 50
    for name, forged, step in forgeries:
        page = reader.check(forged, key=held.key)
        assert reader.verdict == "no", name
        assert step in {one for one, ok, _ in page if not ok}, (name, page)
        require_same(name, page, told(command(tmp_path, forged, key=held.key)))


def test_an_older_file_another_key_and_a_witness_that_do_not_fit(reader: Reader, held: Held, tmp_path: Path) -> None:
    value = json.loads(held.second)
    rewritten = put(value, ("consistency", 0, "proof"), ["00" * 32] * len(value["consistency"][0]["proof"]))
    forged_cosignature = held.second.replace(b"w.example", b"w.examplf")
    other = held.key.replace("volens/le-panier", "volens/other")
    asked: list[tuple[str, bytes, dict[str, Any], str]] = [
        ("no proof", held.plain, {"older": held.first}, "since"),
        ("a proof that does not lead there", rewritten, {"older": held.first}, "since"),
        ("in reverse", held.first, {"older": held.second}, "since"),
        ("an older one that was tampered with", held.second, {"older": held.first.replace(b'"given"', b'"refused"')}, "since"),
        ("an older note that was tampered with", held.second, {"older": held.note.replace(b"\n", b"\n\n", 1)}, "since"),
        ("an older one that is nothing", held.second, {"older": b"\xff"}, "since"),
        ("another key", held.second, {"key": "0000 1111"}, "key"),
        ("another house's key", held.second, {"key": other}, "key"),
        ("a witness that did not sign", held.second, {"witnesses": (held.stranger,)}, "witness"),
        ("a witness that is none", held.second, {"witnesses": ("nonsense",)}, "witness"),
        ("a log's key as a witness", held.second, {"witnesses": (held.key,)}, "witness"),
        ("one witness of two", forged_cosignature, {"witnesses": (held.witness, held.stranger)}, "witness"),
    ]
    for name, stored, options, step in asked:
        page = reader.check(stored, **options)
        assert [one for one, ok, _ in page if not ok] == [step], (name, page)
        require_same(name, page, told(command(tmp_path, stored, **options)))


def test_numbers_and_letters_are_hashed_as_the_house_hashes_them(reader: Reader) -> None:
    """Entries hold no fractions and no odd keys today; a verifier that hashed them otherwise would call a true receipt false."""
    from volens.evidence.merkle import canonical_json

    odd = {
        "\uffff": 1, "\U0001f34a": [1.0, 0.1, 1e16, 1e15, 123456.789, 1e-4, 1.5e-5, 1e-7, -0.0, 5e-324, 1.797e308, 1e22],
        "é": (1 << 70) - 1, "": -5, "\x7f\u2028": "\x00\x1f\"\\/\b\n\u00e9\u2028\U0001f34a", "a": {"b": [True, None, False, {}]},
    }  # fmt: skip
    for written in (json.dumps(odd), json.dumps(odd, ensure_ascii=False)):
        script = "text => new TextDecoder().decode(canonical(readJson(new TextEncoder().encode(text), 'the-receipt')))"
        assert reader.page.evaluate(script, written) == canonical_json(odd).decode()


def test_every_sentence_is_the_command_line_s_and_has_its_french(reader: Reader) -> None:
    words = reader.page.evaluate("() => WORDS")
    titles = {name.removeprefix("title."): english for name, (english, _) in words.items() if name.startswith("title.")}
    assert titles == {name: TITLES[name] for name in titles}
    assert len(titles) == 9
    for name, (english, french) in words.items():
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", french)), name
        assert "!" not in english + french
    sentences = set(re.findall(r'sentence\("([\w.-]+)"|(?:Broken|BadNote|wrong)\("([\w.-]+)"', saved()))
    assert {one or other for one, other in sentences} <= set(words)
    assert reader.page.evaluate("() => STATUS") == DPV_STATUS


def test_a_browser_that_lacks_ed25519_says_so_and_never_says_verified(chromium: Browser, held: Held, tmp_path: Path) -> None:
    (tmp_path / "verifier.html").write_text(saved(), encoding="utf-8")
    with chromium.new_context(locale="fr-FR") as context:
        page = context.new_page()
        page.add_init_script(
            "crypto.subtle.importKey = () => Promise.reject(new DOMException('Algorithm: Unrecognized name', 'NotSupportedError'))"
        )
        page.goto((tmp_path / "verifier.html").as_uri())
        reader = Reader(page, [])
        steps = reader.check(held.second, older=held.first)
        assert reader.verdict == "open"
        assert {name: ok for name, ok, _ in steps} == {
            "receipt": True, "told": True, "text": True, "inclusion": True, "commitment": True, "signature": None, "since": None
        }  # fmt: skip
        assert "navigateur plus récent" in page.inner_text("#means")
        assert reader.check(put(json.loads(held.second), ("house",), "x"))[1][1] is False
        assert reader.verdict == "no"


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_it_can_be_read_by_everybody(chromium: Browser, held: Held, tmp_path: Path, language: str, scheme: Any, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    (tmp_path / "verifier.html").write_text(saved(), encoding="utf-8")
    context = chromium.new_context(locale=language, color_scheme=scheme, viewport={"width": width, "height": 844})
    with context:
        page = context.new_page()
        page.goto((tmp_path / "verifier.html").as_uri())
        assert page.get_attribute("html", "lang") == language
        reader = Reader(page, [])
        for stored in (None, held.second, put(json.loads(held.second), ("house",), "x")):
            if stored is not None:
                reader.check(stored)
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_is_used_by_keyboard_alone_and_its_language_changes_without_losing_the_result(reader: Reader, held: Held) -> None:
    page = reader.page
    reader.check(held.second)
    assert page.evaluate("document.activeElement.id") == "verdict"
    page.reload()
    reader.requests.pop()
    page.set_input_files("#receipt", {"name": "r.json", "mimeType": "application/json", "buffer": held.first})
    seen = []
    for _ in range(8):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        if page.evaluate("document.activeElement.matches('form button')"):
            break
    assert seen == ["A", "A", "receipt", "key", "SUMMARY", "BUTTON"]
    page.keyboard.press("Enter")
    page.wait_for_selector("#steps li")
    assert page.inner_text("#verdict") == "Verified: every step holds"
    page.focus("a[data-language=fr]")
    page.keyboard.press("Enter")
    assert page.inner_text("#verdict") == "Vérifié\u00a0: chaque étape tient"
    assert page.get_attribute("html", "lang") == "fr"
    assert page.locator("#facts dd").first.inner_text() == "Oui"
    assert "formulaire en caisse" in page.inner_text("#facts")


def test_without_a_file_it_asks_for_one(reader: Reader) -> None:
    reader.page.click("form button")
    assert reader.page.inner_text("#told") == "Choose a receipt first."
    assert reader.page.evaluate("document.activeElement.id") == "receipt"


def test_the_served_page_works_under_the_server_s_policy_and_gives_itself_away(
    chromium: Browser, held: Held, tmp_path: Path
) -> None:
    with initialise(tmp_path / "house", customers=1_000, clock=fixed(NOW)) as house:
        with serving(application(house, local=True)) as address, chromium.new_context(locale="en-GB") as context:
            page, requests, problems = context.new_page(), list[str](), list[str]()
            page.on("request", lambda request: requests.append(request.url))
            page.on("console", lambda message: problems.append(message.text))
            page.goto(f"{address}/verifier")
            assert all(step[1] for step in Reader(page, []).check(held.second, key=held.key))
            assert all(url.startswith(address) for url in requests)
            assert not problems
            with page.expect_download() as given:
                page.click("#save")
            kept = tmp_path / "kept.html"
            given.value.save_as(kept)
        assert kept.read_text(encoding="utf-8") == saved()


def test_the_saved_page_could_not_send_anything_if_it_wanted_to(chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "verifier.html").write_text(saved(), encoding="utf-8")
    with chromium.new_context() as context:
        page, refused = context.new_page(), list[str]()
        page.on("console", lambda message: refused.append(message.text))
        page.goto((tmp_path / "verifier.html").as_uri())
        page.evaluate("() => { new Image().src = 'https://volens.example/?receipt' }")
        page.evaluate("() => fetch('https://volens.example/').catch(() => 0)")
        page.wait_for_timeout(100)
    assert len(refused) >= 2
    assert all("Content Security Policy" in one for one in refused)
