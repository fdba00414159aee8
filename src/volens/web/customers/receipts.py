"""A customer's receipts: every choice in plain words, the file that proves it, and the text under which it was made.

Rules:
1. A receipt opens what is sealed under its person's key: it is made for whoever is signed in, of her own choices, and not kept.
2. Whoever hands in an older receipt gets one that proves that today's log continues that of then, or is told that it cannot be
   proven. What is handed in is read in memory, limited by the server's own limit, and forgotten.
3. A text is shown as it was published, in the language in which it was read; it says nothing about anybody, so no sign-in is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Response, Template

from volens.app import House
from volens.errors import BadInput, NotFound, Tampered
from volens.evidence.checkpoint import VerifierKey
from volens.permissions.ages import BROWSER
from volens.permissions.ledger import Spoken
from volens.permissions.state import ALL
from volens.web.customers.centre import ACTORS, SURFACES
from volens.web.given import AnyRequest, Me, TheHouse
from volens.web.page import page, words_of
from volens.web.words import Words

HOME = "/autorisations/recus"
PAGE_LINES = 20
PERSON = "the person"
NOT_GIVEN, NOT_OURS, NOT_PROVEN = "older-none", "older-not-ours", "older-not-proven"
"""Why no proof was made: ids in `words: receipts`."""


@dataclass(frozen=True)
class Handed:
    """What comes with the form: which choice, and the older file."""

    choice: str
    older: UploadFile


@dataclass(frozen=True)
class Line:
    """One choice in words."""

    file: str
    """Where its receipt is."""
    choice: str
    kind: str
    name: str
    day: str
    moment: str
    told: tuple[str, ...]
    """When, where, by whom and for whom, in sentences."""
    version: int | None
    text: str
    """Where its text is."""


@get(HOME, sync_to_thread=True)
def listed(request: AnyRequest, house: TheHouse, me: Me, page_number: FromQuery[int] = 1) -> Template:
    """Every choice, newest first."""
    said = house.permissions.history(me.number)[::-1]
    start = max(0, page_number - 1) * PAGE_LINES
    return _page(
        request, house, said[start : start + PAGE_LINES], count=len(said), number=max(1, page_number),
        more=len(said) > start + PAGE_LINES,
    )  # fmt: skip


@get(HOME + "/{seq:int}", sync_to_thread=True)
def one(
    request: AnyRequest, house: TheHouse, me: Me, seq: FromPath[int], place: FromQuery[int | None] = None
) -> Response[bytes] | Template:
    """The receipt of one choice, as a file. Where one event holds several of this customer: the list of those."""
    if place is None:
        among = [said for said in house.permissions.history(me.number) if said.seq == seq]
        if len(among) > 1:
            return _page(request, house, among, count=len(among), number=1, more=False, several=True)
    return _file(house.receipts.receipt(me.number, seq, place=place), seq, place)


@get(HOME + "/ancien", sync_to_thread=True)
def older(request: AnyRequest, house: TheHouse, me: Me) -> Template:
    """The form that takes an older receipt."""
    return _form(request, house, me.number)


@post(HOME + "/continuer", sync_to_thread=True)
def continued(
    request: AnyRequest, house: TheHouse, me: Me, data: Annotated[Handed, Body(media_type=RequestEncodingType.MULTI_PART)]
) -> Response[bytes] | Template:
    """A receipt that proves that today's log continues the older one; or the form again, with the reason why there is none."""
    with data.older.file as file:
        before = file.read()
    if not before:
        return _form(request, house, me.number, NOT_GIVEN)
    seq, _, place = data.choice.partition("-")
    if not seq.isdigit() or (place and not place.isdigit()):
        raise BadInput("The form names no choice.", "Go back, and choose one.")
    where = int(place) if place else None
    try:
        return _file(house.receipts.receipt(me.number, int(seq), before, where), int(seq), where)
    except Tampered:
        return _form(request, house, me.number, NOT_PROVEN)
    except BadInput:
        return _form(request, house, me.number, NOT_OURS)


