"""Rules about texts: complete, the same in every language, and as wide as what is done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from volens.programme.findings import Place, Severity
from volens.programme.model import Basis, Programme, Purpose, Role, Text
from volens.programme.rules import countries
from volens.programme.rules.minimal import EN, FR, TEXT_YAML
from volens.programme.rules.reading import texts_in_use
from volens.programme.rules.recipients import outside, receives_persons
from volens.programme.rules.rule import Change, Example, Hit, Rule
from volens.programme.words import contains, matches, pattern

STOPS = (
    "(changer|changez) d'avis",
    "(retirer|retirez) votre (accord|consentement|permission)",
    "(arreter|arretez) … (tout moment|quand vous voulez)",
    "(dire|dites) non … tout moment",
    "(vous opposer|opposez-vous)",
    "(rendre|rendez|quitter|resilier|fermer) … (tout moment|quand vous voulez)",
    "change your mind",
    "(withdraw|take back) … (consent|permission|yes|any time)",
    "(stop|object|say no|leave|close) … (any time|whenever you like)",
)
"""Ways to say that a person can stop."""

SAFEGUARDS = (
    "clauses",
    "adequation",
    "garantie*",
    "regles d'entreprise",
    "adequacy",
    "safeguard*",
    "corporate rules",
)
NUMBERS = {
    1: ("un", "one"),
    2: ("deux", "two"),
    3: ("trois", "three"),
    4: ("quatre", "four"),
    5: ("cinq", "five"),
    6: ("six", "six"),
    10: ("dix", "ten"),
    12: ("douze", "twelve"),
}


def complete(programme: Programme, on: date) -> Iterator[Hit]:
    """TXT001."""
    for purpose, text in texts_in_use(programme, on):
        for lang, body in text.bodies.items():
            for missing, remedy in _missing(programme, purpose, text, lang, body):
                yield Hit(Place(text.file(lang), 1), f"The page does not say {missing}.", remedy)
        for id in sorted(text.recipients):
            if text.bodies and not any(_names(programme, id, body) for body in text.bodies.values()):
                named = programme.recipients[id].legal_name
                yield Hit(
                    text.source.at("recipients", id),
                    f"No page of {text.id} names the recipient {named}.",
                    "Name it on each page by its full legal name.",
                )


def _missing(programme: Programme, purpose: Purpose, text: Text, lang: str, body: str) -> Iterator[tuple[str, str]]:
    controller = programme.controllers[text.controller].legal_name
    if not contains(body, controller):
        yield "who is responsible", f"Name {controller}."
    for months in sorted(set(text.keep_months.values())):
        if not any(contains(body, said) for said in _periods(months)):
            yield f"how long data is kept ({months} months)", f"Write, for example, “{_periods(months)[_first(lang)]}”."
    if purpose.needs_choice and not any(matches(body, pattern(*STOPS), unless_negated=True)):
        example = {"fr": "Vous pouvez changer d'avis à tout moment."}.get(lang, "You can change your mind at any time.")
        yield "how to stop", f"Write, for example, “{example}”"
    receiving = {recipient.id for recipient in receives_persons(programme)}
    for id in sorted(text.recipients & receiving):
        for country in filter(countries.is_country, outside(programme.recipients[id])):
            named = countries.name(country, lang)
            if not contains(body, named):
                yield f"that data goes to {named}", f"Name {named} and what protects people there."
            elif not any(matches(body, pattern(*SAFEGUARDS))):
                yield f"what protects people in {named}", "Name the instrument, such as the Commission's standard clauses."


def _first(lang: str) -> int:
    return 0 if lang == "fr" else 1


def _periods(months: int) -> tuple[str, ...]:
    """The ways in which a number of months is written in French and English; French first."""
    said = [f"{months} mois", f"{months} months"]
    french, english = NUMBERS.get(months, ("", ""))
    if french:
        said += [f"{french} mois", f"{english} months"]
    if months == 1:
        said += ["1 month", "one month"]
    if months and months % 12 == 0:
        years = months // 12
        plural = "" if years == 1 else "s"
        said += [f"{years} an{plural}", f"{years} year{plural}"]
        if years in NUMBERS:
            said += [f"{NUMBERS[years][0]} an{plural}", f"{NUMBERS[years][1]} year{plural}"]
    return tuple(said)


def _names(programme: Programme, id: str, body: str) -> bool:
    return contains(body, programme.recipients[id].legal_name)


def same_in_every_language(programme: Programme, on: date) -> Iterator[Hit]:
    """TXT002."""
    for _, text in texts_in_use(programme, on):
        for lang in programme.languages:
            if lang not in text.bodies:
                yield Hit(
                    Place(text.source.file, 1),
                    f"{text.id} has no page in `{lang}`.",
                    f"Write {text.file(lang)}; whoever reads that language is not asked before.",
                )
        yield from _differing_recipients(programme, text)
        yield from _differing_fields(text)


def _differing_recipients(programme: Programme, text: Text) -> Iterator[Hit]:
    for id, recipient in programme.recipients.items():
        if recipient.role is Role.SELF:
            continue  # the controller is asked for on every page by TXT001
        naming = [lang for lang, body in text.bodies.items() if _names(programme, id, body)]
        for lang in text.bodies:
            if naming and lang not in naming:
                yield Hit(
                    Place(text.file(lang), 1),
                    f"The page does not name {recipient.legal_name}, which {_file(text, naming[0])} names.",
                    "Name the same recipients in every language.",
                )


def _differing_fields(text: Text) -> Iterator[Hit]:
    for field, words in sorted(text.words.items()):
        telling = [lang for lang, body in text.bodies.items() if lang in words and contains(body, words[lang])]
        for lang in text.bodies:
            if telling and lang not in telling and lang in words:
                yield Hit(
                    Place(text.file(lang), 1),
                    f"The page does not tell `{field}` (“{words[lang]}”), which {_file(text, telling[0])} tells.",
                    "Tell the same data in every language, or write in text.yaml the words that tell it.",
                )


def _file(text: Text, lang: str) -> str:
    return text.file(lang).rsplit("/", 1)[-1]


def told_is_done(programme: Programme, on: date) -> Iterator[Hit]:
    """TXT003."""
    for purpose, text in texts_in_use(programme, on):
        at = purpose.source.at
        for field in sorted(purpose.fields - text.fields):
            yield Hit(
                at("fields", field),
                f"`{purpose.id}` reads `{field}`, which {text.id} does not tell.",
                "Read less, or write a new version of the text and ask again.",
            )
        for id in purpose.recipients:
            if id not in text.recipients:
                yield Hit(
                    at("recipients", id),
                    f"`{purpose.id}` has the recipient `{id}`, which {text.id} does not name.",
                    "Take it out, or write a new version of the text and ask again.",
                )
        if purpose.controller != text.controller:
            yield Hit(
                text.source.at("controller"),
                f"{text.id} names `{text.controller}`, but `{purpose.controller}` is responsible.",
                "Name the one company that decides.",
            )
        for field, words in sorted(text.words.items()):
            if text.bodies and not any(contains(body, words.get(lang, "")) for lang, body in text.bodies.items()):
                said = " or ".join(f"“{one}”" for one in words.values())
                yield Hit(
                    text.source.at("fields", field),
                    f"No page of {text.id} holds the words that tell `{field}`: {said}.",
                    "Write them on each page, or put here the words that do tell it.",
                )


def can_be_asked(programme: Programme, on: date) -> Iterator[Hit]:
    """TXT004."""
    for purpose in programme.purposes.values():
        if purpose.needs_choice and not any(text.stands(on) for text in programme.texts_of(purpose.id)):
            act = "agreed" if purpose.basis is Basis.CONSENT else "been told"
            yield Hit(
                purpose.source.at(),
                f"No text of `{purpose.id}` stands on {on}: nobody can have {act}, and nothing is permitted.",
                f"Add a text under texts/{purpose.id}/, or take the purpose out until it is needed.",
            )


RULES = (
    Rule(
        id="TXT001",
        severity=Severity.ERROR,
        family="notices",
        title="A text is complete",
        articles=("GDPR article 13", "GDPR article 7(3)"),
        why="To agree, a person must have read who is responsible, who receives, for how long, how to stop, and to which "
        "countries data goes. A text without one of these informs nobody, and a yes to it does not hold.",
        check=complete,
        failing=Example((Change(FR, "Vous pouvez changer d'avis à tout moment.", "Merci !"),), FR),
        passing=Example(
            (Change(FR, "Vous pouvez changer d'avis à tout moment.", "Vous pouvez retirer votre accord quand vous voulez."),)
        ),
    ),
    Rule(
        id="TXT002",
        severity=Severity.ERROR,
        family="notices",
        title="Every language says the same",
        articles=("GDPR articles 5(1)(a) and 12(1)",),
        why="Two people who agreed to one version in two languages have agreed to one thing: the same recipients and the same "
        "data.",
        check=same_in_every_language,
        failing=Example((Change(EN, "Verger Clair SAS pays us", "A supplier pays us"),), EN),
        passing=Example((Change(EN, "Verger Clair SAS pays us", "Verger\nClair SAS pays us"),)),
    ),
    Rule(
        id="TXT003",
        severity=Severity.ERROR,
        family="notices",
        title="No more is done than was told",
        articles=("GDPR articles 5(1)(a) and 5(1)(b)", "CNIL SAN-2020-009 (CNILTEXT000042564657)"),
        why="A bank promised to pass on name and e-mail “and nothing else”, and passed on the postal address and the number "
        "of children. The fields and recipients in use are those that the text names.",
        check=told_is_done,
        failing=Example(
            (Change("purposes.yaml", "[customer, product, day]", "[customer, product, day, store]"),),
            "purposes.yaml",
            "store]",
        ),
        passing=Example((Change("purposes.yaml", "[customer, product, day]", "[customer, product]"),)),
    ),
    Rule(
        id="TXT004",
        severity=Severity.WARNING,
        family="notices",
        title="A purpose has a text that stands",
        articles=("GDPR article 7(1)",),
        why="Without a text nobody can have agreed, so the gate answers no for everybody. Usually a version folder was "
        "forgotten, or a date is wrong.",
        check=can_be_asked,
        failing=Example(
            (Change(TEXT_YAML, "valid_from: 2026-01-01", "valid_from: 2027-01-01"),),
            "purposes.yaml",
            "  supplier-statistics:",
        ),
        passing=Example((Change(TEXT_YAML, "valid_from: 2026-01-01", "valid_from: 2026-10-31"),)),
    ),
)
