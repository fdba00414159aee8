"""What a machine may be allowed to ask: one word for each door of the HTTP interface.

A scope opens a door and says nothing about what lies behind: whether a purchase may be used is decided by the gate.
"""

from __future__ import annotations

from collections.abc import Iterable

from volens.errors import BadInput

SCOPES = {
    "decisions": "ask whether a use is permitted",
    "changes": "follow what customers change, and acknowledge it",
    "export": "fetch who permits a purpose, as a file",
    "asking": "write what a customer answered, with the text as it was shown",
    "devices": "report what a customer's phone or browser allows",
    "reminders": "ask what is missing from a customer's basket, and say what came of it",
    "ads": "fill the sponsored slots of a page, and say what came of one",
    "vouchers": "check, reserve and redeem vouchers at a till",
    "doorways": "have a single-use link sent to a customer",
    "messages": "ask before a message is sent whether it may go now, and report complaints and bounces",
    "audiences": "check, build and hand over lists for platforms",
    "campaigns": "read campaigns, and who is to get one and who is held out",
    "licences": "ask which photos and texts of customers may be published, fetch one, and say where it is and when it is down",
    "referrals": "report orders, refunds and returns of people who were invited",
    "acts": "report what customers did for an offer, and ask whether it is open",
    "removals": "fetch who has to be taken off a platform's list, and acknowledge it",
}
HOUSE_ALONE = frozenset({
    "asking", "devices", "reminders", "ads", "vouchers", "doorways", "audiences", "campaigns", "acts", "referrals",
})  # fmt: skip
"""Scopes that speak for customers, or choose among them: only for the house's own machines, never for a recipient's."""


def require_scopes(wanted: Iterable[str], recipient: str | None) -> tuple[str, ...]:
    """The scopes, each once and in the order of `SCOPES`; `BadInput` for one that is unknown or not for a recipient."""
    asked = set(wanted)
    unknown = sorted(asked - SCOPES.keys())
    if unknown or not asked:
        raise BadInput(
            f"There is no scope {unknown[0]!r}." if unknown else "A machine without a scope may do nothing.",
            f"Use some of: {', '.join(SCOPES)}.",
        )
    beyond = sorted(asked & HOUSE_ALONE)
    if recipient is not None and beyond:
        raise BadInput(
            f"A recipient's machine cannot have the scope {beyond[0]!r}: it speaks for customers, or chooses among them.",
            "Leave it out, or leave out the recipient if the machine is the house's own.",
        )
    return tuple(scope for scope in SCOPES if scope in asked)
