"""The names that people read: complete, in normal words, and nobody's trade marks."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from volens.demo import catalogue
from volens.demo.catalogue import OWN_LABEL, SUPPLIERS, Names
from volens.demo.source import Journey
from volens.programme.load import load
from volens.programme.start import sample

MOST_BOUGHT = 900
SHORTHAND = re.compile(
    r"\b(frzn|frz|refr|refrig|misc|pkg|pkgd|btl|bttl|asst|sgl|mlt|pk|ppk|chix|brkfst|whlsm|dnr|dnrs|jce|jui|sw|gds|swt|flvr|"
    r"flvrd|rts|iqf|rw|nz|hbc|gm|ss|lt|prpck|spf|vend|cnd|crmd|w|fs|whl|bn|veg|sv|dl|etc|alim|prod|accs|access|div|surg|cons)\b"
    r"|\b\w+\.(?=\s|$)|[/&;:*#|_\"()]|  ",
    re.IGNORECASE,
)
SHOUTING = re.compile(r"[A-ZÀ-ÖØ-Þ]{2,}")
WITHOUT_ACCENT = re.compile(
    r"\b(creme|cremes|pate|pates|peche|peches|gateau|gateaux|legume|legumes|cafe|cafes|the|thes|ble|mais|epice|epices|boeuf|oeuf|"
    r"oeufs|bebe|cereale|cereales|desodorisant|surgele|surgeles|surgelee|surgelees|fume|fumes|fumee|fumees|pret|prets|roti|"
    r"fraiche|fraiches|hygiene|deodorant|deodorants|boite|boites|biere|bieres|sante|beaute|legere|reserve|epinard)\b",
    re.IGNORECASE,
)
# Those that the source's own type names mention.
TRADE_MARKS = re.compile(
    r"\b(friskies|ritz|cheez|purina|alpo|pedigree|skippy|covergirl|maybelline|revlon|or[ée]al|sally|leggs|pepperidge|kodak|hanes|"
    r"levis?|barbie|saran|coty|almay|american express)\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def named() -> Names:
    return catalogue.names()


@pytest.fixture(scope="module")
def texts(named: Names) -> list[tuple[str, str]]:
    """All pairs of French and English."""
    return [(one.fr, one.en) for one in named.categories.values()] + list(named.types.values())


def test_every_category_has_a_name(named: Names, package: Path) -> None:
    source = pq.ParquetFile(package / "products.parquet").read(columns=["product_category"]).column(0)
    assert set(named.categories) == {category or "" for category in pc.unique(source).to_pylist()}
    for attribute in ("slug", "fr", "en"):
        counted = Counter(getattr(one, attribute) for one in named.categories.values())
        assert [value for value, count in counted.items() if count > 1] == []
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one.slug) for one in named.categories.values())


def test_the_most_bought_types_have_a_name(named: Names, whole: Journey) -> None:
    lines = whole.lines.select(["product"]).join(whole.products, "product", join_type="inner")
    pairs = Counter(zip(lines.column("category").to_pylist(), lines.column("type").to_pylist(), strict=True))
    most = [pair for pair, _ in sorted(pairs.items(), key=lambda item: (-item[1], str(item[0]))) if pair[1] is not None]
    assert [pair for pair in most[:MOST_BOUGHT] if (pair[0] or "", pair[1]) not in named.types] == []
    assert {category for category, _ in named.types} <= set(named.categories)


def test_types_of_one_category_have_names_of_their_own(named: Names) -> None:
    counted = Counter((category, name) for (category, _), names in named.types.items() for name in names if names[0] != names[1])
    assert [key for key, count in counted.items() if count > 1] == []


def test_names_are_written_for_people(texts: list[tuple[str, str]]) -> None:
    for text in (text for pair in texts for text in pair):
        assert text == text.strip(), text
        assert 3 <= len(text) <= 48, text
        assert text[0].isupper(), text
        assert not SHOUTING.search(text), text
        assert not SHORTHAND.search(text), text
        assert not TRADE_MARKS.search(text), text


def test_french_is_french_and_english_is_english(texts: list[tuple[str, str]]) -> None:
    french, english = [fr for fr, _ in texts], [en for _, en in texts]
    assert [fr for fr in french if WITHOUT_ACCENT.search(fr)] == []
    assert sum(bool(re.search(r"[éèêëàâçîïôûùœ]", fr, re.IGNORECASE)) for fr in french) > len(french) / 3
    assert [en for en in english if re.search(r"[èêàâçîôûùœ]", en)] == []
    assert sum(fr == en for fr, en in texts) < len(texts) / 20


def test_the_bottle_of_the_story(named: Names) -> None:
    assert named.categories["REFRGRATD JUICES/DRNKS"] == catalogue.Category("jus-frais", "Jus frais", "Chilled juices")
    kind = ("REFRGRATD JUICES/DRNKS", "DAIRY CASE 100% PURE JUICE - O")
    assert named.types[kind] == ("Jus d'orange pur jus", "Pure orange juice")


def test_brands_are_those_of_the_programmes_suppliers(named: Names, package: Path) -> None:
    programme = load(sample())
    of_programme = {maker: one.id for one in programme.recipients.values() for maker in one.makers}
    assert of_programme == dict(SUPPLIERS)
    declared = {brand for one in programme.recipients.values() for brand in one.brands}
    assert declared <= {brand for brand, _ in named.brands.values()}
    listed = pq.ParquetFile(package / "products.parquet").read(columns=["manufacturer_id", "product_category"])
    makes = {
        (row["manufacturer_id"], named.categories[row["product_category"] or ""].slug)
        for row in listed.to_pylist()
        if row["manufacturer_id"] in SUPPLIERS
    }
    assert set(named.brands) == makes
    for position in (0, 1):
        assert len({pair[position] for pair in named.brands.values()}) == len(named.brands)
    assert not any(TRADE_MARKS.search(name) or SHOUTING.search(name) for _, name in named.brands.values())


def test_the_product_file(named: Names, journey: Journey) -> None:
    rows = catalogue.product_file(journey.products, named).to_pylist()
    makers = dict(zip(journey.products["product"].to_pylist(), journey.products["maker"].to_pylist(), strict=True))
    assert len(rows) == journey.products.num_rows
    for row in rows:
        maker = makers[int(row["sku"])]
        if maker == OWN_LABEL:
            assert (row["brand"], row["brand_name"]) == (f"le-panier-{row['category']}", "Le Panier")
            assert row["maker"] == "le-panier"
        elif maker in SUPPLIERS:
            assert row["brand"] is not None
            assert row["maker"] == SUPPLIERS[maker]
        else:
            assert (row["brand"], row["brand_name"]) == (None, None)
            assert row["maker"] == (None if maker == 2 else f"maker-{maker}")
