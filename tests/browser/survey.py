"""What a person finds on a page: words, headings, controls and links with their places, sizes and colours, read in the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCRIPT = Path(__file__).with_name("survey.js").read_text("utf-8")


@dataclass(frozen=True)
class Block:
    """A piece of text that stands by itself."""

    text: str
    tag: str
    lang: str
    inside: str


@dataclass(frozen=True)
class Control:
    """Something to press, tick or fill in. Lengths in CSS pixels."""

    tag: str
    type: str
    label: str
    """What is seen on it."""
    name: str
    """What is read out."""
    value: str
    field: str
    pressed: str | None
    checked: bool
    required: bool
    disabled: bool
    action: str
    method: str
    fields: Mapping[str, str]
    section: str
    pair: bool
    group: int
    """The number of the pair that it belongs to; -1 for none."""
    box: Sequence[float]
    contrast: float
    opacity: float
    shown: bool
    size: float
    weight: str
    family: str
    border: float
    decoration: str

    @property
    def area(self) -> float:
        """Width by height."""
        return self.box[2] * self.box[3]


@dataclass(frozen=True)
class Link:
    """A way to another page."""

    href: str
    url: str
    label: str
    name: str
    box: Sequence[float]
    alone: bool
    """Whether it stands outside running text, where targets have to be large."""
    shown: bool
    skip: bool
    inside: str


@dataclass(frozen=True)
class Survey:
    """One page as it was found."""

    address: str
    lang: str
    title: str
    status: str
    headings: Sequence[Sequence[Any]]
    blocks: Sequence[Block]
    controls: Sequence[Control]
    links: Sequence[Link]
    moving: int
    drawing: Sequence[str]
    clipped: int
    text: str
    wide: int
    """How much wider than the window."""
    high: int
    window: Sequence[int]
    terms: Sequence[str]

    def pairs(self) -> list[list[Control]]:
        """Controls that stand beside each other as one choice, in the order of the page."""
        numbers = sorted({one.group for one in self.controls if one.group >= 0})
        return [[one for one in self.controls if one.group == number] for number in numbers]


def survey(page: Page) -> Survey:
    """Reads the page that is open."""
    found = page.evaluate(SCRIPT)
    return Survey(
        **{
            **found,
            "blocks": [Block(**one) for one in found["blocks"]],
            "controls": [Control(**one) for one in found["controls"]],
            "links": [Link(**one) for one in found["links"]],
        }
    )
