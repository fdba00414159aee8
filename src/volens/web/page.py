"""Pages: a template with its words, in the visitor's language.

Rules:
1. Nothing on a page comes from another server, and no script or style stands inside it (`headers`).
2. A page that is about somebody is never kept by a browser or a proxy.
3. The language is what the address asks for, else what was asked for before, else the browser's, else the house's first.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Request
from litestar.response import Template
from markdown_it import MarkdownIt
from markupsafe import Markup

from volens.asking.shown import Shown, in_centre
from volens.centre.standing import Use, shared
from volens.clock import zone
from volens.errors import BadInput
from volens.publishing.comprehension import Question
from volens.web.answers import answer_of, apart
from volens.web.told import told_by
from volens.web.visitor import Customer, Nobody, Visitor
from volens.web.words import LANGUAGES, Words

LANGUAGE_COOKIE = "langue"
SLUGS = {"me": "pour-moi", "advertising": "publicite", "brands": "marques", "phone": "telephone"}
"""Where each group of the permission centre is found."""
AnyRequest = Request[Any, Any, Any]


def environment() -> Environment:
    """Jinja over the package's templates; what is missing is an error, and everything is escaped."""
    made = Environment(
        loader=PackageLoader("volens.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.globals["static"] = static
    made.filters["markdown"] = markdown
    made.filters["in_centre"] = in_centre
    made.globals["fields"] = fields
    made.filters["answer"] = answer_of
    made.filters["apart"] = apart
    made.filters["shared"] = lambda purpose, programme: shared(programme, purpose)
    made.globals["slug"] = SLUGS
    made.filters["in_short"] = lambda deed, say: say(f"centre.deeds.{deed}")
    made.filters["role_name"] = lambda role, say: say(f"staff.role.{role}")
    made.filters["legal_name"] = lambda recipient, programme: programme.recipient(recipient).legal_name
    made.filters["field_name"] = lambda field, programme, lang: programme.fields[field].plain[lang]
    made.filters["serves"] = serves
    made.filters["in_language"] = lambda said, lang: said.get(lang) or next(iter(said.values()), "")
    made.filters["country_name"] = lambda code, words: words.country(code)
    return made


def fields(use: Use, shown: Shown | None, where: str) -> dict[str, str]:
    """What a use's form says beside yes or no: the use, the text that stands there and its digest, and where to go back to."""
    text, digest = (shown.text, shown.rendered_sha256) if shown is not None else ("", "")
    return {"purpose": use.purpose.id, "text": text, "shown": digest, "back": where}


def serves(request: AnyRequest, path: str) -> bool:
    """Whether there is a page at an address of this server, as it is declared."""
    return any(route.path == path for route in request.app.routes)


@cache
def static(name: str) -> str:
    """The address of a file in `static/`, with its content's hash: it is kept for good and never stale."""
    content = files("volens.web").joinpath("static", name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def markdown(text: str) -> Markup:
    """A programme's text as HTML; HTML in it is shown, not obeyed. Headings start below the page's own."""
    rendered = MarkdownIt("commonmark", {"html": False}).render(text)
    return Markup(rendered.replace("<h1>", "<h2>").replace("</h1>", "</h2>"))


def language_of(request: AnyRequest) -> str:
    """The language of the page that answers."""
    wishes = [request.query_params.get("langue", ""), request.cookies.get(LANGUAGE_COOKIE, "")]
    wishes += [part.split(";")[0].strip()[:2].lower() for part in request.headers.get("accept-language", "").split(",")]
    offered = [one for one in request.app.state.house.programme.languages if one in LANGUAGES]
    return next((wish for wish in wishes if wish in offered), offered[0] if offered else LANGUAGES[0])


def words_of(request: AnyRequest) -> Words:
    """How this visitor is spoken to."""
    return Words(language_of(request), zone(request.app.state.house.programme.country))


def understanding(request: AnyRequest) -> Question | None:
    """The short question that follows a choice, if one does and it is still open."""
    number = request.query_params.get("question", "")
    try:
        return request.app.state.house.publishing.comprehension_again(number) if number else None
    except BadInput:
        return None


def told(request: AnyRequest, visitor: Visitor) -> str:
    """What the page says was done. A customer is told only what was signed for her; staff and nobody have no records of theirs."""
    value = request.query_params.get("fait", "")
    return told_by(request.app.state.house, visitor.number, value) if value and isinstance(visitor, Customer) else value


def page(request: AnyRequest, template: str, status: int = 200, **values: Any) -> Template:
    """A page of the site. `values` are what the template shows."""
    words = words_of(request)
    visitor = request.state["visitor"] if "visitor" in request.state else Nobody()  # looked up by whoever needs it
    house = request.app.state.house
    context = {
        "request": request,
        "words": words,
        "say": words.say,
        "lang": words.language,
        "languages": [one for one in house.programme.languages if one in LANGUAGES],
        "shop": house.programme.name,
        "programme": house.programme,
        "path": request.url.path,
        "query": urlencode([*(one for one in request.query_params.multi_items() if one[0] != "langue"), ("langue", "")]),
        "visitor": visitor,
        "signed_in": isinstance(visitor, Customer),
        "embedded": request.headers.get("sec-fetch-dest") == "iframe",
        "told": told(request, visitor),
        "signal": request.headers.get("sec-gpc") == "1",
        "signalled": request.state.get("signalled", ()),
        "understanding": understanding(request),
        **values,
    }
    response = Template(template, context=context, status_code=status)
    if request.query_params.get("langue") in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, words.language, max_age=31_536_000, samesite="lax", path="/")
    return response
