"""A payment-card number or an IBAN in a line: such a line is refused, and nothing of what it said is kept anywhere.

1. Looked at is every column of a line, also those that mean nothing to Volens, and every value of a JSON object.
2. A card number is 13 to 19 digits, alone or in groups (blanks, hyphens of any kind, points, low lines; slashes between groups of
   four and more, which dates have not), in any width of writing, or 15 or 16 behind zeros that fill a field, that pass Luhn
   (ISO/IEC 7812-1 annex B) and begin with a range that a card scheme issues at that length. An IBAN is a country's letters with
   that country's length (ISO 13616, SWIFT's registry) whose remainder by 97 is 1.
3. Excused is what the mapping or the catalogue declares: a product code that the catalogue knows or that is a whole
   GTIN with a right check digit, in a column of product codes; a loyalty card that fits `card_pattern`; a receipt that
   fits `receipt_pattern`; a telephone number, behind a plus sign or in a column of such, of 13 digits.
   A pattern that would let a published test card through declares nothing and excuses nothing.
4. By column: lengths first, then each distinct value once. A line that holds no long digits costs next to nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FEWEST, MOST = 13, 19
PHONE_DIGITS = 13
"""Of the telephone numbers that begin like a card number, German ones are as long as one: Visa's old numbers of 13 digits."""
GTIN_LENGTHS = (8, 12, 13, 14)
SMALLEST = 10 ** (FEWEST - 1)

# (first prefix, last prefix, lengths): what the schemes issue, as published by them.
RANGES: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (4, 4, (13, 16, 19)),  # Visa
    (51, 55, (16,)), (2221, 2720, (16,)),  # Mastercard
    (34, 34, (15,)), (37, 37, (15,)),  # American Express
    (300, 305, (14, 16, 17, 18, 19)), (3095, 3095, (14, 16, 17, 18, 19)), (36, 36, (14, 15, 16, 17, 18, 19)),
    (38, 39, (14, 16, 17, 18, 19)),  # Diners Club
    (6011, 6011, (16, 17, 18, 19)), (644, 649, (16, 17, 18, 19)), (65, 65, (16, 17, 18, 19)),  # Discover
    (3528, 3589, (16, 17, 18, 19)),  # JCB
    (62, 62, (16, 17, 18, 19)), (81, 81, (16, 17, 18, 19)),  # UnionPay
    *((prefix, prefix, (13, 14, 15, 16, 17, 18, 19)) for prefix in (5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763)),
    (2200, 2204, (16, 17, 18, 19)),  # Mir
    (9792, 9792, (16,)),  # Troy
)  # fmt: skip
# Numbers that schemes and processors publish for tests: nobody's, and what a pattern must not let through.
TEST_CARDS = (
    "4242424242424242", "4111111111111111", "4000056655665556", "5555555555554444", "5105105105105100", "2223003122003222",
    "378282246310005", "371449635398431", "6011111111111117", "3056930009020004", "36227206271667", "3566002020360505",
    "6200000000000005", "6759649826438453", "4222222222222",
)  # fmt: skip
IBAN_LENGTHS: Mapping[str, int] = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
FEWEST_IBAN_DIGITS = 8
PRODUCT_CODES = frozenset({"ean", "ean8", "ean13", "gtin", "gtin13", "gtin14", "upc", "barcode", "sku", "codebarre"})
PHONES = frozenset({"phone", "telephone", "tel", "mobile", "portable", "fax"})

FILLED = (15, 16)
"""Digits of a card number that may stand behind zeros in one group: shorter ones would be GTINs, which are filled up too."""
_BLANKS = "\u00a0\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff"
_HYPHENS = "\u00ad\u2010-\u2015\u2043\u2212\ufe58\ufe63"


