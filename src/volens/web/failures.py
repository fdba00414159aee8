"""What people and machines see when something does not work: what happened, what to do, and that nothing was lost.

Rules:
1. `VolensError`s are said as they are; they never hold a customer's data. Of a defect, its place is logged, not its words.
2. Whoever asks for JSON gets `application/problem+json` (RFC 9457); whoever reads pages gets a page.
3. When the records do not answer, the answer is no, and the page says so.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from litestar import Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Redirect, Template

from volens.errors import (
    BadInput,
    BudgetExhausted,
    NotFound,
    NotNow,
    NotSignedIn,
    Refused,
    Tampered,
    TooOften,
    Unavailable,
    VolensError,
)
from volens.programme.findings import Finding, ProgrammeHasErrors
from volens.web.page import AnyRequest, page
from volens.web.visitor import RoleNeeded, SignInNeeded

log = logging.getLogger("volens.web")

STATUS: dict[type[VolensError], int] = {
    SignInNeeded: 401, NotSignedIn: 401,
    BadInput: 400, Refused: 403, NotFound: 404, NotNow: 409, BudgetExhausted: 409, Unavailable: 503,
    Tampered: 500, TooOften: 429,
}  # fmt: skip
SIGN_IN, STAFF = "/entrer", "/staff"
DO = {
    400: "Send the JSON that the documentation shows.", 401: "Send a key: Authorization: Bearer …",
    403: "This key does not open this: see volens machine list.", 404: "Compare the address with the documentation.",
    405: "Compare the method with the documentation.", 413: "Send less at once.", 500: "It is noted. Try again later.",
}  # fmt: skip
"""What machines are told to do where nothing more exact is known."""
STAFF_CODES = (400, 403, 404, 405, 409, 413, 429, 500, 503)
ForMachines = ("/v1/", "/access/", "/oauth/", "/.well-known/")
Answer = Response[Any] | Template | Redirect


def known(request: AnyRequest, error: VolensError) -> Answer:
    """One of ours."""
    if isinstance(error, SignInNeeded) and not machine(request):
        where = request.url.path if request.method == "GET" else "/autorisations"
        door = f"/staff{SIGN_IN}" if where.startswith("/staff") else SIGN_IN
        return Redirect(f"{door}?suite={quote(where)}", status_code=303)
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    findings = error.findings if isinstance(error, ProgrammeHasErrors) else ()
    answer = said(request, status, error.what, error.remedy, findings=findings)
    if isinstance(error, TooOften):
        answer.headers["retry-after"] = str(error.wait_seconds)
    return answer


def of_http(request: AnyRequest, error: HTTPException) -> Answer:
    """One of the framework's: no such address, a form that is too old, too many requests."""
    roles = error.roles if isinstance(error, RoleNeeded) else ()
    answer = said(request, error.status_code, error.detail if machine(request) else "", _which(error), roles=roles)
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if "ratelimit-reset" in headers:
        headers["retry-after"] = headers["ratelimit-reset"]
    for name, value in headers.items():
        answer.headers[name] = value
    return answer


def _which(error: HTTPException) -> str:
    """Which field of a body or address does not fit, as the framework tells it. It names fields and types, never a value."""
    told = error.extra if isinstance(error, ValidationException) else None
    listed = told if isinstance(told, list) else []
    return " ".join(f"{one.get('key', 'body')}: {one['message']}." for one in listed if isinstance(one, dict) and "message" in one)


def too_deep(request: AnyRequest, _: Exception) -> Answer:
    """A body with brackets in brackets without end."""
    return said(request, 400, "The body is nested too deeply.", "Send what the documentation shows.")


def defect(request: AnyRequest, error: Exception) -> Answer:
    """Ours by mistake. What the exception says may hold data, so only its kind and place are kept."""
    trace, place = error.__traceback__, "?"
    while trace is not None:
        place, trace = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}", trace.tb_next
    log.error("defect: %s at %s", type(error).__name__, place)
    return said(request, 500, "", "")


def machine(request: AnyRequest) -> bool:
    """Whether a program asks."""
    return request.url.path.startswith(ForMachines) or request.headers.get("accept", "").startswith("application/json")


def said(
    request: AnyRequest, status: int, what: str, remedy: str, *, roles: Sequence[str] = (), findings: Sequence[Finding] = ()
) -> Answer:
    """The answer in the form that was asked for. Staff are told in their own words, and led back to their own pages."""
    if machine(request):
        detail = remedy or DO.get(status, "")
        body = {"type": "about:blank", "status": status, "title": what or "Something went wrong.", "detail": detail}
        return Response(body, status_code=status, media_type="application/problem+json")
    if request.url.path.startswith(STAFF):
        code = str(status if status in STAFF_CODES else 500)
        return page(
            request, "staff/failure.html", status, code=code, needed=roles, findings=findings, what=what, remedy=remedy
        )
    known_codes = (400, 401, 403, 404, 405, 409, 410, 413, 429, 500, 503)
    return page(request, "failure.html", status, code=str(status if status in known_codes else 500))
