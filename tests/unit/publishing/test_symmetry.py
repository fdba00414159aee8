"""A planted asymmetry of each kind is found in the rendered question."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from volens.publishing.symmetry import faults, unlike

GOOD = """<div class="asked" lang="fr"><p class="asked-words">Vous prévenir quand un article manque ?</p>
<details><summary>Le texte entier</summary><h3>Un rappel</h3><p>Nous regardons vos achats. Vous dites oui ou non.</p></details>
</div>
<form method="post" action="/x" class="pair"><input type="hidden" name="purpose" value="a">
<button class="choice" name="say" value="no" aria-pressed="false">Non<span class="unseen"> : un rappel</span></button>
<button class="choice" name="say" value="yes" aria-pressed="false">Oui<span class="unseen"> : un rappel</span></button>
</form>"""

Change = Callable[[str], str]
PLANTED: dict[str, Change] = {
    "another class": lambda html: html.replace('class="choice" name="say" value="yes"', 'class="big" name="say" value="yes"'),
    "another element": lambda html: html.replace("<button", "<a", 1).replace("</button>", "</a>", 1),
    "a style": lambda html: html.replace('value="no"', 'value="no" style="opacity: .5"'),
    "yes first": lambda html: html.replace('value="no"', 'value="x"').replace('value="yes"', 'value="no"').replace('"x"', '"yes"'),
    "pressed beforehand": lambda html: html.replace('value="yes" aria-pressed="false"', 'value="yes" aria-pressed="true"'),
    "a reason is asked": lambda html: html.replace("</form>", '<input type="text" name="why"></form>'),
    "a box": lambda html: html.replace("</form>", '<input type="checkbox" checked name="also"></form>'),
    "no is another page": lambda html: html.replace("</form>", '<a href="/non">Je préfère continuer</a></form>'),
    "a second form": lambda html: html + '<form action="/y"><button>Refuser</button></form>',
    "a picture": lambda html: html.replace("</form>", '<img src="x"></form>'),
    "an exclamation": lambda html: html.replace("vos achats.", "vos achats !"),
    "pressure": lambda html: html.replace("Vous dites oui ou non.", "Ne manquez pas cela."),
    "a hedge": lambda html: html.replace("vos achats.", "notamment vos achats."),
    "a question turned round": lambda html: html.replace("Vous dites oui ou non.", "Cochez la case si vous ne voulez pas."),
    "hard words": lambda html: html.replace(
        "Vous dites oui ou non.",
        "Conséquemment, l'individualisation algorithmique personnalisée nécessite l'autorisation préalable incontestablement "
        "matérialisée conformément aux dispositions réglementaires susmentionnées, indépendamment des considérations "
        "organisationnelles antérieurement communiquées.",
    ),
}


def test_the_symmetric_question_has_no_fault() -> None:
    assert faults(GOOD, "fr") == []


@pytest.mark.parametrize("kind", PLANTED)
def test_every_planted_asymmetry_is_found(kind: str) -> None:
    planted = PLANTED[kind](GOOD)
    assert planted != GOOD
    assert faults(planted, "fr"), kind
    assert unlike(GOOD, planted, "fr"), kind


def test_other_words_are_no_difference() -> None:
    assert unlike(GOOD, GOOD.replace("Vous prévenir quand", "Vous dire quand"), "fr") == []


def test_another_skeleton_is_one() -> None:
    """Symmetric in itself, and still more than words."""
    other = GOOD.replace("<details>", '<details class="open">')
    assert faults(other, "fr") == []
    assert unlike(GOOD, other, "fr")
