"""While a server runs: who has to go is noticed every minute, written for the platforms, and laid down.

What must happen follows from the records; this only makes it happen without anybody's command. Killed, it is done by the next
`volens nightly`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from volens.audiences.station import Audiences
from volens.errors import VolensError

EVERY_SECONDS = 60.0
log = logging.getLogger(__name__)


class Attending:
    """Works in a thread of its own, until `close`."""

    def __init__(self, audiences: Callable[[], Audiences], every: float = EVERY_SECONDS) -> None:
        """`audiences` gives the station of the house as it is now: its programme may have changed."""
        self._audiences, self._every = audiences, every
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Works from now on."""
        self._thread = threading.Thread(target=self._run, name="volens-audiences", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends; what is not done is done by whoever starts next."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(5)

    def _run(self) -> None:
        while not self._closing.wait(self._every):
            try:
                self._audiences().work()
            except (VolensError, OSError) as error:  # the records do not answer, or the disk is full: in a minute again
                log.warning("lists for platforms are not looked after: %s", type(error).__name__)
