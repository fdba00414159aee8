"""A house whose offer has a licence: photos, first names and reviews, for two purposes, on two media, in France and Luxembourg."""

from __future__ import annotations

import atexit
import copy
import io
import json
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from tests.support.offers import written
from tests.support.shop import HandClock
from tests.support.taking_part import CLAIRE, NOW, Shop
from tests.support.taking_part import settle as settle_offers
from volens.app import House, open_house
from volens.licensing.store import Item, Use, Word
from volens.licensing.takedowns import Proof
from volens.licensing.using import Publisher, Wanted

OFFER = "cent-euros-parrainage"
SITE, SHOPS = "own-site", "own-shops"
WEBSITE, POSTERS = "own-website", "own-posters"
HOUSE = Publisher("site")
PRINTER = Publisher("affiches", "envoi-clair", "Envoi Clair SARL")
"""A company that the licence does not name, unless a test says so."""
GPS = {1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)}


def document(version: int = 1, *, starts: str = "2026-12-01", ends: str = "2027-02-28", **licence: Any) -> str:
    """The lawful offer of the press, with a licence of two purposes, which ends three months later; keys of it changed."""
    plain: dict[str, Any] = copy.deepcopy(written())
    plain["version"] = version
    plain["countries"] = ["FR", "LU"]
    plain["starts"], plain["ends"] = date.fromisoformat(starts), date.fromisoformat(ends)
    plain["licence"] |= {
        "items": ["photo", "first-name", "review"], "purposes": [SITE, SHOPS], "media": [WEBSITE, POSTERS],
        "territories": ["FR", "LU"], "starts": plain["starts"], "ends": plain["ends"] + timedelta(days=92), **licence,
    }  # fmt: skip
    return json.dumps(plain, default=str)


def photo(kind: str = "JPEG", size: tuple[int, int] = (640, 480), *, gps: bool = True, **more: Any) -> bytes:
    """A photo as a phone makes it: with the place where it was taken."""
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    exif = Image.Exif()
    exif[271] = "PhoneMaker Exemple"
    exif.get_ifd(0x8825).update(GPS if gps else {})
    drawn = io.BytesIO()
    picture.save(drawn, kind, exif=exif, **more)
    return drawn.getvalue()


@dataclass
class Studio:
    """The house, its people, and what they do."""

    shop: Shop
    keys: list[str] = field(default_factory=list)
    cards: dict[str, int] = field(default_factory=dict)
    """Cards of people whom a test knows by name."""

    @property
    def house(self) -> House:
        return self.shop.house

    def number(self, card: int = 1) -> int:
        """The customer of a card."""
        return self.shop.number(card)

    def say(self, card: int = 1, purpose: str = SITE, yes: bool = True, **changed: Any) -> Word:
        """Yes or no, to the terms in force, by a grown-up."""
        current = self.house.licences.chance(self.number(card), OFFER).current
        said = {
            "version": current.offer.version, "language": "fr", "shown": current.sha256("fr"), "adult": True, **changed,
        }  # fmt: skip
        return self.house.licences.giving.say(self.number(card), OFFER, purpose, yes, **said)

    def add(self, card: int = 1, *, approved: bool = True, file: bytes | None = None) -> Item:
        """A photo of hers, said yes to."""
        made = self.house.licences.items.add_photo(self.number(card), OFFER, file if file is not None else photo())
        return self.house.licences.items.approve(self.number(card), made.item) if approved else made

    def write(self, kind: str = "first-name", text: str = "Camille", card: int = 1, *, approved: bool = True) -> Item:
        """A text of hers, said yes to."""
        made = self.house.licences.items.add_text(self.number(card), OFFER, kind, text)
        return self.house.licences.items.approve(self.number(card), made.item) if approved else made

    def plan(self, item: Item, by: Publisher = HOUSE, **changed: str) -> Use:
        """A use of an item on the website."""
        self.keys.append(f"key-{len(self.keys)}")
        said = {
            "offer": OFFER, "item": item.item, "purpose": SITE, "medium": WEBSITE, "territory": "FR",
            "place": "https://le-panier.example/clients", "key": self.keys[-1], **changed,
        }  # fmt: skip
        return self.house.licences.using.plan(by, Wanted(**said))

    def ready(self, item: Item | None = None, by: Publisher = HOUSE, days: int = 7, **changed: str) -> Use:
        """A use of which its person was told, with her days gone by."""
        made = self.plan(item if item is not None else self.add(), by, **changed)
        self.house.delivery.deliver()
        self.house.licences.using.note_told()
        self.shop.hand.pass_days(days)
        return made

    def out(self, item: Item | None = None, *, published: bool = True, **changed: str) -> Use:
        """A use that is up."""
        made = self.ready(item, **changed)
        self.house.licences.using.hand_over(HOUSE, made.number)
        if published:
            return self.house.licences.using.published(HOUSE, made.number, at=self.shop.hand.now())
        return made

    def down(self, number: int, status: int = 410) -> Use:
        """It is not there any more."""
        return self.house.licences.using.down(HOUSE, number, Proof(self.shop.hand.now(), HOUSE.machine, status))

    def clean(self) -> None:
        """The audit finds nothing."""
        self.shop.clean()


def settled(folder: Path) -> Studio:
    """The same as `settle` on SQLite: a house that was settled once in this process, copied and opened."""
    shutil.copytree(_template() / "house", folder / "house")
    hand = HandClock(NOW)
    return Studio(Shop(open_house(folder / "house", clock=hand.clock), hand))


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="volens-studio-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    settle(folder).house.close()
    return folder


def settle(folder: Path, records_url: str | None = None, *, budget_cents: int = 100_000) -> Studio:
    """A new house with everybody in it, and the offer launched in France and Luxembourg."""
    shop = settle_offers(folder, records_url)
    shop.put(document(), budget_cents=budget_cents)
    shop.budget(OFFER, budget_cents, "LU")
    shop.house.offering.launch(OFFER, "LU", by=CLAIRE)
    return Studio(shop)


