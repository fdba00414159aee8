"""Cosignatures are the format's to the byte, count only under a named key, and one that is wrong rejects the note."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from volens.evidence.checkpoint import BadNote, Checkpoint, VerifierKey, parse, sign, verifier_key, verify
from volens.evidence.cosignature import CosignerKey, cosign, cosignatures, cosigner_key

LOG, WITNESS, OTHER = (Ed25519PrivateKey.from_private_bytes(letter * 32) for letter in (b"l", b"w", b"o"))
NAME = "verbraucher.example/w1"
NOTE = sign(Checkpoint("volens/le-panier/public", 7, bytes(32)), "volens/le-panier", LOG)
KEY = cosigner_key(NAME, WITNESS)


def test_the_line_is_the_formats_to_the_byte() -> None:
    line = cosign(parse(NOTE).body, NAME, WITNESS, 1_679_315_147)
    name, encoded = line.removeprefix("— ").removesuffix("\n").split(" ")
    stored = base64.b64decode(encoded)
    public = WITNESS.public_key().public_bytes_raw()
    assert name == NAME
    assert stored[:4] == sha256(NAME.encode() + b"\n\x04" + public).digest()[:4]
    assert int.from_bytes(stored[4:12], "big") == 1_679_315_147
    message = b"cosignature/v1\ntime 1679315147\nvolens/le-panier/public\n7\n" + base64.b64encode(bytes(32)) + b"\n"
    WITNESS.public_key().verify(stored[12:], message)


def test_the_log_stays_readable_and_the_newest_cosignature_counts() -> None:
    body = parse(NOTE).body
    text = NOTE + cosign(body, NAME, WITNESS, 5) + cosign(body, NAME, WITNESS, 9) + cosign(body, "another/w", OTHER, 7)
    assert verify(text, verifier_key("volens/le-panier", LOG)).size == 7
    assert [(one.key, one.at) for one in cosignatures(text, [KEY])] == [(KEY, 9)]
    assert cosignatures(text, []) == ()
    assert cosignatures(NOTE, [KEY]) == ()


def test_one_that_is_wrong_rejects_the_note() -> None:
    body = parse(NOTE).body
    line = cosign(body, NAME, WITNESS, 5)
    longer = sign(Checkpoint("volens/le-panier/public", 8, bytes(32)), "volens/le-panier", LOG)
    with pytest.raises(BadNote, match="does not belong"):
        cosignatures(longer + line, [KEY])
    encoded = line.split(" ")[2].strip()
    for stored in (base64.b64decode(encoded)[:-1], base64.b64decode(encoded)[:4] + b"\xff" * 72):
        with pytest.raises(BadNote):
            cosignatures(NOTE + f"— {NAME} {base64.b64encode(stored).decode()}\n", [KEY])


def test_keys_of_the_two_kinds_are_never_taken_for_each_other() -> None:
    assert CosignerKey.parse(str(KEY)) == KEY
    with pytest.raises(BadNote, match="kind"):
        VerifierKey.parse(str(KEY))
    with pytest.raises(BadNote, match="kind"):
        CosignerKey.parse(verifier_key(NAME, WITNESS))
    assert KEY.key_id != VerifierKey(NAME, KEY.public_key).key_id
