"""Camille opens the address on her receipt, over HTTP as her telephone would, while a program of the shop asks before it acts.

The server is the real one (`volens.web`), on a free port of this machine; she has no account there but a session that the house
began for her card, as a sign-in does.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import uvicorn
from rich.panel import Panel

from volens import invented as people
from volens.client import Volens
from volens.clock import legal_day
from volens.web.recognising import cookie_name
from volens.web.server import application

if TYPE_CHECKING:
    from volens.app import House
    from volens.demo.story import Story

START_SECONDS = 30


@contextmanager
def served(house: House) -> Iterator[str]:
    """The house's web server while the block runs; yields its address."""
    config = uvicorn.Config(application(house, local=True), host="127.0.0.1", port=0, log_level="error", access_log=False)
    server, socket = uvicorn.Server(config), config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, name="volens-demo-server")
    thread.start()
    try:
        until = time.monotonic() + START_SECONDS
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def she_refuses(story: Story, house: House) -> None:
    """She presses one button without an account; the program that had been told yes is told no; her page says what stands."""
    card = people.card(people.HEROINE)
    who = house.customer("card", card)
    doorway = house.doorways.cards("card", [card])[card]
    assert doorway is not None
    expires = legal_day(house.clock.now(), house.programme.country) + timedelta(days=1)
    key = house.access.machines.add("counting-desk", ["decisions"], expires=expires, by="Alice Exemple").secret
    with served(house) as address, Volens(address, key) as program:

        def told() -> bool:
            return program.permits(people.STATISTICS_PURPOSE, "vergers-du-midi", card=card)

        path = urlsplit(doorway.url).path
        assert "<form" in _call(address, "GET", path)
        story.say("5.address", address=path)
        before = told()
        began = time.monotonic()
        _call(address, "POST", path, urlencode({"what": "everything"}))
        took = time.monotonic() - began
        after = told()
        assert (before, after) == (True, False)
        story.say("5.refuse", milliseconds=round(took * 1000))
        story.say("5.program")
        session = house.access.sessions.begin_customer(who.account, how="account").number
        shown = _call(address, "GET", f"/autorisations?langue={story.language}", cookie=f"{cookie_name('session', True)}={session}")
    story.say("5.page")
    story.console.print(Panel.fit("\n".join(_first_screen(shown)), title="/autorisations"))


def _call(address: str, method: str, path: str, body: str | None = None, **headers: str) -> str:
    """One request; the page that answers."""
    connection = HTTPConnection(urlsplit(address).netloc, timeout=30)
    try:
        headers = {"accept-language": "en", **headers}
        if body is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        assert answer.status == 200, f"{path} answered {answer.status}"
        return answer.read().decode()
    finally:
        connection.close()


def _first_screen(page: str) -> list[str]:
    """The sentence, the question and its answer, as they are read."""
    main = page.split("<h1>", 1)[1].split('<div class="two">', 1)[0]
    lines = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part)).strip() for part in re.split(r"</h1>|</h2>|</p>", main)]
    return [line.replace("&#39;", "'") for line in lines if line]
