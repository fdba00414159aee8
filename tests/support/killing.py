"""kill -9 at one step of some work: each beginning of a transaction, the moment before its commit, and the moment after it.

A forked process kills itself there. Nothing of a database may be open when it is forked.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from volens.databases.connect import SqlDatabase


def killed(at: int, work: Callable[[], object]) -> bool:
    """Does some work in a process of its own that kills itself at one of its steps; whether it came to that."""
    process = os.fork()
    if process == 0:
        code = 3
        try:
            _kill_at(at)
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(process, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "it failed without being killed"
    return os.WIFSIGNALED(status)


def _kill_at(at: int) -> None:
    writing, steps, counted = SqlDatabase.writing, 0, threading.Lock()

    def step() -> None:
        nonlocal steps
        with counted:
            steps += 1
            if steps == at:
                os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def stepping(self: SqlDatabase) -> Iterator[Connection]:
        step()
        with writing(self) as connection:
            yield connection
            step()
        step()

    SqlDatabase.writing = stepping  # type: ignore[method-assign]
