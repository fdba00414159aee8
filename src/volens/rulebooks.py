"""What the stations need of the programme, each in its own words. Pure: a programme in, frozen values out.

Kept apart from `app` because the audit replays old programmes through the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from volens.gate.policy import YES, PurposeRule, Rulebook, TextRule
from volens.permissions.ages import MAJORITY, STRICTEST, Ages
from volens.permissions.ledger import Terms
from volens.permissions.state import DENYING, SILENT
from volens.programme.model import Basis, Programme, Text
from volens.programme.parameters import parameters


def rulebook(programme: Programme) -> Rulebook:
    """The purposes as the gate sees them."""
    return {
        purpose.id: PurposeRule(
            basis=purpose.basis.value,
            fields=purpose.fields,
            recipients=frozenset(purpose.recipients),
            waiting_days=purpose.waiting_days,
            renew_months=purpose.renew_months,
            texts={
                text.id: TextRule(text.recipients, text.fields, text.valid_from, text.invalidated_on, _keep(text))
                for text in programme.texts_of(purpose.id)
            },
        )
        for purpose in programme.purposes.values()
    }


def _keep(text: Text) -> int | None:
    """The shortest period of all countries: a set of customers is opened as one."""
    return min(text.keep_months.values(), default=None)


def terms(programme: Programme, today: date) -> Terms:
    """The purposes and texts as the ledger sees them on a day."""
    current = {}
    for purpose in programme.purposes.values():
        offered = (text for text in programme.texts_of(purpose.id) if text.id not in programme.set_aside)
        standing = [text for text in offered if text.stands(today)]
        if standing:
            current[purpose.id] = standing[-1].id
    return Terms(
        texts={text.id: text.recipients for text in programme.texts.values()},
        current=current,
        kinds={
            purpose.id: YES[purpose.basis.value] | (DENYING | SILENT if purpose.needs_choice else frozenset())
            for purpose in programme.purposes.values()
        },
        languages={text.id: frozenset(text.bodies) for text in programme.texts.values()},
        programme=programme.digest,
        country=programme.country,
        ages=ages(programme),
        periods={
            text.id: (text.valid_from, text.invalidated_on)
            for purpose in programme.purposes.values()
            for text in programme.texts_of(purpose.id)
            if text.id not in programme.set_aside
        },
        compared={purpose: frozenset(pair) for purpose, pair in programme.on_trial.items()},
    )


def ages(programme: Programme) -> Ages:
    """Who may say yes to what alone: the programme's purposes, and the ages of the law on each day."""

    def alone(country: str, on: date) -> int:
        known = parameters().consent_age(country, on)
        return known.value if known is not None else STRICTEST

    def majority(country: str, on: date) -> int:
        known = parameters().majority_age(country, on)
        return known.value if known is not None else MAJORITY

    purposes = programme.purposes.values()
    return Ages(
        consent=frozenset(purpose.id for purpose in purposes if purpose.basis is Basis.CONSENT),
        profiling_ads=frozenset(purpose.id for purpose in purposes if purpose.profiling_ads),
        alone=alone,
        majority=majority,
        unknown_is_minor=programme.unknown_age == "minor",
    )


def recorded(digest: str, rules: Rulebook) -> dict[str, Any]:
    """A rulebook as the public tree records it: what an audit needs to judge an old use by the rules of its day."""
    return {
        "digest": digest,
        "purposes": {
            name: {
                "basis": rule.basis,
                "fields": sorted(rule.fields),
                "recipients": sorted(rule.recipients),
                "waiting_days": rule.waiting_days,
                "renew_months": rule.renew_months,
                "texts": {
                    text: {
                        "recipients": sorted(told.recipients),
                        "fields": sorted(told.fields),
                        "valid_from": told.valid_from.isoformat(),
                        "invalidated_on": told.invalidated_on.isoformat() if told.invalidated_on else None,
                        "keep_months": told.keep_months,
                    }
                    for text, told in rule.texts.items()
                },
            }
            for name, rule in rules.items()
        },
    }


def rulebook_of(record: Mapping[str, Any]) -> Rulebook:
    """The rulebook that `recorded` wrote down."""
    return {
        name: PurposeRule(
            basis=rule["basis"],
            fields=frozenset(rule["fields"]),
            recipients=frozenset(rule["recipients"]),
            waiting_days=rule["waiting_days"],
            renew_months=rule["renew_months"],
            texts={
                text: TextRule(
                    recipients=frozenset(told["recipients"]),
                    fields=frozenset(told["fields"]),
                    valid_from=date.fromisoformat(told["valid_from"]),
                    invalidated_on=date.fromisoformat(told["invalidated_on"]) if told["invalidated_on"] else None,
                    keep_months=told["keep_months"],
                )
                for text, told in rule["texts"].items()
            },
        )
        for name, rule in record["purposes"].items()
    }
