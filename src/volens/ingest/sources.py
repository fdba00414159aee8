"""One feed, one name: a source that is new but looks like a known one is asked about before it counts anything.

A receipt is known by its source among other things, so the same receipts under two names count twice. Whoever saves a mapping for
each file (`ventes-2026-03`, `ventes-2026-04`) would do that unawares.

The rule is simple on purpose: two mappings describe the same tills if they have the same channel and find a receipt in the same
columns (store, till, receipt, day). Two banners with the same software look alike too: then somebody says so, once.
"""

from __future__ import annotations

from collections.abc import Iterable

from volens.errors import MappingError
from volens.ingest.mapping import ORDERS, Mapping, parse

IDENTITY = ("store", "till", "receipt", "time", "date")


def same_tills(one: Mapping, other: Mapping) -> bool:
    """Whether two mappings find the same receipts, whatever they are called."""
    return _receipts(one) == _receipts(other)


def look_alike(mapping: Mapping, known: Iterable[Mapping]) -> str | None:
    """The name of a known source that finds the same receipts, if this one's is new."""
    others = list(known)
    if any(other.source == mapping.source for other in others):
        return None
    return next((other.source for other in others if same_tills(mapping, other)), None)


def require_own_name(mapping: Mapping, known: Iterable[Mapping]) -> None:
    """`MappingError` when this source is new and a known one finds the same receipts."""
    other = look_alike(mapping, known)
    if other is not None:
        raise MappingError(
            f"The source {mapping.source!r} is new, and finds its receipts in the same columns as {other!r}, which came in before. "
            "If they are the same tills, a receipt that comes in under both names counts twice.",
            f"Write `source: {other}` in the mapping. If they are other tills, say --new-source once.",
        )


def known_mappings(texts: Iterable[str]) -> list[Mapping]:
    """Mappings of purchases from the texts with which batches came in."""
    found = [parse(text, "a mapping") for text in texts]
    return [mapping for mapping in found if mapping.contents == "purchases"]


def _receipts(mapping: Mapping) -> tuple[object, ...]:
    columns = {name: mapping.columns.get(name) for name in IDENTITY}
    of_format = mapping.format if mapping.format in ORDERS else None
    return mapping.contents, mapping.channel, of_format, None if columns["store"] else mapping.store, *columns.values()
