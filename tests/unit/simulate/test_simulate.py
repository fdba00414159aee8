"""The invented shop: the same every time, skewed as a real one, and what it announces is what comes out."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import date
from hashlib import blake2b, sha256
from pathlib import Path

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from volens.cli.main import main
from volens.errors import BadInput
from volens.simulate import Shop, write_all
from volens.simulate import people as simulated_people
from volens.simulate.catalogue import products
from volens.simulate.draws import apportion, table
from volens.simulate.shop import LINES_PER_PIECE, Piece

SMALL = Shop(300, 9_000, 60, date(2026, 10, 31), seed=7, refuse=0.3, products_count=500, dirt=0.02)


def digest(piece: Piece) -> str:
    """All that a piece says."""
    whole = blake2b(digest_size=8)
    for field in fields(piece):
        value = getattr(piece, field.name)
        whole.update(value.astype("<i8").tobytes() if isinstance(value, np.ndarray) else str(value).encode())
    return whole.hexdigest()


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_the_same_arguments_give_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    first, again, other = (tmp_path / name for name in ("first", "again", "other"))
    write_all(SMALL, first)
    write_all(replace(SMALL), again)
    write_all(replace(SMALL, seed=8), other)
    assert files(first) == files(again)
    for name in ("produits.csv", "clients.parquet", "choix.parquet", "caisses/2026-10.parquet"):
        assert files(first)[name] != files(other)[name]


def test_a_piece_follows_from_its_number_alone() -> None:
    """So pieces can be made in any order, and by several processes."""
    in_order = [digest(piece) for piece in SMALL.pieces()]
    backwards = [digest(replace(SMALL).piece(*part)) for part in reversed(SMALL.parts)]
    assert in_order == backwards[::-1]


def test_what_is_made_does_not_change_from_version_to_version() -> None:
    """Figures that were measured on a simulated shop can be measured again. If this must change, so must `draws.METHOD`."""
    whole = blake2b("".join(digest(piece) for piece in SMALL.pieces()).encode(), digest_size=8)
    for master, choices in simulated_people.customer_pieces(SMALL):
        whole.update(json.dumps([master.to_pylist(), choices.to_pylist(), SMALL.products.table.to_pylist()]).encode())
    assert whole.hexdigest() == "6d1f0e37db7a2c96"


@settings(deadline=None)
@given(
    st.integers(1, 3_000),
    st.integers(1, 20_000),
    st.integers(1, 40),
    st.integers(0, 2**63 - 1),
)
def test_exactly_the_lines_asked_for_of_cards_that_exist(customers: int, lines: int, days: int, seed: int) -> None:
    shop = replace(SMALL, customers=customers, lines=lines, days=days, seed=seed)
    made = 0
    for day, part, some in shop.parts[:3] + shop.parts[3:][-1:]:
        piece = shop.piece(day, part, some)
        assert piece.lines == some
        assert ((piece.customer >= 0) & (piece.customer < customers)).all()
        assert (np.sign(piece.quantity) == np.sign(piece.amount)).all()
        assert (piece.discount >= 0).all()
        made += some
    assert sum(some for _, _, some in shop.parts) == lines
    assert made <= lines


def test_memory_is_that_of_a_piece_however_large_the_shop() -> None:
    shop = replace(SMALL, customers=40_000_000, lines=3_000_000_000, days=365)
    assert max(lines for _, _, lines in shop.parts) <= LINES_PER_PIECE
    assert shop.piece(*shop.parts[-1]).lines == shop.parts[-1][2]


def test_the_skew_is_that_of_a_real_chain() -> None:
    """A card's lines: half of those who buy have 19 at most, the mean is 29, one in a hundred has more than 165."""
    shop = Shop(40_000, 904_000, 365, date(2026, 10, 31), seed=1, refuse=0.3)
    lines = np.zeros(shop.customers, dtype=np.int64)
    sold = np.zeros(shop.products_count, dtype=np.int64)
    by_weekday, baskets = np.zeros(7), 0
    for piece in shop.pieces():
        lines += np.bincount(piece.customer[piece.basket], minlength=shop.customers)
        sold += np.bincount(piece.product, minlength=shop.products_count)
        by_weekday[piece.day.weekday()] += piece.lines
        baskets += len(piece.customer)
    bought = lines[lines > 0]
    assert 0.75 < len(bought) / shop.customers < 0.80
    assert 17 <= np.percentile(bought, 50) <= 20
    assert 28 <= bought.mean() <= 30
    assert 150 <= np.percentile(bought, 99) <= 175
    assert 300 <= bought.max() <= 800
    assert 8.5 < shop.lines / baskets < 9.5
    ranked = np.sort(sold)[::-1].cumsum() / shop.lines
    assert 0.35 < ranked[shop.products_count // 100] < 0.60, "one product in a hundred is about half of what is sold"
    assert by_weekday.argmax() == 5, "Saturday"
    assert by_weekday.argmin() == 6, "Sunday"


@pytest.mark.parametrize("share", [0.001, 0.3, 0.7])
def test_as_many_refuse_as_was_asked_for(share: float) -> None:
    refuses = replace(SMALL, customers=200_000, refuse=share).refuses(np.arange(200_000))
    assert abs(refuses.mean() - share) < 0.004


def test_nobody_can_be_mistaken_for_a_real_person() -> None:
    shop = replace(SMALL, customers=12_000)
    ((master, choices),) = simulated_people.customer_pieces(shop)
    rows = master.to_pylist()
    assert len({row["Carte"] for row in rows}) == len(rows)
    assert all(len(row["Carte"]) == 13 and row["Carte"].startswith("28") for row in rows)
    assert all(row["Courriel"].endswith("@example.org") for row in rows)
    assert len({row["Courriel"] for row in rows}) == len(rows)
    assert all(row["Code postal"].startswith(("99", "0")) for row in rows)
    assert all(row["Téléphone"] is None or row["Téléphone"].startswith("06 39 98 ") for row in rows)
    phones = [row["Téléphone"] for row in rows if row["Téléphone"]]
    assert len(set(phones)) == len(phones)
    said = choices.to_pylist()
    assert len(said) == 2 * shop.customers
    assert all(row["proof"] and row["text"] and row["surface"] and row["language"] in ("fr", "en") for row in said)
    assert [row["kind"] for row in said[::2]] == ["joined"] * shop.customers
    assert {row["kind"] for row in said[1::2]} == {"given", "refused"}
    for joined, asked in zip(said[::2], said[1::2], strict=True):
        assert joined["time"] <= asked["time"]
        assert joined["card"] == asked["card"]


def test_check_digits_of_cards() -> None:
    for card in simulated_people.cards(np.arange(50)).to_pylist():
        assert sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(card)) % 10 == 0


