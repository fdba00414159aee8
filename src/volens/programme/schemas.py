"""The JSON Schemas of a programme's files, and their errors in words.

The same schemas serve editors (completion while typing) and the loader. The `description` beside each rule is what a
finding tells to write instead.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from volens.programme.findings import Finding, Place, Severity
from volens.programme.nodes import Document, Key

KINDS = (
    "programme", "purposes", "recipients", "categories", "retention", "claims", "comprehension", "reminders", "messages",
    "devices", "text", "insight",
)  # fmt: skip
_TYPES = {
    "object": "a table of keys",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


@cache
def schema(kind: str) -> Mapping[str, Any]:
    """The JSON Schema for one of `KINDS`, as shipped."""
    content = resources.files("volens.programme").joinpath("schema", f"{kind}.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(content)
    return loaded


@cache
def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(schema(kind))


def check(document: Document, kind: str) -> list[Finding]:
    """Everything in which a document differs from its schema, in the order of its lines."""
    return against(document, _validator(kind), "See docs/programme.md.")


def against(document: Document, validator: Draft202012Validator, page: str) -> list[Finding]:
    """The same for a schema of another station; `page` is the advice where a schema's rule gives none."""
    findings = [
        Finding("LOAD003", Severity.ERROR, place.file, place.line, message, remedy)
        for error in validator.iter_errors(document.data)
        for place, message, remedy in _said(error, document, page)
    ]
    return sorted(findings, key=lambda finding: (finding.line, finding.message))


def close_to(word: str, known: Iterable[str]) -> str:
    """`Did you mean …?`, or the list of what exists."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=2, cutoff=0.6)
    if near:
        return "Did you mean " + " or ".join(f"`{name}`" for name in near) + "?"
    return "There is: " + ", ".join(f"`{name}`" for name in names) + "." if names else "None is declared."


def _said(error: ValidationError, document: Document, page: str) -> Iterator[tuple[Place, str, str]]:
    path: tuple[Key, ...] = tuple(error.absolute_path)
    place = document.at(*path)
    rules: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    advice = str(rules.get("description", page))
    name = _named(path)
    given: Any = error.instance
    wanted: Any = error.validator_value
    match error.validator:
        case "additionalProperties":
            known = rules.get("properties", {})
            for key in given:
                if key not in known:
                    yield document.at(*path, key), f"The key `{key}` is unknown {_inside(path)}.", close_to(key, known)
        case "required":
            missing = [key for key in wanted if key not in given]
            # jsonschema reports one error per missing key; its message opens with that key.
            key = next((one for one in missing if error.message.startswith(repr(one))), missing[0])
            described = rules.get("properties", {}).get(key, {}).get("description", "")
            yield place, f"The key `{key}` is missing {_inside(path)}.", f"Add it. {described}".strip()
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else list(wanted)
            said = " or ".join(_TYPES[kind] for kind in kinds)
            yield place, f"{name} is {_kind_of(given)} where {said} belongs.", advice
        case "enum":
            yield place, f"{name} is `{given}`, which is not one of its values.", close_to(str(given), map(str, wanted))
        case "pattern":
            if "propertyNames" in error.absolute_schema_path:
                place, name = document.at(*path, str(given)), "The key"
            yield place, f"{name} `{given}` is not written as it should be.", advice
        case "minItems" | "minProperties" | "minLength":
            yield place, f"{name} is empty.", advice
        case "uniqueItems":
            yield place, f"{name} names something twice.", "Keep one of the two."
        case _:
            yield place, f"{name}: {error.message}.", advice


def _named(path: tuple[Key, ...]) -> str:
    words = [key for key in path if isinstance(key, str)]
    return f"`{'.'.join(words[-2:])}`" if words else "The file"


def _inside(path: tuple[Key, ...]) -> str:
    words = [key for key in path if isinstance(key, str)]
    return f"in `{'.'.join(words[-2:])}`" if words else "in this file"


def _kind_of(instance: Any) -> str:
    if instance is None:
        return "empty"
    for kind, checked in (("boolean", bool), ("integer", int), ("number", float), ("string", str), ("array", list)):
        if isinstance(instance, checked):
            return _TYPES[kind]
    return _TYPES["object"]
