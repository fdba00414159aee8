"""What a platform knows somebody by, as it was sent: sealed under the house's key in blocks, until she is off every list of hers.

It is kept because an address that changed, or a person who was erased, could not be taken off a list otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyroaring import BitMap

from volens.audiences import store
from volens.gate.store import customers_of
from volens.holders import Keys

if TYPE_CHECKING:
    from sqlalchemy import Connection

BLOCK_BITS = 10
"""A block holds 2¹⁰ consecutive customer numbers."""
NUMBER_BYTES, HASH_BYTES = 4, 32

Identifiers = tuple[str, ...]
"""Hexadecimal SHA-256, one for each field of the list; empty where there is none."""


def packed(fields: Iterable[str], rows: Mapping[int, Identifiers]) -> bytes:
    """A block: the fields, then for each customer her number and her hashes."""
    body = b"".join(
        number.to_bytes(NUMBER_BYTES, "big") + b"".join(bytes.fromhex(one) if one else bytes(HASH_BYTES) for one in hashes)
        for number, hashes in sorted(rows.items())
    )
    return ",".join(fields).encode() + b"\n" + body


def unpacked(block: bytes) -> tuple[tuple[str, ...], dict[int, Identifiers]]:
    """What `packed` took."""
    head, _, body = block.partition(b"\n")
    fields = tuple(head.decode().split(","))
    size, found = NUMBER_BYTES + HASH_BYTES * len(fields), dict[int, Identifiers]()
    for start in range(0, len(body), size):
        row = body[start + NUMBER_BYTES : start + size]
        hashes = [row[place : place + HASH_BYTES] for place in range(0, len(row), HASH_BYTES)]
        number = int.from_bytes(body[start : start + NUMBER_BYTES], "big")
        found[number] = tuple("" if one == bytes(HASH_BYTES) else one.hex() for one in hashes)
    return fields, found


def seal(keys: Keys, fields: tuple[str, ...], rows: Mapping[int, Identifiers]) -> list[tuple[int, bytes]]:
    """(block, sealed) of everything that is sent with a list."""
    blocks: dict[int, dict[int, Identifiers]] = {}
    for number, hashes in rows.items():
        blocks.setdefault(number >> BLOCK_BITS, {})[number] = hashes
    return [(block, keys.seal_intake(packed(fields, some))) for block, some in sorted(blocks.items())]


def without(
    keys: Keys, fields: tuple[str, ...], sealed: Iterable[tuple[int, bytes]], rows: Mapping[int, Identifiers], gone: BitMap
) -> Iterator[tuple[int, bytes]]:
    """The same without some people: only the blocks that they are in are sealed anew."""
    touched: dict[int, list[int]] = {int(number) >> BLOCK_BITS: [] for number in gone}
    for number in rows if touched else ():
        if number >> BLOCK_BITS in touched and number not in gone:
            touched[number >> BLOCK_BITS].append(number)
    for block, content in sealed:
        if block not in touched:
            yield block, content
        elif touched[block]:
            yield block, keys.seal_intake(packed(fields, {number: rows[number] for number in touched[block]}))


@dataclass(frozen=True)
class Sent:
    """Opens what was sent, and forgets it."""

    keys: Keys

    def of(self, connection: Connection, audience: str, people: BitMap) -> tuple[tuple[str, ...], dict[int, set[Identifiers]]]:
        """What the platform knows some people by from any list of an audience: (fields, customer → rows as they were sent)."""
        found: dict[int, set[Identifiers]] = {}
        fields: tuple[str, ...] = ()
        for one in store.lists(connection, audience):
            wanted = customers_of(connection, one.list) & people if one.state != store.LOST else BitMap()
            blocks = store.sealed_of(connection, one.list, {int(number) >> BLOCK_BITS for number in wanted})
            for sealed in blocks.values():
                names, rows = unpacked(self.keys.open_intake(sealed))
                fields = fields or names
                for number in rows.keys() & set(wanted):
                    known = dict(zip(names, rows[number], strict=True))
                    found.setdefault(number, set()).add(tuple(known.get(name, "") for name in fields))
        return fields, found

    def forget(self, connection: Connection, audience: str, people: BitMap, before: int) -> None:
        """Nothing of what was sent of some people with lists of an audience that passed the door before an event is kept."""
        for one in store.lists(connection, audience):
            gone = customers_of(connection, one.list) & people if one.list < before else BitMap()
            for block, sealed in store.sealed_of(connection, one.list, {int(number) >> BLOCK_BITS for number in gone}).items():
                names, rows = unpacked(self.keys.open_intake(sealed))
                left = {number: hashes for number, hashes in rows.items() if number not in gone}
                store.replace_sealed(connection, one.list, block, self.keys.seal_intake(packed(names, left)) if left else None)
