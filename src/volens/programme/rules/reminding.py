"""The rule about what people are reminded of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from volens.programme.findings import Severity
from volens.programme.model import Programme
from volens.programme.rules.minimal import use
from volens.programme.rules.rule import Change, Example, Hit, Rule
from volens.programme.rules.sensitive import REVEALING
from volens.programme.words import matches, pattern

NOT_TO_BE_NAMED = (
    *REVEALING,
    "(biere*|vin|vins|spiritueux|alcool*|beer|beers|ale|ales|wine|wines|liquor*|spirits|alcohol*)",
    "(cigarette*|cigar|cigars|cigare*|tabac|tobacco|vapoteu*|vape*)",
    "(antidouleur*|antiacide*|analges*|antacid*|laxati*|rhume*|grippe|cold and flu|allergi*|sinus|premiers soins|first aid)",
    "(vitamin*|complements alimentaires|dietary aid*|dietetique|minceur|slimming|weight loss|regime*)",
    "(contracepti*|preservatif*|condom*|family planning|hygiene feminine|feminine hygiene)",
    "(lait infantile|laits infantiles|infant formula|baby*|bebe|couches|diapers|nappies)",
    "(medicated|medicament*|denture*)",
)
"""Words for what a shop's page says to nobody unasked: what reveals, what may not be promoted, what is nobody's business."""


def not_of_what_is_private(programme: Programme, on: date) -> Iterator[Hit]:
    """SPC005."""
    told = programme.reminding
    for category in told.may if told is not None else ():
        assert told is not None
        for found in matches(category.replace("-", " "), pattern(*NOT_TO_BE_NAMED)):
            yield Hit(
                told.source.at("categories"),
                f"People would be reminded of `{category}`: “{found.written}”.",
                "Take it out of `categories`; what is not listed is never named.",
            )


_REMINDERS = """\
purpose: remind
months: 12
most_certain_percent: 25
most_a_month: 8
rest_days: 60
categories: [{categories}]
"""
_MORE = "basket: {fr: panier par panier, en: basket by basket}", "quantity: {fr: la quantité, en: the quantity}"
_FIELDS = Change(
    "categories.yaml", "      store: {fr: le magasin", "".join(f"      {one}\n" for one in _MORE) + "      store: {fr: le magasin"
)
_USE = use(
    "remind",
    """\
    basis: consent
    controller: petit-magasin
    covers: [basket-reminder]
    delivers: nothing
    categories: [purchases]
    fields: [customer, basket, product, day, quantity]
    recipients: [petit-magasin]
    activity: customer-profiling
    keep_months: {FR: 12}
    renew_months: 12
    dpv: dpv:ServicePersonalisation
    plain: {fr: Vous rappeler ce que vous prenez., en: Remind you of what you usually take.}
""",
    "# Vous rappeler ce qui manque ?\n\nSi vous dites oui, Petit Magasin SAS regarde ce que vous achetez, panier par panier,\n"
    "le jour et la quantité, sous votre numéro de client.\n",
    "# Remind you of what is missing?\n\nIf you say yes, Petit Magasin SAS looks at what you buy, basket by basket,\n"
    "the day and the quantity, under your customer number.\n",
)

_CHANGES = (_FIELDS, *(
    Change(one.file, one.old, one.new + "".join(f"  {more}\n" for more in _MORE)) if one.file.endswith("text.yaml") else one
    for one in _USE
))  # fmt: skip

RULES = (
    Rule(
        id="SPC005",
        severity=Severity.ERROR,
        family="sensitive products",
        title="Nobody is reminded of what is most private",
        articles=("GDPR article 9(1)", "CJEU C-184/20"),
        why="One reminder in eleven would name beer, cigarettes, infant formula or a medicine: nothing is bought more regularly. "
        "Said on a screen in a kitchen it tells everybody there; and some of it must not be promoted at all.",
        check=not_of_what_is_private,
        failing=Example(
            (*_CHANGES, Change("reminders.yaml", "", _REMINDERS.format(categories="juice, beer"))), "reminders.yaml", "juice, beer"
        ),
        passing=Example((*_CHANGES, Change("reminders.yaml", "", _REMINDERS.format(categories="juice, smoked-ham")))),
    ),
)
