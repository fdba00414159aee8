"""`POST /oauth/token`: a key for a token of ten minutes (OAuth 2.0 client credentials, RFC 6749)."""

from __future__ import annotations

import base64
from typing import Any

from litestar import Response, post

from volens.errors import NotSignedIn
from volens.web.given import AnyRequest, Form, TheHouse
from volens.web.limits import sign_in_limit
from volens.web.recognising import address

NO_STORE = {"cache-control": "no-store"}


@post("/oauth/token", exclude_from_csrf=True, sync_to_thread=True, status_code=200, middleware=[sign_in_limit])
def token(request: AnyRequest, house: TheHouse, data: Form) -> Response[dict[str, Any]]:
    """Client and key in the form, or in an `Authorization: Basic` header."""
    if data.get("grant_type") != "client_credentials":
        return _refused("unsupported_grant_type", "Send grant_type=client_credentials.", 400)
    client, secret = _basic(request.headers.get("authorization", "")) or (data.get("client_id", ""), data.get("client_secret", ""))
    try:
        given = house.access.tokens.issue(client, secret, data.get("scope", ""), address(request))
    except NotSignedIn as error:
        return _refused(error.reason, f"{error.what} {error.remedy}", 401 if error.reason == "invalid_client" else 400)
    said = {"access_token": given.token, "token_type": "Bearer", "expires_in": given.seconds, "scope": " ".join(given.scopes)}
    return Response(said, headers=NO_STORE)


ROUTES = (token,)


def _refused(code: str, what: str, status: int) -> Response[dict[str, Any]]:
    headers = {**NO_STORE, **({"www-authenticate": "Basic"} if status == 401 else {})}
    return Response({"error": code, "error_description": what}, status_code=status, headers=headers)


def _basic(header: str) -> tuple[str, str] | None:
    """Client and secret of a Basic header; none if there is no readable one."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client, found, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (client, secret) if found else None
