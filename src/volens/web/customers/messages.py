"""The link in a message: one tap, or one request of a mailbox provider, and nothing more comes (RFC 8058).

Rules:
1. Opening the address changes nothing, since programs that look for malware open every address. A form with one button does.
2. A POST needs no cookie, no sign-in and no page before it, and is answered at once, without a redirect. Its body says
   `List-Unsubscribe=One-Click`, as a form or as parts; another body is answered by the page with the button.
3. It has no limit of its own by the caller's address, as other pages have: a mailbox provider tells many people's noes from one. A
   token that the house did not make is found out without a look at the records.
"""

from __future__ import annotations

import asyncio

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Template

from volens.messaging.noes import GOOD, UNKNOWN, LinkOld, LinkUnknown
from volens.messaging.wording import ONE_CLICK, PATH
from volens.web.given import AnyRequest, TheHouse
from volens.web.page import language_of, page

NAME, VALUE = ONE_CLICK.split("=")


@get(PATH + "{token:str}", sync_to_thread=True)
def unsubscription(request: AnyRequest, house: TheHouse, token: FromPath[str]) -> Template:
    """What the link opens: one button."""
    return _button(request, house, token, 200)


@post(PATH + "{token:str}", exclude_from_csrf=True, status_code=200)
async def unsubscribe(request: AnyRequest, house: TheHouse, token: FromPath[str]) -> Template:
    """The no. In force when this answers; again changes nothing."""
    told = await request.form()
    return await asyncio.to_thread(_say_no, request, house, token, told.get(NAME) == VALUE)


def _say_no(request: AnyRequest, house: TheHouse, token: str, meant: bool) -> Template:
    if not meant:
        return _button(request, house, token, 400)
    try:
        channel = house.messages.unsubscribe(token, language=language_of(request))
    except LinkUnknown:
        return _wrong(request, UNKNOWN)
    except LinkOld:
        return _wrong(request, "old")
    return page(request, "doorways/unsubscribed.html", channel=channel)


def _button(request: AnyRequest, house: TheHouse, token: str, status: int) -> Template:
    state = house.messages.link(token)
    if state != GOOD:
        return _wrong(request, state)
    return page(
        request, "doorways/unsubscribe.html", status, action=request.url.path, name=NAME, value=VALUE,
        channel=house.messages.channel_of(token),
    )  # fmt: skip


def _wrong(request: AnyRequest, state: str) -> Template:
    why = "unknown-message" if state == UNKNOWN else "old-message"
    return page(request, "doorways/not-ours.html", 404 if state == UNKNOWN else 410, why=why)


ROUTES = (unsubscription, unsubscribe)
