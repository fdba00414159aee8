"""How often anybody may call: per key for machines, per address for all others. Who is over is told when to come again.

The counts are this process's own. They keep a single caller from taking the place of all others; what people may ask for by name
(single-use links) has limits of its own, per person.
"""

from __future__ import annotations

import hashlib

from litestar import Request
from litestar.middleware.rate_limit import RateLimitConfig

PER_MINUTE, SIGN_INS_PER_MINUTE = 6_000, 30


def caller(request: Request) -> str:  # type: ignore[type-arg]
    """Whose requests are counted together."""
    shown = request.headers.get("authorization")
    if shown is not None:
        return "key-" + hashlib.sha256(shown.encode()).hexdigest()[:32]
    return "from-" + (request.client.host if request.client is not None else "nowhere")


everybody = RateLimitConfig(
    rate_limit=("minute", PER_MINUTE), store="limit-everybody", identifier_for_request=caller, exclude=["/static/", "/health"],
).middleware  # fmt: skip
"""Stated in every answer: `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset`."""
sign_in_limit = RateLimitConfig(rate_limit=("minute", SIGN_INS_PER_MINUTE), store="limit-sign-in").middleware
"""Per address, for whatever proves who somebody is."""
