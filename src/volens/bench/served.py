"""Variants over HTTP: decisions as fast as they are answered or at a steady rate, clicks until one says no, answers to nothing.

There are as many customers as a shop of so many lines has (22.6 lines a card and year): 22.6m lines for a million, 226m for ten.
Servers are processes of their own; their processor seconds are counted, not the asking process's.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pyarrow.parquet as pq

from volens import app
from volens.bench.data import Size
from volens.clock import system
from volens.errors import Unavailable
from volens.simulate.files import people_mapping
from volens.simulate.people import customer_pieces

Options = Mapping[str, Any]
Work = Callable[[], dict[str, Any]]
CONNECTIONS = 16
CARDS = 50_000
CLICKS_MOST = 2_000
WARM_UP_SECONDS = 2
"""Asked before what is measured, so that what is read once for all is read."""
PURPOSE, RECIPIENT = "supplier-statistics", "vergers-du-midi"
START_SECONDS = 60.0


def house_folder(work: Path, size: Size) -> Path:
    """Where the house of so many customers is, or will be."""
    return work / f"served-{size.shop.customers}"


def chosen(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """Makes a house whose customers have chosen, unless it is there."""

    def make() -> dict[str, Any]:
        folder = house_folder(work, size)
        if (folder / "cards.json").exists():
            return {}
        files = {name: folder / f"{name}.parquet" for name in ("people", "choices")}
        with app.initialise(folder / "house", customers=size.shop.customers, clock=system()) as house:
            with ExitStack() as open_files:
                writers: dict[str, pq.ParquetWriter] = {}
                for piece in customer_pieces(size.shop):
                    for name, table in zip(files, piece, strict=True):
                        if name not in writers:
                            writers[name] = open_files.enter_context(pq.ParquetWriter(files[name], table.schema))
                        writers[name].write_table(table)
            house.take_in_people(files["people"], people_mapping("parquet"))
            house.imports.take_in(files["choices"])
            house.checkpoint()
        cards = pq.read_table(files["choices"], columns=["card"]).column("card").to_pylist()
        (folder / "cards.json").write_text(json.dumps(sorted(set(cards))[:CARDS]))
        return {}

    return make


def decide(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """Sixteen connections, each asking about one card after the other."""
    folder = house_folder(work, size)
    cards = json.loads((folder / "cards.json").read_text())
    return _asking(stack.enter_context(_server(str(folder / "house"))), [_question("card", card) for card in cards], options)


def steadily(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """So many questions a second, each at its own moment, whether or not those before it were answered."""
    folder = house_folder(work, size)
    questions = [_question("card", card) for card in json.loads((folder / "cards.json").read_text())]
    server = stack.enter_context(_server(str(folder / "house")))

    return _steadily(server, questions, options)


def answered_steadily(home: Path, path: str, bodies: Iterator[Mapping[str, Any]], options: Options, stack: ExitStack) -> Work:
    """The same for another address of a house's server, with one body after the other."""
    wanted = int(options["rate"] * (options.get("warm", WARM_UP_SECONDS) + options["seconds"]))
    questions = [_post(path, json.dumps(body)) for body in islice(bodies, wanted)]
    return _steadily(stack.enter_context(_server(str(home))), questions, options, b"{")


def answered_fast(home: Path, questions: Iterator[tuple[str, str, str, str]], options: Options, stack: ExitStack) -> Work:
    """Decisions as fast as they are answered, about (kind, name, purpose, recipient)."""
    return _asking(stack.enter_context(_server(str(home))), [_question(*one) for one in questions], options)


def _steadily(server: _Server, questions: list[bytes], options: Options, expects: bytes = b'"decision"') -> Work:
    def ask() -> dict[str, Any]:
        rate, seconds = options["rate"], options.get("warm", WARM_UP_SECONDS)
        asyncio.run(_ask_steadily(server.port, questions, rate, seconds, expects))
        fresh = questions[int(rate * seconds) :] or questions
        took = asyncio.run(_ask_steadily(server.port, fresh, rate, options["seconds"], expects))
        return {"answers": len(took), **_spread(took)}

    return ask


