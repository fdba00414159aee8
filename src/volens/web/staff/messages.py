"""Marketing messages, for marketing, data protection and audit: how many by month and channel, who is not written to, the rules."""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.response import Template

from volens.errors import NotFound
from volens.messaging.suppression import BOUNCE, COMPLAINT, ERASED, OBJECTION, UNSUBSCRIBED
from volens.programme.calling import ANY, CONSENT, FREQUENCY, HOLIDAYS, HOURS, Row
from volens.web.given import AnyRequest, TheHouse, Who
from volens.web.page import words_of
from volens.web.staff.acting import staff_page
from volens.web.visitor import of_staff
from volens.web.words import Words

HOME = "/staff/messages"
MONTHS_MAX = 60
REASONS = (UNSUBSCRIBED, OBJECTION, COMPLAINT, BOUNCE, ERASED)


@get(HOME, guards=[of_staff("marketing", "dpo", "auditor")], sync_to_thread=True)
def overview(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """Sums alone: nobody is found here."""
    try:
        channels = house.messages.channels()
    except NotFound:
        channels = ()
    words, counts = words_of(request), house.messages.suppressed()
    listed = {channel: {why: counts.get((channel, why), 0) for why in REASONS} for channel in sorted({one for one, _ in counts})}
    rules = [(row, said(row, words)) for row in house.messages.calling_rules() if row.kind != HOLIDAYS]
    found: Template = staff_page(
        request, visitor, "messages.html", channels=channels, months=house.messages.months()[:MONTHS_MAX], listed=listed,
        reasons=REASONS, rules=rules,
    )  # fmt: skip
    return found


def said(row: Row, words: Words) -> str:
    """A rule for calls in words."""
    value: Any = row.value
    if value == ANY:
        return words.say("messages.rule.any")
    if row.kind == CONSENT:
        return words.say(f"messages.rule.{value}")
    if row.kind == HOURS:
        days = words.listed([words.say(f"messages.weekday.d{day}") for day in value["days"]])
        spans = words.listed([f"{begins}–{ends}" for begins, ends in value["between"]])
        return words.say("messages.rule.hours" if value["holidays"] else "messages.rule.hours-not-holidays", days=days, spans=spans)
    assert row.kind == FREQUENCY
    return words.say("messages.rule.frequency", calls=value["calls"], days=value["days"])


ROUTES = (overview,)
