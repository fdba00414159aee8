"""Checkpoints: a log's size and root, signed, in the C2SP formats tlog-checkpoint and signed-note.

    volens/le-panier/public            origin: which log
    1234                               size: how many leaves
    <base64 of 32 bytes>               root
                                       (blank line)
    — le-panier.example/log <base64 of key id and signature>

1. Reading is strict: one way to write a size, one way to write base64, no control characters, a newline at
   the end.
2. A signature counts only against a key that the caller names (`vkey`). Signatures by other keys, witnesses
   among them, are left aside, as the format says; one that bears the named key and does not verify rejects
   the note.
3. Only the standard library and `cryptography`, so that this file can be copied beside the stand-alone
   verifier.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NOTE_CHARACTERS_MAX = 100_000
SIGNATURES_MAX = 64
ED25519 = b"\x01"
SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
KEY_ID = re.compile(r"[0-9a-f]{8}")


class BadNote(ValueError):
    """A note, key or checkpoint that is malformed or not signed as it should be. The message says which."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of one log at one moment.

    origin: the log's name, one non-empty line.
    size: number of leaves.
    root: the tree's root hash, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not self.origin or _has_control(self.origin):
            raise BadNote("a checkpoint's origin is one non-empty line")
        if not 0 <= self.size < 1 << 63:
            raise BadNote("a checkpoint's size lies between 0 and 2**63 - 1")
        if len(self.root) != 32:
            raise BadNote("a checkpoint's root has 32 bytes")

    @property
    def text(self) -> str:
        """What is signed, with its final newline."""
        return f"{self.origin}\n{self.size}\n{_encode(self.root)}\n"


@dataclass(frozen=True)
class VerifierKey:
    """An Ed25519 public key under a name, written `<name>+<key id, hex>+<base64(0x01 || key)>`."""

    KIND: ClassVar[bytes] = ED25519
    """What the key signs, so that a key for one is never taken for the other: 0x01 notes, 0x04 cosignatures."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if not _is_name(self.name):
            raise BadNote("a key's name is not empty and holds neither spaces nor a plus sign")
        if len(self.public_key) != 32:
            raise BadNote("an Ed25519 public key has 32 bytes")

    @property
    def key_id(self) -> bytes:
        """The first four bytes of the fingerprint. Short: it tells keys apart, it does not vouch for one."""
        return self._digest()[:4]

    @property
    def fingerprint(self) -> str:
        """What people compare, by telephone if need be: 16 bytes as eight groups of four hex digits."""
        digits = self._digest()[:16].hex()
        return " ".join(digits[at : at + 4] for at in range(0, 32, 4))

    def _digest(self) -> bytes:
        return sha256(self.name.encode("utf-8") + b"\n" + self.KIND + self.public_key).digest()

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_encode(self.KIND + self.public_key)}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read what `str` writes; `BadNote` for anything else, also for a key id that is not the key's."""
        parts = vkey.split("+", 2)
        if len(parts) != 3 or not KEY_ID.fullmatch(parts[1]):
            raise BadNote("a key is written <name>+<key id>+<base64>")
        encoded = _decode(parts[2], "the key")
        if encoded[:1] != cls.KIND:
            raise BadNote("the key is not an Ed25519 key of the kind that is needed here")
        key = cls(parts[0], encoded[1:])
        if key.key_id.hex() != parts[1]:
            raise BadNote("the key id does not belong to the key")
        return key


@dataclass(frozen=True)
class Signature:
    """One signature line of a note: who claims to have signed, with which key, and the signature's bytes."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """As it stands in the note."""
        return f"— {self.name} {_encode(self.key_id + self.signature)}\n"


@dataclass(frozen=True)
class Note:
    """A signed checkpoint as read; nothing in it is believed before `verify`."""

    checkpoint: Checkpoint
    body: bytes
    signatures: tuple[Signature, ...]


def verifier_key(name: str, private_key: Ed25519PrivateKey) -> str:
    """The public counterpart of a signing key, in the form that `verify` takes."""
    return str(VerifierKey(name, private_key.public_key().public_bytes_raw()))


def sign(checkpoint: Checkpoint, name: str, private_key: Ed25519PrivateKey) -> str:
    """The checkpoint as a note signed under `name`. The same input gives the same text (RFC 8032)."""
    public_key = private_key.public_key().public_bytes_raw()
    return attach(checkpoint, name, public_key, private_key.sign(checkpoint.text.encode("utf-8")))


def attach(checkpoint: Checkpoint, name: str, public_key: bytes, signature: bytes) -> str:
    """The note made of a checkpoint and a signature over `checkpoint.text` that a key service made."""
    return f"{checkpoint.text}\n{signature_line(VerifierKey(name, public_key), signature)}"


def signature_line(key: VerifierKey, signature: bytes) -> str:
    """One line of a note: who signed, and the signature. It can be appended to a note that has others."""
    return Signature(key.name, key.key_id, signature).line


def parse(text: str) -> Note:
    """Read a signed checkpoint without believing it. Raises `BadNote`."""
    if len(text) > NOTE_CHARACTERS_MAX:
        raise BadNote("the note is too long")
    if not text.endswith("\n") or _has_control(text.replace("\n", "")):
        raise BadNote("the note does not end in a newline, or holds control characters")
    head, separator, tail = text.rpartition("\n\n")
    if not separator:
        raise BadNote("the note has no signatures")
    body = head + "\n"
    try:
        signed = body.encode("utf-8")
    except UnicodeEncodeError:
        raise BadNote("the note is not text") from None
    lines = tail.removesuffix("\n").split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise BadNote("the note has too many signatures")
    return Note(_checkpoint(body), signed, tuple(_signature(line) for line in lines))


def verify(text: str, vkey: str) -> Checkpoint:
    """The checkpoint of a note that the key `vkey` signed. Raises `BadNote` with the reason otherwise."""
    key = VerifierKey.parse(vkey)
    note = parse(text)
    own = [line for line in note.signatures if (line.name, line.key_id) == (key.name, key.key_id)]
    if not own:
        raise BadNote("the note is not signed with this key")
    try:
        public_key = Ed25519PublicKey.from_public_bytes(key.public_key)
        for line in own:
            public_key.verify(line.signature, note.body)
    except (InvalidSignature, ValueError):
        raise BadNote("the signature does not belong to this text and this key") from None
    return note.checkpoint


def _checkpoint(body: str) -> Checkpoint:
    """The three lines that count. Further ones are allowed by the format, signed too, and left aside."""
    lines = body.removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines):
        raise BadNote("a checkpoint is at least three lines, none of them empty")
    if not SIZE.fullmatch(lines[1]):
        raise BadNote("the checkpoint's size is not a decimal number in its one form")
    return Checkpoint(lines[0], int(lines[1]), _decode(lines[2], "the root"))


def _signature(line: str) -> Signature:
    if not line.startswith("— "):
        raise BadNote("a signature line begins with an em dash and a space")
    name, _, encoded = line[2:].partition(" ")
    if not _is_name(name):
        raise BadNote("a signature line names no key")
    decoded = _decode(encoded, "a signature")
    if len(decoded) < 5:
        raise BadNote("a signature is too short")
    return Signature(name, decoded[:4], decoded[4:])


def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _decode(text: str, what: str) -> bytes:
    """Base64 in its one form: what does not encode back to the same characters is refused."""
    try:
        value = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise BadNote(f"{what} is not base64") from None
    if _encode(value) != text:
        raise BadNote(f"{what} is not base64 in its one form")
    return value


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not _has_control(name) and not any(map(str.isspace, name))


def _has_control(text: str) -> bool:
    return any(character < " " for character in text)
