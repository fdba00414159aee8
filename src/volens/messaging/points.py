"""Contact points in one form, and the keyed hash that is kept of one. Pure, but for the key.

1. One address has one form: however somebody wrote it, its hash is the same.
2. The hash is keyed by the house and apart for each channel: without the key nobody can try addresses against it, and what is
   kept of a no to text messages does not tell that the same number said no to calls.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Protocol

from volens.identity.phones import e164
from volens.programme.messages import EMAIL, PHONE, POST, PUSH, SMS

Mac = Callable[[str, bytes], bytes]


class Reached(Protocol):
    """How a person can be reached."""

    @property
    def email(self) -> str | None: ...
    @property
    def phone(self) -> str | None: ...
    @property
    def postal_address(self) -> str | None: ...
    @property
    def emails(self) -> tuple[str, ...]: ...
    @property
    def country(self) -> str: ...
    @property
    def language(self) -> str | None: ...


def form(channel: str, value: str, country: str) -> str:
    """The one form of an address; empty if it cannot be one."""
    plain = unicodedata.normalize("NFKC", value).casefold()
    if channel == EMAIL:
        found = "".join(plain.split())
        return found if found.count("@") == 1 and not found.startswith("@") and not found.endswith("@") else ""
    if channel in (SMS, PHONE):
        return e164(value, country)
    if channel == POST:
        return "".join(letter for letter in plain if letter.isalnum())
    return value.strip() if channel == PUSH else ""


def hashed(mac: Mac, channel: str, value: str, country: str) -> bytes | None:
    """What is kept of an address; none if it cannot be one."""
    written = form(channel, value, country)
    return mac(f"messages/point/{channel}", written.encode()) if written else None


def address_of(reached: Reached, channel: str) -> str | None:
    """Where the house reaches a person by a channel. It holds no address of a device."""
    if channel == EMAIL:
        return reached.email
    return {SMS: reached.phone, PHONE: reached.phone, POST: reached.postal_address}.get(channel)


def every_address(reached: Reached, channel: str) -> tuple[str, ...]:
    """Every address by which she could be reached: of e-mails there may be several."""
    if channel == EMAIL:
        return tuple(dict.fromkeys([*reached.emails, *([reached.email] if reached.email else [])]))
    found = address_of(reached, channel)
    return (found,) if found else ()
