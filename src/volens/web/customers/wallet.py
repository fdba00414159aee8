"""The wallet of a customer (`/cagnotte`): what is hers, from which day and why; vouchers; transfers; contests. And the same for
whoever holds the code of a wallet whose person was erased.

Rules:
1. A number on the page is one of the books. Nothing is a bar, a percentage or a countdown: there are amounts and days.
2. Held money has its sentence and, beside it, the form by which it is contested.
3. Of a bank account, what is typed goes into the form's own field again if it was wrong, and its last four characters else.
"""

from __future__ import annotations

import csv
import io
import secrets
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect, Template

from volens.app import House
from volens.errors import BadInput, NotNow
from volens.licensing.rewards import INSTEAD, LICENCE
from volens.wallet import iban
from volens.wallet.claims import REVERSED
from volens.wallet.contest_store import Contest
from volens.wallet.contests import WORDS_MAX
from volens.wallet.shown import Purse
from volens.web.given import AnyRequest, Form, Me, TheHouse
from volens.web.limits import sign_in_limit
from volens.web.page import language_of, page, words_of
from volens.web.told import token
from volens.web.visitor import Customer

HOME, BEARER = "/cagnotte", "/cagnotte/au-porteur"
HISTORY_ALL = 100_000
APART = (LICENCE, INSTEAD)
"""What earns apart from the act of an offer."""


@get(HOME, sync_to_thread=True)
def wallet(request: AnyRequest, house: TheHouse, me: Me) -> Template:
    """The wallet of whoever is signed in."""
    return _page(request, house, me.number)


@get([HOME + "/virement", HOME + "/virement/annuler"], sync_to_thread=False)
def back() -> Redirect:
    """Where a page that refused a form leads, once it is opened again or in another language."""
    return Redirect(HOME, status_code=303)


@post(HOME + "/virement", sync_to_thread=True)
def ask(request: AnyRequest, house: TheHouse, me: Me, data: Form) -> Template | Redirect:
    """Asks for all that is available to be paid out."""
    wrong = _wrong(data)
    if wrong:
        return _page(request, house, me.number, wrong=wrong, typed=data)
    try:
        _ask(house, me.number, data, language_of(request))
    except NotNow:
        return _back(house, me, "nothing")
    return _back(house, me, "asked")


@post(HOME + "/virement/annuler", sync_to_thread=True)
def call_back(house: TheHouse, me: Me, data: Form) -> Redirect:
    """Calls a transfer back that nobody prepared yet."""
    number = _payout(data)
    try:
        house.wallet.payouts.call_back(me.number, number)
    except NotNow:
        return _back(house, me, "too-late")
    return _back(house, me, "called-back")


@post(HOME + "/contester", sync_to_thread=True)
def contest(house: TheHouse, me: Me, data: Form) -> Redirect:
    """Contests that a reward is held, or was taken back."""
    try:
        house.wallet.contests.contest(me.number, data.get("claim", ""), data.get("words", "")[:WORDS_MAX])
    except NotNow:
        return _back(house, me, "not-held")
    return _back(house, me, "contested")


@get(HOME + "/historique.csv", sync_to_thread=True)
def history(request: AnyRequest, house: TheHouse, me: Me) -> Response[bytes]:
    """Her whole history, as a file."""
    words, file = words_of(request), io.StringIO()
    written = csv.writer(file)
    written.writerow([words.say(f"wallet.column.{one}") for one in ("day", "what", "amount", "currency", "offer")])
    for purse in house.wallet.of(me.number, words.language, HISTORY_ALL):
        for one in purse.history:
            offer = _named(request, house, one.offer, 0, one.why) if one.offer else ""
            said = words.say(f"wallet.happened.{one.what}")
            written.writerow([one.day, said, f"{one.cents // 100}.{one.cents % 100:02}", purse.currency, offer])
    headers = {"content-disposition": f'attachment; filename="{words.say("wallet.file")}.csv"'}
    return Response(file.getvalue().encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)


# Whoever holds a code


@get(BEARER, sync_to_thread=True)
def bearer(request: AnyRequest) -> Template:
    """The form that takes the code of a wallet whose person was erased."""
    return page(request, "wallet/bearer.html", wrong=False)


