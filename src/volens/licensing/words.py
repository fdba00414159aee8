"""What letters about licences say, in French and English. Things, media and purposes are named as the terms name them."""

from __future__ import annotations

from datetime import date

from babel.dates import format_date

from volens.offers.terms import named

LANGUAGES = ("fr", "en")
LOCALES = {"fr": "fr_FR", "en": "en_GB"}
PLANNED, OVERDUE = "licence-planned", "licence-overdue"
"""Kinds of letters."""
SUBJECTS = {
    PLANNED: {"fr": "Nous allons publier {item}", "en": "We are going to publish {item}"},
    OVERDUE: {"fr": "Nous sommes en retard", "en": "We are late"},
}
TEXTS = {
    PLANNED: {
        "fr": (
            "Bonjour,\n\nVous nous l'avez permis : nous allons publier {item}. Ce sera sur {medium}, le {day} au plus tôt. "
            "L'endroit : {place}.\n\nRegardez comment ce sera : {address}/mes-images\n\n"
            "Si vous dites non, nous ne publions pas. Ce que vous avez gagné reste à vous.\n"
        ),
        "en": (
            "Hello,\n\nYou permitted it: we are going to publish {item}. It will be on {medium}, on {day} at the earliest. "
            "The place: {place}.\n\nSee how it will look: {address}/mes-images\n\n"
            "If you say no, we do not publish it. What you have earned is yours.\n"
        ),
    },
    OVERDUE: {
        "fr": (
            "Bonjour,\n\nNous devions enlever {item} de {medium} avant la fin du {day}. L'endroit : {place}. "
            "Nous n'avons pas la preuve que c'est fait. Nous le devons toujours, et notre délégué à la protection des données "
            "le sait.\n\nVoyez où nous en sommes : {address}/mes-images\n\nVous pouvez aussi vous plaindre à l'autorité de "
            "protection des données de votre pays.\n"
        ),
        "en": (
            "Hello,\n\nWe had to take down {item} from {medium} by the end of {day}. The place: {place}. "
            "We have no proof that this is done. We still owe it to you, and our data protection officer knows.\n\n"
            "See where we are: {address}/mes-images\n\nYou can also complain to the data protection authority of your country.\n"
        ),
    },
}


def spoken(language: str | None) -> str:
    """The language among ours in which somebody is written to."""
    return language if language in LANGUAGES else LANGUAGES[0]


def day(value: date | str, language: str) -> str:
    """A calendar day: 3 mars 2026."""
    read = date.fromisoformat(value) if isinstance(value, str) else value
    said = str(format_date(read, "d MMMM y", locale=LOCALES[language]))
    return said.replace("1 ", "1er ", 1) if language == "fr" and said.startswith("1 ") else said


def letter(kind: str, language: str, *, item: str, medium: str, on: date | str, place: str, address: str) -> tuple[str, str]:
    """Subject and text of a letter."""
    said = {
        "item": named(language, "items", item), "medium": named(language, "media", medium), "day": day(on, language),
        "place": place, "address": address,
    }  # fmt: skip
    return SUBJECTS[kind][language].format(**said), TEXTS[kind][language].format(**said)
