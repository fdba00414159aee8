"""One step of an intake works on the next piece while the step behind it works on this one.

1. Nothing is reordered, skipped or made twice: a step runs in one thread, piece after piece, and its pieces come in its order.
2. One piece ahead and no more: memory is that of two pieces, however slow the step behind is.
3. An error comes out where the piece would have come; nothing after it is made. If the step behind fails, the piece that is
   being made is waited for, then the step is closed: when the block ends nobody works any more.

Two cores have something to do so, because reading, checking, sorting, compressing and the database's own work are done outside
Python's lock.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
_END: Any = object()


@contextmanager
def ahead(step: Iterator[T]) -> Iterator[Iterator[T]]:
    """The pieces of a step, each made in another thread while the one before it is worked on. Walk them once, in the block."""
    try:
        with ThreadPoolExecutor(1, "ahead") as thread:
            yield _walk(step, thread)
    finally:
        if isinstance(step, Generator):
            step.close()


def _walk(step: Iterator[T], thread: ThreadPoolExecutor) -> Iterator[T]:
    coming = thread.submit(next, step, _END)
    while (piece := coming.result()) is not _END:
        coming = thread.submit(next, step, _END)
        yield piece
