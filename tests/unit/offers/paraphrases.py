"""Clauses generated from templates: each unlawful one in many wordings, and beside it lawful ones of the same words.

The templates combine who speaks, a verb, things and the words that make the clause unlawful. They vary what stands around those
words, not the words: their figures say that the lists work wherever the words stand, and nothing about words that are not listed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

GRANT_FR = ("Vous nous autorisez à utiliser", "Le membre accepte que la société exploite", "Vous consentez à la publication de",
            "Le parrain nous concède le droit de diffuser")  # fmt: skip
THING_FR = ("votre photo", "votre nom et votre image", "l'enregistrement de votre voix", "votre avis et votre portrait")
GRANT_EN = ("You authorise us to use", "The member agrees that the company publishes", "You consent to the publication of",
            "The sponsor grants us the right to display")  # fmt: skip
THING_EN = ("your photo", "your name and likeness", "the recording of your voice", "your review and portrait image")

UNLAWFUL_FR = {
    "OFF018": ("à perpétuité", "sans limitation de durée", "de façon irrévocable", "pour toujours", "sans date de fin"),
    "OFF019": ("sur tous supports", "dans tous les médias", "sur tout support présent ou futur", "par tous moyens"),
    "OFF020": ("dans le monde entier", "sans limite géographique", "pour tout territoire", "à l'échelle mondiale"),
    "OFF021": ("sans autre examen", "sans vous prévenir", "sans votre validation", "sans notification préalable"),
    "OFF022": ("sans contrepartie", "à titre gracieux", "sans paiement", "sans aucune rémunération"),
}
UNLAWFUL_EN = {
    "OFF018": ("in perpetuity", "without time limit", "irrevocably", "forever", "with no end date"),
    "OFF019": ("in any media", "in all media now known or hereafter developed", "through any and all means", "on any platform"),
    "OFF020": ("worldwide", "throughout the world", "in all countries", "across the globe"),
    "OFF021": ("without further review", "without telling you", "without your approval", "without prior notification"),
    "OFF022": ("without payment", "without any compensation", "royalty-free", "without further consideration"),
}
LAWFUL_FR = ("pendant six mois", "sur notre site seulement", "en France", "après votre validation", "du 1er mars au 31 août",
             "contre 10 euros")  # fmt: skip
LAWFUL_EN = ("for six months", "on our website only", "in France", "after you have approved it", "from 1 March to 31 August",
             "for 10 euros")  # fmt: skip
DENIED_FR = ("Nous n'utilisons jamais {thing} {words}.", "Il ne nous est pas permis d'exploiter {thing} {words}.")
DENIED_EN = ("We never use {thing} {words}.", "We are not allowed to publish {thing} {words}.")


def unlawful() -> Iterator[tuple[str, str]]:
    """A rule, and a clause that breaks it."""
    for grants, things, table in ((GRANT_FR, THING_FR, UNLAWFUL_FR), (GRANT_EN, THING_EN, UNLAWFUL_EN)):
        for rule, wordings in table.items():
            for grant, thing, words in itertools.product(grants, things, wordings):
                yield rule, f"{grant} {thing} {words}."


def lawful() -> Iterator[str]:
    """Clauses of the same form that break nothing."""
    for grants, things, wordings in ((GRANT_FR, THING_FR, LAWFUL_FR), (GRANT_EN, THING_EN, LAWFUL_EN)):
        for grant, thing, words in itertools.product(grants, things, wordings):
            yield f"{grant} {thing} {words}."
    for denials, things, table in ((DENIED_FR, THING_FR, UNLAWFUL_FR), (DENIED_EN, THING_EN, UNLAWFUL_EN)):
        for denial, thing, wordings in itertools.product(denials, things, table.values()):
            yield from (denial.format(thing=thing, words=words) for words in wordings)
