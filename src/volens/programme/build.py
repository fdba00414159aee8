"""Documents that fit their schemas become the values of `model`.

What a schema cannot say is checked here as values are built: days that exist, languages that are declared, and what
the values themselves refuse. Whether names point at something is checked afterwards, in `references`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from volens.programme import messages, reminding, understanding
from volens.programme.devices import read_apps
from volens.programme.findings import Finding, Place, Severity
from volens.programme.model import (
    NOT_PERMITTED,
    Basis,
    Claim,
    DataCategory,
    DataField,
    Delivery,
    Entity,
    Parent,
    Programme,
    Purpose,
    Recipient,
    Retention,
    Role,
    Source,
    Text,
    Transfer,
)  # fmt: skip
from volens.programme.nodes import Document, Key
from volens.programme.products import Expected, InsightProduct, MeasureSpec, nano

Built = TypeVar("Built")
_HTML = re.compile(r"<[!/?A-Za-z]|&#?\w+;")


@dataclass(frozen=True)
class TextFiles:
    """One version of a text as read: its `text.yaml` and its pages by language."""

    purpose: str
    version: int
    document: Document
    pages: Mapping[str, str]


@dataclass(frozen=True)
class Folder:
    """All documents of a programme, each of the right shape."""

    path: Path
    digest: str
    main: Mapping[str, Document]
    products: tuple[Document, ...]
    texts: tuple[TextFiles, ...]
    files: Mapping[str, str]


@dataclass
class _Builder:
    """Builds values and keeps what was wrong on the way."""

    folder: Folder
    languages: tuple[str, ...]
    findings: list[Finding] = field(default_factory=list)

    def say(self, rule: str, place: Place, message: str, remedy: str) -> None:
        self.findings.append(Finding(rule, Severity.ERROR, place.file, place.line, message, remedy))

    def value(self, place: Place, make: Callable[[], Built]) -> Built | None:
        """The value, or None and a finding if the value refuses to be built."""
        try:
            return make()
        except ValueError as error:
            self.say("LOAD003", place, f"It cannot be so: {error}.", "See docs/programme.md for what is allowed.")
            return None

    def day(self, document: Document, *path: Key) -> date | None:
        """The day written at `path`, None if there is none or if it does not exist in the calendar."""
        written: Any = document.data
        for key in path:
            written = written.get(key) if isinstance(written, dict) else written[key]
        if written is None:
            return None
        try:
            return date.fromisoformat(written)
        except ValueError:
            self.say("LOAD006", document.at(*path), f"{written} is not a day of the calendar.", "Write YYYY-MM-DD.")
            return None

    def plain(self, document: Document, words: Mapping[str, str], *path: Key) -> dict[str, str]:
        """Words in every declared language, in no other."""
        for lang in self.languages:
            if lang not in words:
                self.say(
                    "LOAD007",
                    document.at(*path),
                    f"`{path[-1]}` is not said in `{lang}`.",
                    f"Add `{lang}: …` beside the other languages.",
                )
        for lang in words:
            if lang not in self.languages:
                self.say(
                    "LOAD007",
                    document.at(*path, lang),
                    f"The language `{lang}` is not declared.",
                    "Add it to `languages` in programme.yaml, or take these words out.",
                )
        return dict(words)


def build(folder: Folder) -> tuple[Programme, list[Finding]]:
    """The programme and what was wrong; with findings, the programme is only good for finding more."""
    head = folder.main["programme"]
    builder = _Builder(folder, tuple(head.data["languages"]))
    controllers, purposes = _controllers(head), _purposes(builder)
    programme = Programme(
        name=head.data["name"],
        house=head.data["house"],
        path=folder.path,
        digest=folder.digest,
        languages=builder.languages,
        country=head.data["country"],
        controllers=controllers,
        recipients=_recipients(builder, controllers, purposes),
        purposes=purposes,
        texts=_texts(builder),
        categories=_categories(builder),
        retention=_retention(builder),
        activity_events=tuple(folder.main["retention"].data["activity_events"]),
        products=_products(builder),
        claims=_claims(builder),
        apps=read_apps(folder.main.get("devices"), builder.plain),
        unknown_age=head.data.get("unknown_age", "adult"),
        retention_source=_source(folder.main["retention"]),
        comprehension=understanding.build(folder.main.get(understanding.FILE), builder.plain, builder.value),
        reminding=reminding.build(folder.main.get(reminding.FILE)),
        messages=messages.build(folder.main.get(messages.FILE)),
        files=folder.files,
    )
    return programme, builder.findings


def _source(document: Document, *path: Key) -> Source:
    return Source(document.file, document.at(*path).line, document.keys(*path))


def _controllers(head: Document) -> dict[str, Entity]:
    written = head.data["controllers"]
    return {id: Entity(id=id, source=_source(head, "controllers", id), **one) for id, one in written.items()}


def _purposes(builder: _Builder) -> dict[str, Purpose]:
    document = builder.folder.main["purposes"]
    purposes = {}
    for id, written in document.data["purposes"].items():
        path = ("purposes", id)
        plain = builder.plain(document, written["plain"], *path, "plain")
        purposes[id] = Purpose(
            id=id,
            basis=Basis(written["basis"]),
            controller=written["controller"],
            covers=tuple(written["covers"]),
            delivers=Delivery(written["delivers"]),
            categories=tuple(written["categories"]),
            fields=frozenset(written["fields"]),
            recipients=tuple(written["recipients"]),
            paid_by=tuple(written.get("paid_by", ())),
            activity=written["activity"],
            keep_months=dict(written["keep_months"]),
            plain=plain,
            dpv=written["dpv"],
            default=written.get("default", NOT_PERMITTED),
            waiting_days=written.get("waiting_days", 30),
            renew_months=written.get("renew_months"),
            profiling_ads=written.get("profiling_ads", False),
            asked_at=tuple(written.get("asked_at", ())),
            hands_over=frozenset(written["hands_over"]) if "hands_over" in written else None,
            source=_source(document, *path),
        )
    return purposes


def _recipients(builder: _Builder, controllers: Mapping[str, Entity], purposes: Mapping[str, Purpose]) -> dict[str, Recipient]:
    """The declared recipients and, for own use, every controller under its own id."""
    document = builder.folder.main["recipients"]
    used: dict[str, frozenset[str]] = {}
    for purpose in purposes.values():
        for id in purpose.recipients:
            used[id] = used.get(id, frozenset()) | purpose.fields
    recipients = {
        id: Recipient(
            id=id,
            legal_name=one.legal_name,
            legal_form=one.legal_form,
            role=Role.SELF,
            country=one.country,
            access_countries=(one.country,),
            fields=used.get(id, frozenset()),
            source=one.source,
        )
        for id, one in controllers.items()
    }
    for id, written in document.data["recipients"].items():
        path = ("recipients", id)
        if id in controllers:
            builder.say("LOAD005", document.at(*path), f"`{id}` is a controller already.", "Take one of the two out.")
            continue
        pays_for = written.get("pays_for", {})
        recipients[id] = Recipient(
            id=id,
            legal_name=written["legal_name"],
            legal_form=written.get("legal_form", ""),
            role=Role(written["role"]),
            country=written["country"],
            access_countries=tuple(written["access_countries"]),
            fields=frozenset(written["fields"]) if "fields" in written else used.get(id, frozenset()),
            parent=Parent(**written["parent"]) if "parent" in written else None,
            transfer=_transfer(builder, document, id, written.get("transfer")),
            pays_for=builder.plain(document, pays_for, *path, "pays_for") if pays_for else {},
            makers=tuple(written.get("makers", ())),
            brands=tuple(written.get("brands", ())),
            obeys_within_hours=written.get("obeys_within_hours", 24),
            source=_source(document, *path),
        )
    return recipients


def _transfer(builder: _Builder, document: Document, id: str, written: Any) -> Transfer | None:
    if written is None:
        return None
    path = ("recipients", id, "transfer")
    days = ("signed_on", "assessed_on", "certified_on", "valid_until")
    on = {key: builder.day(document, *path, key) for key in days}
    return builder.value(document.at(*path), lambda: Transfer(written["instrument"], tuple(written["countries"]), **on))


def _categories(builder: _Builder) -> dict[str, DataCategory]:
    document = builder.folder.main["categories"]
    categories = {}
    for id, written in document.data["categories"].items():
        path = ("categories", id)
        fields = {
            name: DataField(name, id, builder.plain(document, words, *path, "fields", name))
            for name, words in written["fields"].items()
        }
        plain = builder.plain(document, written["plain"], *path, "plain")
        sensitive = written.get("sensitive", False)
        categories[id] = DataCategory(id, written["store"], sensitive, plain, fields, _source(document, *path))
    return categories


def _retention(builder: _Builder) -> tuple[Retention, ...]:
    document = builder.folder.main["retention"]
    return tuple(
        Retention(**written, source=_source(document, "retention", index))
        for index, written in enumerate(document.data["retention"])
    )


def _claims(builder: _Builder) -> tuple[Claim, ...]:
    document = builder.folder.main["claims"]
    claims = []
    for index, written in enumerate(document.data["claims"]):
        path = ("claims", index)
        since = builder.day(document, *path, "since") or date.min
        until = builder.day(document, *path, "until") if written.get("until") else None
        if until and until < since:
            builder.say("LOAD006", document.at(*path, "until"), "The claim ends before it begins.", "Mend the days.")
        says = builder.plain(document, written["says"], *path, "says")
        claims.append(Claim(written["where"], since, until, says, _source(document, *path)))
    return tuple(claims)


def _texts(builder: _Builder) -> dict[str, Text]:
    texts = {}
    for files in builder.folder.texts:
        text = builder.value(files.document.at(), lambda files=files: _text(builder, files))  # type: ignore[misc]
        if text is not None:
            texts[text.id] = text
    return texts


def _text(builder: _Builder, files: TextFiles) -> Text:
    document, written = files.document, files.document.data
    for name, words in written["fields"].items():
        builder.plain(document, words, "fields", name)
    valid_from = builder.day(document, "valid_from") or date.min
    invalidated_on = builder.day(document, "invalidated_on")
    if invalidated_on and invalidated_on < valid_from:
        builder.say(
            "LOAD006",
            document.at("invalidated_on"),
            "The text is invalidated before it is valid.",
            "Write the day it was found to be invalid, at the earliest its first day.",
        )
        invalidated_on = None
    titles = {lang: _title(builder, files, lang, body) for lang, body in files.pages.items()}
    question = written.get("question", {})
    return Text(
        id=f"{files.purpose}/{files.version}",
        purpose=files.purpose,
        version=files.version,
        valid_from=valid_from,
        invalidated_on=invalidated_on,
        controller=written["controller"],
        recipients=frozenset(written["recipients"]),
        fields=frozenset(written["fields"]),
        words={name: dict(words) for name, words in written["fields"].items()},
        keep_months=dict(written["keep_months"]),
        paid_by=tuple(written.get("paid_by", ())),
        also_for=tuple(written.get("also_for", ())),
        bodies=dict(files.pages),
        titles=titles,
        question=builder.plain(document, question, "question") if question else {},
        source=_source(document),
    )


def _title(builder: _Builder, files: TextFiles, lang: str, body: str) -> str:
    """The title of a page, which its first line must be."""
    file = files.document.file.replace("text.yaml", f"{lang}.md")
    if lang not in builder.languages:
        builder.say(
            "LOAD007",
            Place(file, 1),
            f"The language `{lang}` is not declared.",
            "Add it to `languages` in programme.yaml, or take the page out.",
        )
    first = body.split("\n", 1)[0]
    if not first.startswith("# ") or not first[2:].strip():
        builder.say(
            "LOAD003",
            Place(file, 1),
            "The page does not begin with its title.",
            "Write the title on the first line, after `# `.",
        )
    for number, line in enumerate(body.split("\n"), 1):
        # HTML could hide words from people that the rules would count as read.
        if _HTML.search(line):
            builder.say("LOAD003", Place(file, number), "There is HTML in this page.", "Write plain Markdown.")
    return first.removeprefix("# ").strip()


def _products(builder: _Builder) -> dict[str, InsightProduct]:
    products: dict[str, InsightProduct] = {}
    for document in builder.folder.products:
        builder.plain(document, document.data["plain"], "plain")
        product = builder.value(document.at("id"), lambda document=document: _product(document))  # type: ignore[misc]
        if product is None:
            continue
        if product.id in products:
            builder.say(
                "LOAD005",
                document.at("id"),
                f"`{product.id}` is also declared in {products[product.id].file}.",
                "Give it another name or the next version.",
            )
        products[product.id] = product
    return products


def _product(document: Document) -> InsightProduct:
    written = document.data
    measures = {
        name: MeasureSpec(
            measure=name,
            caps=dict(spec["caps"]),
            caps_days=written["caps_days"],
            scales=spec["scales"],
            radius=None if spec["radius"] is None else Decimal(spec["radius"]),
            loss_share=Decimal(spec["loss_share"]),
            loss_limit=Decimal(spec["loss_limit"]),
            slack=Decimal(spec["slack"]),
        )
        for name, spec in written["measures"].items()
    }
    return InsightProduct(
        id=written["id"],
        purpose=written["purpose"],
        unit=written["unit"],
        rho_per_pack_nano=nano(written["rho_per_pack"]),
        rho_per_year_nano=nano(written["rho_per_year"]),
        delta=written["delta"],
        max_half_width=Decimal(written["max_half_width"]),
        periods=tuple(written["periods"]),
        max_periods=written["max_periods"],
        measures=measures,
        expected={category: Expected(**figures) for category, figures in written["expected"].items()},
        plain=dict(written["plain"]),
        file=document.file,
    )
