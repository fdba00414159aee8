"""Paper: printed from the programme, entered by named staff, proven by its scan. On both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text as sql
from tests.conftest import Urls
from tests.support.asking import MAIL, REMINDERS, STATISTICS, house_that_asks, people
from tests.support.shop import HandClock

from volens.app import House
from volens.asking import codes, paper, scans
from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS, PUBLIC
from volens.permissions.ledger import Choice
from volens.programme.model import digest

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n%%EOF\n"
BY = "Alice Exemple"


@pytest.fixture
def hand() -> HandClock:
    return HandClock()


@pytest.fixture
def house(urls: Urls, tmp_path: Path, hand: HandClock) -> Iterator[House]:
    with house_that_asks(tmp_path, hand, urls.records) as made:
        yield made


@pytest.fixture
def camille(house: House) -> int:
    return people(house)[0]


def test_a_form_is_printed_whole_with_two_boxes_of_one_size(house: House) -> None:
    form = house.asking.paper.form("fr", [REMINDERS, STATISTICS])
    assert list(form.sections) == [REMINDERS, STATISTICS]
    assert "Six fournisseurs nous paient pour des chiffres sur les achats." in form.html
    assert "Vergers du Midi SAS" in form.html, "the whole text is on it"
    assert form.code in form.html
    assert "<svg" in form.html
    boxes = re.findall(r'<p class="boxes">(.*?)</p>', form.html)
    assert set(boxes) == {'<span class="box"><i></i>Non</span><span class="box"><i></i>Oui</span>'}
    assert not re.search(r"(src|href)=|checked|<script|<input", form.html), "nothing is loaded, nothing is ticked"
    assert house.asking.paper.form("fr", [REMINDERS, STATISTICS]) == form, "the same form has the same code"
    english = house.asking.paper.form("en")
    assert english.code != form.code
    assert ">Yes<" in english.html
    with house._stores.records.reading() as connection:
        told = [row.said() for row in log.rows(connection, PUBLIC, kinds=[paper.PRINTED])]
    assert [one["code"] for one in told] == [form.code, english.code]
    section = re.search(r"<section.*?</section>", form.html, re.S)
    assert section is not None
    assert told[0]["sections"][REMINDERS] == ["basket-reminder/1", digest(section[0])]
    with pytest.raises(NotFound):
        house.asking.paper.form("fr", ["loyalty", "astrology"])
    with pytest.raises(NotFound):
        house.asking.paper.form("de")


def test_a_form_is_entered_with_its_scan_as_proof(house: House, camille: int) -> None:
    form = house.asking.paper.form("fr")
    typed = form.code.lower().replace("-", "")
    done = house.asking.paper.enter(camille, by=BY, code=typed, yes=[REMINDERS], no=[STATISTICS], scan=PDF)
    assert [(purpose, kind) for purpose, kind, _ in done.said] == [(STATISTICS, "refused"), (REMINDERS, "given")]
    yes = next(one for one in house.permissions.history(camille) if one.kind == "given")
    assert yes.how["surface"] == "paper"
    text, rendered = form.sections[REMINDERS]
    assert yes.how["proof"] == {
        "by": BY, "form": form.code, "scan_sha256": sha256(PDF).hexdigest(),
        "text_sha256": house.programme.text(text).digest("fr"), "rendered_sha256": rendered,
    }  # fmt: skip
    assert done.scan is not None
    assert house.asking.paper.scan(camille, done.scan, by=BY) == ("application/pdf", PDF)
    with house._stores.records.reading() as connection:
        assert log.latest(connection, EVENTS, paper.OPENED) is not None, "who opened it is on record"
        sealed = connection.execute(sql("select sealed from scans")).scalar_one()
    assert b"PDF" not in bytes(sealed)
    house.checkpoint()
    assert house.audit().ok


def test_the_same_scan_is_entered_once(house: House, camille: int) -> None:
    form = house.asking.paper.form("fr")
    house.asking.paper.enter(camille, by=BY, code=form.code, yes=[REMINDERS], scan=PDF)
    with pytest.raises(NotNow, match="entered already"):
        house.asking.paper.enter(camille, by=BY, code=form.code, yes=[REMINDERS], scan=PDF)
    (claude,) = people(house, ["CLAUDE-1"])
    assert house.asking.paper.enter(claude, by=BY, code=form.code, yes=[REMINDERS], scan=PDF).said


def test_the_same_scan_completes_what_was_refused_once(house: House, camille: int) -> None:
    form = house.asking.paper.form("fr", [REMINDERS])
    enter = house.asking.paper.enter
    first = enter(camille, by=BY, code="typo", yes=[REMINDERS], no=[STATISTICS], scan=PDF)
    assert first.refused == {REMINDERS: paper.NO_CODE}
    assert first.scan is not None
    house.permissions.record([Choice(camille, STATISTICS, "given", surface="website")])
    again = enter(camille, by=BY, code=form.code, yes=[REMINDERS], no=[STATISTICS], scan=PDF)
    assert [(purpose, kind) for purpose, kind, _ in again.said] == [(REMINDERS, "given")], "her answer is newer"
    assert again.scan not in (None, first.scan)
    with pytest.raises(NotNow, match="entered already"):
        enter(camille, by=BY, code=form.code, yes=[REMINDERS], no=[STATISTICS], scan=PDF)
    house.checkpoint()
    assert house.audit().ok


def test_a_scan_completes_nothing_that_the_person_answered_since(house: House, camille: int) -> None:
    form = house.asking.paper.form("fr", [REMINDERS])
    enter = house.asking.paper.enter
    enter(camille, by=BY, code="typo", yes=[REMINDERS], no=[STATISTICS], scan=PDF)
    house.permissions.record([Choice(camille, REMINDERS, "refused", surface="website")])
    assert enter(camille, by=BY, code=form.code, yes=[REMINDERS], scan=PDF).refused == {REMINDERS: paper.NEWER}
    with pytest.raises(NotNow, match="entered already"):
        enter(camille, by=BY, code=form.code, yes=[MAIL], scan=PDF)


def test_a_no_is_taken_in_any_case_and_a_yes_needs_everything(house: House, camille: int) -> None:
    form = house.asking.paper.form("fr", [REMINDERS])
    enter = house.asking.paper.enter
    for code in ("", "never printed", codes.code_of(b"another"), form.code):
        assert enter(camille, by=BY, code=code, no=[REMINDERS]).said
    assert enter(camille, by=BY, code="typo", yes=[REMINDERS], scan=PDF).refused == {REMINDERS: paper.NO_CODE}
    assert enter(camille, by=BY, code=codes.code_of(b"other"), yes=[REMINDERS], scan=PDF).refused == {REMINDERS: paper.UNKNOWN}
    assert enter(camille, by=BY, code=form.code, yes=[MAIL], scan=PDF).refused == {MAIL: paper.NOT_ON_IT}
    assert enter(camille, by=BY, code=form.code, yes=[REMINDERS]).refused == {REMINDERS: paper.NO_SCAN}
    both = enter(camille, by=BY, code=form.code, yes=[REMINDERS, MAIL], no=[REMINDERS, STATISTICS], scan=PDF)
    assert {purpose: kind for purpose, kind, _ in both.said} == {REMINDERS: "refused", STATISTICS: "refused"}
    assert both.refused == {MAIL: paper.NOT_ON_IT}, "both boxes marked is a no"
    assert not any(row.permits for row in house.permissions.of_customer(camille))
    (child,) = people(house, ["ENFANT-1"], born="2014-05-17")
    assert enter(child, by=BY, code=form.code, yes=[REMINDERS], scan=PDF).refused == {REMINDERS: paper.TOO_YOUNG}


def test_an_outdated_form_takes_no_yes(house: House, camille: int) -> None:
    form = house.asking.paper.form("fr", [REMINDERS])
    with house._stores.records.writing() as connection:
        connection.execute(sql("update paper_forms set sections = replace(sections, 'basket-reminder/1', 'basket-reminder/0')"))
    done = house.asking.paper.enter(camille, by=BY, code=form.code, yes=[REMINDERS], scan=PDF)
    assert done.refused == {REMINDERS: paper.OUTDATED}
    assert house.asking.paper.enter(camille, by=BY, code=form.code, no=[REMINDERS]).said
    assert not house.audit().ok, "and the form is not what was printed"


def test_bad_input_says_what_would_be_right(house: House, camille: int) -> None:
    form = house.asking.paper.form("fr")
    for arguments, words in (
        ({"by": BY}, "Nothing is marked"),
        ({"by": " ", "no": [MAIL]}, "Who does this"),
        ({"by": "x" * 121, "no": [MAIL]}, "Who does this"),
        ({"by": BY, "no": [MAIL], "scan": b""}, "empty"),
        ({"by": BY, "no": [MAIL], "scan": b"MZ\x90"}, "neither a PDF"),
        ({"by": BY, "no": [MAIL], "scan": PDF + b"\n" * scans.SCAN_BYTES_MAX}, "bytes"),
        ({"by": BY, "no": [MAIL], "scan": b"%PDF-1.7 and then nothing"}, "not whole"),
        ({"by": BY, "no": [MAIL], "scan": PDF.replace(b"/Type", b"/OpenAction /Type")}, "does something"),
    ):
        with pytest.raises(BadInput, match=words):
            house.asking.paper.enter(camille, code=form.code, **arguments)
    with pytest.raises(NotFound, match="purpose"):
        house.asking.paper.enter(camille, by=BY, code=form.code, yes=["astrology"])
    with pytest.raises(NotFound, match="no such scan"):
        house.asking.paper.scan(camille, 4_711, by=BY)
    assert house.permissions.history(camille) == []


def test_scans_go_with_the_person(house: House, camille: int) -> None:
    form = house.asking.paper.form("fr")
    house.asking.paper.enter(camille, by=BY, code=form.code, yes=[REMINDERS], scan=PDF)
    house.erasure.erase(camille, by=BY, why="consent-withdrawn")
    with house._stores.records.reading() as connection:
        assert connection.execute(sql("select count(*) from scans")).scalar_one() == 0
    house.checkpoint()
    assert house.audit().ok


@pytest.mark.parametrize(
    "change",
    [
        "delete from scans", "update scans set customer = customer + 1", "update scans set sealed = 'x'",
        "update scans set choice = 0", "delete from paper_forms", "update paper_forms set language = 'en'",
    ],
)  # fmt: skip
def test_the_audit_finds_what_was_changed(house: House, camille: int, change: str) -> None:
    form = house.asking.paper.form("fr")
    house.asking.paper.enter(camille, by=BY, code=form.code, yes=[REMINDERS], scan=PDF)
    house.checkpoint()
    with house._stores.records.writing() as connection:
        connection.execute(sql(change))
    assert not house.audit().ok


def test_pictures_are_told_by_their_content() -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"\x00" * 50 + b"IEND\xaeB`\x82"
    assert scans.media_of(png) == "image/png"
    assert scans.media_of(b"\xff\xd8\xff\xe0" + b"\x00" * 50 + b"\xff\xd9") == "image/jpeg"
    assert scans.media_of(PDF.ljust(scans.SCAN_BYTES_MAX - 500) + b"%%EOF") == "application/pdf"


def test_a_mistyped_code_is_found() -> None:
    code = codes.code_of(b"a form")
    plain = code.replace("-", "")
    assert codes.read(f" {code.lower()} ") == code
    for place, sign in enumerate(plain):
        for other in set(codes.ALPHABET) - {sign}:
            assert codes.read(plain[:place] + other + plain[place + 1 :]) is None
    for place, (one, two) in enumerate(pairwise(plain[:-1])):
        if one != two:
            assert codes.read(plain[:place] + two + one + plain[place + 2 :]) is None
    assert codes.read("") is None
    assert codes.read("OOOO-0000-I") is None
