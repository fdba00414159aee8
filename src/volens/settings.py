"""One frozen object with everything that can be set, and what a thief of each could do.

| setting | what it is | what its thief could do |
|---|---|---|
| `home` | the folder of a house | see the lines below |
| `records_url` | choices, uses, accounts, budget, releases | read pseudonymous choices; identities stay sealed |
| `customer_keys_url` | wrapped keys, one a customer | nothing without `keys/kek` |
| `keys` | key-encryption, lookup, signing and intake keys | with the records: read identities, sign checkpoints |
| `checkpoints` | signed notes and leaf hashes, outside the records | nothing; destroying all copies hides tampering |
| `purchases` | the Iceberg table and the catalogue | read purchases by pseudonym |
| `witnesses` | who is shown each checkpoint | leave one out; whoever expects its signature sees that |
| `checkpoint_url` | where everybody can read them | name another place; receipts and packages name the old one |
| `embed_in` | whose pages may hold the permission centre | trick customers into taps, on the pages named here alone |
| `web_address` | where people reach this house on the web | send people elsewhere: links and printed codes lead there |
| `mail_server` | who carries messages, with its password | send mail in the house's name, until the password is changed |
| `payouts` | the account from which people are paid | name another: files for the bank show it to whoever releases |
| `lists` | files for platforms: hashed addresses, for a day | try addresses that they know against the hashes |
| `sign_in` | who vouches for customers and staff | name another who vouches: sign in as anybody |
| `programme` | what the retailer declares | change what is declared; each version is logged |
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from volens.errors import BadInput, NotFound

FILE = "volens.toml"
OUTSIDE = frozenset({"witnesses", "checkpoint_url", "embed_in"})
ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?")
WEB_SETTINGS = frozenset({"web_address", "mail_server", "mail_from", "mail_recipient", "sign_in"})
PAYER = frozenset({"name", "iban", "bic"})
HERE = "http://127.0.0.1:8000"
"""Where `volens serve` answers on this machine."""
WEB = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")


@dataclass(frozen=True)
class Settings:
    """Where a house keeps its things. Made by `load`, from `volens.toml` and the environment."""

    home: Path
    records_url: str
    """SQLAlchemy URL: `sqlite:///…` or `postgresql+psycopg://…`."""
    customer_keys_url: str
    """A store of its own, with its own backups, kept no longer than the erasure deadline."""
    keys: Path
    checkpoints: Path
    purchases: Path
    lists: Path
    """Where files for platforms are laid down."""
    programme: Path
    witnesses: tuple[tuple[str, str], ...]
    """Address and key of each witness that is shown every checkpoint."""
    checkpoint_url: str
    """The fixed address at which `checkpoints/published` can be read; empty if there is none."""
    embed_in: tuple[str, ...]
    """Origins whose pages may show the permission centre inside them."""
    web_address: str
    """Where people reach this house on the web, without a slash at the end: printed on receipts, sent in messages."""
    mail_server: str
    """`smtps://user:password@host:465`; empty for the local outbox."""
    mail_from: str
    mail_recipient: str
    """The entity of the programme that runs the mail server; empty if it is the house's own."""
    sign_in: Mapping[str, Any]
    """The tables of `[sign_in]`, with the providers' secrets from the environment; read by `access.providers`."""
    payer: Mapping[str, str]
    """The table `[payouts]`: name, iban and bic of the account from which people are paid; empty if there is none."""
    expected_customers: int
    """Fixes the number of buckets of the purchases table; cannot change later."""

    @property
    def payouts(self) -> Path:
        """Where files for the bank are written, for their owner alone."""
        return self.home / "payouts"

    @property
    def releases(self) -> Path:
        """Where published packages are written."""
        return self.home / "releases"


