"""The edition of a programme: the part of its folder that is in force. Pure.

Rules:
1. A text that two people did not publish is no part of it: nobody can be asked under it, nothing can rest on it.
2. The digest covers exactly the files of what is in force: a text that is being written changes nothing for anybody.
3. A text counts from the day on which it was published, whatever earlier day it names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256

from volens.programme.model import Programme, Text


@dataclass(frozen=True)
class InForce:
    """What the public record says of the texts of a programme."""

    published: Mapping[str, date | None]
    """Every published text, with the day of its publication; none for one that came with the first programme."""
    set_aside: frozenset[str] = frozenset()
    """Published, and offered to nobody any more."""
    on_trial: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Purpose → the text in force and the one that is compared with it."""


def edition(programme: Programme, record: InForce) -> Programme:
    """The part of a programme that is in force."""
    drafts = programme.texts.keys() - record.published.keys()
    texts = {id: _counted_from(text, record.published[id]) for id, text in programme.texts.items() if id not in drafts}
    files = {file: content for file, content in programme.files.items() if not _is_of(file, drafts)}
    compared = {purpose: pair for purpose, pair in record.on_trial.items() if purpose in programme.purposes}
    aside = (record.set_aside | {other for _, other in compared.values()}) & texts.keys()
    digest = digest_of(files) if drafts else programme.digest
    if aside or compared:
        said = [*sorted(aside), *(f"{one}={other}" for one, other in sorted(compared.values()))]
        digest = sha256("\n".join([digest, *said]).encode()).hexdigest()
    return replace(programme, texts=texts, files=files, digest=digest, set_aside=frozenset(aside), on_trial=compared)


def files_of(programme: Programme, text: Text) -> str:
    """SHA-256 over the files of one text, its promises and its pages: what people approve when they approve it."""
    return digest_of({file: content for file, content in programme.files.items() if _is_of(file, {text.id})})


def digest_of(contents: Mapping[str, str]) -> str:
    """SHA-256 over (path, content) in the order of paths; lengths go first, so that nothing can slide over."""
    digest = sha256()
    for file in sorted(contents):
        for part in (file.encode(), contents[file].encode()):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()


def _is_of(file: str, texts: Collection[str]) -> bool:
    parts = file.split("/")
    return len(parts) == 4 and parts[0] == "texts" and f"{parts[1]}/{parts[2]}" in texts


def _counted_from(text: Text, published: date | None) -> Text:
    if published is None or published <= text.valid_from:
        return text
    if text.invalidated_on is not None and text.invalidated_on < published:
        return text
    return replace(text, valid_from=published)
