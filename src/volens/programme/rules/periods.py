"""Rules about how long data is kept: within the law, and within what people were told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from volens.programme.findings import Severity
from volens.programme.model import Programme
from volens.programme.parameters import parameters
from volens.programme.rules.minimal import EN, FR, TEXT_YAML
from volens.programme.rules.reading import texts_in_use
from volens.programme.rules.rule import Change, Example, Hit, Rule


def within_the_law(programme: Programme, on: date) -> Iterator[Hit]:
    """RET001."""
    for purpose in programme.purposes.values():
        if programme.country not in purpose.keep_months:
            yield Hit(
                purpose.source.at("keep_months"),
                f"`{purpose.id}` has no period for {programme.country}.",
                f"Add `{programme.country}:` with a number of months.",
            )
        for country, months in purpose.keep_months.items():
            place = purpose.source.at("keep_months", country)
            for said in _too_long(country, purpose.activity, months, on):
                yield Hit(place, f"`{purpose.id}` keeps data for {months} months in {country}; {said}", _SHORTER)
    for rule in programme.retention:
        for said in _too_long(rule.country, rule.activity, rule.keep_months, on):
            yield Hit(
                rule.source.at("keep_months"),
                f"`{rule.category}` is kept for {rule.keep_months} months in {rule.country}; {said}",
                _SHORTER,
            )


_SHORTER = "Write a shorter period, and let the data be erased by then."


def _too_long(country: str, activity: str, months: int, on: date) -> Iterator[str]:
    most = parameters().retention_max_months(country, activity, on)
    if most and months > most.value:
        yield f"for `{activity}` it is {most.value} at most ({most.said})."


def within_the_text(programme: Programme, on: date) -> Iterator[Hit]:
    """RET002."""
    for purpose, text in texts_in_use(programme, on):
        if not purpose.needs_choice:
            continue
        for country, months in purpose.keep_months.items():
            told = text.keep_months.get(country)
            if told is None or months > told:
                said = "tells no period for it" if told is None else f"tells {told}"
                yield Hit(
                    purpose.source.at("keep_months", country),
                    f"`{purpose.id}` keeps data for {months} months in {country}, but {text.id} {said}.",
                    "Keep it no longer than the text says, or write a new version of the text and ask again.",
                )


RULES = (
    Rule(
        id="RET001",
        severity=Severity.ERROR,
        family="retention",
        title="Kept no longer than the law allows",
        articles=("GDPR article 5(1)(e)", "CNIL SAN-2020-008 (CNILTEXT000042563756)"),
        why="A food retailer that kept inactive customers for four years was told that three are enough. Periods differ by "
        "country and by what the data serves, and they change: they are dated parameters with their sources.",
        check=within_the_law,
        failing=Example(
            (
                Change("purposes.yaml", "keep_months: {FR: 24}", "keep_months: {FR: 48}"),
                Change("retention.yaml", "keep_months: 24", "keep_months: 48"),
                Change(TEXT_YAML, "keep_months: {FR: 24}", "keep_months: {FR: 48}"),
                Change(FR, "24 mois", "4 ans"),
                Change(EN, "24 months", "4 years"),
            ),
            "purposes.yaml",
            "keep_months",
        ),
        passing=Example(
            (
                Change("purposes.yaml", "keep_months: {FR: 24}", "keep_months: {FR: 36}"),
                Change("retention.yaml", "keep_months: 24", "keep_months: 36"),
                Change(TEXT_YAML, "keep_months: {FR: 24}", "keep_months: {FR: 36}"),
                Change(FR, "24 mois", "3 ans"),
                Change(EN, "24 months", "3 years"),
            )
        ),
    ),
    Rule(
        id="RET002",
        severity=Severity.ERROR,
        family="retention",
        title="Kept no longer than people were told",
        articles=("GDPR articles 5(1)(a) and 13(2)(a)",),
        why="People agreed to the period they read. A longer one is another use, for which they were not asked.",
        check=within_the_text,
        failing=Example(
            (
                Change("purposes.yaml", "keep_months: {FR: 24}", "keep_months: {FR: 30}"),
                Change("retention.yaml", "keep_months: 24", "keep_months: 30"),
            ),
            "purposes.yaml",
            "keep_months",
        ),
        passing=Example((Change("purposes.yaml", "keep_months: {FR: 24}", "keep_months: {FR: 18}"),)),
    ),
)
