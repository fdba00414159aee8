"""The package: it verifies, it is the same every time, and what is in it is what was measured."""

from __future__ import annotations

import csv
import io
import json
import math
import zipfile
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.unit.releases.made_up import KEY, NAME, facts, figures, labels, pack, proof

from volens.errors import Tampered
from volens.evidence.checkpoint import verifier_key
from volens.evidence.container import read_package
from volens.evidence.verify import verify_bytes, verify_package
from volens.releases.package import COLUMNS, Contents, Facts, YearCharge, contents, seal
from volens.releases.pagemodel import UNITS

ASKED = pack()
MADE = contents(facts(), figures(ASKED), labels(ASKED))
SEALED = seal(MADE, proof(MADE))
NAMES = {
    "certificate.json", "figures.csv", "figures.parquet", "manifest.json", "method.en.md", "method.fr.md",
    "proof.json", "report.en.html", "report.fr.html",
}  # fmt: skip


def resealed(**changes: bytes) -> bytes:
    """The package with some files replaced, zipped by other means than the product's."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in (read_package(SEALED) | changes).items():
            archive.writestr(name, content)
    return buffer.getvalue()


def failed(package: bytes, since: Path | None = None, key: str | None = None) -> set[str]:
    return {step.name for step in verify_bytes(package, since, key).steps if not step.ok}


def test_a_package_verifies_with_its_key() -> None:
    verdict = verify_bytes(SEALED, trusted_key=verifier_key(NAME, KEY))
    assert verdict.ok, verdict.steps
    assert verdict.release == facts().release
    assert set(read_package(SEALED)) == NAMES


def test_the_same_input_gives_the_same_bytes() -> None:
    again = contents(facts(), figures(ASKED), labels(ASKED))
    assert again == MADE
    assert seal(again, proof(again)) == SEALED


def test_nothing_in_it_tells_when_it_was_made() -> None:
    with zipfile.ZipFile(io.BytesIO(SEALED)) as archive:
        members = archive.infolist()
    assert {member.date_time for member in members} == {(1980, 1, 1, 0, 0, 0)}
    assert [member.filename for member in members] == sorted(NAMES)


@pytest.mark.parametrize("name", sorted(NAMES - {"proof.json", "manifest.json"}))
@pytest.mark.parametrize("place", [0.0, 0.5, 0.999])
def test_a_flipped_bit_in_any_file_is_found(name: str, place: float) -> None:
    content = bytearray(read_package(SEALED)[name])
    content[int(place * len(content))] ^= 1
    assert failed(resealed(**{name: bytes(content)})) >= {"files"}


def test_a_flipped_bit_in_the_proof_or_manifest_is_found_or_changes_nothing() -> None:
    """Flips that leave the JSON's meaning as it was cannot be told from none; all others fail a step."""
    for name in ("proof.json", "manifest.json"):
        content = read_package(SEALED)[name]
        for place in range(0, len(content), 97):
            changed = bytearray(content)
            changed[place] ^= 4
            assert failed(resealed(**{name: bytes(changed)})), (name, place)


def test_other_key_other_tree_cut_proof_are_found() -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    forged = seal(MADE, proof(MADE, key=other))
    assert failed(forged, key=verifier_key(NAME, KEY)) == {"key"}
    good = proof(MADE)
    for change, steps in (
        ({"inclusion": good["inclusion"][:-1]}, {"inclusion"}),  # type: ignore[index]
        ({"leaves": good["leaves"][1:]}, {"log"}),  # type: ignore[index]
        ({"checkpoint": proof(MADE, before=7)["checkpoint"]}, {"inclusion", "log"}),
        ({"key": verifier_key(NAME, other)}, {"signature"}),
    ):
        package = resealed(**{"proof.json": json.dumps(good | change).encode()})
        assert failed(package) == steps


def test_a_package_that_would_not_verify_is_not_sealed() -> None:
    other = contents(facts("another-release"), figures(ASKED), labels(ASKED))
    with pytest.raises(Tampered, match="would not verify"):
        seal(MADE, proof(other))
    with pytest.raises(Tampered, match="would not verify"):
        seal(Contents({**MADE.files, "figures.csv": b"better"}, MADE.certificate), proof(MADE))


