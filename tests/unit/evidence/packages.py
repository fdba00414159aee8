"""A shop that keeps a public log and hands out packages, built from hashlib and zipfile alone.

It shares no code with the verifier it judges, except for making signed notes.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from volens.evidence.checkpoint import Checkpoint, sign, verifier_key

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
NAME = "le-panier.example/log"
CONTENTS = {
    "figures.csv": b"measure,row\n",
    "figures.parquet": b"PAR1....PAR1",
    "report.fr.html": b"<!doctype html><p>bonjour",
    "report.en.html": b"<!doctype html><p>hello",
    "method.fr.md": b"# Methode\n",
    "method.en.md": b"# Method\n",
}


def compact(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def tree_root(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + tree_root(leaves[:split]) + tree_root(leaves[split:])).digest()


def path_to(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) < 2:
        return []
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < split:
        return [*path_to(index, leaves[:split]), tree_root(leaves[split:])]
    return [*path_to(index - split, leaves[split:]), tree_root(leaves[:split])]


@dataclass
class Shop:
    """Entries of the public log, in order; `noise` makes two shops' logs differ from the start."""

    noise: str = ""
    key: Ed25519PrivateKey = KEY
    name: str = NAME
    house: str = "le-panier"
    entries: list[dict[str, Any]] = field(default_factory=list)

    def log(self, kind: str, detail: dict[str, Any]) -> int:
        entry = {"tree": "public", "seq": len(self.entries), "kind": kind, "customer": None, "purpose": None}
        entry |= {"recipient": None, "text": None, "day": "2026-01-05", "detail": detail, "commitment": None}
        self.entries.append(entry)
        return len(self.entries) - 1

    def busy(self, count: int) -> Shop:
        for number in range(count):
            self.log("plan", {"number": number, "noise": self.noise})
        return self

    def leaves(self) -> list[bytes]:
        return [sha256(b"\x00" + compact(entry)).digest() for entry in self.entries]

    def note(self) -> str:
        leaves = self.leaves()
        checkpoint = Checkpoint(f"volens/{self.house}/public", len(leaves), tree_root(leaves))
        return sign(checkpoint, self.name, self.key)

    def publish(self, release: str = "r-2026-0001") -> dict[str, bytes]:
        """Logs a release and returns the package's files."""
        files = dict(CONTENTS)
        certificate = {"format": "volens-certificate/1", "house": self.house, "release": release}
        certificate |= {"plan_hash": "ab" * 32, "files": {name: digest(files[name]) for name in files}}
        files["certificate.json"] = compact(certificate)
        files["manifest.json"] = manifest_of(files)
        certified = digest(files["certificate.json"])
        self.log("published", {"release": release, "certificate": certified, "plan_hash": "ab" * 32})
        files["proof.json"] = self.proof(len(self.entries) - 1)
        return files

    def proof(self, index: int) -> bytes:
        leaves = self.leaves()
        proof = {"tree": "public", "entry": self.entries[index], "index": index}
        proof |= {"inclusion": [step.hex() for step in path_to(index, leaves)]}
        proof |= {"checkpoint": self.note(), "key": verifier_key(self.name, self.key)}
        return compact(proof | {"leaves": [leaf.hex() for leaf in leaves]})


def manifest_of(files: dict[str, bytes]) -> bytes:
    apart = {"manifest.json", "proof.json"}
    hashes = {name: digest(content) for name, content in files.items() if name not in apart}
    return compact({"format": "volens-package/1", "files": hashes})


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def edited(files: dict[str, bytes], name: str, **changes: object) -> dict[str, bytes]:
    """The package with some values of one JSON file replaced."""
    return files | {name: compact(json.loads(files[name]) | changes)}
