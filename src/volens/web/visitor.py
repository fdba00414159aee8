"""Who calls. A handler that needs a customer takes `me`, which nobody gets who is not signed in: there is no check to forget.

Rules:
1. A visitor is a customer by number, a member of staff by name, a machine by name, or nobody. No name of a customer is known here.
2. `me`, `staff` and `machine` are given by injection; without the right visitor the handler is never called.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from litestar import Request
from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers.base import BaseRouteHandler

from volens.errors import VolensError


class Visitor:
    """Whoever calls: one of the four below."""


@dataclass(frozen=True)
class Nobody(Visitor):
    """Not signed in."""


@dataclass(frozen=True)
class Customer(Visitor):
    """Somebody about whom there are purchases, by number."""

    number: int


@dataclass(frozen=True)
class Staff(Visitor):
    """A named person who works for the house. Roles: marketing, data, dpo, support, auditor."""

    id: str
    name: str
    roles: frozenset[str]


@dataclass(frozen=True)
class Machine(Visitor):
    """Another system, by the name of its key. `recipient` is the legal entity that it acts for; none for the house itself."""

    name: str
    scopes: frozenset[str]
    recipient: str | None = None


Recognise = Callable[[ASGIConnection], Visitor]  # type: ignore[type-arg]
"""Tells who calls. What it cannot tell is nobody."""


Guard = Callable[[ASGIConnection, BaseRouteHandler], Awaitable[None]]  # type: ignore[type-arg]


class SignInNeeded(VolensError):
    """A page of one's own was asked for without being signed in."""

    def __init__(self) -> None:
        super().__init__("This page is yours alone.", "Sign in first.")


class RoleNeeded(PermissionDeniedException):
    """A page of the staff's is for other roles than hers."""

    def __init__(self, roles: Sequence[str]) -> None:
        super().__init__(f"This page is for: {', '.join(roles)}.")
        self.roles = tuple(roles)


def nobody(connection: ASGIConnection) -> Visitor:  # type: ignore[type-arg]
    """Nobody is ever signed in."""
    return Nobody()


async def visitor_of(request: Request) -> Visitor:  # type: ignore[type-arg]
    """Who calls, looked up once a request."""
    return await _look(request)


async def _look(connection: ASGIConnection) -> Visitor:  # type: ignore[type-arg]
    """A browser's session is looked up in a thread: the records may keep it waiting. A machine's key is in memory nearly always."""
    if "visitor" not in connection.state:
        recognise: Recognise = connection.app.state.recognise
        inline = "authorization" in connection.headers or not connection.cookies
        connection.state["visitor"] = recognise(connection) if inline else await sync_to_thread(recognise, connection)
    found: Visitor = connection.state["visitor"]
    return found


async def me(request: Request, visitor: NamedDependency[Visitor]) -> Customer:  # type: ignore[type-arg]
    """The signed-in customer; `SignInNeeded` for anybody else. A browser that sends `Sec-GPC: 1` is heeded here, on every page,
    which says to what it said no."""
    if not isinstance(visitor, Customer):
        raise SignInNeeded
    if request.headers.get("sec-gpc") == "1":
        heed = request.app.state.house.centre.heed_signal
        language = request.app.state.house.programme.languages[0]
        request.state["signalled"] = await sync_to_thread(heed, visitor.number, language=language)
    return visitor


def of_staff(*roles: str) -> Guard:
    """A guard: only members of staff with one of these roles come in."""

    async def guard(connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]
        visitor = await _look(connection)
        if not isinstance(visitor, Staff):
            raise SignInNeeded
        if not visitor.roles & set(roles):
            raise RoleNeeded(roles)

    return guard


def with_scope(scope: str) -> Guard:
    """A guard: only machines whose key has this scope come in."""

    async def guard(connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]
        visitor = await _look(connection)
        if not isinstance(visitor, Machine):
            raise NotAuthorizedException("Send a key: Authorization: Bearer …", headers={"www-authenticate": "Bearer"})
        if scope not in visitor.scopes:
            raise PermissionDeniedException(f"This key lacks the scope {scope!r}.")

    return guard