def _like(more: str) -> str:
    """What RE2 looks for, with these further signs between groups."""
    gap = f"[ {more}._-]{{0,3}}"
    card = f"[0-9](?:[ {more}._/-]{{0,3}}[0-9]){{{FEWEST - 1}}}"
    return rf"{card}|(?:^|[^A-Za-z0-9]|[Ii][Bb][Aa][Nn])[A-Za-z]{{2}}[0-9]{{2}}(?:{gap}[A-Za-z0-9]){{11}}"


_LIKE = _like("")  # of texts in ASCII
_LIKE_WIDE = f"[\uff10-\uff5a]|{_like(_BLANKS + _HYPHENS + chr(0xFF0D) + chr(0xFF0E) + chr(0xFF0F) + chr(0xFF3F))}"
# Full-width signs are those of ASCII.
_PLAIN = {
    **{ord(sign): " " for sign in map(chr, range(0x2000, 0x3001)) if re.match(f"[{_BLANKS}]", sign)},
    **{ord(sign): "-" for sign in map(chr, range(0x2000, 0x2213)) if re.match(f"[{_HYPHENS}]", sign)},
    0xA0: " ", 0xFEFF: " ", 0xAD: "-", 0xFE58: "-", 0xFE63: "-", **{0xFEE0 + sign: chr(sign) for sign in range(0x21, 0x7F)},
}  # fmt: skip

_PY_GAP = "[ \\-._]{0,3}"
_RUN = re.compile(f"[0-9](?:[ \\-._/]{{0,3}}[0-9]){{{FEWEST - 1},}}", re.ASCII)
_GROUP = re.compile(r"[0-9]+", re.ASCII)
# A look ahead, so that a code in front of an IBAN does not swallow it.
_IBAN = re.compile(
    rf"(?:(?<![A-Za-z0-9])|(?<=iban))(?=([A-Za-z]{{2}}[0-9]{{2}}(?:{_PY_GAP}[A-Za-z0-9]){{11,}}))", re.IGNORECASE | re.ASCII
)
_SIGN = re.compile(r"[^A-Za-z0-9]", re.ASCII)


def card_number(digits: str) -> bool:
    """Whether these digits, all of them, are a payment card's number."""
    return FEWEST <= len(digits) <= MOST and _issued(digits) and _luhn(digits)


def iban(text: str) -> bool:
    """Whether this text without blanks, all of it, is an IBAN."""
    text = text.upper()
    if IBAN_LENGTHS.get(text[:2]) != len(text) or sum(sign.isdigit() for sign in text) < FEWEST_IBAN_DIGITS:
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def gtin(digits: str) -> bool:
    """Whether these digits are a whole GTIN with the right check digit (GS1 General Specifications 7.9)."""
    if len(digits) not in GTIN_LENGTHS or not (digits.isascii() and digits.isdigit()):
        return False
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits))) % 10 == 0


def holds_payment_number(text: str) -> bool:
    """Whether a card number or an IBAN stands anywhere in a text."""
    if not text.isascii():
        text = text.translate(_PLAIN)
    return any(map(card_number, _windows(text))) or any(map(iban, _ibans(text)))


