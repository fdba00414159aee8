"""Signed notes and checkpoints, against known vectors of other implementations and against broken text."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from volens.evidence.checkpoint import (
    BadNote,
    Checkpoint,
    VerifierKey,
    attach,
    parse,
    sign,
    verifier_key,
    verify,
)

NAME = "le-panier.example/log"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
CHECKPOINT = Checkpoint("volens/le-panier/public", 42, bytes(range(100, 132)))
VKEY = verifier_key(NAME, KEY)
TEXT = sign(CHECKPOINT, NAME, KEY)


def test_keys_of_other_implementations_are_read_alike() -> None:
    """The checksum database's key and the example key of Go's note package."""
    for vkey in (
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ):
        assert str(VerifierKey.parse(vkey)) == vkey


def test_a_note_signed_by_another_implementation_verifies() -> None:
    """Key, text and signature of Go's note package; the text is no checkpoint, so it is taken apart here."""
    key = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = "If you think cryptography is the answer to your problem,\n"
    text += "then you don't know what your problem is.\n"
    encoded = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    decoded = base64.b64decode(encoded)
    assert decoded[:4] == key.key_id
    Ed25519PublicKey.from_public_bytes(key.public_key).verify(decoded[4:], text.encode())


def test_round_trip() -> None:
    assert verify(TEXT, VKEY) == CHECKPOINT
    note = parse(TEXT)
    assert note.checkpoint == CHECKPOINT
    assert note.body == CHECKPOINT.text.encode()
    assert note.signatures[0].key_id.hex() == VKEY.split("+")[1]
    assert sign(CHECKPOINT, NAME, KEY) == TEXT


def test_the_text_is_the_published_format() -> None:
    lines = TEXT.split("\n")
    assert lines[0] == "volens/le-panier/public"
    assert lines[1] == "42"
    assert lines[2] == base64.b64encode(CHECKPOINT.root).decode()
    assert lines[3] == ""
    assert lines[4].startswith(f"— {NAME} ")
    assert lines[5:] == [""]


def test_a_signature_made_elsewhere_gives_the_same_note() -> None:
    signature = KEY.sign(CHECKPOINT.text.encode())
    assert attach(CHECKPOINT, NAME, KEY.public_key().public_bytes_raw(), signature) == TEXT


def test_signatures_of_others_are_left_aside() -> None:
    witness = sign(CHECKPOINT, "witness.example", OTHER).rpartition("\n\n")[2]
    same_name = sign(CHECKPOINT, NAME, OTHER).rpartition("\n\n")[2]
    assert verify(TEXT + witness + same_name, VKEY) == CHECKPOINT
    assert verify(TEXT + witness, verifier_key("witness.example", OTHER)) == CHECKPOINT
    unknown_algorithm = "— someone.example " + base64.b64encode(b"abcd" + b"x" * 3000).decode() + "\n"
    assert verify(TEXT + unknown_algorithm, VKEY) == CHECKPOINT


def test_only_the_named_key_counts() -> None:
    with pytest.raises(BadNote, match="not signed with this key"):
        verify(TEXT, verifier_key(NAME, OTHER))
    with pytest.raises(BadNote, match="not signed with this key"):
        verify(TEXT, verifier_key("elsewhere.example", KEY))


def test_a_bad_signature_beside_a_good_one_rejects_the_note() -> None:
    other = Checkpoint(CHECKPOINT.origin, 43, CHECKPOINT.root)
    wrong = sign(other, NAME, KEY).rpartition("\n\n")[2]
    with pytest.raises(BadNote, match="does not belong"):
        verify(TEXT + wrong, VKEY)


def test_extension_lines_are_signed_and_left_aside() -> None:
    body = CHECKPOINT.text + "an extension\n"
    key = VerifierKey.parse(VKEY)
    line = base64.b64encode(key.key_id + KEY.sign(body.encode())).decode()
    assert verify(f"{body}\n— {NAME} {line}\n", VKEY) == CHECKPOINT
    with pytest.raises(BadNote, match="does not belong"):
        verify(f"{body}x\n\n— {NAME} {line}\n", VKEY)


@pytest.mark.parametrize("position", range(len(CHECKPOINT.text) - 1))
def test_any_changed_character_is_found(position: int) -> None:
    changed = chr(ord(TEXT[position]) ^ 1)
    with pytest.raises(BadNote):
        verify(TEXT[:position] + changed + TEXT[position + 1 :], VKEY)


ROOT = base64.b64encode(CHECKPOINT.root).decode()
SIGNED = TEXT.rpartition("\n\n")[2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n",
        "\n\n\n",
        TEXT.removesuffix("\n"),
        TEXT + "\n",
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("42", "042"),
        TEXT.replace("42", "+42"),
        TEXT.replace("42", "-42"),
        TEXT.replace("42", "4_2"),
        TEXT.replace("42", "٤٢"),
        TEXT.replace("42", "9" * 19),
        TEXT.replace("42", "9" * 5000),
        TEXT.replace(ROOT, ROOT[:-1]),
        TEXT.replace(ROOT, ROOT[:-2] + "V="),
        TEXT.replace(ROOT, ROOT + " "),
        TEXT.replace(ROOT, "AAAA"),
        TEXT.replace("— ", "- "),
        TEXT.replace("— ", "—"),
        TEXT.replace(f"— {NAME}", "— "),
        TEXT.replace(NAME, "with space"),
        TEXT.replace(NAME, "with+plus"),
        TEXT.replace(NAME, "with\u00a0space"),
        TEXT.replace(NAME, NAME + "\x07"),
        TEXT.replace("volens/le-panier/public", ""),
        TEXT.replace("volens/le-panier/public", "\ud800"),
        CHECKPOINT.text,
        CHECKPOINT.text + "\n",
        CHECKPOINT.text + f"\n— {NAME} AAAA\n",
        CHECKPOINT.text + f"\n— {NAME}\n",
        "a\n\nb\n\n" + SIGNED,
        TEXT + SIGNED * 64,
        "x" * 200_000 + TEXT,
    ],
)
def test_malformed_notes_are_refused_with_a_reason(text: str) -> None:
    with pytest.raises(BadNote):
        verify(text, VKEY)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "+".join(["name", "00000000", "AAAA"]),
        VKEY.replace("+", "-"),
        VKEY.upper(),
        "x" + VKEY,
        VKEY + "=",
        "+".join([*VKEY.split("+")[:2], base64.b64encode(b"\x02" + bytes(32)).decode()]),
        "+".join([*VKEY.split("+")[:2], base64.b64encode(b"\x01" + bytes(31)).decode()]),
    ],
)
def test_malformed_keys_are_refused(vkey: str) -> None:
    with pytest.raises(BadNote):
        verify(TEXT, vkey)


def test_a_checkpoint_that_is_wrong_cannot_be_built() -> None:
    root = bytes(32)
    for origin, size, hashed in [("", 1, root), ("a\nb", 1, root), ("a", -1, root), ("a", 1, b"")]:
        with pytest.raises(BadNote):
            Checkpoint(origin, size, hashed)


def test_the_fingerprint_is_for_people_and_begins_with_the_key_id() -> None:
    key = VerifierKey.parse(VKEY)
    assert key.fingerprint.replace(" ", "").startswith(key.key_id.hex())
    assert len(key.fingerprint.split()) == 8
