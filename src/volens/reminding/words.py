"""Why somebody is reminded, in the words that she reads."""

from __future__ import annotations

from babel.dates import format_skeleton

from volens.reminding.basket import Said
from volens.reminding.left import LeftBehind

LANGUAGES = ("fr", "en")


def why(said: Said, language: str) -> str:
    """One or two sentences: in how many of her last baskets it was, and how regularly she takes it."""
    return (_french if language == "fr" else _english)(said)


def why_left(left: LeftBehind, language: str) -> str:
    """One sentence: since when it has been in the basket, and how regularly she takes it."""
    day = format_skeleton("MMMMEEEEd", left.day, locale=language)
    if language == "fr":
        often = "presque tous les jours" if left.every_days == 1 else f"environ tous les {left.every_days} jours"
        return f"Vous l'avez laissé dans votre panier {day}. Vous en prenez {often}."
    often = "almost every day" if left.every_days == 1 else f"about every {left.every_days} days"
    return f"You left it in your basket on {day}. You take it {often}."


def _french(said: Said) -> str:
    if said.of_last == 1:
        bought = "Vous en aviez dans votre dernier panier."
    elif said.bought_in == said.of_last:
        bought = f"Vous en aviez dans chacun de vos {said.of_last} derniers paniers."
    else:
        bought = f"Vous en aviez dans {said.bought_in} de vos {said.of_last} derniers paniers."
    often = "presque tous les jours" if said.every_days == 1 else f"environ tous les {said.every_days} jours"
    last = {0: "aujourd'hui", 1: "hier"}.get(said.last_days, f"il y a {said.last_days} jours")
    return f"{bought} Vous en prenez {often} ; la dernière fois, c'était {last}."


def _english(said: Said) -> str:
    if said.of_last == 1:
        bought = "You had it in your last basket."
    elif said.bought_in == said.of_last:
        bought = f"You had it in each of your last {said.of_last} baskets."
    else:
        bought = f"You had it in {said.bought_in} of your last {said.of_last} baskets."
    often = "almost every day" if said.every_days == 1 else f"about every {said.every_days} days"
    last = {0: "today", 1: "yesterday"}.get(said.last_days, f"{said.last_days} days ago")
    return f"{bought} You take it {often}; the last time was {last}."
