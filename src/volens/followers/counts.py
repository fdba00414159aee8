"""How often each machine was answered what, by hour: counted in memory, and added to the records every few seconds.

1. Counting never makes an answer wait. What a process that is killed had not written yet is lost: at most `EVERY_SECONDS` of it.
2. No customer is in it.
"""

from __future__ import annotations

import threading
from collections import Counter

from volens.clock import Clock
from volens.errors import Unavailable
from volens.followers import store
from volens.holders import Database

EVERY_SECONDS = 10.0

Key = tuple[str, str, str, str]


class Counts:
    """Counts answers. The thread that writes starts with the first of them."""

    def __init__(self, records: Database, clock: Clock) -> None:
        self._records, self._clock = records, clock
        self._lock = threading.Lock()
        self._counted: Counter[Key] = Counter()
        self._closing = threading.Event()
        self._writer: threading.Thread | None = None

    def add(self, caller: str, purpose: str, allowed: bool) -> None:
        """One more answer."""
        key = (self._clock.now().isoformat()[:13], caller, purpose, "yes" if allowed else "no")
        with self._lock:
            self._counted[key] += 1
            if self._writer is None and not self._closing.is_set():
                self._writer = threading.Thread(target=self._write_on, name="volens-decision-counts", daemon=True)
                self._writer.start()

    def write(self) -> None:
        """Adds what was counted to the records. Raises `Unavailable`, and then keeps it for the next time."""
        with self._lock:
            counted, self._counted = self._counted, Counter()
        if not counted:
            return
        try:
            with self._records.writing() as connection:
                store.add_counts(connection, counted)
        except Unavailable:
            with self._lock:
                self._counted += counted
            raise

    def close(self) -> None:
        """Writes what is left, if the records answer, and ends."""
        self._closing.set()
        if self._writer is not None:
            self._writer.join(5)
        try:
            self.write()
        except Unavailable:
            return

    def _write_on(self) -> None:
        while not self._closing.wait(EVERY_SECONDS):
            try:
                self.write()
            except Unavailable:
                continue