@get(HOME + "/texte/{purpose:str}/{version:int}/{language:str}", sync_to_thread=True)
def text(
    request: AnyRequest, house: TheHouse, purpose: FromPath[str], version: FromPath[int], language: FromPath[str]
) -> Template:
    """One version of a text, as it was published in one language."""
    found = house.programme.texts.get(f"{purpose}/{version}")
    if found is None or language not in found.bodies:
        raise NotFound("There is no such text.", "Open it from a receipt.")
    newest = max((one for one in house.programme.texts.values() if one.purpose == purpose), key=lambda one: one.version)
    return page(request, "receipts/text.html", text=found, language=language, newest=newest)


def _page(
    request: AnyRequest, house: House, choices: list[Spoken], *, count: int, number: int, more: bool, several: bool = False
) -> Template:
    words = words_of(request)
    return page(
        request, "receipts/list.html", lines=[_line(said, house, words) for said in choices], count=count, number=number, more=more,
        several=several, fingerprint=VerifierKey.parse(house.log_key).fingerprint,
    )  # fmt: skip


def _line(said: Spoken, house: House, words: Words) -> Line:
    programme, at = house.programme, said.how.get("at")
    purpose, text = programme.purposes.get(said.purpose), programme.texts.get(said.text)
    language = str(said.how.get("language") or words.language)
    moment = words.moment(str(at)) if at and not said.imported else words.day(said.day)
    return Line(
        file=f"{HOME}/{said.seq}" + (f"?place={said.place}" if said.place is not None else ""),
        choice=f"{said.seq}" + (f"-{said.place}" if said.place is not None else ""),
        kind=said.kind,
        name=purpose.plain[words.language] if purpose is not None else said.purpose,
        day=words.day(said.day),
        moment=moment,
        told=tuple(_sentences(said, moment, house, words)),
        version=text.version if text is not None else None,
        text=f"{HOME}/texte/{text.id}/{language if language in text.bodies else words.language}" if text is not None else "",
    )


def _sentences(said: Spoken, moment: str, house: House, words: Words) -> Iterable[str]:
    surface, actor = str(said.how.get("surface") or ""), str(said.how.get("actor") or PERSON)
    if not said.how:
        yield words.say("receipts.by-time", day=words.day(said.day))
    elif surface:
        yield words.say("receipts.said-at", day=moment, where=where_of(surface, words))
    else:
        yield words.say("receipts.said", day=moment)
    if actor not in (PERSON, BROWSER):
        yield words.say("receipts.by", who=_who(actor, words))
    if said.recipient not in ("", ALL):
        yield words.say("receipts.for", who=house.programme.recipient(said.recipient).legal_name)
    if "undoes" in (said.how.get("proof") or {}):
        yield words.say("receipts.undoes")
    if said.imported:
        yield words.say("receipts.imported")


def where_of(surface: str, words: Words) -> str:
    """Where it was said, in plain words; a name that the shop gave is quoted."""
    return words.say(f"centre.surface.{SURFACES[surface]}") if surface in SURFACES else words.say("receipts.where", name=surface)


def _who(actor: str, words: Words) -> str:
    return words.say(f"centre.actor.{ACTORS[actor]}") if actor in ACTORS else words.say("receipts.other", who=actor)


def _form(request: AnyRequest, house: House, customer: int, problem: str = "") -> Template:
    """The newest choices to choose from; the proof is about the whole log, so that any of them shows it."""
    newest, words = house.permissions.history(customer)[: -PAGE_LINES - 1 : -1], words_of(request)
    lines = [_line(said, house, words) for said in newest]
    return page(request, "receipts/older.html", 409 if problem else 200, lines=lines, problem=problem)


def _file(made: bytes, seq: int, place: int | None) -> Response[bytes]:
    name = f"recu-{seq}.json" if place is None else f"recu-{seq}-{place}.json"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(made, media_type="application/json", headers=headers)


ROUTES = (listed, one, older, continued, text)
