"""Was it understood? The answer to the one short question that some people are shown after a choice.

Nobody has to be signed in to answer, and nothing says who did: what comes back is the signed number of the question.
"""

from __future__ import annotations

from litestar import post
from litestar.response import Redirect, Template

from volens.app import House
from volens.errors import BadInput, NotNow, VolensError
from volens.publishing.comprehension import Question
from volens.publishing.counts import SKIPPED
from volens.web.given import AnyRequest, Form, TheHouse
from volens.web.page import page

HOME = "/autorisations"
ACTION = HOME + "/compris"


@post(ACTION, sync_to_thread=True)
def answer(request: AnyRequest, house: TheHouse, data: Form) -> Template | Redirect:
    """Counts one answer and says what is right; passing by leads straight back."""
    where = data.get("back", HOME)
    where = where if where == HOME or where.startswith(HOME + "/") else HOME
    try:
        outcome = house.publishing.comprehension_answer(data.get("number", ""), data.get("answer", SKIPPED))
    except (BadInput, NotNow):
        return Redirect(where, status_code=303)  # whoever answers twice or late is not troubled with it
    if outcome.answer == SKIPPED:
        return Redirect(where, status_code=303)
    return page(request, "understood/thanks.html", outcome=outcome, back=where)


def question_after(house: House, customer: int, text: str, yes: bool, language: str) -> Question | None:
    """The question to show after a choice of the website, or none. The choice is recorded whatever comes of this."""
    try:
        return house.publishing.comprehension_question(text, language, surface="website", customer=customer if yes else None)
    except VolensError:
        return None


ROUTES = (answer,)
