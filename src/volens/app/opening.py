"""Making, migrating, opening and auditing a house."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from volens import settings as settings_of
from volens.app.checked import checked_programme
from volens.app.house import House
from volens.app.marker import Marker
from volens.audit.report import Report
from volens.audit.run import audit
from volens.clock import Clock, system
from volens.databases.connect import connect, make_schema
from volens.databases.migrate import at_head, upgrade
from volens.errors import BadInput, Unavailable
from volens.evidence import log
from volens.evidence.log import PUBLIC
from volens.evidence.outside import Outside
from volens.identity import keys as house_keys
from volens.identity import tombstones
from volens.identity.tombstones import Tombstones
from volens.identity.vault import Vault
from volens.programme import start
from volens.purchases.store import PurchasesStore
from volens.settings import Settings

AUDITORS_COUNTRY = "FR"
"""The audit makes no customers, so whose legal day it would be does not matter."""
IGNORED = "records.db*\ncustomer-keys.db*\npurchases/\ncheckpoints/\nreleases/\nlists/\nkeys/\n"


def initialise(
    home: Path,
    *,
    records_url: str | None = None,
    customers: int = 100_000,
    witnesses: Sequence[tuple[str, str]] = (),
    clock: Clock | None = None,
) -> House:
    """Makes a house in an empty folder: sample programme, keys, records, purchases table. Returns it opened.

    witnesses: address and key of each witness that shall be shown every checkpoint.
    """
    if home.exists() and any(home.iterdir()):
        raise BadInput(f"{home} already holds something.", "Choose an empty folder; nothing is ever overwritten.")
    if set("*?[]{}") & set(str(home.resolve())):
        raise BadInput(f"{home} has a character that query engines read as a pattern.", "Use a path without * ? [ ] { }.")
    home.mkdir(parents=True, exist_ok=True)
    lines = ["# A Volens house. See docs/settings.md for every line.", f"expected_customers = {customers}"]
    if records_url is not None:
        lines.append(f"records_url = {json.dumps(records_url)}")
    for url, vkey in witnesses:
        lines += ["", "[[witnesses]]", f"url = {json.dumps(url)}", f"vkey = {json.dumps(vkey)}"]
    (home / settings_of.FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (home / ".gitignore").write_text(IGNORED, encoding="utf-8")
    settings = settings_of.load(home)
    start.init(settings.programme)
    house_keys.make(settings.keys)
    migrate(settings, new=True)
    PurchasesStore.create(settings.purchases, customers=customers, catalog_url=_catalog_url(settings)).close()
    return open_house(home, clock=clock)


def migrate(settings: Settings, *, new: bool = False) -> None:
    """Brings both stores of a house to their newest migration; a `new` house's are made."""
    for url, history in ((settings.records_url, "records"), (settings.customer_keys_url, "customer_keys")):
        make_schema(url)
        database = connect(url, create=new)
        try:
            upgrade(database, history)
        finally:
            database.dispose()


def open_house(home: Path, *, clock: Clock | None = None, web_address: str = "") -> House:
    """Opens the house in a folder. Raises what stops it, with what to do. `web_address`: instead of the one in its settings."""
    settings = settings_of.load(home)
    if web_address:
        settings = replace(settings, web_address=web_address)
    Marker(settings.home).require_none()
    clock = clock or system()
    programme = checked_programme(settings.programme, clock)
    keys = house_keys.load(settings.keys)
    with ExitStack() as undo:
        databases = []
        for url, history in ((settings.records_url, "records"), (settings.customer_keys_url, "customer_keys")):
            database = connect(url, create=False)
            undo.callback(database.dispose)
            if not at_head(database, history):
                store = history.replace("_", " ")
                raise Unavailable(f"The store of {store} is not up to date.", "Run: volens init --upgrade")
            databases.append(database)
        purchases = PurchasesStore.open(settings.purchases, catalog_url=_catalog_url(settings))
        undo.callback(purchases.close)
        house = House(settings, programme, keys, databases[0], databases[1], purchases, clock)
        undo.pop_all()  # opened whole: from here on the house closes what it holds
    return house


def audit_house(home: Path, *, clock: Clock | None = None) -> Report:
    """Audits the records of a house, also of one that refuses to open because they are not what was signed."""
    settings = settings_of.load(home)
    clock, keys = clock or system(), house_keys.load(settings.keys)
    with ExitStack() as undo:
        databases = []
        for url in (settings.records_url, settings.customer_keys_url):
            databases.append(connect(url, create=False))
            undo.callback(databases[-1].dispose)
        records, customer_keys = databases
        vault = Vault(records, customer_keys, keys, clock, AUDITORS_COUNTRY)
        with records.reading() as connection:
            house = log.latest(connection, PUBLIC, "key")
        # The programme is not asked: it may be broken, or changed, on the very day on which the audit is needed.
        name = str(house.said()["key"]).split("+")[0].removeprefix("volens/") if house is not None else "unknown"
        outside = Outside(settings.checkpoints, name, keys.signing_key())
        return audit(records, outside, vault, settings.releases, Tombstones(settings.keys / tombstones.FILE))


def _catalog_url(settings: Settings) -> str | None:
    """On PostgreSQL the purchases' catalogue has a schema of its own; on SQLite a file beside the table."""
    return settings.records_url if settings.records_url.startswith("postgresql") else None


