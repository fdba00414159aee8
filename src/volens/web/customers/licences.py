"""A licence for what is hers: the choice, apart from joining; her things, each seen before it is said yes to; where they are.

Rules:
1. No and yes are the one pair of buttons. The way without a licence stands beside it, at the same size, with the same reward.
2. Taking back is one press, on the page where everything else stands. It needs no reason and costs nothing.
3. A thing is shown to its own person alone. Opening the page of what is planned is being told of it, and is on record.
4. An upload is read and drawn anew before it is kept; the page that answers shows what was kept, never what came.
"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect, Template

from volens.app import House
from volens.errors import BadInput, NotFound, NotNow
from volens.licensing.giving import ANSWER_MAX, NoYes
from volens.licensing.pictures import FILE_BYTES_MAX, NoPhoto
from volens.licensing.states import ADDED, CHOSEN, GIVEN
from volens.licensing.texts import CHARACTERS_MAX
from volens.offers.document import QUESTIONS_MAX
from volens.offers.document import Item as Kind
from volens.offers.terms import named, said_amount
from volens.web.customers.centre import first_controller
from volens.web.given import AnyRequest, Form, Me, TheHouse
from volens.web.page import language_of, page
from volens.web.told import token
from volens.web.visitor import Customer
from volens.web.words import shown_in

MINE = "/mes-images"
OFFER = "/offres/{offer:str}/licence"
FORM_BYTES = 100_000
"""Bytes of a form around its file."""
WITH_FILE = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]
OF_AGE = "oui"


def back(house: House, me: Customer, where: str, told: str, **more: str) -> Redirect:
    """To a page that says what was done: one of the ids in `words: licences.told`."""
    rest = "".join(f"&{name}={value}" for name, value in more.items())
    return Redirect(f"{where}?fait={token(house, me.number, told)}{rest}", status_code=303)


@get(OFFER, sync_to_thread=True)
def chance(request: AnyRequest, house: TheHouse, me: Me, offer: FromPath[str]) -> Template:
    """The licence of an offer: what it says, what it earns, each purpose by itself, and the way without it."""
    return _chance(request, house, me, offer)


def _chance(request: AnyRequest, house: House, me: Customer, offer: str, typed: dict[str, str] | None = None) -> Template:
    """typed: answers that do not do yet; they stay in their fields."""
    found, language = house.licences.chance(me.number, offer), language_of(request)
    one, licence = found.current.offer, found.current.licence
    assert licence.ceiling is not None  # nothing without it comes into force,
    assert licence.instead is not None  # nor without this
    given = any(word is not None and word.state == GIVEN for word in found.words.values())
    read = language if language in one.languages else one.languages[0]
    mine = found.instead.version if found.instead is not None else one.version
    asked = house.licences.giving.questions(offer, mine)
    return page(
        request, "licences/chance.html", 200 if typed is None else 400, typed=typed or {}, wrong=typed is not None,
        questions=[shown_in(each.get(read, ""), read) for each in asked], answer_max=ANSWER_MAX,
        chance=found, offer=one, licence=licence, part=shown_in(found.current.part(read), read),
        sha256=found.current.sha256(read), read=read, named=named, reward=said_amount(one, licence.reward, language),
        instead=said_amount(one, licence.instead.amount, language), reason=licence.ceiling.reason[read],
        adult=given or request.query_params.get("majeur") == OF_AGE, chosen=CHOSEN,
    )  # fmt: skip


@post(OFFER + "/age", sync_to_thread=True)
def age(house: TheHouse, me: Me, offer: FromPath[str], data: Form) -> Redirect:
    """Whether she says that she is of age. Nothing is kept of it but with a yes."""
    where = f"/offres/{offer}/licence"
    return back(house, me, where, "of-age", majeur=OF_AGE) if data.get("say") == "yes" else back(house, me, where, "not-of-age")


@post(OFFER + "/choix", sync_to_thread=True)
def say(request: AnyRequest, house: TheHouse, me: Me, offer: FromPath[str], data: Form) -> Redirect:
    """Yes or no to one purpose. In force when it is answered."""
    where, yes = data.get("back", ""), data.get("say") == "yes"
    where = where if where == MINE else f"/offres/{offer}/licence"
    if data.get("say") not in ("yes", "no"):
        raise BadInput("The form says neither yes nor no.", "Go back, and choose.")
    version = data.get("version", "")
    try:
        house.licences.giving.say(
            me.number, offer, data.get("purpose", ""), yes, version=int(version) if version.isascii() and version.isdigit() else 0,
            language=data.get("language", "") or language_of(request), shown=data.get("shown", ""),
            adult=data.get("adult") == OF_AGE,
        )  # fmt: skip
    except NoYes as wrong:
        return back(house, me, where, f"no-{wrong.why}")
    return back(house, me, where, "given" if yes else "refused")


@post(OFFER + "/autrement", sync_to_thread=True)
def instead(house: TheHouse, me: Me, offer: FromPath[str]) -> Redirect:
    """She takes the way without a licence."""
    where = f"/offres/{offer}/licence"
    try:
        house.licences.giving.choose_instead(me.number, offer)
    except NoYes as wrong:
        return back(house, me, where, f"no-{wrong.why}")
    except NotNow:
        return back(house, me, where, "no-instead")
    return back(house, me, where, "instead")


@post(OFFER + "/reponses", sync_to_thread=True)
def answers(request: AnyRequest, house: TheHouse, me: Me, data: Form, offer: FromPath[str]) -> Redirect | Template:
    """She answers the questions of that way."""
    where, said = f"/offres/{offer}/licence", [data.get(f"answer-{number}", "") for number in range(QUESTIONS_MAX)]
    while said and not said[-1].strip():
        said.pop()
    try:
        house.licences.giving.answer_instead(me.number, offer, said)
    except BadInput:
        return _chance(request, house, me, offer, data)
    except NotNow:
        return back(house, me, where, "no-late")
    return back(house, me, where, "answers")


@get(MINE, sync_to_thread=True)
def mine(request: AnyRequest, house: TheHouse, me: Me) -> Template:
    """Her licences, her things, where they are, and what has to come down."""
    house.licences.using.seen(me.number)
    held, language = house.licences.of_customer(me.number), language_of(request)
    texts = {
        one.item: house.licences.items.content(me.number, one.item)[1].decode()
        for each in held for one in each.items if one.kind != Kind.PHOTO
    }  # fmt: skip
    return page(
        request, "licences/mine.html", held=held, texts=texts, named=named, language=language, longest=CHARACTERS_MAX,
        controller=first_controller(house), photo=Kind.PHOTO, added=ADDED,
    )  # fmt: skip


@post(MINE + "/licence/{offer:str}/retirer", sync_to_thread=True)
def withdraw(request: AnyRequest, house: TheHouse, me: Me, offer: FromPath[str]) -> Redirect:
    """Takes a whole licence back, in one press."""
    done = house.licences.giving.withdraw(me.number, offer, language=language_of(request))
    return back(house, me, MINE, "withdrawn" if done else "already")


@post(MINE + "/licence/{offer:str}/photo", sync_to_thread=True, request_max_body_size=FILE_BYTES_MAX + FORM_BYTES)
def add_photo(house: TheHouse, me: Me, offer: FromPath[str], data: WITH_FILE) -> Redirect:
    """A photo comes in; the next page shows how it will appear."""
    sent = data.get("photo")
    file = sent.file.read(FILE_BYTES_MAX + 1) if isinstance(sent, UploadFile) else b""
    try:
        made = house.licences.items.add_photo(me.number, offer, file)
    except NoPhoto as wrong:
        return back(house, me, MINE, f"photo-{wrong.fault}")
    except NotNow:
        return back(house, me, MINE, "no-room")
    return back(house, me, f"{MINE}/chose/{made.item}", "added")


@post(MINE + "/licence/{offer:str}/texte", sync_to_thread=True)
def add_text(house: TheHouse, me: Me, offer: FromPath[str], data: Form) -> Redirect:
    """A name or a review comes in."""
    try:
        made = house.licences.items.add_text(me.number, offer, data.get("kind", ""), data.get("text", ""))
    except BadInput:
        return back(house, me, MINE, "name-wrong" if data.get("kind") == Kind.FIRST_NAME else "text-wrong")
    except NotNow:
        return back(house, me, MINE, "no-room")
    return back(house, me, f"{MINE}/chose/{made.item}", "added")


@get(MINE + "/chose/{item:str}", sync_to_thread=True)
def preview(request: AnyRequest, house: TheHouse, me: Me, item: FromPath[str]) -> Template:
    """One thing as it will appear in each medium, with no and yes to exactly this."""
    found, content, _ = house.licences.items.content(me.number, item)
    held = next(one for one in house.licences.of_customer(me.number) if one.offer.id == found.offer)
    text = content.decode() if found.kind != Kind.PHOTO else ""
    return page(
        request, "licences/preview.html", item=found, text=text, held=held, named=named, added=ADDED,
        media=sorted(held.licence.media), photo=Kind.PHOTO,
    )  # fmt: skip


@get(MINE + "/chose/{item:str}/image", sync_to_thread=True)
def image(house: TheHouse, me: Me, item: FromPath[str]) -> Response[bytes]:
    """A photo, for its own person."""
    found, content, media_type = house.licences.items.content(me.number, item)
    if found.kind != Kind.PHOTO:
        raise NotFound("This is no photo.", "Go back, and look at the list.")
    return Response(content, media_type=media_type)


@post(MINE + "/chose/{item:str}/dire", sync_to_thread=True)
def approve(house: TheHouse, me: Me, item: FromPath[str], data: Form) -> Redirect:
    """Yes to exactly this; a no deletes it."""
    if data.get("say") not in ("yes", "no"):
        raise BadInput("The form says neither yes nor no.", "Go back, and choose.")
    if data.get("say") == "no":
        house.licences.items.delete(me.number, item)
        return back(house, me, MINE, "deleted")
    try:
        house.licences.items.approve(me.number, item)
    except NotNow:
        return back(house, me, MINE, "no-licence")
    return back(house, me, MINE, "approved")


@post(MINE + "/chose/{item:str}/effacer", sync_to_thread=True)
def delete(house: TheHouse, me: Me, item: FromPath[str]) -> Redirect:
    """Deletes a thing; what was made of it comes down."""
    house.licences.items.delete(me.number, item)
    return back(house, me, MINE, "deleted")


@post(MINE + "/usage/{use:int}/refuser", sync_to_thread=True)
def refuse(house: TheHouse, me: Me, use: FromPath[int]) -> Redirect:
    """No to one place; the rest goes on."""
    house.licences.using.refuse(me.number, use)
    return back(house, me, MINE, "use-refused")


ROUTES = (
    chance, age, say, instead, answers, mine, withdraw, add_photo, add_text, preview, image, approve, delete, refuse,
)  # fmt: skip
