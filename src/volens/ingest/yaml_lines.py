"""YAML that remembers its lines, so that a mistake can be shown where it stands.

Every scalar is text: `currency: NO` stays the two letters that were written. A key that stands twice is an error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from volens.errors import MappingError

MAPPING_BYTES = 100_000


@dataclass(frozen=True)
class Node:
    """One value: either `text` or `entries`, and the line of its key."""

    line: int
    text: str | None = None
    entries: dict[str, Node] | None = None

    def flat(self, prefix: str = "") -> dict[str, Node]:
        """All values below this one by their dotted keys."""
        found: dict[str, Node] = {}
        for name, node in (self.entries or {}).items():
            found[prefix + name] = node
            found |= node.flat(f"{prefix}{name}.")
        return found


def read_yaml(path: Path) -> Node:
    """The file's root. `MappingError` when it is not YAML of keys and values."""
    try:
        if path.stat().st_size > MAPPING_BYTES:
            raise MappingError(f"{path.name} is too large for a mapping.", "Is it the feed itself?")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise MappingError(f"There is no file {path}.", "Let `volens ingest --explain FILE` write one.") from None
    except UnicodeDecodeError:
        raise MappingError(f"{path.name} is not UTF-8.", "Save it as UTF-8.") from None
    return parse_yaml(text, path)


def parse_yaml(text: str, path: Path) -> Node:
    """As `read_yaml`, of a text; `path` gives its name to errors."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise MappingError(f"{path.name}, line {line}: {error.problem}.", "Mend the YAML.") from None
    except yaml.YAMLError:
        raise MappingError(f"{path.name} is not YAML.", "Mend the YAML.") from None
    if root is None:
        raise MappingError(f"{path.name} is empty.", "Let `volens ingest --explain FILE` write one.")
    return _node(root, path)


def _node(node: yaml.Node, path: Path) -> Node:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return Node(line, text=str(node.value))
    if not isinstance(node, yaml.MappingNode):
        raise MappingError(f"{path.name}, line {line}: a list is not expected here.", "Write keys and values.")
    entries: dict[str, Node] = {}
    for key, value in node.value:
        name = str(key.value)
        if name in entries:
            raise MappingError(f"{path.name}, line {key.start_mark.line + 1}: `{name}` stands twice.", "Keep one.")
        entries[name] = replace(_node(value, path), line=key.start_mark.line + 1)
    return Node(line, entries=entries)
