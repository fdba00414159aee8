"""A process of its own that sends camera data of one device until it is told to stop, and prints what became of each."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from volens.app import open_house
from volens.devices.intake import Sent


def main(home: str, device: str) -> None:
    """Prints `ready`, then a line for each thing that was sent: when it was sent, and whether it was accepted."""
    stop = Path(home) / "stop"
    with open_house(Path(home)) as house:
        print("ready", flush=True)
        while not stop.exists():
            sent = time.monotonic()  # CLOCK_MONOTONIC: the same for all processes of a machine
            accepted = house.devices.take(device, [Sent("camera")]).accepted
            print(f"{sent:.6f} {accepted}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