def test_since_compares_with_an_older_package_of_the_same_log(tmp_path: Path) -> None:
    """`proof` gives logs of the same other entries, so a longer one without the release in the middle is a fork."""
    older, newer = tmp_path / "older.volens", tmp_path / "newer.volens"
    older.write_bytes(SEALED)
    newer.write_bytes(seal(MADE, proof(MADE, before=9)))
    assert verify_package(older, older).ok
    steps = verify_package(newer, older).steps
    assert [step.name for step in steps if not step.ok] == ["since"]
    assert "rewritten or forked" in steps[-1].detail


def rows_of(package: bytes) -> list[dict[str, str]]:
    text = read_package(package)["figures.csv"].decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_the_csv_holds_every_figure_with_its_interval() -> None:
    made = figures(ASKED)
    rows = {(row["measure"], row["row"], row["column"]): row for row in rows_of(SEALED)}
    assert len(rows) == len(made.cells) + len(made.derived) == len(rows_of(SEALED))
    for figure in (*made.cells, *made.derived):
        row = rows[figure.measure, figure.row, figure.column]
        cents = 100 if row["unit"] == "EUR" else 1
        for name in ("value", "low", "high"):
            assert float(row[name]) * cents == pytest.approx(getattr(figure, name), abs=1e-4)
    assert tuple(rows_of(SEALED)[0]) == COLUMNS
    assert {row["measure"] for row in rows_of(SEALED)} == set(UNITS)


def test_columns_say_days_names_and_units() -> None:
    row = rows_of(SEALED)[0]
    assert row["row_name"] == "Verger Clair"
    assert (row["start"], row["end"], row["unit"]) == ("2026-01-01", "2026-04-01", "count")
    whole = next(row for row in rows_of(SEALED) if row["column"] == "whole")
    assert (whole["start"], whole["end"]) == ("2026-01-01", "2026-10-01")
    assert {row["unit"] for row in rows_of(SEALED)} == {"count", "pieces or kg", "EUR", "part of 1", "ratio"}


def test_the_parquet_file_is_the_csv_with_types() -> None:
    table = pq.read_table(io.BytesIO(read_package(SEALED)["figures.parquet"]))
    assert tuple(table.column_names) == COLUMNS
    assert table.num_rows == len(rows_of(SEALED))
    for typed, written in zip(table.to_pylist(), rows_of(SEALED), strict=True):
        assert str(typed["start"]) == written["start"]
        assert typed["value"] == (float(written["value"]) if written["value"] else None)


def test_a_ratio_without_an_end_is_an_empty_field() -> None:
    made = figures(ASKED, 1.0)
    assert any(math.isinf(figure.high) for figure in made.derived)
    package = seal(found := contents(facts(), made, labels(ASKED)), proof(found))
    assert any(row["high"] == "" for row in rows_of(package))
    assert not {"nan", "inf"} & {row[name] for row in rows_of(package) for name in ("value", "low", "high")}
    pq.read_table(io.BytesIO(read_package(package)["figures.parquet"]))


def test_the_certificate_says_what_was_spent_and_names_the_files() -> None:
    certificate = json.loads(read_package(SEALED)["certificate.json"])
    assert certificate["rho"] == "0.028"
    assert certificate["rho_by_year"] == {"2026": {"spent": "0.056", "left": "0.295", "cap": "0.351"}}
    assert certificate["epsilon_by_year"] == {"2026": "1.45"}
    assert certificate["pack"] == ASKED.canonical()
    assert certificate["plan_hash"] == figures(ASKED).plan.hash
    files = read_package(SEALED)
    apart = {"certificate.json", "manifest.json", "proof.json"}
    assert certificate["files"] == {name: sha256(files[name]).hexdigest() for name in NAMES - apart}
    assert sha256(files["certificate.json"]).hexdigest() == MADE.digest


def test_facts_that_are_wrong_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="its cap"):
        YearCharge(2, 1, facts().epsilon)
    with pytest.raises(ValueError, match="price"):
        Facts(**{**vars(facts()), "years": {}})
