"""Opens a package that may be hostile: a zip of a few flat files, and the JSON in them.

1. Everything has a limit: bytes on disk, bytes unpacked, number of files, complexity of JSON.
2. Nothing is written to disk and no name in the archive is used as a path.
3. Whatever is broken raises `Broken` with a reason for people; no other exception leaves this module.

Only the standard library: this file is copied beside the stand-alone verifier.
"""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

MANIFEST, CERTIFICATE, PROOF = "manifest.json", "certificate.json", "proof.json"
PACKAGE_BYTES_MAX = 128 * 1024 * 1024
MEMBER_BYTES_MAX = 64 * 1024 * 1024
TOTAL_BYTES_MAX = 128 * 1024 * 1024
MEMBERS_MAX = 64
# Brackets and colons in a JSON file. A package needs a few hundred; a million empty lists would fill the memory.
JSON_MARKS_MAX = 20_000
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}(\.[a-z0-9][a-z0-9_-]{0,20}){1,2}")
HASH = re.compile(r"[0-9a-f]{64}")
CENTRAL_ENTRY = b"PK\x01\x02"


class Broken(Exception):
    """Something in a package is not as it must be. The message says what, for people."""


def read_bounded(path: Path) -> bytes:
    """A file's bytes if it is not larger than a package may be. Raises `Broken`."""
    try:
        if path.stat().st_size > PACKAGE_BYTES_MAX:
            raise Broken(f"the file is larger than {human_size(PACKAGE_BYTES_MAX)}")
        return path.read_bytes()
    except (OSError, ValueError) as problem:
        raise Broken(f"the file cannot be read: {shown(getattr(problem, 'strerror', None) or problem)}") from None


def read_package(stored: bytes) -> dict[str, bytes]:
    """The files of a package by name, within the limits. Raises `Broken`."""
    # Counted before the directory is parsed: a directory of millions of names is itself a way to fill the memory.
    if stored.count(CENTRAL_ENTRY) > MEMBERS_MAX:
        raise Broken(f"there are more than {MEMBERS_MAX} files in it")
    files: dict[str, bytes] = {}
    left = TOTAL_BYTES_MAX
    try:
        with zipfile.ZipFile(io.BytesIO(stored)) as archive:
            for member in archive.infolist():
                if member.filename in files:
                    raise Broken(f"{shown(member.filename)} is in it twice")
                files[member.filename] = _read_member(archive, member, min(left, MEMBER_BYTES_MAX))
                left -= len(files[member.filename])
    except (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError) as problem:
        raise Broken(f"it is damaged, or no package: {shown(problem)}") from None
    except (RuntimeError, ValueError, ArithmeticError, LookupError) as problem:
        raise Broken(f"it is not a package that this program can read: {shown(problem)}") from None
    missing = [name for name in (MANIFEST, CERTIFICATE, PROOF) if name not in files]
    if missing:
        raise Broken(f"there is no {missing[0]} in it")
    return files


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes:
    """One file's bytes; what its header promises about sizes is not believed."""
    if not NAME.fullmatch(member.filename):
        raise Broken(f"it holds a file with a name that a package never has: {shown(member.filename)}")
    if member.flag_bits & 1:
        raise Broken(f"{member.filename} is encrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Broken(f"{member.filename} is compressed in a way that a package never is")
    with archive.open(member) as opened:
        content = opened.read(limit + 1)
    if len(content) > limit:
        raise Broken(f"{member.filename} is larger than a package may be")
    return content


def read_json(content: bytes, name: str) -> dict[str, Any]:
    """A JSON object with every key once and no oddities. Raises `Broken`."""
    if content.count(b"[") + content.count(b"{") + content.count(b":") > JSON_MARKS_MAX:
        raise Broken(f"{name} is more complicated than it may be")
    try:
        text = content.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as problem:
        raise Broken(f"{name} is not readable JSON: {shown(problem)}") from None
    if not isinstance(value, dict):
        raise Broken(f"{name} is not a JSON object")
    return value


def read_hashes(found: dict[str, Any], name: str) -> tuple[bytes, ...]:
    """The list of SHA-256 hashes, in hex, that stands under `name`. Raises `Broken`."""
    values = found.get(name)
    if not isinstance(values, list):
        raise Broken(f"there is no list of hashes called {name}")
    if not all(isinstance(value, str) and HASH.fullmatch(value) for value in values):
        raise Broken(f"the list called {name} holds something that is no hash")
    return tuple(map(bytes.fromhex, values))


def shown(value: object) -> str:
    """Foreign text made fit for a terminal: one line, nothing that moves the cursor, not long."""
    text = "".join(character if character.isprintable() else "?" for character in str(value))
    return text if len(text) <= 120 else text[:117] + "…"


def human_size(count: int) -> str:
    """Bytes in words."""
    return f"{count / 1024:,.0f} kB" if count < 1024 * 1024 else f"{count / 1024 / 1024:,.0f} MB"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two values under one key would let two readers see two documents."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands in it twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
