"""A folder of YAML and Markdown becomes a `Programme`.

Rules:
1. All or nothing: `load` gives a programme without a finding, or raises with every finding of the stage that failed.
2. Stages: read the files, compare each with its schema, build the values, check that names point at something.
3. The digest covers exactly the files that were read, by path and content; no other file can change what is meant.
4. Nothing is looked up outside the folder, and nothing depends on the day: that is the linter's part.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from volens.programme import messages, references, reminding, schemas, understanding
from volens.programme.build import Folder, TextFiles, build
from volens.programme.edition import digest_of
from volens.programme.findings import Finding, Place, ProgrammeHasErrors, Severity
from volens.programme.model import Programme
from volens.programme.nodes import Document, NotClean, parse, read_text

MAIN_FILES = ("programme", "purposes", "recipients", "categories", "retention", "claims")
OPTIONAL_FILES = (understanding.FILE, reminding.FILE, messages.FILE, "devices")
"""Read where they are there: a retailer without an app asks phones for nothing."""
SCHEMA_FOLDER = "schema"
"""Copies of the JSON Schemas for editors; never read, not part of the digest."""


@dataclass(frozen=True)
class Loaded:
    """What reading a folder gave: a programme, or findings that say why there is none."""

    programme: Programme | None
    findings: tuple[Finding, ...]


@dataclass
class _Reading:
    """The state of one reading: documents and pages so far, what was wrong, and which files were touched."""

    root: Path
    findings: list[Finding] = field(default_factory=list)
    contents: dict[str, str] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)

    def say(self, rule: str, place: Place, message: str, remedy: str) -> None:
        self.findings.append(Finding(rule, Severity.ERROR, place.file, place.line, message, remedy))

    def yaml(self, file: str, kind: str) -> Document | None:
        """The document if it is clean and fits its schema; else its findings are kept."""
        content = self.page(file)
        if content is None:
            return None
        try:
            document = parse(content, file)
        except NotClean as error:
            self.findings.append(error.finding)
            return None
        wrong = schemas.check(document, kind)
        self.findings += wrong
        return None if wrong else document

    def page(self, file: str) -> str | None:
        """The text of a file, exactly as it is there."""
        self.touched.add(file)
        try:
            self.contents[file] = read_text(self.root / file, file)
        except NotClean as error:
            self.findings.append(error.finding)
            return None
        return self.contents[file]


def load(path: Path | str) -> Programme:
    """The programme in a folder. Raises `ProgrammeHasErrors` (a `ProgrammeError`) with all findings."""
    loaded = read(path)
    if loaded.programme is None:
        raise ProgrammeHasErrors(loaded.findings)
    return loaded.programme


def read(path: Path | str) -> Loaded:
    """Like `load`, but gives the findings instead of raising; for the linter."""
    root = Path(path)
    reading = _Reading(root)
    if not root.is_dir():
        reading.say(
            "LOAD001",
            Place(str(root), 1),
            f"There is no folder {root}.",
            "Name the folder that holds programme.yaml, or start one with `volens init`.",
        )
        return Loaded(None, tuple(reading.findings))
    there = [name for name in OPTIONAL_FILES if (root / f"{name}.yaml").is_file()]
    main = {name: reading.yaml(f"{name}.yaml", name) for name in (*MAIN_FILES, *there)}
    insights = [reading.yaml(file, "insight") for file in _names(root, "insights/*.yaml")]
    texts = _texts(reading)
    _strays(reading)
    ready = {name: document for name, document in main.items() if document is not None}
    if reading.findings or len(ready) < len(main):
        return Loaded(None, _sorted(reading.findings))
    products = tuple(document for document in insights if document is not None)
    folder = Folder(root.resolve(), digest_of(reading.contents), ready, products, tuple(texts), dict(reading.contents))
    programme, wrong = build(folder)
    wrong += references.check(programme)
    return Loaded(None if wrong else programme, _sorted(wrong))


def _texts(reading: _Reading) -> list[TextFiles]:
    """Every version folder under texts/, with the pages in it."""
    found = []
    for folder in sorted(reading.root.glob("texts/*/*/")):
        purpose, version = folder.parent.name, folder.name
        file = f"texts/{purpose}/{version}/text.yaml"
        if not re.fullmatch(r"[1-9][0-9]{0,5}", version):
            reading.say(
                "LOAD008",
                Place(file, 1),
                f"{version!r} is not the number of a version.",
                "Name the folder 1, 2, 3 and so on.",
            )
            continue
        document = reading.yaml(file, "text")
        pages = {page.stem: reading.page(f"texts/{purpose}/{version}/{page.name}") for page in folder.glob("*.md")}
        if not pages:
            reading.say("LOAD001", Place(file, 1), "This text has no page.", "Add one per language, such as fr.md.")
        read_pages = {lang: body for lang, body in sorted(pages.items()) if body is not None}
        if document is not None:
            found.append(TextFiles(purpose, int(version), document, read_pages))
    return found


def _strays(reading: _Reading) -> None:
    """Files that look as if they counted but are not read."""
    for path in sorted(reading.root.rglob("*")):
        file = path.relative_to(reading.root).as_posix()
        parts = file.split("/")
        hidden = any(part.startswith(".") for part in parts)
        if not path.is_file() or hidden or parts[0] == SCHEMA_FOLDER or file == "README.md":
            continue
        if path.suffix in {".yaml", ".yml", ".md", ".json"} and file not in reading.touched:
            already = any(finding.file.startswith(file.rsplit("/", 1)[0] + "/") for finding in reading.findings)
            if not (already and parts[0] == "texts"):
                reading.say(
                    "LOAD008",
                    Place(file, 1),
                    f"{file} has no place in a programme and is not read.",
                    "Move it out of the folder, or to where it belongs; see docs/programme.md.",
                )


def _names(root: Path, pattern: str) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.glob(pattern))


def _sorted(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: (one.file, one.line, one.rule, one.message)))
