"""All rules, by id."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from volens.programme.rules import (
    choices,
    claims,
    consent,
    devices,
    entities,
    keeping,
    messages,
    minors,
    money,
    periods,
    plainness,
    questions,
    recipients,
    reminding,
    sensitive,
    texts,
    wording,
)
from volens.programme.rules.rule import Rule

_ALL = tuple(
    rule
    for module in (
        choices, consent, recipients, entities, money, claims, wording, plainness, periods, keeping, texts, questions, minors,
        sensitive, reminding, messages, devices,
    )
    for rule in module.RULES
)

RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in sorted(_ALL, key=lambda rule: rule.id)})
"""Every rule that `volens check` runs."""

if len(RULES) != len(_ALL):
    raise ValueError("two rules have the same id")
