"""The permission centre: first screen, groups, one use. Every change is one POST, answered by the page as it stands then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from litestar import get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from volens.app import House
from volens.asking.shown import shown_as
from volens.audiences.removals import OnList
from volens.centre.standing import Use, group_of
from volens.centre.station import PAUSED, REFUSED, SIGNAL, Closed, NothingToChoose, TextChanged
from volens.centre.went import Change
from volens.doorways.refusing import RECEIPT_LINK, SINGLE_USE_LINK
from volens.errors import BadInput, NotFound
from volens.permissions.ages import BROWSER, PARENT, PROXY
from volens.permissions.state import ALL, SILENT
from volens.programme.model import Basis, Entity
from volens.publishing.comprehension import Question
from volens.web.customers import understood
from volens.web.customers.passed import passed_on
from volens.web.given import AnyRequest, Form, Me, TheHouse
from volens.web.page import SLUGS, language_of, page, words_of
from volens.web.told import token
from volens.web.visitor import Customer

HOME = "/autorisations"
PAGE_LINES = 20
TOLD_FIRST = timedelta(days=30)
"""How long the first screen tells what somebody else refused; the page of others' words tells it for good."""


SURFACES = {
    REFUSED: "centre", PAUSED: "pause", SIGNAL: "signal", "website": "site", "app": "app", "form at the till": "till",
    RECEIPT_LINK: "receipt", SINGLE_USE_LINK: "link", "paper": "paper", "question": "question", "web component": "question",
    "sign-up": "joining", "sign-up form": "joining", "advertisement": "ad", "command line": "shop", "desk": "desk",
}  # fmt: skip
"""Surfaces that have plain words; others are shown as they were recorded."""

INVITATION = "/mon-invitation"
"""Only for who accepted an invitation, or has a link."""
DEEPER = (
    (HOME + "/parcours", "centre.went.title"),
    (HOME + "/changements", "centre.change.title"),
    (HOME + "/appareils", "devices.name"),
    (HOME + "/recus", "receipts.title"),
    (HOME + "/mes-choix", "receipts.mine.title"),
    (HOME + "/dit-par-d-autres", "centre.deeper.others"),
    ("/offres", "offers.title"),
    ("/cagnotte", "wallet.title"),
    (INVITATION, "referring.mine.title"),
    (HOME + "/mon-annee", "centre.deeper.year"),
    ("/mes-images", "licences.title"),
    ("/verifier", "centre.deeper.verify"),
    ("/entrer", "signing.leave"),
)
"""What is one tap deeper, in this order."""
ACTORS = {PARENT: "parent", PROXY: "proxy", BROWSER: "browser"}
"""Who said it, where it was not the person."""


def back(house: House, me: Customer, where: str, told: str, question: Question | None = None) -> Redirect:
    """To a page of the centre, which then says what was done (one of the ids in `words: centre.told`), and may ask whether it
    was understood."""
    where = where if where == HOME or where.startswith(HOME + "/") else HOME
    asked = f"&question={question.token}" if question else ""
    return Redirect(f"{where}?fait={token(house, me.number, told)}{asked}", status_code=303)


@get(HOME, sync_to_thread=True)
def first(request: AnyRequest, house: TheHouse, me: Me) -> Template:
    """The first screen: is it sold, to whom, stop it."""
    house.publishing.centre_opened(me.number, surface="website", language=language_of(request))
    picture = house.centre.picture(me.number)
    return page(
        request, "centre/first.html", picture=picture, passed=passed_on(picture.passed, house.programme, words_of(request)),
        others=[one for one in house.doorways.refused_by_links(me.number) if house.clock.now() - one.at < TOLD_FIRST],
    )  # fmt: skip


@get(HOME + "/{group:str}", sync_to_thread=True)
def group(request: AnyRequest, house: TheHouse, me: Me, group: FromPath[str]) -> Template:
    """One of the four groups: each use with its state and its control."""
    found = next((one for one in house.centre.groups(me.number) if SLUGS[one.id] == group), None)
    if found is None:
        raise NotFound("There is no such page.", "Go back to the first page.")
    return page(request, "centre/group.html", group=found, undo=house.centre.picture(me.number).undo)


@get(HOME + "/choisir", sync_to_thread=True)
def choices(request: AnyRequest, house: TheHouse, me: Me) -> Template:
    """Every use on one page, by group."""
    return page(request, "centre/choices.html", groups=house.centre.groups(me.number))