@post(BEARER, sync_to_thread=True, middleware=[sign_in_limit])
def opened(request: AnyRequest, house: TheHouse, data: Form) -> Template:
    """What is in that wallet."""
    number = _holder(house, data)
    if number is None:
        return page(request, "wallet/bearer.html", wrong=True)
    return _page(request, house, number, code=data.get("code", ""))


@post(BEARER + "/virement", sync_to_thread=True, middleware=[sign_in_limit])
def ask_as_bearer(request: AnyRequest, house: TheHouse, data: Form) -> Template:
    """Asks for what is available in it."""
    number = _holder(house, data)
    if number is None:
        return page(request, "wallet/bearer.html", wrong=True)
    wrong, done = _wrong(data), ""
    if not wrong:
        try:
            _ask(house, number, data, language_of(request))
            done = "asked"
        except NotNow:
            done = "nothing"
    return _page(request, house, number, code=data.get("code", ""), wrong=wrong, typed=data, done=done)


@post(BEARER + "/annuler", sync_to_thread=True, middleware=[sign_in_limit])
def call_back_as_bearer(request: AnyRequest, house: TheHouse, data: Form) -> Template:
    """Calls a transfer out of it back that nobody prepared yet."""
    number = _holder(house, data)
    if number is None:
        return page(request, "wallet/bearer.html", wrong=True)
    try:
        house.wallet.payouts.call_back(number, _payout(data))
        done = "called-back"
    except NotNow:
        done = "too-late"
    return _page(request, house, number, code=data.get("code", ""), done=done)


def _payout(data: dict[str, str]) -> int:
    number = data.get("payout", "")
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise BadInput("The form names no transfer.", "Load the page again.")
    return int(number)


def _holder(house: House, data: dict[str, str]) -> int | None:
    return house.wallet.leaving.holder(data.get("code", "")[:80])


def _ask(house: House, number: int, data: dict[str, str], language: str) -> None:
    house.wallet.payouts.ask(
        number, data.get("currency", ""), name=data.get("name", ""), iban=data.get("iban", ""), key=data.get("key", "")[:64],
        language=language,
    )  # fmt: skip


def _wrong(data: dict[str, str]) -> str:
    """What is wrong with an account, as an id of the words; empty if nothing is."""
    name = data.get("name", "").strip()
    if not 0 < len(name) <= iban.NAME_MAX or not name.isprintable():
        return "name"
    return iban.wrong(data.get("iban", "")[:80])


def _page(request: AnyRequest, house: House, number: int, **values: Any) -> Template:
    language = language_of(request)
    purses = house.wallet.of(number, language)
    contested = house.wallet.contests.of(number) if "code" not in values else []
    answers = [(one, house.wallet.contests.words(one)[1]) for one in contested]
    answers = [(one, answer) for one, answer in answers if answer or not _by_invitation(house, one)]
    values = {"code": "", "wrong": "", "typed": {}, "done": "", **values}
    return page(
        request, "wallet/wallet.html", purses=purses, answers=answers, key=secrets.token_hex(16), words_max=WORDS_MAX,
        offer_name=lambda offer, version, why: _named(request, house, offer, version, why), nothing=not _any(purses),
        payable=house.wallet.payouts.possible, today=house.wallet.today.isoformat(), **values,
    )  # fmt: skip


def _by_invitation(house: House, one: Contest) -> bool:
    """Whether what was decided about an invitation ended a contest: the answer is on its page."""
    found = house.wallet.claim(one.claim)
    return found.why == "referral" and (found.state != REVERSED or one.contest < found.seq)


def _named(request: AnyRequest, house: House, offer: str, version: int, why: str) -> str:
    """What a reward is for: the offer; or its licence, or the way without one, which stand apart from it."""
    if why in APART:
        return words_of(request).say(f"wallet.apart.{why}")
    return house.wallet.names(offer, version, language_of(request))


def _any(purses: list[Purse]) -> bool:
    return any(one.total_cents or one.history for one in purses)


def _back(house: House, me: Customer, told: str) -> Redirect:
    return Redirect(f"{HOME}?fait={token(house, me.number, f'wallet-{told}')}", status_code=303)


ROUTES = (back, wallet, ask, call_back, contest, history, bearer, opened, ask_as_bearer, call_back_as_bearer)
