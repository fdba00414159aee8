"""The server that is measured: `python -m volens.bench.serving HOUSE PORT`, or `- PORT` for one that answers nothing.

It serves an invented house, on this machine alone, and believes who a caller says that it is: what is measured is not the sign-in.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import uvicorn
from litestar.connection import ASGIConnection

from volens import app
from volens.clock import system
from volens.web.server import application, keep_what_is_loaded, take_turns_quickly
from volens.web.visitor import Customer, Machine, Visitor

NOTHING = b'{"decision":false,"context":{"position":null,"reason_admin":{"en":"nothing was asked of anybody here"}}}'
SITE = Machine("bench", frozenset({"ads", "decisions", "reminders"}))


def believed(connection: ASGIConnection[Any, Any, Any, Any]) -> Visitor:
    """A customer by number, or the machine."""
    number = connection.headers.get("x-bench-customer", "")
    return Customer(int(number)) if number else SITE


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """What the server itself costs: a body in, a body out, as long as a decision's."""
    if scope["type"] == "lifespan":
        for _ in range(2):
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
        return
    while (await receive())["more_body"]:
        continue
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(NOTHING)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": NOTHING})


def main() -> None:
    """Serves until it is ended."""
    take_turns_quickly()
    home, port = sys.argv[1], int(sys.argv[2])
    options: dict[str, Any] = {"host": "127.0.0.1", "port": port, "log_level": "error", "access_log": False}
    if home == "-":
        uvicorn.run(nothing, **options)
        return
    with app.open_house(Path(home), clock=system()) as house:
        served = application(house, recognise=believed, local=True)
        keep_what_is_loaded()
        uvicorn.run(served, **options)


if __name__ == "__main__":
    main()
