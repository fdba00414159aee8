"""The house's keys in a folder: `kek` wraps customer keys, `lookup` keys hashes, `log` signs, `intake` seals quarantine.

Rules:
1. Files are 0600 in a folder 0700, never in a database, never in version control (the folder ignores itself).
2. A key file that others can read is refused: a warning would be overlooked.
3. A wrapped customer key begins with the id of the key that wraps it (its first 8 bytes; what was wrapped before ids were
   written is 40 bytes long and has none).
4. The port is wrap, unwrap, mac, sign and intake (`holders.Keys`). A key-management service can stand behind the same
   port; none is included, since none can be run here.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from volens.errors import BadInput, KeysMissing, NotFound, Tampered

NAMES = ("kek", "lookup", "log", "intake")
KEK, NEXT_KEK = "kek", "kek.next"
KEY_BYTES = 32
WRAPPED_BYTES = KEY_BYTES + 8
KEK_ID_BYTES = 8
OWN_FOLDER = "Point VOLENS_KEYS at this house's own key folder, not at a copy of it."
NONCE_BYTES = 12


class LocalKeys:
    """Keys held in this process, read from a folder; implements `holders.Keys`.

    There are two key-encryption keys while one is being changed for the other (`kek` and `kek.next`); what is wrapped says
    under which it is, and a process that opened before the change reads the folder again when it meets a new one.
    """

    def __init__(self, folder: Path, keks: Mapping[str, bytes], rest: Mapping[str, bytes]) -> None:
        self.folder = folder
        self._keks = dict(keks)  # by id, the one in the file `kek` first
        self.lookup, self.log, self.intake = rest["lookup"], rest["log"], rest["intake"]
        self._inner, self._outer = _begun(self.lookup)

    def __repr__(self) -> str:
        return "LocalKeys(…)"

    @property
    def kek_ids(self) -> tuple[str, ...]:
        """The key-encryption keys at hand, the one in the file `kek` first."""
        return tuple(self._keks)

    def wrap(self, key: bytes, under: str = "") -> bytes:
        kek = under or next(iter(self._keks))
        if kek not in self._keks:
            self.reload()
        if kek not in self._keks:
            raise KeysMissing("The key-encryption key was changed, and this folder does not have the new one.", OWN_FOLDER)
        return bytes.fromhex(kek) + aes_key_wrap(self._keks[kek], key)

    def unwrap(self, wrapped: bytes) -> bytes:
        under = wrapped_under(wrapped)
        if under and under not in self._keks:
            self.reload()
        for kek in [self._keks[under]] if under in self._keks else [] if under else self._keks.values():
            try:
                return aes_key_unwrap(kek, wrapped[-WRAPPED_BYTES:])
            except (InvalidUnwrap, ValueError):
                continue
        raise Tampered(
            "A customer key does not open with this key-encryption key.",
            "The key folder belongs to another house or is an old copy, or the store of customer keys was changed.",
        )

    def reload(self) -> None:
        """Reads the key-encryption keys again. Those known before stay known to this process."""
        self._keks = {**_read_keks(self.folder), **self._keks}

    def mac(self, purpose: str, value: bytes) -> bytes:
        return self.macs(purpose, (value,))[0]

    def macs(self, purpose: str, values: Iterable[bytes]) -> list[bytes]:
        # A feed asks for millions. Going on from the two hashes that RFC 2104 begins with takes a third of the library's time.
        start, outer, found = self._inner.copy(), self._outer, list[bytes]()
        start.update(purpose.encode() + b"\x00")
        for value in values:
            inner, whole = start.copy(), outer.copy()
            inner.update(value)
            whole.update(inner.digest())
            found.append(whole.digest())
        return found

    def sign(self, message: bytes) -> bytes:
        return self.signing_key().sign(message)

    def signing_key(self) -> Ed25519PrivateKey:
        """The Ed25519 key that signs checkpoints."""
        return Ed25519PrivateKey.from_private_bytes(self.log)

    def seal_intake(self, plaintext: bytes) -> bytes:
        return encrypt(self.intake, plaintext, b"intake")

    def open_intake(self, sealed: bytes) -> bytes:
        return decrypt(self.intake, sealed, b"intake")


def _begun(key: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """HMAC-SHA-256's inner and outer hash after the key (RFC 2104; keys here are shorter than a block)."""
    block = key.ljust(64, b"\x00")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in block)), hashlib.sha256(bytes(byte ^ 0x5C for byte in block))


