"""Is a question put so that yes and no are the same? A check of the very HTML that customers get. Pure.

Rules:
1. Exactly one form with exactly two choices, the same tag, class and attributes, no before yes, none pressed beforehand; no step,
   field, picture or link that only one of them has.
2. The words around steer nowhere: no pressure, no hedge, nothing soft, no exclamation, and they read easily.
3. Two texts that are compared differ in words alone: the same skeleton of tags and classes around the choices.

Size, colour and contrast need a browser and are tested there; with the same tag, class and parent they cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from volens.programme.reading import EASE_MIN, LANGUAGES, measure
from volens.programme.rules.consent import PRESSURE
from volens.programme.rules.plainness import TWISTED
from volens.programme.rules.wording import HEDGES, SOFT
from volens.programme.words import matches, pattern

_VALUES = ("name", "value", "aria-pressed")
"""Attributes in which the two choices may differ."""


@dataclass
class _Page(HTMLParser):
    """The forms of a page, and its words."""

    forms: list[list[tuple[str, dict[str, str]]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    skeleton: list[str] = field(default_factory=list)
    pictures: int = 0
    _in_form: bool = False

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._in_form = True
            self.forms.append([("form", said)])
        elif self._in_form:
            self.forms[-1].append((tag, said))
        if tag in ("img", "video", "svg", "audio", "marquee"):
            self.pictures += 1
        if self._in_form or tag in ("a", "button", "summary", "details"):
            self.skeleton.append(f"{tag}.{said.get('class', '')}")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in_form = False

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(data.strip())


def _read(html: str) -> _Page:
    page = _Page()
    page.feed(html)
    page.close()
    return page


def faults(html: str, language: str) -> list[str]:
    """What is unequal in one rendered question; empty if nothing is."""
    page = _read(html)
    found = []
    if len(page.forms) != 1:
        return [f"there are {len(page.forms)} forms, and one question has one"]
    inside = page.forms[0]
    choices = [(tag, said) for tag, said in inside if said.get("name") == "say"]
    if [said.get("value") for _, said in choices] != ["no", "yes"]:
        return ["the form does not offer no and yes, once each and in this order"]
    (one, no), (other, yes) = choices
    if one != other or _common(no) != _common(yes):
        found.append("no and yes are not the same element with the same class")
    if "true" in (no.get("aria-pressed"), yes.get("aria-pressed")) or any("checked" in said for _, said in inside):
        found.append("an answer is given beforehand")
    seen = [tag for tag, said in inside if tag in ("input", "select", "textarea") and said.get("type") != "hidden"]
    if seen:
        found.append("the form asks for more than yes or no")
    if any(tag == "a" for tag, _ in inside) or page.pictures:
        found.append("a link or a picture stands beside the answers")
    return found + _steers("\n".join(page.words), language)


def unlike(first: str, other: str, language: str) -> list[str]:
    """Why two rendered questions cannot be compared; empty if they differ in words alone and each is symmetric."""
    found = [f"the one in force: {fault}" for fault in faults(first, language)]
    found += [f"the other: {fault}" for fault in faults(other, language)]
    if _read(first).skeleton != _read(other).skeleton:
        found.append("they differ in more than their words: another element, class or order")
    return found


def _common(said: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in said.items() if name not in _VALUES}


def _steers(words: str, language: str) -> list[str]:
    found = []
    for phrases, fault in ((PRESSURE, "presses"), (SOFT, "hides what is done"), (HEDGES, "leaves open what is done"),
                           (TWISTED, "turns the question round")):  # fmt: skip
        hits = sorted({hit.written for hit in matches(words, pattern(*phrases)) if hit.written.lower() != "may"})
        found += [f"“{hit}” {fault}" for hit in hits]
    if "!" in words:
        found.append("there is an exclamation mark")
    if language in LANGUAGES and (ease := measure(words, language).ease) < EASE_MIN:
        found.append(f"its reading ease is {ease:.0f}, and {EASE_MIN} is the least")
    return found
