"""Promise 3 through the web: people press toggles and follow links, programs ask, and servers are killed.

Two servers of one house, each `volens serve`, are killed at random and started again. Clients note when a call began and when its
answer had come, and nothing else; the judge (`tests/support/heard.py`) knows no product code.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.conftest import Urls
from tests.support.heard import Heard, judge

from volens.app import House, initialise
from volens.clock import legal_day, system
from volens.ingest.master import Person
from volens.permissions.ledger import Choice

SECONDS = int(os.environ.get("VOLENS_PROVE_HTTP_SECONDS", "60"))
"""A run takes so long,"""
KILLS, LONGEST = 4, 240
"""and longer, up to `LONGEST` seconds, until so many servers were killed: on a busy machine they start slowly."""
PEOPLE, CLIENTS = 8, 6
LIVES = (3.0, 8.0)
"""Seconds that a server lives before it is killed, at least and at most."""
PURPOSES = {"supplier-statistics": "vergers-du-midi", "basket-reminder": "le-panier", "targeted-ads": "le-panier"}
TOKEN = re.compile(r'name="_csrf_token" value="([0-9a-f]+)"')
SHOWN = re.compile(r'name="shown" value="([0-9a-f]*)"')
FORM = "application/x-www-form-urlencoded"
SERVE = "from volens.cli.main import main; main()"


@dataclass
class Somebody:
    """A customer, what her browser holds, and the address on her receipt."""

    number: int
    card: str
    cookie: str
    code: str


@dataclass
class Server:
    """One server: a process that is killed and started again on its port."""

    home: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    killed: int = 0

    def start(self) -> None:
        """Starts it and waits until it answers."""
        command = [sys.executable, "-W", "ignore", "-c", SERVE, "serve", "--house", str(self.home), "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        pytest.fail("a server does not start")

    def kill(self) -> None:
        """SIGKILL, in the midst of whatever it does."""
        if self.process is not None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.killed += 1


@dataclass
class Client:
    """One thread that presses, follows and asks, and writes down when."""

    ports: tuple[int, ...]
    people: list[Somebody]
    key: str
    chosen: random.Random
    over: threading.Event
    heard: list[Heard] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Until the time is over."""
        while not self.over.is_set():
            somebody, purpose = self.chosen.choice(self.people), self.chosen.choice(sorted(PURPOSES))
            dice = self.chosen.random()
            try:
                if dice < 0.55:
                    self._decide(somebody, purpose)
                elif dice < 0.85:
                    self._toggle(somebody, purpose, self.chosen.random() < 0.6)
                elif dice < 0.93:
                    self._refuse_everything(somebody)
                else:
                    self._follow_link(somebody)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)  # the server was killed; what had begun stays without an end

    def _call(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.chosen.choice(self.ports), timeout=20)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.getheader("set-cookie") or ""
        finally:
            connection.close()

    def _said(self, customer: int, purposes: list[str], yes: bool, began: float, ended: float | None) -> None:
        self.heard += [Heard("say", customer, purpose, yes, began, ended) for purpose in purposes]

    def _press(self, somebody: Somebody, page: str, action: str, fields: dict[str, str], purposes: list[str], yes: bool) -> None:
        _, shown, cookies = self._call("GET", page, cookie=f"volens-session={somebody.cookie}")
        token, signed = TOKEN.search(shown), re.search(r"volens-form=([0-9a-f]+)", cookies)
        if token is None or signed is None:
            return  # a page that says that something does not answer has no form
        stood = SHOWN.search(shown)
        began = time.monotonic()
        self._said(somebody.number, purposes, yes, began, None)
        mine = range(len(self.heard) - len(purposes), len(self.heard))
        status, _, _ = self._call(
            "POST", action, urlencode({"_csrf_token": token[1], "shown": stood[1] if stood else "", **fields}),
            **{"cookie": f"volens-session={somebody.cookie}; volens-form={signed[1]}", "content-type": FORM},
        )  # fmt: skip
        if status == 303:
            ended = time.monotonic()
            for place in mine:
                one = self.heard[place]
                self.heard[place] = Heard(one.what, one.customer, one.purpose, one.yes, one.began, ended)
        elif status < 500:
            self.failures.append(f"{action} answered {status}")

    def _toggle(self, somebody: Somebody, purpose: str, yes: bool) -> None:
        page = f"/autorisations/usage/{purpose}"
        fields = {"purpose": purpose, "text": f"{purpose}/1", "back": page, "say": "yes" if yes else "no"}
        self._press(somebody, page, "/autorisations/choix", fields, [purpose], yes)

    def _refuse_everything(self, somebody: Somebody) -> None:
        self._press(somebody, "/autorisations", "/autorisations/refuser", {}, sorted(PURPOSES), False)

    def _follow_link(self, somebody: Somebody) -> None:
        began = time.monotonic()
        self._said(somebody.number, sorted(PURPOSES), False, began, None)
        mine = range(len(self.heard) - len(PURPOSES), len(self.heard))
        body = urlencode({"what": "everything"})
        status, _, _ = self._call("POST", f"/n/{somebody.code}", body, **{"content-type": FORM})
        ended = time.monotonic()
        if status == 200:
            for place in mine:
                one = self.heard[place]
                self.heard[place] = Heard(one.what, one.customer, one.purpose, one.yes, one.began, ended)
        elif status == 429:
            del self.heard[mine.start :]  # nothing was done, and the page said so
            time.sleep(0.2)
        elif status < 500:
            self.failures.append(f"/n/ answered {status}")

    def _decide(self, somebody: Somebody, purpose: str) -> None:
        question = {
            "subject": {"type": "card", "id": somebody.card},
            "action": {"name": purpose},
            "resource": {"type": "recipient", "id": PURPOSES[purpose]},
        }
        began = time.monotonic()
        status, answer, _ = self._call(
            "POST", "/access/v1/evaluation", json.dumps(question),
            **{"authorization": f"Bearer {self.key}", "content-type": "application/json"},
        )  # fmt: skip
        ended = time.monotonic()
        if status == 200:
            found = json.loads(answer)
            blind = found.get("context", {}).get("position") is None
            self.heard.append(Heard("decide", somebody.number, purpose, bool(found["decision"]), began, ended, blind))
        elif status < 500:
            self.failures.append(f"a decision answered {status}: {answer[:200]}")


