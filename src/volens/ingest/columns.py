"""Columns of text or numbers become typed columns, without a loop over lines.

1. Each function gives the values and, as a boolean array, which lines it could not read. It never raises for
   what a line says, and a wrong line never changes its neighbours.
2. Numbers come out as integers: a value with more decimals than allowed is unreadable, never rounded.
3. What repeats (times, stores, units) is read once per distinct value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

LOCAL = pa.timestamp("us")
INSTANT = pa.timestamp("us", tz="UTC")
# Beyond this a float cannot hold every integer, and no line of a receipt is that large.
LARGEST = float(2**53)

Column: TypeAlias = pa.Array | pa.ChunkedArray


def whole(column: Column) -> pa.Array:
    """One array instead of several."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def words(column: Column) -> pa.Array:
    """Codes and names as trimmed text; empty is null. Whole numbers that were stored as floats lose their `.0`."""
    values = whole(column)
    if pa.types.is_dictionary(values.type):
        return words(values.dictionary).take(values.indices)
    if pa.types.is_floating(values.type):
        kept = pc.is_finite(values)
        rounded = pc.and_(kept, pc.equal(pc.floor(values), values))
        as_integer = pc.if_else(rounded, values, None).cast(pa.int64()).cast(pa.string())
        values = pc.coalesce(as_integer, values.cast(pa.string()))
    elif not pa.types.is_string(values.type):
        values = values.cast(pa.string())
    trimmed = pc.utf8_trim_whitespace(values)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def integers(column: Column, *, decimal: str, per_whole: int | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int64 multiples of 1/per_whole (100: cents of an amount; 1000: thousandths), and which are unreadable.

    `per_whole` may differ from line to line, as currencies do.

    Text may have the decimal sign, a leading sign, and spaces or narrow spaces between thousands. A missing
    value is unreadable too.
    """
    values = whole(column)
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_null(values.type):
        return np.zeros(len(values), dtype=np.int64), np.ones(len(values), dtype=bool)
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type) or pa.types.is_decimal(values.type):
        number = values.cast(pa.float64(), safe=False)
    else:
        number = _from_text(words(values), decimal)
    known = pc.is_valid(number).to_numpy(zero_copy_only=False)
    scaled = pc.fill_null(number, 0.0).to_numpy(zero_copy_only=False) * per_whole
    with np.errstate(invalid="ignore"):
        nearest = np.rint(scaled)
        # A float's own error grows with its size; a digit too many is off by a tenth at least.
        exact = np.abs(scaled - nearest) <= 1e-6 + np.abs(scaled) * 1e-12
        good = known & np.isfinite(scaled) & exact & (np.abs(scaled) < LARGEST)
    return np.where(good, nearest, 0).astype(np.int64), ~good


def _from_text(text: pa.Array, decimal: str) -> pa.Array:
    """Floats of those texts that are plain decimal numbers; the rest is null."""
    plain = text
    if decimal == ",":
        # A point in a feed with decimal commas would be a thousands sign, or a mistake: not guessed.
        plain = pc.replace_substring(pc.if_else(pc.match_substring(plain, "."), None, plain), ",", ".")
    try:
        number = plain.cast(pa.float64())
        if not pc.any(pc.match_substring_regex(plain, "[a-zA-Z]")).as_py():
            return number
    except pa.ArrowInvalid:
        pass  # some line is no plain number: look at each
    # Spaces (also the narrow ones that French software writes) between groups of three digits.
    packed = pc.replace_substring_regex(plain, r"(\d)[ \x{00a0}\x{202f}](\d{3})", r"\1\2")
    good = pc.match_substring_regex(packed, r"^[+-]?(\d+(\.\d*)?|\.\d+)$")
    return pc.if_else(good, packed, None).cast(pa.float64())


def positions(column: Column) -> tuple[pa.Array, np.ndarray]:
    """Line numbers on a receipt (int64), and which are unreadable; a missing one is null and fine."""
    missing = pc.is_null(words(column)).to_numpy(zero_copy_only=False)
    numbers, bad = integers(column, decimal=".", per_whole=1)
    return pa.array(numbers, mask=missing | bad), bad & ~missing


def translated(column: Column, meanings: Mapping[str, str], *, missing: str) -> tuple[pa.Array, np.ndarray]:
    """Each word's meaning (found in small letters), `missing` for an empty one; and which words are unknown."""
    values = pc.dictionary_encode(pc.utf8_lower(pc.fill_null(words(column), "")))
    known = {word.lower(): meaning for word, meaning in meanings.items()} | {"": missing}
    found = [known.get(word) for word in values.dictionary.to_pylist()]
    out = pa.array(found, pa.string()).take(values.indices)
    return out, pc.is_null(out).to_numpy(zero_copy_only=False)


def moments(column: Column, pattern: str) -> tuple[pa.Array, pa.Array, np.ndarray]:
    """What the store's clock showed, or the instant where the feed gives one, and which are unreadable.

    `pattern` is `iso` or strptime's. Columns that are timestamps already are taken as they are. A day that
    does not exist (31 February) is unreadable; it is not the third of March.
    """
    values = whole(column)
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        bad = pc.is_null(values).to_numpy(zero_copy_only=False)
        if pa.types.is_timestamp(values.type) and values.type.tz is not None:
            return pa.nulls(len(values), LOCAL), values.cast(INSTANT, safe=False), bad
        return values.cast(LOCAL, safe=False), pa.nulls(len(values), INSTANT), bad
    distinct = pc.dictionary_encode(words(values))
    read = _iso if pattern == "iso" else _by_pattern(pattern)
    local, instant = read(distinct.dictionary)
    out = local.take(distinct.indices), instant.take(distinct.indices)
    bad = pc.and_(pc.is_null(out[0]), pc.is_null(out[1])).to_numpy(zero_copy_only=False)
    return out[0], out[1], bad


def _by_pattern(pattern: str) -> Callable[[pa.Array], tuple[pa.Array, pa.Array]]:
    if "%z" in pattern:
        # With %z what comes back is aware.
        return lambda texts: _one_by_one(texts, lambda text: datetime.strptime(text, pattern))  # noqa: DTZ007

    def read(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
        local = pc.strptime(texts, format=pattern, unit="us", error_is_null=True)
        # strptime turns 31 February into 3 March. Only the first three days of a month can come about so.
        early = pc.fill_null(pc.less_equal(pc.day(local), 3), False).to_numpy(zero_copy_only=False)
        doubted = np.flatnonzero(early)
        if len(doubted):
            again = pc.strftime(local.take(pa.array(doubted)).cast(pa.timestamp("s")), format=pattern)
            same = pc.equal(again, texts.take(pa.array(doubted))).to_numpy(zero_copy_only=False)
            wrong = [place for place in doubted[~same] if not _exists(texts[int(place)].as_py(), pattern)]
            mask = np.zeros(len(texts), dtype=bool)
            mask[wrong] = True
            local = pc.if_else(pa.array(mask), None, local)
        return local, pa.nulls(len(texts), INSTANT)

    return read


def _exists(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text, pattern)  # noqa: DTZ007 (a store's clock has no zone)
    except ValueError:
        return False
    return True


def _iso(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    nothing = len(texts)
    for kind, place in ((LOCAL, 0), (INSTANT, 1)):
        try:
            read = texts.cast(kind)
        except pa.ArrowInvalid:
            continue  # not all of this kind: try the other, then look at each
        return (read, pa.nulls(nothing, INSTANT)) if place == 0 else (pa.nulls(nothing, LOCAL), read)
    return _one_by_one(texts, datetime.fromisoformat)


def _one_by_one(texts: pa.Array, read: Callable[[str], datetime]) -> tuple[pa.Array, pa.Array]:
    local: list[datetime | None] = []
    instant: list[datetime | None] = []
    for text in texts.to_pylist():
        try:
            value = read(text) if text is not None else None
        except ValueError:
            value = None
        aware = value is not None and value.tzinfo is not None
        local.append(None if aware else value)
        instant.append(value.astimezone(UTC) if aware and value is not None else None)
    return pa.array(local, LOCAL), pa.array(instant, INSTANT)