def load(home: Path) -> Settings:
    """Reads `home/volens.toml`. The environment wins: `VOLENS_RECORDS_URL`, `VOLENS_KEYS`,
    `VOLENS_CHECKPOINTS`, `VOLENS_LISTS`, `VOLENS_CUSTOMER_KEYS_URL`, `VOLENS_WEB_ADDRESS`, `VOLENS_MAIL_SERVER`."""
    file = home / FILE
    if not file.is_file():
        raise NotFound(f"There is no {FILE} in {home}.", "Make a house with: volens init DIRECTORY")
    try:
        written = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{file} is not valid TOML: {error}.", "Mend that line.") from error
    places = {"records_url", "customer_keys_url", "keys", "checkpoints", "lists", "expected_customers"}
    unknown = sorted(set(written) - places - OUTSIDE - WEB_SETTINGS - {"payouts"})
    if unknown:
        raise BadInput(f"{file} has unknown settings: {', '.join(unknown)}.", "See docs/settings.md.")
    home = home.resolve()

    def place(name: str, environment: str) -> Path:
        return home / Path(os.environ.get(environment) or str(written.get(name, name)))

    def url(name: str, environment: str, default: str) -> str:
        return os.environ.get(environment) or str(written.get(name) or default)

    expected = written.get("expected_customers", 100_000)
    if not isinstance(expected, int) or expected < 1:
        raise BadInput(f"{file}: expected_customers must be a whole number above zero.", "Write for example 250000.")
    witnesses, checkpoint_url = _outside(written, file)
    web_address = url("web_address", "VOLENS_WEB_ADDRESS", HERE).rstrip("/")
    if not WEB.fullmatch(web_address):
        raise BadInput(f"{file}: web_address must be a web address.", 'Write for example "https://shop.example".')
    records_url = url("records_url", "VOLENS_RECORDS_URL", f"sqlite:///{home / 'records.db'}")
    return Settings(
        home=home,
        records_url=records_url,
        customer_keys_url=url("customer_keys_url", "VOLENS_CUSTOMER_KEYS_URL", _keys_beside(records_url, home)),
        keys=place("keys", "VOLENS_KEYS"),
        checkpoints=place("checkpoints", "VOLENS_CHECKPOINTS"),
        purchases=home / "purchases",
        lists=place("lists", "VOLENS_LISTS"),
        programme=home / "programme",
        witnesses=witnesses,
        checkpoint_url=checkpoint_url,
        embed_in=_origins(written, file),
        web_address=web_address,
        mail_server=url("mail_server", "VOLENS_MAIL_SERVER", ""),
        mail_from=str(written.get("mail_from", "")),
        mail_recipient=str(written.get("mail_recipient", "")),
        sign_in=_sign_in(written, file),
        payer=_payer(written, file),
        expected_customers=expected,
    )


def _outside(written: Mapping[str, Any], file: Path) -> tuple[tuple[tuple[str, str], ...], str]:
    """Witnesses and the fixed address; keys are read where they are used."""
    address = written.get("checkpoint_url", "")
    if not isinstance(address, str) or (address and not WEB.fullmatch(address)):
        raise BadInput(f"{file}: checkpoint_url must be a web address.", 'Write for example "https://shop.example/evidence".')
    witnesses = written.get("witnesses", [])
    if not isinstance(witnesses, list) or not all(
        isinstance(one, dict) and set(one) == {"url", "vkey"} and all(isinstance(value, str) for value in one.values())
        and WEB.fullmatch(one["url"])
        for one in witnesses
    ):
        raise BadInput(f"{file}: each of the witnesses needs a url and a vkey.", "See docs/settings.md for an example.")
    return tuple((one["url"], one["vkey"]) for one in witnesses), address.rstrip("/")


def _origins(written: Mapping[str, Any], file: Path) -> tuple[str, ...]:
    """Origins as browsers write them: scheme, name, and a port if it is not the usual one."""
    origins = written.get("embed_in", [])
    if not isinstance(origins, list) or not all(isinstance(one, str) and ORIGIN.fullmatch(one) for one in origins):
        raise BadInput(f"{file}: embed_in must be a list of origins.", 'Write for example ["https://www.shop.example"].')
    return tuple(origins)


def _sign_in(written: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """What is written of each provider, and its secret, which is not for a file."""
    tables = written.get("sign_in", {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise BadInput(f"{file}: sign_in has tables, [sign_in.customers] and [sign_in.staff].", "See docs/sign-in.md.")
    if any("client_secret" in table for table in tables.values()):
        raise BadInput(f"{file}: a provider's secret is not for this file.", "Put it into the environment: docs/sign-in.md.")
    secrets = {"customers": "VOLENS_SIGN_IN_CUSTOMERS_SECRET", "staff": "VOLENS_SIGN_IN_STAFF_SECRET"}
    return {site: {**table, "client_secret": os.environ.get(secrets.get(site, ""), "")} for site, table in tables.items()}


def _payer(written: Mapping[str, Any], file: Path) -> dict[str, str]:
    """The account from which people are paid; whether its numbers can be right is said by `wallet.carriers`."""
    table = written.get("payouts", {})
    if not isinstance(table, dict) or set(table) not in (set(), PAYER) or not all(isinstance(one, str) for one in table.values()):
        raise BadInput(f"{file}: [payouts] has name, iban and bic.", "See docs/wallet.md for an example.")
    return dict(table)


def _keys_beside(records_url: str, home: Path) -> str:
    """The customer keys' own store: another SQLite file, or another schema that a backup can leave out."""
    if records_url.startswith("sqlite"):
        return f"sqlite:///{home / 'customer-keys.db'}"
    beside = re.compile(r"(search_path(?:=|%3D))(\w+)")
    if beside.search(records_url):
        return beside.sub(r"\1\2_customer_keys", records_url)
    join = "&" if "?" in records_url else "?"
    return f"{records_url}{join}options=-csearch_path%3Dvolens_customer_keys"
