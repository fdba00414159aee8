"""A campaign in words, in French and English: the result in sentences, and the disclosure list filled in.

1. Words stand in `words.<language>.yaml`; both files have the same ids and gaps, and a test holds them to it.
2. Everything is written from what is kept: nobody adds or changes an answer.
3. Money is written in whole units of the currency for all people together, and with its cents for one.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from volens.campaigns.plan import Plan
from volens.campaigns.results import Figure, figure
from volens.campaigns.station import Campaign
from volens.campaigns.workflow import LAUNCHED, MEASURED, PLANNED
from volens.errors import NotNow
from volens.measuring.disclosure import ITEMS, Answer, Disclosure, disclose
from volens.releases.wording import spaced

LOCALES = {"fr": "fr_FR", "en": "en_GB"}
PROMISED = 0.05


@cache
def texts(language: str) -> Mapping[str, Any]:
    """All words of a language, by part and id."""
    written = files("volens.campaigns").joinpath(f"words.{language}.yaml").read_text("utf-8")
    found: Mapping[str, Any] = yaml.safe_load(spaced(written) if language == "fr" else written)
    return found


@dataclass(frozen=True)
class Teller:
    """How one language says things in one currency."""

    language: str
    currency: str = "EUR"

    def say(self, part: str, id: str, **values: object) -> str:
        """A text with its gaps filled."""
        return str(texts(self.language)[part][id]).format(**values)

    def number(self, value: int) -> str:
        """A whole number."""
        return str(format_decimal(value, locale=LOCALES[self.language]))

    def day(self, value: date | str) -> str:
        """A calendar day."""
        day = date.fromisoformat(value) if isinstance(value, str) else value
        return str(format_date(day, "d MMMM y", locale=LOCALES[self.language]))

    def money(self, cents: float, *, exact: bool = False) -> str:
        """An amount: in whole units, or with its cents."""
        digits = "0.00" if exact else "0"
        pattern = f"¤#,##{digits}" if self.language == "en" else f"#,##{digits}\u00a0¤"
        rounded = cents / 100 if exact else round(cents / 100)
        return str(format_currency(rounded, self.currency, pattern, LOCALES[self.language], currency_digits=False))

    def percent(self, share: float) -> str:
        """A share, to the tenth of a per cent."""
        return str(format_percent(share, "0.0\u00a0%" if self.language == "fr" else "0.0%", locale=LOCALES[self.language]))


def sentences(campaign: Campaign, language: str) -> list[str]:
    """What came out, the first sentence first. `NotNow` before it is measured."""
    tell, result = Teller(language, campaign.plan.currency), _result(campaign)
    total, person = figure(result["incremental_cents"]), figure(result["per_person_millicents"])
    back, plain = figure(result["iroas_thousandths"]), figure(result["plain_millicents"])
    which = "nothing" if not total.shows else "more" if total.value > 0 else "fewer"
    ends = sorted((total.low, total.high), key=abs) if which == "fewer" else (total.low, total.high)
    size = abs if which == "fewer" else int
    low, high = (tell.money(size(end)) for end in ends)
    mean = tell.money(result["mean_held_millicents"] / 1000, exact=True)
    told = [tell.say("result", which, value=tell.money(abs(total.value)), low=low, high=high)]
    if which == "more":
        told.append(tell.say("result", "return", **_each(tell, back, 10), one=tell.money(100)))
    told += [
        tell.say("result", "person", **_each(tell, person, 1000), mean=mean),
        tell.say("result", "people", reached=tell.number(result["reached"]), held=tell.number(result["held"])),
        tell.say("result", "plain", **_each(tell, plain, 1000)),
    ]
    if sum(result["gone"]):
        told.append(tell.say("result", "gone", people=tell.number(sum(result["gone"]))))
    if result["gone_differs"]:
        told.append(tell.say("result", "gone-differs"))
    return told


def forecast(plan: Plan, kept: Mapping[str, Any], language: str) -> list[str]:
    """What was known before: the smallest effect that would be found, and the false alarms. `kept`: the launch's content."""
    tell = Teller(language, plan.currency)
    total, (runs, alarms) = kept["detectable_total_cents"], kept["placebo"]
    declared = tell.number(round(runs * PROMISED))
    return [
        tell.say(
            "before", "power", total=tell.money(total), share=tell.percent(kept["detectable_lift_thousandths"] / 1000),
            iroas=tell.money(total / plan.cost_cents * 100, exact=True), one=tell.money(100),
        ),
        tell.say("before", "placebo", alarms=tell.number(alarms), runs=tell.number(runs), declared=declared),
    ]  # fmt: skip


