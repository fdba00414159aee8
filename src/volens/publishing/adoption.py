"""What of a programme comes onto the public record when a house opens.

Rules:
1. The first programme of a house is taken over whole. From then on a text comes onto the record by two people
   (`publishing.station`) and by nobody else: opening a house adds none.
2. A text that people may have accepted cannot be changed afterwards: it needs a new version, and a new yes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from volens.errors import ProgrammeError
from volens.evidence.log import Event, Row
from volens.programme.model import Programme, Text, digest
from volens.publishing.workflow import EVENTS, PUBLISHED

PROMISED = ("text", "recipients", "fields", "bodies", "questions")
"""What the public record says of a text for ever. The short question only where the text has one."""


def told(text: Text) -> dict[str, Any]:
    """What the public record says of a text for ever: whom and what it names, and the hash of each page and question."""
    said = {
        "text": text.id,
        "recipients": sorted(text.recipients),
        "fields": sorted(text.fields),
        "bodies": {language: text.digest(language) for language in sorted(text.bodies)},
    }
    if text.question:
        said["questions"] = {language: digest(words) for language, words in sorted(text.question.items())}
    return said


def adopted_texts(edition: Programme, rows: Iterable[Row]) -> list[Event]:
    """The events by which the first programme's texts come onto the record; none for a house that has one.

    Raises `ProgrammeError` when a published text has other words, recipients or fields than were published.
    """
    known = {str(row.text): row.said() for row in rows if row.kind == EVENTS[PUBLISHED]}
    new = []
    for text in edition.texts.values():
        now = told(text)
        before = known.get(text.id)
        if before is None:
            new.append(Event(EVENTS[PUBLISHED], purpose=text.purpose, text=text.id, detail=now))
            continue
        if "questions" not in before:
            # It was on record before it had a question: the proof of each choice says which was shown.
            now.pop("questions", None)
        if {name: before[name] for name in PROMISED if name in before} != now:
            raise ProgrammeError(
                f"The text {text.id} is on the public record with other words, recipients, fields or another question.",
                f"Put it back, and write texts/{text.purpose}/{text.version + 1}/ instead.",
            )
    return new
