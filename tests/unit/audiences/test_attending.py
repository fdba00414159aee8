"""While a server runs, who has to go is written without anybody's command, and trouble is waited out."""

from __future__ import annotations

import threading

from volens.audiences.attending import Attending
from volens.errors import Unavailable


class Station:
    """Counts how often it is asked to work; the first time the records do not answer."""

    def __init__(self) -> None:
        self.asked, self.twice = 0, threading.Event()

    def work(self) -> dict[str, int]:
        self.asked += 1
        if self.asked == 1:
            raise Unavailable("The records do not answer.", "Try again.")
        self.twice.set()
        return {}


def test_it_goes_on_after_trouble_and_ends_when_closed() -> None:
    station = Station()
    attending = Attending(lambda: station, every=0.01)  # type: ignore[arg-type,return-value]
    attending.start()
    assert station.twice.wait(20)
    attending.close()
    asked = station.asked
    assert attending._thread is not None
    assert not attending._thread.is_alive()
    assert station.asked == asked