def test_every_category_has_products_and_the_sample_suppliers_have_their_brands() -> None:
    made = products(2_000, seed=3)
    pairs = set(zip(made.table["category"].to_pylist(), made.table["brand"].to_pylist(), strict=True))
    assert len({category for category, _ in pairs}) > 290
    assert {("jus-frais", "midi-jus-frais"), ("jus-frais", "presse-jus-frais")} <= pairs
    assert 0.03 < made.weighed.mean() < 0.3


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.integers(0, 100_000))
def test_parts_add_up(weights: list[float], total: int) -> None:
    if sum(round(weight * 2**32) for weight in weights) == 0:
        with pytest.raises(ValueError, match="weight"):
            apportion(weights, total)
        return
    parts = apportion(weights, total)
    assert parts.sum() == total
    assert (parts >= 0).all()
    ideal = np.asarray(weights) / sum(weights) * total
    assert np.abs(parts - ideal).max() < 1 + 1e-6 * total
    assert len(table(weights, 8)) == 256


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"customers": 0}, "0 customers"),
        ({"products_count": 10}, "10 products"),
        ({"refuse": 1.5}, "--refuse"),
        ({"days": 1, "last_day": date(2026, 1, 1)}, "closed"),
    ],
)
def test_a_shop_that_cannot_be_is_refused(change: dict[str, object], match: str) -> None:
    with pytest.raises(BadInput, match=match):
        replace(SMALL, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_what_is_announced_comes_out(file_format: str, tmp_path: Path) -> None:
    """Exactly: lines, receipts, customers, and each broken line for its reason."""
    out, house = tmp_path / "out", tmp_path / "house"
    asked = ["simulate", "--out", out, "--house", house, "--customers", 150, "--lines", "3k", "--days", 20, "--dirt", "5%"]
    asked += ["--end", "2026-10-31", "--products", 400, "--format", file_format, "--json"]
    ran = CliRunner().invoke(main, [str(word) for word in asked], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    said = json.loads(ran.stdout)
    announced = json.loads((out / "simulated.json").read_text())["must come out"]
    taken = said["taken in"]
    assert taken["lines_accepted"] == announced["lines"] == said["lines"]
    assert taken["receipts"] == announced["receipts"]
    assert taken["customers"] == announced["customers"]
    assert taken["refused"] == announced["refused"]
    assert sum(announced["refused"].values()) + announced["lines"] == 3_000
    assert len(announced["refused"]) == 5


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    write_all(SMALL, tmp_path / "parquet")
    write_all(SMALL, tmp_path / "csv", "csv")
    strings = pa_csv.ConvertOptions(column_types={"magasin": "string"})
    one = pq.read_table(tmp_path / "parquet/caisses/2026-10.parquet")
    other = pa_csv.read_csv(tmp_path / "csv/caisses/2026-10.csv", None, pa_csv.ParseOptions(delimiter=";"), strings)
    assert one["montant_centimes"].to_pylist() == other["montant_centimes"].to_pylist()
    assert one.num_rows == other.num_rows > 0


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    with pytest.raises(BadInput, match="not empty"):
        write_all(SMALL, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
