"""A small shop whose pages obey Volens: the forgotten item, the question, sponsored products, the basket left behind.

Rules:
1. It uses Volens' public HTTP API (`volens_api`) and its web component, and nothing else of Volens.
2. Whoever says no gets the same shop. Where Volens does not answer, the shop goes on.
3. Every page works without JavaScript; refusing and accepting are the same button twice.
4. It is an example: signing in asks for no password, payment is a button, and baskets are in memory.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING, Annotated, Any

from examples.shop.goods import Customer, Product, Shop, Visit
from examples.shop.looks import HERE, environment, price, words
from examples.shop.volens_api import Volens
from litestar import Litestar, Request, Router, asgi, get, post
from litestar.concurrency import sync_to_thread
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import Cookie, MutableScopeHeaders, State
from litestar.enums import RequestEncodingType
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import Body, FromPath
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Redirect, Template
from litestar.static_files import create_static_files_router
from litestar.template.config import TemplateConfig
from markupsafe import Markup

if TYPE_CHECKING:
    from litestar.types import Message, Receive, Scope, Send

LANGUAGES = ("fr", "en")
COOKIE, LANGUAGE = "shop-visit", "shop-language"
VISITS_MOST, LINES_MOST, ADS_ON_A_PAGE, BODY_BYTES = 1_000, 100, 2, 100_000
PASSED_ON = ("/adhesion", "/question", "/volens-question.js")
"""What this server asks Volens for in its visitors' name. A real shop lets its web server do that."""
PASSED_HEADERS = ("accept", "accept-language", "content-type", "cookie", "host", "origin", "sec-fetch-site", "sec-gpc")
RETURNED_HEADERS = ("content-type", "content-security-policy", "location", "set-cookie")
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


def application(shop: Shop, volens: Volens) -> Litestar:
    """The shop's server."""
    handlers = [
        home, shelf, search, article, add, basket, change, usual, checkout, remind, answer, pay, sign_in, sign_out, as_customer,
        put_back, ad, join, language,
    ]  # fmt: skip
    return Litestar(
        # Of one router: given one by one, a GET that shares its path with a POST would be run in two threads.
        route_handlers=[
            Router("/", route_handlers=handlers), passed_on,
            create_static_files_router(path="/boutique", directories=[HERE / "static"]),
        ],
        template_config=TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment())),
        csrf_config=CSRFConfig(
            secret=secrets.token_hex(32), cookie_name="shop-form", cookie_httponly=True, cookie_samesite="lax",
            exclude=list(PASSED_ON),
        ),
        state=State({"shop": shop, "volens": volens, "visits": OrderedDict()}),
        before_send=[_finish],
        exception_handlers={HTTPException: _failed},
        openapi_config=None,
    )  # fmt: skip


# Looking around


@get("/", sync_to_thread=True)
def home(request: Request[Any, Any, State]) -> Template:
    """Every shelf, a sponsored product or two, and the basket that she left behind."""
    visit = _visit(request)
    left = None
    if visit.card and not visit.lines:
        left = _volens(request).left_behind(visit.card, visit.basket, _language(request))
        if left is not None:
            request.app.state.left = {**getattr(request.app.state, "left", {}), left["reminder"]: left}
    return _page(request, "home", ads=_ads(request, page="accueil"), left=left)


@get("/rayon/{name:str}", sync_to_thread=True)
def shelf(request: Request[Any, Any, State], name: FromPath[str]) -> Template:
    """One shelf."""
    found = _shop(request).shelves.get(name)
    if found is None:
        raise NotFoundException
    return _page(request, "shelf", title=found[0].shelf_names[_language(request)], products=found, ads=_ads(request, category=name))


@get("/recherche", sync_to_thread=True)
def search(request: Request[Any, Any, State]) -> Template:
    """What has some words in its name."""
    words = request.query_params.get("q", "")[:80].strip()
    ads = _ads(request, search=words) if words else []
    return _page(request, "shelf", title=words, products=_shop(request).find(words), ads=ads, words=words)


@get("/article/{sku:str}", sync_to_thread=True)
def article(request: Request[Any, Any, State], sku: FromPath[str]) -> Template:
    """One product."""
    return _page(request, "article", product=_product(request, sku), ads=_ads(request, product=sku))


# The basket


@post("/panier/ajouter", sync_to_thread=True)
def add(request: Request[Any, Any, State], data: Form) -> Redirect:
    """One more of something."""
    _put(request, data.get("sku", ""))
    return _back(data)


@get("/panier", sync_to_thread=True)
def basket(request: Request[Any, Any, State]) -> Template:
    """What is in the basket."""
    return _page(request, "basket", **_lines(request))


@post("/panier/changer", sync_to_thread=True)
def change(request: Request[Any, Any, State], data: Form) -> Redirect:
    """One less of something, or nothing at all any more."""
    visit = _visit(request)
    if data.get("sku") in visit.lines and data.get("what") == "less":
        visit.lines[data["sku"]] -= 1
    if data.get("what") == "empty":
        visit.lines.clear()
    visit.lines = {sku: count for sku, count in visit.lines.items() if count > 0}
    _tell(request, "open" if visit.lines else "emptied")
    return Redirect("/panier", status_code=303)


