"""Rules 1 to 3 of `volens.invented`."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date

import pytest

from volens import invented as people
from volens.demo.source import Journey
from volens.invented import HEROINE, DemoChoice

EVERY = range(1, 2_501)


def test_the_heroine() -> None:
    camille = people.person(HEROINE)
    assert camille is not None
    assert (camille.given_name, camille.family_name, camille.birth_date.year) == ("Camille", "Exemple", 1984)
    assert (camille.country, camille.language, camille.card) == ("FR", "fr", "2903744804416")
    assert [(one.purpose, one.kind) for one in people.choices(HEROINE)] == [
        ("loyalty", "joined"),
        ("supplier-statistics", "given"),
    ]


def test_the_same_number_is_the_same_person() -> None:
    assert [people.person(number) for number in EVERY] == [people.person(number) for number in EVERY]
    # Pinned: another draw would be other people in everybody's demo.
    assert (sofia := people.person(7)) is not None
    assert (sofia.email, sofia.phone) == ("sofia.personnage.7@example.org", "06 39 98 00 07")


def test_nobody_is_real() -> None:
    everybody = [found for number in EVERY if (found := people.person(number)) is not None]
    for one in everybody:
        assert re.fullmatch(r"[a-z]+\.[a-z]+\.\d+@example\.org", one.email)
        assert one.family_name in people.FAMILY_NAMES
        assert one.phone is None or re.fullmatch(r"06 39 98 \d\d \d\d", one.phone)
        assert (one.phone is None) == (one.country == "BE")
        assert re.fullmatch(r"99\d{3}" if one.country == "FR" else r"0\d{3}", one.postcode)
        assert one.birth_date <= date(1998, 12, 31)
    assert len({one.email for one in everybody}) == len(everybody)
    assert len({one.phone for one in everybody} - {None}) == sum(one.phone is not None for one in everybody)


def test_cards_have_their_check_digit_and_are_unique() -> None:
    cards = [people.card(number) for number in EVERY]
    assert len(set(cards)) == len(cards)
    for one in cards:
        assert re.fullmatch(r"29\d{11}", one)
        assert sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(one)) % 10 == 0


@pytest.mark.parametrize("number", [0, -1, 10_000])
def test_a_number_that_has_no_card(number: int) -> None:
    with pytest.raises(ValueError, match="one to four digits"):
        people.card(number)


def test_how_many_permit(whole: Journey) -> None:
    """Exactly these of the source's 2,469 households: the figures that the documentation names."""
    households = whole.households.to_pylist()
    said = Counter(people.choices(number)[-1].kind for number in households)
    assert said == {"given": 1_713, "refused": 502, "joined": 254}
    assert sum(people.person(number) is None for number in households) == 106
    countries = Counter(one.country for number in households if (one := people.person(number)) is not None)
    assert countries == {"FR": 2_251, "BE": 112}


def test_some_whose_name_is_known_permit_lists() -> None:
    said = [people.lists(number) for number in EVERY if people.person(number) is not None]
    assert all(one.purpose == people.AUDIENCE_PURPOSE for some in said for one in some)
    assert 0.55 < sum(map(bool, said)) / len(said) < 0.65
    assert not any(people.lists(number) for number in EVERY if people.person(number) is None)


def test_everybody_joined_first() -> None:
    for number in EVERY:
        said = people.choices(number)
        assert (said[0].purpose, said[0].kind) == ("loyalty", "joined")
        assert all(isinstance(one, DemoChoice) for one in said)
        assert len(said) in (1, 2)
        holder = people.person(number)
        assert {one.language for one in said} == {holder.language if holder else "fr"}
        if holder is None:
            assert {one.surface for one in said} == {"form at the till"}
