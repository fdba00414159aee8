"""What the guidelines for measuring retail media ask to be told with every result, filled in by machine. Pure.

Rules:
1. The list is data: each item has an id, what it asks, and whether it can be beside the point. What it asks follows the Retail
   Media Measurement Guidelines of IAB and MRC (January 2024) and, for incrementality, those of IAB and IAB Europe (November
   2025), in our words.
2. Every item is answered or the whole is refused: by a statement, or, where that is possible, by the reason why it does not
   apply. An empty answer, or one to a question that nobody asked, is refused too.
3. Answers come from the plan and the result, never from somebody who writes them for the occasion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from volens.errors import BadInput

ANSWER_CHARACTERS_MAX = 1000


@dataclass(frozen=True)
class Item:
    """One thing to be told."""

    id: str
    asks: Mapping[str, str]
    """In English and French."""
    may_not_apply: bool = False


_ASKED: tuple[tuple[str, str, str], ...] = (
    ("period", "First and last day measured", "Premier et dernier jour mesurés"),
    ("baseline", "What the result is compared with, and its days", "À quoi le résultat est comparé, et sur quels jours"),
    ("attribution", "Model and rules by which sales are attributed", "Modèle et règles d'attribution des ventes"),
    ("click-window", "Days after a click in which sales count", "Jours après un clic pendant lesquels les ventes comptent"),
    ("view-window", "Days after a view in which sales count", "Jours après une vue pendant lesquels les ventes comptent"),
    ("viewability", "When an advertisement counts as seen", "Quand une publicité compte comme vue"),
    ("impressions", "Impressions before and after filtering", "Impressions avant et après filtrage"),
    ("invalid-traffic", "Share and kinds of invalid traffic", "Part et sortes de trafic invalide"),
    ("duplicates", "How one person or one sale is counted once", "Comment une personne ou une vente n'est comptée qu'une fois"),
    (
        "sales",
        "Which sales count: products, shops, channels, net of what",
        "Quelles ventes comptent : produits, magasins, canaux, nettes de quoi",
    ),
    ("sources", "Own data or others'", "Données propres ou de tiers"),
    (
        "matching",
        "How people and sales are matched: exactly or by likelihood",
        "Comment personnes et ventes sont rapprochées : exactement ou par vraisemblance",
    ),
    ("extrapolation", "Whether a part was projected to a whole", "Si une partie a été extrapolée à un tout"),
    ("assumptions", "What is assumed: models, caps, adjustments", "Ce qui est supposé : modèles, plafonds, ajustements"),
    ("incrementality", "Whether incrementality was tested", "Si l'incrémentalité a été testée"),
    ("method", "By which method, in which class of evidence", "Par quelle méthode, dans quelle classe de preuve"),
    ("interval", "Intervals, and how they are made", "Intervalles, et comment ils sont faits"),
    ("false-alarms", "How often the method finds what is not there", "Combien de fois la méthode trouve ce qui n'existe pas"),
    (
        "declared",
        "What was fixed before the launch, and where that is proven",
        "Ce qui était fixé avant le lancement, et où cela se prouve",
    ),
    ("people", "How many people, on which side, and who is missing", "Combien de personnes, de quel côté, et qui manque"),
    ("overlap", "Other campaigns that reached the same people", "Autres campagnes ayant touché les mêmes personnes"),
    ("noise", "Noise added for privacy", "Bruit ajouté pour la vie privée"),
    ("cost", "Which cost the return is divided by", "Par quel coût le retour est divisé"),
    ("limits", "What the result does not say", "Ce que le résultat ne dit pas"),
)  # fmt: skip
_MAY_NOT_APPLY = frozenset({"click-window", "view-window", "viewability", "impressions", "invalid-traffic", "noise"})

ITEMS: tuple[Item, ...] = tuple(
    Item(id, MappingProxyType({"en": en, "fr": fr}), id in _MAY_NOT_APPLY) for id, en, fr in _ASKED
)


@dataclass(frozen=True)
class Answer:
    """What is told of one item. `applies` is false when the text says why the item is beside the point."""

    text: str
    applies: bool = True


@dataclass(frozen=True)
class Disclosure:
    """Every item with its answer, in the list's order. Only `disclose` makes one that is complete."""

    answers: tuple[tuple[Item, Answer], ...]

    def as_json(self) -> list[dict[str, object]]:
        """For files and programs."""
        return [
            {"id": item.id, "asks": item.asks["en"], "applies": answer.applies, "answer": answer.text}
            for item, answer in self.answers
        ]


def disclose(answers: Mapping[str, Answer]) -> Disclosure:
    """The list filled in. `BadInput` names everything that is missing, empty, too long, not asked, or must apply."""
    known = {item.id for item in ITEMS}
    wrong = [f"{name}: not asked" for name in sorted(answers.keys() - known)]
    for item in ITEMS:
        answer = answers.get(item.id)
        if answer is None or not answer.text.strip():
            wrong.append(f"{item.id}: missing ({item.asks['en'].lower()})")
        elif len(answer.text) > ANSWER_CHARACTERS_MAX:
            wrong.append(f"{item.id}: longer than {ANSWER_CHARACTERS_MAX} characters")
        elif not answer.applies and not item.may_not_apply:
            wrong.append(f"{item.id}: always applies")
    if wrong:
        raise BadInput(f"The disclosure is not complete: {'; '.join(wrong)}.", "Answer each of these; nothing is shown before.")
    return Disclosure(tuple((item, answers[item.id]) for item in ITEMS))
