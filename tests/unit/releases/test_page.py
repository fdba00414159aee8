"""The page: what it says equals the figures, whoever reads it can, and it asks nothing of anybody else."""

from __future__ import annotations

import base64
import dataclasses
import re
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from tests.unit.releases.made_up import facts, figures, labels, pack

from volens.insights.estimates import Figure
from volens.insights.pack import Pack
from volens.releases.package import certificate_of
from volens.releases.page import method_text, render
from volens.releases.pagemodel import Labels, Line, PageModel, Span, page_model, readable
from volens.releases.wording import LANGUAGES, Wording

VOID = {"meta", "link", "br", "hr", "img", "input", "line", "path", "rect"}


class Reader(HTMLParser):
    """Elements in order as (name, attributes, words inside), with every end tag matched."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self.open: list[tuple[str, dict[str, str], list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = (tag, {name: value or "" for name, value in attrs}, [])
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}, []))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop()[0] == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        for _, _, words in self.open:
            words.append(data)

    def all(self, *tags: str) -> list[tuple[dict[str, str], str]]:
        """Attributes and text of the elements of these names, in order."""
        return [(attrs, " ".join("".join(words).split())) for tag, attrs, words in self.elements if tag in tags]


def model_of(asked: Pack, buyers: float = 700.0) -> PageModel:
    return page_model("juterie-1194-3f2a9c01", labels(asked), figures(asked, buyers))


def page(asked: Pack, language: str = "fr", buyers: float = 700.0) -> str:
    made = figures(asked, buyers)
    return render(model_of(asked, buyers), certificate_of(facts(), made, labels(asked)), language)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return reader


PAGES = {
    (kind, language): page(asked, language, buyers)
    for kind, asked, buyers in (
        ("one brand", pack(), 700.0),
        ("three brands", pack(3, "month", 4), 20_000.0),
        ("next to nothing", pack(), 10.0),
        ("one period", pack(1, "quarter", 1), 700.0),
        ("many weeks", pack(1, "week", 30), 9_000.0),
    )
    for language in LANGUAGES
}


@pytest.mark.parametrize("html", PAGES.values(), ids=[" ".join(key) for key in PAGES])
def test_it_loads_nothing_and_runs_nothing(html: str) -> None:
    assert not re.search(r"https?:|//[a-z]|<script|<link|<iframe|<img|<object|@import|url\(", html)
    assert not re.search(r'\s(on\w+|style|srcset|action)="', html)
    for attrs, _ in read(html).all("a"):
        assert attrs["href"].startswith("#")
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(sha256(style[1].encode()).digest()).decode()
    policy = read(html).all("meta")[1][0]
    assert policy["http-equiv"] == "Content-Security-Policy"
    assert policy["content"].startswith(f"default-src 'none'; style-src 'sha256-{digest}'")


@pytest.mark.parametrize(("key", "html"), PAGES.items(), ids=[" ".join(key) for key in PAGES])
def test_everybody_can_read_it(key: tuple[str, str], html: str) -> None:
    reader = read(html)
    assert reader.all("html")[0][0]["lang"] == key[1]
    assert len(reader.all("h1")) == 1
    assert len(reader.all("main")) == 1
    assert reader.all("title")[0][1]
    levels = [int(tag[1]) for tag, _, _ in reader.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attrs["id"] for _, attrs, _ in reader.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs, _ in reader.elements:
        for name in attrs.get("aria-labelledby", "").split():
            assert name in ids
        if attrs.get("href"):
            assert attrs["href"][1:] in ids
    for attrs, _ in reader.all("svg"):
        assert attrs["role"] == "img"
        assert attrs["aria-labelledby"]
    assert len(reader.all("table")) == len([text for _, text in reader.all("caption") if text])
    assert all(attrs.get("scope") in ("col", "row") for attrs, _ in reader.all("th"))


def test_tables_drawings_and_rows_are_all_there() -> None:
    """Seven measures of three rows or one with a drawing or without; the figures' tables and two of the certificate."""
    reader = read(PAGES["one brand", "en"])
    assert len(reader.all("svg")) == 4 * 3 + 3
    assert len(reader.all("table")) == 4 * 3 + 3 + 3 * 3 + 2
    assert "detail" in PAGES["many weeks", "en"]
    assert len(read(PAGES["many weeks", "en"]).all("details")) == 1 + 4 * 3 + 3 + 3 * 3


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["one brand", "three brands"])
def test_numbers_on_the_page_equal_the_figures(kind: str, language: str) -> None:
    """Every figure, read back from its table by caption and period, lies within rounding of the value."""
    asked, buyers = (pack(), 700.0) if kind == "one brand" else (pack(3, "month", 4), 20_000.0)
    model, wording = model_of(asked, buyers), Wording(language, "EUR")
    reader = read(PAGES[kind, language])
    rows = [text for _, text in reader.all("tr")]
    assert len(model.lines) > 40
    for line in model.lines:
        said = f"{wording.estimate(line)} {wording.precision(line)} {wording.interval(line, short=True)}"
        words = re.sub(r"\s", "", said)
        assert any(words in re.sub(r"\s", "", row) for row in rows), (line, said)
        number = float(re.sub(r"[^0-9.]", "", wording.estimate(line).replace(",", "." if language == "fr" else "")))
        shown = number / 100 if "%" in wording.estimate(line) else number
        assert shown == pytest.approx(max(line.value, 0), abs=line.half_width / 6 + 0.006)


