"""What the few free texts of an offer say: sums of money, a company's name, a reason. Read as words, in French and English."""

from __future__ import annotations

import re
from collections.abc import Iterator

from volens.programme.words import folded, pattern

REASON_WORDS_MIN = 4
"""A reason of fewer different words gives none; policy."""
_FIGURE = r"(?<![\d.,])(?:\d{1,3}(?:[ .,']\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?)(?!\d)"
_CURRENCY = re.compile(r"€|[$£]|(?<![^\W\d_])(?:euros?|eur|dollars?|usd|gbp)(?!\w)")
_BEFORE = re.compile(rf"({_FIGURE}) ?$")
_AFTER = re.compile(rf" ?({_FIGURE})")
_GENERIC = pattern(
    "partenaire*", "partner*", "tiers", "third part*", "annonceur*", "advertiser*", "groupe*", "group*", "affilie*", "affiliate*",
    "filiale*", "subsidiar*", "prestataire*", "supplier*", "fournisseur*", "vendor*", "societes", "entreprises", "companies",
    "sous-traitant*", "contractor*", "regies", "agences", "agencies", "brands", "marques", "clients", "reseau*", "network*",
)  # fmt: skip
_MANY = re.compile(r"(?:les|des|nos|ses|leurs|tous|toutes|certains|certaines|d'autres|our|all|any|other|their|its|selected) ")
_FORM = pattern(
    "sa", "sas", "sasu", "sarl", "eurl", "snc", "sca", "scop", "gie", "se", "ag", "gmbh", "kg", "ltd", "limited", "plc", "llp",
    "llc",
    "inc", "corp", "dac", "bv", "nv", "srl", "spa", "sl", "ab", "oy", "aps", "asbl",
    "association", "fondation", "foundation",
)  # fmt: skip
"""Legal forms: a company whose own name is Partners has one."""
_URGES = pattern(
    "dites oui", "oui maintenant", "depech*", "faites vite", "(tres |plus )?vite", "tout de suite",
    "derniere* (chance*|place*|heure*)",
    "plus que * (place*|jour*|heure*|minute*|bon*)", "profitez", "ne (ratez|manquez) pas", "sans attendre", "aujourd'hui seulement",
    "say yes", "yes now", "(act|join|go) now", "now or never", "hurry*", "only * (left|place*|day*|hour*)",
    "last (chance*|place*|day*)",
    "(don't|do not) miss", "act fast", "today only", "be quick",
)  # fmt: skip


def sums(text: str) -> Iterator[tuple[str, int | None]]:
    """Every sum of money that a text names, as written, and its minor units; none where they cannot be told."""
    said = " ".join(folded(text).split())
    for found in _CURRENCY.finditer(said):
        euro = found.group()[0] in "€e"
        before, after = _BEFORE.search(said, 0, found.start()), _AFTER.match(said, found.end())
        figures = [one.group(1) for one in (before, after) if one is not None]
        if before is not None and after is not None and after.group().startswith(" "):
            figures = figures[:1]  # what follows at a distance counts something else
        for figure in figures:
            yield f"{figure} {found.group()}", _cents(figure) if euro else None
        if not figures:
            yield found.group(), None


def _cents(figure: str) -> int:
    """1 000, 1,000.50 and 10,5 in minor units: at most two figures behind the last sign are a fraction."""
    whole, fraction = figure, ""
    if parts := re.fullmatch(r"(.*)[.,](\d{1,2})", figure):
        whole, fraction = parts.groups()
    return int(re.sub(r"\D", "", whole)) * 100 + int(f"{fraction:0<2}")


def names_a_company(name: str) -> bool:
    """Whether a name is one company's and not a word for many: partners, advertisers, the group."""
    said = " ".join(folded(name).replace(".", "").split())
    if _MANY.match(said):
        return _GENERIC.search(said) is None
    return _GENERIC.search(said) is None or _FORM.search(said) is not None


def gives_a_reason(text: str) -> bool:
    """Whether a text has the words that a reason needs."""
    return len(set(re.findall(r"[^\W\d_]+", folded(text)))) >= REASON_WORDS_MIN


def urges(text: str) -> bool:
    """Whether a text presses people to say yes."""
    return _URGES.search(folded(text)) is not None
