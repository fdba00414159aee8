"""Forms are sent from our own pages: whoever's browser says that a form comes from elsewhere is turned away.

Beside the token that every form carries (OWASP, Cross-Site Request Forgery Prevention: Fetch Metadata and Origin as defence in
depth): the token is of a browser, not of a session, so that somebody else's token put into a browser would pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.exceptions import PermissionDeniedException
from litestar.middleware import ASGIMiddleware

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Scope, Send

READING = frozenset({"GET", "HEAD", "OPTIONS"})


class FromOurOwnPages(ASGIMiddleware):
    """For all addresses but those of machines and those that need no token."""

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = "exclude_from_csrf"

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] not in READING and from_elsewhere(Headers.from_scope(scope)):
            raise PermissionDeniedException("This form was sent from a page that is not ours.")
        await next_app(scope, receive, send)


def from_elsewhere(headers: Headers) -> bool:
    """Whether a browser says so. One that says nothing, or that keeps the origin to itself, has its token alone."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin not in (None, "null") and urlsplit(origin).netloc != headers.get("host")
