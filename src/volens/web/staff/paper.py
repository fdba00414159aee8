"""Paper at the desk: forms to print, and forms that came back with their scan. For support and the data protection officer."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any

from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Response, Template

from volens.asking import codes, printing, scans
from volens.asking.paper import EnteredAlready
from volens.asking.scans import SCAN_BYTES_MAX
from volens.errors import BadInput, NotFound
from volens.web.given import AnyRequest, TheHouse, Who
from volens.web.page import language_of
from volens.web.staff.acting import staff_page
from volens.web.visitor import Staff, Visitor, of_staff

PAPER = "/staff/papier"
GUARDS = [of_staff("support", "dpo")]
WITH_SCAN = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]


@get(PAPER, guards=GUARDS, sync_to_thread=True)
def desk(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """The forms, and where to enter one. With a form's code in the address, that form's questions."""
    return _desk(request, house, visitor, request.query_params.get("code", ""))


@get(PAPER + "/formulaire", guards=GUARDS, sync_to_thread=True)
def form(request: AnyRequest, house: TheHouse) -> Response[str]:
    """A form to print, as the page that it is; its own style runs by its hash."""
    printed = house.asking.paper.form(request.query_params.get("langue") or language_of(request))
    style = base64.b64encode(sha256(printing.style().encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return Response(printed.html, media_type="text/html", headers={"content-security-policy": policy})


@post(PAPER, guards=GUARDS, sync_to_thread=True, status_code=200, request_max_body_size=SCAN_BYTES_MAX + 100_000)
def enter(request: AnyRequest, house: TheHouse, visitor: Who, data: WITH_SCAN) -> Template:
    """Enters a form in the name of whoever is signed in."""
    if not isinstance(visitor, Staff):
        raise NotFound("There is no such page.", "Sign in as staff.")
    scan = data.get("scan")
    content = scan.file.read(SCAN_BYTES_MAX + 1) if isinstance(scan, UploadFile) else b""
    marked = {name.partition(".")[2]: str(value) for name, value in data.items() if name.startswith("say.")}
    code = str(data.get("code", ""))
    if wrong := _wrong(marked, content):
        return _desk(request, house, visitor, code, wrong=wrong, status=400)
    try:
        customer = house.customer("card", str(data.get("card", ""))).customer
    except (BadInput, NotFound):
        return _desk(request, house, visitor, code, wrong="card", status=400)
    try:
        done = house.asking.paper.enter(
            customer, by=visitor.name, code=code, scan=content or None, shop=str(data.get("store", "")),
            yes=[purpose for purpose, said in marked.items() if said == "yes"],
            no=[purpose for purpose, said in marked.items() if said == "no"],
        )  # fmt: skip
    except (BadInput, NotFound):
        return _desk(request, house, visitor, code, wrong="other", status=400)
    except EnteredAlready:
        return _desk(request, house, visitor, code, wrong="entered", status=409)
    language = language_of(request)
    said = [(house.programme.purpose(purpose).plain[language], kind) for purpose, kind, _ in done.said]
    refused = [(house.programme.purpose(purpose).plain[language], why) for purpose, why in done.refused.items()]
    answer: Template = staff_page(
        request, visitor, "asking/entered.html", 200 if not refused else 409, said=said, refused=refused, scan=done.scan
    )
    return answer


def _wrong(marked: Mapping[str, str], scan: bytes) -> str:
    """What is wrong with what was sent, an id in `words: asking.desk-wrong`; empty if nothing is."""
    if not {"yes", "no"} & set(marked.values()):
        return "nothing"
    return (scans.fault_of(scan) or "") if scan else ""


def _desk(
    request: AnyRequest, house: TheHouse, visitor: Visitor, code: str, *, wrong: str = "", status: int = 200
) -> Template:
    forms = house.asking.paper.forms()
    read = codes.read(code)
    found = next((one for one in forms if one.code == read), None)
    purposes = [one for one in house.programme.purposes.values() if one.needs_choice and one.basis != "contract"]
    asked = [one for one in purposes if one.id in found.sections] if found is not None else purposes
    answer: Template = staff_page(
        request, visitor, "asking/desk.html", status, forms=forms[:20], code=code, known=found is not None, asked=asked,
        wrong=wrong, offered=house.programme.languages,
    )  # fmt: skip
    return answer


ROUTES = (desk, form, enter)
