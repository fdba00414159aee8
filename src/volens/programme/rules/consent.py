"""Further rules about a yes: it ends, nothing hangs on it, it is told before it is used, nobody is pressed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from volens.programme.findings import Severity
from volens.programme.model import Basis, Programme
from volens.programme.rules.minimal import EN, FR
from volens.programme.rules.reading import pages
from volens.programme.rules.rule import Change, Example, Hit, Rule
from volens.programme.words import fold, matches, pattern, says_no

CONDITIONS = (
    "(vous devez|il faut|il vous faut|vous etes tenu de) (accepter|consentir|donner votre accord|dire oui|cocher)",
    "(votre|vos|la|les) (carte|compte|adhesion|inscription|commande|livraison|remise|remises|points|prix)"
    " … (suppose|supposent|necessite|necessitent|exige|exigent|depend|dependent|requiert|requierent)"
    " … (accord|consentement|oui|permission)",
    "sous reserve de votre (accord|consentement)",
    "(reserve|reservee|reserves|reservees) aux (clients|personnes|membres) qui (acceptent|consentent|disent oui)",
    "si vous (refusez|dites non|retirez votre accord) … (perdez|perdrez|fermons|fermerons|supprimons|annulons|plus droit)",
    "(you must|you have to|you need to|you are required to) (agree|accept|consent|say yes|tick)",
    "(your|the) (card|account|membership|order|delivery|discount|discounts|points|price|prices)"
    " … (requires|require|depends on|depend on|is subject to|are subject to) … (consent|agreement|yes|permission)",
    "subject to your (consent|agreement)",
    "(reserved for|only for|open to) (customers|people|members) who (agree|accept|consent|say yes)",
    "if you (refuse|say no|withdraw) … (you (will )?lose|we (will )?(close|cancel|delete)|no longer (get|have|receive))",
)
"""Ways to make the card, the price or the order hang on a yes."""
NOTHING = frozenset(["nothing", "none", "no", "rien", "aucun", "aucune"])
"""After a loss, these make a promise of it: “if you say no you lose nothing”."""

PRESSURE = (
    "(derniere chance|ne manquez pas|ne ratez pas|depechez-vous|plus que quelques)",
    "(non merci|non),? je (prefere|refuse|ne veux pas) … (payer|economies|avantages|cadeau|rater|perdre)",
    "(dommage|quel dommage|vous allez nous manquer|vous nous decevez)",
    "(tout le monde|la plupart des clients|de nos clients) … (accepte|acceptent|a dit oui|ont dit oui|disent oui)",
    "(vous allez|vous risquez de) (rater|perdre|passer a cote)",
    "(last chance|don't miss|do not miss|hurry|act now|only a few left)",
    "no (thanks|thank you),? (i|i'd) (prefer|don't|do not|would rather) … (pay|save|saving|benefits|gift|miss)",
    "(what a pity|we will miss you|you will be missed|you disappoint us)",
    "(everyone|everybody|most (customers|people)) … (agrees|agree|says yes|say yes|accepts|accept)",
    "(you will|you'll|you would) (miss out|be missing out)",
)
"""Words that press: false hurry, shame, the crowd, a loss painted on the wall."""


def yes_ends(programme: Programme, on: date) -> Iterator[Hit]:
    """CON005."""
    for purpose in programme.purposes.values():
        if purpose.basis is Basis.CONSENT and purpose.renew_months is None:
            yield Hit(
                purpose.source.at(),
                f"A yes to `{purpose.id}` never ends by itself.",
                "Add `renew_months:`, for example 24; after that the person is asked again, and until then it is no.",
            )


def nothing_hangs_on_it(programme: Programme, on: date) -> Iterator[Hit]:
    """CON006."""
    for page in pages(programme, on):
        folded = fold(page.words).text
        for found in matches(page.words, pattern(*CONDITIONS), unless_negated=True):
            after = folded[found.end :].split()
            if after and after[0].strip(".,;:!") in NOTHING:
                continue
            if says_no(found.written) and not found.written.lower().startswith(("if ", "si ")):
                continue  # "your card does not depend on your consent"
            yield Hit(
                page.at(found.line),
                f"“{found.written}” makes something hang on a yes that it does not need.",
                "Give the card, the price and the service to everybody, and say that a no costs nothing.",
            )


def told_before_used(programme: Programme, on: date) -> Iterator[Hit]:
    """CON007."""
    for purpose in programme.purposes.values():
        if purpose.basis is Basis.LEGITIMATE_INTEREST and purpose.waiting_days < 1:
            yield Hit(
                purpose.source.at("waiting_days"),
                f"`{purpose.id}` is used the moment people are told: nobody can object before.",
                "Write `waiting_days: 30`, or at least as long as it takes people to read and answer.",
            )


def nobody_is_pressed(programme: Programme, on: date) -> Iterator[Hit]:
    """CON008."""
    for page in pages(programme, on):
        for found in matches(page.words, pattern(*PRESSURE)):
            yield Hit(
                page.at(found.line),
                f"“{found.written}” presses people instead of informing them.",
                "Say what is done and what a no means, in the same tone for both answers.",
            )


def _french(sentence: str) -> tuple[Change, ...]:
    return (Change(FR, "Un achat y compte", f"{sentence}\nUn achat y compte"),)


def _english(sentence: str) -> tuple[Change, ...]:
    return (Change(EN, "A purchase counts", f"{sentence}\nA purchase counts"),)


_INTEREST = (
    Change("purposes.yaml", "basis: consent", "basis: legitimate-interest"),
    Change("purposes.yaml", "    renew_months: 24\n", "    waiting_days: {days}\n"),
)


def _waiting(days: int) -> tuple[Change, ...]:
    return tuple(Change(one.file, one.old, one.new.format(days=days)) for one in _INTEREST)


RULES = (
    Rule(
        id="CON005",
        severity=Severity.WARNING,
        family="consent",
        title="A yes ends by itself",
        articles=("EDPB Guidelines 05/2020, paragraphs 110 and 111 (not confirmed)", "GDPR article 5(1)(e)"),
        why="Somebody who agreed years ago has forgotten it. The law sets no period; good practice is to ask again, and to take "
        "silence for a no.",
        check=yes_ends,
        failing=Example((Change("purposes.yaml", "    renew_months: 24\n", ""),), "purposes.yaml", "  supplier-statistics:"),
        passing=Example((Change("purposes.yaml", "renew_months: 24", "renew_months: 12"),)),
    ),
    Rule(
        id="CON006",
        severity=Severity.ERROR,
        family="consent",
        title="Nothing hangs on a yes",
        articles=("GDPR article 7(4) and recital 43", "EDPB Guidelines 05/2020, paragraphs 13 and 25"),
        why="A card, a price on the shelf or a delivery that is given only to those who agree to something else makes the yes "
        "unfree, and an unfree yes permits nothing.",
        check=nothing_hangs_on_it,
        failing=Example(_french("Votre remise suppose votre accord."), FR, "suppose"),
        passing=Example(_english("If you say no, you lose nothing: the same prices, the same points.")),
    ),
    Rule(
        id="CON007",
        severity=Severity.ERROR,
        family="consent",
        title="Told before it is used",
        articles=("GDPR articles 13 and 21(4)",),
        why="A use that rests on the shop's own interest begins when people have been told of it and have had time to object. "
        "Without that time the right to object comes too late.",
        check=told_before_used,
        failing=Example(_waiting(0), "purposes.yaml", "waiting_days: 0"),
        passing=Example(_waiting(14)),
    ),
    Rule(
        id="CON008",
        severity=Severity.ERROR,
        family="consent",
        title="Nobody is pressed",
        articles=("GDPR article 4(11): freely given", "EDPB Guidelines 03/2022 on deceptive patterns (not confirmed)"),
        why="Hurry that is not real, shame, the crowd, a loss painted on the wall: such words make people answer before they have "
        "understood, and regulators treat the answer as none.",
        check=nobody_is_pressed,
        failing=Example(_english("Most customers say yes."), EN, "Most customers"),
        passing=Example(_english("Some customers say yes and some say no: both are fine.")),
    ),
)