@dataclass(frozen=True)
class Watch:
    """Looks at lines, knowing what this feed's mapping and catalogue declare (rule 3)."""

    card_pattern: str | None = None
    receipt_pattern: str | None = None
    known: Callable[[str], bool] = lambda code: False
    """Whether a product code is in the catalogue."""

    def lines(self, table: pa.Table, roles: Mapping[str, str]) -> np.ndarray:
        """Which lines (boolean) hold a payment number in any column. `roles`: column → sku, card, receipt."""
        found = np.zeros(table.num_rows, dtype=bool)
        for name, column in zip(table.column_names, table.columns, strict=True):
            for start, piece in _pieces(column):
                self._mark(piece, roles.get(name, ""), found[start : start + len(piece)])
        return found

    def value(self, value: Any, roles: Mapping[str, str], role: str = "") -> bool:
        """Whether a JSON value holds one. `roles`: key → role, wherever in the object the key stands."""
        if isinstance(value, str):
            return len(value) >= FEWEST and holds_payment_number(value) and not self.excused(value.strip(), role)
        if isinstance(value, dict):
            return any(self.value(key, roles) or self.value(inner, roles, roles.get(key, "")) for key, inner in value.items())
        if isinstance(value, list):
            return any(self.value(inner, roles, role) for inner in value)
        return False

    def excused(self, text: str, role: str) -> bool:
        """Whether a whole value is declared to be something else."""
        if role == "sku":
            return gtin(text) or self.known(text)
        if role == "phone":
            return sum(sign.isdigit() for sign in text) == PHONE_DIGITS
        pattern = {"card": self.card_pattern, "receipt": self.receipt_pattern}.get(role)
        return pattern is not None and narrow(pattern) and re.fullmatch(pattern, text) is not None

    def _mark(self, column: pa.Array, role: str, found: np.ndarray) -> None:
        if pa.types.is_dictionary(column.type):
            values, indices = column.dictionary, column.indices
        else:
            values, indices = column, None
        texts, places = _texts(values)
        if texts is None or not len(texts):
            return
        if indices is None and places is None and len(texts) > 1_000:
            encoded = pc.dictionary_encode(texts)
            texts, indices = encoded.dictionary, encoded.indices
        bad = np.flatnonzero(_suspicious(texts))
        bad = np.array([place for place in bad if not self.excused(texts[int(place)].as_py().strip(), role)], dtype=np.int64)
        if not len(bad):
            return
        if places is not None:
            bad = places[bad]
        if indices is None:
            found[bad] = True
        else:
            found |= np.isin(pc.fill_null(indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False), bad)


def role_of(column: str) -> str:
    """What a column that is not read holds, by the words of its name: sku, phone, or nothing that is known."""
    words = set(re.split(r"[^a-z0-9]+", column.lower()))
    return "sku" if words & PRODUCT_CODES else "phone" if words & PHONES else ""


def narrow(pattern: str) -> bool:
    """Whether a pattern tells a shop's own numbers from payment cards: it lets no published test card through."""
    return not any(re.fullmatch(pattern, number) for number in TEST_CARDS)


def _pieces(column: pa.ChunkedArray | pa.Array) -> Iterator[tuple[int, pa.Array]]:
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return zip(accumulate((len(chunk) for chunk in chunks), initial=0), chunks, strict=False)


def _texts(values: pa.Array) -> tuple[pa.Array | None, np.ndarray | None]:
    """The values as text, and at which places they stand where only some can be payment numbers."""
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        longest = pc.max(pc.binary_length(values)).as_py() or 0
        return (values if longest >= FEWEST else None), None
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        numbers = pc.fill_null(values, 0).to_numpy(zero_copy_only=False)
        with np.errstate(invalid="ignore"):
            places = np.flatnonzero((numbers >= SMALLEST) & (numbers < 10**MOST))
        whole = pa.array([str(int(number)) for number in numbers[places].tolist()], pa.string())
        return whole, places
    if pa.types.is_null(kind) or pa.types.is_temporal(kind) or pa.types.is_boolean(kind):
        return None, None
    if pa.types.is_decimal(kind):
        return values.cast(pa.string()), None
    said = (value.decode("latin-1") if isinstance(value, bytes) else json.dumps(value, default=str) for value in values.to_pylist())
    return pa.array(said, pa.string()), None


