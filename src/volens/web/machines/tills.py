"""For tills and printers: the short addresses of cards, and the line that is printed with them."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import post
from litestar.params import Body

from volens.errors import BadInput
from volens.web.given import TheHouse
from volens.web.visitor import with_scope

LANGUAGES = ("fr", "en")


@post("/v1/doorways", guards=[with_scope("doorways")], exclude_from_csrf=True, status_code=200, sync_to_thread=True)
def addresses(house: TheHouse, data: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
    """Code, address and receipt lines of up to 1,000 cards; null for a card that is not known yet. Writes nothing."""
    cards, width, language = data.get("cards"), data.get("width", 42), data.get("language", "fr")
    if not isinstance(cards, list) or not all(isinstance(card, str) and card for card in cards):
        raise BadInput("There is no list of card numbers.", 'Send {"cards": ["2912345678901"]}.')
    if not isinstance(width, int) or not 24 <= width <= 200 or language not in LANGUAGES:
        raise BadInput("A line has 24 to 200 characters, in fr or en.", 'Send {"cards": [], "width": 42, "language": "fr"}.')
    found, lines = house.doorways.cards("card", cards), house.doorways.lines
    return {
        "line": lines.receipt(language, None, width),
        "cards": {
            card: None if one is None else {"code": one.code, "url": one.url, "line": lines.receipt(language, one.url, width)}
            for card, one in found.items()
        },
    }


ROUTES = (addresses,)
