"""Receipts that were tampered with: one true receipt in, one for each way to lie out. Both verifiers are driven over them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from volens.evidence.checkpoint import parse, sign, verifier_key

Path = tuple[str | int, ...]

CHANGES: list[tuple[str, Path, Any, str]] = [
    ("another kind", ("record", "event", 0, "event_type"), "given", "told"),
    ("another status", ("record", "event", 0, "event_state"), "ConsentGiven", "told"),
    ("another time", ("record", "event", 0, "event_time"), "2020-01-01T00:00:00+00:00", "told"),
    ("another actor", ("record", "event", 0, "entity_id"), "the shop", "told"),
    ("another purpose", ("record", "purposes", 0, "purpose"), "loyalty", "told"),
    ("a second purpose", ("record", "purposes"), [{}, {}], "told"),
    ("purposes that are a number", ("record", "purposes"), 5, "text"),
    ("purposes that are no list", ("record", "purposes"), {"a": 1}, "text"),
    ("no event", ("record", "event"), [], "told"),
    ("another customer", ("record", "pii_principal_id"), "2", "told"),
    ("another number", ("record", "record_id"), "le-panier/events/1", "told"),
    ("another language", ("record", "language"), "en", "told"),
    ("a language that is a list", ("record", "language"), [], "text"),
    ("another place", ("record", "collection_method"), "app", "told"),
    ("more recipients", ("record", "purposes", 0, "recipient_third_parties"), ["everybody"], "text"),
    ("more fields", ("record", "purposes", 0, "pii_information"), ["everything"], "text"),
    ("other words", ("record", "privacy_notice", "sha256"), "00" * 32, "text"),
    ("the entry's kind", ("event", "kind"), "given", "inclusion"),
    ("the entry's day", ("event", "day"), "2020-01-01", "inclusion"),
    ("the entry's number", ("event", "seq"), 99, "inclusion"),
    ("an entry with a fraction", ("event", "detail"), {"x": 1.5}, "inclusion"),
    ("an entry with half a character", ("event", "detail"), {"x": "\ud800"}, "inclusion"),
    ("the private part", ("private", "value", "surface"), "app", "told"),
    ("the salt", ("private", "salt"), "00" * 32, "told"),
    ("no private part", ("private",), None, "told"),
    ("the path", ("proof", "inclusion"), [], "inclusion"),
    ("a step of the path", ("proof", "inclusion", 0), "00" * 32, "inclusion"),
    ("a step that is no hash", ("proof", "inclusion", 0), "xyz", "inclusion"),
    ("the place", ("proof", "index"), 1, "inclusion"),
    ("a place that is none", ("proof", "index"), True, "inclusion"),
    ("the state", ("proof", "checkpoint"), "", "receipt"),
    ("the other salt", ("public", "salt"), "00" * 32, "commitment"),
    ("the other entry", ("public", "entry", "kind"), "text", "commitment"),
    ("the other path", ("public", "inclusion"), [], "commitment"),
    ("another house", ("house",), "elsewhere", "told"),
    ("a house's name that moves the cursor", ("house",), "\x1b[2J\u202e", "signature"),
    ("no key", ("key",), "nonsense", "signature"),
    ("a row where there is none", ("row",), {"path": []}, "told"),
    ("a text of another purpose", ("text", "entry", "detail", "text"), "loyalty/1", "text"),
    ("a text in another place", ("text", "index"), 3, "text"),
    ("no format", ("format",), "volens-receipt/2", "receipt"),
    ("no proof", ("proof",), [], "receipt"),
    ("odd proofs", ("consistency",), [1], "receipt"),
]
"""What was changed, where, to what, and the step that finds it."""


def put(value: Any, path: Path, new: Any) -> bytes:
    """A document with one value changed."""
    inner = value = json.loads(json.dumps(value))
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = new
    return json.dumps(value).encode()


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """Every place of a document, without those that no verifier reads."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        path = (*above, name)
        if path not in (("address",), ("record", "schema_version"), ("record", "declared"), ("consistency",)):
            yield path
            yield from paths(one, path)


def tampered(made: bytes) -> Iterator[tuple[str, bytes, str]]:
    """Every forgery of a true receipt of a withdrawal: what was done, the file, and the step that finds it."""
    value = json.loads(made)
    for name, path, new, step in CHANGES:
        yield name, put(value, path, new), step
    yield "cut off", made[: len(made) // 2], "receipt"
    yield "cut off at the last brace", made.rstrip()[:-1], "receipt"
    yield "a key twice", made.replace(b'"format"', b'"house": "other", "format"', 1), "receipt"
    yield "not UTF-8", made.replace(b"le-panier", b"le-p\xffnier", 1), "receipt"
    yield "a million brackets", b'{"a":' + b"[" * 30_000, "receipt"
    yield "nested deeply", b'{"a":' + b"[" * 15_000 + b"]" * 15_000 + b"}", "receipt"
    yield "not a number", made.replace(b'"index": ', b'"index": NaN, "was": ', 1), "receipt"
    yield "too large", made.rstrip() + b" " * (1 << 20), "receipt"
    note = value["proof"]["checkpoint"]
    yield "a changed signature", put(value, ("proof", "checkpoint"), _other_signature(note)), "signature"
    yield "a signature that is not base64", put(value, ("proof", "checkpoint"), note[:-2] + "!\n"), "receipt"
    size = note.split("\n")[1]
    yield "a larger state", put(value, ("proof", "checkpoint"), note.replace(f"\n{size}\n", f"\n{size}0\n", 1)), "signature"
    yield "the states in reverse", put(value, ("proof", "checkpoint"), value["public"]["checkpoint"]), "inclusion"
    yield "signed by another key", _signed_again(value, value["house"], own=False), "signature"
    yield "signed by another key in the house's name", _signed_again(value, value["house"], own=True), "key"


def _other_signature(note: str) -> str:
    """The house's signature with one of its characters changed, still base64."""
    at = note.index("\n", note.index("— ")) - 20
    return note[:at] + ("A" if note[at] != "A" else "B") + note[at + 1 :]


def _signed_again(value: Any, house: str, *, own: bool) -> bytes:
    """Both states signed by a stranger; `own`: the stranger's key stands in the receipt as well, under the house's name."""
    key, name = Ed25519PrivateKey.generate(), f"volens/{house}"
    made = json.loads(json.dumps(value))
    for part in ("proof", "public"):
        made[part]["checkpoint"] = sign(parse(value[part]["checkpoint"]).checkpoint, name, key)
    if own:
        made["key"] = verifier_key(name, key)
    return json.dumps(made).encode()
