"""Who is permitted, in plain slow Python, written from the promises and sharing no code with the product.

It keeps the whole history and, for each question, walks through it from the end to the beginning. The programme is plain
JSON values: purpose → basis, fields, recipients, waiting_days, renew_months, texts → recipients, fields, valid_from,
invalidated_on, keep_months. `KINDS` says for every kind of choice what it means; a kind that is not there is unknown here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

KINDS = {
    "given": ("yes", "consent"),
    "renewed": ("yes", "consent"),
    "notified": ("yes", "legitimate-interest"),
    "joined": ("yes", "contract"),
    "refused": ("no", ""),
    "withdrawn": ("no", ""),
    "revoked": ("no", ""),
    "objected": ("no", ""),
    "expired": ("no", ""),
    "invalidated": ("no", ""),
    "requested": ("nothing", ""),
    "deferred": ("nothing", ""),
}
"""What each kind says, and the lawful basis under which a yes of that kind is one."""

Programme = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Spoken:
    """One choice: who, about what, to whom (`*` for all), what, under which text, on which day."""

    customer: int
    purpose: str
    recipient: str
    kind: str
    text: str
    day: date


@dataclass(frozen=True)
class Asked:
    """One question: a purpose, a recipient, the fields, and the first day whose purchases are asked for."""

    purpose: str
    recipient: str
    fields: tuple[str, ...]
    first_day: date


def is_permitted(
    history: Sequence[Spoken], customer: int, asked: Asked, today: date, programme: Programme
) -> bool:
    """Takes the newest word that decides, and judges it by the programme of today."""
    rule = programme.get(asked.purpose)
    if rule is None or asked.recipient not in rule["recipients"] or not set(asked.fields) <= set(rule["fields"]):
        return False
    word = last_word(history, customer, asked.purpose, asked.recipient, programme)
    if word is None or KINDS[word.kind] != ("yes", rule["basis"]):
        return False
    if word.kind == "notified" and word.day + timedelta(days=rule["waiting_days"]) > today:
        return False
    if rule["renew_months"] is not None and word.day < months_before(today, rule["renew_months"]):
        return False
    return told(rule["texts"][word.text], asked, today)


def told(text: Mapping[str, Any], asked: Asked, today: date) -> bool:
    """Whether a text that somebody accepted says all that is asked, and still counts."""
    if date.fromisoformat(text["valid_from"]) > today:
        return False
    if text["invalidated_on"] is not None and date.fromisoformat(text["invalidated_on"]) <= today:
        return False
    if text["keep_months"] is not None and asked.first_day < months_before(today, text["keep_months"]):
        return False
    return asked.recipient in text["recipients"] and set(asked.fields) <= set(text["fields"])


def can_be_asked(asked: Asked, today: date, programme: Programme) -> bool:
    """Whether anybody's yes could cover the question: else it is refused before anybody is looked at."""
    rule = programme.get(asked.purpose)
    if rule is None or asked.recipient not in rule["recipients"] or not set(asked.fields) <= set(rule["fields"]):
        return False
    return any(told(text, asked, today) for text in rule["texts"].values())


def last_word(
    history: Sequence[Spoken], customer: int, purpose: str, recipient: str, programme: Programme
) -> Spoken | None:
    """The newest word about a customer, purpose and recipient that says yes or no."""
    for word in reversed(history):
        says = KINDS[word.kind][0]
        if (word.customer, word.purpose) != (customer, purpose) or says == "nothing":
            continue
        if word.recipient not in ("*", recipient):
            continue
        if says == "yes" and recipient not in programme[purpose]["texts"][word.text]["recipients"]:
            continue  # said to nobody whom its text does not name
        return word
    return None


def expiries(history: Sequence[Spoken], customers: Sequence[int], purpose: str, today: date, programme: Programme) -> list[Spoken]:
    """What a read writes down before it looks: a yes that has grown too old has ended, for each recipient."""
    rule = programme[purpose]
    if rule["renew_months"] is None:
        return []
    found = []
    everybody = sorted({name for text in rule["texts"].values() for name in text["recipients"]})
    for customer in customers:
        for recipient in everybody:
            word = last_word(history, customer, purpose, recipient, programme)
            if word is None or KINDS[word.kind][0] != "yes" or word.day >= months_before(today, rule["renew_months"]):
                continue
            found.append(Spoken(customer, purpose, recipient, "expired", word.text, today))
    return found


def months_before(today: date, months: int) -> date:
    """The same day so many months earlier, or the last day of a shorter month."""
    year, month = today.year, today.month
    for _ in range(months):
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
    for back in range(4):
        try:
            return date(year, month, today.day - back)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
