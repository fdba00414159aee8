"""What somebody reads beside an advertisement: who pays, why she sees it, and what she can do about it."""

from __future__ import annotations

from collections.abc import Sequence

LANGUAGES = ("fr", "en")
LABEL = {"fr": "Sponsorisé", "en": "Sponsored"}
STOP = {"fr": "Ne plus choisir mes publicités d'après mes achats", "en": "No more ads chosen by my purchases"}
HIDE = {"fr": "Pas cette publicité pendant ma visite", "en": "Not this ad during my visit"}


def why(
    advertiser: str, controller: str, language: str, category: str = "", bought: int = 0, lacks: Sequence[tuple[str, int]] = ()
) -> str:
    """Two sentences: who pays for it, and by what it was chosen; without a category, by the page alone.

    lacks: (category, days) of what was not bought, where the placement asks for that too."""
    if language == "fr":
        paid = f"Sponsorisé par {advertiser}, qui paie {controller} pour cela."
        if not category:
            return f"{paid} Choisi d'après cette page seulement, pas d'après vos achats."
        days = "à une date" if bought == 1 else f"à {bought} dates différentes"
        without = "".join(f", et pas de « {name} » depuis {ago} jours" for name, ago in lacks)
        return f"{paid} Choisi parce que vous avez acheté « {category} » {days} au cours des 12 derniers mois{without}."
    paid = f"Sponsored by {advertiser}, which pays {controller} for it."
    if not category:
        return f"{paid} Chosen by this page alone, not by what you buy."
    days = "one day" if bought == 1 else f"{bought} days"
    without = "".join(f", and no “{name}” in the last {ago} days" for name, ago in lacks)
    return f"{paid} Chosen because you bought “{category}” on {days} in the last 12 months{without}."