@dataclass(frozen=True)
class HeldKeys:
    """Opened keys of some customers, for the length of one block; implements `holders.Sealer`."""

    keys: dict[int, bytes] = field(repr=False)

    def seal(self, customer: int, plaintext: bytes) -> bytes:
        """Encrypts under the customer's key; `NotFound` if it is destroyed."""
        if customer not in self.keys:
            raise NotFound("This customer's key is destroyed or was never made.", "Nothing can be sealed for them.")
        return encrypt(self.keys[customer], plaintext, b"customer:%d" % customer)


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
        write_new(folder / name, secrets.token_bytes(KEY_BYTES))


def write_new(file: Path, key: bytes) -> None:
    """A key file that was not there: whole and on the disk under its name when this returns, or not there at all."""
    aside = file.with_name(file.name + ".new")
    aside.unlink(missing_ok=True)  # left by a run that was killed; nothing was ever sealed with it
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(key)
        stream.flush()
        os.fsync(stream.fileno())
    os.link(aside, file)  # never over a key that is there
    aside.unlink()
    sync(file.parent)


def replace_kek(folder: Path) -> None:
    """`kek.next` becomes `kek`, in one step, and the bytes of the old one are overwritten where the disk allows it."""
    with (folder / KEK).open("r+b") as old:
        (folder / NEXT_KEK).replace(folder / KEK)
        sync(folder)
        # From here on the old key has no name. A crash leaves its bytes to the file system, as any deleted file's.
        old.write(bytes(KEY_BYTES))
        old.flush()
        os.fsync(old.fileno())


def sync(folder: Path) -> None:
    """Forces the names in a folder to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load(folder: Path) -> LocalKeys:
    """Reads the keys; a missing, short or readable-by-others file is an error that says which."""
    keks = _read_keks(folder)
    return LocalKeys(folder, keks, {name: _read(folder / name) for name in NAMES if name != KEK})


def _read_keks(folder: Path) -> dict[str, bytes]:
    """By id. The next one is read first: it can become the current one at any moment, and never the other way round."""
    coming = [_read(folder / NEXT_KEK)] if (folder / NEXT_KEK).is_file() else []
    return {kek_id(key): key for key in (_read(folder / KEK), *coming)}


def _read(file: Path) -> bytes:
    try:
        mode, found = file.stat().st_mode, file.read_bytes()
    except FileNotFoundError:
        raise KeysMissing(f"There is no key {file.name!r} in {file.parent}.", "Point VOLENS_KEYS at the key folder.") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeysMissing(f"Other users can read the key {file}.", f"Run: chmod 600 {file}")
    if len(found) != KEY_BYTES:
        raise KeysMissing(f"The key {file} does not have {KEY_BYTES} bytes.", "Restore it from its backup.")
    return found


def kek_id(kek: bytes) -> str:
    """What a key-encryption key is called: the beginning of its check value, 16 hexadecimal digits."""
    return _check(KEK, kek)[: 2 * KEK_ID_BYTES]


def wrapped_under(wrapped: bytes) -> str:
    """The id of the key that wraps this; empty for what was wrapped before ids were written."""
    return wrapped[:KEK_ID_BYTES].hex() if len(wrapped) > WRAPPED_BYTES else ""


def check_values(keys: LocalKeys) -> dict[str, str]:
    """What tells one house's keys from another's without telling them: a hash of each 256-bit key, by name."""
    return {KEK: kek_check(keys, keys.kek_ids[0]), **{name: _check(name, getattr(keys, name)) for name in NAMES if name != KEK}}


def kek_check(keys: LocalKeys, kek: str) -> str:
    """The check value of one of the key-encryption keys at hand."""
    return _check(KEK, keys._keks[kek])


def _check(name: str, key: bytes) -> str:
    return hashlib.sha256(f"volens key check/{name}/".encode() + key).hexdigest()