def above_details(html: str) -> str:
    body = html.partition("</style>")[2].partition('<details class="technical">')[0]
    return re.sub(r"<[^>]+>", " ", body).lower()


@pytest.mark.parametrize(("key", "html"), PAGES.items(), ids=[" ".join(key) for key in PAGES])
def test_no_specialists_words_above_the_details(key: tuple[str, str], html: str) -> None:
    jargon = ["ε", "δ", "ρ", "epsilon", "hash", "ledger", "merkle", "empreinte", "registre", "zcdp", "opendp"]
    jargon += ["gauss", "confidentialité différentielle", "differential", "certificat", "rgpd", "gdpr", "journal"]
    found = [word for word in jargon if re.search(rf"\b{word}", above_details(html))]
    assert not found
    assert "ε" in html


def test_the_headline_answers_in_words() -> None:
    words = re.sub(r"[\u00a0\u202f]", " ", above_details(PAGES["one brand", "fr"]))
    assert "du 1er janvier au 30 septembre 2026, environ 830 clients ont acheté verger clair (± 8 %)" in words
    assert "ont dit oui à cet usage" in words
    words = re.sub(r"[\u00a0\u202f]", " ", above_details(PAGES["one brand", "en"]))
    assert "from 1 january to 30 september 2026, about 830 customers bought verger clair (± 8%)" in words


def test_too_little_is_said_to_be_too_little() -> None:
    reader = read(PAGES["next to nothing", "en"])
    assert "too few purchases for a safe summary" in " ".join(text for _, text in reader.all("p"))
    assert any("too uncertain" in text for _, text in reader.all("td"))


def test_several_brands_each_have_their_sentence_and_the_rest_is_announced() -> None:
    reader = read(PAGES["three brands", "en"])
    sentences = [text for _, text in reader.all("li")]
    for name in ("Verger Clair", "Soleil Pressé", "Petit Verger"):
        assert any(text.startswith(f"{name}: about") for text in sentences)
    many = read(page(pack(9, "quarter", 2), "en", 20_000.0))
    assert any("other brands are further down" in text for _, text in many.all("p"))
    assert any("first 8 brands" in text for _, text in many.all("p"))
    assert len([attrs for attrs, _ in many.all("svg") if attrs["aria-labelledby"].startswith("chart-buyers")]) == 10
    assert len([text for _, text in many.all("caption") if text.startswith("Buyers, ")]) == 11


