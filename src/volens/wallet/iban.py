"""Bank accounts in the single euro payments area: whether an IBAN can be one (ISO 13616)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from volens.errors import BadInput

LENGTHS = {
    "AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18,
    "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27,
    "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "VA": 22,
}  # fmt: skip
"""Countries that a transfer in euros reaches, and how long their IBANs are."""
NAME_MAX = 70
SAID = {
    "country": ("A transfer in euros does not reach this country.", "Give an account in the single euro payments area."),
    "form": ("This is no IBAN.", "Copy it from a bank statement: FR and 25 more characters in France."),
    "slip": ("There is a slip in this IBAN.", "Compare it with a bank statement, character by character."),
}
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")


@dataclass(frozen=True)
class BankAccount:
    """Whose account, and which."""

    name: str = field(repr=False)
    iban: str = field(repr=False)

    def __post_init__(self) -> None:
        if not 0 < len(self.name.strip()) <= NAME_MAX or not self.name.isprintable():
            raise BadInput("The name on the account is missing.", f"Write it as the bank has it, in at most {NAME_MAX} characters.")
        if plain(self.iban) != self.iban:
            raise ValueError("an IBAN in its plain form")

    @property
    def last4(self) -> str:
        """What is shown of it."""
        return self.iban[-4:]


def plain(typed: str) -> str:
    """An IBAN as banks write it. `BadInput` if it cannot be one, and never with a part of it."""
    found = wrong(typed)
    if found:
        raise BadInput(*SAID[found])
    return _bare(typed)


def wrong(typed: str) -> str:
    """What is wrong with an IBAN: `country`, `form` or `slip`; empty if nothing is."""
    found = _bare(typed)
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{10,}", found):
        return "form"
    if found[:2] not in LENGTHS:
        return "country"
    if LENGTHS[found[:2]] != len(found):
        return "form"
    moved = found[4:] + found[:4]
    return "" if int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1 else "slip"


def _bare(typed: str) -> str:
    return re.sub(r"[\s\u00a0\u202f.-]", "", typed).upper()


def is_bic(text: str) -> bool:
    """Whether this can name a bank (ISO 9362)."""
    return _BIC.fullmatch(text) is not None
