"""Changes sent to followers: signed by the Standard Webhooks scheme, again and again until they are acknowledged.

    webhook-id          the same for the same page, so that a receiver can tell a repetition
    webhook-timestamp   seconds since 1970 of this attempt
    webhook-signature   v1,<base64 of HMAC-SHA-256 over id.timestamp.body>, one for each secret in use

Rules:
1. What to send is looked up in the ledger each time, from what the follower acknowledged: killed at any point, nothing is lost.
2. A page counts as acknowledged when the answer is 2xx and its JSON body says so: {"acknowledged": "<cursor>"}; or when the
   follower says so afterwards (`POST /v1/changes/ack`). Everything else is tried again, after 5 seconds, then twice as long each
   time, 10 minutes at most.
3. A follower that does not answer holds up no other. Redirections are not followed; of an answer 64 KB are read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from volens.clock import Clock
from volens.errors import BadInput, NotFound, Unavailable
from volens.followers.station import Followers, Given
from volens.followers.store import Follower

log = logging.getLogger("volens.followers")

TIMEOUT_SECONDS = 10.0
ANSWER_BYTES_MAX = 64 * 1024
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 5.0, 600.0
AT_ONCE = 8
LOOK_SECONDS = 1.0
PAGES_AT_ONCE = 100
"""Pages sent to one follower before it is the turn of others."""


@dataclass(frozen=True)
class Sent:
    """What came of one attempt. `outcome` is shown to whoever looks why a follower is behind."""

    follower: str
    acknowledged: bool
    changes: int
    outcome: str


def signatures(secrets: Sequence[str], id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`, by each of some secrets."""
    message = f"{id}.{timestamp}.".encode() + body
    made = (hmac.new(base64.b64decode(one.removeprefix("whsec_")), message, hashlib.sha256).digest() for one in secrets)
    return " ".join(f"v1,{base64.b64encode(one).decode()}" for one in made)


class Delivery:
    """Sends what followers with a webhook have not acknowledged."""

    def __init__(self, followers: Callable[[], Followers], clock: Clock) -> None:
        """`followers` gives those of the edition of the programme that is in force by now."""
        self._there, self._clock = followers, clock
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}

    @property
    def _followers(self) -> Followers:
        return self._there()

    def once(self, name: str | None = None) -> list[Sent]:
        """Sends to everybody (or to one) what is waiting, page by page, until one is not acknowledged. Waits for nobody twice."""
        chosen = [one for one in self._followers.all() if one.webhook and name in (None, one.name)]
        if name is not None and not chosen:
            raise NotFound("Nobody with a webhook follows by this name.", "See: volens followers list")
        self._followers.notice()
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="volens-webhooks") as pool:
            return [sent for some in pool.map(self._send_all, chosen) for sent in some]

    def start(self) -> None:
        """Sends from now on, in a thread of its own, until `close`."""
        self._thread = threading.Thread(target=self.run, name="volens-webhooks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends; what was not acknowledged is sent again by whoever starts next."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(TIMEOUT_SECONDS + 5)

    def run(self) -> None:
        """Looks every second who has something waiting and is not waited for. Returns when `close` is called."""
        running: dict[str, Future[list[Sent]]] = {}
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="volens-webhooks") as pool:
            while not self._closing.wait(LOOK_SECONDS):
                try:
                    self._followers.notice()
                    following = [one for one in self._followers.all() if one.webhook]
                except Unavailable:
                    continue  # looked at again in a second
                running = {name: one for name, one in running.items() if not _ended(one)}
                for one in following:
                    if one.name not in running and time.monotonic() >= self._not_before.get(one.name, 0.0):
                        running[one.name] = pool.submit(self._send_all, one)

    def _send_all(self, follower: Follower) -> list[Sent]:
        done: list[Sent] = []
        try:
            for _ in range(PAGES_AT_ONCE):
                given = self._followers.unacknowledged(self._followers.there(follower.name))
                if given is None or self._closing.is_set():
                    break
                done.append(self._send(follower, given))
                if not done[-1].acknowledged:
                    break
        except (Unavailable, NotFound):
            return done  # the records do not answer, or it follows no more: looked at again in a second
        return done

    def _send(self, follower: Follower, given: Given) -> Sent:
        told = {"follower": follower.name, **given.to_dict()}
        body = json.dumps({"type": "volens.changes", "timestamp": self._clock.now().isoformat(), "data": told}).encode()
        content = json.dumps(given.to_dict()["changes"], sort_keys=True) + given.cursor
        id = f"msg_{hashlib.sha256(f'{follower.name}/{content}'.encode()).hexdigest()[:32]}"
        status, answer = self._post(follower, id, body)
        acknowledged, outcome = False, status
        if status.isdigit() and 200 <= int(status) < 300:
            acknowledged, outcome = self._take(follower, answer)
        self._wait_after(follower.name, acknowledged)
        if not acknowledged or follower.outcome != outcome:
            self._followers.note(follower.name, outcome)
        return Sent(follower.name, acknowledged, len(given.page.changes), outcome)

    def _take(self, follower: Follower, answer: bytes) -> tuple[bool, str]:
        try:
            said = json.loads(answer or b"{}")
            cursor = said.get("acknowledged") if isinstance(said, dict) else None
        except ValueError:
            cursor = None
        if not isinstance(cursor, str):
            return False, "received, not acknowledged"
        try:
            self._followers.acknowledge(follower.name, cursor)
        except BadInput:
            return False, "acknowledged a cursor that it was not given"
        return True, "acknowledged"

    def _post(self, follower: Follower, id: str, body: bytes) -> tuple[str, bytes]:
        timestamp = int(self._clock.now().timestamp())
        headers: Mapping[str, str] = {
            "Content-Type": "application/json",
            "User-Agent": "volens",
            "webhook-id": id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signatures(self._followers.secrets(follower), id, timestamp, body),
        }
        request = urllib.request.Request(str(follower.webhook), body, dict(headers), method="POST")
        try:
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=TIMEOUT_SECONDS) as response:
                return str(response.status), response.read(ANSWER_BYTES_MAX)
        except urllib.error.HTTPError as refused:
            refused.close()
            return f"answered {refused.code}", b""
        except (urllib.error.URLError, HTTPException, OSError) as error:
            return f"did not answer ({type(error).__name__})", b""

    def _wait_after(self, name: str, acknowledged: bool) -> None:
        if acknowledged:
            self._failures.pop(name, None)
            self._not_before.pop(name, None)
            return
        failed = self._failures[name] = self._failures.get(name, 0) + 1
        self._not_before[name] = time.monotonic() + min(FIRST_WAIT_SECONDS * 2 ** (failed - 1), LONGEST_WAIT_SECONDS)


def _ended(one: Future[list[Sent]]) -> bool:
    """Whether it is done. Of a defect its kind is logged, never its words, and the follower is tried again."""
    if one.done() and (error := one.exception()) is not None:
        log.error("defect in a delivery: %s", type(error).__name__)
    return one.done()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """What was addressed to one place is not sent to another."""

    def redirect_request(self, *_: Any) -> None:
        return None
