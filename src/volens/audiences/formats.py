"""How the large platforms want to be told of people: each identifier in one form, hashed, under its own heading. Pure.

- `customer-match` (Google): e-mail in small letters without any blank; for gmail.com and googlemail.com also without the full
  stops and without a plus sign and what follows it; phone in E.164 with its plus sign; names in small letters without blanks
  around. SHA-256, hexadecimal. https://developers.google.com/data-manager/api/devguides/concepts/formatting
- `custom-audience` (Meta): e-mail trimmed, in small letters; phone as digits alone, with the country's code and without leading
  zeros; names in small letters without punctuation. SHA-256, hexadecimal, under the keys EMAIL, PHONE, FN, LN.
  https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences
- `csv`: for others; e-mail and names trimmed and in small letters, phone in E.164, under our own field names.

What cannot be brought into its form is left out: a number without a country would be somebody else's. A hashed address is
still an address (CNIL SAN-2025-017): nothing here makes anybody anonymous.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

from volens.identity.phones import e164

DOTLESS = ("gmail.com", "googlemail.com")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NOT_LETTERS = re.compile(r"[^\w]|[\d_]")

Normalise = Callable[[str, str], str]
"""(value, country of the person) → the form that is hashed; empty if it cannot be brought into it."""


def small_email(value: str, country: str = "") -> str:
    """Trimmed and in small letters."""
    found = value.strip().lower()
    return found if _EMAIL.fullmatch(found) else ""


def google_email(value: str, country: str = "") -> str:
    """Without any blank, in small letters; at Gmail without full stops and without what follows a plus sign."""
    found = small_email("".join(value.split()))
    local, _, domain = found.rpartition("@")
    if domain in DOTLESS:
        local = local.partition("+")[0].replace(".", "")
        return f"{local}@{domain}" if local else ""
    return found


def bare_phone(value: str, country: str) -> str:
    """E.164 without its plus sign."""
    return e164(value, country).removeprefix("+")


def small_name(value: str, country: str = "") -> str:
    """In small letters, without blanks around."""
    return value.strip().lower()


def bare_name(value: str, country: str = "") -> str:
    """In small letters, letters alone."""
    return _NOT_LETTERS.sub("", value.lower())


@dataclass(frozen=True)
class Format:
    """A platform's file: for each field its heading and its form."""

    headings: Mapping[str, str]
    forms: Mapping[str, Normalise]

    def identifiers(self, fields: Sequence[str], values: Mapping[str, str], country: str) -> tuple[str, ...]:
        """The hashed identifiers of one person, one for each field; empty where she has none. No e-mail and no phone: nothing."""
        forms = {name: self.forms[name](values.get(name) or "", country) for name in fields}
        if not (forms.get("email") or forms.get("phone")):
            return ()
        return tuple(hashed(forms[name]) if forms[name] else "" for name in fields)

    def write(self, fields: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
        """The file: its headings, then the rows in the order of their hashes, which says nothing of who is who; each once."""
        return self.file(fields, sorted(map(line, rows)))

    def file(self, fields: Sequence[str], lines: Iterable[bytes]) -> bytes:
        """The same from lines that are sorted already."""
        head = ",".join(self.headings[name] for name in fields).encode()
        return b"\n".join([head, *(one for one, _ in groupby(lines)), b""])


def line(hashes: Sequence[str]) -> bytes:
    """A row of CSV: hexadecimal digits need no quotes."""
    return ",".join(hashes).encode()


def hashed(form: str) -> str:
    """SHA-256 in hexadecimal, without a salt: so the platforms want it."""
    return hashlib.sha256(form.encode()).hexdigest()


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "customer-match": Format(
            {"email": "Email", "phone": "Phone", "given_name": "First Name", "family_name": "Last Name"},
            {"email": google_email, "phone": e164, "given_name": small_name, "family_name": small_name},
        ),
        "custom-audience": Format(
            {"email": "EMAIL", "phone": "PHONE", "given_name": "FN", "family_name": "LN"},
            {"email": small_email, "phone": bare_phone, "given_name": bare_name, "family_name": bare_name},
        ),
        "csv": Format(
            {name: f"{name}_sha256" for name in ("email", "phone", "given_name", "family_name")},
            {"email": small_email, "phone": e164, "given_name": small_name, "family_name": small_name},
        ),
    }
)
