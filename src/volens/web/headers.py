"""What every answer says to the browser: nothing from elsewhere, nothing inside the page, nothing kept.

Content Security Policy Level 3; the rest as the OWASP Secure Headers Project advises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar.datastructures import MutableScopeHeaders

if TYPE_CHECKING:
    from litestar.types import Message, Scope

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; manifest-src 'self'; frame-ancestors {inside}"
)
FOR_OTHERS = "/static/volens-"
"""Scripts that the retailer's own pages load."""
FRAMING = {"content-security-policy": POLICY.format(inside="'none'") + "; frame-src 'self'"}
"""A page of staff that shows a page of this server in a frame."""
FRAMED = {"content-security-policy": POLICY.format(inside="'self'")}
"""A page that may stand in such a frame. It holds nothing of anybody."""
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), browsing-topics=(), interest-cohort=()",
    "cache-control": "no-store",
}


async def before_send(message: Message, scope: Scope) -> None:
    """Adds what the answer does not say itself."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    headers.setdefault("content-security-policy", POLICY.format(inside=inside(scope["litestar_app"].state.house.settings.embed_in)))
    if scope["path"].startswith(FOR_OTHERS):
        headers.setdefault("cross-origin-resource-policy", "cross-origin")
    for name, value in HEADERS.items():
        headers.setdefault(name, value)


def inside(origins: tuple[str, ...]) -> str:
    """Who may show our pages inside theirs, as the policy says it."""
    return " ".join(origins) or "'none'"
