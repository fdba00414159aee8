"""Rules about whether a page can be understood in one reading."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from volens.programme.findings import Place, Severity
from volens.programme.model import Basis, Programme
from volens.programme.reading import EASE_MIN, LANGUAGES, measure
from volens.programme.rules.minimal import EN, FR
from volens.programme.rules.reading import hits, pages, texts_in_use
from volens.programme.rules.rule import Change, Example, Hit, Rule
from volens.programme.words import fold, matches, pattern

SENTENCE_WORDS = 50
"""Beyond this a sentence is read twice or not at all; an enumeration of companies' names comes close to it."""

TWISTED = (
    "(ne|n') … pas … (refuser|vous opposer|decliner|me desinscrire|vous desinscrire|ne pas)",
    "(decochez|decocher) … (si|pour)",
    "(cochez|cocher) … si vous (ne|n')",
    "je ne (souhaite|veux|desire) pas … (recevoir|que)",
    "(do not|don't|not) (wish to |want to )?(refuse|object|opt out|decline|unsubscribe)",
    "(untick|uncheck) … (if|to)",
    "(tick|check) … if you (do not|don't)",
    "i (do not|don't) (wish|want) … (to|that)",
)
"""Questions to which yes means no."""

JARGON = (
    "(interet legitime|responsable (de|du) traitement|sous-traitant*|destinataires|finalite*|base legale)",
    "(pseudonymis*|hache|hachee|hachage|chiffrement|jeton*|metadonnee*|algorithm*)",
    "(confidentialite differentielle|epsilon|registre de consentement)",
    "(legitimate interest*|data controller|controllers?|processor|sub-processor*|lawful basis|data subject*)",
    "(pseudonymi*|hash|hashed|hashing|encrypt*|token*|metadata|algorithm*)",
    "(differential privacy|epsilon|consent registry)",
    "(RGPD|GDPR)",
)
"""Words of the trade. Each has a plain one."""


def consent_is_a_question(programme: Programme, on: date) -> Iterator[Hit]:
    """TXT005."""
    for purpose, text in texts_in_use(programme, on):
        if purpose.basis is not Basis.CONSENT:
            continue
        for lang, title in text.titles.items():
            if not title.rstrip().endswith("?"):
                yield Hit(
                    Place(text.file(lang), 1),
                    f"“{title}” is no question, and yes or no is no answer to it.",
                    "Begin the page with the question that is asked, and end it with a question mark.",
                )


def short_sentences(programme: Programme, on: date) -> Iterator[Hit]:
    """TXT006."""
    for _, text in texts_in_use(programme, on):
        for lang, body in text.bodies.items():
            folded = fold(body)
            for start, sentence in folded.sentences():
                words = len(sentence.split())
                if words > SENTENCE_WORDS:
                    lead = len(sentence) - len(sentence.lstrip())
                    yield Hit(
                        Place(text.file(lang), folded.line(start + lead)),
                        f"A sentence has {words} words; {SENTENCE_WORDS} are the most that is read at once.",
                        "Make two or three of it.",
                    )


def easy_to_read(programme: Programme, on: date) -> Iterator[Hit]:
    """TXT007."""
    for _, text in texts_in_use(programme, on):
        for lang in text.bodies.keys() & LANGUAGES:
            found = measure(text.bodies[lang], lang)
            if found.ease < EASE_MIN:
                yield Hit(
                    Place(text.file(lang), 1),
                    f"Its reading ease is {found.ease:.0f}, at {found.words_per_sentence:.0f} words a sentence; "
                    f"{EASE_MIN} is the least.",
                    "Take shorter words and shorter sentences.",
                )


def yes_means_yes(programme: Programme, on: date) -> Iterator[Hit]:
    """WRD004."""
    for page in pages(programme, on):
        for found in matches(page.words, pattern(*TWISTED)):
            yield Hit(
                page.at(found.line),
                f"“{found.written}” has to be turned round to be answered.",
                "Ask what is wanted, so that yes permits and no refuses.",
            )


