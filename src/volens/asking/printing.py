"""What a paper form says, as a page to print on A4: no file beside it, no script, no request. Pure.

1. Each question is a section: its number, the question, two boxes of one size (no first), and the whole text.
2. The digest of a section covers its very HTML; the code covers all sections in their order. The rest of the page (title, boxes for
   name and card, how to send it back) is the frame.
3. A section does not depend on its number or its neighbours, so that a form is current as long as its sections are.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files

import segno
import yaml
from markdown_it import MarkdownIt

from volens.asking.codes import code_of
from volens.asking.shown import Shown
from volens.programme.model import Programme, digest


@dataclass(frozen=True)
class Section:
    """One question as it is printed."""

    purpose: str
    text: str
    html: str

    @property
    def digest(self) -> str:
        """SHA-256 of the HTML."""
        return digest(self.html)


@dataclass(frozen=True)
class Printed:
    """A form as it is printed."""

    code: str
    language: str
    html: str
    sections: Mapping[str, tuple[str, str]]
    """Purpose → (text, digest of its section)."""


@cache
def words(language: str) -> Mapping[str, str]:
    """What a form says besides the questions; English where a language is not written here."""
    written: Mapping[str, Mapping[str, str]] = yaml.safe_load(files("volens.asking").joinpath("paper.yaml").read_text("utf-8"))
    return written.get(language, written["en"])


@cache
def style() -> str:
    """The form's own style sheet, which stands in the page: it must print alike wherever it is opened."""
    return files("volens.asking").joinpath("paper.css").read_text("utf-8")


def section(one: Shown) -> Section:
    """A question as it is printed."""
    said = words(one.language)
    whole = MarkdownIt("commonmark", {"html": False}).render(one.body)
    whole = whole.replace("<h1>", "<h3>").replace("</h1>", "</h3>")
    boxes = "".join(f'<span class="box"><i></i>{escape(said[answer], quote=False)}</span>' for answer in ("no", "yes"))
    html = (
        f'<section lang="{escape(one.language)}">\n<h2>{escape(one.words, quote=False)}</h2>\n'
        f'<p class="boxes">{boxes}</p>\n<div class="whole">\n{whole}</div>\n<p class="id">{escape(one.text)}</p>\n</section>'
    )
    return Section(one.purpose, one.text, html)


def printed(programme: Programme, asked: Sequence[Shown], language: str) -> Printed:
    """The whole form."""
    sections = [section(one) for one in asked]
    body = "\n".join(one.html for one in sections)
    code = code_of(f"{programme.house}\n{language}\n{body}".encode())
    said = words(language)
    held = {name: escape(value, quote=False) for name, value in said.items()}
    square = io.BytesIO()
    segno.make(f"VOLENS:{code}", error="m", micro=False).save(square, kind="svg", scale=3, border=2, xmldecl=False, svgns=True)
    html = f"""<!doctype html>
<html lang="{escape(language)}">
<head>
<meta charset="utf-8">
<title>{held["title"]} {escape(code)}</title>
<style>{style()}</style>
</head>
<body>
<header>
<div><p class="shop">{escape(programme.name, quote=False)}</p><h1>{held["title"]}</h1></div>
<div class="code">{square.getvalue().decode()}<p>{escape(code)}</p></div>
</header>
<p class="lead">{held["lead"]}</p>
<div class="who"><p>{held["name"]}</p><p>{held["card"]}</p></div>
<main>
{body}
</main>
<div class="who"><p>{held["date"]}</p><p>{held["signature"]}</p></div>
<p class="small">{held["small"]}</p>
</body>
</html>
"""
    return Printed(code, language, html, {one.purpose: (one.text, one.digest) for one in sections})
