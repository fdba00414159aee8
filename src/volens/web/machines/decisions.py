"""Decisions over HTTP, in the shape of the OpenID AuthZEN Authorization API 1.0.

Rules:
1. This is the shortest way through the server: no thread, no template, no model between body and gate. A request waits for its
   answer without holding a thread; those that are read in the same turn of the event loop are put to the gate together, since
   waking another thread costs more than an answer.
2. 400 for what is not of the standard's shape, 401 without a key, 403 for a key without the scope. Everything else is a decision.
3. A caller's `X-Request-ID` is given back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Litestar, Response, get
from litestar.connection import ASGIConnection
from litestar.datastructures import State

from volens.errors import BadInput, Unavailable
from volens.followers.deciding import Deciding
from volens.followers.questions import Caller
from volens.gate.resident import ANSWER_SECONDS, Asked, Decision, silent
from volens.web.page import AnyRequest
from volens.web.visitor import Machine

if TYPE_CHECKING:
    from litestar.types import HTTPScope, Receive, Send

SCOPE = "decisions"
BODY_BYTES = 1_000_000
REQUEST_ID_CHARACTERS = 200
ONE, MANY = "/access/v1/evaluation", "/access/v1/evaluations"
ENCODE, DECODE = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode
SHUT = {"exclude_from_csrf": True}


class Turned(Exception):
    """A request that gets no decision: an HTTP status, and what is said."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status, self.said = status, said


class Answering(Litestar):
    """The server, which lets requests for decisions pass before it looks at pages: routes, sessions, languages, forms.

    A decision costs half of what it would cost as one of the framework's handlers.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.rounds = Rounds()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] in (ONE, MANY):
            scope["app"] = scope["litestar_app"] = self  # as the framework does, for whoever tells who calls
            scope.setdefault("state", {})
            await respond(self, scope, receive, send, many=scope["path"] == MANY)
            return
        if scope["type"] == "http" and scope["method"] == "HEAD":
            # Answered as a GET whose body stays here (RFC 9110): mail programs look at a link so.
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        await super().__call__(scope, receive, send)


def _without_body(send: Send) -> Send:
    async def headers_alone(message: Any) -> None:
        if message["type"] == "http.response.body":
            message = {"type": "http.response.body", "body": b"", "more_body": message.get("more_body", False)}
        await send(message)

    return headers_alone


@get("/.well-known/authzen-configuration", opt=SHUT, sync_to_thread=False)
def configuration(request: AnyRequest) -> Response[dict[str, str]]:
    """Where what can be asked (AuthZEN 1.0, Policy Decision Point Metadata)."""
    base = f"{request.base_url.scheme}://{request.base_url.netloc}"
    found = {
        "policy_decision_point": base,
        "access_evaluation_endpoint": f"{base}{ONE}",
        "access_evaluations_endpoint": f"{base}{MANY}",
    }
    return Response(found, headers={"cache-control": "public, max-age=3600"})


ROUTES = (configuration,)


async def respond(app: Answering, scope: HTTPScope, receive: Receive, send: Send, *, many: bool) -> None:
    """One request for decisions, from its first byte to its last."""
    headers = [
        (b"content-type", b"application/json"), (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")
    ]  # fmt: skip
    wanted: dict[bytes, bytes] = dict(scope["headers"])
    named = wanted.get(b"x-request-id", b"")[:REQUEST_ID_CHARACTERS]
    if named:
        headers.append((b"x-request-id", named))
    try:
        body, status = ENCODE(await _decide(app, scope, receive, wanted, many=many)), 200
    except Turned as turned:
        body, status = ENCODE(turned.said), turned.status
        if status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _decide(
    app: Answering, scope: HTTPScope, receive: Receive, headers: dict[bytes, bytes], *, many: bool
) -> dict[str, Any]:
    if scope["method"] != "POST":
        raise Turned(405, "Send a POST request.")
    caller = _caller(app.state, scope)
    if not headers.get(b"content-type", b"").startswith(b"application/json"):
        raise Turned(400, "Send application/json.")
    try:
        decisions: Deciding = app.state["house"].followers.decisions
        questions = decisions.read(caller, DECODE(await _body(receive)), many=many)
    except (msgspec.DecodeError, RecursionError):
        raise Turned(400, "The body is not JSON, or nested too deeply.") from None
    except BadInput as error:
        raise Turned(400, str(error)) from None
    return decisions.answer(caller, questions, await app.rounds.answers(decisions, questions.asked) if questions.asked else ())


def _caller(state: State, scope: HTTPScope) -> Caller:
    try:
        visitor = state["recognise"](ASGIConnection(scope))
    except Unavailable:
        raise Turned(503, "The records do not answer, so nobody can be let in. Take it as no, and ask again.") from None
    if not isinstance(visitor, Machine):
        raise Turned(401, "Send a key: Authorization: Bearer …")
    if SCOPE not in visitor.scopes:
        raise Turned(403, f"This key lacks the scope {SCOPE!r}.")
    return Caller(visitor.name, visitor.recipient)


async def _body(receive: Receive) -> bytes:
    parts, size = list[bytes](), 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Turned(400, "The request ended early.")
        parts.append(message["body"])
        size += len(message["body"])
        if size > BODY_BYTES:
            raise Turned(413, f"A body has at most {BODY_BYTES:,} bytes. Ask in several requests.")
        if not message["more_body"]:
            return b"".join(parts)


class Rounds:
    """Puts questions of requests that were read in one turn of the event loop to the gate together."""

    def __init__(self) -> None:
        self._open: _Round | None = None

    async def answers(self, decisions: Deciding, asked: Sequence[Asked]) -> Sequence[Decision]:
        """What the gate answers; no to everything if it does not in time."""
        loop = asyncio.get_running_loop()
        mine = self._open
        if mine is None or mine.decisions is not decisions or mine.loop is not loop:
            mine = self._open = _Round(decisions, loop)
            loop.call_soon(self._put, mine)
        return await mine.add(asked)

    def _put(self, one: _Round) -> None:
        if self._open is one:
            self._open = None
        one.put()


class _Round:
    def __init__(self, decisions: Deciding, loop: asyncio.AbstractEventLoop) -> None:
        self.decisions, self.loop = decisions, loop
        self._asked: list[Asked] = []
        self._waiting: list[tuple[slice, asyncio.Future[Sequence[Decision]]]] = []

    def add(self, asked: Sequence[Asked]) -> asyncio.Future[Sequence[Decision]]:
        future: asyncio.Future[Sequence[Decision]] = self.loop.create_future()
        self._waiting.append((slice(len(self._asked), len(self._asked) + len(asked)), future))
        self._asked += asked
        return future

    def put(self) -> None:
        self._late = self.loop.call_later(ANSWER_SECONDS, self._settle, None)
        self._withdraw = self.decisions.ask(self._asked, self._told)

    def _told(self, given: Sequence[Decision]) -> None:
        # In the gate's own thread; a server that has ended meanwhile waits for nothing.
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._settle, given)

    def _settle(self, given: Sequence[Decision] | None) -> None:
        self._late.cancel()
        if given is None:
            self._withdraw()
            given = [silent()] * len(self._asked)
        for place, future in self._waiting:
            if not future.done():
                future.set_result(given[place])
        self._waiting = []
