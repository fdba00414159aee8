"""The page of devices and the sample app in a real browser: it reads what the browser allows, signs, and works without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.support.phone import CAMERA, Phone, say
from tests.support.serving import serving

from volens.app import House, initialise
from volens.clock import system
from volens.ingest.master import Person
from volens.web.server import application
from volens.web.visitor import Customer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

pytestmark = pytest.mark.browser
HERE = "/autorisations/appareils"


@dataclass
class Site:
    """A served house of one customer."""

    house: House
    customer: int
    address: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Camille has a phone that still allows the camera, which she refused."""
    with initialise(tmp_path_factory.mktemp("devices") / "house", customers=100, clock=system()) as house:
        house.customers.enrol([Person(card="C00001", email="camille@example.org", country="FR", details={})])
        customer = house.customer("card", "C00001").customer
        Phone().join(house, customer).report(house, camera="granted", contacts="granted")
        say(house, customer, "refused", CAMERA)
        with serving(application(house, recognise=lambda connection: Customer(customer), local=True)) as address:
            yield Site(house, customer, address)


def opened(chromium: Browser, width: int = 390, *, scripts: bool = True, language: str = "fr-FR") -> BrowserContext:
    return chromium.new_context(viewport={"width": width, "height": 844}, locale=language, java_script_enabled=scripts)


def test_the_browsers_own_answer_is_read_live_and_nobody_is_asked(chromium: Browser, site: Site) -> None:
    context = opened(chromium)
    context.grant_permissions(["geolocation"])
    page = context.new_page()
    page.goto(site.address + HERE)
    live = page.locator("#location .live")
    live.wait_for()
    assert live.inner_text().replace("\u00a0", " ") == "Ce navigateur, en ce moment : il autorise."
    context.clear_permissions()
    page.wait_for_function("!document.querySelector('#location .live').textContent.includes('autorise')")
    assert "demande" in live.inner_text() or "refuse" in live.inner_text()
    assert not page.locator("#contacts .live").is_visible(), "no browser says anything of contacts"
    context.close()


@pytest.mark.parametrize("width", [320, 390, 1440])
@pytest.mark.parametrize("language", ["fr-FR", "en-GB"])
def test_everything_fits_and_nothing_comes_from_elsewhere(chromium: Browser, site: Site, width: int, language: str) -> None:
    context = opened(chromium, width, language=language)
    page = context.new_page()
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    for path in (HERE, f"{HERE}/application"):
        page.goto(site.address + path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        sizes = page.eval_on_selector_all("main button:not([hidden])", "all => all.map(one => one.getBoundingClientRect().height)")
        assert all(height >= 44 for height in sizes)
    assert all(url.startswith(site.address) for url in asked)
    assert not wrong
    context.close()


def test_no_and_yes_look_alike(chromium: Browser, site: Site) -> None:
    context = opened(chromium)
    page = context.new_page()
    page.goto(site.address + HERE)
    for pair in page.locator("form.pair").all():
        no, yes = (pair.locator(f"button[value={value}]") for value in ("no", "yes"))
        looks = [
            one.evaluate("e => { const s = getComputedStyle(e), r = e.getBoundingClientRect();"
                         " return [s.fontSize, s.fontWeight, s.color, s.backgroundColor, Math.round(r.width * r.height)] }")
            for one in (no, yes)
        ]  # fmt: skip
        assert looks[0][:4] == looks[1][:4]
        assert 0.9 <= looks[0][4] / looks[1][4] <= 1.1
    context.close()


def test_without_scripts_the_page_says_the_same_and_a_tap_counts(chromium: Browser, site: Site) -> None:
    context = opened(chromium, scripts=False)
    page = context.new_page()
    page.goto(site.address + HERE)
    assert "autorise encore" in page.locator("#camera .note:not([hidden])").inner_text()
    page.locator("#location button[value=yes]").click()
    assert page.url.startswith(site.address + HERE)
    assert "oui" in page.get_by_role("status").inner_text()
    page.locator("#location button[value=no]").click()
    assert "non" in page.get_by_role("status").inner_text()
    context.close()


def test_the_sample_app_makes_a_key_registers_reports_and_is_refused_until_there_is_a_yes(chromium: Browser, site: Site) -> None:
    context = opened(chromium)
    page = context.new_page()
    page.goto(f"{site.address}{HERE}/application")
    said = page.locator("#device-app-said")

    def press(name: str, answer: str) -> None:
        page.locator(f"button[name={name}]").click()
        page.wait_for_function("words => document.getElementById('device-app-said').textContent.includes(words)", arg=answer)

    press("send", "Enregistrez d'abord")
    press("register", "est enregistré")
    press("report", "signé et noté")
    press("send", "Refusé")
    say(site.house, site.customer, "given", CAMERA)
    press("send", "Accepté")
    say(site.house, site.customer, "withdrawn", CAMERA)
    press("send", "Refusé")
    assert said.get_attribute("role") == "status"
    mine = next(one for one in site.house.devices.overview(site.customer).devices if one.platform == "web")
    assert mine.label == "Ce navigateur"
    assert mine.reported_at is not None
    exported = page.evaluate("""async () => {
        const me = await store("readonly", (table) => table.get("me"));
        return crypto.subtle.exportKey("pkcs8", me.key).then(() => "exported", () => "kept");
    }""")
    assert exported == "kept", "the key cannot be taken out of the device"
    context.close()
