"""The web component in a real browser, under the strict policy: the same two buttons, the same choice; a link without script."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from litestar import get
from tests.support.asking import REMINDERS, people
from tests.support.serving import serving

from volens.app import initialise
from volens.clock import system
from volens.web import server
from volens.web.page import static
from volens.web.visitor import Customer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


@get("/basket", sync_to_thread=True, media_type="text/html", exclude_from_csrf=True)
def basket() -> str:
    """A page of the shop, served with the house's own policy: no inline script, no inline style."""
    return (
        '<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Panier</title><link rel="icon" href="data:,">'
        f'<script src="{static("volens-question.js")}" defer></script></head><body><h1>Panier</h1>'
        '<volens-question moment="basket"><a href="/question?moment=basket">Une question</a></volens-question></body></html>'
    )


def test_a_click_in_the_shops_own_page_is_a_choice(chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "SITES", (*server.SITES, basket))
    with initialise(tmp_path / "house", customers=1_000, clock=system()) as house:
        (camille,) = people(house)
        application = server.application(house, recognise=lambda connection: Customer(camille), local=True)
        with serving(application) as address:
            page = chromium.new_page()
            wrong: list[str] = []
            page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.goto(f"{address}/basket")
            no, yes = page.get_by_role("button", name="Non"), page.get_by_role("button", name="Oui")
            one, other = no.bounding_box(), yes.bounding_box()
            assert one is not None
            assert other is not None
            assert (one["width"], one["height"], one["y"]) == (other["width"], other["height"], other["y"])
            assert one["height"] >= 44
            look = "b => { const s = getComputedStyle(b); return [s.color, s.backgroundColor, s.font, s.border] }"
            assert no.evaluate(look) == yes.evaluate(look)
            yes.click()
            page.get_by_text("C’est noté : oui.").or_(page.get_by_text("C'est noté")).wait_for()
            assert page.url == f"{address}/basket", "the person stays where she was"
            page.reload()
            page.wait_for_load_state("networkidle")
            assert page.get_by_role("button").count() == 0, "nothing is asked twice"
            assert wrong == [], "the policy has nothing to say"
            plain = chromium.new_context(java_script_enabled=False).new_page()
            plain.goto(f"{address}/basket")
            assert plain.get_by_role("link", name="Une question").is_visible()
            page.close()
        (given,) = [one for one in house.permissions.history(camille) if one.kind == "given"]
        assert (given.purpose, given.how["surface"]) == (REMINDERS, "web component")
