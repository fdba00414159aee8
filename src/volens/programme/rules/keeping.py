"""Further rules about periods: each kind of data has one, only people prolong it, no use outlives it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from volens.programme.findings import Severity
from volens.programme.model import Programme
from volens.programme.rules.minimal import EN, FR, TEXT_YAML
from volens.programme.rules.rule import Change, Example, Hit, Rule
from volens.programme.words import fold, matches, pattern

HOUSE_ACTS = (
    "(mail|email|e mail|sms|message|letter|newsletter|push) (was )?(sent|delivered|opened|open|read|seen)",
    "(points|price|prices|segment|score|profile|profil) (expired|expiry|changed|recalculated|updated|computed|expire|calcule)",
    "(import|batch|migration|backup|synchronisation|sync)",
    "(courriel|message|lettre) (envoye|ouvert|lu)",
)
"""What the house does, or what a machine does with its mail. Opening a message is not an act of the person: mail programs do it."""


def every_category_has_a_period(programme: Programme, on: date) -> Iterator[Hit]:
    """RET003."""
    kept = {(line.category, line.country) for line in programme.retention}
    for purpose in programme.purposes.values():
        if not purpose.needs_choice:
            continue
        for country in purpose.keep_months:
            for category in purpose.categories:
                if (category, country) not in kept:
                    yield Hit(
                        purpose.source.at("categories", category),
                        f"`{purpose.id}` reads `{category}` in {country}, and nothing says when it is erased there.",
                        f"Add a line for `{category}` and {country} to retention.yaml.",
                    )


def only_people_prolong(programme: Programme, on: date) -> Iterator[Hit]:
    """RET004."""
    for event in programme.activity_events:
        words = fold(event.replace("-", " ").replace("_", " ")).text
        if any(matches(words, pattern(*HOUSE_ACTS))):
            yield Hit(
                programme.retention_source.at("activity_events", event),
                f"`{event}` is an act of the house or of a machine, and would keep data for ever.",
                "List only what the person does: a purchase, an order, a change of the account, a call.",
            )


def no_use_outlives_the_data(programme: Programme, on: date) -> Iterator[Hit]:
    """RET005."""
    for purpose in programme.purposes.values():
        if not purpose.needs_choice:
            continue
        for country, months in purpose.keep_months.items():
            for category in purpose.categories:
                lines = [one for one in programme.retention if (one.category, one.country) == (category, country)]
                own = [one for one in lines if one.activity == purpose.activity]
                longest = max((one.keep_months for one in own or lines), default=months)
                if months > longest:
                    yield Hit(
                        purpose.source.at("keep_months", country),
                        f"`{purpose.id}` uses `{category}` for {months} months in {country}, which is kept for {longest}.",
                        "Shorten the use, or give the activity a longer period in retention.yaml, within the law.",
                    )


RULES = (
    Rule(
        id="RET003",
        severity=Severity.ERROR,
        family="retention",
        title="Each kind of data has a period in each country",
        articles=("GDPR articles 5(1)(e) and 30(1)(f)",),
        why="Data for which nobody wrote down an end are kept for ever: that is how a chain came to hold 28 million people who had "
        "not come for five to ten years.",
        check=every_category_has_a_period,
        failing=Example((Change("retention.yaml", "country: FR", "country: BE"),), "purposes.yaml", "categories:"),
        passing=Example((Change("retention.yaml", "keep_months: 24", "keep_months: 30"),)),
    ),
    Rule(
        id="RET004",
        severity=Severity.ERROR,
        family="retention",
        title="Only what people do prolongs a period",
        articles=("GDPR article 5(1)(e)", "CNIL SAN-2020-008 (CNILTEXT000042563756)"),
        why="If sending somebody a message counted as her activity, nobody would ever be inactive. Opening one does not count "
        "either: mail programs open by themselves.",
        check=only_people_prolong,
        failing=Example((Change("retention.yaml", "web-order]", "web-order, mail-opened]"),), "retention.yaml", "mail-opened"),
        passing=Example((Change("retention.yaml", "web-order]", "web-order, account-edited]"),)),
    ),
    Rule(
        id="RET005",
        severity=Severity.ERROR,
        family="retention",
        title="No use outlives the data",
        articles=("GDPR articles 5(1)(b) and 5(1)(e)",),
        why="If a use looks back 24 months and the data are erased after 12, one of the two is untrue, and people were told the "
        "other.",
        check=no_use_outlives_the_data,
        failing=Example((Change("retention.yaml", "keep_months: 24", "keep_months: 12"),), "purposes.yaml", "keep_months"),
        passing=Example(
            (
                Change("retention.yaml", "keep_months: 24", "keep_months: 12"),
                Change("purposes.yaml", "keep_months: {FR: 24}", "keep_months: {FR: 12}"),
                Change(TEXT_YAML, "keep_months: {FR: 24}", "keep_months: {FR: 12}"),
                Change(FR, "24 mois", "12 mois"),
                Change(EN, "24 months", "12 months"),
            )
        ),
    ),
)
