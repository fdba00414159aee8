"""The house's keys in a folder: `kek` wraps customer keys, `lookup` keys hashes, `log` signs, `intake` seals quarantine.

Rules:
1. Files are 0600 in a folder 0700, never in a database, never in version control (the folder ignores itself).
2. A key file that others can read is refused: a warning would be overlooked.
3. The port is wrap, unwrap, mac, sign and intake (`holders.Keys`). A key-management service can stand behind the same
   port; none is included, since none can be run here.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from volens.errors import BadInput, KeysMissing, Tampered

NAMES = ("kek", "lookup", "log", "intake")
KEY_BYTES = 32
NONCE_BYTES = 12


@dataclass(frozen=True)
class LocalKeys:
    """Keys held in this process, read from a folder; implements `holders.Keys`."""

    kek: bytes
    lookup: bytes
    log: bytes
    intake: bytes

    def __repr__(self) -> str:
        return "LocalKeys(…)"

    def wrap(self, key: bytes) -> bytes:
        return aes_key_wrap(self.kek, key)

    def unwrap(self, wrapped: bytes) -> bytes:
        try:
            return aes_key_unwrap(self.kek, wrapped)
        except InvalidUnwrap as error:
            raise Tampered(
                "A customer key does not open with this key-encryption key.",
                "The key folder belongs to another house, or the store of customer keys was changed.",
            ) from error

    def mac(self, purpose: str, value: bytes) -> bytes:
        return hmac.digest(self.lookup, purpose.encode() + b"\x00" + value, "sha256")

    def sign(self, message: bytes) -> bytes:
        return self.signing_key().sign(message)

    def signing_key(self) -> Ed25519PrivateKey:
        """The Ed25519 key that signs checkpoints."""
        return Ed25519PrivateKey.from_private_bytes(self.log)

    def seal_intake(self, plaintext: bytes) -> bytes:
        return encrypt(self.intake, plaintext, b"intake")

    def open_intake(self, sealed: bytes) -> bytes:
        return decrypt(self.intake, sealed, b"intake")


def encrypt(key: bytes, plaintext: bytes, bound_to: bytes) -> bytes:
    """AES-256-GCM with a fresh random nonce in front. `bound_to` must be given again to decrypt."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound_to)


def decrypt(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    """Gives back what `encrypt` took; raises `Tampered` if one bit of it, or its place, differs."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError) as error:
        raise Tampered("A sealed value does not open: it was changed or moved.", "Run: volens audit") from error


def make(folder: Path) -> None:
    """Makes fresh keys in `folder`. Existing keys are never overwritten."""
    if folder.exists() and any(folder.iterdir()):
        raise BadInput(f"{folder} already holds something.", "Keys are never overwritten; choose another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    for name in NAMES:
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())


def load(folder: Path) -> LocalKeys:
    """Reads the keys; a missing, short or readable-by-others file is an error that says which."""
    found = {}
    for name in NAMES:
        file = folder / name
        if not file.is_file():
            raise KeysMissing(f"There is no key {name!r} in {folder}.", "Point VOLENS_KEYS at the key folder.")
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeysMissing(f"Other users can read the key {file}.", f"Run: chmod 600 {file}")
        found[name] = file.read_bytes()
        if len(found[name]) != KEY_BYTES:
            raise KeysMissing(f"The key {file} does not have {KEY_BYTES} bytes.", "Restore it from its backup.")
    return LocalKeys(**found)


def check_values(keys: LocalKeys) -> dict[str, str]:
    """What tells one house's keys from another's without telling them: a hash of each 256-bit key, by name."""
    return {
        name: hashlib.sha256(f"volens key check/{name}/".encode() + getattr(keys, name)).hexdigest() for name in NAMES
    }
