"""A new key-encryption key takes the place of the old one while the house goes on working.

Rules:
1. The steps, each durable before the next: `kek.next` is made; it is announced on the public record; the store of customer
   keys says that new keys are wrapped under it; every key there is wrapped again, a batch a transaction; nothing is left under
   the old one; `kek.next` becomes `kek`, and the old key is destroyed.
2. kill -9 after any step: the same command takes it up, and makes no third key.
3. Nothing is unreadable at any instant, also for processes that opened before: what is wrapped says under which key, and
   whoever does not have that key reads the folder again.
4. Whoever is about to wrap a customer key holds the row that the change must update: after it, nobody wraps under the old key.
5. Back-ups of customer keys from before can no longer be opened. That is meant: make one afterwards.
"""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from volens.errors import Unavailable
from volens.holders import Database
from volens.identity import store
from volens.identity.announced import announce
from volens.identity.keys import KEK, KEY_BYTES, NEXT_KEK, LocalKeys, kek_id, replace_kek, wrapped_under, write_new

BATCH = 2_000
"""Keys wrapped anew in one transaction: what somebody who wants to make or destroy one may have to wait behind."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Rotated:
    """What a change of the key-encryption key did. `resumed`: an earlier run had been cut short."""

    old: str
    new: str
    rewrapped: int
    resumed: bool


def rotate(
    keys: LocalKeys,
    records: Database,
    key_store: Database,
    today: date,
    progress: Progress = lambda step, done, total: None,
    on_step: Callable[[str], None] = lambda step: None,
) -> Rotated:
    """Changes the key-encryption key. `Unavailable` while another process does. `on_step` is told after each step."""
    with _alone(keys):
        resumed = (keys.folder / NEXT_KEK).is_file()
        if not resumed:
            write_new(keys.folder / NEXT_KEK, secrets.token_bytes(KEY_BYTES))
        keys.reload()
        old, new = kek_id((keys.folder / KEK).read_bytes()), kek_id((keys.folder / NEXT_KEK).read_bytes())
        on_step("made")
        with records.writing() as connection:
            announce(connection, keys, new, today)
        on_step("announced")
        with key_store.writing() as connection:
            store.set_wrap_under(connection, new)
        on_step("switched")
        rewrapped = 0
        # Twice nothing under the old key: once to do it, once to see that it is done.
        while found := _rewrap_all(keys, key_store, new, progress, on_step):
            rewrapped += found
        on_step("rewrapped")
        replace_kek(keys.folder)
        on_step("replaced")
    return Rotated(old, new, rewrapped, resumed)


def _rewrap_all(
    keys: LocalKeys, key_store: Database, new: str, progress: Progress, on_step: Callable[[str], None]
) -> int:
    """One walk over the store by customer number, to the highest of now; how many keys were not under the new key.

    Whoever comes meanwhile has a higher number and a key under the new one: the walk ends, however fast people come.
    """
    with key_store.reading() as connection:
        total, end = store.count_keys(connection)
    last = done = changed = 0
    while True:
        with key_store.writing() as connection:
            some = store.wrapped_between(connection, last, end, BATCH)
            fresh = [(who, keys.wrap(keys.unwrap(old), new)) for who, old in some if wrapped_under(old) != new]
            if fresh:
                store.rewrap(connection, fresh)
        if not some:
            return changed
        last, done, changed = some[-1][0], done + len(some), changed + len(fresh)
        progress("wrapping anew", done, max(total, done))
        on_step("batch")


@contextmanager
def _alone(keys: LocalKeys) -> Iterator[None]:
    with (keys.folder / ".rotating").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable("Another process is changing the keys of this house.", "Wait until it is done.") from None
        yield
