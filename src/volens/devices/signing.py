"""Whose message it is: a device's own key, made at its first run and never leaving it.

Rules:
1. A message is the bytes of the request's body, exactly as they were sent; what is signed is the route and then the body, so
   that a message for one route is none for another.
2. Ed25519 (RFC 8032); keys and signatures travel as base64url without padding.
3. A device that is not known and a signature that does not fit are told in the same words: nobody finds out which there are.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from volens.errors import BadInput, Refused

KEY_BYTES, SIGNATURE_BYTES = 32, 64
CONTEXT = b"volens-device/1\n"


def read_key(written: str) -> bytes:
    """The 32 bytes of a public key."""
    key = _decoded(written, KEY_BYTES)
    if key is None:
        raise BadInput("The public key cannot be read.", "Send the 32 bytes of an Ed25519 key as base64url.")
    try:
        Ed25519PublicKey.from_public_bytes(key)
    except ValueError as error:
        raise BadInput("The public key is no Ed25519 key.", "Make a new one.") from error
    return key


def message(route: str, body: bytes) -> bytes:
    """The bytes that a device signs."""
    return CONTEXT + route.encode() + b"\n" + body


def require_signed(public_key: bytes | None, route: str, body: bytes, signature: str) -> None:
    """Raises `Refused` unless the key's holder signed exactly this."""
    signed = _decoded(signature, SIGNATURE_BYTES)
    if public_key is None or signed is None:
        raise not_its_word()
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signed, message(route, body))
    except InvalidSignature:
        raise not_its_word() from None


def not_its_word() -> Refused:
    """What is said of an unknown device and of a wrong signature alike."""
    return Refused(("no device that is signed in says this",), "Register the device again, and sign with its own key.")


def written(value: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _decoded(value: str, length: int) -> bytes | None:
    try:
        found = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if len(found) == length else None