def no_jargon(programme: Programme, on: date) -> Iterator[Hit]:
    """WRD005."""
    remedy = "Say it as you would at the desk: who, what, what for; put the legal term on the page behind it."
    yield from hits(programme, on, (*JARGON, *_ARTICLES), "{} is a word of the trade.", remedy, unless_negated=False)


_ARTICLES = ("(article|articles) (" + "|".join(str(number) for number in range(1, 100)) + ")",)


def _french(sentence: str) -> tuple[Change, ...]:
    return (Change(FR, "Un achat y compte", f"{sentence}\nUn achat y compte"),)


def _english(sentence: str) -> tuple[Change, ...]:
    return (Change(EN, "A purchase counts", f"{sentence}\nA purchase counts"),)


_LONG = (
    "On Monday and on Tuesday and on Wednesday and on Thursday and on Friday and on Saturday and on Sunday, in the morning, "
    "at noon and in the evening, in spring, in summer, in autumn and in winter, in the shop and at home, we look at what is "
    "bought and we count it and then we count it again."
)
_HARD = (
    "Subsequently, categorisation methodologies facilitate organisational familiarisation with individual purchasing "
    "regularities, irrespective of intermediary establishments, geographical particularities or administrative subdivisions."
)

RULES = (
    Rule(
        id="TXT005",
        severity=Severity.WARNING,
        family="notices",
        title="A page that asks begins with the question",
        articles=("GDPR articles 7(2) and 12(1)",),
        why="People read the first line. If it asks nothing, the two buttons under it answer nothing.",
        check=consent_is_a_question,
        failing=Example((Change(EN, "# Your purchases, counted in our figures?", "# Our figures"),), EN),
        passing=Example((Change(EN, "# Your purchases, counted in our figures?", "# Shall we count you in our figures?"),)),
    ),
    Rule(
        id="TXT006",
        severity=Severity.WARNING,
        family="notices",
        title="Sentences are short enough to be read",
        articles=("GDPR article 12(1): concise, transparent, intelligible",),
        why="A page is understood in one reading or not at all. Long sentences hide what matters in their middle.",
        check=short_sentences,
        failing=Example(_english(_LONG), EN, "On Monday"),
        passing=Example(_english("On Monday we look at what is bought. On Tuesday we count it.")),
    ),
    Rule(
        id="TXT007",
        severity=Severity.WARNING,
        family="notices",
        title="A page reads easily",
        articles=("GDPR article 12(1): intelligible, in clear and plain language",),
        why="Kandel and Moles for French, Flesch for English: long words in long sentences are not understood in one reading. "
        "Terms of service stand at about 60; a text that asks a question of everybody has to do better. A measure of words, "
        "not of people: whether they understood is asked of a sample of them (docs/texts.md).",
        check=easy_to_read,
        failing=Example(_english(_HARD), EN),
        passing=Example(_english("We look at your purchases. We count them. We tell nobody who you are.")),
    ),
    Rule(
        id="WRD004",
        severity=Severity.ERROR,
        family="plain words",
        title="Yes means yes",
        articles=("GDPR articles 4(11) and 7(2)", "CNIL SAN-2023-025 (not confirmed)"),
        why="“Untick the box if you do not wish to refuse”: whoever has to turn a question round answers it wrongly, and a yes "
        "that was meant as a no permits nothing.",
        check=yes_means_yes,
        failing=Example(_french("Cochez la case si vous ne voulez pas y compter."), FR, "Cochez"),
        passing=Example(_french("Dites oui, et vos achats y comptent.")),
    ),
    Rule(
        id="WRD005",
        severity=Severity.WARNING,
        family="plain words",
        title="No words of the trade",
        articles=("GDPR article 12(1)",),
        why="“Legitimate interest”, “pseudonymised”, “controller”: lawyers and engineers know what is meant, and the person who is "
        "asked does not.",
        check=no_jargon,
        failing=Example(_english("We rely on our legitimate interest."), EN, "legitimate interest"),
        passing=Example(_english("We do so because we want to know what is liked.")),
    ),
)
