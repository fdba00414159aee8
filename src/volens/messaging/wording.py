"""What goes with a message, in French and English: the sender, the right to object, the headers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

from volens.messaging.message import Enclosed
from volens.programme.messages import EMAIL
from volens.programme.model import Programme

LANGUAGES = ("fr", "en")
PATH = "/desabonnement/"
"""Where an unsubscription leads."""
ONE_CLICK = "List-Unsubscribe=One-Click"
"""The body that a mailbox provider sends (RFC 8058, 3.2)."""


@cache
def texts(language: str) -> Mapping[str, str]:
    """All words of a language."""
    found: dict[str, str] = yaml.safe_load(files("volens.messaging").joinpath(f"words.{language}.yaml").read_text("utf-8"))
    return found


def spoken(language: str | None, programme: Programme) -> str:
    """The language in which somebody is written to: hers if there are words in it, else the house's first that has."""
    wishes = [(language or "").split("-")[0], *programme.languages, LANGUAGES[0]]
    return next(wish for wish in wishes if wish in LANGUAGES)


def link(web_address: str, token: str) -> str:
    """The address of an unsubscription."""
    return f"{web_address.rstrip('/')}{PATH}{token}"


def enclosed(
    programme: Programme, channel: str, rests_on: str, language: str, *, advertising: bool, first: bool, unsubscribe: str,
    address: str | None,
) -> Enclosed:  # fmt: skip
    """Everything that goes with a message."""
    assert programme.messages is not None
    sender, words = programme.controllers[programme.messages.sender], texts(language)
    purpose = programme.purposes[rests_on]
    values = {
        "legal_name": sender.legal_name, "address": sender.address, "contact": sender.contact, "link": unsubscribe,
        "plain": (purpose.plain.get(language) or next(iter(purpose.plain.values()))).rstrip("."),
    }  # fmt: skip

    def say(name: str) -> str:
        return words[name].rstrip("\n").format(**values)

    if not advertising:
        return Enclosed(language, None, say("service.footer"), None, {}, address)
    headers = (
        {"List-Unsubscribe": f"<{unsubscribe}>", "List-Unsubscribe-Post": ONE_CLICK} if channel == EMAIL else {}
    )
    return Enclosed(
        language, unsubscribe, say(f"{channel}.footer"), say(f"{channel}.first") if first else None, headers, address
    )
