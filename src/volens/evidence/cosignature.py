"""Cosignatures: what a witness adds to a checkpoint, in the C2SP format tlog-cosignature, version 1 (Ed25519).

    — verbraucher.example/w1 <base64 of key id, time and signature>

It says: at this time, this was the largest state of this log that the witness had seen, and it continued every earlier one.

Rules:
1. What is signed begins with `cosignature/v1` and the time, so that it can never be taken for a log's own signature.
2. A cosignature counts only against a key that the caller names. One that bears such a key and does not verify rejects the
   note; those of unknown witnesses are left aside (https://c2sp.org/tlog-cosignature, https://c2sp.org/signed-note).
3. Only the standard library and `cryptography`, so that this file can be copied beside the stand-alone verifier.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

if __package__:
    from volens.evidence import checkpoint as notes
else:  # copied into a folder beside the verifier
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import checkpoint as notes  # type: ignore[import-not-found, no-redef]

COSIGNATURE = b"\x04"
TIME_BYTES, SIGNATURE_BYTES = 8, 64
TIME_LIMIT = 1 << 63


@dataclass(frozen=True)
class CosignerKey(notes.VerifierKey):
    """A witness's public key under its name, written `<name>+<key id>+<base64(0x04 || key)>`."""

    KIND: ClassVar[bytes] = COSIGNATURE


@dataclass(frozen=True)
class Cosigned:
    """A cosignature that verified: which witness, and when it signed (seconds since 1970, UTC)."""

    key: CosignerKey
    at: int
    line: str


def cosigner_key(name: str, private_key: Ed25519PrivateKey) -> CosignerKey:
    """The public counterpart of a witness's key."""
    return CosignerKey(name, private_key.public_key().public_bytes_raw())


def cosign(body: bytes, name: str, private_key: Ed25519PrivateKey, at: int) -> str:
    """The line that a witness adds to the note with this body (all lines above the signatures). `at`: seconds since 1970."""
    if not 0 <= at < TIME_LIMIT:
        raise ValueError("a cosignature's time lies between 1970 and 2**63 seconds later")
    stamped = at.to_bytes(TIME_BYTES, "big") + private_key.sign(_message(at, body))
    return notes.signature_line(cosigner_key(name, private_key), stamped)


def cosignatures(text: str, keys: Sequence[CosignerKey]) -> tuple[Cosigned, ...]:
    """Those cosignatures of a note that the named witnesses made, the newest of each. Raises `BadNote`.

    It says nothing about who signed the note itself: `checkpoint.verify` does.
    """
    note = notes.parse(text)
    known = {(key.name, key.key_id): key for key in keys}
    found: dict[CosignerKey, Cosigned] = {}
    for line in note.signatures:
        key = known.get((line.name, line.key_id))
        if key is None:
            continue
        at = _verified(line.signature, note.body, key)
        if key not in found or found[key].at < at:
            found[key] = Cosigned(key, at, notes.signature_line(key, line.signature))
    return tuple(found.values())


def _verified(stamped: bytes, body: bytes, key: CosignerKey) -> int:
    """The time of a cosignature by `key`."""
    at = int.from_bytes(stamped[:TIME_BYTES], "big")
    if len(stamped) != TIME_BYTES + SIGNATURE_BYTES or at >= TIME_LIMIT:
        raise notes.BadNote("a cosignature is not a time and an Ed25519 signature")
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(stamped[TIME_BYTES:], _message(at, body))
    except (InvalidSignature, ValueError):
        raise notes.BadNote(f"the cosignature of {key.name} does not belong to this text and this key") from None
    return at


def _message(at: int, body: bytes) -> bytes:
    return b"cosignature/v1\ntime %d\n" % at + body
