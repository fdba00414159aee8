"""Work that is done soon, by one thread of this process, and by the next command if the process is killed before.

What must happen is in the records already; this only makes it happen without anybody waiting. An answer on the web is given
before such work begins: how long it takes tells nothing about what it found.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from volens.errors import VolensError

IDLE_SECONDS = 5.0


class Soon:
    """Runs one piece of work when asked, never twice at once; who asks while it runs has it run once more."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._changed = threading.Condition()
        self._asked = self._running = self._closed = False
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Returns at once."""
        with self._changed:
            self._asked = True
            self._changed.notify_all()
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._loop, name="volens soon", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """What was asked for is finished first."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _loop(self) -> None:
        while self._next():
            try:
                self._work()
            except VolensError:
                # It stays in the records, and is done when somebody asks again, or by the nightly run.
                continue

    def _next(self) -> bool:
        """Waits for work; false when the thread is to end."""
        with self._changed:
            if not self._asked and not self._closed:
                self._changed.wait(IDLE_SECONDS)
            if self._asked:
                self._asked = False
                return True
            self._thread = None
            return False