@get(HOME + "/usage/{purpose:str}", sync_to_thread=True)
def use(request: AnyRequest, house: TheHouse, me: Me, purpose: FromPath[str]) -> Template:
    """One use, with everything about it."""
    found = house.centre.use(me.number, purpose)
    history = [one for one in house.centre.history(me.number) if one.purpose == purpose and one.kind not in SILENT]
    spoken = history[-1] if history else None
    surface = SURFACES.get(str(spoken.how.get("surface"))) if spoken is not None else None
    actor = ACTORS.get(str(spoken.how.get("actor"))) if spoken is not None else None
    return page(
        request, "centre/use.html", use=found,
        group=group_of(found.purpose, house.programme) if found.purpose.basis is not Basis.LEGAL_OBLIGATION else None,
        recipients=[house.programme.recipient(one) for one in found.purpose.recipients],
        journeys=[one for one in house.centre.went(me.number) if one.seen.purpose == purpose],
        change=house.centre.would_change(me.number)[purpose], spoken=spoken, surface=surface, actor=actor,
        awaiting=[one for one in house.followers.awaiting(me.number) if purpose in one.purposes],
        lists=_lists(house, me, purpose, language_of(request)),
        reminders=_reminders(house, me, purpose, language_of(request)),
        ads=house.sponsored.seen_by(me.number) if purpose == house.sponsored.purpose else None,
    )  # fmt: skip


def _reminders(house: House, me: Customer, purpose: str, language: str) -> dict[str, list[Any]] | None:
    """What was learned of a customer for reminders, what is not named to her, what was named last."""
    told = house.programme.reminding
    seen = house.reminders.seen_by(me.number) if told is not None and told.purpose == purpose else None
    if seen is None:
        return None

    def name(product: int) -> str:
        return house.reminders.name_of(product, language)[1]

    return {
        "habits": [(name(one.product), one) for one in seen.habits],
        "silent": [(need, name(product)) for need, product in seen.silent],
        "last": [(day, name(product)) for day, product in seen.last],
    }


@post(HOME + "/rappels/encore", sync_to_thread=True)
def remind_again(house: TheHouse, me: Me, data: Form) -> Redirect:
    """What was not to be named may be named again."""
    need = data.get("need", "")
    done = house.reminders.again(me.number, int(need)) if need.isascii() and need.isdigit() and len(need) < 10 else False
    return back(house, me, f"{HOME}/usage/{house.reminders.told.purpose}", "reminder-again" if done else "already")


def _lists(house: House, me: Customer, purpose: str, language: str) -> list[tuple[OnList, str]]:
    """The lists of one purpose that a customer is or was on, each with what it is about."""
    found = [(one, house.audiences.one(one.audience)) for one in house.audiences.of_customer(me.number)]
    return [(one, house.audiences.describe(of, language)) for one, of in found if of.purpose == purpose]


@get(HOME + "/parcours", sync_to_thread=True)
def went(request: AnyRequest, house: TheHouse, me: Me, page_number: FromQuery[int] = 1) -> Template:
    """Where my data went."""
    found = house.centre.went(me.number)
    start = max(0, page_number - 1) * PAGE_LINES
    return page(
        request, "centre/went.html", journeys=found[start : start + PAGE_LINES], number=page_number,
        more=len(found) > start + PAGE_LINES, count=len(found),
        looks=house.access.staff.reads_of(me.number),
    )  # fmt: skip


@get(HOME + "/changements", sync_to_thread=True)
def change(request: AnyRequest, house: TheHouse, me: Me) -> Template:
    """What another answer would have changed over the last 90 days."""
    uses = [use for use in house.centre.uses(me.number) if use.choosable]
    changes = house.centre.would_change(me.number)
    return page(request, "centre/change.html", uses=uses, changes=changes, some=[use for use in uses if _differs(use, changes)])


def _differs(use: Use, changes: Mapping[str, Change]) -> bool:
    """Whether the other answer would have changed anything."""
    change = changes[use.purpose.id]
    return bool(change.with_me if use.yes else change.without_me)


@get(HOME + "/plus", sync_to_thread=True)
def more(request: AnyRequest, house: TheHouse, me: Me) -> Template:
    """What is one tap deeper."""
    return page(
        request, "centre/more.html", picture=house.centre.picture(me.number), controller=first_controller(house),
        links=[one for one in DEEPER if one[0] != INVITATION or house.referring.concerns(me.number)],
        cards=house.centre.accounts(me.number),
        others=house.doorways.refused_by_links(me.number),
    )  # fmt: skip


@get("/", sync_to_thread=True)
def front(request: AnyRequest, house: TheHouse) -> Template:
    """The front door: for customers, for staff, for whoever checks."""
    return page(request, "front.html", controller=first_controller(house), key=house.log_key)


