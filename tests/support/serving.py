"""A house served by a real server on this machine, with real browsers' half: connections, cookies, redirects."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import uvicorn
from litestar import Litestar


@contextmanager
def served_by_uvicorn(make: Callable[[str], Litestar]) -> Iterator[str]:
    """Serves what `make` makes for an address, as `volens serve` does; gives the address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(make(base), log_level="error", access_log=False, ws="none", server_header=False, lifespan="on")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        try:
            yield base
        finally:
            server.should_exit = True
            thread.join(timeout=20)


def serving(application: Any) -> AbstractContextManager[str]:
    """An application that need not know its address; the address."""
    return served_by_uvicorn(lambda base: application)
