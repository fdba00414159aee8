"""Things of hers: sealed, shown to her alone, said yes to one by one, deleted when she likes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.licensing import OFFER, SHOPS, SITE, Studio, document, photo

from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.licensing import store
from volens.licensing.texts import CHARACTERS_MAX, written
from volens.offers.document import Item as Kind

REVIEW = "Un très bon jus, pressé du matin, que toute la famille aime."


def test_neither_photo_nor_words_lie_anywhere_in_clear(studio: Studio, tmp_path: Path) -> None:
    studio.say()
    photographed = studio.add()
    studio.write("review", REVIEW)
    kept = studio.house.licences.items.content(studio.number(), photographed.item)[1]
    studio.ready(photographed)
    studio.house.checkpoint()
    pieces = [kept[200:232], kept[-64:-32], REVIEW.encode()[:40], REVIEW.encode("utf-16-le")[:40]]
    looked = 0
    for file in tmp_path.rglob("*"):
        if file.is_file():
            looked += 1
            content = file.read_bytes()
            for piece in pieces:
                assert piece not in content, f"{file} holds a piece of hers"
    assert looked > 5
    with studio.shop.records.reading() as connection:
        sealed = store.item(connection, photographed.item)
        assert sealed is not None
        assert sealed.sealed is not None
        assert all(piece not in sealed.sealed for piece in pieces)
        for row in log.rows(connection, EVENTS):
            assert REVIEW[:20] not in row.detail


def test_an_item_is_hers_alone(studio: Studio) -> None:
    studio.say()
    studio.say(2)
    item = studio.add()
    items = studio.house.licences.items
    for refused in (items.content, items.approve, items.delete):
        with pytest.raises(NotFound):
            refused(studio.number(2), item.item)
    with pytest.raises(NotFound):
        items.content(studio.number(), "0" * 32)


def test_each_is_said_yes_to_by_itself_and_twice_is_once(studio: Studio) -> None:
    studio.say()
    first, second = studio.add(approved=False), studio.add(approved=False)
    approved = studio.house.licences.items.approve(studio.number(), first.item)
    assert studio.house.licences.items.approve(studio.number(), first.item) == approved
    with studio.shop.records.reading() as connection:
        assert [one.state for one in store.items_of(connection, offer=OFFER)] == ["approved", "added"]
        assert len(list(log.rows(connection, EVENTS, kinds=["item-approved"]))) == 1
    assert second.version is None
    studio.clean()


def test_deleting_takes_the_bytes_at_once(studio: Studio) -> None:
    studio.say()
    item = studio.add()
    items = studio.house.licences.items
    assert items.delete(studio.number(), item.item).state == "deleted"
    assert items.delete(studio.number(), item.item).state == "deleted"
    with studio.shop.records.reading() as connection:
        found = store.item(connection, item.item)
        assert found is not None
        assert found.sealed is None
    for refused in (items.content, items.approve):
        with pytest.raises((NotFound, NotNow)):
            refused(studio.number(), item.item)
    studio.clean()


def test_without_a_yes_nothing_is_taken(studio: Studio) -> None:
    with pytest.raises(NotNow):
        studio.add()
    studio.say(yes=False)
    with pytest.raises(NotNow):
        studio.write()
    studio.say()
    item = studio.add(approved=False)
    studio.say(yes=False)
    with pytest.raises(NotNow):
        studio.house.licences.items.approve(studio.number(), item.item)
    studio.house.licences.items.delete(studio.number(), item.item)


@pytest.mark.prove
def test_only_what_the_licence_names(studio: Studio) -> None:
    studio.say()
    with pytest.raises(BadInput):
        studio.write("home-town", "Lyon")
    with pytest.raises(BadInput):
        studio.write("voice", "…")
    studio.shop.put(document(2, items=["voice", "first-name"]), budget_cents=None)
    studio.say()
    assert studio.house.licences.of_customer(studio.number())[0].kinds == ("first-name",), "a voice cannot be given here"
    with pytest.raises(BadInput):
        studio.add()


def test_at_the_limit_and_one_past(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volens.licensing.items.ITEMS_MAX", 2)
    studio.say()
    first = studio.write()
    studio.write()
    with pytest.raises(NotNow):
        studio.write()
    studio.house.licences.items.delete(studio.number(), first.item)
    studio.write()


@pytest.mark.prove
def test_items_of_two_purposes_are_one_list(studio: Studio) -> None:
    studio.say(purpose=SHOPS)
    item = studio.add()
    with pytest.raises(Exception, match="not given"):
        studio.plan(item, purpose=SITE)
    assert studio.plan(item, purpose=SHOPS).state == "planned"


@pytest.mark.parametrize("kind", CHARACTERS_MAX)
def test_words_at_the_limit_and_one_past(kind: str) -> None:
    most = CHARACTERS_MAX[Kind(kind)]
    assert written(kind, "é" * most).decode() == "é" * most
    with pytest.raises(BadInput):
        written(kind, "é" * (most + 1))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("first-name", ""), ("first-name", "   "), ("first-name", "Ca\nmille"), ("first-name", "Ca\u202emille"),
        ("first-name", "Camille\x00"), ("first-name", "<b>Camille</b>"), ("first-name", "x" * 31),
        ("review", "\n".join("abcdefghijklmnopqrstu")), ("photo", "text"), ("voice", "text"),
        ("anything", "text"), ("review", "a\u200bb"), ("user-name", "a\ue000b"),
    ],
)  # fmt: skip
def test_words_that_are_not_taken(kind: str, text: str) -> None:
    with pytest.raises(BadInput):
        written(kind, text)


def test_words_are_kept_as_they_were_written() -> None:
    assert written("first-name", "  Zoe\u0308 ").decode() == "Zoë"
    assert written("review", "Bon.\r\nTrès bon. 👩\u200d👧 <b>").decode() == "Bon.\nTrès bon. 👩\u200d👧 <b>"


@pytest.mark.prove
def test_the_photo_that_is_kept_has_no_place(studio: Studio) -> None:
    studio.say()
    item = studio.add(file=photo("WEBP"))
    kept = studio.house.licences.items.content(studio.number(), item.item)[1]
    assert b"Exif" not in kept
    assert b"PhoneMaker" not in kept
