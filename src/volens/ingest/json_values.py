"""JSON values of a file, one after another: JSON Lines, one array, or objects written one below the other.

1. Memory is bounded by one value and `BLOCK_BYTES`, however long the file is.
2. Numbers stay the text that was written: 3.10 is never 3.1000000000000001.
3. In JSON Lines a broken line is a value of its own (its text); an array that breaks off is an error.
4. NaN and Infinity, half a surrogate pair, and what is nested deeper than `DEPTH_MOST` are no JSON that anybody can keep: such a
   value is its text, alone. Nested so deep that nobody can tell where it ends, the file is refused with the line.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from volens.errors import MappingError
from volens.ingest.files import broken_file, open_bytes

BLOCK_BYTES = 1 << 20
VALUE_BYTES = 1 << 24
DEPTH_MOST = 100

_GAP = re.compile(r"[ \t\r\n,]*")
_LIST_OF_LISTS = re.compile(r"\s*\[[ \t]*\[")
# What may be no JSON (rule 4) has one of these in it, or many brackets.
_DOUBTFUL = re.compile(r"NaN|Infinity|\\u[dD][89a-fA-F]")
_decoder = json.JSONDecoder(parse_float=str, parse_int=str)


@dataclass(frozen=True)
class Value:
    """One value: `content` is an object as a rule, or the text of a line that is no JSON."""

    content: Any
    line: int
    """The line in JSON Lines; the number of the value, from 1, otherwise."""
    bytes_done: int


def read_values(path: Path, *, lines: bool = False, inside: str = "") -> Iterator[Value]:
    """The file's values in order. `MappingError` when it is not JSON or breaks off.

    `lines`: one value on each line is expected, so that a first line that is broken is a broken line.
    `inside`: the key of a list whose values are judged one by one where an object has it (rule 4).
    """
    raw, source = open_bytes(path)
    with raw:
        try:
            blocks = _texts(source)
            start = ""
            while len(start.lstrip()) < 2 or "\n" not in start.lstrip():
                more = next(blocks, None)
                if more is None:
                    break
                start += more
                if len(start) > VALUE_BYTES:
                    break
            # A value ends where its line ends, or goes on below.
            read = _by_line if _is_lines(start.lstrip("\ufeff \t\r\n"), expected=lines) else _stream
            for content, line, text in read(start, blocks, path):
                yield Value(_kept(content, text, inside), line, raw.tell())
        except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
            if isinstance(error, UnicodeDecodeError):
                raise MappingError(f"{path.name} is not UTF-8, as JSON must be.", "Ask the sender for UTF-8.") from error
            raise broken_file(path, error) from error


def _texts(source: pa.NativeFile) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    while block := source.read(BLOCK_BYTES):
        yield decoder.decode(block)
    yield decoder.decode(b"", final=True)


def _kept(content: Any, text: str, inside: str) -> Any:
    """The value, or its text where it is no JSON that anybody can keep."""
    if text.count("[") + text.count("{") <= DEPTH_MOST and not _DOUBTFUL.search(text):
        return content
    several = content.get(inside) if inside and isinstance(content, dict) else None
    if isinstance(several, list):
        if _sound({**content, inside: []}):
            return {**content, inside: [value if _sound(value) else _text(value) for value in several]}
    elif _sound(content):
        return content
    return text


def _text(value: Any) -> str:
    try:
        return json.dumps(value)
    except RecursionError:
        return "nested too deeply"


def _sound(value: Any) -> bool:
    """Whether it can be kept (rule 4). Without recursion."""
    stack = [(value, 0)]
    while stack:
        inner, depth = stack.pop()
        if isinstance(inner, float) or depth > DEPTH_MOST:
            return False
        if isinstance(inner, str) and not inner.isascii():
            try:
                inner.encode()
            except UnicodeEncodeError:
                return False
        elif isinstance(inner, dict):
            stack += [(one, depth + 1) for pair in inner.items() for one in pair]
        elif isinstance(inner, list):
            stack += [(one, depth + 1) for one in inner]
    return True


def _is_lines(start: str, *, expected: bool) -> bool:
    first, _, rest = start.partition("\n")
    if expected and _LIST_OF_LISTS.match(first):
        return True  # no array of objects
    if expected and not first.startswith("[") and first.strip() != "{":
        return True
    if not start.startswith("{"):
        return False
    return first.rstrip().endswith("}") or rest.lstrip().startswith("{")


def _by_line(start: str, blocks: Iterator[str], path: Path) -> Iterator[tuple[Any, int, str]]:
    number, held = 0, start
    more: str | None = ""
    while more is not None:
        more = next(blocks, None)
        lines = held.split("\n")
        held = lines.pop() + (more or "")
        if len(held) > VALUE_BYTES + BLOCK_BYTES:
            raise MappingError(f"{path.name} has a line above 16 MB.", "Write one object on each line.")
        if more is None:
            lines.append(held)
        for line in lines:
            number += 1
            text = line.strip().removeprefix("\ufeff")
            if text:
                try:
                    yield _decoder.decode(text), number, text
                except (ValueError, RecursionError):
                    yield text, number, ""


def _stream(start: str, blocks: Iterator[str], path: Path) -> Iterator[tuple[Any, int, str]]:
    """Values with nothing, white space or commas between them, in one array or in none."""
    held, number, place, ended = start.removeprefix("\ufeff").lstrip(), 0, 0, False
    line = 1 + start.count("\n", 0, len(start) - len(held))
    array = held.startswith("[")
    place = 1 if array else 0
    while True:
        place = _GAP.match(held, place).end()  # type: ignore[union-attr]  # it matches nothing at least
        if array and held.startswith("]", place):
            return
        begun = place
        try:
            # A number at the very end might go on; objects, which orders are, cannot.
            content, place = _decoder.raw_decode(held, place)
        except RecursionError:
            raise MappingError(
                f"{path.name}, line {line + held.count(chr(10), 0, place)}: what begins there is nested more than "
                f"{DEPTH_MOST} deep, {number:,} objects into the file.",
                "Take that line out, or have the sender write it flat.",
            ) from None
        except ValueError:
            if ended and place == len(held) and not array:
                return
            if ended or len(held) - place > VALUE_BYTES:
                raise MappingError(
                    f"{path.name} breaks off or is no JSON after {number:,} objects.", "Fetch the file again."
                ) from None
            more = next(blocks, None)
            ended = more is None
            line += held.count("\n", 0, place)
            held, place = held[place:] + (more or ""), 0
            continue
        number += 1
        yield content, number, held[begun:place]
