"""Reading ease: the published formulas, on texts counted by hand."""

from __future__ import annotations

import pytest

from volens.errors import BadInput
from volens.programme.reading import EASE_MIN, measure

CLAUSE = (
    "En participant, vous concédez irrévocablement à l'organisateur, à ses sociétés affiliées et à leurs "
    "ayants droit l'autorisation inconditionnelle, perpétuelle et universelle d'exploitation commerciale de "
    "caractéristiques personnelles, notamment photographiques, biographiques et vocales, indépendamment de toute "
    "rémunération complémentaire et nonobstant toute disposition contraire."
)


def test_french_by_hand() -> None:
    found = measure("Le chat dort. Il a faim.", "fr")
    assert (found.words, found.sentences, found.syllables) == (6, 2, 6)
    assert found.ease == pytest.approx(207 - 1.015 * 3 - 73.6 * 1)


def test_english_by_hand() -> None:
    found = measure("We count your purchases. You decide.", "en")
    assert (found.words, found.sentences, found.syllables) == (6, 2, 9)
    assert found.ease == pytest.approx(206.835 - 1.015 * 3 - 84.6 * 9 / 6)


def test_an_elided_article_is_no_word_and_no_syllable() -> None:
    assert measure("L'eau dort.", "fr") == measure("L’eau dort.", "fr")
    assert (measure("L'eau dort.", "fr").words, measure("L'eau dort.", "fr").syllables) == (2, 2)


def test_headings_and_entries_of_lists_end_sentences() -> None:
    found = measure("# Your purchases\nWe count them\n\n- by day\n- by shop\n", "en")
    assert (found.sentences, found.words) == (4, 9)


def test_marks_of_markdown_are_not_read() -> None:
    assert measure("We **count** them.", "en") == measure("We count them.", "en")


def test_a_contract_is_far_from_what_a_text_must_reach() -> None:
    assert measure(CLAUSE, "fr").ease < 40 < EASE_MIN


@pytest.mark.parametrize(("text", "language"), [("Ein Satz.", "de"), ("… !", "fr"), ("", "en")])
def test_what_cannot_be_measured_is_refused(text: str, language: str) -> None:
    with pytest.raises(BadInput):
        measure(text, language)
