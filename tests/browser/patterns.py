"""The 16 types of deceptive design of EDPB Guidelines 03/2022, one check each.

The guidelines are about social media; that a shop is held to them is our reading. Numbers are theirs. A check finds what a machine
can find of its type: `docs/seen-in-a-browser.md` says for each what it cannot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from tests.browser.pages import HOME
from tests.browser.survey import Control
from tests.browser.walks import WALKS
from tests.browser.ways import NO, REFUSE_ALL, YES, Ways

from volens.programme.words import matches, pattern

Check = Callable[[Ways], Iterator[str]]
"""Gives what it finds, as it finds it, so that a test that waits for the first finding ends there."""

STEERING = pattern(
    "dommage", "malheureusement", "hélas", "vous allez perdre", "vous perdez", "vous perdrez", "êtes-vous sûr*",
    "voulez-vous vraiment", "ne manquez pas", "profitez", "exclusi*", "s'il vous plaît", "nous serions tristes", "triste*",
    "merci de rester", "dernière chance", "unfortunately", "sadly", "sorry to see you go", "are you sure", "you will lose",
    "you will miss", "miss out", "don't miss", "last chance", "please stay", "exclusive*", "really want",
)  # fmt: skip
"""Words that work on feelings instead of saying what is."""
LOUD = re.compile("[!\u2049\u203c\u2190-\u21ff\u2600-\u27bf\U0001f000-\U0001faff]")
HEDGES = pattern(
    "peut", "peuvent", "pouvons", "pourrait", "pourraient", "pourrons", "notamment", "améliorer votre expérience", "le cas échéant",
    "etc", "entre autres", "éventuellement", "certain*", "may", "might", "could", "such as",
    "including but not limited", "improve your experience", "where appropriate", "among others", "certain",
)  # fmt: skip
"""Words that leave open what will happen."""
FRENCH = frozenset(re.findall(r"\w+", "le la les des du de et est sont vous vos nous votre notre pour que qui une un dans sur"))
ENGLISH = frozenset(re.findall(r"\w+", "the of and is are you your our we for that which a an in on not to by from this with"))
EXPECTED = {"fr": ("autorisations", "confidentialité", "données"), "en": ("permissions", "privacy", "data")}
GROUPS_MAX = 7
HOW_TOLD = ("by", "channel")
"""Fields that say by which channel somebody is told what they asked for: no permission."""


def continuous_prompting(ways: Ways) -> Iterator[str]:
    """4.1.1: refused once, and thirty visits in 180 days find no new question."""
    yield from WALKS["prompts"](ways)


def privacy_maze(ways: Ways) -> Iterator[str]:
    """4.1.2: two clicks at most from any page to the centre, and refusing everything stands on it."""
    yield from WALKS["maze"](ways)


def too_many_options(ways: Ways) -> Iterator[str]:
    """4.1.3: a few groups first, each with one refusal for all of it, and no use twice."""
    for at, language, width, page in ways.seen():
        links = [one.url for one in page.links if one.inside == "main" and one.shown]
        if at.path == HOME and (len(links) > GROUPS_MAX or len(links) + len(page.controls) > GROUPS_MAX + 3):
            yield f"{at.name} {language}: {len(links)} ways and {len(page.controls)} buttons on the first screen"
        asked = [one.fields["purpose"] for one in page.controls if one.value == "no" and set(one.fields) >= {"purpose", "text"}
                 and "recipient" not in one.fields]  # fmt: skip
        yield from (f"{at.name} {language}: {one} is asked twice" for one in sorted({one for one in asked if asked.count(one) > 1}))
        if len(asked) > 1 and not [one for one in page.controls if one.action == f"{HOME}/refuser"] and width == 390:
            yield f"{at.name} {language}: several uses and no refusal for all of them"


def deceptive_snugness(ways: Ways) -> Iterator[str]:
    """4.2.1: whoever never said anything permits nothing, and nothing is chosen for them on a page."""
    who = ways.person()
    yield from (f"permitted without a word: {one}" for one in sorted(ways.site.permitted(who)))
    with ways.open(who) as page:
        for path in (f"{HOME}/choisir", f"{HOME}/marques", f"{HOME}/publicite"):
            page.goto(path)
            for chosen in page.locator("main :is([aria-pressed=true][value=yes], [aria-checked=true], :checked)").all():
                yield f"{path}: chosen beforehand: {chosen.text_content()}"
    for at, language, _, seen in ways.seen():
        yield from (f"{at.name} {language}: ticked beforehand: {one.label}" for one in seen.controls
                  if one.checked and one.type in ("checkbox", "radio") and one.field not in HOW_TOLD)  # fmt: skip


def look_over_there(ways: Ways) -> Iterator[str]:
    """4.2.2: nothing that moves, pops up or advertises in the pages of choices; a refusal stays in the centre."""
    for at, language, width, page in ways.seen():
        if page.moving or page.drawing:
            yield f"{at.name} {language} {width}: {page.moving} moving, {', '.join(page.drawing)}"
    yield from WALKS["after"](ways)


def emotional_steering(ways: Ways) -> Iterator[str]:
    """4.3.1: no word, mark or picture that works on feelings."""
    for at, language, _, page in ways.seen():
        for block in page.blocks:
            yield from (f"{at.name} {language}: “{one.written}” in: {block.text[:80]}" for one in matches(block.text, STEERING))
            if LOUD.search(block.text):
                yield f"{at.name} {language}: an exclamation or a picture in: {block.text[:80]}"


def hidden_in_plain_sight(ways: Ways) -> Iterator[str]:
    """4.3.2: refusing is as large, as readable and as high on the page as accepting or choosing."""
    for at, language, width, page in ways.seen():
        for pair in page.pairs():
            yield from (f"{at.name} {language} {width}: {why}" for why in unequal(pair))
        everything = [one for one in page.controls if one.label in (REFUSE_ALL[language],)]
        if at.path == HOME:
            if not everything:
                yield f"{at.name} {language} {width}: refusing everything is not on the first screen"
            yield from (f"{at.name} {language} {width}: refusing everything ends at {one.box[1] + one.box[3]:.0f} px"
                      for one in everything if one.box[1] + one.box[3] > page.window[1])  # fmt: skip


def unequal(pair: list[Control]) -> list[str]:
    """How the first control of a pair, which refuses, is worth less than the second."""
    if len(pair) != 2:
        return [f"{len(pair)} controls in one choice"]
    no, yes = pair
    found = []
    if not (no.shown and yes.shown):
        return [f"not shown: {no.label if not no.shown else yes.label}"]
    if not 0.9 <= no.area / yes.area <= 1.1:
        found.append(f"{no.label} has {no.area / yes.area:.2f} times the area of {yes.label}")
    for name in ("tag", "size", "weight", "family", "border", "decoration"):
        if getattr(no, name) != getattr(yes, name):
            found.append(f"{no.label} and {yes.label} differ in {name}: {getattr(no, name)}, {getattr(yes, name)}")
    if no.contrast < 4.5 or no.contrast < yes.contrast - 0.01:
        found.append(f"{no.label} has a contrast of {no.contrast:.1f} against {yes.contrast:.1f}")
    if no.opacity < 1 or no.disabled:
        found.append(f"{no.label} is faded or out of use")
    if no.box[1] > yes.box[1] + 1:
        found.append(f"{no.label} stands below {yes.label}")
    return found


def dead_end(ways: Ways) -> Iterator[str]:
    """4.4.1: every way leads somewhere, and every control changes what is stored and shown."""
    yield from WALKS["ways"](ways)
    yield from WALKS["controls"](ways)


def longer_than_necessary(ways: Ways) -> Iterator[str]:
    """4.4.2: saying no, or taking a yes back, takes no more steps than saying yes; no reason is asked."""
    yield from WALKS["steps"](ways)


def misleading_action(ways: Ways) -> Iterator[str]:
    """4.4.3: each control is called by one of a few names, and does exactly what that name says."""
    yield from WALKS["effects"](ways)


def lacking_hierarchy(ways: Ways) -> Iterator[str]:
    """4.5.1: one title, no level skipped, and every choice within a part that has a name."""
    for at, language, _, page in ways.seen():
        levels = [level for level, _ in page.headings]
        if levels.count(1) != 1 or levels[0] != 1:
            yield f"{at.name} {language}: {levels.count(1)} titles"
        yield from (f"{at.name} {language}: “{text[:60]}” skips a level" for before, (level, text)
                  in zip(levels, page.headings[1:], strict=False) if level > before + 1)  # fmt: skip
        nameless = at.path.startswith(f"{HOME}/usage/")  # there the whole page is one use, under its title
        yield from (f"{at.name} {language}: {one.label} belongs to nothing that has a name" for one in page.controls
                  if one.value in ("yes", "no") and "purpose" in one.fields and not one.section and not nameless)  # fmt: skip


def decontextualising(ways: Ways) -> Iterator[str]:
    """4.5.2: the centre is called by a word that people look for, in its address and in the menu; help is within it."""
    for at, language, _, page in ways.seen():
        menu = [one.name.lower() for one in page.links if one.inside == "header" and one.url.split("?")[0].endswith(HOME)]
        found = any(word in name for name in menu for word in EXPECTED[language])
        if at.who != "nobody" and at.status == 200 and at.path.startswith(HOME) and not found:
            yield f"{at.name} {language}: no way to the centre under an expected word, but {menu}"
        if at.path == f"{HOME}/plus" and not re.search(r"@|cnil", page.text.lower()):
            yield f"{at.name} {language}: nobody to write to"


def inconsistent_interface(ways: Ways) -> Iterator[str]:
    """4.5.3: the same order, names and places of no and yes on every page and width."""
    for at, language, width, page in ways.seen():
        for pair in page.pairs():
            if {one.value for one in pair} == {"no", "yes"}:
                if (order := [one.label for one in pair]) != [NO[language], YES[language]]:
                    yield f"{at.name} {language} {width}: {' / '.join(order)}"
                first, second = pair[0].box, pair[1].box
                if not (first[0] < second[0] or first[1] < second[1]):
                    yield f"{at.name} {language} {width}: the second control is seen first"


def language_discontinuity(ways: Ways) -> Iterator[str]:
    """4.5.4: the page is in the language that it says, every sentence of it, and so is the page that follows."""
    for at, language, _, page in ways.seen():
        if page.lang != language:
            yield f"{at.name}: asked in {language}, says {page.lang}"
        for block in page.blocks:
            if block.inside == "main" and foreign(without_addresses(block.text, ways), language):
                yield f"{at.name} {language}: in another language: {block.text[:80]}"


def without_addresses(text: str, ways: Ways) -> str:
    """The text without the names and addresses of companies, which are in one language."""
    programme = ways.site.house.programme
    for one in (*programme.controllers.values(), *programme.recipients.values()):
        text = text.replace(one.legal_name, "")
    for controller in programme.controllers.values():
        text = text.replace(controller.address, "")
    return text


def foreign(text: str, language: str) -> bool:
    """Whether a sentence has more little words of the other language than of its own. Names have none of either, and what has
    digits in it (a key, a digest) is no word."""
    words = re.findall(r"[^\W\d_]+", re.sub(r"\S*\d\S*|[’']", " ", text.lower()))
    own, other = (FRENCH, ENGLISH) if language == "fr" else (ENGLISH, FRENCH)
    return sum(one in other - own for one in words) > max(1, sum(one in own - other for one in words))


def conflicting_information(ways: Ways) -> Iterator[str]:
    """4.6.1: what a page says, how its control looks and what the gate does are one and the same."""
    yield from WALKS["agreement"](ways)


def ambiguous_wording(ways: Ways) -> Iterator[str]:
    """4.6.2: no hedging, and for each use who, what and how long."""
    for at, language, _, page in ways.seen():
        for block in page.blocks:
            hedged = matches(block.text, HEDGES, unless_negated=True)
            yield from (f"{at.name} {language}: “{one.written}” in: {block.text[:80]}" for one in hedged)
        if at.path.startswith(f"{HOME}/usage/"):
            wanted = {"fr": ("Ce que nous regardons", "Responsable", "Combien de temps"),
                      "en": ("What we look at", "Responsible", "How long")}[language]  # fmt: skip
            yield from (f"{at.name} {language}: does not say: {one}" for one in wanted if one not in page.terms)


CHECKS: Mapping[str, Check] = {
    "4.1.1": continuous_prompting, "4.1.2": privacy_maze, "4.1.3": too_many_options, "4.2.1": deceptive_snugness,
    "4.2.2": look_over_there, "4.3.1": emotional_steering, "4.3.2": hidden_in_plain_sight, "4.4.1": dead_end,
    "4.4.2": longer_than_necessary, "4.4.3": misleading_action, "4.5.1": lacking_hierarchy, "4.5.2": decontextualising,
    "4.5.3": inconsistent_interface, "4.5.4": language_discontinuity, "4.6.1": conflicting_information, "4.6.2": ambiguous_wording,
}  # fmt: skip
