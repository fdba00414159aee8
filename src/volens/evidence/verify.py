"""Checks a release package offline, trusting nobody but mathematics and one public key.

    python verify.py RELEASE.volens [--since OLDER] [--key KEY]

1. Nothing of the rest of Volens is needed: the standard library, `cryptography`, and the three files beside this one
   (`merkle.py`, `checkpoint.py`, `container.py`), which can be copied into an empty folder.
2. A package is hostile until shown otherwise: everything has a limit, nothing is unpacked to disk, no name in it
   is used as a path, and whatever is broken becomes a step that failed, with its reason. Nothing raises.
3. Every step that can be taken is taken: all that is wrong is said, not only the first thing.
4. What is not shown is said too: whose key it is, and, without an older package, that the log was not rewritten.

Exit codes: 0 verified, 8 not verified, 2 wrong use.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

if __package__:
    from volens.evidence import checkpoint as notes
    from volens.evidence import merkle
    from volens.evidence.container import (
        CERTIFICATE,
        MANIFEST,
        PROOF,
        Broken,
        human_size,
        read_bounded,
        read_hashes,
        read_json,
        read_package,
        shown,
    )
else:  # copied into a folder: the other files lie beside this one, also where Python was told to ignore it
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import checkpoint as notes  # type: ignore[import-not-found, no-redef]
    import merkle  # type: ignore[import-not-found, no-redef]
    from container import (  # type: ignore[import-not-found, no-redef]
        CERTIFICATE,
        MANIFEST,
        PROOF,
        Broken,
        human_size,
        read_bounded,
        read_hashes,
        read_json,
        read_package,
        shown,
    )

PACKAGE_FORMAT = "volens-package/1"
CERTIFICATE_FORMAT = "volens-certificate/1"

TITLES = {
    "package": "The package can be opened",
    "files": "Every file is the one the certificate names",
    "certificate": "The certificate is the one in the public log",
    "proof": "The proof can be read",
    "inclusion": "The log's entry is where the proof says",
    "log": "The list of entries is the log that was signed",
    "signature": "The state of the log is signed",
    "key": "The key is the one you trust",
    "since": "The log continues the older one",
}


@dataclass(frozen=True)
class Step:
    """One check. `name` is a key of TITLES; `detail` says what was found, or what is wrong."""

    name: str
    ok: bool
    detail: str

    def __post_init__(self) -> None:
        if self.name not in TITLES:
            raise ValueError(f"no step is called {self.name!r}")


@dataclass(frozen=True)
class Verdict:
    """All steps in order. `key` and `size` are those of the package, if they could be read.

    `compared`: an older state was given. `trusted`: a key to trust was given.
    """

    steps: tuple[Step, ...]
    release: str = ""
    key: notes.VerifierKey | None = None
    size: int = 0
    compared: bool = False
    trusted: bool = False

    @property
    def ok(self) -> bool:
        """Whether every step held."""
        return bool(self.steps) and all(step.ok for step in self.steps)

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {
            "ok": self.ok,
            "release": self.release,
            "key": str(self.key) if self.key else None,
            "fingerprint": self.key.fingerprint if self.key else None,
            "size": self.size,
            "steps": [{"name": step.name, "ok": step.ok, "detail": step.detail} for step in self.steps],
        }


@dataclass(frozen=True)
class Proof:
    """`proof.json` after checking its shape."""

    entry: dict[str, Any]
    index: int
    inclusion: tuple[bytes, ...]
    checkpoint: str
    key: str
    leaves: tuple[bytes, ...]


def verify_package(path: Path, since: Path | None = None, trusted_key: str | None = None) -> Verdict:
    """Check the package at `path`.

    since: an older package of the same log, or a text file with a signed checkpoint of it (a witness's copy).
    trusted_key: a key as `name+id+base64`, or its fingerprint, that came to you another way than in the package.
    """
    try:
        package = read_bounded(path)
    except Broken as broken:
        return Verdict((Step("package", False, str(broken)),))
    return verify_bytes(package, since, trusted_key)


def verify_bytes(package: bytes, since: Path | None = None, trusted_key: str | None = None) -> Verdict:
    """The same for a package in memory."""
    try:
        files = read_package(package)
    except Broken as broken:
        return Verdict((Step("package", False, str(broken)),))
    steps = [Step("package", True, f"{len(files)} files, {human_size(sum(map(len, files.values())))}")]
    certificate, reason = _parsed(files, CERTIFICATE)
    steps.append(_step("files", lambda: _check_files(files, certificate, reason)))
    try:
        proof = read_proof(files)
    except Broken as broken:
        steps.append(Step("proof", False, str(broken)))
        return Verdict(tuple(steps), _release(certificate))
    note = _note(proof)
    steps.append(_step("certificate", lambda: _check_certificate(files, certificate, reason, proof)))
    steps.append(_step("inclusion", lambda: _check_inclusion(proof, note)))
    steps.append(_step("log", lambda: _check_log(proof, note)))
    steps.append(_step("signature", lambda: _check_signature(proof, certificate)))
    if trusted_key is not None:
        steps.append(_step("key", lambda: _check_key(proof, trusted_key)))
    if since is not None:
        steps.append(_step("since", lambda: _check_since(proof, note, since)))
    size = note.size if isinstance(note, notes.Checkpoint) else 0
    return Verdict(tuple(steps), _release(certificate), _key(proof), size, since is not None, trusted_key is not None)


def read_proof(files: dict[str, bytes]) -> Proof:
    """`proof.json`, its shape checked and nothing believed. Raises `Broken`."""
    found = read_json(files[PROOF], PROOF)
    entry, index = found.get("entry"), found.get("index")
    checkpoint, key = found.get("checkpoint"), found.get("key")
    if found.get("tree") != "public":
        raise Broken("the proof is not about the public log")
    if not isinstance(entry, dict) or not isinstance(entry.get("detail"), dict):
        raise Broken("the proof holds no entry of the log")
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise Broken("the proof does not say where its entry is")
    if not isinstance(checkpoint, str) or not isinstance(key, str):
        raise Broken("the proof holds no signed state of the log, or no key")
    inclusion, leaves = read_hashes(found, "inclusion"), read_hashes(found, "leaves")
    return Proof(entry, index, inclusion, checkpoint, key, leaves)


def _check_files(files: dict[str, bytes], certificate: dict[str, Any], reason: str) -> str:
    manifest = read_json(files[MANIFEST], MANIFEST)
    if manifest.get("format") != PACKAGE_FORMAT:
        raise Broken(f"the manifest's format is not {PACKAGE_FORMAT}")
    hashes = {name: sha256(content).hexdigest() for name, content in files.items()}
    problems = _differences("the manifest", manifest.get("files"), hashes, {MANIFEST, PROOF})
    if reason:
        problems.append(reason)
    else:
        kept_apart = {MANIFEST, PROOF, CERTIFICATE}
        problems += _differences("the certificate", certificate.get("files"), hashes, kept_apart)
    if problems:
        raise Broken("; ".join(problems))
    return f"{len(files) - 3} files"


def _differences(who: str, named: object, hashes: dict[str, str], apart: set[str]) -> list[str]:
    """What a list of hashes says otherwise than the files do; `apart` are not in such a list."""
    if not isinstance(named, dict):
        return [f"{who} names no files"]
    present = {name for name in hashes if name not in apart}
    problems = [f"{shown(name)} is missing, though {who} names it" for name in sorted(set(named) - present)]
    problems += [f"{name} is not named by {who}" for name in sorted(present - set(named))]
    changed = sorted(name for name in present & set(named) if named[name] != hashes[name])
    return problems + [f"{name} is not the file that {who} names: it was changed" for name in changed]


def _check_certificate(files: dict[str, bytes], certificate: dict[str, Any], reason: str, proof: Proof) -> str:
    if reason:
        raise Broken(reason)
    detail = proof.entry["detail"]
    if certificate.get("format") != CERTIFICATE_FORMAT:
        raise Broken(f"the certificate's format is not {CERTIFICATE_FORMAT}")
    if (proof.entry.get("tree"), proof.entry.get("kind")) != ("public", "published"):
        raise Broken("the log's entry is not about something published")
    if detail.get("certificate") != sha256(files[CERTIFICATE]).hexdigest():
        raise Broken("the log's entry names another certificate: this one was changed, or is of another release")
    for name in ("release", "plan_hash"):
        if not isinstance(detail.get(name), str) or detail[name] != certificate.get(name):
            raise Broken(f"the certificate and the log's entry do not agree on: {name}")
    return f"release {shown(certificate['release'])}"


def _check_inclusion(proof: Proof, note: notes.Checkpoint | str) -> str:
    checkpoint = _believed(note)
    try:
        leaf = merkle.leaf_hash(merkle.canonical_json(proof.entry))
    except (ValueError, RecursionError):
        raise Broken("the log's entry holds something that an entry never holds") from None
    if proof.entry.get("seq") != proof.index:
        raise Broken("the entry bears another number than the one that the proof gives it")
    if not merkle.verify_inclusion(leaf, proof.index, checkpoint.size, proof.inclusion, checkpoint.root):
        raise Broken("the proof does not lead from this entry to the signed state of the log")
    return f"entry {proof.index + 1} of {checkpoint.size}"


def _check_log(proof: Proof, note: notes.Checkpoint | str) -> str:
    checkpoint = _believed(note)
    if len(proof.leaves) != checkpoint.size:
        raise Broken(f"the list has {len(proof.leaves)} entries, the signed log {checkpoint.size}")
    if merkle.root_of(proof.leaves) != checkpoint.root:
        raise Broken("the list is not the one that was signed: an entry was changed, added, removed or moved")
    return f"{checkpoint.size} entries"


def _check_signature(proof: Proof, certificate: dict[str, Any]) -> str:
    try:
        checkpoint = notes.verify(proof.checkpoint, proof.key)
    except notes.BadNote as bad:
        raise Broken(str(bad)) from None
    if checkpoint.origin != f"volens/{certificate.get('house')}/public":
        raise Broken(f"it is another house's log that was signed: {shown(checkpoint.origin)}")
    return f"by {shown(notes.VerifierKey.parse(proof.key).name)}"


def _check_key(proof: Proof, trusted: str) -> str:
    found = _key(proof)
    if found is None:
        raise Broken("the package's key cannot be read")
    given = trusted.strip()
    if given != str(found) and "".join(given.split()).lower() != found.fingerprint.replace(" ", ""):
        raise Broken(f"the package is signed with another key: {found.fingerprint}")
    return found.fingerprint


def _check_since(proof: Proof, note: notes.Checkpoint | str, since: Path) -> str:
    """The first entries of today's list must be exactly the log of then."""
    checkpoint = _believed(note)
    older = _older(proof, since)
    if older.origin != checkpoint.origin:
        raise Broken(f"the older one is of another log: {shown(older.origin)}")
    if older.size > checkpoint.size:
        raise Broken("the log is shorter than the older one: entries were cut off, or you gave the two in reverse")
    if len(proof.leaves) < older.size or merkle.root_of(proof.leaves[: older.size]) != older.root:
        raise Broken(f"the first {older.size} entries are not those of then: the log was rewritten or forked")
    return f"{older.size} entries then, {checkpoint.size} now"


def _older(proof: Proof, since: Path) -> notes.Checkpoint:
    """The older state: of a package that verifies itself, or of a signed checkpoint in a text file."""
    try:
        with since.open("rb") as opened:
            text = opened.read(notes.NOTE_CHARACTERS_MAX + 1)
    except OSError as problem:
        raise Broken(f"the older file cannot be read: {shown(problem.strerror or problem)}") from None
    try:
        if not text.startswith(b"PK"):
            return notes.verify(text.decode("utf-8"), proof.key)
        package = read_bounded(since)
        verdict = verify_bytes(package)
        failed = [step for step in verdict.steps if not step.ok]
        if failed:
            raise Broken(f"the older package itself does not verify: {failed[0].detail}")
        older = read_proof(read_package(package))
        if older.key != proof.key:
            raise Broken("the older package is signed with another key: ask the house to show the change of keys")
        return notes.verify(older.checkpoint, older.key)
    except (notes.BadNote, UnicodeDecodeError) as bad:
        raise Broken(f"the older checkpoint does not hold: {shown(bad)}") from None


def describe(verdict: Verdict) -> str:
    """The verdict for people: one line a step, then what it means and what it does not."""
    lines = [f"{'✓' if step.ok else '✗'} {TITLES[step.name]}: {step.detail}" for step in verdict.steps]
    if not verdict.ok:
        return "\n".join([*lines, "", NOT_VERIFIED, ""])
    meaning = [
        f"This is release {shown(verdict.release)} exactly as it was entered in the public log: no figure, page or"
        " method in it has changed since.",
        "It does not say that the purchases behind it are complete: it fixes what was published, and how.",
    ]
    if not verdict.trusted and verdict.key is not None:
        meaning.append(
            f"It does not say whose key signed. The key's fingerprint is {verdict.key.fingerprint}: compare it with"
            " the one you already hold, or that the house gives you another way than with this file (--key)."
        )
    if not verdict.compared:
        meaning.append(
            "It does not say that the log was never rewritten. Keep this file, and compare it with an older or a"
            " newer one (--since OLDER)."
        )
    return "\n".join([*lines, "", *meaning, ""])


NOT_VERIFIED = (
    "This package does not verify. Do not rely on its figures; ask whoever sent it for another copy. If that does not"
    " verify either, keep both: they are evidence."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The stand-alone command."""
    parser = argparse.ArgumentParser(prog="verify", description="Checks a release package offline.")
    parser.add_argument("file", type=Path, help="the package to check")
    parser.add_argument("--since", type=Path, metavar="OLDER", help="an older package or signed checkpoint of its log")
    parser.add_argument("--key", help="the key or fingerprint that you trust, if you hold one")
    given = parser.parse_args(arguments)
    verdict = verify_package(given.file, given.since, given.key)
    sys.stdout.buffer.write(describe(verdict).encode("utf-8"))
    return 0 if verdict.ok else 8


def _step(name: str, check: Callable[[], str]) -> Step:
    try:
        return Step(name, True, check())
    except Broken as broken:
        return Step(name, False, str(broken))


def _parsed(files: dict[str, bytes], name: str) -> tuple[dict[str, Any], str]:
    """A JSON file, or an empty object and the reason why it cannot be read."""
    try:
        return read_json(files[name], name), ""
    except Broken as broken:
        return {}, str(broken)


def _note(proof: Proof) -> notes.Checkpoint | str:
    """The log's state as the note states it, or why it cannot be read. The signature is a step of its own."""
    try:
        return notes.parse(proof.checkpoint).checkpoint
    except notes.BadNote as bad:
        return str(bad)


def _believed(note: notes.Checkpoint | str) -> notes.Checkpoint:
    if isinstance(note, str):
        raise Broken(f"the signed state of the log cannot be read: {note}")
    return note


def _key(proof: Proof) -> notes.VerifierKey | None:
    try:
        return notes.VerifierKey.parse(proof.key)
    except notes.BadNote:
        return None


def _release(certificate: dict[str, Any]) -> str:
    release = certificate.get("release")
    return release if isinstance(release, str) else ""


if __name__ == "__main__":
    sys.exit(main())
