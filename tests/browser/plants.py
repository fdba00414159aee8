"""One planted fault for each pattern, and some more: the true page with one thing changed, which the pattern's check must find."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.browser.pages import HOME


@dataclass(frozen=True)
class Plant:
    """A fault. `change` takes a path and what is served there."""

    pattern: str
    name: str
    places: tuple[str, ...]
    """Names of pages on which it shows; checks of the whole site look at these alone."""
    change: Callable[[str, str], str]


def on(path: str, was: str, becomes: str, *, count: int = 0) -> Callable[[str, str], str]:
    """Changes what fits `was` on pages whose path fits `path`."""

    def change(at: str, body: str) -> str:
        return re.sub(was, becomes, body, count=count, flags=re.DOTALL) if re.fullmatch(path, at) else body

    return change


def sheet(rule: str) -> Callable[[str, str], str]:
    """Adds a rule to the style sheet."""
    return on(r"/static/volens\.css", r"\Z", rule)


PAIR = r'(<button class="choice" name="say" value="no".*?</button>)(\s*)(<button class="choice" name="say" value="yes".*?</button>)'
ASK = (
    '<form method="post" action="/autorisations/choix" class="pair"><button class="choice" name="say" value="no">Non</button>'
    '<button class="choice" name="say" value="yes">Oui</button></form>'
)


def far_away(at: str, body: str) -> str:
    """Three clicks from `changements` to the centre instead of one."""
    to = {f"{HOME}/changements": f"{HOME}/parcours", f"{HOME}/parcours": f"{HOME}/plus"}.get(at)
    return re.sub(rf'href="{HOME}(/usage/[^"]*|\?[^"]*)?"', f'href="{to}"', body) if to else body


PLANTS = (
    Plant("4.1.1", "asked-at-every-visit", ("first",), on(HOME, r"(<ul class=\"groups\">)", ASK + r"\1")),
    Plant("4.1.2", "three-clicks-away", ("first", "more", "went", "change"), far_away),
    Plant("4.1.3", "groups-by-the-dozen", ("first",), on(HOME, r"(<li><a href.*?</li>)", r"\1\1\1")),
    Plant(
        "4.2.1",
        "yes-beforehand",
        ("choose",),
        on(f"{HOME}/.*", 'aria-pressed="(true|false)"', 'aria-pressed="true"'),
    ),
    Plant(
        "4.2.2",
        "a-promotion",
        ("first",),
        on(HOME, r"(<div class=\"two\">)", r'<aside><a href="/promotions">Les offres de la semaine</a></aside>\1'),
    ),
    Plant("4.2.2", "something-moves", ("first",), sheet("@keyframes turn{to{opacity:.99}} .groups{animation:turn 9s infinite}")),
    Plant(
        "4.3.1",
        "what-a-pity",
        ("first",),
        on(HOME, r"(<div class=\"two\">)", r"<p>Dommage, vous allez perdre vos avantages.</p>\1"),
    ),
    Plant("4.3.1", "an-exclamation", ("choose",), on(f"{HOME}/choisir", r"</h1>", "\u00a0!</h1>")),
    Plant(
        "4.3.2",
        "no-is-small-and-grey",
        ("brands",),
        sheet('.pair [value="no"]{font-size:.69rem;min-height:24px;padding:0;justify-self:start;color:#777;border:0}'),
    ),
    Plant("4.3.2", "no-is-a-little-paler", ("brands",), sheet('.pair [value="no"]{color:#4a564f}')),
    Plant("4.3.2", "below-the-fold", ("first",), sheet(".two{margin-top:40rem}")),
    Plant("4.4.1", "nowhere", ("more",), on(f"{HOME}/plus", f'href="{HOME}/parcours"', f'href="{HOME}/perdu"')),
    Plant(
        "4.4.1",
        "a-control-without-effect",
        ("choose",),
        on(f"{HOME}/choisir", 'method="post" action="/autorisations/choix"', 'method="get" action="/autorisations/choisir"'),
    ),
    Plant(
        "4.4.2",
        "one-page-more-to-refuse",
        ("brands",),
        on(
            f"{HOME}/marques",
            r'<button class="choice" name="say" value="no"[^>]*>(.*?)</button>',
            rf'<a class="choice" href="{HOME}/usage/supplier-statistics">\1</a>',
        ),
    ),
    Plant(
        "4.4.2",
        "a-reason-first",
        ("brands",),
        on(
            f"{HOME}/marques",
            r'(<button class="choice" name="say" value="no")',
            r'<label>Pourquoi ? <input name="why" required></label>\1',
        ),
    ),
    Plant(
        "4.4.3",
        "no-means-yes",
        ("choose",),
        on(f"{HOME}/choisir", 'value="(no|yes)"', lambda found: f'value="{"yes" if found[1] == "no" else "no"}"'),
    ),  # type: ignore[arg-type]
    Plant("4.4.3", "a-name-for-feelings", ("more",), on(f"{HOME}/plus", "Mettre en pause", "Continuer sans avantages")),
    Plant("4.5.1", "a-level-skipped", ("brands",), on(f"{HOME}/marques", r"<h2 (id=\"u-.*?)</h2>", r"<h4 \1</h4>")),
    Plant("4.5.1", "choices-without-names", ("brands",), on(f"{HOME}/marques", r' aria-labelledby="u-[^"]*"', "")),
    Plant(
        "4.5.2",
        "a-word-nobody-looks-for",
        ("first", "more"),
        on(f"{HOME}.*", r"(<nav .*?)(Mes autorisations|My permissions)", r"\1Mon univers"),
    ),
    Plant("4.5.3", "the-other-way-round-once", ("brands", "choose"), on(f"{HOME}/marques", PAIR, r"\3\2\1")),
    Plant(
        "4.5.4",
        "half-in-french",
        ("brands",),
        on(
            f"{HOME}/marques",
            "What other companies receive[^<]*",
            "Ce que d'autres entreprises reçoivent de vos achats : des chiffres, ou une liste. Vous décidez.",
        ),
    ),
    Plant("4.5.4", "says-another-language", ("brands",), on(f"{HOME}/marques", '<html lang="en">', '<html lang="fr">')),
    Plant("4.6.1", "not-sold-it-says", ("first",), on(HOME, "<strong>Oui.</strong>", "<strong>Non.</strong>")),
    Plant("4.6.1", "a-state-that-is-not", ("choose",), on(f"{HOME}/choisir", r"Votre réponse\s*: oui", "Votre réponse\u00a0: non")),
    Plant(
        "4.6.2",
        "a-hedge",
        ("brands",),
        on(
            f"{HOME}/marques",
            "reçoivent de vos achats",
            "reçoivent. Vos achats pourraient servir, notamment à améliorer votre expérience.",
        ),
    ),
    Plant(
        "4.6.2",
        "how-long-is-not-said",
        ("use-statistics",),
        on(f"{HOME}/usage/.*", r"<dt>Combien de temps</dt>", "<dt>Durée utile</dt>"),
    ),
)
