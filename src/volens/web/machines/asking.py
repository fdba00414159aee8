"""For an app: the question that may be put now, and its answer. Scope `asking`.

The app shows `html` as it is, and yes and no of the same size; what the record holds is the digest of that `html`.
"""

from __future__ import annotations

from typing import Any

from litestar import post
from litestar.params import JSONBody

from volens.errors import BadInput
from volens.web.given import TheHouse
from volens.web.machines.body import Body
from volens.web.visitor import with_scope


class Ask(Body):
    """Who is asked, where, and in which visit. One of `card`, `email`, `reference`."""

    moment: str
    visit: str
    card: str = ""
    email: str = ""
    reference: str = ""
    language: str = "fr"
    surface: str = "app"


class Answer(Body):
    """The question's token, and `yes`, `no` or `later`. `store`: the shop in which it was said, at a till."""

    question: str
    answer: str
    store: str = ""


@post("/v1/questions", guards=[with_scope("asking")], exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def questions(house: TheHouse, data: JSONBody[Ask]) -> dict[str, Any]:
    """The one question to put, or null."""
    who = [(kind, value) for kind, value in (("card", data.card), ("email", data.email), ("reference", data.reference)) if value]
    if len(who) != 1:
        raise BadInput("Who is asked?", "Send one of card, email and reference.")
    customer = house.customer(*who[0]).customer
    found = house.asking.next_question(customer, data.visit, data.moment, language=data.language, surface=data.surface)
    return {"question": vars(found) if found is not None else None}


@post("/v1/answers", guards=[with_scope("asking")], exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def answers(house: TheHouse, data: JSONBody[Answer]) -> dict[str, Any]:
    """What was recorded. The same answer again gives the same."""
    return vars(house.asking.answer(data.question, data.answer, shop=data.store))


ROUTES = (questions, answers)
