"""Webhooks: signed by the Standard Webhooks scheme, sent until they are acknowledged, and nothing is lost on the way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.unit.followers.conftest import ADS, EMAIL, OWN, TOOL, Lived

from volens import client
from volens.errors import NotFound
from volens.followers.webhooks import Delivery, signatures

Answer = tuple[int, bytes]


@dataclass
class Receiver:
    """A follower's own server. `answers` are given in turn, the last of them for ever."""

    answers: list[Callable[[dict[str, Any]], Answer]]
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    address: str = ""


def acknowledges(body: dict[str, Any]) -> Answer:
    return 200, json.dumps({"acknowledged": body["data"]["cursor"]}).encode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver([acknowledges])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            answer = made.answers.pop(0) if len(made.answers) > 1 else made.answers[0]
            status, content = answer(json.loads(body))
            self.send_response(status)
            if status in (301, 307):
                self.send_header("Location", made.address)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.address = f"http://127.0.0.1:{server.server_port}/hook"
    yield made
    server.shutdown()
    server.server_close()


def deliver(lived: Lived) -> list[tuple[bool, int, str]]:
    sent = Delivery(lambda: lived.house.followers, lived.hand.clock).once()
    return [(one.acknowledged, one.changes, one.outcome) for one in sent]


def test_a_change_is_sent_signed_and_acknowledged(lived: Lived, receiver: Receiver) -> None:
    camille = lived.person("card-1")
    lived.follow(webhook=receiver.address)
    assert deliver(lived) == []
    lived.say(camille, "given")
    lived.say(camille, "withdrawn")
    assert deliver(lived) == [(True, 1, "acknowledged")]
    assert deliver(lived) == []
    assert lived.house.followers.awaiting(camille) == []
    (headers, body), = receiver.got
    secrets = lived.house.followers.secrets(lived.house.followers.there(TOOL))
    id, page = client.read_webhook(headers, body, secrets, lived.hand.instant)
    assert id == headers["webhook-id"]
    assert [(one["customer"], one["permitted"]) for one in page.changes] == [(lived.name(camille), False)]
    assert lived.house.audit().ok


def test_the_scheme_is_that_of_standard_webhooks() -> None:
    """By the scheme's own words: HMAC-SHA-256 over id, timestamp and body, joined by full stops; the key is base64 after whsec_."""
    secret, id, body = "whsec_" + base64.b64encode(b"k" * 32).decode(), "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}'
    by_hand = hmac.new(b"k" * 32, b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330." + body, hashlib.sha256).digest()
    assert signatures([secret], id, 1614265330, body) == f"v1,{base64.b64encode(by_hand).decode()}"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (lambda body: (500, b""), "answered 500"),
        (lambda body: (404, b""), "answered 404"),
        (lambda body: (307, b""), "answered 307"),
        (lambda body: (200, b""), "received, not acknowledged"),
        (lambda body: (202, b"[1]"), "received, not acknowledged"),
        (lambda body: (200, b"\xff{"), "received, not acknowledged"),
        (lambda body: (200, b'{"acknowledged": "9-x-y"}'), "acknowledged a cursor that it was not given"),
    ],
)
def test_what_is_not_acknowledged_comes_again(
    lived: Lived, receiver: Receiver, answer: Callable[[dict[str, Any]], Answer], outcome: str
) -> None:
    camille = lived.person("card-1")
    lived.follow(webhook=receiver.address)
    lived.say(camille, "given")
    lived.say(camille, "withdrawn")
    receiver.answers = [answer, acknowledges]
    assert deliver(lived) == [(False, 1, outcome)]
    assert lived.house.followers.there(TOOL).outcome == outcome
    assert lived.house.followers.awaiting(camille)
    assert deliver(lived) == [(True, 1, "acknowledged")]
    first, second = ((headers["webhook-id"], body) for headers, body in receiver.got)
    assert first[0] == second[0], "the same page is the same message"
    assert lived.house.followers.awaiting(camille) == []


def test_nobody_is_there(lived: Lived, receiver: Receiver) -> None:
    camille = lived.person("card-1")
    lived.follow(webhook="http://127.0.0.1:9/hook")
    lived.follow("ads", (ADS,), OWN, webhook=receiver.address)
    lived.say(camille, "given")
    lived.say(camille, "given", ADS)
    assert sorted(deliver(lived)) == [(False, 1, "did not answer (URLError)"), (True, 1, "acknowledged")]
    lived.house.followers.end(TOOL, by="Bruno Modèle")
    assert deliver(lived) == []
    with pytest.raises(NotFound):
        Delivery(lambda: lived.house.followers, lived.hand.clock).once(TOOL)


def test_a_new_secret_beside_the_one_before_it(lived: Lived, receiver: Receiver) -> None:
    lived.follow(webhook=receiver.address)
    (old,) = lived.house.followers.secrets(lived.house.followers.there(TOOL))
    renewed = lived.house.followers.renew_secret(TOOL, by="Bruno Modèle")
    new = lived.house.followers.secrets(renewed)
    assert new[1] == old != new[0]
    lived.say(lived.person("card-1"), "given")
    deliver(lived)
    (headers, body), = receiver.got
    for secret in new:
        client.read_webhook(headers, body, [secret], lived.hand.instant)
    stranger = "whsec_" + base64.b64encode(b"x" * 32).decode()
    for wrong, when in [([stranger], lived.hand.instant), (new, lived.hand.instant + timedelta(seconds=301)),
                        (new, lived.hand.instant - timedelta(seconds=301))]:  # fmt: skip
        with pytest.raises(client.NotGenuine):
            client.read_webhook(headers, body, wrong, when)
    for changed in ({**headers, "webhook-id": "msg_other"}, {**headers, "webhook-timestamp": "x"}, {}):
        with pytest.raises(client.NotGenuine):
            client.read_webhook(changed, body, new, lived.hand.instant)
    with pytest.raises(client.NotGenuine):
        client.read_webhook(headers, body + b" ", new, lived.hand.instant)


def test_it_goes_on_by_itself_and_backs_off(lived: Lived, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volens.followers.webhooks.LOOK_SECONDS", 0.05)
    monkeypatch.setattr("volens.followers.webhooks.FIRST_WAIT_SECONDS", 0.3)
    camille = lived.person("card-1")
    lived.follow(webhook=receiver.address)
    lived.say(camille, "given")
    receiver.answers = [lambda body: (500, b""), lambda body: (500, b""), acknowledges]
    delivery = Delivery(lambda: lived.house.followers, lived.hand.clock)
    delivery.start()
    try:
        for _ in range(400):
            if lived.house.followers.there(TOOL).outcome == "acknowledged":
                break
            threading.Event().wait(0.05)
    finally:
        delivery.close()
    assert lived.house.followers.there(TOOL).outcome == "acknowledged"
    assert len(receiver.got) == 3
    assert EMAIL in lived.house.followers.there(TOOL).purposes
