"""A customer's devices: what each says it allows, what was chosen, what our servers do; signing one out, forgetting one.

Rules:
1. The page reads. A choice is made by the same form as everywhere (`/autorisations/choix`); nothing here claims to change a phone.
2. Without scripts everything is there but the browser's own answer, which only a script can read. It reads and never asks.
3. These pages may ask the browser what it allows, so they lift the ban that every other page carries.
"""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import RawBody
from litestar.response import Redirect, Template

from volens.devices.registry import Newcomer
from volens.devices.signing import read_key
from volens.devices.station import fields_of
from volens.errors import BadInput
from volens.programme.devices import categories, settings_link
from volens.web.customers.centre import back
from volens.web.given import AnyRequest, Form, Me, TheHouse
from volens.web.page import page

HERE = "/autorisations/appareils"
MAY_BE_READ = {"permissions-policy": "browsing-topics=(), interest-cohort=()"}
"""Under the usual ban a browser would answer “denied” for every sensor, which is our answer and not its owner's."""


@get(HERE, sync_to_thread=True)
def devices(request: AnyRequest, house: TheHouse, me: Me) -> Template:
    """The page of devices."""
    overview = house.devices.overview(me.number)
    shown = page(
        request, "devices/devices.html", overview=overview, categories=categories(), apps=house.programme.apps,
        uses={use.purpose.id: use for use in house.centre.uses(me.number)}, settings_link=settings_link,
    )  # fmt: skip
    shown.headers.update(MAY_BE_READ)
    return shown


@post(HERE + "/deconnecter", sync_to_thread=True)
def sign_out(house: TheHouse, me: Me, data: Form) -> Redirect:
    """Takes nothing from a device any more."""
    house.devices.sign_out(me.number, data.get("device", ""))
    return back(house, me, HERE, "signed-out")


@post(HERE + "/oublier", sync_to_thread=True)
def forget(house: TheHouse, me: Me, data: Form) -> Redirect:
    """Deletes all that is known of a device."""
    house.devices.forget(me.number, data.get("device", ""))
    return back(house, me, HERE, "forgotten")


@post(HERE + "/enregistrer", sync_to_thread=True)
def register(house: TheHouse, me: Me, body: RawBody) -> Response[dict[str, str]]:
    """Adds the device on which somebody has just signed in, by the public key that it made."""
    said = fields_of(body, "app", "platform", "label", "app_version", "public_key")
    if not said["public_key"]:
        raise BadInput("The device has no key.", "Make an Ed25519 key pair, and send the public key.")
    new = Newcomer(said["app"], said["platform"], said["label"], said["app_version"], read_key(said["public_key"]))
    return Response({"device": house.devices.register(me.number, new)}, status_code=201)


@get(HERE + "/application", sync_to_thread=True)
def sample(request: AnyRequest, house: TheHouse, me: Me) -> Template:
    """What an app does, in a web view or a browser: makes its key, registers, reports, sends."""
    web = [app for app in house.programme.apps.values() if "web" in app.platforms]
    shown = page(request, "devices/app.html", app=web[0] if web else None, categories=categories())
    shown.headers.update(MAY_BE_READ)
    return shown


ROUTES = (devices, sign_out, forget, register, sample)
