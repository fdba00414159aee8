"""Text, Markdown and HTML become sentences with their lines; entries of lists keep the words that lead to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

HTML = frozenset({".html", ".htm", ".xhtml"})
MARKDOWN = frozenset({".md", ".markdown"})
_UNREAD = frozenset({"script", "style", "template", "head"})
_BLOCKS = frozenset(
    ["p", "div", "li", "ul", "ol", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "table", "tr", "td", "th", "section",
     "article", "header", "footer", "blockquote", "main", "aside", "br"]
)  # fmt: skip
_ENDS = re.compile(r"(?<=[.!?;])[»”\"')]*\s+(?=[\w«“\"'(])")
_SHORT = re.compile(r"(?:\b(?:art|al|cf|n°|M|Mme|Mr|Mrs|Inc|Ltd|e\.g|i\.e|p\.ex|ex|S\.A|St)\.|\b[A-Z]\.)$")
_MARKER = re.compile(r"\s*(?:[-*•–]|\(?[0-9]{1,2}[.)]|\(?[ivx]{1,4}[.)]|\(?[a-z][.)])\s+")
_PARAGRAPHS = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True)
class Passage:
    """A sentence, the line on which it begins, and what leads to it if it is an entry of a list."""

    line: int
    sentence: str
    lead_in: str = ""


@dataclass(frozen=True)
class Block:
    """A paragraph, a heading or an entry of a list."""

    line: int
    text: str
    entry: bool = False


def passages_of(text: str, kind: str) -> Iterator[Passage]:
    """Every sentence of a text, in its order."""
    blocks = _html(text) if kind.lower() in HTML else _markdown(text) if kind.lower() in MARKDOWN else _plain(text)
    lead_in = ""
    for block in blocks:
        words = " ".join(block.text.split())
        if not words:
            continue
        if not block.entry:
            lead_in = ""
        lines = [number for number, written in enumerate(block.text.split("\n"), block.line) for _ in written.split()]
        sentences = _sentences(words)
        for start, sentence in sentences:
            yield Passage(lines[words.count(" ", 0, start)], sentence, lead_in if block.entry else "")
        if not block.entry and words.endswith(":"):
            lead_in = sentences[-1][1]


def _sentences(words: str) -> list[tuple[int, str]]:
    """Sentences of one block with their places; an abbreviation ends none."""
    found: list[tuple[int, str]] = []
    begin = 0
    for stop, after in [*(one.span() for one in _ENDS.finditer(words)), (len(words), len(words))]:
        part = words[begin:stop]
        if found and _SHORT.search(found[-1][1]):
            found[-1] = (found[-1][0], f"{found[-1][1]} {part}")
        else:
            found.append((begin, part))
        begin = after
    return found


def _plain(text: str) -> Iterator[Block]:
    """Paragraphs, and lines that open like an entry of a list."""
    begin = 0
    for stop in [*(one.span() for one in _PARAGRAPHS.finditer(text)), (len(text), len(text))]:
        line = text.count("\n", 0, begin) + 1
        held: list[str] = []
        first, entry = line, False
        for number, written in enumerate(text[begin : stop[0]].split("\n"), line):
            marker = _MARKER.match(written)
            if marker:
                yield Block(first, "\n".join(held), entry)
                held, first, entry = [written[marker.end() :]], number, True
            else:
                held.append(written)
        yield Block(first, "\n".join(held), entry)
        begin = stop[1]


def _markdown(text: str) -> Iterator[Block]:
    depth = 0
    for token in MarkdownIt("commonmark").parse(text):
        if token.type in ("list_item_open", "list_item_close"):
            depth += token.nesting
        if token.type == "inline" and token.map:
            yield Block(token.map[0] + 1, "".join(_written(one) for one in token.children or ()), depth > 0)
        elif token.type == "html_block" and token.map:
            yield from (Block(one.line + token.map[0], one.text, one.entry) for one in _html(token.content))


def _written(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    return token.content if token.type in ("text", "code_inline") else ""


def _html(text: str) -> list[Block]:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    reader.flush()
    return reader.blocks


class _Reader(HTMLParser):
    """Collects what a browser shows, block by block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self._held: list[str] = []
        self._line = 1
        self._entries = 0
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.flush()
        self._entries += tag == "li"
        self._unread += tag in _UNREAD

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.flush()
        self._entries = max(0, self._entries - (tag == "li"))
        self._unread = max(0, self._unread - (tag in _UNREAD))

    def handle_data(self, data: str) -> None:
        if self._unread:
            return
        if not self._held and data.strip():
            self._line = self.getpos()[0] + data[: len(data) - len(data.lstrip())].count("\n")
            data = data.lstrip()
        elif self._held:  # a tag may be written on several lines
            self._held.append("\n" * (self.getpos()[0] - self._line - sum(one.count("\n") for one in self._held)))
        if self._held or data.strip():
            self._held.append(data)

    def flush(self) -> None:
        """Closes the block that is being read."""
        if self._held:
            self.blocks.append(Block(self._line, "".join(self._held), self._entries > 0))
        self._held = []
