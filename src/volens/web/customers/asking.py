"""Questions and the sign-up form, as pages and as parts of other pages.

1. With `?part=1` only the part itself is answered, without head or frame: the web component (`static/volens-question.js`) and
   servers that put pages together take it. Both ways the same form is sent, and the same choice is recorded.
2. Without JavaScript everything is a page and a plain form.
3. Whoever is not signed in is asked nothing: the answer is empty, and not a way to the sign-in.
4. A card's number is shown in the answer to the form, never in an address.
"""

from __future__ import annotations

import secrets
from typing import Any

from litestar import get, post
from litestar.response import Response, Template
from markupsafe import Markup

from volens.access.signing_in import here
from volens.asking.joining import LONGEST, Application, Unfinished
from volens.asking.questions import Question
from volens.errors import BadInput, NotNow
from volens.web.given import AnyRequest, Form, Me, TheHouse, Who
from volens.web.page import language_of, page
from volens.web.visitor import Customer

QUESTION, JOIN = "/question", "/adhesion"
VISIT_COOKIE = "visite"


def _shown(request: AnyRequest, name: str, status: int = 200, **values: Any) -> Template:
    """A part, or the page around it."""
    part = request.query_params.get("part") == "1"
    return page(request, f"asking/{'parts/' if part else ''}{name}.html", status, part=part, **values)


@get(QUESTION, sync_to_thread=True)
def question(request: AnyRequest, house: TheHouse, visitor: Who) -> Template | Response[None]:
    """The one question that may be put to this visitor at a moment; an empty answer if there is none."""
    found: Question | None = None
    visit = request.cookies.get(VISIT_COOKIE) or secrets.token_urlsafe(18)
    if isinstance(visitor, Customer):
        surface = "web component" if request.query_params.get("part") == "1" else "question"
        moment = request.query_params.get("moment", "")
        found = house.asking.next_question(visitor.number, visit, moment, language=language_of(request), surface=surface)
    if found is None:
        if request.query_params.get("part") == "1" or not isinstance(visitor, Customer):
            return Response(None, status_code=204)
        return _shown(request, "nothing")
    answer = _shown(request, "question", question=found, fragment=Markup(found.html))  # made of escaped words
    local = request.app.state.local
    answer.set_cookie(VISIT_COOKIE, visit, path=QUESTION, httponly=True, samesite="lax", secure=not local)
    return answer


@post(QUESTION, sync_to_thread=True, status_code=200)
def answer(request: AnyRequest, house: TheHouse, me: Me, data: Form) -> Template:
    """The answer. In force when this page is there."""
    done = house.asking.answer(data.get("question", ""), data.get("say", ""), customer=me.number)
    return _shown(request, "answered", yes=done.permitted)


@get(JOIN, sync_to_thread=True)
def join_form(request: AnyRequest, house: TheHouse) -> Template:
    """The sign-up form, with nothing filled in and nothing ticked."""
    return _form(request, house, {"token": secrets.token_urlsafe(24), "suite": request.query_params.get("suite", "")})


@post(JOIN, sync_to_thread=True, status_code=200)
def join(request: AnyRequest, house: TheHouse, data: Form) -> Template:
    """Makes the card and shows its number; or the form again, with what was filled in and what is missing."""
    form = Application(
        token=data.get("token", ""),
        details={name: data.get(name, "") for name in LONGEST},
        answers={purpose: value for purpose, value in _told(data, "say.").items() if value in ("yes", "no")},
        rendered=_told(data, "shown."),
        language=language_of(request),
        surface="sign-up form" if request.query_params.get("part") == "1" else "sign-up",
        minor=data.get("minor") == "yes",
    )
    try:
        joined = house.asking.joinings.join(form)
    except Unfinished as unfinished:
        return _form(request, house, data, wrong=unfinished.fields, status=400)
    except NotNow:
        return _form(request, house, data, changed=True, status=409)
    if not joined.said:
        raise BadInput("Nothing was recorded.", "Load the page again.")
    plain = {one.id: one.plain[language_of(request)] for one in house.programme.purposes.values()}
    said = [(plain[purpose], kind) for purpose, kind in joined.said if kind != "joined"]
    young = [plain[purpose] for purpose in joined.too_young]
    return _shown(request, "joined", card=joined.card, said=said, too_young=young, after=_after(data))


def _after(data: dict[str, str]) -> str:
    """The page of this house to which she goes on with her card, or nothing."""
    return here(data["suite"]) if data.get("suite") else ""


def _told(data: dict[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): value for name, value in data.items() if name.startswith(prefix)}


def _form(
    request: AnyRequest, house: TheHouse, data: dict[str, str], *, wrong: dict[str, str] | None = None, changed: bool = False,
    status: int = 200,
) -> Template:  # fmt: skip
    language, joinings = language_of(request), house.asking.joinings
    contract = [(one, Markup(one.html)) for one in joinings.contract(language)]  # made of escaped words
    asked = [(one, Markup(one.html)) for one in joinings.optional(language)]
    born = joinings.asks_everybody_for_age or "birth_date" in (wrong or {}) or bool(data.get("birth_date"))
    return _shown(
        request, "join", status, contract=contract, asked=asked, data=data, wrong=wrong or {}, changed=changed, ask_birth_date=born,
        after=_after(data),
    )  # fmt: skip


ROUTES = (question, answer, join_form, join)
