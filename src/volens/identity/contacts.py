"""How people can be reached: the one e-mail, phone number, name and language that the vault holds of each. For delivery, and for
lists that are handed to platforms.

1. The e-mail is that of the line which speaks for the person (`people.Lines`), else her newest e-mail that is open.
2. Whoever does not exist, or whose key is destroyed, is left out.
3. Keys are read many at once and kept nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volens.evidence.journeys import rows_about
from volens.holders import Database
from volens.identity.keys import decrypt
from volens.identity.people import Lines

if TYPE_CHECKING:
    from volens.identity.vault import Vault

PERSONS = "select customer, person, country from customers where customer in (?)"
EMAILS = "select customer, account, value from accounts where customer in (?) and kind = 'email' and closed is null"


@dataclass(frozen=True)
class Reach:
    """A person's addresses."""

    email: str | None
    phone: str | None
    language: str | None
    given_name: str | None = None
    family_name: str | None = None
    country: str = ""
    """The person's: what a phone number without a country's code is read by."""
    emails: tuple[str, ...] = ()
    """Every e-mail by which she is known, the one above among them."""
    postal_address: str | None = None

    def __repr__(self) -> str:
        return "Reach(…)"


@dataclass(frozen=True)
class Contacts:
    """Looks addresses up; keeps none."""

    records: Database
    vault: Vault

    def contacts(self, wanted: Sequence[int]) -> dict[int, Reach]:
        """The addresses of some customers."""
        persons: dict[int, tuple[bytes | None, str]] = {}
        emails: dict[int, dict[int, bytes]] = {}
        with self.records.reading() as connection:
            for who, sealed, country in rows_about(connection, PERSONS, wanted):
                persons[who] = (bytes(sealed) if sealed is not None else None, country)
            for who, account, value in rows_about(connection, EMAILS, wanted):
                emails.setdefault(who, {})[account] = bytes(value)
        found = {}
        held = self.vault.read_keys(persons)
        for who, (sealed, country) in persons.items():
            if who in held:
                found[who] = _reach(who, held[who], sealed, emails.get(who, {}), country)
        return found


def _reach(who: int, key: bytes, sealed: bytes | None, emails: dict[int, bytes], country: str) -> Reach:
    bound = b"customer:%d" % who
    line = Lines.read(decrypt(key, sealed, bound) if sealed is not None else None).line
    chosen = line.email if line is not None and line.email in emails else max(emails, default=None)
    opened = {account: decrypt(key, value, bound).decode() for account, value in sorted(emails.items())}
    email = opened[chosen] if chosen is not None else None
    details = line.details if line is not None else {}
    return Reach(
        email, details.get("phone"), details.get("language"), details.get("given_name"), details.get("family_name"), country,
        tuple(opened.values()), _postal(details),
    )  # fmt: skip


def _postal(details: Mapping[str, str]) -> str | None:
    """Street, then postcode and town; none if the street or the town is missing."""
    street, town = details.get("street", "").strip(), details.get("city", "").strip()
    return f"{street}, {details.get('postcode', '').strip()} {town}".replace(",  ", ", ") if street and town else None