@get("/.well-known/gpc.json", sync_to_thread=False)
def gpc() -> dict[str, object]:
    """That this site heeds Global Privacy Control (W3C)."""
    return {"gpc": True, "lastUpdate": "2026-11-01"}


def first_controller(house: TheHouse) -> Entity:
    """The company whose card it is."""
    programme = house.programme
    return next(programme.controller(one.controller) for one in programme.purposes.values() if one.basis is Basis.CONTRACT)


@post(HOME + "/refuser", sync_to_thread=True)
def refuse(request: AnyRequest, house: TheHouse, me: Me, data: Form) -> Redirect:
    """No to everything, or to everything of one group."""
    language = language_of(request)
    if data.get("group"):
        seqs = house.centre.refuse_group(me.number, data["group"], language=language)
        return back(house, me, f"{HOME}/{SLUGS[data['group']]}", "group-refused" if seqs else "already")
    seqs = house.centre.refuse_everything(me.number, language=language)
    return back(house, me, HOME, "refused" if seqs else "already")


@post(HOME + "/choix", sync_to_thread=True)
def choose(request: AnyRequest, house: TheHouse, me: Me, data: Form) -> Redirect:
    """A yes or a no to one use, for all recipients or for one. A yes comes with the digest of the text that stood beside it."""
    if data.get("say") not in ("yes", "no"):
        raise BadInput("The form says neither yes nor no.", "Go back, and choose one.")
    yes, recipient, language = data["say"] == "yes", data.get("recipient", ALL), language_of(request)
    use = house.centre.use(me.number, data.get("purpose", ""))
    here = f"{HOME}/usage/{use.purpose.id}"
    stood = shown_as(use.text, language, data.get("shown", "")) if yes and use.text is not None else None
    proof = dict(stood.proof) if stood is not None else {}
    if yes and _signal_conflicts(request, house, use):
        proof["against"] = SIGNAL
    try:
        seqs = house.centre.say(
            me.number, use.purpose.id, yes, recipient=recipient, text=stood.text if stood is not None else "", language=language,
            proof=proof,
        )  # fmt: skip
    except TextChanged:
        return back(house, me, here, "text-changed")
    except Closed:
        return back(house, me, here, "closed")
    except NothingToChoose:
        return back(house, me, here, "required" if use.purpose.basis is Basis.LEGAL_OBLIGATION else "needed")
    now = house.centre.use(me.number, use.purpose.id)
    told = _told(house, me, now, yes, proof) if seqs else "already"
    changed = bool(seqs) and (use.permitted, use.answered) != (now.permitted, now.answered)
    question = understood.question_after(house, me.number, now.text.id, yes, language) if changed and now.text else None
    return back(house, me, here if told == "mixed" else data.get("back", HOME), told, question)


def _told(house: House, me: Customer, now: Use, yes: bool, proof: Mapping[str, object]) -> str:
    """What is said of an answer that was recorded."""
    if "against" in proof:
        return "yes-signal"
    if now.refused:
        return "mixed"
    if yes and house.centre.picture(me.number).pause is not None:
        return "yes-paused"
    return "yes" if yes else "no"


def _signal_conflicts(request: AnyRequest, house: House, use: Use) -> bool:
    """Whether the browser says no to what a yes is said to."""
    return request.headers.get("sec-gpc") == "1" and house.centre.signal_is_about(use)


@post(HOME + "/annuler", sync_to_thread=True)
def undo(request: AnyRequest, house: TheHouse, me: Me, data: Form) -> Redirect:
    """Takes back one refusal of the last minutes."""
    seqs = [int(one) for one in data.get("seqs", "").split(",") if one.isdigit()]
    found = house.centre.undo(me.number, seqs, language=language_of(request))
    return back(house, me, HOME, "undone-but" if found.changed else "undone")


@post(HOME + "/pause", sync_to_thread=True)
def pause(request: AnyRequest, house: TheHouse, me: Me, data: Form) -> Redirect:
    """No to everything for a while, or back to what stood before."""
    if data.get("say") == "resume":
        found = house.centre.resume(me.number, language=language_of(request))
        return back(house, me, HOME, "undone-but" if found.changed else "resumed")
    house.centre.pause(me.number, language=language_of(request))
    return back(house, me, HOME, "paused" if house.centre.picture(me.number).pause is not None else "paused-nothing")


ROUTES = (first, group, choices, use, went, change, more, front, gpc, refuse, choose, undo, pause, remind_again)
