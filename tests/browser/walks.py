"""What only shows when somebody walks: presses, comes back, takes back, and the gate is asked what came of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.browser.pages import HOME
from tests.browser.ways import NO, REFUSE_ALL, YES, Ways, of_purpose, steps
from tests.support.house import STATISTICS

from volens.centre.standing import BRANDS, group_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

VISITS, DAYS_BETWEEN = 30, 6  # half a year
CLICKS_TO_CENTRE = 2
UNASKED = (HOME, f"{HOME}/plus")
"""Pages on which somebody came for something else than an answer to one use."""
NOTHING, ALL_NO, GROUP_NO, ONE_NO, ONE_YES, BACK = "nothing", "all no", "group no", "one no", "one yes", "back"
EFFECTS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "Tout refuser": ALL_NO, "Choisir": NOTHING, "Refuser tout ceci": GROUP_NO, "Non": ONE_NO, "Oui": ONE_YES,
        "Annuler ce refus": BACK, "Mettre en pause": ALL_NO, "Retrouver mes réponses": BACK,
    },
    "en": {
        "Refuse everything": ALL_NO, "Choose": NOTHING, "Refuse all of these": GROUP_NO, "No": ONE_NO, "Yes": ONE_YES,
        "Undo this refusal": BACK, "Pause": ALL_NO, "Get my answers back": BACK,
    },
}  # fmt: skip
"""Every name that a control of the centre has, and what pressing it does. A name that is not here needs a reason to be here."""
ELSEWHERE = {
    "fr": {
        "Refuser les usages pour moi", "Refuser la publicité", "Refuser ce que d'autres reçoivent de mes achats",
        "Refuser les usages de mon téléphone", "Envoyer le lien", "Vérifier", "Remettre comme avant",
        "Changer ces adresses", "Enregistrer", "Oublier", "Télécharger le reçu",
        "Recevoir ma carte", "Déconnecter", "Je n'en veux plus", "Me le rappeler de nouveau", "Arrêter de participer",
        "Choisir ceci", "Tout retirer", "Ajouter", "Effacer", "Pas à cet endroit",
        "Envoyer", "Ouvrir", "Recevoir 20,00 €",
        "Garder ce prénom", "Avoir mon lien", "Arrêter ce lien", "Ce n'est pas juste",
    },
    "en": {
        "Refuse the uses for me", "Refuse advertising", "Refuse what others receive of my purchases", "Refuse the uses of my phone",
        "Send the link", "Check", "Put it back as it was", "Change these addresses", "Save", "Forget",
        "Download the receipt", "Get my card",
        "Sign out", "I want no more", "Remind me of it again", "Stop taking part",
        "Choose this", "Take everything back", "Add", "Delete", "Not in this place",
        "Send", "Open", "Receive €20.00",
        "Keep this name", "Get my link", "Stop this link", "This is not right",
    },
}  # fmt: skip
"""Names whose effect is tried in `tests/web`, page by page."""


def prompts(ways: Ways) -> Iterator[str]:
    """Refuses everything, then visits for half a year."""
    who, before = ways.person(), ways.site.hand.instant
    try:
        with ways.open(who) as page:
            page.goto(HOME)
            page.get_by_role("button", name=REFUSE_ALL["fr"]).click()
            for visit in range(VISITS):
                ways.site.hand.pass_days(DAYS_BETWEEN)
                page.goto(UNASKED[visit % len(UNASKED)])
                if page.locator("main button[value=yes], dialog, [role=dialog], [role=alertdialog]").count():
                    yield f"asked again on day {(visit + 1) * DAYS_BETWEEN}"
    finally:
        ways.site.hand.instant = before


def maze(ways: Ways) -> Iterator[str]:
    """Counts clicks from every page to the centre, over the links that are on them."""
    for who in dict.fromkeys(one.who for one in ways.places):
        graph: dict[str, set[str]] = {}
        for at, _, width, page in ways.seen():
            if at.who == who and width == 390:
                shown = {urlsplit(one.url).path for one in page.links if one.shown}
                graph.setdefault(page.address, set()).update(shown)
        far = {page: clicks(graph, page) for page in graph}
        yield from (f"{page} for {who}: {count if count is not None else 'no'} clicks to the centre" for page, count in far.items()
                  if count is None or count > CLICKS_TO_CENTRE)  # fmt: skip
    with ways.open("camille") as page:
        page.goto(HOME)
        if page.get_by_role("button", name=REFUSE_ALL["fr"]).count() != 1:
            yield "refusing everything is not in the centre"


def clicks(graph: Mapping[str, set[str]], start: str) -> int | None:
    """The shortest way to the centre; none if there is none."""
    reached, waiting = {start: 0}, deque([start])
    while waiting:
        at = waiting.popleft()
        if at == HOME:
            return reached[at]
        for to in graph.get(at, set()) - reached.keys():
            reached[to] = reached[at] + 1
            waiting.append(to)
    return None


def after(ways: Ways) -> Iterator[str]:
    """Where a refusal leads, and what is said there first."""
    who = ways.person(STATISTICS)
    with ways.open(who) as page:
        page.goto(HOME)
        page.get_by_role("button", name=REFUSE_ALL["fr"]).click()
        if urlsplit(page.url).path != HOME:
            yield f"after refusing: {urlsplit(page.url).path}"
        if not page.get_by_role("status").inner_text():
            yield "after refusing: nothing is said"
        outside = [href for href in page.locator("main a").evaluate_all("all => all.map((one) => one.getAttribute('href'))")
                   if not href.startswith(HOME)]  # fmt: skip
        yield from (f"after refusing: a way to {href}" for href in outside)


def every_way(ways: Ways) -> Iterator[str]:
    """Opens every link of every page."""
    opened = set()
    for who in dict.fromkeys(one.who for one in ways.places):
        with ways.open(who) as page:
            for at, _, _, seen in ways.seen():
                for link in seen.links if at.status == 200 else ():
                    address = urlsplit(link.url)._replace(fragment="").geturl()
                    if at.who != who or (who, address) in opened or not address.startswith(ways.site.base):
                        continue
                    opened.add((who, address))
                    answer = page.request.get(address)
                    status = answer.status
                    if status >= 400:
                        yield f"{at.name}: “{link.label}” leads to {urlsplit(address).path}, which answers {status}"


def every_control(ways: Ways) -> Iterator[str]:
    """Says yes and no to some uses of each kind; what is stored and what is shown after loading again must follow."""
    who = ways.person()
    with ways.open(who) as page:
        for purpose in (STATISTICS, "email-marketing", "basket-reminder"):
            for answer, wanted in ((YES, True), (NO, False)):
                page.goto(f"{HOME}/choisir")
                of_purpose(page, purpose, answer["fr"]).click()
                if (purpose in ways.site.permitted(who)) != wanted:
                    yield f"{answer['fr']} to {purpose} changes nothing"
                page.goto(f"{HOME}/choisir")
                if _pressed(page, purpose) != ("yes" if wanted else "no"):
                    yield f"{answer['fr']} to {purpose} is not shown afterwards"


def _pressed(page: Page, purpose: str) -> str | None:
    form = page.locator(f'form:has(input[name="purpose"][value="{purpose}"]):not(:has(input[name="recipient"]))').first
    pressed = [one.get_attribute("value") for one in form.locator("button[aria-pressed=true]").all()]
    return pressed[0] if len(pressed) == 1 else None  # both, or neither, is no answer


def every_step(ways: Ways) -> Iterator[str]:
    """Gives, takes back and refuses, counting clicks."""
    for start, purpose in ((f"{HOME}/marques", STATISTICS), (f"{HOME}/choisir", "email-marketing")):
        give = steps(ways, ways.person(), purpose, YES["fr"], True, start=start)
        take = steps(ways, ways.person(purpose), purpose, NO["fr"], False, start=start)
        if give is None or take is None or take > give:
            yield f"{purpose}: {give} steps to permit, {take} to take it back"
    who = ways.person(STATISTICS, "email-marketing")
    with ways.open(who) as page:
        asked: list[str] = []
        page.on("dialog", lambda one: (asked.append(one.message), one.accept()))
        page.goto(HOME)
        page.get_by_role("button", name=REFUSE_ALL["fr"]).click()
        if ways.site.permitted(who) or asked:
            yield "refusing everything takes more than one click"


def every_effect(ways: Ways) -> Iterator[str]:
    """Presses each name once and compares what the gate permits before and after."""
    for at, language, _, seen in ways.seen():
        if at.status == 200:
            yield from (f"{at.name} {language}: unknown name: {one.label}" for one in seen.controls
                        if one.tag == "button" and one.label not in EFFECTS[language].keys() | ELSEWHERE[language])  # fmt: skip
    programme = ways.site.house.programme
    some = {STATISTICS, "email-marketing"}
    who = ways.person(*sorted(some))
    brands = {one.id for one in programme.purposes.values() if group_of(one, programme) == BRANDS}
    pressed = (
        (HOME, "Choisir", "", some), (HOME, "Tout refuser", "", set()), (HOME, "Annuler ce refus", "", some),
        (f"{HOME}/choisir", "Non", STATISTICS, some - {STATISTICS}), (f"{HOME}/choisir", "Oui", STATISTICS, some),
        (f"{HOME}/plus", "Mettre en pause", "", set()), (f"{HOME}/plus", "Retrouver mes réponses", "", some),
        (f"{HOME}/marques", "Refuser tout ceci", "", some - brands),
    )  # fmt: skip
    with ways.open(who) as page:
        for path, name, purpose, wanted in pressed:
            page.goto(path)
            control = of_purpose(page, purpose, name) if purpose else page.get_by_role("button", name=name, exact=True)
            if not control.count():
                yield f"there is no {name} on {path}"
                return
            control.click()
            if (now := ways.site.permitted(who)) != wanted:
                yield f"{name} on {path} leads to {sorted(now)} instead of {sorted(wanted)}"
                return


def agreement(ways: Ways) -> Iterator[str]:
    """Compares words and controls with the gate, for people who said different things."""
    programme = ways.site.house.programme
    sold = {one.id for one in programme.purposes.values() if one.paid_by and "product" in one.fields}
    for who in ("camille", "fresh", "willing"):
        permitted = ways.site.permitted(who)
        with ways.open(who) as page:
            page.goto(HOME)
            says = page.locator(".sold strong").inner_text().startswith("Oui")
            if says != bool(permitted & sold):
                yield f"{who}: the first screen says {'yes' if says else 'no'} to “is it sold”"
            for link in page.locator(".groups a").all():
                yes = not (link.locator(".state").text_content() or "").strip().startswith("Non")
                slugs = {"marques": "brands", "publicite": "advertising", "pour-moi": "me", "telephone": "phone"}
                group = slugs[(link.get_attribute("href") or "").rsplit("/", 1)[-1]]
                if yes != any(group_of(programme.purpose(one), programme) == group for one in permitted):
                    yield f"{who}: {group} is said to be {'permitted' if yes else 'refused'}"
            page.goto(f"{HOME}/choisir")
            for form in page.locator("form.pair:not(:has(input[name=recipient]))").all():
                purpose = form.locator("input[name=purpose]").get_attribute("value") or ""
                part = page.locator(f"section.use:has(a[href$='/usage/{purpose}'])")
                words = part.locator(".state").inner_text()
                waiting = words.startswith("Nous vous l'avons dit")
                shown = (_pressed(page, purpose) == "yes", words.startswith("Votre réponse\u00a0: oui") or waiting)
                if shown != ((purpose in permitted) or waiting,) * 2:
                    yield f"{who}: {purpose} is {purpose in permitted}; the page shows {shown}"


WALKS: Mapping[str, Callable[[Ways], Iterator[str]]] = {
    "prompts": prompts, "maze": maze, "after": after, "ways": every_way, "controls": every_control, "steps": every_step,
    "effects": every_effect, "agreement": agreement,
}  # fmt: skip
