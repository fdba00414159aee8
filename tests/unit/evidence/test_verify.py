"""The verifier against a shop that tells the truth and shops that cheat.

Each cheat must be found by the step that is there for it: a verifier that says no for the wrong reason helps
nobody.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.evidence.packages import (
    CONTENTS,
    NAME,
    OTHER_KEY,
    Shop,
    compact,
    digest,
    edited,
    manifest_of,
    zipped,
)

from volens.evidence import verify
from volens.evidence.checkpoint import VerifierKey, verifier_key
from volens.evidence.verify import Verdict, describe, main, verify_package

Files = dict[str, bytes]


@pytest.fixture
def judge(tmp_path: Path) -> Callable[..., Verdict]:
    """Writes packages to disk and verifies the first, against the second if there is one."""

    def run(files: Files, older: Files | str | None = None, key: str | None = None) -> Verdict:
        path, since = tmp_path / "new.volens", tmp_path / "old.volens"
        path.write_bytes(zipped(files))
        if older is not None:
            since.write_bytes(older.encode() if isinstance(older, str) else zipped(older))
        return verify_package(path, since if older is not None else None, key)

    return run


def failed(verdict: Verdict) -> set[str]:
    return {step.name for step in verdict.steps if not step.ok}


def test_what_is_true_verifies(judge: Callable[..., Verdict]) -> None:
    for before in (0, 1, 2, 6, 7, 30):
        shop = Shop().busy(before)
        verdict = judge(shop.publish(), key=verifier_key(NAME, shop.key))
        assert verdict.ok, verdict.steps
        assert (verdict.release, verdict.size) == ("r-2026-0001", before + 1)


def test_an_entry_in_the_middle_verifies(judge: Callable[..., Verdict]) -> None:
    shop = Shop().busy(5)
    files = shop.publish()
    shop.busy(9)
    assert judge(files | {"proof.json": shop.proof(5)}).ok


@pytest.mark.parametrize("name", sorted(CONTENTS))
@pytest.mark.parametrize("place", [0, -1])
def test_a_changed_byte_in_a_file_is_found(judge: Callable[..., Verdict], name: str, place: int) -> None:
    files = Shop().busy(3).publish()
    changed = bytearray(files[name])
    changed[place] ^= 1
    verdict = judge(files | {name: bytes(changed)})
    assert failed(verdict) == {"files"}
    assert f"{name} is not the file" in verdict.steps[1].detail


def test_a_changed_file_with_a_mended_manifest_is_found(judge: Callable[..., Verdict]) -> None:
    files = Shop().busy(3).publish() | {"figures.csv": b"measure,row\nbetter\n"}
    files["manifest.json"] = manifest_of(files)
    verdict = judge(files)
    assert failed(verdict) == {"files"}
    assert "that the certificate names" in verdict.steps[1].detail


def test_swapped_missing_and_added_files_are_found(judge: Callable[..., Verdict]) -> None:
    files = Shop().busy(3).publish()
    swapped = files | {"report.fr.html": files["report.en.html"], "report.en.html": files["report.fr.html"]}
    assert failed(judge(swapped)) == {"files"}
    assert failed(judge({name: files[name] for name in files if name != "figures.csv"})) == {"files"}
    assert failed(judge(files | {"extra.csv": b"1"})) == {"files"}


def test_a_changed_certificate_is_found(judge: Callable[..., Verdict]) -> None:
    files = edited(Shop().busy(3).publish(), "certificate.json", plan_hash="cd" * 32)
    assert failed(judge(files)) == {"files", "certificate"}
    files["manifest.json"] = manifest_of(files)
    assert failed(judge(files)) == {"certificate"}


def test_a_certificate_entered_under_another_release_is_found(judge: Callable[..., Verdict]) -> None:
    shop = Shop().busy(3)
    files = shop.publish()
    for change in ({"release": "r-9"}, {"plan_hash": "00" * 32}):
        shop.log("published", shop.entries[3]["detail"] | change)
        assert failed(judge(files | {"proof.json": shop.proof(len(shop.entries) - 1)})) == {"certificate"}
    shop.log("plan", shop.entries[3]["detail"])
    assert failed(judge(files | {"proof.json": shop.proof(len(shop.entries) - 1)})) == {"certificate"}


def test_another_releases_proof_is_found(judge: Callable[..., Verdict]) -> None:
    shop = Shop().busy(2)
    first, second = shop.publish("r-1"), shop.publish("r-2")
    assert failed(judge(first | {"proof.json": second["proof.json"]})) == {"certificate"}


def test_an_entry_that_never_was_in_the_log_is_found(judge: Callable[..., Verdict]) -> None:
    files = Shop().busy(3).publish()
    certificate = compact(json.loads(files["certificate.json"]) | {"unit": "nobody"})
    entry = json.loads(files["proof.json"])["entry"]
    entry["detail"]["certificate"] = digest(certificate)
    files = edited(files | {"certificate.json": certificate}, "proof.json", entry=entry)
    files["manifest.json"] = manifest_of(files)
    assert failed(judge(files)) == {"inclusion"}


@pytest.mark.parametrize(
    ("change", "steps"),
    [
        ({"index": 2}, {"inclusion"}),
        ({"inclusion": []}, {"inclusion"}),
        ({"inclusion": ["00" * 32] * 2}, {"inclusion"}),
        ({"leaves": []}, {"log"}),
        ({"leaves": ["00" * 32] * 4}, {"log"}),
        ({"key": verifier_key(NAME, OTHER_KEY)}, {"signature"}),
        ({"key": "no key"}, {"signature"}),
        ({"checkpoint": Shop(key=OTHER_KEY).busy(4).note()}, {"inclusion", "log", "signature"}),
        ({"checkpoint": ""}, {"inclusion", "log", "signature"}),
        ({"entry": {}}, {"proof"}),
        ({"entry": {"detail": {}}}, {"certificate", "inclusion"}),
        ({"index": True}, {"proof"}),
        ({"index": -1}, {"proof"}),
        ({"inclusion": ["zz"]}, {"proof"}),
        ({"leaves": {"a": 1}}, {"proof"}),
        ({"checkpoint": None}, {"proof"}),
        ({"key": 7}, {"proof"}),
        ({"tree": "events"}, {"proof"}),
    ],
)
def test_a_broken_proof_is_found(judge: Callable[..., Verdict], change: dict[str, object], steps: set[str]) -> None:
    assert failed(judge(edited(Shop().busy(3).publish(), "proof.json", **change))) == steps


def test_a_cut_inclusion_path_is_found(judge: Callable[..., Verdict]) -> None:
    files = Shop().busy(3).publish()
    path = json.loads(files["proof.json"])["inclusion"]
    assert failed(judge(edited(files, "proof.json", inclusion=path[:-1]))) == {"inclusion"}


def test_a_log_of_another_house_or_tree_is_found(judge: Callable[..., Verdict]) -> None:
    files = Shop().busy(3).publish()
    elsewhere = Shop(house="elsewhere").busy(3)
    elsewhere.entries.append(json.loads(files["proof.json"])["entry"])
    assert failed(judge(files | {"proof.json": elsewhere.proof(3)})) == {"signature"}


def test_a_forged_package_verifies_only_without_a_trusted_key(judge: Callable[..., Verdict]) -> None:
    forged = Shop(key=OTHER_KEY).busy(3).publish()
    honest = verifier_key(NAME, Shop().key)
    assert judge(forged).ok
    assert "does not say whose key signed" in describe(judge(forged))
    assert failed(judge(forged, key=honest)) == {"key"}
    assert failed(judge(forged, key="nonsense")) == {"key"}
    fingerprint = VerifierKey.parse(verifier_key(NAME, OTHER_KEY)).fingerprint
    assert judge(forged, key=fingerprint.upper()).ok


def test_a_log_that_grew_continues_the_older_one(judge: Callable[..., Verdict]) -> None:
    shop = Shop().busy(3)
    older, note = shop.publish("r-1"), shop.note()
    newer = shop.busy(4).publish("r-2")
    assert judge(newer, older).ok
    assert judge(newer, note).ok
    assert judge(older, older).ok
    assert judge(newer, Shop().note()).ok
    assert "4 entries then, 9 now" in judge(newer, older).steps[-1].detail


def test_a_rewritten_cut_or_forked_log_is_found(judge: Callable[..., Verdict]) -> None:
    older = Shop().busy(3).publish("r-1")
    rewritten = Shop(noise="x").busy(8).publish("r-2")
    assert judge(rewritten).ok, "it is consistent in itself: only an older package exposes it"
    assert failed(judge(rewritten, older)) == {"since"}
    assert "rewritten or forked" in judge(rewritten, older).steps[-1].detail
    cut = Shop().publish("r-2")
    assert failed(judge(cut, older)) == {"since"}
    assert "shorter" in judge(cut, older).steps[-1].detail
    fork = Shop().busy(3).publish("r-other")
    assert failed(judge(fork, older)) == {"since"}, "same size, other last entry"


def test_an_older_one_that_cannot_serve_is_named(judge: Callable[..., Verdict]) -> None:
    shop = Shop().busy(3)
    older = shop.publish("r-1")
    newer = shop.publish("r-2")
    cases: list[tuple[Files | str, str]] = [
        (older | {"figures.csv": b"x"}, "itself does not verify"),
        (Shop(key=OTHER_KEY).busy(3).publish(), "another key"),
        (Shop(house="elsewhere").busy(3).publish(), "another log"),
        (Shop(key=OTHER_KEY).busy(3).note(), "not signed with this key"),
        (Shop().busy(3).note().replace("\n3\n", "\n2\n"), "does not belong"),
        ("nonsense", "does not hold"),
        ("", "does not hold"),
    ]
    for given_older, reason in cases:
        verdict = judge(newer, given_older)
        assert failed(verdict) == {"since"}
        assert reason in verdict.steps[-1].detail


def test_files_that_are_not_there_are_steps_not_tracebacks(tmp_path: Path) -> None:
    assert failed(verify_package(tmp_path / "none.volens")) == {"package"}
    assert failed(verify_package(tmp_path)) == {"package"}
    path = tmp_path / "new.volens"
    path.write_bytes(zipped(Shop().publish()))
    assert failed(verify_package(path, tmp_path / "none.volens")) == {"since"}


def test_every_title_is_a_step_that_can_be_seen(judge: Callable[..., Verdict]) -> None:
    shop = Shop().busy(2)
    whole = judge(shop.publish(), shop.note(), verifier_key(NAME, shop.key))
    broken = judge(edited(shop.publish(), "proof.json", index=None))
    of_receipts = {"receipt", "told", "text", "commitment", "witness"}  # unit/permissions/test_receipt.py
    assert {step.name for step in (*whole.steps, *broken.steps)} == set(verify.TITLES) - of_receipts
    with pytest.raises(ValueError, match="no step"):
        verify.Step("elsewhere", True, "")


def test_the_command_says_it_and_exits_0_or_8(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = tmp_path / "r.volens"
    path.write_bytes(zipped(Shop().publish()))
    assert main([str(path)]) == 0
    said = capfdbinary.readouterr().out.decode()
    assert said.count("✓") == 6
    assert "✗" not in said
    assert "never rewritten" in said
    assert main([str(path), "--since", str(path), "--key", verifier_key(NAME, Shop().key)]) == 0
    said = capfdbinary.readouterr().out.decode()
    assert "whose key" not in said
    assert "never rewritten" not in said
    path.write_bytes(zipped(Shop().publish() | {"figures.csv": b"x"}))
    assert main([str(path)]) == 8
    assert "does not verify" in capfdbinary.readouterr().out.decode()


@pytest.mark.parametrize("flags", [[], ["-I"]])
def test_its_files_in_an_empty_folder_are_enough(tmp_path: Path, flags: list[str]) -> None:
    """Run where Volens cannot be imported; `-I` also takes the script's own folder from the path."""
    source = Path(verify.__file__).parent
    for name in verify.FILES:
        shutil.copy(source / name, tmp_path / name)
    blocker = "import sys; sys.modules['volens'] = None; sys.argv = sys.argv[1:]; import runpy;"
    blocker += "runpy.run_path(sys.argv[0], run_name='__main__')"
    shop = Shop().busy(3)
    (tmp_path / "old.volens").write_bytes(zipped(shop.publish()))
    (tmp_path / "new.volens").write_bytes(zipped(shop.publish()))
    (tmp_path / "bad.volens").write_bytes(zipped(shop.publish() | {"figures.csv": b"x"}))
    command = [sys.executable, *flags, "-c", blocker, "verify.py", "new.volens", "--since", "old.volens"]
    for tail, code in (([], 0), (["bad.volens"], 8)):
        run = subprocess.run([*command[:-3], *tail] if tail else command, cwd=tmp_path, capture_output=True)
        assert (run.returncode, run.stderr) == (code, b"")
    plain = [sys.executable, *flags, "verify.py", "new.volens", "--since", "old.volens"]
    assert subprocess.run(plain, cwd=tmp_path, capture_output=True).returncode == 0


def test_as_json_says_all() -> None:
    verdict = verify_package(Path("nowhere.volens"))
    assert json.loads(json.dumps(verdict.as_json()))["steps"][0]["ok"] is False
