"""Files made to break whoever opens them: each becomes a step that failed, never a traceback or a full memory."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.evidence.packages import Shop, zipped

from volens.evidence import container
from volens.evidence.verify import Verdict, describe, verify_package

Files = dict[str, bytes]


@pytest.fixture
def judge(tmp_path: Path) -> Callable[..., Verdict]:
    """Writes a package to disk and verifies it."""

    def run(files: Files) -> Verdict:
        path = tmp_path / "hostile.volens"
        path.write_bytes(zipped(files))
        return verify_package(path)

    return run


def failed(verdict: Verdict) -> set[str]:
    return {step.name for step in verdict.steps if not step.ok}


def names_of(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return buffer.getvalue()


def with_duplicate() -> bytes:
    """Two files of one name, which zipfile itself only writes with a warning: the second is renamed in the bytes."""
    return names_of("figures.csv", "figurez.csv").replace(b"figurez", b"figures")


def encrypted() -> bytes:
    plain = bytearray(zipped(Shop().publish()))
    plain[plain.index(b"PK\x01\x02") + 8] |= 1
    return bytes(plain)


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        (b"", "no package"),
        (b"PK\x03\x04", "no package"),
        (b"not a zip", "no package"),
        (zipped(Shop().publish())[:-30], "no package"),
        (zipped({}), "no manifest.json"),
        (zipped({"manifest.json": b"{}"}), "no certificate.json"),
        (names_of("../../etc/passwd"), "a name that a package never has"),
        (names_of("/etc/passwd"), "a name that a package never has"),
        (names_of("folder/figures.csv"), "a name that a package never has"),
        (names_of("C:\\figures.csv"), "a name that a package never has"),
        (names_of("figures.csv\x1b[2J"), "a name that a package never has"),
        (names_of("Figures.csv"), "a name that a package never has"),
        (names_of(".."), "a name that a package never has"),
        (names_of(*[f"f{number}.csv" for number in range(65)]), "more than 64 files"),
        (with_duplicate(), "in it twice"),
        (encrypted(), "encrypted"),
        (zipped(Shop().publish(), zipfile.ZIP_BZIP2), "compressed in a way"),
    ],
)
def test_hostile_archives_are_refused(tmp_path: Path, stored: bytes, reason: str) -> None:
    path = tmp_path / "hostile.volens"
    path.write_bytes(stored)
    verdict = verify_package(path)
    assert failed(verdict) == {"package"}
    assert reason in verdict.steps[0].detail
    assert describe(verdict).replace("\n", "").isprintable()


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MEMBER_BYTES_MAX", 100_000)
    monkeypatch.setattr(container, "TOTAL_BYTES_MAX", 250_000)
    path = tmp_path / "bomb.volens"
    for files, refused in [
        ({"a.csv": bytes(100_000)}, False),
        ({"a.csv": bytes(100_001)}, True),
        ({"a.csv": bytes(100_000), "b.csv": bytes(100_000), "c.csv": bytes(50_000)}, False),
        ({"a.csv": bytes(100_000), "b.csv": bytes(100_000), "c.csv": bytes(50_001)}, True),
    ]:
        path.write_bytes(zipped(files))
        assert ("larger than" in verify_package(path).steps[0].detail) is refused


def test_a_bomb_that_lies_about_its_size_is_not_unpacked(tmp_path: Path) -> None:
    stored = bytearray(zipped({"a.csv": bytes(70 * 1024 * 1024)}))
    at = stored.index(b"PK\x01\x02") + 24
    stored[at : at + 4] = struct.pack("<I", 10)
    path = tmp_path / "bomb.volens"
    path.write_bytes(stored)
    assert failed(verify_package(path)) == {"package"}


def test_a_file_over_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.volens"
    path.write_bytes(zipped(Shop().publish()))
    monkeypatch.setattr(container, "PACKAGE_BYTES_MAX", path.stat().st_size)
    assert verify_package(path).ok
    monkeypatch.setattr(container, "PACKAGE_BYTES_MAX", path.stat().st_size - 1)
    assert "larger than" in verify_package(path).steps[0].detail


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff{}",
        b'{"format":NaN}',
        b'{"format":"a","format":"b"}',
        b'{"format":' + b"9" * 5000 + b"}",
        b"[" * 10_000,
        b'{"a":' * 9_000,
        b'{"a":[' + b"[]," * 1_000_000 + b"[]]}",
    ],
)
@pytest.mark.parametrize("name", ["certificate.json", "manifest.json", "proof.json"])
def test_hostile_json_fails_a_step(judge: Callable[..., Verdict], name: str, text: bytes) -> None:
    verdict = judge(Shop().busy(3).publish() | {name: text})
    assert failed(verdict) & {"files", "certificate", "proof"}
    assert name in " ".join(step.detail for step in verdict.steps if not step.ok)


@pytest.mark.parametrize(
    "entry",
    [
        {"detail": {"certificate": "\ud800"}},
        {"detail": {}, "kind": 1e400},
        {"detail": {"a": None}, "seq": "3"},
    ],
)
def test_an_entry_no_log_could_hold_is_no_traceback(judge: Callable[..., Verdict], entry: dict[str, object]) -> None:
    files = Shop().busy(3).publish()
    proof = json.loads(files["proof.json"]) | {"entry": entry}
    text = json.dumps(proof).replace("Infinity", "1e400").encode()
    assert "inclusion" in failed(judge(files | {"proof.json": text}))


def test_foreign_words_cannot_move_the_cursor(judge: Callable[..., Verdict]) -> None:
    shown = describe(judge(Shop(house="\u202eevil").publish("\x1b]0;x\x07" + "y" * 500)))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert max(map(len, shown.splitlines())) < 400


STORED = zipped(Shop().busy(3).publish())


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_change_to_the_bytes_raises_or_changes_what_verifies(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever still verifies holds exactly the files of the original."""
    stored = bytearray(STORED)
    for _ in range(data.draw(st.integers(1, 3))):
        stored[data.draw(st.integers(0, len(stored) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("fuzz", numbered=True) / "f.volens"
    path.write_bytes(stored)
    if verify_package(path).ok:
        assert container.read_package(bytes(stored)) == container.read_package(STORED)