def disclosure(campaign: Campaign, language: str) -> Disclosure:
    """The guidelines' list, every item answered. `NotNow` before the campaign is measured."""
    tell, result = Teller(language, campaign.plan.currency), _result(campaign)
    values = _values(campaign, result, tell)
    given: dict[str, Answer] = {}
    for item in ITEMS:
        id = item.id if item.id != "overlap" or result["others"] else "overlap-none"
        written = str(texts(language)["disclosure"][id])
        gaps = {name for _, name, _, _ in string.Formatter().parse(written) if name}
        given[item.id] = Answer(written.format(**{name: values[item.id][name] for name in gaps}), not item.may_not_apply)
    return disclose(given)


def _values(campaign: Campaign, result: Mapping[str, Any], tell: Teller) -> dict[str, dict[str, str]]:
    """What fills the gaps of each answer."""
    plan, launched = campaign.plan, campaign.said(LAUNCHED) or {}
    taken = {step.state: step for step in campaign.steps}
    runs, alarms = launched["placebo"]
    sides = {"reached": tell.number(result["reached"]), "held": tell.number(result["held"])}
    told = [(one["campaign"], tell.number(one["reached"]), tell.number(one["held"])) for one in result["others"]]
    others = "; ".join(tell.say("disclosure", "overlap-one", campaign=id, reached=on, held=off) for id, on, off in told)
    return {
        "period": {"first": tell.day(plan.sale.start), "last": tell.day(plan.sale.last)},
        "baseline": {
            "held": tell.number(launched["held"]), "people": tell.number(launched["people"]),
            "first": tell.day(plan.pre.start), "last": tell.day(plan.pre.last),
        },
        "sales": {"goods": _goods(plan, tell), "currency": plan.currency},
        "assumptions": {"cap": tell.money(launched["caps_cents"][1]), "capped": tell.number(sum(result["capped"]))},
        "false-alarms": {"alarms": tell.number(alarms), "runs": tell.number(runs)},
        "declared": {
            "planned": tell.day(taken[PLANNED].day), "first_entry": str(taken[PLANNED].seq),
            "launched": tell.day(taken[LAUNCHED].day), "second_entry": str(taken[LAUNCHED].seq),
        },
        "people": {**sides, "gone_reached": tell.number(result["gone"][0]), "gone_held": tell.number(result["gone"][1])},
        "overlap": {"others": others},
        "cost": {"cost": tell.money(plan.cost_cents, exact=True)},
    }  # fmt: skip


def _goods(plan: Plan, tell: Teller) -> str:
    if plan.category is None:
        return tell.say("disclosure", "goods-all")
    if not plan.brands:
        return tell.say("disclosure", "goods-category", category=plan.category)
    return tell.say("disclosure", "goods-brands", category=plan.category, brands=", ".join(plan.brands))


def _each(tell: Teller, kept: Figure, unit: float) -> dict[str, str]:
    """A figure of one person or one euro, with its cents; `unit`: so many of it are a cent."""
    return {name: tell.money(value / unit, exact=True) for name, value in vars(kept).items()}


def _result(campaign: Campaign) -> dict[str, Any]:
    result = campaign.said(MEASURED)
    if result is None:
        raise NotNow(f"The campaign {campaign.plan.id} is {campaign.state}: there is no result.", "It is measured after its close.")
    return result
