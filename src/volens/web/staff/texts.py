"""Texts, for marketing and data protection: where they stand, how they look at 390 px, and the steps that two people take."""

from __future__ import annotations

from dataclasses import dataclass

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template
from markupsafe import Markup

from volens.errors import BadInput, NotFound, NotNow
from volens.programme.model import Programme, Text
from volens.programme.reading import LANGUAGES, measure
from volens.publishing import symmetry
from volens.publishing.station import Shown
from volens.publishing.workflow import APPROVED, DECLINED, DPO, MARKETING, PUBLISHED, ROLES, TRANSITIONS, Person, check_move
from volens.web.component import component
from volens.web.given import AnyRequest, Form, TheHouse, Who
from volens.web.headers import FRAMED, FRAMING
from volens.web.page import markdown, page
from volens.web.staff.acting import acting, staff_page
from volens.web.staff.differences import differences
from volens.web.visitor import Staff, Visitor, of_staff

HOME = "/staff/texts"
GUARDS = [of_staff(MARKETING, DPO)]
LOOKING = [of_staff(MARKETING, DPO, "auditor", "data")]


@dataclass(frozen=True)
class Sample:
    """One language of a text: what is wrong with it, how easily it reads, and every word of it."""

    language: str
    faults: list[str]
    ease: float | None
    """Of the whole text."""
    whole: Markup
    """The whole text, with its differences from the one in force marked."""


def closed(shown: Shown, visitor: Visitor) -> dict[str, str]:
    """For each step that can follow why it is closed to this person (an id in the words), empty where it is open.

    The rule that is shown is the one that holds: `check_move`.
    """
    reasons = {}
    for step in sorted(TRANSITIONS[shown.stands.state]):
        people = [Person(visitor.name, role) for role in ROLES if role in visitor.roles] if isinstance(visitor, Staff) else []
        wrong = [reason for person in people if (reason := _closed(shown, step, person))]
        reasons[step] = "" if len(wrong) < len(people) else wrong[0] if wrong else "looking"
    return reasons


def _closed(shown: Shown, step: str, person: Person) -> str:
    try:
        check_move(shown.stands, step, person)
    except NotNow:
        return "same-person" if shown.stands.by is not None and person.is_same(shown.stands.by.name) else "same-role"
    return ""


@get(HOME, guards=LOOKING, sync_to_thread=True)
def all_texts(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """Every text in the folder, by purpose."""
    found: Template = staff_page(
        request, visitor, "texts.html", texts=house.publishing.texts(), trials=house.publishing.trials(), programme=house.programme
    )
    return found


@get(HOME + "/{purpose:str}/{version:int}", guards=LOOKING, sync_to_thread=True)
def one_text(request: AnyRequest, house: TheHouse, visitor: Who, purpose: FromPath[str], version: FromPath[int]) -> Template:
    """One text at 390 px in each language, with what may be done with it."""
    shown = _find(house, purpose, version)
    folder = house.publishing.folder()
    before = _in_force(house, shown)
    samples = [
        Sample(
            language,
            symmetry.faults(component(folder, shown.text, language), language),
            measure(shown.text.bodies[language], language).ease if language in LANGUAGES else None,
            differences(before.bodies[language], shown.text.bodies[language])
            if before is not None and language in before.bodies
            else markdown(shown.text.bodies[language]),
        )
        for language in _languages(folder, shown)
    ]
    answer: Template = staff_page(
        request, visitor, "text.html", shown=shown, samples=samples, closed=closed(shown, visitor),
        purpose=folder.purpose(purpose), before=before,
        trials=[one for one in house.publishing.trials() if one.trial.purpose == purpose],
    )  # fmt: skip
    answer.headers.update(FRAMING)
    return answer


@get(HOME + "/{purpose:str}/{version:int}/{language:str}", guards=LOOKING, sync_to_thread=True)
def framed(
    request: AnyRequest, house: TheHouse, purpose: FromPath[str], version: FromPath[int], language: FromPath[str]
) -> Template:
    """The very component that customers get, alone, for the frame of the preview."""
    shown = _find(house, purpose, version)
    folder = house.publishing.folder()
    answer = page(request, "staff/framed.html", component=component(folder, shown.text, language), language=language)
    answer.headers.update(FRAMED)
    return answer


@post(HOME + "/{purpose:str}/{version:int}/step", guards=GUARDS, sync_to_thread=True)
def step(
    house: TheHouse, visitor: Who, data: Form, purpose: FromPath[str], version: FromPath[int]
) -> Redirect:
    """One step of one person: approve, publish, decline, or start a comparison."""
    text, person, what = f"{purpose}/{version}", acting(visitor, data.get("role", "")), data.get("step", "")
    if what == APPROVED:
        house.publishing.approve([text], person)
    elif what == PUBLISHED:
        house.publishing.publish([text], person)
    elif what == DECLINED:
        house.publishing.decline([text], person, data.get("why", ""))
    elif what == "trial":
        folder = house.publishing.folder()
        house.publishing.start_trial(
            text, person, people=_number(data.get("people")), days=_number(data.get("days")),
            component=lambda one, language: component(folder, one, language),
        )  # fmt: skip
    else:
        raise BadInput("The form says no step.", "Go back, and choose one.")
    house.checkpoint()
    return Redirect(f"{HOME}/{text}?fait={what}", status_code=303)


@post(HOME + "/comparisons/{trial:str}", guards=GUARDS, sync_to_thread=True)
def end(house: TheHouse, visitor: Who, data: Form, trial: FromPath[str]) -> Redirect:
    """Ends a comparison: by its result when it is over, or without one and with a reason."""
    person = acting(visitor, data.get("role", ""))
    if data.get("step") == "conclude":
        house.publishing.conclude_trial(trial, person)
    else:
        house.publishing.stop_trial(trial, person, data.get("why", ""))
    house.checkpoint()
    return Redirect(f"{HOME}?fait=ended", status_code=303)


def _find(house: TheHouse, purpose: str, version: int) -> Shown:
    text = f"{purpose}/{version}"
    found = next((one for one in house.publishing.texts() if one.text.id == text), None)
    if found is None:
        raise NotFound(f"There is no text {text}.", "Go back to the list.")
    return found


def _in_force(house: TheHouse, shown: Shown) -> Text | None:
    """The text that people are asked under now, if it is another one."""
    found = [one.text for one in house.publishing.texts() if one.current and one.text.purpose == shown.text.purpose]
    return next((one for one in found if one.id != shown.text.id), None)


def _languages(folder: Programme, shown: Shown) -> list[str]:
    return [language for language in folder.languages if language in shown.text.bodies]


def _number(written: str | None) -> int:
    if not written or not written.isdecimal() or len(written) > 9:
        raise BadInput("That is not a whole number.", "Write how many people, and how many days.")
    return int(written)


ROUTES = (all_texts, one_text, framed, step, end)
