"""YAML in, plain values and line numbers out.

Rules:
1. Nothing is guessed: only `true`, `false`, `null`, whole and decimal numbers are not text. `NO` stays the
   country Norway, and a date stays the text that was written.
2. The same key twice, anchors, aliases and own tags are refused, each at its line.
3. A file has a size limit, and so has the depth of nesting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from volens.programme.findings import Finding, Place, Severity

MAX_FILE_BYTES = 1_000_000
MAX_DEPTH = 20

Key = str | int
KeyPath = tuple[Key, ...]

_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+\Z")
_CORE_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge", "value")
)


@dataclass(frozen=True)
class Document:
    """One YAML file as plain values; `lines` gives the line of every key and list entry."""

    file: str
    data: Any
    lines: Mapping[KeyPath, int] = field(repr=False)

    def at(self, *path: Key) -> Place:
        """Where `path` stands; if it is not there, where the nearest thing that holds it stands."""
        for length in range(len(path), -1, -1):
            line = self.lines.get(path[:length])
            if line is not None:
                return Place(self.file, line)
        return Place(self.file, 1)

    def keys(self, *path: Key) -> dict[str, int]:
        """The lines of what stands under `path`: `key`, and `key.entry` for the entries of lists and tables."""
        found: dict[str, int] = {}
        here = self._value(path)
        for key, value in here.items() if isinstance(here, dict) else ():
            found[key] = self.at(*path, key).line
            if isinstance(value, dict):
                found |= {f"{key}.{entry}": self.at(*path, key, entry).line for entry in value}
            elif isinstance(value, list):
                found |= {f"{key}.{entry}": self.at(*path, key, index).line for index, entry in enumerate(value)}
        return found

    def _value(self, path: KeyPath) -> Any:
        value = self.data
        for key in path:
            value = value[key]
        return value


class NotClean(Exception):
    """The file cannot be understood in one way only; carries the finding."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


_Fast: Any = getattr(yaml, "CSafeLoader", None)


class _PlainLoader(yaml.SafeLoader):
    """A composer without anchors and aliases."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.constructor.ConstructorError(None, None, "anchors and aliases are not read here", event.start_mark)
        return super().compose_node(parent, index)


def not_clean(place: Place, message: str, remedy: str) -> NotClean:
    """The error for a file that is not clean YAML."""
    return NotClean(Finding("LOAD002", Severity.ERROR, place.file, place.line, message, remedy))


def read_text(path: Path, file: str) -> str:
    """The UTF-8 text of a file, within the size limit; a missing file is LOAD001."""
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        remedy = "Create it; `volens init` writes a complete programme to start from."
        raise NotClean(Finding("LOAD001", Severity.ERROR, file, 1, f"{file} {reason}.", remedy)) from None
    if len(content) > MAX_FILE_BYTES:
        raise not_clean(Place(file, 1), f"The file is larger than {MAX_FILE_BYTES} bytes.", "Split it.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise not_clean(Place(file, line), "This line is not UTF-8.", "Save the file as UTF-8.") from None


def read_yaml(path: Path, file: str) -> Document:
    """The document in `path`; `file` is its name in findings. Raises `NotClean`."""
    return parse(read_text(path, file), file)


def parse(text: str, file: str) -> Document:
    """The document that a text says; `file` is its name in findings. Raises `NotClean`."""
    try:
        root = _root(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = error.problem or "it cannot be parsed"
        remedy = "Check the indentation and the quotes; write values out in full."
        raise not_clean(Place(file, line), f"Not clean YAML: {problem}.", remedy) from None
    except RecursionError:
        raise not_clean(Place(file, 1), "It is nested too deeply to be read.", "Write it flatter.") from None
    except yaml.YAMLError as error:
        raise not_clean(Place(file, 1), f"Not YAML: {error}.", "Save it as plain text.") from None
    if root is None:
        raise not_clean(Place(file, 1), "The file is empty.", "Fill it in; see docs/programme.md.")
    lines: dict[KeyPath, int] = {(): root.start_mark.line + 1}
    return Document(file, _value(root, (), file, lines), lines)


def _root(text: str) -> yaml.Node | None:
    """The tree of a text. By libyaml where there is one, ten times as fast; what it does not take, and what is deep or has an
    anchor, is read again by the slow reader, whose words for what is wrong are the ones that people get."""
    if _Fast is not None and _is_plain(text, _Fast):
        return yaml.compose(text, Loader=_Fast)
    loader = _PlainLoader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _is_plain(text: str, loader: Any) -> bool:
    """Whether a text is understood, without anchors and aliases, and no deeper than anything here is."""
    depth = documents = 0
    try:
        for event in yaml.parse(text, Loader=loader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                return False
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            documents += isinstance(event, yaml.DocumentStartEvent)
            if depth > 2 * MAX_DEPTH or documents > 1:
                return False
    except yaml.YAMLError:
        return False
    return True


def _value(node: yaml.Node, path: KeyPath, file: str, lines: dict[KeyPath, int]) -> Any:
    here = Place(file, node.start_mark.line + 1)
    if node.tag not in _CORE_TAGS:
        raise not_clean(here, f"The tag {node.tag!r} is not read here.", "Write the plain value.")
    if len(path) > MAX_DEPTH:
        raise not_clean(here, f"Nested deeper than {MAX_DEPTH} levels.", "Write it flatter.")
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, file, lines)
    if isinstance(node, yaml.SequenceNode):
        entries = []
        for index, child in enumerate(node.value):
            lines[(*path, index)] = child.start_mark.line + 1
            entries.append(_value(child, (*path, index), file, lines))
        return entries
    return _scalar(node)


def _mapping(node: yaml.MappingNode, path: KeyPath, file: str, lines: dict[KeyPath, int]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, child in node.value:
        place = Place(file, key_node.start_mark.line + 1)
        if not isinstance(key_node, yaml.ScalarNode):
            raise not_clean(place, "A key must be a word.", "Write `key: value`.")
        key = str(key_node.value)  # keys are always text, also when they look like numbers
        if key in values:
            first = lines[(*path, key)]
            message = f"`{key}` is declared for the second time (first on line {first})."
            raise NotClean(Finding("LOAD005", Severity.ERROR, file, place.line, message, "Keep one of the two."))
        lines[(*path, key)] = place.line
        values[key] = _value(child, (*path, key), file, lines)
    return values


def _scalar(node: yaml.Node) -> Any:
    written = str(node.value)
    kind = node.tag.rsplit(":", 1)[-1]
    if kind == "bool" and written.lower() in {"true", "false"}:
        return written.lower() == "true"
    if kind == "null":
        return None
    if kind == "int" and _WHOLE.match(written):
        return int(written)
    if kind == "float" and _DECIMAL.match(written):
        return float(written)
    return written
