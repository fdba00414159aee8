"""What a phone or a browser guards, and what a retailer's apps use of it.

Rules:
1. The categories are the same for every retailer: they stand in `device_categories.yaml`, with the names of each system.
2. An app uses a category for a purpose of the programme, in a feature, at a moment: without all three it does not load.
3. What is not declared here is used by no app, and no server takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import yaml

from volens.programme.findings import Finding, Severity
from volens.programme.nodes import Document
from volens.programme.parties import UNWRITTEN, Source
from volens.programme.schemas import close_to

UNUSED_DAYS = 90
"""Days after which a permission that was not used lapses, where an app does not say another number."""
PLATFORMS = ("android", "ios", "web")


@dataclass(frozen=True)
class DeviceCategory:
    """One thing that a phone or a browser guards, such as its camera."""

    id: str
    plain: Mapping[str, str]
    data: Mapping[str, str]
    """What a server would receive, as the object of a sentence."""
    words: Mapping[str, tuple[str, ...]]
    """How a text names it, in each language."""
    names: Mapping[str, frozenset[str]]
    """For each platform, what the system calls it."""
    wide: Mapping[str, str]
    """Names that open more than most features need, and what is enough instead."""


@dataclass(frozen=True)
class AppUse:
    """An app's use of one category: what for, in which feature, and when it asks."""

    app: str
    category: str
    purpose: str
    feature: Mapping[str, str]
    moment: Mapping[str, str]
    names: Mapping[str, tuple[str, ...]]
    """For each platform, what the app asks the system for."""
    unused_days: int
    source: Source = field(default=UNWRITTEN, compare=False, repr=False)


@dataclass(frozen=True)
class App:
    """An app, or the site in a browser."""

    id: str
    plain: Mapping[str, str]
    platforms: tuple[str, ...]
    package: str
    """Its name with Android and in links to its settings; empty if it has none."""
    uses: tuple[AppUse, ...]
    source: Source = field(default=UNWRITTEN, compare=False, repr=False)


@cache
def categories() -> Mapping[str, DeviceCategory]:
    """Every device category, by id, in the order in which people read them."""
    written = yaml.safe_load(resources.files("volens.programme").joinpath("device_categories.yaml").read_text("utf-8"))
    return MappingProxyType({
        id: DeviceCategory(
            id=id,
            plain=one["plain"],
            data=one["data"],
            words={lang: tuple(words) for lang, words in one["words"].items()},
            names={platform: frozenset(one[platform]) for platform in PLATFORMS},
            wide=one["wide"],
        )
        for id, one in written["categories"].items()
    })  # fmt: skip


Plain = Callable[..., dict[str, str]]
"""(document, words, *path): the words, after a look whether every language is there."""


def read_apps(document: Document | None, plain: Plain) -> dict[str, App]:
    """The apps of `devices.yaml`; none if the programme has no such file."""
    apps = {}
    for id, written in document.data["apps"].items() if document is not None else ():
        assert document is not None
        days = written.get("unused_days", UNUSED_DAYS)
        apps[id] = App(
            id=id,
            plain=plain(document, written["plain"], "apps", id, "plain"),
            platforms=tuple(written["platforms"]),
            package=written.get("package", ""),
            uses=tuple(
                AppUse(
                    app=id,
                    category=use["category"],
                    purpose=use["purpose"],
                    feature=plain(document, use["feature"], "apps", id, "permissions", place, "feature"),
                    moment=plain(document, use["moment"], "apps", id, "permissions", place, "moment"),
                    names={platform: tuple(use.get(platform, ())) for platform in PLATFORMS},
                    unused_days=use.get("unused_days", days),
                    source=_source(document, "apps", id, "permissions", place),
                )
                for place, use in enumerate(written["permissions"])
            ),
            source=_source(document, "apps", id),
        )
    return apps


def _source(document: Document, *path: Any) -> Source:
    return Source(document.file, document.at(*path).line, document.keys(*path))


def check_names(apps: Mapping[str, App], purposes: Mapping[str, Any]) -> Iterator[Finding]:
    """Names that point at nothing (LOAD004), and uses that are declared twice (LOAD005)."""
    for app in apps.values():
        seen: set[tuple[str, str]] = set()
        for use in app.uses:
            at = use.source.at
            if use.purpose not in purposes:
                said = f"There is no purpose `{use.purpose}`."
                yield _finding("LOAD004", at("purpose"), said, close_to(use.purpose, purposes))
            known = categories().get(use.category)
            if known is None:
                said = f"There is no device category `{use.category}`."
                yield _finding("LOAD004", at("category"), said, close_to(use.category, categories()))
                continue
            for platform, names in use.names.items():
                for name in names:
                    if name not in known.names[platform]:
                        said = f"`{name}` is no permission of the category `{use.category}` with {platform}."
                        yield _finding("LOAD004", at(platform, name), said, close_to(name, known.names[platform]))
            if (use.category, use.purpose) in seen:
                said = f"`{app.id}` uses `{use.category}` for `{use.purpose}` twice."
                yield _finding("LOAD005", at("category"), said, "Keep one of the two.")
            seen.add((use.category, use.purpose))


def _finding(rule: str, place: Any, message: str, remedy: str) -> Finding:
    return Finding(rule, Severity.ERROR, place.file, place.line, message, remedy)


def uses(apps: Mapping[str, App]) -> tuple[AppUse, ...]:
    """Every declared use, in the order of the categories."""
    order = list(categories())
    every = [use for app in apps.values() for use in app.uses]
    return tuple(sorted(every, key=lambda use: (order.index(use.category), use.app, use.purpose)))


def settings_link(app: App | None, platform: str) -> str:
    """The address that opens an app's own settings on a phone; empty where there is none.

    It works from within the app, which hands it to the system; a browser shows what to do instead. Android: `Settings.
    ACTION_APPLICATION_DETAILS_SETTINGS`; iOS: `UIApplication.openSettingsURLString`.
    """
    if platform == "ios":
        return "app-settings:"
    if platform == "android" and app is not None and app.package:
        return f"intent:package:{app.package}#Intent;action=android.settings.APPLICATION_DETAILS_SETTINGS;end"
    return ""
