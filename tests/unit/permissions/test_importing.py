"""Choices made elsewhere: each with its proof or in quarantine, ranked by the day on which it was said, never twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support.shop import JUICE, REMINDERS, SOAP, STATISTICS, Shop, terms
from tests.unit.permissions.test_ledger import permitted

from volens.audit.run import audit
from volens.errors import BadInput, MappingError, Unavailable
from volens.evidence import groups, log
from volens.evidence.log import EVENTS
from volens.identity.tombstones import Tombstones
from volens.ingest.payment_numbers import holds_payment_number
from volens.permissions import importing, layout
from volens.permissions.importing import Importer, Summary
from volens.permissions.layout import Mapped
from volens.permissions.ledger import Choice
from volens.purchases import queue
from volens.rights.erasure import Erasure

HEADER = "card,purpose,recipient,kind,text,language,time,surface,actor,proof"
YES = f"card-0,{STATISTICS},*,given,statistics/2,fr,2025-11-03T10:00:00+01:00,till form,,F-17"


def importer(shop: Shop) -> Importer:
    return Importer(shop.records, shop.vault, shop.keys, terms(), shop.hand.clock, "FR", holds_payment_number)


def take(shop: Shop, lines: Sequence[str], name: str = "old.csv", mapped: Mapped | None = None, header: str = HEADER) -> Summary:
    file = shop.folder / name
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return importer(shop).take_in(file, mapped)


def line(card: int, kind: str, day: str, *, recipient: str = "*", text: str = "statistics/2", purpose: str = STATISTICS) -> str:
    return f"card-{card},{purpose},{recipient},{kind},{text},fr,{day}T10:00:00+01:00,till form,,"


def test_a_choice_comes_in_with_its_proof(shop: Shop) -> None:
    (customer,) = shop.people(1)
    summary = take(shop, [YES])
    assert (summary.taken, summary.refused) == (1, 0)
    assert permitted(shop) == {customer}
    (said,) = shop.ledger.history(customer)
    assert (said.kind, said.day, said.imported) == ("given", "2025-11-03", True)
    assert said.how == {
        "at": "2025-11-03T09:00:00+00:00", "language": "fr", "surface": "till form", "actor": "the person",
        "proof": {"reference": "F-17"},
    }  # fmt: skip
    with shop.records.reading() as connection:
        (row,) = groups.of_customer(connection, customer)
        assert groups.row_proof(connection, row.seq, row.place).holds()
    assert row.sealed is not None
    assert b"till form" in shop.vault.open(customer, row.sealed)
    shop.vault.destroy_key(customer)
    assert shop.ledger.history(customer)[0].how == {}, "after the key is destroyed nothing of it can be read"


WRONG = {
    "unreadable-line": "card-0,too,short",
    "missing-account": f",{STATISTICS},*,given,statistics/2,fr,2025-11-03T10:00:00Z,app,,",
    "unknown-customer": f"card-9,{STATISTICS},*,given,statistics/2,fr,2025-11-03T10:00:00Z,app,,",
    "unknown-purpose": "card-0,astrology,*,given,astrology/1,fr,2025-11-03T10:00:00Z,app,,",
    "unknown-kind": f"card-0,{STATISTICS},*,invalidated,statistics/2,fr,2025-11-03T10:00:00Z,app,,",
    "wrong-basis": f"card-0,{STATISTICS},*,joined,statistics/2,fr,2025-11-03T10:00:00Z,app,,",
    "unreadable-time": f"card-0,{STATISTICS},*,given,statistics/2,fr,2025-11-03T10:00:00,app,,",
    "future-time": f"card-0,{STATISTICS},*,given,statistics/2,fr,2026-03-02T10:00:01+01:00,app,,",
    "missing-surface": f"card-0,{STATISTICS},*,given,statistics/2,fr,2025-11-03T10:00:00Z,,,",
    "missing-text": f"card-0,{STATISTICS},*,given,,fr,2025-11-03T10:00:00Z,app,,",
    "unknown-text": f"card-0,{STATISTICS},*,given,reminders/1,fr,2025-11-03T10:00:00Z,app,,",
    "text-not-in-force": f"card-0,{STATISTICS},*,given,statistics/1,fr,2025-11-03T10:00:00Z,app,,",
    "unknown-language": f"card-0,{STATISTICS},*,given,statistics/2,de,2025-11-03T10:00:00Z,app,,",
    "unknown-recipient": f"card-0,{STATISTICS},stranger,given,statistics/2,fr,2025-11-03T10:00:00Z,app,,",
}


def test_a_line_without_its_proof_waits_and_is_never_a_yes(shop: Shop) -> None:
    (customer,) = shop.people(1)
    summary = take(shop, list(WRONG.values()))
    assert summary.reasons == dict.fromkeys(WRONG, 1)
    assert (summary.taken, summary.refused) == (0, len(WRONG))
    assert permitted(shop) == set()
    assert shop.ledger.history(customer) == []
    waiting = importer(shop).waiting()
    assert [(one.line, one.reason) for one in waiting] == [(place, reason) for place, reason in enumerate(WRONG, start=2)]
    assert importer(shop).words(waiting[1])["surface"] == "app"
    assert b"app" not in bytes(waiting[1].sealed or b"")
    shop.hand.pass_days(31)
    take(shop, [YES], "another.csv")
    assert importer(shop).waiting() == []
    report = audit(shop.records, shop.outside, shop.vault)
    assert report.ok, report.to_text()


def test_a_text_that_was_ended_gives_no_yes_and_a_no_needs_none(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.ledger.invalidate("statistics/2", shop.hand.instant.date(), why="x", by="y")
    summary = take(shop, [YES, f"card-0,{STATISTICS},,refused,,,2025-12-01T10:00:00Z,phone,,"])
    assert summary.reasons == {"text-invalidated": 1}
    assert [said.kind for said in shop.ledger.history(customer)] == ["refused"]


def test_the_same_file_again_changes_nothing_and_another_with_the_same_lines_too(shop: Shop) -> None:
    shop.people(2)
    take(shop, [YES, "broken"])
    with shop.records.reading() as connection:
        before = log.size(connection, EVENTS)
    again = take(shop, [YES, "broken"], "copy.csv")
    assert again.nothing_new
    with shop.records.reading() as connection:
        assert log.size(connection, EVENTS) == before
    more = take(shop, [YES, line(1, "given", "2025-11-04")], "more.csv")
    assert (more.taken, more.known) == (1, 1)


def test_what_waited_becomes_a_choice_when_the_file_is_judged_again(shop: Shop) -> None:
    shop.people(1)
    file = shop.folder / "old.csv"
    file.write_text("\n".join([HEADER, YES, line(1, "given", "2025-11-04")]))
    assert importer(shop).take_in(file).reasons == {"unknown-customer": 1}
    _, late = shop.people(2)
    assert importer(shop).take_in(file).nothing_new
    again = importer(shop).take_in(file, again=True)
    assert (again.taken, again.known, again.refused) == (1, 1, 0)
    assert late in permitted(shop)
    assert importer(shop).take_in(file, Mapped(zone="Europe/Paris")).known == 2
    report = audit(shop.records, shop.outside, shop.vault)
    assert report.ok, report.to_text()


def test_a_run_that_was_killed_goes_on_where_it_stopped(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    people = shop.people(7)
    monkeypatch.setattr(layout, "LINES_AT_ONCE", 4)
    monkeypatch.setattr(importing, "ROWS_AT_ONCE", 2)
    lines = [line(card, "given", "2025-11-03") for card in range(7)]
    pieces = 0

    def killed(*arguments: object) -> None:
        nonlocal pieces
        pieces += 1
        if pieces == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as third:
        real = importing.imports.advance
        third.setattr(importing.imports, "advance", lambda *them: (killed(), real(*them))[1])
        with pytest.raises(KeyboardInterrupt):
            take(shop, lines)
    assert permitted(shop) == set(people[:4])
    assert take(shop, lines).taken == 7
    assert permitted(shop) == set(people)
    with shop.records.reading() as connection:
        assert groups.count(connection) == 7, "nothing twice"
    report = audit(shop.records, shop.outside, shop.vault)
    assert report.ok, report.to_text()


@pytest.mark.parametrize(
    ("live", "imported", "holds"),
    [
        ("withdrawn", [("given", "2026-03-01")], False),  # an older yes never overrides a later no
        ("withdrawn", [("given", "2026-03-02")], False),  # the same day: the no
        ("given", [("withdrawn", "2026-03-01")], True),  # the live yes is later
        ("given", [("withdrawn", "2026-03-02")], False),  # the same day: the no
        (None, [("given", "2026-02-01"), ("withdrawn", "2026-02-02")], False),
        (None, [("withdrawn", "2026-02-02"), ("given", "2026-02-01")], False),  # whatever their order in the file
        (None, [("withdrawn", "2026-02-01"), ("given", "2026-02-02")], True),
        (None, [("given", "2026-02-01"), ("refused", "2026-02-01")], False),
        (None, [("refused", "2026-02-01"), ("given", "2026-02-01")], False),
        (None, [("given", "2026-02-01"), ("requested", "2026-02-05")], True),
        ("requested", [("given", "2026-02-01")], True),  # a question decides nothing
    ],
)
def test_what_was_imported_ranks_by_the_day_on_which_it_was_said(
    shop: Shop, live: str | None, imported: list[tuple[str, str]], holds: bool
) -> None:
    (customer,) = shop.people(1)
    if live is not None:
        shop.say(customer, live)
    take(shop, [line(0, *one) for one in imported])
    assert (customer in permitted(shop)) is holds
    report = audit(shop.records, shop.outside, shop.vault)
    assert report.ok, report.to_text()


def test_a_no_to_everybody_holds_against_an_older_yes_to_somebody_of_whom_nothing_stood(shop: Shop) -> None:
    """The no was said while only one supplier was named; the yes to another is older, and comes in later."""
    (customer,) = shop.people(1)
    shop.say(customer, "withdrawn", old=True)
    assert {row.recipient for row in shop.ledger.of_customer(customer)} == {JUICE}
    take(shop, [line(0, "given", "2026-01-01")])
    assert permitted(shop, SOAP) == permitted(shop, JUICE) == set()


def test_who_was_told_elsewhere_has_waited_since_then(shop: Shop) -> None:
    (customer,) = shop.people(1)
    take(shop, [line(0, "notified", "2026-01-30", text="reminders/1", purpose=REMINDERS)])
    assert permitted(shop, "shop", REMINDERS) == {customer}


def test_a_yes_that_is_too_old_when_it_comes_in_permits_nothing(shop: Shop) -> None:
    (customer,) = shop.people(1)
    take(shop, [line(0, "given", "2024-03-01")])
    with shop.gate.open_purchases(shop.request()) as reading:
        assert customer not in reading.opened.permitted
    assert shop.ledger.of_customer(customer)[0].kind == "expired"


def test_other_layouts(shop: Shop, tmp_path: Path) -> None:
    people = shop.people(3)
    rows = [
        {"carte": f"card-{place}", "finalite": STATISTICS, "choix": word, "moment": "2025-11-03T10:00:00", "v": 2}
        for place, word in enumerate(("oui", "non", "oui"))
    ]
    mapping = tmp_path / "m.yaml"
    mapping.write_text(
        "columns: {card: carte, purpose: finalite, kind: choix, time: moment, text: v}\n"
        "constants: {surface: borne, language: fr}\nkinds: {oui: given, non: refused}\nzone: Europe/Paris\n"
    )
    mapped = layout.load(mapping)
    jsonl, parquet = tmp_path / "a.jsonl", tmp_path / "b.parquet"
    jsonl.write_text("\n".join([*(json.dumps(row) for row in rows), "", "not json", "[]"]))
    pq.write_table(pa.Table.from_pylist(rows), parquet)
    found = importer(shop).take_in(jsonl, mapped)
    assert (found.taken, found.reasons) == (3, {"unreadable-line": 2})
    assert importer(shop).take_in(parquet, mapped).known == 3
    assert permitted(shop) == {people[0], people[2]}


def test_explaining_writes_nothing(shop: Shop) -> None:
    shop.people(1)
    file = shop.folder / "old.csv"
    file.write_text("\n".join([HEADER, YES, WRONG["missing-text"]]))
    with shop.records.reading() as connection:
        before = log.size(connection, EVENTS)
    summary = importer(shop).explain(file)
    assert (summary.kinds, summary.reasons, summary.examples) == ({"given": 1}, {"missing-text": 1}, [(3, "missing-text")])
    with shop.records.reading() as connection:
        assert log.size(connection, EVENTS) == before


def test_what_cannot_be_a_file_of_choices(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="card or email"):
        take(shop, ["x"], header="purpose,kind,time")
    odd = tmp_path / "x.txt"
    odd.write_text("x")
    with pytest.raises(BadInput, match="neither CSV"):
        importer(shop).take_in(odd)
    with pytest.raises(BadInput, match="no file"):
        importer(shop).take_in(tmp_path / "none.csv")
    fake = tmp_path / "x.parquet"
    fake.write_text("x")
    with pytest.raises(BadInput, match="not a Parquet"):
        importer(shop).take_in(fake)
    for wrong in ({"columns": {"cart": "x"}}, {"kinds": {"oui": "yes"}}, {"zone": "Mars"}, {"delimiter": ";;"}):
        with pytest.raises(MappingError):
            Mapped(**wrong)  # type: ignore[arg-type]
    mapping = tmp_path / "m.yaml"
    for text in ("[1]", "colums: {}", "columns: [1]", "a: ["):
        mapping.write_text(text)
        with pytest.raises(MappingError):
            layout.load(mapping)


def test_a_file_is_judged_by_the_programme_in_force(shop: Shop) -> None:
    shop.people(1)
    with shop.records.writing() as connection:
        log.append(connection, "public", [log.Event("programme", detail={"digest": "another", "purposes": {}})])
    with pytest.raises(Unavailable):
        take(shop, [YES])
    assert shop.ledger.of_customer(1) == []


def test_a_withdrawal_between_two_pieces_holds(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    people = shop.people(4)
    monkeypatch.setattr(layout, "LINES_AT_ONCE", 2)
    file = shop.folder / "old.csv"
    file.write_text("\n".join([HEADER, *(line(card, "given", "2025-11-03") for card in (0, 1, 2, 3))]))

    def withdraw(share: float, lines: int) -> None:
        shop.ledger.record([Choice(people[0], STATISTICS, "withdrawn"), Choice(people[3], STATISTICS, "withdrawn")])

    importer(shop).take_in(file, told=withdraw)
    assert permitted(shop) == {people[1], people[2]}
    assert date(2025, 11, 3) < shop.hand.instant.date()


def erased(shop: Shop, customer: int) -> None:
    """As `volens customer erase` does it."""
    stones = Tombstones(shop.folder / "tombstones")
    erasure = Erasure(shop.records, shop.vault, shop.ledger, stones, shop.hand.clock, "FR", queue.ask)
    erasure.erase(customer, by="A", why="objection")


def test_whoever_was_erased_and_comes_back_gets_no_old_yes(shop: Shop) -> None:
    (gone, stayed) = shop.people(2)
    assert take(shop, [line(0, "given", "2025-11-03"), line(1, "given", "2025-11-03")]).taken == 2
    erased(shop, gone)
    back = shop.vault.identify("card", ["card-0"])[0].customer
    assert back not in (gone, stayed)
    summary = take(shop, [line(0, "given", "2025-11-03"), line(1, "refused", "2025-12-01")], name="again.csv")
    assert dict(summary.reasons) == {"older-than-an-erasure": 1}
    assert permitted(shop) == set(), "the other one's no came in"
    shop.hand.pass_days(2)
    assert take(shop, [line(0, "given", "2026-03-03")], name="anew.csv").taken == 1
    assert permitted(shop) == {back}


def test_a_house_in_which_nobody_was_erased_takes_old_choices_of_new_cards(shop: Shop) -> None:
    shop.people(1)
    assert take(shop, [line(0, "given", "2025-11-03")]).taken == 1


CARD = "4111 1111 1111 1111"
IBAN = "FR1420041010050500013M02606"


def _rows(card: str, actor: str, proof: str, note: str) -> dict[str, str]:
    return {
        "card": card, "purpose": STATISTICS, "kind": "given", "text": "2", "language": "fr", "time": "2025-11-03T10:00:00+01:00",
        "surface": "app", "actor": actor, "proof": proof, "note": note,
    }  # fmt: skip


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_of_a_line_with_a_payment_number_nothing_is_kept(shop: Shop, ending: str) -> None:
    shop.people(1)
    rows = [
        _rows("4111111111111111", "", "", ""), _rows("card-0", CARD, "", ""), _rows("card-0", "", f"paid by {CARD}", ""),
        _rows("card-0", "", "", IBAN), _rows("card-0", "", "F-17", "a note"),
    ]  # fmt: skip
    file = shop.folder / f"old.{ending}"
    if ending == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), file)
    elif ending == "jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        file.write_text("\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows), f"x,{CARD}"]) + "\n")
    refused = 5 if ending == "csv" else 4
    assert importer(shop).explain(file).reasons == {"payment-number": refused}
    summary = importer(shop).take_in(file)
    assert (summary.taken, dict(summary.reasons)) == (1, {"payment-number": refused})
    waiting = importer(shop).waiting()
    assert [(one.reason, one.sealed) for one in waiting] == [("payment-number", None)] * refused


def test_the_shop_s_own_card_may_look_like_a_payment_card(shop: Shop) -> None:
    shop.vault.identify("card", ["4111111111111111"])
    summary = take(shop, [YES.replace("card-0", "4111111111111111"), YES.replace("card-0", "4242424242424242")])
    assert (summary.taken, dict(summary.reasons)) == (1, {"payment-number": 1})


def test_a_json_line_that_cannot_be_kept_is_refused_alone(shop: Shop) -> None:
    shop.people(1)
    good = json.dumps(_rows("card-0", "", "F-17", ""))
    file = shop.folder / "old.jsonl"
    bad = [good.replace('"F-17"', word) for word in ("NaN", '"\\ud800"', "[" * 100_000)]
    file.write_text("\n".join([*bad, good]) + "\n")
    summary = importer(shop).take_in(file)
    assert (summary.taken, dict(summary.reasons)) == (1, {"unreadable-line": 3})
