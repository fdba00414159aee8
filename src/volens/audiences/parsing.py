"""Reads plain values, key by key; what does not fit is refused with its place and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from volens.errors import BadInput

TEXT_MAX = 64


def wrong(place: str, what: str, remedy: str) -> BadInput:
    """The error for a place in a document."""
    return BadInput(f"In {place}: {what}.", remedy)


@dataclass(frozen=True)
class Reader:
    """A table of a document, and where it stands."""

    value: Any
    place: str
    manual: str = "docs/audiences.md"
    """Where it is said what may be written."""

    def __post_init__(self) -> None:
        if not isinstance(self.value, dict) or not all(isinstance(key, str) for key in self.value):
            raise wrong(self.place, "it is not a table of keys", f"See {self.manual}.")

    def known(self, keys: Sequence[str], needed: Sequence[str] = ()) -> None:
        """Refuses a key that is not one of `keys`, and a needed one that is missing."""
        for key in self.value:
            if key not in keys:
                raise wrong(self.place, f"the key `{key}` is unknown", f"There is: {', '.join(keys)}.")
        for key in needed:
            if key not in self.value:
                raise wrong(self.place, f"the key `{key}` is missing", f"See {self.manual}.")

    def has(self, key: str) -> bool:
        """Whether a key is written."""
        return key in self.value

    def under(self, key: str) -> Reader:
        """The table under a key."""
        return Reader(self.value[key], f"{self.place}.{key}", self.manual)

    def part(self, key: str, default: dict[str, Any]) -> Reader:
        """The table under a key, or another one if it is not written."""
        return Reader(self.value.get(key, default), f"{self.place}.{key}", self.manual)

    def only(self, keys: Sequence[str]) -> str:
        """The one key that the table has."""
        if len(self.value) != 1:
            raise wrong(self.place, f"it has {len(self.value)} keys where one belongs", f"Write one of: {', '.join(keys)}.")
        self.known(keys)
        return str(next(iter(self.value)))

    def entries(self, key: str) -> Iterator[Reader]:
        """The tables of a list, at least one."""
        listed = self.value[key]
        if not isinstance(listed, list) or not listed:
            raise wrong(f"{self.place}.{key}", "it is not a list of predicates", "Write at least one, each behind a hyphen.")
        for place, one in enumerate(listed):
            yield Reader(one, f"{self.place}.{key}[{place}]", self.manual)

    def text(self, key: str) -> str:
        """Some words in one line."""
        found = self.value[key]
        if not isinstance(found, str) or not found.strip() or len(found) > TEXT_MAX or "\n" in found:
            raise wrong(f"{self.place}.{key}", "it is not a short text", f"Write at most {TEXT_MAX} characters.")
        return found

    def word(self, key: str, form: re.Pattern[str], told: str) -> str:
        """A text of a form."""
        found = self.text(key)
        if not form.fullmatch(found):
            raise wrong(f"{self.place}.{key}", f"`{found}` is not written as it should be", f"Write {told}.")
        return found

    def words(self, key: str, most: int) -> dict[str, str]:
        """A text in each of some languages."""
        found = self.under(key).value
        for language, said in found.items():
            if not re.fullmatch("[a-z]{2}", language) or not isinstance(said, str) or not 0 < len(said.strip()) <= most:
                raise wrong(f"{self.place}.{key}", "it is not a name by language", "Write for example: {fr: …, en: …}")
        if not found:
            raise wrong(f"{self.place}.{key}", "it is empty", "Write for example: {fr: …, en: …}")
        return dict(found)

    def one_of(self, key: str, values: Sequence[str]) -> str:
        """One of some values."""
        found = self.text(key)
        if found not in values:
            raise wrong(f"{self.place}.{key}", f"`{found}` is not one of its values", f"Use one of: {', '.join(values)}.")
        return found

    def some_of(self, key: str, values: Sequence[str]) -> tuple[str, ...]:
        """Some of a few values, each once and in their order; at least one."""
        found = self.names(key, len(values))
        unknown = [name for name in found if name not in values]
        if unknown:
            raise wrong(f"{self.place}.{key}", f"`{unknown[0]}` is not one of its values", f"Use some of: {', '.join(values)}.")
        return tuple(value for value in values if value in found)

    def names(self, key: str, most: int) -> tuple[str, ...]:
        """A list of texts, each once."""
        found = self.value[key]
        if not isinstance(found, list) or not found or len(found) > most:
            raise wrong(f"{self.place}.{key}", "it is not a list of names", f"Write 1 to {most} of them.")
        named = [str(one) if isinstance(one, str | int) and not isinstance(one, bool) else "" for one in found]
        if not all(0 < len(one) <= TEXT_MAX for one in named):
            raise wrong(f"{self.place}.{key}", "one of its entries is not a short name", "Write slugs, or article numbers.")
        return tuple(sorted(set(named)))

    def number(self, key: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number within limits."""
        found = self.value.get(key, default)
        if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
            raise wrong(f"{self.place}.{key}", f"it is not a whole number from {least:,} to {most:,}", "Write one.")
        return found

    def day(self, key: str) -> date:
        """A day of the calendar."""
        try:
            return date.fromisoformat(str(self.value[key]))
        except ValueError:
            raise wrong(f"{self.place}.{key}", "it is not a day", "Write YYYY-MM-DD.") from None
