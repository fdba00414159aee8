"""Rules about the short question that is put where a use would happen: one breath long, a real question, plain about money."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from volens.programme.findings import Severity
from volens.programme.model import Basis, Programme, Text
from volens.programme.rules.minimal import TEXT_YAML
from volens.programme.rules.money import PAYS
from volens.programme.rules.reading import texts_in_use
from volens.programme.rules.rule import Change, Example, Hit, Rule
from volens.programme.rules.texts import NUMBERS
from volens.programme.words import contains, fold, matches, pattern

QUESTION_WORDS = 15
"""In one sentence: what is read at a glance, on a small screen, by somebody who came to do something else."""
_WORD = re.compile(r"\w")


def can_be_answered(programme: Programme, on: date) -> Iterator[Hit]:
    """TXT010."""
    for _, text in texts_in_use(programme, on):
        for lang, words in text.question.items():
            place = text.source.at("question", lang)
            if not words.rstrip().endswith("?"):
                yield Hit(place, "The question does not end with a question mark.", "End with what yes or no answers, and `?`.")
            for _, sentence in fold(words.replace("?", ".")).sentences():
                count = sum(1 for word in sentence.split() if _WORD.search(word))
                if count > QUESTION_WORDS:
                    yield Hit(
                        place,
                        f"A sentence of the question has {count} words; {QUESTION_WORDS} are the most that is read at a glance.",
                        "Say it shorter, or in two sentences; the page behind it has the rest.",
                    )


def can_be_put(programme: Programme, on: date) -> Iterator[Hit]:
    """TXT011."""
    for purpose, text in texts_in_use(programme, on):
        if not text.question and (purpose.basis is Basis.CONSENT or purpose.asked_at):
            yield Hit(
                text.source.at(),
                f"{text.id} has no short question, so nobody is ever asked for `{purpose.id}` where it would be used.",
                "Add `question:` with one short question in every language.",
            )


def says_who_pays(programme: Programme, on: date) -> Iterator[Hit]:
    """PAY003."""
    for purpose, text in texts_in_use(programme, on):
        for lang, words in text.question.items() if purpose.paid else ():
            if not any(matches(words, pattern(*PAYS), unless_negated=True)):
                yield Hit(
                    text.source.at("question", lang),
                    f"The question for `{purpose.id}` does not say that somebody pays for it.",
                    "Begin with who pays, such as “Verger Clair SAS nous paie pour cela.”",
                )
            elif not _names_payers(programme, text, words):
                yield Hit(
                    text.source.at("question", lang),
                    f"The question for `{purpose.id}` says neither who pays nor how many do.",
                    f"Name each who pays, or write their number, {len(text.paid_by)}; the page behind it names them all.",
                )


def _names_payers(programme: Programme, text: Text, words: str) -> bool:
    if all(contains(words, programme.recipients[id].legal_name) for id in text.paid_by):
        return True  # a payer whom the text leaves out is PAY001's
    how_many = len(text.paid_by)
    return how_many > 1 and any(contains(words, said) for said in (str(how_many), *NUMBERS.get(how_many, ())))


_FR = "fr: Verger Clair SAS nous paie pour des chiffres. Voulez-vous y compter ?"
_EN = "en: Verger Clair SAS pays us for figures. Shall you count in them?"
_BLOCK = f"question:\n  {_FR}\n  {_EN}\n"

RULES = (
    Rule(
        id="TXT010",
        severity=Severity.ERROR,
        family="notices",
        title="A short question is answered by yes or no",
        articles=("GDPR articles 7(2) and 12(1)",),
        why="The question stands where somebody came to do something else. If it is longer than a glance, or no question, the two "
        "buttons under it are pressed unread.",
        check=can_be_answered,
        failing=Example(
            (Change(TEXT_YAML, _EN, "en: Verger Clair SAS pays us for figures in which you count."),), TEXT_YAML, "in which"
        ),
        passing=Example((Change(TEXT_YAML, _EN, "en: Shall you count in figures for which Verger Clair SAS pays us?"),)),
    ),
    Rule(
        id="TXT011",
        severity=Severity.WARNING,
        family="notices",
        title="Whoever can be asked, can be asked briefly",
        articles=("GDPR article 7(2)",),
        why="Without a short question a purpose is found in the permission centre and nowhere else. Who never goes there was never "
        "asked, and nothing is permitted.",
        check=can_be_put,
        failing=Example((Change(TEXT_YAML, _BLOCK, ""),), TEXT_YAML),
        passing=Example(
            (Change(TEXT_YAML, _FR, "fr: Verger Clair SAS nous paie. Voulez-vous compter dans les chiffres qu'elle reçoit ?"),)
        ),
    ),
    Rule(
        id="PAY003",
        severity=Severity.ERROR,
        family="notices",
        title="A short question says who pays",
        articles=("GDPR articles 5(1)(a) and 13", "GDPR article 4(11): informed"),
        why="Most people read the question and nothing else. If the shop is paid for their yes, they know it there, by the payer's "
        "name or, where there are several, by their number.",
        check=says_who_pays,
        failing=Example((Change(TEXT_YAML, _EN, "en: Shall you count in our figures?"),), TEXT_YAML, "in our figures"),
        passing=Example((Change(TEXT_YAML, _EN, "en: We are paid by Verger Clair SAS for figures. Shall you count in them?"),)),
    ),
)
