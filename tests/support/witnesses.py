"""Witnesses for tests: a log that grows or forks as told, and a witness that answers at a real port."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from volens.clock import Clock, system
from volens.evidence import merkle
from volens.evidence.checkpoint import Checkpoint, sign, verifier_key
from volens.evidence.witness import Witness, make, write_request
from volens.evidence.witness_server import WitnessServer

ORIGIN = "volens/le-panier/public"


@dataclass
class Log:
    """A log held in memory, with its key. `noise` makes another history of the same log."""

    noise: str = ""
    key: Ed25519PrivateKey = field(default_factory=lambda: Ed25519PrivateKey.from_private_bytes(b"l" * 32))
    origin: str = ORIGIN
    leaves: list[bytes] = field(default_factory=list)

    @property
    def vkey(self) -> str:
        return verifier_key("volens/le-panier", self.key)

    def grow(self, count: int) -> Log:
        start = len(self.leaves)
        self.leaves += [sha256(f"{self.noise}/{number}".encode()).digest() for number in range(start, start + count)]
        return self

    def note(self, size: int | None = None) -> str:
        size = len(self.leaves) if size is None else size
        checkpoint = Checkpoint(self.origin, size, merkle.root_of(self.leaves[:size]))
        return sign(checkpoint, "volens/le-panier", self.key)

    def request(self, old: int, size: int | None = None) -> bytes:
        """An honest request: the newest (or a given) state with its proof from `old`."""
        size = len(self.leaves) if size is None else size
        proof = merkle.consistency_proof(self.leaves, old, size) if old <= size else ()
        return write_request(old, proof, self.note(size))


def fresh(folder: Path, *logs: Log, clock: Clock | None = None, name: str = "witness.example/w1") -> Witness:
    """A new witness that watches some logs."""
    make(folder, name)
    witness = Witness(folder, clock or system())
    for log in logs:
        witness.add_log(log.vkey, [log.origin])
    return witness


@contextmanager
def answering(witness: Witness, port: int = 0) -> Iterator[WitnessServer]:
    """The witness at a port of this machine while the block runs."""
    server = WitnessServer(witness, "127.0.0.1", port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
