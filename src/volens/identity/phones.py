"""Telephone numbers in one form, so that one number is one number however somebody wrote it. Pure."""

from __future__ import annotations

import re
from types import MappingProxyType

CALLING = MappingProxyType(
    {
        "FR": ("33", "0"), "BE": ("32", "0"), "IT": ("39", ""), "ES": ("34", ""), "DE": ("49", "0"), "LU": ("352", ""),
        "CH": ("41", "0"), "NL": ("31", "0"), "PT": ("351", ""), "IE": ("353", "0"), "GB": ("44", "0"), "PL": ("48", ""),
    }
)  # fmt: skip
"""For each country its calling code, and the digit that is dialled only within it (ITU-T E.164, national numbering plans)."""
E164_DIGITS = range(8, 16)


def e164(value: str, country: str) -> str:
    """With plus sign and country code, digits alone after it; a number without a code is one of the person's country."""
    written = value.strip()
    digits = re.sub(r"\D", "", re.sub(r"\(0\)", "", written))
    if written.startswith("+"):
        number = digits
    elif digits.startswith("00"):
        number = digits[2:]
    elif country in CALLING:
        code, trunk = CALLING[country]
        number = code + (digits.removeprefix(trunk) if trunk else digits)
    else:
        return ""
    return f"+{number}" if len(number) in E164_DIGITS and not number.startswith("0") else ""