@post("/panier/habituel", sync_to_thread=True)
def usual(request: Request[Any, Any, State]) -> Redirect:
    """Fills the basket as last time; one usual thing is forgotten."""
    visit, customer = _visit(request), _customer(request)
    if customer is not None:
        visit.lines = dict.fromkeys(customer.usual[:LINES_MOST], 1)
        _tell(request, "open")
    return Redirect("/panier", status_code=303)


@get("/caisse", sync_to_thread=True)
def checkout(request: Request[Any, Any, State]) -> Template | Redirect:
    """Before paying: at most one thing that is missing; for whoever was not asked yet, the question."""
    visit = _visit(request)
    if not visit.lines:
        return Redirect("/panier")
    missing = asked = None
    if visit.card:
        missing = _volens(request).missing(visit.card, visit.basket, list(visit.lines), _language(request))
        if missing is not None and missing["sku"] not in _shop(request).products:
            missing = None  # not sold here
        if missing is None:
            asked = _volens(request).question(visit.card, visit.key, "basket", _language(request))
    if asked is not None:
        asked = {**asked, "html": Markup(asked["html"])}  # Volens made it of escaped words: it is shown as it is
    return _page(request, "checkout", missing=missing, asked=asked, said=request.query_params.get("dit", ""), **_lines(request))


@post("/rappel", sync_to_thread=True)
def remind(request: Request[Any, Any, State], data: Form) -> Redirect:
    """What she made of the reminder."""
    what = data.get("what", "aside")
    if what == "added":
        _put(request, data.get("sku", ""))
    _volens(request).heard(data.get("reminder", ""), what, _language(request))
    return Redirect(f"/caisse?dit={what}" if what in ("never", "stop") else "/caisse", status_code=303)


@post("/reponse", sync_to_thread=True)
def answer(request: Request[Any, Any, State], data: Form) -> Redirect:
    """What she said to the question."""
    done = _volens(request).answer(data.get("question", ""), data.get("say", ""))
    return Redirect(f"/caisse?dit={data.get('say', '') if done else 'unheard'}", status_code=303)


@post("/caisse/payer", sync_to_thread=True)
def pay(request: Request[Any, Any, State]) -> Template:
    """The end of it. Nothing is charged."""
    visit, paid = _visit(request), _lines(request)
    _tell(request, "paid")
    visit.lines, visit.basket = {}, secrets.token_hex(8)
    return _page(request, "paid", **paid)


# Who is there


@get("/entrer", sync_to_thread=True)
def sign_in(request: Request[Any, Any, State]) -> Template:
    """The customers of the demonstration; all are invented."""
    return _page(request, "sign-in", customers=list(_shop(request).customers.values()))


@post("/entrer", sync_to_thread=True)
def as_customer(request: Request[Any, Any, State], data: Form) -> Redirect:
    """Signs in as one of them."""
    customer = _shop(request).customers.get(data.get("card", ""))
    if customer is None:
        raise NotFoundException
    visit = _visit(request)
    visit.card, visit.key, visit.basket = customer.card, secrets.token_urlsafe(18), secrets.token_hex(8)
    return Redirect("/", status_code=303)


@post("/sortir", sync_to_thread=True)
def sign_out(request: Request[Any, Any, State]) -> Redirect:
    """Leaves; the basket stays behind."""
    visit = _visit(request)
    visit.card, visit.lines, visit.key, visit.basket = "", {}, secrets.token_urlsafe(18), secrets.token_hex(8)
    return Redirect("/", status_code=303)


@post("/panier/reprendre", sync_to_thread=True)
def put_back(request: Request[Any, Any, State], data: Form) -> Redirect:
    """The basket that was left behind: taken back, or not."""
    what, left = data.get("what", "aside"), getattr(request.app.state, "left", {}).pop(data.get("reminder", ""), None)
    if what == "added" and left is not None:
        for one in left["products"]:
            _put(request, one["sku"], told=False)
        _tell(request, "open")
    _volens(request).heard(data.get("reminder", ""), what, _language(request))
    return Redirect("/panier" if what == "added" else "/", status_code=303)


@post("/publicite", sync_to_thread=True)
def ad(request: Request[Any, Any, State], data: Form) -> Redirect:
    """Not this one again, or none by what she buys."""
    _volens(request).ad_heard(data.get("impression", ""), data.get("what", "hide"), _visit(request).key, _language(request))
    return _back(data)


@get("/carte", sync_to_thread=True)
def join(request: Request[Any, Any, State]) -> Template:
    """Volens' sign-up form inside the shop's page."""
    return _page(request, "join")


@post("/langue", sync_to_thread=True)
def language(data: Form) -> Redirect:
    """French or English."""
    redirect = _back(data)
    if data.get("language") in LANGUAGES:
        redirect.set_cookie(LANGUAGE, data["language"], httponly=True, samesite="lax")
    return redirect


