"""Opens the shop beside the demo's house: python -m examples.shop.start demo   (or: make shop)

Rules:
1. What is for sale, at which price, and what some customers usually buy is read from the demo's feeds, as a shop knows it.
2. Volens runs as a process of its own, with its sign-in for developers; the shop has a key with few scopes, nothing else of it.
"""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import httpx
import polars as pl
import uvicorn
import yaml
from examples.shop.goods import SHELVES, load
from examples.shop.shop import application
from examples.shop.volens_api import Volens

from volens import invented as people

SCOPES = ("ads", "asking", "reminders")
THINGS_LEAST, THINGS_MOST, RECEIPTS_LEAST, CUSTOMERS, HOUSEHOLDS = 8, 20, 40, 4, 2_600
WAIT_SECONDS, KEY_DAYS = 60, 300


@click.command()
@click.argument("demo", type=click.Path(path_type=Path), default=Path("demo"))
@click.option("--port", type=click.IntRange(1, 65_535), default=8001, show_default=True, help="Of the shop.")
@click.option("--volens-port", type=click.IntRange(1, 65_535), default=8000, show_default=True, help="Of Volens.")
def start(demo: Path, port: int, volens_port: int) -> None:
    """Serves the shop and Volens, for the folder DEMO that `volens demo` made. Ctrl-C ends both."""
    if not (demo / "feeds" / "caisse-1.csv").exists():
        raise click.ClickException(f"There is no demo in {demo}. Make it first: volens demo {demo}")
    folder = demo / "shop"
    stock(demo / "feeds", folder)
    key = _key(demo / "house", folder)
    told = ["serve", "--house", str(demo / "house"), "--port", str(volens_port), "--development"]
    process = subprocess.Popen(_volens(told))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that Volens ends with the shop
    try:
        address = f"http://127.0.0.1:{volens_port}"
        _wait_for(address, process)
        click.echo(f"The shop: http://127.0.0.1:{port}/   Volens: {address}/autorisations   (Ctrl-C ends both)")
        uvicorn.run(application(load(folder), Volens(address, key)), host="127.0.0.1", port=port, log_level="warning")
    finally:
        process.terminate()
        process.wait(30)


def stock(feeds: Path, folder: Path) -> None:
    """Writes `goods.csv` and `shop.yaml` into a folder, from the demo's feeds."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = pl.read_csv(feeds / "products.csv", separator=";", infer_schema=False).fill_null("")
    lines = pl.read_csv(feeds / "caisse-1.csv", separator=";", infer_schema=False).select(
        pl.col("Carte").alias("card"), pl.col("Ticket").alias("receipt"), pl.col("Article").alias("sku"),
        pl.col("Date").str.to_date("%d/%m/%Y", strict=False).alias("day"),
        pl.col("Quantité").cast(pl.Int64, strict=False).alias("quantity"),
        (pl.col("Montant").str.replace(",", ".").cast(pl.Float64, strict=False) * 100).round().alias("cents"),
    ).drop_nulls().filter((pl.col("quantity") > 0) & (pl.col("cents") > 0))  # fmt: skip
    each = (pl.col("cents") / pl.col("quantity")).median().round().cast(pl.Int64)
    prices = lines.group_by("sku").agg(each.alias("cents"), pl.len())
    goods = listed.join(prices, on="sku").filter(pl.col("cents") > 0).sort("len", descending=True)
    columns = ["sku", "name_fr", "name_en", "category", "category_fr", "category_en", "brand_name", "cents"]
    goods.select(columns).write_csv(folder / "goods.csv")
    customers = _customers(feeds / "customers.csv", lines.join(goods.select("sku", "category", "type"), on="sku"))
    told = {"name": "Le Panier", "customers": customers}
    (folder / "shop.yaml").write_text(yaml.safe_dump(told, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _customers(path: Path, lines: pl.DataFrame) -> list[dict[str, object]]:
    """Some invented customers who come often, each with the newest basket of hers from which the most usual thing is taken out.

    The last was never asked about reminders: she meets the question."""
    often = lines.group_by("card").agg(pl.col("receipt").n_unique().alias("receipts")).filter(pl.col("receipts") >= RECEIPTS_LEAST)
    by_card = {card: some for (card,), some in lines.join(often, on="card").group_by("card")}
    found: list[dict[str, object]] = []
    never_asked = {people.card(household) for household in range(1, HOUSEHOLDS) if not people.reminders(household)}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            fits = row["Carte"] in by_card and (row["Carte"] in never_asked) == (len(found) == CUSTOMERS - 1)
            usual = _usual(by_card[row["Carte"]]) if fits else []
            if usual:
                found.append({"card": row["Carte"], "name": f"{row['Prénom']} {row['Nom']}", "usual": usual})
            if len(found) == CUSTOMERS:
                break
    return found


def _usual(lines: pl.DataFrame) -> list[str]:
    """A newest basket of fitting size, without whatever on this shop's shelves its customer buys most often."""
    receipts = lines.group_by("receipt").agg(pl.col("day").max(), pl.col("sku").n_unique().alias("things"), pl.col("sku").unique())
    fitting = receipts.filter(pl.col("things").is_between(THINGS_LEAST, THINGS_MOST)).sort("day", "receipt", descending=True)
    kind = {sku: (category, type) for sku, category, type in lines.select("sku", "category", "type").unique().iter_rows()}
    times = Counter(
        (category, type) for category, type, _ in lines.select("category", "type", "receipt").unique().iter_rows()
    )
    for skus in fitting["sku"].to_list():
        favourite = max((kind[sku] for sku in skus if kind[sku][0] in SHELVES), key=lambda one: times[one], default=None)
        if favourite is not None and times[favourite] >= RECEIPTS_LEAST // 6:
            return sorted(sku for sku in skus if kind[sku] != favourite)
    return []


def _key(house: Path, folder: Path) -> str:
    """The shop's key, made once; whoever runs the shop alone may read it."""
    path = folder / "shop.key"
    if not path.exists():
        scopes = [word for scope in SCOPES for word in ("--scope", scope)]
        whose = ["--house", str(house), "--by", "The example shop"]
        with suppress(subprocess.CalledProcessError):  # whose file was lost
            subprocess.run(_volens(["machine", "revoke", "shop", *whose]), check=True, capture_output=True)
        expires = (datetime.now(UTC) + timedelta(days=KEY_DAYS)).date().isoformat()
        told = ["machine", "add", "shop", *scopes, *whose, "--expires", expires, "--json"]
        made = subprocess.run(_volens(told), check=True, stdout=subprocess.PIPE, text=True)
        path.touch(mode=0o600)
        path.write_text(json.loads(made.stdout)["secret"], encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


def _volens(words: list[str]) -> list[str]:
    return [sys.executable, "-m", "volens.cli.main", *words]


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{address}/health").status_code == httpx.codes.OK:
                return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise click.ClickException("Volens did not start: its own words above say why.")


if __name__ == "__main__":
    start()
