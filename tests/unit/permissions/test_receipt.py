"""Receipts: what a person keeps verifies offline, says nothing but what is recorded, and exposes a log that was rewritten."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import Urls
from tests.support.house import STATISTICS
from tests.support.receipts import paths, put, tampered
from tests.support.witnesses import answering, fresh

from volens.app import House, initialise
from volens.cli.main import main
from volens.clock import fixed
from volens.errors import BadInput, NotFound, Tampered
from volens.evidence import verify_receipt
from volens.evidence.groups import EXPIRY, GroupRow, append_group, prepare
from volens.evidence.log import EVENTS, PUBLIC
from volens.evidence.verify import TITLES, Verdict, describe, verify_bytes, verify_package
from volens.evidence.witness_client import WitnessAt, Witnesses
from volens.permissions.ledger import Choice
from volens.permissions.state import DPV_STATUS

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def house(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house with three customers by card."""
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    with initialise(tmp_path / "house", records_url=urls.records, customers=1_000, clock=fixed(NOW)) as made:
        made._vault.identify("card", ["C1", "C2", "C3"])
        yield made


def say(house: House, kind: str, customer: int = 1) -> int:
    return house.permissions.record([Choice(customer, STATISTICS, kind, language="fr", surface="till form")])[0]


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A true receipt."""
    with initialise(tmp_path_factory.mktemp("one") / "house", customers=1_000, clock=fixed(NOW)) as made:
        made._vault.identify("card", ["C1"])
        return made.receipts.receipt(1, say(made, "given"))


def failed(verdict: Verdict) -> set[str]:
    return {step.name for step in verdict.steps if not step.ok}


def test_a_receipt_verifies_and_says_what_was_said(house: House) -> None:
    given_, withdrawn = say(house, "given"), say(house, "withdrawn")
    made = house.receipts.receipt(1, withdrawn)
    verdict = verify_bytes(made, trusted_key=house.log_key)
    assert verdict.ok, verdict.steps
    record = json.loads(made)["record"]
    assert record["purposes"][0]["purpose"] == STATISTICS
    assert record["event"][0]["event_type"] == "withdrawn"
    assert record["event"][0]["event_time"] == NOW.isoformat()
    assert (record["language"], record["collection_method"]) == ("fr", "till form")
    text = house.programme.current_text(STATISTICS)
    assert record["privacy_notice"] == {"id": text.id, "sha256": text.digest("fr")}
    assert record["purposes"][0]["recipient_third_parties"] == sorted(text.recipients)
    assert [row.seq for row in house.receipts.choices(1)] == [given_, withdrawn]
    assert "No witness has signed" in describe(verdict)
    assert "the shop's own word" in describe(verdict)


def test_it_is_the_persons_alone_and_only_for_choices(house: House) -> None:
    seq = say(house, "given")
    for customer, number in ((2, seq), (1, 0), (1, 9_999)):
        with pytest.raises(NotFound):
            house.receipts.receipt(customer, number)


def test_after_erasure_no_new_receipt_and_the_old_one_stands(house: House) -> None:
    seq = say(house, "given")
    made = house.receipts.receipt(1, seq)
    house._vault.destroy_key(1)
    with pytest.raises(NotFound):
        house.receipts.receipt(1, seq)
    assert verify_bytes(made).ok


def test_every_changed_field_is_found_by_the_step_that_is_there_for_it(house: House) -> None:
    made = house.receipts.receipt(1, say(house, "withdrawn"))
    for name, forged, step in tampered(made):
        verdict = verify_bytes(forged, trusted_key=house.log_key)
        assert step in failed(verdict), (name, failed(verdict))
        assert "does not verify" in describe(verdict)


def test_the_verifier_knows_every_kind_of_choice_by_its_status() -> None:
    assert verify_receipt.DPV_STATUS == DPV_STATUS


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_put_in_whatever_place_is_found_and_never_a_traceback(one: bytes, data: st.DataObject) -> None:
    """From a true receipt, so that the checks behind the proofs are reached too."""
    value = json.loads(one)
    shapes = [st.just(odd) for odd in ([], {}, {"a": 1})]
    odd = st.one_of(st.none(), st.booleans(), st.integers(-5, 1 << 70), st.text(max_size=5), *shapes)
    for _ in range(data.draw(st.integers(1, 2))):
        value = json.loads(put(value, data.draw(st.sampled_from(list(paths(value)))), data.draw(odd)))
    verdict = verify_bytes(json.dumps(value).encode())
    assert verdict.ok == (json.dumps(value) == json.dumps(json.loads(one)))
    describe(verdict)


def test_a_newer_receipt_shows_that_the_log_continues_every_kind_of_older_file(house: House, tmp_path: Path) -> None:
    first = say(house, "given")
    older = tmp_path / "older.json"
    older.write_bytes(house.receipts.receipt(1, first))
    notes = []
    for tree in (EVENTS, PUBLIC):
        notes.append(tmp_path / f"{tree}.note")
        size = house._outside.latest(tree)
        assert size is not None
        notes[-1].write_text(house._outside.note(tree, size.size), encoding="utf-8")
    second = say(house, "withdrawn")
    for since in (older, *notes):
        newer = tmp_path / f"newer-{since.name}.json"
        newer.write_bytes(house.receipts.receipt(1, second, since))
        verdict = verify_package(newer, since)
        assert verdict.ok, verdict.steps
        assert "entries then" in verdict.steps[-1].detail
    plain = tmp_path / "plain.json"
    plain.write_bytes(house.receipts.receipt(1, second))
    assert failed(verify_package(plain, older)) == {"since"}
    assert "volens receipt --since" in verify_package(plain, older).steps[-1].detail
    assert verify_package(older, older).ok
    assert failed(verify_package(older, newer)) == {"since"}


def test_a_row_of_an_event_of_many_has_two_short_proofs(house: House) -> None:
    text = house.programme.current_text(STATISTICS).id
    rows = [GroupRow("expired", customer, STATISTICS, "*", text, "2026-03-02") for customer in (2, 1, 3, 1)]
    with house._stores.records.writing() as connection:
        seq = append_group(connection, EXPIRY, prepare(rows), {})
    with pytest.raises(BadInput, match="several"):
        house.receipts.receipt(1, seq)
    made = json.loads(house.receipts.receipt(1, seq, place=1))
    assert made["record"]["record_id"] == f"le-panier/events/{seq}/1"
    assert made["record"]["event"][0]["event_state"] == "ConsentExpired"
    assert verify_bytes(json.dumps(made).encode()).ok
    assert verify_bytes(house.receipts.receipt(3, seq)).ok
    changes: list[tuple[tuple[str | int, ...], Any]] = [
        (("row",), None), (("row", "entry", "customer"), 2), (("row", "place"), 2), (("row", "place"), "1"), (("row", "path"), []),
        (("row", "entry", "kind"), "given"), (("row", "entry"), None), (("event", "detail"), {}),
    ]  # fmt: skip
    for path, new in changes:
        assert "told" in failed(verify_bytes(put(made, path, new))), path


def test_an_older_file_that_cannot_serve_is_said(house: House, tmp_path: Path) -> None:
    seq = say(house, "given")
    odd = tmp_path / "odd"
    for content in (b"", b"nonsense", b"{}", b"PK"):
        odd.write_bytes(content)
        with pytest.raises(BadInput):
            house.receipts.receipt(1, seq, odd)


def test_another_houses_history_has_no_proof(house: House, tmp_path: Path) -> None:
    """The same key, another history: what a house that rewrote its record would have to show."""
    older = tmp_path / "older.json"
    older.write_bytes(house.receipts.receipt(1, say(house, "given")))
    value = json.loads(older.read_bytes())
    size = int(value["proof"]["checkpoint"].split("\n")[1])
    leaves = house._outside.folder / EVENTS / "leaves"
    stored = leaves.read_bytes()
    seq = say(house, "withdrawn")
    house.checkpoint()
    leaves.write_bytes(b"x" * 32 + stored[32:] + leaves.read_bytes()[len(stored) :])
    with pytest.raises(Tampered, match="would not verify"):
        house.receipts.receipt(1, seq, older)
    assert size > 1


def test_witnesses_are_checked_when_they_are_named(house: House, tmp_path: Path) -> None:
    witness = fresh(tmp_path / "w", clock=house.clock)
    witness.add_log(house.log_key)
    other = fresh(tmp_path / "w2", name="other.example").key
    seq = say(house, "given")
    with answering(witness) as server:
        house.checkpoint()
        Witnesses(house._outside, (WitnessAt(server.url, witness.key),), house.clock).ask()
    made = house.receipts.receipt(1, seq)
    verdict = verify_bytes(made, witnesses=[str(witness.key)])
    assert verdict.ok, verdict.steps
    assert "2026-03-02 09:00:00 UTC" in verdict.steps[-1].detail
    assert "saw the log grow" in describe(verdict)
    unchecked = verify_bytes(made)
    assert unchecked.claimed == (witness.name,)
    assert "not checked" in describe(unchecked)
    assert failed(verify_bytes(made, witnesses=[str(other)])) == {"witness"}
    assert failed(verify_bytes(made, witnesses=["nonsense"])) == {"witness"}
    forged = made.replace(f"— {witness.name} ".encode(), f"— {other.name} ".encode())
    assert failed(verify_bytes(forged, witnesses=[str(other)])) == {"witness"}
    assert {step.name for step in verdict.steps} <= set(TITLES)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_hostile_receipts_are_steps_never_tracebacks(data: st.DataObject) -> None:
    note = "a\n1\n" + "A" * 43 + "=\n\n— k AAAAAAAA\n"
    value: Any = {
        "format": "volens-receipt/1", "house": "h", "key": "k", "address": "",
        "record": {"purposes": [{}], "event": [{}], "privacy_notice": {}},
        "event": {"tree": "events", "seq": 0, "commitment": None},
        "proof": {"index": 0, "inclusion": [], "checkpoint": note},
        "public": {"entry": {}, "salt": "00" * 32, "index": 0, "inclusion": [], "checkpoint": note},
        "text": {"entry": {"detail": {}}, "index": 0, "inclusion": []},
    }
    shapes = [st.just(odd) for odd in ([], {}, [{}], [[]], "é" * 70)]
    odd = st.one_of(st.none(), st.booleans(), st.integers(-5, 1 << 70), st.text(max_size=5), *shapes)
    for _ in range(data.draw(st.integers(1, 3))):
        inner = value
        for _ in range(data.draw(st.integers(0, 3))):
            keys = list(inner) if isinstance(inner, dict) else list(range(len(inner))) if isinstance(inner, list) else []
            deeper = [key for key in keys if isinstance(inner[key], dict | list) and inner[key]]
            if not deeper:
                break
            inner = inner[data.draw(st.sampled_from(deeper))]
        if isinstance(inner, dict) and inner:
            inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(odd)
    verdict = verify_bytes(json.dumps(value).encode(), trusted_key="k", witnesses=["w"])
    assert not verdict.ok
    describe(verdict)
    json.dumps(verdict.as_json())


@pytest.mark.slow
def test_the_commands(tmp_path: Path) -> None:
    def run(*arguments: object, code: int = 0) -> str:
        result = CliRunner().invoke(main, [str(one) for one in arguments])
        assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
        return result.output

    folder = tmp_path / "house"
    with initialise(folder, customers=1_000, clock=fixed(NOW)) as made:
        made._vault.identify("card", ["C1"])
    said = ["--house", folder, "--card", "C1"]
    run("permit", *said, "--purpose", STATISTICS, "--say", "refused", "--receipt", tmp_path / "no.json")
    assert "✗" not in run("verify", tmp_path / "no.json")
    assert "already" in run("permit", *said, "--purpose", STATISTICS, "--say", "refused", "--receipt", tmp_path / "no.json", code=2)
    many = json.loads(run("permit", *said, "--refuse-everything", "--receipt", tmp_path / "all.json", "--json"))
    assert len(many["receipts"]) == len(many["recorded"]) > 10
    listed = json.loads(run("receipt", *said, "--json"))
    assert listed[-1]["seq"] == many["recorded"][-1]
    newest = tmp_path / "newest.json"
    run("receipt", *said, "--seq", many["recorded"][0], "--since", tmp_path / "no.json", "--output", newest)
    assert "entries then" in run("verify", newest, "--since", tmp_path / "no.json")
    assert run("verify", newest, "--witness", "x+00000000+AAAA", code=8)
    assert "Whose choice" in run("receipt", "--house", folder, code=2)
