"""Checks a release package: its files, its certificate, and their place in the public log. Steps, never exceptions.

Only the standard library, `cryptography` and the files beside it: copied beside the stand-alone verifier.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
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
        read_hashes,
        read_json,
        read_package,
        shown,
    )
    from volens.evidence.verdict import PACKAGE, Found, State, Step, included, signed_state, take
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
        read_hashes,
        read_json,
        read_package,
        shown,
    )
    from verdict import PACKAGE, Found, State, Step, included, signed_state, take  # type: ignore[import-not-found, no-redef]

PACKAGE_FORMAT = "volens-package/1"
CERTIFICATE_FORMAT = "volens-certificate/1"


@dataclass(frozen=True)
class Proof:
    """`proof.json` after checking its shape."""

    entry: dict[str, Any]
    index: int
    inclusion: tuple[bytes, ...]
    checkpoint: str
    key: str
    leaves: tuple[bytes, ...]
    address: str


def check_package(stored: bytes) -> Found:
    """All that a package says of itself."""
    try:
        files = read_package(stored)
    except Broken as broken:
        return Found(PACKAGE, (Step("package", False, str(broken)),))
    steps = [Step("package", True, f"{len(files)} files, {human_size(sum(map(len, files.values())))}")]
    certificate, reason = _parsed(files, CERTIFICATE)
    name = certificate.get("release")
    found = Found(PACKAGE, (), name if isinstance(name, str) else "")
    steps.append(take("files", lambda: _check_files(files, certificate, reason)))
    try:
        proof = read_proof(files)
    except Broken as broken:
        return replace(found, steps=(*steps, Step("proof", False, str(broken))))
    state = _state(proof)
    steps.append(take("certificate", lambda: _check_certificate(files, certificate, reason, proof)))
    steps.append(take("inclusion", lambda: included(proof.entry, proof.index, proof.inclusion, state)))
    steps.append(take("log", lambda: _check_log(proof, state)))
    steps.append(take("signature", lambda: signed_state(proof.checkpoint, proof.key, f"volens/{certificate.get('house')}/public")))
    states = () if isinstance(state, str) else (state,)
    return replace(found, steps=tuple(steps), key=proof.key, states=states, address=proof.address)


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
    address = found.get("address")
    return Proof(entry, index, inclusion, checkpoint, key, leaves, address if isinstance(address, str) else "")


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


def _check_log(proof: Proof, state: State | str) -> str:
    if isinstance(state, str):
        raise Broken(f"the signed state of the log cannot be read: {state}")
    size = state.checkpoint.size
    if len(proof.leaves) != size:
        raise Broken(f"the list has {len(proof.leaves)} entries, the signed log {size}")
    if merkle.root_of(proof.leaves) != state.checkpoint.root:
        raise Broken("the list is not the one that was signed: an entry was changed, added, removed or moved")
    return f"{size} entries"


def _parsed(files: dict[str, bytes], name: str) -> tuple[dict[str, Any], str]:
    """A JSON file, or an empty object and the reason why it cannot be read."""
    try:
        return read_json(files[name], name), ""
    except Broken as broken:
        return {}, str(broken)


def _state(proof: Proof) -> State | str:
    """The log's state as the note states it, or why it cannot be read. The signature is a step of its own."""
    try:
        return State(proof.checkpoint, notes.parse(proof.checkpoint).checkpoint, leaves=proof.leaves)
    except notes.BadNote as bad:
        return str(bad)
