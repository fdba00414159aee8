"""Checks a release package or a receipt offline, trusting nobody but mathematics and the keys that you name.

    python verify.py FILE [--since OLDER] [--key KEY] [--witness KEY …]

1. Nothing of the rest of Volens is needed: the standard library, `cryptography`, and the files beside this one (`FILES`), which
   can be copied into an empty folder.
2. A file is hostile until shown otherwise: everything has a limit, nothing is unpacked to disk, no name in it
   is used as a path, and whatever is broken becomes a step that failed, with its reason. Nothing raises.
3. Every step that can be taken is taken: all that is wrong is said, not only the first thing.
4. What is not shown is said too: whose key it is; without an older state or a witness, that the log was not rewritten.

Exit codes: 0 verified, 8 not verified, 2 wrong use.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

if __package__:
    from volens.evidence import checkpoint as notes
    from volens.evidence.container import Broken, read_bounded, shown
    from volens.evidence.cosignature import Cosigned, CosignerKey, cosignatures
    from volens.evidence.verdict import PACKAGE, RECEIPT, TITLES, Found, Step, Verdict, take
    from volens.evidence.verify_package import CERTIFICATE_FORMAT, PACKAGE_FORMAT, check_package
    from volens.evidence.verify_receipt import check_receipt
else:  # copied into a folder: the other files lie beside this one, also where Python was told to ignore it
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import checkpoint as notes  # type: ignore[import-not-found, no-redef]
    from container import Broken, read_bounded, shown  # type: ignore[import-not-found, no-redef]
    from cosignature import Cosigned, CosignerKey, cosignatures  # type: ignore[import-not-found, no-redef]
    from verdict import PACKAGE, RECEIPT, TITLES, Found, Step, Verdict, take  # type: ignore[import-not-found, no-redef]
    from verify_package import CERTIFICATE_FORMAT, PACKAGE_FORMAT, check_package  # type: ignore[import-not-found, no-redef]
    from verify_receipt import check_receipt  # type: ignore[import-not-found, no-redef]

__all__ = ["CERTIFICATE_FORMAT", "FILES", "PACKAGE_FORMAT", "TITLES", "Step", "Verdict", "describe", "main", "verify_bytes",
           "verify_package"]

FILES = ("merkle.py", "checkpoint.py", "container.py", "cosignature.py", "verdict.py", "verify_package.py", "verify_receipt.py",
         "verify.py")
"""What must lie in one folder for this program to run by itself."""
Older = Path | bytes
"""An older file, by its path or as its bytes."""


def verify_package(
    path: Path, since: Older | None = None, trusted_key: str | None = None, witnesses: Sequence[str] = ()
) -> Verdict:
    """Check the package or receipt at `path`.

    since: an older package or receipt of the same log, or a text file with a signed checkpoint of it (a witness's copy); a path,
        or its bytes.
    trusted_key: a key as `name+id+base64`, or its fingerprint, that came to you another way than in the file.
    witnesses: keys of witnesses that you trust; each must have signed every state in the file.
    """
    try:
        stored = read_bounded(path)
    except Broken as broken:
        return Verdict((step := Step("package", False, str(broken)),), Found(PACKAGE, (step,)))
    return verify_bytes(stored, since, trusted_key, witnesses)


def verify_bytes(
    stored: bytes, since: Older | None = None, trusted_key: str | None = None, witnesses: Sequence[str] = ()
) -> Verdict:
    """The same for a file in memory."""
    found = check_receipt(stored) if stored.lstrip()[:1] == b"{" else check_package(stored)
    steps, cosigned = list(found.steps), list[Cosigned]()
    if found.key or found.states:
        if trusted_key is not None:
            steps.append(take("key", lambda: _check_key(found, trusted_key)))
        if witnesses:
            steps.append(take("witness", lambda: _check_witnesses(found, witnesses, cosigned)))
        if since is not None:
            steps.append(take("since", lambda: _check_since(found, since)))
    return Verdict(
        tuple(steps), found, since is not None, trusted_key is not None, tuple(cosigned), _claimed(found, cosigned)
    )


def _check_key(found: Found, trusted: str) -> str:
    key = found.vkey
    if key is None:
        raise Broken("the key in the file cannot be read")
    given = trusted.strip()
    if given != str(key) and "".join(given.split()).lower() != key.fingerprint.replace(" ", ""):
        raise Broken(f"the file is signed with another key: {key.fingerprint}")
    return key.fingerprint


def _check_witnesses(found: Found, wanted: Sequence[str], cosigned: list[Cosigned]) -> str:
    """Each named witness under each state in the file; what was found goes to `cosigned`."""
    said = []
    for vkey in wanted:
        try:
            key = CosignerKey.parse(vkey.strip())
            signed = [cosignatures(state.note, [key]) for state in found.states]
        except notes.BadNote as bad:
            raise Broken(f"of the witness {shown(vkey.split('+')[0])}: {shown(bad)}") from None
        missing = [shown(state.checkpoint.origin) for state, one in zip(found.states, signed, strict=True) if not one]
        if missing or not signed:
            raise Broken(f"the witness {shown(key.name)} has not signed {' and '.join(missing) or 'it'}: ask for a newer copy")
        newest = max((one[0] for one in signed), key=lambda one: one.at)
        cosigned.append(newest)
        said.append(f"{shown(key.name)} on {_time(newest.at)}")
    return ", ".join(said)


def _claimed(found: Found, cosigned: Sequence[Cosigned]) -> tuple[str, ...]:
    """Names under the states that are neither the house's key nor a witness that was checked."""
    own = found.vkey
    names = []
    for state in found.states:
        for line in notes.parse(state.note).signatures:
            known = [own, *(one.key for one in cosigned)]
            if not any(key is not None and (key.name, key.key_id) == (line.name, line.key_id) for key in known):
                names.append(line.name)
    return tuple(dict.fromkeys(names))


def _check_since(found: Found, since: Older) -> str:
    """Today's log must begin with exactly the log of then: for every log that both files speak of."""
    older = _older(found, since)
    said = []
    for then in older:
        for state in found.states:
            if state.checkpoint.origin == then.origin:
                tree = then.origin.rsplit("/", 1)[-1]
                said.append(f"{tree}: {state.continues(then)}" if len(found.states) > 1 else state.continues(then))
    if not said:
        raise Broken(f"the older one is of another log: {shown(older[0].origin) if older else 'none'}")
    return "; ".join(said)


def _older(found: Found, since: Older) -> list[notes.Checkpoint]:
    """The older states: of a package or receipt that verifies itself, or of a signed checkpoint in a text file."""
    try:
        text = since[: notes.NOTE_CHARACTERS_MAX + 1] if isinstance(since, bytes) else _start(since)
    except OSError as problem:
        raise Broken(f"the older file cannot be read: {shown(problem.strerror or problem)}") from None
    try:
        if not text.startswith(b"PK") and text.lstrip()[:1] != b"{":
            return [notes.verify(text.decode("utf-8"), found.key)]
        verdict = verify_bytes(since if isinstance(since, bytes) else read_bounded(since))
        failed = [step for step in verdict.steps if not step.ok]
        if failed:
            raise Broken(f"the older {verdict.found.kind} itself does not verify: {failed[0].detail}")
        if verdict.found.key != found.key:
            raise Broken(f"the older {verdict.found.kind} is signed with another key: ask the house to show the change of keys")
        return [notes.verify(state.note, found.key) for state in verdict.found.states]
    except (notes.BadNote, UnicodeDecodeError) as bad:
        raise Broken(f"the older checkpoint does not hold: {shown(bad)}") from None


def _start(path: Path) -> bytes:
    with path.open("rb") as opened:
        return opened.read(notes.NOTE_CHARACTERS_MAX + 1)


def describe(verdict: Verdict) -> str:
    """The verdict for people: one line a step, then what it means and what it does not."""
    lines = [f"{'✓' if step.ok else '✗'} {TITLES[step.name]}: {step.detail}" for step in verdict.steps]
    receipt = verdict.found.kind == RECEIPT
    if not verdict.ok:
        return "\n".join([*lines, "", NOT_VERIFIED_RECEIPT if receipt else NOT_VERIFIED, ""])
    meaning = [MEANS_RECEIPT] if receipt else [
        f"This is release {shown(verdict.release)} exactly as it was entered in the public log: no figure, page or"
        " method in it has changed since.",
        "It does not say that the purchases behind it are complete: it fixes what was published, and how.",
    ]
    if not verdict.trusted and verdict.key is not None:
        meaning.append(
            f"It does not say whose key signed. The key's fingerprint is {verdict.key.fingerprint}: compare it with"
            " the one you already hold, or that the house gives you another way than with this file (--key)."
        )
    if verdict.cosigned:
        names = ", ".join(shown(one.key.name) for one in verdict.cosigned)
        meaning.append(f"A log rewritten before that could not bear the signature of {names}, who saw the log grow.")
    elif verdict.claimed:
        meaning.append(
            f"It bears signatures in the name of {', '.join(map(shown, verdict.claimed))}, which were not checked: give the"
            " witness's key, which its own page shows (--witness KEY)."
        )
    else:
        meaning.append("No witness has signed this state of the log.")
    if not verdict.compared and not verdict.cosigned:
        meaning.append(
            "It does not say that the log was never rewritten. Keep this file, and compare it with an older or a"
            " newer one (--since OLDER)."
        )
    if verdict.found.address:
        meaning.append(f"The newest state of the log is published at {shown(verdict.found.address)}/public/checkpoint")
    return "\n".join([*lines, "", *meaning, ""])


NOT_VERIFIED = (
    "This package does not verify. Do not rely on its figures; ask whoever sent it for another copy. If that does not"
    " verify either, keep both: they are evidence."
)
NOT_VERIFIED_RECEIPT = (
    "This receipt does not verify. Ask the shop for another copy. If that does not verify either, keep both: they are evidence."
)
MEANS_RECEIPT = (
    "What this receipt says was chosen, when, where and under which text is on the record as it was signed. What the record's"
    " entry does not hold (the lawful basis, how long data is kept) is the shop's own word."
)


def _time(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The stand-alone command."""
    parser = argparse.ArgumentParser(prog="verify", description="Checks a release package or a receipt offline.")
    parser.add_argument("file", type=Path, help="the package or receipt to check")
    parser.add_argument("--since", type=Path, metavar="OLDER", help="an older package, receipt or signed checkpoint of its log")
    parser.add_argument("--key", help="the key or fingerprint that you trust, if you hold one")
    parser.add_argument("--witness", action="append", default=[], metavar="KEY", help="a witness's key; again for more")
    given = parser.parse_args(arguments)
    verdict = verify_package(given.file, given.since, given.key, given.witness)
    sys.stdout.buffer.write(describe(verdict).encode("utf-8"))
    return 0 if verdict.ok else 8


if __name__ == "__main__":
    sys.exit(main())
