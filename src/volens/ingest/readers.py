"""Which reader takes which format, and how each of them tells one receipt from the next."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from volens.errors import MappingError
from volens.ingest import loyalty, shopify, weborders
from volens.ingest.files import files_in
from volens.ingest.json_values import read_values
from volens.ingest.loyalty import Known
from volens.ingest.mapping import Mapping
from volens.ingest.raw import Chunk
from volens.purchases.catalogue import Catalogue


def read(path: Path, mapping: Mapping, known: Known) -> Iterator[Chunk]:
    """A feed's lines, whatever its format."""
    if mapping.format == "schema-org-order":
        return weborders.read(path, mapping, known)
    if mapping.format == "shopify-orders":
        return shopify.read(path, mapping, known)
    return loyalty.read(path, mapping, known)


def first_chunk(path: Path, mapping: Mapping, known: Known, lines: int) -> Chunk:
    """The first lines only. `MappingError` when there are none."""
    for file in files_in(path, mapping.format):
        if mapping.format == "schema-org-order":
            if values := list(islice(read_values(file), lines)):
                return weborders.chunk(values, mapping, known=known)
        elif mapping.format == "shopify-orders":
            if values := list(islice(shopify.orders(file, mapping, known), lines)):
                return shopify.chunk(values, mapping, known=known)
        else:
            for piece in loyalty.pieces(file, mapping):
                return loyalty.chunk(piece.first(lines), mapping, 0, known=known)
    raise MappingError(f"{path.name} has a header and no lines.", "There is nothing to explain: send a day with sales.")


def known_products(catalogue: Catalogue) -> Known:
    """Whether a code is a product's, for whoever asks about few of them."""
    codes: set[str] = set()

    def known(code: str) -> bool:
        if not codes:
            codes.update(code for name in ("sku", "gtin") for code in catalogue.products[name].to_pylist() if code)
        return code in codes

    return known
