"""The witness on the network: the standard library's HTTP server, within limits.

    POST /add-checkpoint        the protocol (C2SP tlog-witness)
    GET  /checkpoint/<log>      the newest checkpoint of a log with the witness's cosignature, at this fixed address
    GET  /key                   the witness's public key
    GET  /  /en  /fr            the page for people
    GET  /status.json           the same for scripts
    GET  /evidence/<id>.json    a refused checkpoint with the one that it does not continue

Rules:
1. Everything has a limit: the length of a body, the time of a connection, how many there are, how often one address may ask.
2. Nothing about who asks is written down: addresses are held in memory for a minute, to count, and are in no log.
3. It speaks plain HTTP, to be put behind whatever gives it TLS. What it answers needs no secrecy, and is signed.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from volens.errors import VolensError
from volens.evidence import witness_page
from volens.evidence.witness import BODY_BYTES_MAX, PLAIN, Answer, Witness

HTML, JSON_TYPE = "text/html; charset=utf-8", "application/json"
CONNECTIONS_MAX = 64
SILENCE_SECONDS = 10
CONNECTION_SECONDS = 60
ASKS_A_MINUTE = 240
"""For one address. A house with two trees and a checkpoint a minute needs about six."""
ADDRESSES_MAX = 10_000


class Allowance:
    """How often each address may still ask: a bucket that fills again evenly, held in memory alone."""

    def __init__(self, a_minute: int = ASKS_A_MINUTE) -> None:
        self._a_minute, self._left, self._lock = a_minute, dict[str, tuple[float, float]](), threading.Lock()

    def take(self, address: str, now: float) -> bool:
        """Whether this address may ask now."""
        with self._lock:
            left, since = self._left.pop(address, (float(self._a_minute), now))
            left = min(float(self._a_minute), left + (now - since) * self._a_minute / 60)
            if len(self._left) >= ADDRESSES_MAX:
                self._left.pop(next(iter(self._left)))  # whoever asked longest ago
            self._left[address] = (max(left - 1, 0.0), now)
            return left >= 1


class WitnessServer(ThreadingHTTPServer):
    """One witness at one port. `serve_forever` answers until `shutdown`."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, witness: Witness, host: str, port: int) -> None:
        self.witness, self.allowance = witness, Allowance()
        self._open: dict[socket.socket, float] = {}
        self._guard = threading.Lock()
        super().__init__((host, port), WitnessHandler)

    @property
    def url(self) -> str:
        """Where it listens."""
        host = str(self.server_address[0])
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_address[1]}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Takes a connection, or drops it when there are too many."""
        with self._guard:
            full = len(self._open) >= CONNECTIONS_MAX
            if not full:
                self._open[request] = time.monotonic()
        if full:
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Twice a second: whoever takes too long, one byte at a time, is hung up on."""
        with self._guard:
            old = [one for one, since in self._open.items() if time.monotonic() - since > CONNECTION_SECONDS]
        for connection in old:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it is gone already

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is nobody's business; a defect of ours is still told, without an address."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            traceback.print_exc()


class WitnessHandler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "volens-witness", ""
    timeout = SILENCE_SECONDS
    server: WitnessServer

    def do_POST(self) -> None:
        """The protocol's one call."""
        if not self._allowed():
            return
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            self._end(Answer(411, PLAIN, "the length of the body must be given\n"))
            return
        if len(length) > 9 or int(length) > BODY_BYTES_MAX:
            self._end(Answer(413, PLAIN, f"the body is longer than {BODY_BYTES_MAX} bytes\n"))
            return
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True  # it ended early: nobody is there to be answered
            return
        if urlsplit(self.path).path != "/add-checkpoint":
            self._send(Answer(404, PLAIN, "there is nothing here; the protocol's call is /add-checkpoint\n"))
            return
        try:
            self._send(self.server.witness.add_checkpoint(body))
        except VolensError as broken:  # its own files: it signs nothing, and whoever runs it is told
            print(f"✗ {broken}", file=sys.stderr, flush=True)  # noqa: T201
            self._end(Answer(500, PLAIN, "this witness cannot read what it wrote, and signs nothing\n"))

    def do_GET(self) -> None:
        """What it signed, for people and for programs."""
        if self._allowed():
            self._send(self._found(urlsplit(self.path).path))

    do_HEAD = do_GET

    def _found(self, path: str) -> Answer:
        witness = self.server.witness
        if path in ("/", "/en", "/fr"):
            language = path[1:] or witness_page.preferred(self.headers.get("Accept-Language", ""))
            return Answer(200, HTML, witness_page.render(witness, language))
        if path == "/key":
            return Answer(200, PLAIN, f"{witness.key}\n")
        if path == "/status.json":
            return Answer(200, JSON_TYPE, json.dumps(witness_page.status(witness), ensure_ascii=False) + "\n")
        if path.startswith("/checkpoint/"):
            try:
                log = witness.log(unquote(path.removeprefix("/checkpoint/"), errors="strict"))
            except UnicodeError:
                log = None
            if log is not None and log.note:
                return Answer(200, PLAIN, log.note)
        if path.startswith("/evidence/") and path.endswith(".json"):
            wanted = path.removeprefix("/evidence/").removesuffix(".json")
            for one in witness.evidence():
                if one["id"] == wanted:
                    return Answer(200, JSON_TYPE, json.dumps(one, ensure_ascii=False, indent=1) + "\n")
        return Answer(404, PLAIN, "there is nothing here\n")

    def _allowed(self) -> bool:
        if self.server.allowance.take(str(self.client_address[0]), time.monotonic()):
            return True
        self._end(Answer(429, PLAIN, "too many requests; ask again in a minute\n"))
        return False

    def _end(self, answer: Answer) -> None:
        """Answers and hangs up: what follows on this connection is not believed to be a request."""
        self.close_connection = True
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        content = answer.body.encode("utf-8")
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        if answer.media_type == HTML:
            self.send_header("Content-Security-Policy", witness_page.POLICY)
            self.send_header("Referrer-Policy", "no-referrer")
        if answer.status == 429:
            self.send_header("Retry-After", "60")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is written down about who asks."""
