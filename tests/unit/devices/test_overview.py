"""The five things of each category stand side by side; none is made up from another, and contradictions are shown."""

from __future__ import annotations

from datetime import timedelta

from tests.support.phone import CAMERA, SHOP, Phone, say
from tests.unit.devices.conftest import Home

from volens.devices.view import ALLOWED, NOT_ASKED, REFUSED, SHUT_BY_PHONE, STALE_AFTER, STILL_OPEN, CategoryState


def seen(home: Home) -> dict[str, CategoryState]:
    return {one.category: one for one in home.house.devices.overview(home.camille).categories}


def test_before_anybody_says_anything_the_servers_refuse(home: Home) -> None:
    for one in seen(home).values():
        for use in one.uses:
            assert use.choice.answer == NOT_ASKED
            assert (use.enforced.open, use.enforced.since) == (False, None)
            assert use.enforced.reasons
            assert use.last_use.at is None
            assert use.told.answered == ""
            assert use.told.in_force == f"{use.use.purpose}/1"
        assert one.devices == ()


def test_what_nobody_uses_is_listed_as_such_until_a_phone_speaks_of_it(home: Home) -> None:
    overview = home.house.devices.overview(home.camille)
    assert [one.category for one in overview.categories] == ["camera", "location", "notifications"]
    assert "contacts" in overview.unused
    Phone().join(home.house, home.camille).report(home.house, contacts="granted")
    contacts = seen(home)["contacts"]
    assert contacts.uses == ()
    assert contacts.devices[0].contradiction == STILL_OPEN


def test_a_phone_that_still_allows_what_was_refused_is_a_contradiction(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    phone.report(home.house, camera="granted", location="denied")
    heard = home.hand.now()
    home.hand.instant += timedelta(hours=1)
    say(home.house, home.camille, "refused", CAMERA)
    camera = seen(home)["camera"]
    assert camera.uses[0].choice.answer == REFUSED
    assert camera.uses[0].choice.surface == "a test"
    assert camera.uses[0].enforced.since == home.hand.now(), "the choice's own instant"
    assert (camera.devices[0].contradiction, camera.devices[0].reported_at) == (STILL_OPEN, heard)
    assert seen(home)["location"].devices[0].contradiction == ""


def test_a_phone_that_shuts_what_was_allowed_is_the_other_contradiction(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    phone.report(home.house, camera="denied")
    assert seen(home)["camera"].devices[0].contradiction == ""
    say(home.house, home.camille, "given", CAMERA)
    camera = seen(home)["camera"]
    assert camera.devices[0].contradiction == SHUT_BY_PHONE
    assert (camera.uses[0].choice.answer, camera.uses[0].enforced.open) == (ALLOWED, True)
    assert camera.uses[0].told.answered == f"{CAMERA}/1"
    phone.report(home.house, camera="prompt")
    assert seen(home)["camera"].devices[0].contradiction == "", "a phone that asks first contradicts nothing"


def test_a_report_older_than_thirty_days_is_marked(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    assert home.house.devices.overview(home.camille).devices[0].stale, "it never said anything"
    phone.report(home.house, camera="granted")
    home.hand.instant += STALE_AFTER
    assert not seen(home)["camera"].devices[0].stale
    home.hand.instant += timedelta(seconds=1)
    assert seen(home)["camera"].devices[0].stale
    assert home.house.devices.overview(home.camille).devices[0].stale


def test_uses_are_counted_exactly_over_seven_and_thirty_days(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    say(home.house, home.camille, "given", CAMERA)
    for days, how_many in ((0, 5), (1, 7), (23, 11), (6, 13)):
        home.hand.pass_days(days)
        phone.send(home.house, *["camera"] * how_many, *["location"] * 2)
    # Days: 0 (5), 1 (7), 24 (11), 30 (13). The last seven are 24 to 30, the last thirty 1 to 30.
    use, refused = seen(home)["camera"].uses[0].last_use, seen(home)["location"].uses[0].last_use
    assert (use.in_7_days, use.in_30_days, use.at) == (24, 31, home.hand.now())
    assert (refused.in_7_days, refused.refused_in_7_days, refused.refused_in_30_days, refused.refused) == (0, 4, 6, 8)
    home.hand.pass_days(1)
    assert seen(home)["camera"].uses[0].last_use.in_7_days == 13
    assert seen(home)["camera"].uses[0].last_use.in_30_days == 24


def test_data_of_a_kind_that_no_app_uses_are_shown_as_refused(home: Home) -> None:
    Phone().join(home.house, home.camille).send(home.house, "contacts", "contacts", "camera")
    assert seen(home)["contacts"].refused.refused == 2
    assert seen(home)["camera"].refused.refused == 0, "that was for a declared use"


def test_what_is_used_is_counted_over_everybody(home: Home) -> None:
    for who in (home.camille, home.sacha):
        say(home.house, who, "given", CAMERA)
        Phone().join(home.house, who).send(home.house, "camera", "camera", "location", "contacts")
    assert home.house.devices.used(1) == {
        ("camera", CAMERA): (4, 0), ("location", SHOP): (0, 2),
        ("notifications", "device-notifications"): (0, 0), ("contacts", ""): (0, 2),
    }  # fmt: skip
    home.hand.pass_days(7)
    assert home.house.devices.used(7)["camera", CAMERA] == (0, 0)
    assert home.house.devices.used(8)["camera", CAMERA] == (4, 0)


def test_refusing_everything_refuses_what_devices_send(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    for purpose in (CAMERA, SHOP):
        say(home.house, home.camille, "given", purpose)
    home.house.permissions.refuse_everything(home.camille, surface="a test")
    assert phone.send(home.house, "camera", "location").accepted == 0
    assert {one.uses[0].choice.answer for one in seen(home).values()} == {REFUSED}


def test_a_yes_that_no_longer_counts_is_not_shown_as_enforced(home: Home) -> None:
    """After 24 months the yes is too old, whether or not anybody has written that down."""
    say(home.house, home.camille, "given", CAMERA)
    phone = Phone().join(home.house, home.camille)
    for _ in range(25):
        home.hand.pass_days(30)
        phone.send(home.house, "camera")
    camera = seen(home)["camera"].uses[0]
    assert not camera.enforced.open
    assert camera.enforced.since is None
    assert "older than 24 months" in " ".join(camera.enforced.reasons)
