"""The catalogue as advertisements need it: read once, and again when its file is another."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from volens.errors import NotFound
from volens.purchases import catalogue

FRESH_SECONDS = 1.0
Version = tuple[int, int]


@dataclass(frozen=True)
class _Shelves:
    version: Version
    keys: Mapping[str, int] = field(repr=False)
    skus: Mapping[int, str] = field(repr=False)
    names: Mapping[int, Mapping[str, str]] = field(repr=False)
    categories: Mapping[int, str] = field(repr=False)
    called: Mapping[str, Mapping[str, str]] = field(repr=False)


class Products:
    """Products by key and by what the shop calls them. Whoever asks first after a change waits for it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, threading.Lock()
        self._loaded: _Shelves | None = None
        self._looked = 0.0

    def look(self) -> _Shelves:
        """The catalogue as it stands, looked for once a second."""
        if self._loaded is not None and time.monotonic() - self._looked < FRESH_SECONDS:
            return self._loaded
        with self._lock:
            version = self._version()
            if self._loaded is None or self._loaded.version != version:
                self._loaded = _read(self.table(), version)
            self._looked = time.monotonic()
            return self._loaded

    def table(self) -> pa.Table:
        """The whole table of products."""
        return catalogue.read(self._folder).products

    def version(self) -> Version:
        """Tells one catalogue from the next."""
        return self.look().version

    def key(self, sku: str) -> int:
        """A product's key; 0 for one that the shop does not know."""
        return self.look().keys.get(sku, 0)

    def sku(self, product: int) -> str:
        """What the shop calls a product."""
        found = self.look().skus.get(product)
        if found is None:
            raise NotFound("There is no such product.", "Load the list of products: volens products load FILE")
        return found

    def names(self, product: int) -> Mapping[str, str]:
        """A product's name by language."""
        return self.look().names.get(product, {})

    def category(self, product: int) -> str:
        """A product's category; the empty text for one that is not known."""
        return self.look().categories.get(product, "")

    def categories(self) -> Mapping[int, str]:
        """The category of every product."""
        return self.look().categories

    def category_names(self, category: str) -> Mapping[str, str]:
        """A category's name by language; its slug in words, where it has none."""
        plain = category.replace("-", " ")
        return self.look().called.get(category, {"fr": plain, "en": plain})

    def _version(self) -> Version:
        file = self._folder / "products.parquet"
        found = file.stat() if file.exists() else None
        return (found.st_mtime_ns, found.st_ino) if found is not None else (0, 0)


def _read(products: pa.Table, version: Version) -> _Shelves:
    columns = ("product", "sku", "name_fr", "name_en", "category", "category_fr", "category_en")
    keys, skus, names = dict[str, int](), dict[int, str](), dict[int, Mapping[str, str]]()
    categories, called = dict[int, str](), dict[str, Mapping[str, str]]()
    rows = zip(*(products.column(name).to_pylist() for name in columns), strict=True)
    for key, sku, fr, en, category, category_fr, category_en in rows:
        keys[sku], skus[key], categories[key] = key, sku, category
        names[key] = {"fr": fr or en or sku, "en": en or fr or sku}
        plain = category.replace("-", " ")
        called[category] = {"fr": category_fr or plain, "en": category_en or plain}
    return _Shelves(version, keys, skus, names, categories, called)
