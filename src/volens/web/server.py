"""The server: which handlers there are, and what every request passes through.

Rules:
1. Handlers run in the framework's threads; the stations below know nothing of the web.
2. Every form carries a token of its own browser (double-submitted cookie, signed); addresses for machines carry a key instead.
3. A body is limited, and so is everything that is listed.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from litestar import Litestar, Router, get
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import CacheControlHeader, State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.static_files import create_static_files_router
from litestar.template.config import TemplateConfig

from volens.app import House
from volens.errors import BadInput, VolensError
from volens.web import failures, signing
from volens.web.customers import (
    asking,
    centre,
    devices,
    doorways,
    licences,
    messages,
    my_choices,
    offers,
    receipts,
    referrals,
    understood,
    verifier,
    wallet,
)  # fmt: skip
from volens.web.development import provider
from volens.web.development.provider import Vouching
from volens.web.headers import before_send
from volens.web.limits import everybody
from volens.web.logged import log_answer
from volens.web.machines import acts, changes, decisions, described, tills, tokens
from volens.web.machines import ads as machine_ads
from volens.web.machines import asking as machine_asking
from volens.web.machines import audiences as machine_audiences
from volens.web.machines import campaigns as machine_campaigns
from volens.web.machines import devices as machine_devices
from volens.web.machines import licences as machine_licences
from volens.web.machines import messages as machine_messages
from volens.web.machines import referrals as machine_referrals
from volens.web.machines import reminders as machine_reminders
from volens.web.machines import vouchers as machine_vouchers
from volens.web.machines.decisions import Answering
from volens.web.origin import FromOurOwnPages
from volens.web.page import environment
from volens.web.recognising import cookie_name, recogniser
from volens.web.staff import ads as staff_ads
from volens.web.staff import audiences as staff_audiences
from volens.web.staff import campaigns as staff_campaigns
from volens.web.staff import figures as staff_figures
from volens.web.staff import helping
from volens.web.staff import licences as staff_licences
from volens.web.staff import messages as staff_messages
from volens.web.staff import offers as staff_offers
from volens.web.staff import paper as staff_paper
from volens.web.staff import protection as staff_protection
from volens.web.staff import referrals as staff_referrals
from volens.web.staff import reminders as staff_reminders
from volens.web.staff import texts as staff_texts
from volens.web.staff import told as staff_told
from volens.web.staff import wallet as staff_wallet
from volens.web.visitor import Recognise, me, visitor_of

if TYPE_CHECKING:
    from litestar.types import ControllerRouterHandler

BODY_BYTES = 1_000_000
KEEP_UP_SECONDS = 1.0
SWEEP_SECONDS = 60
"""How long what was learned of somebody lies there after she said no: nobody looks at it any more from the moment she did."""
TURN_SECONDS = 0.0005
SITES: tuple[ControllerRouterHandler, ...] = (
    *referrals.ROUTES,
    *machine_referrals.ROUTES,
    *staff_referrals.ROUTES,
    *centre.ROUTES,
    *doorways.ROUTES,
    *messages.ROUTES,
    *wallet.ROUTES,
    *machine_vouchers.ROUTES,
    *staff_wallet.ROUTES,
    *receipts.ROUTES,
    *my_choices.ROUTES,
    *verifier.ROUTES,
    *tills.ROUTES,
    *decisions.ROUTES,
    *changes.ROUTES,
    *devices.ROUTES,
    *machine_devices.ROUTES,
    *machine_audiences.ROUTES,
    *machine_campaigns.ROUTES,
    *machine_ads.ROUTES,
    *machine_licences.ROUTES,
    *licences.ROUTES,
    *acts.ROUTES,
    *offers.ROUTES,
    *understood.ROUTES,
    *staff_texts.ROUTES,
    *staff_figures.ROUTES,
    *staff_reminders.ROUTES,
    *staff_campaigns.ROUTES,
    *staff_protection.ROUTES,
    *staff_audiences.ROUTES,
    *staff_ads.ROUTES,
    *staff_licences.ROUTES,
    *staff_offers.ROUTES,
    *staff_messages.ROUTES,
    *staff_told.ROUTES,
    *asking.ROUTES,
    *machine_asking.ROUTES,
    *machine_reminders.ROUTES,
    *machine_messages.ROUTES,
    *staff_paper.ROUTES,
    *helping.ROUTES,
    *signing.ROUTES,
    *tokens.ROUTES,
    *described.ROUTES,
)


@get("/health", exclude_from_csrf=True, sync_to_thread=False)
def health() -> dict[str, str]:
    """That the process runs. Whether the records answer is said by each page."""
    return {"status": "ok"}


def application(
    house: House, *, recognise: Recognise | None = None, local: bool = False, vouching: Vouching | None = None
) -> Litestar:
    """The server of one house. `recognise` tells who calls, by default by session and key. `local`: served without TLS, on this
    machine alone. `vouching`: who stands for the providers of sign-in on a developer's machine."""
    if vouching is not None and not local:
        raise BadInput("Whoever vouches for invented people does so on this machine alone.", "Leave out --development.")

    async def the_house() -> House:
        return house

    @asynccontextmanager
    async def keeping_up(_: Litestar) -> AsyncIterator[None]:
        """What another process publishes is in force here within a second; until then everything is refused."""
        tasks = [asyncio.create_task(_keep_up(house)), asyncio.create_task(_sweep(house))]
        yield
        for task in tasks:
            task.cancel()

    static = create_static_files_router(
        path="/static",
        directories=[Path(str(files("volens.web").joinpath("static")))],
        cache_control=CacheControlHeader(max_age=31_536_000, immutable=True, public=True),
        opt={"exclude_from_csrf": True},
    )
    handlers: dict[Any, Any] = {
        VolensError: failures.known, RecursionError: failures.too_deep, HTTPException: failures.of_http, Exception: failures.defect,
    }  # fmt: skip
    return Answering(
        # Registered at once: one by one, the framework would run a GET that shares its path with a POST in two threads.
        route_handlers=[health, static, Router("/", route_handlers=(*SITES, *(provider.ROUTES if vouching is not None else ())))],
        dependencies={"house": Provide(the_house), "visitor": Provide(visitor_of), "me": Provide(me)},
        template_config=TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment())),
        csrf_config=CSRFConfig(
            secret=house.secret("csrf").hex(), cookie_name=cookie_name("form", local), cookie_secure=not local,
            cookie_httponly=True, cookie_samesite="lax",
        ),
        exception_handlers=handlers,
        before_send=[before_send, log_answer],
        middleware=[everybody, FromOurOwnPages()],
        request_max_body_size=BODY_BYTES,
        on_startup=[house.doorways.attend],
        lifespan=[keeping_up],
        state=State({"house": house, "recognise": recognise or recogniser(house, local), "local": local, "vouching": vouching}),
        logging_config=None,
        openapi_config=None,
    )


