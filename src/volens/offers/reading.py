"""A file of YAML or JSON becomes an `Offer`, or findings that say with their lines why it is none."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
from jsonschema import Draft202012Validator

from volens.errors import BadInput
from volens.offers.document import Offer, Unfit
from volens.offers.plain import HOW, unclean_texts
from volens.programme.findings import Finding, Place, Severity
from volens.programme.nodes import Document, NotClean, parse, read_text
from volens.programme.schemas import against

NEVER = "never"
_PLACE = re.compile(r"`\$\.([a-z_.]+)`")
"""Where msgspec says that something stands."""
FINDINGS_IN_AN_ERROR = 5


@dataclass(frozen=True)
class Reading:
    """What reading gave: an offer with its lines, or findings that say why there is none."""

    offer: Offer | None
    document: Document | None
    findings: tuple[Finding, ...]


@cache
def _schema() -> dict[str, Any]:
    rules: dict[str, Any] = json.loads(resources.files("volens.offers").joinpath("offer.json").read_text("utf-8"))
    return rules


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(_schema())


def schema() -> Mapping[str, Any]:
    """The JSON Schema of an offer, for editors."""
    return _schema()


def read(path: Path) -> Reading:
    """The offer in a file, or every finding of the stage that failed."""
    try:
        return read_words(read_text(path, path.name), path.name)
    except NotClean as error:
        return Reading(None, None, (error.finding,))


def read_words(written: str, file: str) -> Reading:
    """The same for the content of a file; JSON is YAML, and is read by the same stages."""
    try:
        document = parse(written, file)
    except NotClean as error:
        return Reading(None, None, (error.finding,))
    wrong = against(document, _validator(), "See docs/offers.md.")
    if wrong:
        return Reading(None, document, tuple(wrong))
    if unclean := list(unclean_texts(document)):
        return Reading(None, document, tuple(
            _finding("LOAD003", document.at(*path), f"The text of `{'.'.join(map(str, path))}` is not plain: {why}", HOW)
            for path, why in unclean
        ))  # fmt: skip
    try:
        return Reading(msgspec.convert(_values(document.data), Offer), document, ())
    except msgspec.ValidationError as error:
        # The schema holds the kinds; what is left are days that no calendar has.
        key = _PLACE.search(str(error))
        where = key.group(1) if key else ""
        said = f"`{where}`: there is no such day." if where else "There is no such day."
        place = document.at(*where.split(".")) if where else document.at()
        return Reading(None, document, (_finding("LOAD006", place, said, "Give a day of the calendar."),))
    except BadInput as error:
        place = document.at(*error.key.split(".")) if isinstance(error, Unfit) else document.at()
        return Reading(None, document, (_finding("LOAD003", place, error.what, error.remedy),))


def offer_of(reading: Reading) -> Offer:
    """The offer that was read. Raises `BadInput` with the first findings if there is none."""
    if reading.offer is None:
        raise BadInput("The offer does not load:\n" + _listed(reading.findings), "Mend the file; see docs/offers.md.")
    return reading.offer


def _listed(found: Sequence[Finding]) -> str:
    return "\n".join(f"  {one}" for one in found[:FINDINGS_IN_AN_ERROR])


def _finding(rule: str, place: Place, message: str, remedy: str) -> Finding:
    return Finding(rule, Severity.ERROR, place.file, place.line, message.rstrip(".") + ".", remedy)


def _values(data: Mapping[str, Any]) -> dict[str, Any]:
    """The keys as the values are called: the offer's name for itself is its id, and `never` is no day."""
    values = {("id" if key == "offer" else key): value for key, value in data.items()}
    values["ends"] = _day(values["ends"])
    if "licence" in values:
        values["licence"] = {**values["licence"], "ends": _day(values["licence"]["ends"])}
    return values


def _day(written: str) -> str | None:
    return None if written == NEVER else written