@asgi(list(PASSED_ON), is_mount=False, opt={"exclude_from_csrf": True}, copy_scope=True)
async def passed_on(scope: Scope, receive: Receive, send: Send) -> None:
    """Volens' own pages under this address, as the web component needs it: cookies go there and come back, our key does not."""
    request: Request[Any, Any, State] = Request(scope, receive, send)
    path = "/static/volens-question.js" if request.url.path == "/volens-question.js" else request.url.path
    headers = {name: request.headers[name] for name in PASSED_HEADERS if name in request.headers}
    body, more = b"", True
    while more and len(body) <= BODY_BYTES:
        message: Any = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    got = await sync_to_thread(_volens(request).pass_on, request.method, path, request.url.query, headers, body)
    back = [(name.encode(), value.encode()) for name, value in got.headers.multi_items() if name in RETURNED_HEADERS]
    await send({"type": "http.response.start", "status": got.status_code, "headers": back})
    await send({"type": "http.response.body", "body": got.content, "more_body": False})


# Below: how


def _page(request: Request[Any, Any, State], name: str, **values: Any) -> Template:
    chosen, visit = _language(request), _visit(request)
    return Template(
        f"{name}.html",
        context={
            "lang": chosen, "say": words()[chosen], "shop": _shop(request), "customer": _customer(request),
            "count": sum(visit.lines.values()), "here": request.url.path, "query": request.url.query,
            "volens": _volens(request).address, "price": lambda cents: price(cents, chosen), **values,
        },
    )  # fmt: skip


def _failed(request: Request[Any, Any, State], error: HTTPException) -> Template:
    """What went wrong, as a page of the shop."""
    what, say = ("not_here" if error.status_code == 404 else "not_so"), words()[_language(request)]
    made = _page(request, "failure", title=say[what], about=say[f"{what}_about"])
    made.status_code = error.status_code
    return made


def _shop(request: Request[Any, Any, State]) -> Shop:
    found: Shop = request.app.state.shop
    return found


def _volens(request: Request[Any, Any, State]) -> Volens:
    found: Volens = request.app.state.volens
    return found


def _visit(request: Request[Any, Any, State]) -> Visit:
    """This browser's visit; a new one gets its cookie with the answer (`_safe`). The one that came longest ago goes first."""
    if "visit" in request.state:
        kept: Visit = request.state["visit"]
        return kept
    visits: OrderedDict[str, Visit] = request.app.state.visits
    number = request.cookies.get(COOKIE, "")
    if number not in visits:
        number = secrets.token_urlsafe(24)
        visits[number] = Visit(secrets.token_urlsafe(18), basket=secrets.token_hex(8))
        while len(visits) > VISITS_MOST:
            visits.popitem(last=False)
    visits.move_to_end(number)
    request.state["visit"], request.state["number"] = visits[number], number
    return visits[number]


def _customer(request: Request[Any, Any, State]) -> Customer | None:
    return _shop(request).customers.get(_visit(request).card)


def _language(request: Request[Any, Any, State]) -> str:
    chosen = request.cookies.get(LANGUAGE, "")
    if chosen in LANGUAGES:
        return chosen
    return "en" if request.headers.get("accept-language", "").lower().startswith("en") else "fr"


def _product(request: Request[Any, Any, State], sku: str) -> Product:
    found = _shop(request).products.get(sku)
    if found is None:
        raise NotFoundException
    return found


def _put(request: Request[Any, Any, State], sku: str, told: bool = True) -> None:
    visit = _visit(request)
    if sku in _shop(request).products and (sku in visit.lines or len(visit.lines) < LINES_MOST):
        visit.lines[sku] = min(99, visit.lines.get(sku, 0) + 1)
        if told:
            _tell(request, "open")


def _tell(request: Request[Any, Any, State], state: str) -> None:
    """Tells Volens what became of a customer's basket; it keeps it if she permits that, and the shop does not know which."""
    visit = _visit(request)
    if visit.card:
        _volens(request).became(visit.card, visit.basket, state, list(visit.lines))


def _lines(request: Request[Any, Any, State]) -> dict[str, Any]:
    lines = [(_product(request, sku), count) for sku, count in _visit(request).lines.items()]
    return {"lines": lines, "total": sum(one.cents * count for one, count in lines)}


def _ads(request: Request[Any, Any, State], **where: str) -> list[dict[str, Any]]:
    """Sponsored products for a page, with their prices here; those that the shop does not sell are left out."""
    visit, products = _visit(request), _shop(request).products
    found = _volens(request).ads(ADS_ON_A_PAGE, visit.key, _language(request), visit.card, **where)
    return [{**one, "product": products[one["sku"]]} for one in found if one["sku"] in products]


def _back(data: dict[str, str]) -> Redirect:
    """To the page that the form stood on, if it is one of ours."""
    to = data.get("back", "/")
    return Redirect(to if to.startswith("/") and not to.startswith("//") and "\\" not in to else "/", status_code=303)


async def _finish(message: Message, scope: Scope) -> None:
    """Every page's headers, and the cookie of a new visit."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    number = scope["state"].get("number")
    if number is not None:
        headers.add("set-cookie", Cookie(COOKIE, value=number, httponly=True, samesite="lax", path="/").to_header(header=""))
