"""Who calls, told from what a request carries: a key or token in its header, else the number of a session in its cookie.

A request with a header is a machine's or nobody's: a cookie beside it is not looked at, so that addresses for machines need no
token of a form.
"""

from __future__ import annotations

from litestar.connection import ASGIConnection

from volens.access.sessions import Session
from volens.app import House
from volens.web.visitor import Customer, Machine, Nobody, Recognise, Staff, Visitor


def cookie_name(name: str, local: bool) -> str:
    """With its prefix a browser takes the cookie from this very host alone, over TLS alone (RFC 6265bis)."""
    return f"volens-{name}" if local else f"__Host-volens-{name}"


def recogniser(house: House, local: bool) -> Recognise:
    """Tells who calls a house."""
    session_cookie = cookie_name("session", local)

    def recognise(connection: ASGIConnection) -> Visitor:  # type: ignore[type-arg]
        shown = connection.headers.get("authorization")
        if shown is not None:
            scheme, _, secret = shown.partition(" ")
            machine = house.access.bearer(secret.strip(), address(connection)) if scheme.lower() == "bearer" else None
            return Machine(machine.name, machine.scopes, machine.recipient) if machine is not None else Nobody()
        number = connection.cookies.get(session_cookie)
        session = house.access.sessions.recognise(number) if number else None
        return _of(session)

    return recognise


def _of(session: Session | None) -> Visitor:
    if session is None:
        return Nobody()
    if session.member is not None:
        return Staff(str(session.member.number), session.member.name, session.member.roles)
    return Customer(session.customer) if session.customer is not None else Nobody()


def address(connection: ASGIConnection) -> str | None:  # type: ignore[type-arg]
    """Where a request comes from, as the server tells (behind a proxy: what the proxy says, if it is trusted)."""
    return connection.client.host if connection.client is not None else None
