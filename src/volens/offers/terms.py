"""The terms that people read, generated from the document in each of its languages; nobody writes them.

Rules:
1. Only an offer that nothing stands against has terms. What is not in the document is not in the terms, and every figure of the
   document that binds somebody is.
2. The same offer gives the same bytes: what people accepted can be shown to be what they read.
3. Sentences are short and say who does what; no word hedges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency
from jinja2 import Environment, PackageLoader, StrictUndefined

from volens.errors import NotFound
from volens.offers.check import check
from volens.offers.document import Amount, Offer, Recipient
from volens.offers.plain import escaped
from volens.programme.nodes import parse

LOCALES = {"fr": "fr_FR", "en": "en_IE"}
AUTHORITIES = {
    "FR": "CNIL, www.cnil.fr",
    "LU": "CNPD, www.cnpd.lu",
    "IE": "DPC, www.dataprotection.ie",
    "MT": "IDPC, www.idpc.org.mt",
}
"""To whom people complain, by country."""


def terms(offer: Offer, language: str, on: date) -> str:
    """The terms in Markdown. `Refused` if anything stands against the offer on that day, `NotFound` for a language it lacks."""
    check(offer, on).require()
    if language not in offer.languages:
        raise NotFound(f"The offer {offer.id} has no terms in {language!r}.", f"It has: {', '.join(offer.languages)}.")
    told = Telling(offer, language)
    page = _pages().get_template(f"terms.{language}.j2")
    written = page.render(
        offer=offer, act=offer.act, licence=offer.licence, day=told.day, money=told.money, amount=told.amount, places=told.places,
        listed=told.listed, word=told.word, recipients=told.recipients, authorities=told.authorities,
        within=told.within, yearly=told.yearly,
    )  # fmt: skip
    return written.strip() + "\n"


def named(language: str, kind: str, name: str) -> str:
    """A closed word of an offer as the terms say it; `kind` is one of items, purposes, media, acts, uses."""
    return str(_words(language if language in LOCALES else "fr")[kind].get(name, name))


def said_amount(offer: Offer, amount: Amount, language: str) -> str:
    """Money and vouchers as the terms say them: 10 € en argent."""
    return Telling(offer, language).amount(amount)


class Telling:
    """Values of one offer in one language, as its terms and the pages about it say them."""

    def __init__(self, offer: Offer, language: str) -> None:
        self._words = _words(language)
        self._locale = Locale.parse(LOCALES[language])
        self._currency = offer.currency
        self.authorities = self._joined(AUTHORITIES[country] for country in sorted(offer.countries))

    def day(self, day: date) -> str:
        said = str(format_date(day, "long", locale=self._locale))
        return said.replace("1 ", "1er ", 1) if day.day == 1 and self._locale.language == "fr" else said

    def money(self, cents: int) -> str:
        whole, rest = divmod(cents, 100)
        pattern = self._locale.currency_formats["standard"].pattern
        if not rest:
            pattern = pattern.replace("0.00", "0")
        return str(format_currency(f"{whole}.{rest:02}", self._currency, pattern, self._locale, currency_digits=False))

    def amount(self, amount: Amount) -> str:
        money = self._words["money"].format(self.money(amount.money_cents))
        vouchers = self._words["vouchers"].format(self.money(amount.voucher_cents))
        if amount.money_cents and amount.voucher_cents:
            return str(self._words["both"].format(self.money(amount.cents), money, vouchers))
        return str(vouchers if amount.voucher_cents else money)

    def places(self, countries: Iterable[str]) -> str:
        return self._joined(sorted(self._locale.territories[country] for country in countries))

    def recipients(self, companies: Iterable[Recipient]) -> str:
        return self._joined(f"{one.name} ({self._locale.territories[one.country]})" for one in companies)

    def word(self, kind: str, name: str) -> str:
        return str(self._words[kind][name])

    def listed(self, kind: str, names: Iterable[str]) -> str:
        given = frozenset(names)
        return self._joined(self.word(kind, name) for name in self._words[kind] if name in given)

    def within(self, days: int) -> str:
        """How soon something is done at the latest."""
        return str(self._words["within"]["now" if days == 0 else "one" if days == 1 else "other"].format(days))

    def yearly(self, times: int) -> str:
        """How often a year at most."""
        return str(self._words["yearly"]["one" if times == 1 else "other"].format(times))

    def _joined(self, parts: Iterable[str]) -> str:
        *first, last = parts
        return f"{', '.join(first)} {self._words['and']} {last}" if first else last


@cache
def _pages() -> Environment:
    # Markdown, not a page: whoever shows it turns it into HTML. No value of an offer is read as Markdown.
    return Environment(loader=PackageLoader("volens.offers", ""), undefined=StrictUndefined, autoescape=False, finalize=escaped)


@cache
def _words(language: str) -> Mapping[str, Any]:
    name = f"words.{language}.yaml"
    found: Mapping[str, Any] = parse(resources.files("volens.offers").joinpath(name).read_text("utf-8"), name).data
    return found