def nothing(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """The same of a server that answers without looking at anything."""
    return _asking(stack.enter_context(_server("-")), [_question("card", f"{number:012}") for number in range(1_000)], options)


def click(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """A customer refuses everything on the web, and the next decision about her says no: how long from the one to the other."""
    folder = house_folder(work, size)
    with app.open_house(folder / "house", clock=system()) as house:
        # Each customer can click once: another run takes those who still permit.
        permit = (number for number in range(1, size.shop.customers + 1) if _permits(house, number))
        standing = list(islice(permit, CLICKS_MOST))
    server = stack.enter_context(_server(str(folder / "house")))

    def refuse_one_after_the_other() -> dict[str, Any]:
        took, until = list[float](), time.monotonic() + options["seconds"]
        connection = HTTPConnection("127.0.0.1", server.port)
        token = _token(connection, standing[0])
        for number in standing:
            if time.monotonic() > until:
                break
            if not _decided(connection, number):
                continue
            form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": token[0], "x-bench-customer": str(number)}
            began = time.perf_counter()
            connection.request("POST", "/autorisations/refuser", urlencode({"_csrf_token": token[1]}), form)
            response = connection.getresponse()
            response.read()
            if response.status not in (302, 303) or _decided(connection, number):
                raise Unavailable(f"A click did not end in a no ({response.status}).", "This is a defect: report it.")
            took.append(time.perf_counter() - began)
        connection.close()
        return {"clicks": len(took), **_spread(took)}

    return refuse_one_after_the_other


def _permits(house: app.House, number: int) -> bool:
    return any(row.permits and row.purpose == PURPOSE for row in house.permissions.of_customer(number))


class _Server:
    """A process that serves, and what it has used."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port

    def cpu_seconds(self) -> float:
        """Of all its threads, user and system; nothing where the system does not say."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        if not stat.exists():
            return float("nan")
        user, kernel = stat.read_text().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(kernel)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _server(home: str) -> Iterator[_Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = subprocess.Popen([sys.executable, "-m", "volens.bench.serving", home, str(port)])
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    raise Unavailable("The server that is measured did not start.", "Read what it said.") from None
                time.sleep(0.1)
        yield _Server(process, port)
    finally:
        process.terminate()
        process.wait(30)


def _question(kind: str, name: str, purpose: str = PURPOSE, recipient: str = RECIPIENT) -> bytes:
    return _post("/access/v1/evaluation", json.dumps({
        "subject": {"type": kind, "id": name}, "action": {"name": purpose}, "resource": {"type": "recipient", "id": recipient},
    }))  # fmt: skip


def _post(path: str, body: str) -> bytes:
    head = [f"POST {path} HTTP/1.1", "Host: bench", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", body]).encode()


def _asking(server: _Server, questions: list[bytes], options: Options) -> Work:
    def ask() -> dict[str, Any]:
        asyncio.run(_ask_all(server.port, questions[:200], options.get("warm", WARM_UP_SECONDS)))
        cpu, began = server.cpu_seconds(), time.monotonic()
        took = asyncio.run(_ask_all(server.port, questions, options["seconds"]))
        seconds, used = time.monotonic() - began, server.cpu_seconds() - cpu
        return {"answers": len(took), "per_second": len(took) / seconds, "per_cpu_second": len(took) / used, **_spread(took)}

    return ask


async def _ask_all(port: int, questions: list[bytes], seconds: float) -> list[float]:
    until = time.monotonic() + seconds
    parts = [_ask_on(port, questions[start::CONNECTIONS] or questions, until) for start in range(CONNECTIONS)]
    return [one for some in await asyncio.gather(*parts) for one in some]


async def _ask_on(port: int, questions: list[bytes], until: float) -> list[float]:
    """One question after the other on one connection; seconds from sending to the whole answer."""
    ask = await _connected(port)
    took, turn = list[float](), 0
    while time.monotonic() < until:
        began = time.perf_counter()
        await ask(questions[turn % len(questions)])
        took.append(time.perf_counter() - began)
        turn += 1
    return took


async def _ask_steadily(
    port: int, questions: list[bytes], rate: int, seconds: float, expects: bytes = b'"decision"'
) -> list[float]:
    """Seconds from the moment at which each question was due to its whole answer: one that waits for a free connection, or
    behind a slow one, counts with its wait (no coordinated omission)."""
    due, took = asyncio.Queue[tuple[float, bytes] | None](), list[float]()

    async def answer_what_is_due() -> None:
        ask = await _connected(port, expects)
        while (next_one := await due.get()) is not None:
            moment, question = next_one
            await ask(question)
            took.append(time.perf_counter() - moment)

    workers = [asyncio.create_task(answer_what_is_due()) for _ in range(CONNECTIONS)]
    began = time.perf_counter() + 0.1
    for turn in range(int(rate * seconds)):
        moment = began + turn / rate
        while (early := moment - time.perf_counter()) > 0:
            # A timer wakes a millisecond late, which would count as the server's: the last two are waited for awake.
            await asyncio.sleep(max(0.0, early - 0.002))
        due.put_nowait((moment, questions[turn % len(questions)]))
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    return took


async def _connected(port: int, expects: bytes = b'"decision"') -> Callable[[bytes], Awaitable[None]]:
    """Sends one question on a connection of its own, and takes the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def ask(question: bytes) -> None:
        writer.write(question)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200") or expects not in body:
            raise Unavailable("The server answered with something else than what was asked for.", "Read what it said.")

    return ask


def _decided(connection: HTTPConnection, number: int) -> bool:
    body = _question("number", str(number)).split(b"\r\n\r\n", 1)[1]
    connection.request("POST", "/access/v1/evaluation", body, {"Content-Type": "application/json"})
    return bool(json.loads(connection.getresponse().read())["decision"])


def _token(connection: HTTPConnection, number: int) -> tuple[str, str]:
    """Cookie and token of a browser that has opened the page."""
    connection.request("GET", "/autorisations", headers={"x-bench-customer": str(number)})
    response = connection.getresponse()
    page = response.read().decode()
    cookie = str(response.getheader("set-cookie")).split(";")[0]
    return cookie, page.split('name="_csrf_token" value="')[1].split('"')[0]


def _spread(took: list[float]) -> dict[str, float]:
    if not took:
        raise Unavailable("Nothing was measured.", "Give it more lines, or more seconds.")
    return {"p50_ms": 1000 * float(np.percentile(took, 50)), "p99_ms": 1000 * float(np.percentile(took, 99))}
