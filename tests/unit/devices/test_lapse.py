"""A permission that is not used for the programme's days lapses by itself, by an event, and its owner sees it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.phone import CAMERA, SHOP, Phone, say
from tests.unit.devices.conftest import Home

from volens.devices.view import ALLOWED, LAPSED, NOT_ASKED, Choice
from volens.programme.devices import UNUSED_DAYS


def camera(home: Home) -> Choice:
    return home.house.devices.overview(home.camille).categories[0].uses[0].choice


def test_ninety_days_without_use_are_a_no(home: Home) -> None:
    assert camera(home).answer == NOT_ASKED
    say(home.house, home.camille, "given", CAMERA)
    home.hand.pass_days(UNUSED_DAYS)
    assert home.house.devices.lapse() == 0, "the ninetieth day still counts"
    assert camera(home).answer == ALLOWED
    home.hand.pass_days(1)
    assert home.house.devices.lapse() == 1
    assert home.house.devices.lapse() == 0, "once"
    lapsed = camera(home)
    assert (lapsed.answer, lapsed.kind) == (LAPSED, "expired")
    assert lapsed.day is not None
    assert lapsed.day.isoformat() == "2026-06-01"
    standing = {row.purpose: row.kind for row in home.house.permissions.of_customer(home.camille)}
    assert standing == {CAMERA: "expired"}
    assert home.house.audit().ok


def test_use_prolongs_it_and_what_was_refused_is_no_use(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    say(home.house, home.camille, "given", CAMERA)
    say(home.house, home.camille, "given", SHOP)
    home.hand.pass_days(60)
    assert phone.send(home.house, "camera", "microphone").accepted == 1
    home.hand.pass_days(60)
    assert home.house.devices.lapse() == 1, "the shop alone"
    assert camera(home).answer == ALLOWED
    for _ in range(3):
        home.hand.pass_days(40)
        assert phone.send(home.house, "location").accepted == 0
    assert home.house.devices.lapse() == 1, "the camera was last used a hundred and eighty days ago"


def test_the_door_does_not_wait_for_the_night(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    say(home.house, home.camille, "given", CAMERA)
    home.hand.pass_days(UNUSED_DAYS + 1)
    arrived = phone.send(home.house, "camera")
    assert arrived.accepted == 0
    assert "lapsed" in arrived.verdicts[0].reasons[0]
    assert phone.send(home.house, "camera").accepted == 0
    assert camera(home).answer == LAPSED
    assert home.house.devices.lapse() == 0, "it had ended already"
    assert home.house.audit().ok


def test_the_page_shows_it_before_the_night(home: Home) -> None:
    say(home.house, home.camille, "given", CAMERA)
    home.hand.pass_days(UNUSED_DAYS + 1)
    seen = home.house.devices.overview(home.camille).categories[0].uses[0]
    assert seen.choice.answer == LAPSED
    assert not seen.enforced.open
    assert home.house.devices.lapse() == 0


def test_a_new_yes_counts_from_its_own_day(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    say(home.house, home.camille, "given", CAMERA)
    home.hand.pass_days(UNUSED_DAYS + 1)
    home.house.devices.lapse()
    say(home.house, home.camille, "given", CAMERA)
    assert phone.send(home.house, "camera").accepted == 1
    assert home.house.devices.lapse() == 0


def test_only_what_devices_use_lapses_so(home: Home) -> None:
    say(home.house, home.camille, "given", "basket-reminder")
    home.hand.pass_days(UNUSED_DAYS * 3)
    assert home.house.devices.lapse() == 0


def test_a_second_device_keeps_it_in_use(home: Home) -> None:
    first, second = Phone().join(home.house, home.camille), Phone().join(home.house, home.camille)
    say(home.house, home.camille, "given", CAMERA)
    first.send(home.house, "camera")
    home.hand.pass_days(80)
    second.send(home.house, "camera")
    home.hand.pass_days(80)
    assert home.house.devices.lapse() == 0


def test_old_counts_go(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    phone.send(home.house, "camera")
    home.hand.instant += timedelta(days=401)
    home.house.devices.lapse()
    with home.house._stores.records.reading() as connection:
        assert connection.exec_driver_sql("select count(*) from device_counts").scalar() == 0


@pytest.mark.parametrize("days", [0, 89])
def test_before_its_time_nothing_lapses(days: int, home: Home) -> None:
    say(home.house, home.camille, "given", CAMERA)
    home.hand.pass_days(days)
    assert home.house.devices.lapse() == 0
    assert camera(home).answer == ALLOWED
