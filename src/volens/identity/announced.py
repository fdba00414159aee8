"""Which keys are this house's: what the public record says of them, as check values that tell nothing of the keys.

Rules:
1. The first `key` event names the signing key and the check value of every key. A later one changes the key-encryption key
   alone, and says which it replaces: the events are a chain.
2. Keys that are not those of the newest event are another house's, or an old copy of the folder: nothing opens with them.
3. A new key-encryption key is announced before anything is wrapped under it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from volens.errors import KeysMissing
from volens.evidence import log
from volens.evidence.log import PUBLIC, Event, Row
from volens.identity.keys import KEK, KEK_ID_BYTES, OWN_FOLDER, LocalKeys, check_values, kek_check

if TYPE_CHECKING:
    from sqlalchemy import Connection

REPLACES = "replaces"
"""In the detail of a change: the check value of the key-encryption key before it."""


def first(vkey: str, keys: LocalKeys, today: date) -> Event:
    """The event that a house begins with."""
    return Event("key", day=today, detail={"key": vkey, "check": check_values(keys)})


def require_ours(announced: Sequence[Row], vkey: str, keys: LocalKeys) -> None:
    """Raises `KeysMissing` unless the keys at hand are those of the newest `key` event."""
    if not announced:
        return
    said = announced[-1].said()
    if not _fits(said, vkey, keys):
        keys.reload()  # the key was changed between our look at the folder and our look at the record
    if not _fits(said, vkey, keys):
        raise KeysMissing(
            "These keys belong to another house, or are an old copy: they are not those on its public record.", OWN_FOLDER
        )


def _fits(said: dict[str, Any], vkey: str, keys: LocalKeys) -> bool:
    ours, theirs = check_values(keys), dict(said["check"])
    keks = {kek_check(keys, kek) for kek in keys.kek_ids}
    return said["key"] == vkey and theirs.pop(KEK) in keks and all(ours[name] == value for name, value in theirs.items())


def announce(connection: Connection, keys: LocalKeys, coming: str, today: date) -> bool:
    """Puts a new key-encryption key on the public record, once; whether it was not there yet."""
    log.lock(connection, PUBLIC)
    newest = log.latest(connection, PUBLIC, "key")
    if newest is None:
        raise KeysMissing("This house never put its keys on record.", "Open it once first.")
    said, check = newest.said(), kek_check(keys, coming)
    if said["check"][KEK] == check:
        return False
    detail = {"key": said["key"], "check": {**said["check"], KEK: check}, REPLACES: said["check"][KEK]}
    log.append(connection, PUBLIC, [Event("key", day=today, detail=detail)])
    return True


def chain(announced: Sequence[Row]) -> tuple[list[str], list[Row]]:
    """The ids of the key-encryption keys in the order in which they came, and the events that do not follow from the last."""
    ids: list[str] = []
    broken: list[Row] = []
    before: dict[str, Any] = {}
    for row in announced:
        said = row.said()
        rest = {name: value for name, value in said["check"].items() if name != KEK}
        if before:
            same = (said["key"], rest) == (before["key"], {k: v for k, v in before["check"].items() if k != KEK})
            if not same or said.get(REPLACES) != before["check"][KEK]:
                broken.append(row)
        ids.append(str(said["check"][KEK])[: 2 * KEK_ID_BYTES])
        before = said
    return ids, broken
