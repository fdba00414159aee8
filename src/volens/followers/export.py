"""The permitted set as a file, for systems that work in batches: everybody who permits a purpose at the moment of the door.

    # {"volens": "permitted-set/1", "position": …, "expires": …, "sha256": …, …}
    # signature <base64 of Ed25519 by the house's log key>
    customer
    <pseudonym>
    …

Rules:
1. The set passes the barrier: it is those who permit at the instant at which `handed_over` is committed, and nobody else.
2. The header says at which position that was, until when the file may be used, and the hash of the rows; it is signed. After
   it expires a batch system fetches the set anew; it never works from an old one.
3. The set is under the recipient's own pseudonyms, in their order, which says nothing of the numbers behind them.
4. Its cursor goes on in the feed: whoever says no afterwards is in the next page.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from volens.clock import Clock, legal_day
from volens.errors import BadInput, Refused
from volens.evidence.merkle import canonical_json
from volens.followers.store import Follower
from volens.gate.barrier import Barrier
from volens.gate.policy import ReadRequest
from volens.gate.reads import Gate
from volens.holders import Keys
from volens.identity.pseudonyms import Pseudonyms
from volens.programme.model import Programme

FORM = "permitted-set/1"
FORMATS = ("csv", "parquet")


@dataclass(frozen=True)
class PermittedSet:
    """A signed header and the pseudonyms that it is about."""

    header: dict[str, Any]
    signature: str
    pseudonyms: tuple[str, ...]

    def write(self, form: str) -> bytes:
        """As a file. `BadInput` for a format that is not written."""
        if form not in FORMATS:
            raise BadInput(f"There is no format {form!r}.", f"Use one of: {', '.join(FORMATS)}.")
        header = json.dumps(self.header, sort_keys=True)
        if form == "csv":
            return "\n".join([f"# {header}", f"# signature {self.signature}", "customer", *self.pseudonyms, ""]).encode()
        table = pa.table({"customer": pa.array(self.pseudonyms, pa.string())})
        table = table.replace_schema_metadata({"volens.header": header, "volens.signature": self.signature})
        stream = io.BytesIO()
        pq.write_table(table, stream)
        return stream.getvalue()


class Exports:
    """Hands permitted sets over."""

    def __init__(
        self, barrier: Barrier, gate: Gate, programme: Programme, keys: Keys, clock: Clock, pseudonyms: Pseudonyms
    ) -> None:
        self._barrier, self._gate, self._programme = barrier, gate, programme
        self._keys, self._clock, self._pseudonyms = keys, clock, pseudonyms

    def make(self, follower: Follower, purpose: str, cursor: Callable[[int], str]) -> PermittedSet:
        """The set of a follower's purpose. `cursor` writes one that goes on from a position."""
        if purpose not in follower.purposes:
            raise Refused((f"{follower.name} does not follow {purpose!r}",), "See: volens followers list")
        now = self._clock.now()
        fields = tuple(sorted(self._programme.purpose(purpose).fields))
        today: date = legal_day(now, self._programme.country)
        request = ReadRequest(follower.name, purpose, follower.recipient, fields, today, today + timedelta(days=1))
        permitted, _ = self._gate.permitted(request)
        handed = self._barrier.hand_over(request, list(permitted), {"follower": follower.name, "form": FORM})
        names = tuple(sorted(self._pseudonyms.many(follower.recipient, handed.customers)))
        position = handed.seq + 1  # the door's own event is the last that it rests on
        hours = self._programme.recipient(follower.recipient).obeys_within_hours
        header = {
            "volens": FORM,
            "house": self._programme.house,
            "follower": follower.name,
            "recipient": follower.recipient,
            "purpose": purpose,
            "fields": list(fields),
            "position": position,
            "cursor": cursor(position),
            "made": now.isoformat(timespec="seconds"),
            "expires": (now + timedelta(hours=hours)).isoformat(timespec="seconds"),
            "customers": len(names),
            "sha256": hashlib.sha256("\n".join(names).encode()).hexdigest(),
        }
        signature = self._keys.sign(signed_bytes(header))
        return PermittedSet(header, base64.b64encode(signature).decode(), names)


def signed_bytes(header: dict[str, Any]) -> bytes:
    """What is signed: the header, and what kind of thing it is, so that no checkpoint can be taken for it."""
    return b"volens/" + FORM.encode() + b"\n" + canonical_json(header)