def _suspicious(texts: pa.Array) -> np.ndarray:
    """Which texts hold a payment number (boolean). Whole numbers are judged by arithmetic, few others one by one."""
    out = np.zeros(len(texts), dtype=bool)
    long = np.flatnonzero(pc.fill_null(pc.greater_equal(pc.binary_length(texts), FEWEST), False).to_numpy(zero_copy_only=False))
    if not len(long):
        return out
    longer = texts.take(pa.array(long))
    bare = pc.and_(pc.ascii_is_decimal(longer), pc.less_equal(pc.binary_length(longer), MOST)).to_numpy(zero_copy_only=False)
    if bare.any():
        numbers = longer.filter(pa.array(bare))
        sizes = pc.binary_length(numbers).to_numpy(zero_copy_only=False)
        whole = numbers.cast(pa.uint64()).to_numpy(zero_copy_only=False)
        for filled in FILLED:
            sizes = np.where((sizes > filled) & (whole >= 10 ** (filled - 1)) & (whole < 10**filled), filled, sizes)
        out[long[bare]] = _cards(whole, sizes)
    if not bare.all():
        others = longer.filter(pa.array(~bare))
        where, plain = long[~bare], pc.string_is_ascii(others)
        for pattern, those in ((_LIKE, plain), (_LIKE_WIDE, pc.invert(plain))):
            if not pc.any(those).as_py():
                continue
            some, at = others, where
            if not pc.all(those).as_py():
                some, at = others.filter(those), where[those.to_numpy(zero_copy_only=False)]
            for place in np.flatnonzero(pc.match_substring_regex(some, pattern).to_numpy(zero_copy_only=False)):
                out[at[place]] = holds_payment_number(some[int(place)].as_py())
    return out


def _cards(numbers: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """`card_number` over uint64 numbers that were written with `sizes` digits."""
    first = numbers // (np.uint64(10) ** (sizes - 4).astype(np.uint64))  # the first four digits
    good = np.zeros(len(numbers), dtype=bool)
    for low, high, lengths in RANGES:
        scale = 10 ** (4 - len(str(low)))
        good |= (first >= low * scale) & (first < (high + 1) * scale) & np.isin(sizes, lengths)
    places = np.flatnonzero(good)
    rest, total = numbers[places].copy(), np.zeros(len(places), dtype=np.uint64)
    for place in range(MOST):
        digit = rest % np.uint64(10)
        if place % 2:
            digit = digit * np.uint64(2)
            digit -= np.uint64(9) * (digit > 9)
        total += digit
        rest //= np.uint64(10)
    good[places] = total % np.uint64(10) == 0
    return good


def _issued(digits: str) -> bool:
    return any(
        low <= int(digits[: len(str(low))]) <= high and len(digits) in lengths for low, high, lengths in RANGES
    )


def _luhn(digits: str) -> bool:
    doubled = ((int(digit) * (2 if place % 2 else 1)) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _windows(text: str) -> Iterator[str]:
    """Every row of neighbouring digit groups that is as long as a card number."""
    for run in _RUN.finditer(text):
        found = list(_GROUP.finditer(run.group()))
        groups = [one.group() for one in found]
        slashed = ["/" in run.group()[one.end() : two.start()] for one, two in pairwise(found)]
        # +49 1512 3456789 would be one of Visa's old numbers in one of ten cases.
        called = run.start() > 0 and text[run.start() - 1] == "+" and len("".join(groups)) == PHONE_DIGITS
        for start in range(1 if called else 0, len(groups)):
            digits, shortest, slash = "", MOST, False
            if len(filled := groups[start].lstrip("0")) < len(groups[start]) and len(filled) in FILLED:
                yield filled
            for place, group in enumerate(groups[start:], start):
                if place > start:
                    shortest, slash = min(shortest, len(groups[place - 1])), slash or slashed[place - 1]
                digits += group
                if len(digits) > MOST:
                    break
                if len(digits) >= FEWEST and not (slash and shortest < 4):
                    yield digits


def _ibans(text: str) -> Iterator[str]:
    """What could be an IBAN: a country's letters and as many signs as its IBANs have, not going on behind."""
    for match in _IBAN.finditer(text):
        found = match.group(1)
        length = IBAN_LENGTHS.get(found[:2].upper(), 0)
        signs = [place for place, sign in enumerate(found) if sign.isalnum()]
        if not length or len(signs) < length:
            continue
        end = match.start(1) + signs[length - 1] + 1
        if not text[end : end + 1].isalnum():
            yield _SIGN.sub("", text[match.start(1) : end])