def keep_what_is_loaded() -> None:
    """For a process that only serves: what was loaded so far stays, so that Python's collector does not look through it again.
    Each look would hold every answer up for tens of milliseconds."""
    gc.collect()
    gc.freeze()


def take_turns_quickly() -> None:
    """For a process that serves: a decision passes from one thread to another and back, and Python would let each go on for
    5 ms before the other has its turn."""
    sys.setswitchinterval(TURN_SECONDS)


async def _keep_up(house: House) -> None:
    told = ""
    while True:
        await asyncio.sleep(KEEP_UP_SECONDS)
        try:
            await asyncio.to_thread(house.keep_up)
        except VolensError as error:  # the records are down, or the folder is being written: refused until it is over
            if str(error) != told:
                logging.getLogger(__name__).warning("the programme cannot be taken over: %s", error)
            told = str(error)


async def _sweep(house: House) -> None:
    jobs: list[tuple[Callable[[], object], str]]
    jobs = [
        (house.reminders.warm_up, "reminders cannot be given yet: %s"),
        (house.sponsored.warm_up, "sponsored slots cannot be filled yet: %s"),
    ]
    while True:
        for work, trouble in jobs:
            try:
                await asyncio.to_thread(work)
            except VolensError as error:
                logging.getLogger(__name__).warning(trouble, error)
        await asyncio.sleep(SWEEP_SECONDS)
        jobs = [
            (house.reminders.sweep, "habits of people who said no still lie there: %s"),
            (house.sponsored.sweep, "profiles of people who said no still lie there: %s"),
            (house.offering.tell, "people are not told yet that an offer stopped: %s"),
        ]
