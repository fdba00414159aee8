"""Told against used, for data protection and marketing: what nobody needs, and what nobody was told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from litestar import get, post
from litestar.response import Redirect, Template

from volens.publishing.workflow import DPO, MARKETING
from volens.told.flows import Flow, Kind
from volens.web.given import AnyRequest, Form, TheHouse, Who
from volens.web.page import words_of
from volens.web.staff.acting import acting, staff_page
from volens.web.visitor import of_staff

HOME = "/staff/dit-et-fait"


@get(HOME, guards=[of_staff(MARKETING, DPO, "auditor")], sync_to_thread=True)
def overview(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """Every flow by its kind, and the incidents first."""
    flows, language = house.told.flows(), words_of(request).language
    fields = (one for category in house.programme.categories.values() for one in category.fields.values())
    plain = {one.id: one.plain.get(language, one.id) for one in fields}

    def items(flow: Flow, names: Iterable[str]) -> list[str]:
        """Fields in the words that customers read; names of scopes and columns as they are."""
        return [plain.get(one, one) if flow.kind in (Kind.PURPOSE, Kind.SUPPLIER) else one for one in sorted(names)]

    page: Template = staff_page(
        request, visitor, "told.html", kinds=_by_kind(flows), incidents=house.told.incidents(), today=house.told.today, items=items,
        purpose=lambda name: house.programme.purposes[name].plain.get(language, name) if name in house.programme.purposes else name,
        offer=lambda name: house.offering.name(name.split("/")[0], 0, language),
        company=lambda name: house.programme.recipients[name].legal_name if name in house.programme.recipients else name,
        told_items=lambda one: [plain.get(item, item) for item in one.items], can_open=DPO in getattr(visitor, "roles", ()),
    )  # fmt: skip
    return page


@post(HOME + "/ouvrir", guards=[of_staff(DPO)], sync_to_thread=True)
def open_again(house: TheHouse, visitor: Who, data: Form) -> Redirect:
    """A flow that was closed goes on, by one person, with her reason."""
    person = acting(visitor, DPO)
    house.told.open_again(data.get("name", ""), data.get("recipient") or None, why=data.get("why", ""), by=person.name)
    house.checkpoint()
    return Redirect(f"{HOME}?fait=flow-opened", status_code=303)


def _by_kind(flows: Sequence[Flow]) -> list[tuple[str, list[Flow]]]:
    found = [(kind.value, [one for one in flows if one.kind is kind and (one.named or one.used)]) for kind in Kind]
    return [(kind, mine) for kind, mine in found if mine]


ROUTES = (overview, open_again)