def test_what_the_figures_are_not_is_said() -> None:
    items = " ".join(text for _, text in read(PAGES["one brand", "en"]).all("li"))
    assert "Buyers do not add up" in items
    assert "Quantities and spending add up" in items
    assert "not the shop's sales" in items


def test_names_are_text_and_never_markup() -> None:
    asked = pack()
    named = dataclasses.replace(labels(asked), brands={"verger-clair": "<b>&\"Clair'"}, supplier="A<script>x")
    made = figures(asked)
    html = render(page_model("r-1", named, made), certificate_of(facts(), made, named), "en")
    assert "<b>" not in html
    assert "<script" not in html
    read(html)


def test_the_same_input_gives_the_same_page() -> None:
    assert page(pack(), "fr") == PAGES["one brand", "fr"]


def test_the_certificate_stands_in_the_details() -> None:
    detail = PAGES["one brand", "en"].partition('<details class="technical">')[2]
    for part in ("1.00", "1e-6", "0.028", "0.295", "0.351", "one customer&#39;s purchases", "data protection officer"):
        assert part in detail
    assert "noise: discrete Gaussian; library: OpenDP</td>" in detail
    assert "fixed_bits" not in detail


def contrast(first: str, second: str) -> float:
    """WCAG 2.2 contrast of two colours written #rrggbb."""

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((light(first), light(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_colours_have_contrast_in_light_dark_and_print() -> None:
    schemes = re.findall(r":root \{([^}]*--paper[^}]*)\}", PAGES["one brand", "en"])
    assert len(schemes) == 3
    for scheme in schemes:
        found = dict(re.findall(r"--(\w+): (#\w+)", scheme))
        colours = {name: "#" + "".join(c * 2 for c in value[1:]) if len(value) == 4 else value for name, value in found.items()}
        for text in ("ink", "soft", *(["link"] if "link" in colours else [])):
            for ground in ("paper", "wash"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for bar in ("own", "other"):
            assert contrast(colours[bar], colours["paper"]) >= 3
            assert contrast(colours["ink"], colours[bar]) >= 3


def test_methods_have_the_same_parts_in_both_languages() -> None:
    for part in ("plain", "exact"):
        french, english = (method_text(part, language) for language in LANGUAGES)
        assert french.count("\n") == english.count("\n")
        assert french.count("**") == english.count("**") > 8


def test_a_figure_becomes_readable_units() -> None:
    assert readable(Figure("spend", "a", "b", 1250.0, 1000.0, 2000.0), "EUR").value == 12.5
    assert readable(Figure("spend", "a", "b", 1250.0, 1000.0, 2000.0), "JPY").value == 1250
    assert readable(Figure("units", "a", "b", 2.5, 2.0, 3.0), "EUR").value == 2.5


def test_a_page_model_that_is_wrong_cannot_be_built() -> None:
    model = model_of(pack())
    line = Line("buyers", "verger-clair", "2026-Q1", 1.0, 0.0, 2.0)
    for change in (
        {"brands": ()},
        {"periods": ()},
        {"brands": ("unnamed",), "lines": ()},
        {"lines": (line, line)},
        {"lines": (dataclasses.replace(line, row="elsewhere"),)},
        {"lines": (dataclasses.replace(line, column="never"),)},
    ):
        with pytest.raises(ValueError, match=r"page|name|twice|row or column"):
            dataclasses.replace(model, **change)
    with pytest.raises(ValueError, match="no interval"):
        dataclasses.replace(line, low=3.0)
    with pytest.raises(ValueError, match="no measure"):
        dataclasses.replace(line, measure="secrets")
    with pytest.raises(ValueError, match="ends before"):
        Span("x", model.periods[0].end, model.periods[0].start)
    with pytest.raises(ValueError, match="name the house"):
        Labels("", "a", {"fr": "b"}, {})
