"""What an operator with the database's own shell can do: change a row, past every rule. For the demo's last chapter only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg

CHANGE = "update events set kind = {new} where tree = 'events' and seq = {seq} and kind = {old}"


@contextmanager
def rewritten(records_url: str, seq: int, old: str, new: str) -> Iterator[None]:
    """The row of one choice says `new` instead of `old` while the block runs, and is put back after it."""
    _run(records_url, seq, old, new)
    try:
        yield
    finally:
        _run(records_url, seq, new, old)


def _run(records_url: str, seq: int, old: str, new: str) -> None:
    if records_url.startswith("sqlite:///"):
        with closing(sqlite3.connect(records_url.removeprefix("sqlite:///"))) as connection, connection:
            connection.execute(CHANGE.format(new="?", seq="?", old="?"), (new, seq, old))
        return
    address, _, options = records_url.replace("postgresql+psycopg://", "postgresql://").partition("?")
    # A blank is written `+` in the one's addresses and `%20` in the other's.
    with psycopg.connect(f"{address}?{options.replace('+', '%20')}") as server:
        server.execute(CHANGE.format(new="%s", seq="%s", old="%s"), (new, seq, old))
