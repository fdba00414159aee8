"""What a line means beyond its numbers: returns by word, weighed goods, codes that carry a weight or a price.

1. A word in the `kind` column says what a line is. Sales stay as they are, returns become negative, voids and training receipts
   were never bought and are refused; a word that the mapping does not know is refused too.
2. A code carries a weight or a price only where the mapping says so for its first digits (GS1 leaves 02 and 20 to 29 to each
   company). Its check digit must be right. The product is its first digits and the item's.
3. Weights in grams become kilograms in thousandths, so nothing is rounded: half a gram is unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volens.ingest.payment_numbers import gtin

KINDS = ("sale", "return", "void", "training")
CODE_DIGITS = 13
PREFIX = re.compile(r"02|2[0-9]{1,2}")
LAYOUT = re.compile(r"P+x*(W+|A+)C")


@dataclass(frozen=True)
class Carried:
    """Product codes after what they carry was taken out: one entry a line."""

    sku: pa.Array
    grams: np.ndarray  # int64; 0 where the code carries no weight
    price: np.ndarray  # int64 minor units; −1 where the code carries no price
    broken: np.ndarray  # the check digit is wrong


def carried(sku: pa.Array, layouts: Mapping[str, str]) -> Carried:
    """Takes weights and prices out of codes. `layouts`: first digits → the rest, as PPPPPWWWWWC (rule 2)."""
    found = pc.dictionary_encode(sku)
    codes = found.dictionary.to_pylist()
    read = [_one(code, layouts) for code in codes] or [("", 0, -1, False)]
    places = pc.fill_null(found.indices, 0).to_numpy(zero_copy_only=False)
    columns = list(zip(*read, strict=True))
    return Carried(
        pa.array(columns[0][: len(codes)], pa.string()).take(found.indices),
        *(np.array(values)[places] for values in columns[1:]),
    )


def _one(code: str, layouts: Mapping[str, str]) -> tuple[str, int, int, bool]:
    if len(code) != CODE_DIGITS or not (code.isascii() and code.isdigit()):
        return code, 0, -1, False
    for prefix, layout in layouts.items():
        if not code.startswith(prefix):
            continue
        if not gtin(code):
            return code, 0, -1, True
        rest = code[len(prefix) :]
        value = int("".join(digit for digit, sign in zip(rest, layout, strict=True) if sign in "WA"))
        item = "".join(digit for digit, sign in zip(rest, layout, strict=True) if sign == "P")
        return (prefix + item, value, -1, False) if "W" in layout else (prefix + item, 0, value, False)
    return code, 0, -1, False


def in_kilograms(quantity: np.ndarray, unit: pa.Array) -> tuple[np.ndarray, pa.Array, np.ndarray]:
    """Lines in grams (quantity: thousandths of one) as kilograms, and which of them are finer than a gram."""
    grams = pc.fill_null(pc.equal(unit, "g"), False).to_numpy(zero_copy_only=False)
    if not grams.any():
        return quantity, unit, grams
    fine = grams & (quantity % 1000 != 0)
    return np.where(grams, quantity // 1000, quantity), pc.if_else(pa.array(grams), "kg", unit), fine
