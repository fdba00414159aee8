"""A process that does one thing to a house's table and kills itself, with SIGKILL, at a step that it was told."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from tests.unit.purchases.upkeep_house import Moved, TableHouse
from volens.databases.connect import connect
from volens.purchases import compaction


def main(records: str, folder: str, task: str, die_at: str) -> None:
    """`task` is JSON: a feed to take in, or a night. Prints the steps that it passed."""
    what = json.loads(task)
    database = connect(records)
    house = TableHouse(Path(folder), database)

    def step(name: str) -> None:
        print(name, flush=True)
        if name == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    compaction.MOST_FILES = 1  # so that every night has something to make compact
    house.moves = [Moved(account, customer) for account, customer in what.get("moves", [])]
    house.identities.belongs = dict(what.get("belongs", []))
    if "feed" in what:
        house.take_in(what["feed"], what["rows"], small=what["small"], on_step=step)
    else:
        house.nightly(step)
    house.close()
    database.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
