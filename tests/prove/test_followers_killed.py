"""Whoever delivers is killed again and again, and the receiver fails at random; in the end it knows what the gate knows."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.conftest import Urls

from volens import client
from volens.app import House, initialise
from volens.clock import legal_day, system
from volens.followers.feed import request_of
from volens.followers.webhooks import Delivery
from volens.ingest.master import Person
from volens.permissions.ledger import Choice
from volens.rulebooks import rulebook

ROOT = Path(__file__).parents[2]
EMAIL, MAIL, TOOL = "email-marketing", "envoi-clair", "mail-tool"
KILLS, SECONDS_MOST = 4, 240.0
PEOPLE = 12

pytestmark = pytest.mark.prove


class Receiver(ThreadingHTTPServer):
    """Applies what is genuine. At random it fails before, or forgets to acknowledge, or hangs up after it has applied."""

    def __init__(self, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.chosen, self.secrets, self.steady = Random(seed), list[str](), False
        self.known: dict[str, bool] = {}
        self.seen, self.failed = 0, 0
        self.guard = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.server.guard:
            _, page = client.read_webhook(dict(self.headers.items()), body, self.server.secrets)
            self.server.seen += 1
            luck = 1.0 if self.server.steady else self.server.chosen.random()
            self.server.failed += luck < 0.4
            if luck < 0.15:
                self._say(500, b"")
                return
            for change in page.changes:
                self.server.known[change["customer"]] = change["permitted"]
            if luck < 0.25:
                self.close_connection = True
                return
            self._say(200, b"" if luck < 0.4 else client.acknowledgement(page))

    def _say(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def house(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    if urls.records.startswith("postgresql"):
        monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    with initialise(tmp_path / "house", records_url=urls.records, customers=100, clock=system()) as made:
        made.customers.enrol([Person(f"card-{n}", f"p{n}@example.org", "FR", {}) for n in range(PEOPLE)])
        yield made


def test_nothing_is_lost(house: House, tmp_path: Path) -> None:
    seed = secrets.randbelow(2**31)
    print(f"seed {seed}")
    chosen, receiver = Random(seed), Receiver(seed)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    made = house.followers.add(TOOL, [EMAIL], recipient=MAIL, by="Bruno Modèle", webhook=f"http://127.0.0.1:{receiver.server_port}/")
    receiver.secrets = list(house.followers.secrets(made))
    people = [house.customer("card", f"card-{n}").customer for n in range(PEOPLE)]
    command = [sys.executable, "-m", "volens.cli.main", "followers", "deliver", "--forever", "--house", str(tmp_path / "house")]
    until, kills = time.monotonic() + SECONDS_MOST, 0
    running, seen, kill_at = subprocess.Popen(command, cwd=ROOT), 0, float("inf")
    try:
        while kills < KILLS and time.monotonic() < until:
            kind = chosen.choice(["given", "withdrawn", "refused", "renewed"])
            house.permissions.record([Choice(chosen.choice(people), EMAIL, kind)])
            time.sleep(chosen.random() * 0.2)
            if kill_at == float("inf") and receiver.seen > seen:
                kill_at = time.monotonic() + 4 * chosen.random()  # it works: at some moment it is killed
            if time.monotonic() > kill_at:
                running.kill()
                running.wait()
                kills, seen, kill_at = kills + 1, receiver.seen, float("inf")
                running = subprocess.Popen(command, cwd=ROOT)
    finally:
        running.kill()
        running.wait()
    receiver.steady = True
    while Delivery(lambda: house.followers, house.clock).once():
        continue
    receiver.shutdown()
    receiver.server_close()
    rules, today = rulebook(house.programme), legal_day(house.clock.now(), "FR")
    request = request_of(made, EMAIL, rules, today)
    assert request is not None
    for one in people:
        name = house.followers.pseudonyms.of(MAIL, one)
        assert receiver.known.get(name, False) == house.gate.decide_now(one, request).verdict.allowed, f"seed {seed}"
        assert house.followers.awaiting(one) == []
    assert kills == KILLS
    assert receiver.seen >= KILLS
    assert house.audit().ok
    print(f"{receiver.seen} deliveries, {receiver.failed} failed, {kills} kills; {json.dumps(len(receiver.known))} people")
