"""`volens simulate`: an invented shop of any size, as the files that it would send."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from volens.cli.say import SIZE, bar, clock, json_option, speaking, tell

if TYPE_CHECKING:
    from volens.simulate import Simulated


class _Share(click.ParamType[float]):
    """A share: 0.3 or 30%."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """As a float from 0 to 1."""
        if isinstance(value, float):
            return value
        try:
            text = str(value).strip()
            share = float(text.rstrip(" %")) / 100 if text.endswith("%") else float(text)
        except ValueError:
            self.fail(f"{value!r} is not a share; write 0.3 or 30%", param, ctx)
        if not 0 <= share <= 1:
            self.fail(f"{value!r} is not between 0 and 1; write 0.3 or 30%", param, ctx)
        return share


SHARE = _Share()


@click.command()
@click.option("--out", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("simulated"), show_default=True,
              help="Where the files go: an empty folder, or one that is not there yet.")
@click.option("--customers", type=SIZE, default="2500", show_default=True, help="Cards that were handed out; 2.2m is fine.")
@click.option("--lines", type=SIZE, help="Purchase lines, exactly. Default: 22.6 a card and year, as in a chain.")
@click.option("--days", type=click.IntRange(1), default=365, show_default=True, help="How long, the last day included.")
@click.option("--end", type=click.DateTime(["%Y-%m-%d"]), help="The last day. Default: the last day of last month.")
@click.option("--refuse", type=SHARE, default="30%", show_default=True, help="Share of customers who refuse statistics.")
@click.option("--dirt", type=SHARE, default="0", show_default=True, help="Share of lines that are broken on purpose.")
@click.option("--products", type=SIZE, default="30000", show_default=True, help="How many products there are.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Another seed, another shop.")
@click.option("--format", "file_format", type=click.Choice(["parquet", "csv"]), default="parquet", show_default=True)
@click.option("--house", type=click.Path(path_type=Path, file_okay=False),
              help="Take everything in as well, into this house; made if it is not there.")
@json_option
@speaking
def simulate(folder: Path, customers: int, lines: int | None, days: int, end: date | None, refuse: float, dirt: float,
             products: int, seed: int, file_format: str, house: Path | None, as_json: bool) -> None:
    """Make an invented shop of any size: products, customers, choices and purchases, as the files that it would send.

    The same arguments give the same bytes; name --end too, since its default moves with the calendar.
    """
    from volens.simulate import Shop, write_all

    last = date(end.year, end.month, end.day) if end is not None else clock().now().date().replace(day=1) - timedelta(days=1)
    shop = Shop(
        customers=customers,
        lines=lines if lines is not None else max(1, customers * days * 226 // 3650),
        days=days,
        last_day=last,
        seed=seed,
        refuse=refuse,
        products_count=products,
        dirt=dirt,
    )
    with bar("") as told:
        made = write_all(shop, folder, file_format, told)
    value: dict[str, Any] = {"folder": str(folder), "end": last, **made.counted.to_dict()}
    counted = made.counted
    text = (
        f"{counted.lines:,} lines on {counted.receipts:,} receipts of {counted.customers:,} customers, "
        f"{shop.first_day} to {last}, are in {folder}."
    )
    if counted.refused:
        text += f"\n{counted.refused.total():,} more lines are broken on purpose; simulated.json says how many for which reason."
    if house is not None:
        value["taken in"] = summary = _take_in(made, house, customers)
        text += f"\n{house} has taken in {summary['lines_accepted']:,} lines and refused {summary['lines_refused']:,}; "
        text += f"of {summary['choices']['lines']:,} choices it took in {summary['choices']['taken']:,}."
    else:
        text += f"\nTake it in:  volens ingest --house HOUSE --products {made.products}"
        text += "".join(
            f"\n             volens ingest --house HOUSE {path} --mapping {folder / name}.mapping.yaml"
            for path, name in ((made.people, "clients"), (made.feed, "caisses"))
        )
        text += f"\n             volens choices import --house HOUSE {made.choices}"
    tell(value, text, as_json)


def _take_in(made: Simulated, folder: Path, customers: int) -> dict[str, Any]:
    """Products, people, purchases, choices, in this order; the house is made if it is not there."""
    from volens import app

    is_there = (folder / "volens.toml").exists()
    opening = app.open_house(folder, clock=clock()) if is_there else app.initialise(folder, customers=customers, clock=clock())
    with opening as house:
        house.load_products(made.products)
        with bar(made.people.name) as told:
            house.take_in_people(made.people, made.people_mapping, told)
        with bar(made.feed.name) as told:
            summary = house.take_in(made.feed, made.feed_mapping, told)
        # After the purchases: a card that nobody has a name for is known by what was bought with it.
        with bar(made.choices.name) as told:
            said = house.imports.take_in(made.choices, told=lambda share, _: told("reading", int(share * 1000), 1000))
        house.checkpoint()
    return {**summary.to_dict(), "lines_refused": summary.lines_refused, "choices": said.to_dict()}
