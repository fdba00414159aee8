"""How a check looks at the site: pages surveyed once, and walks in which somebody presses things.

A check is a plain function from `Ways` to what it found, in words; nothing found is a pass. `Ways` with a plant sees the site with
that one fault in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.browser.pages import PAGES, At
from tests.browser.site import Site
from tests.browser.survey import Survey, survey

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

YES = {"fr": "Oui", "en": "Yes"}
NO = {"fr": "Non", "en": "No"}
REFUSE_ALL = {"fr": "Tout refuser", "en": "Refuse everything"}
STEPS_MAX = 5


@dataclass
class Ways:
    """One site, true or with a fault planted, as its visitors see it."""

    site: Site
    chromium: Browser
    plant: str = ""
    places: Sequence[At] = PAGES
    widths: tuple[int, ...] = (390, 1440)
    _surveyed: dict[tuple[str, str, int], Survey] = field(default_factory=dict)

    @contextmanager
    def open(self, who: str, language: str = "fr", width: int = 390) -> Iterator[Page]:
        """A fresh browser of somebody."""
        with self.site.open(self.chromium, who, language, width=width, plant=self.plant) as page:
            yield page

    def person(self, *yes: str) -> str:
        """Somebody new, of whom no other check knows."""
        return self.site.person(*yes)

    def seen(self, *, customers: bool = True) -> Iterator[tuple[At, str, int, Survey]]:
        """Each page in each language and width. Read once, whoever asks."""
        for who in dict.fromkeys(one.who for one in self.places):
            for language in ("fr", "en"):
                wanted = [
                    one for one in self.places
                    if one.who == who and language in one.languages and (one.customers or not customers)
                ]  # fmt: skip
                if any((one.name, language, width) not in self._surveyed for one in wanted for width in self.widths):
                    self._read(who, language, wanted)
                for one in wanted:
                    for width in self.widths:
                        yield one, language, width, self._surveyed[one.name, language, width]

    def _read(self, who: str, language: str, wanted: Sequence[At]) -> None:
        with self.open(who, language) as page:
            for one in wanted:
                visit(page, self.site, one)
                for width in self.widths:
                    page.set_viewport_size({"width": width, "height": 844 if width < 500 else 900})
                    self._surveyed[one.name, language, width] = survey(page)


def visit(page: Page, site: Site, at: At) -> None:
    """Opens a page as its line says. Fails when it answers otherwise."""
    answer = page.goto(site.path(at.path))
    assert answer is not None
    assert answer.status == at.status, f"{at.name} answers {answer.status}"
    if at.fill[0]:
        page.locator(at.fill[0]).fill(site.path(at.fill[1]))
    if at.press:
        page.locator(at.press).first.click()


def of_purpose(page: Page, purpose: str, answer: str) -> Locator:
    """The control with this answer for all recipients of one purpose."""
    form = page.locator(f'form:has(input[name="purpose"][value="{purpose}"]):not(:has(input[name="recipient"]))').first
    return form.get_by_role("button").filter(has_text=answer).first


def steps(ways: Ways, who: str, purpose: str, answer: str, wanted: bool, *, start: str, language: str = "fr") -> int | None:
    """Clicks from a page with the control until the gate says what was wanted; none if that never comes.

    Counted as 11 CCR 7004 counts: from the page on which the choice is offered. A control, or a way on that carries its label.
    """
    dialogs: list[str] = []
    with ways.open(who, language) as page:
        page.on("dialog", lambda one: (dialogs.append(one.message), one.accept()))
        page.goto(start)
        for count in range(1, STEPS_MAX + 1):
            mine = page.locator(f'section:has(input[name="purpose"][value="{purpose}"]), section:has(a[href$="/usage/{purpose}"])')
            scope = mine.last if mine.count() else page.locator("main")
            control = scope.locator("button, a").filter(has_text=answer)
            required = page.locator("main [required]")
            if required.count():
                return None
            if not control.count():
                control = page.locator("main button, main a").filter(has_text=answer)
            if not control.count():
                return None
            control.first.click()
            if (purpose in ways.site.permitted(who)) == wanted:
                return count + len(dialogs)
    return None