def prepared(house: House) -> tuple[list[Somebody], str]:
    """People with a session, a receipt and nothing permitted; and a key for decisions."""
    cards = [f"C{place:05}" for place in range(1, PEOPLE + 1)]
    house.customers.enrol([Person(card=card, email=None, country="FR", details={}) for card in cards])
    doorways = house.doorways.cards("card", cards)
    people = []
    for card in cards:
        who, doorway = house.customer("card", card), doorways[card]
        assert doorway is not None
        house.permissions.record([Choice(who.customer, "loyalty", "joined", surface="test")])
        begun = house.access.sessions.begin_customer(who.account, how="account")
        people.append(Somebody(who.customer, card, begun.number, doorway.code))
    expires = legal_day(house.clock.now(), "FR") + timedelta(days=30)
    issued = house.access.machines.add("mail-tool", scopes=["decisions"], recipient=None, expires=expires, by="Alice Exemple")
    return people, issued.secret


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.prove
def test_the_last_word_holds_over_http_while_servers_are_killed(urls: Urls, tmp_path: Path) -> None:
    seed = secrets.randbelow(2**31)
    print(f"seed {seed}")
    chosen = random.Random(seed)
    records = None if urls.records.startswith("sqlite") else urls.records
    with initialise(tmp_path / "house", records_url=records, customers=100, clock=system()) as house:
        people, key = prepared(house)
    servers = [Server(tmp_path / "house", free_port()) for _ in range(2)]
    for server in servers:
        server.start()
    began, over = time.monotonic(), threading.Event()
    ports = tuple(server.port for server in servers)
    clients = [Client(ports, people, key, random.Random(seed + place), over) for place in range(CLIENTS)]
    threads = [threading.Thread(target=client.run) for client in clients]
    try:
        for thread in threads:
            thread.start()
        while (passed := time.monotonic() - began) < SECONDS or (
            sum(server.killed for server in servers) < KILLS and passed < LONGEST
        ):
            time.sleep(chosen.uniform(*LIVES))
            victim = chosen.choice(servers)
            victim.kill()
            victim.start()
    finally:
        over.set()
        for thread in threads:
            thread.join()
        for server in servers:
            server.kill()
    failures = [failure for client in clients for failure in client.failures]
    assert not failures, failures[:5]
    found = judge(call for client in clients for call in client.heard)
    killed = sum(server.killed for server in servers) - len(servers)
    print(f"{sum(len(client.heard) for client in clients):,} calls, {killed} servers killed: {dict(found.judged)}")
    assert not found.findings, "\n".join(found.findings[:20])
    assert found.judged["no after a no"] > 50
    assert found.judged["yes after a yes"] > 20
    assert killed >= KILLS
