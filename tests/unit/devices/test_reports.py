"""What a phone reports is taken once, in order, from its own key alone, and kept apart from what its owner chose."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from tests.support.phone import Phone
from tests.unit.devices.conftest import Home

from volens.devices.registry import DEVICES_MAX, Newcomer
from volens.devices.reports import CLOCKS_APART, STATES
from volens.devices.signing import read_key, written
from volens.devices.station import BODY_BYTES_MAX, EVENTS, REPORTS
from volens.errors import BadInput, NotFound, NotNow, Refused


def test_a_report_is_kept_with_the_time_at_which_it_was_heard(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    assert phone.report(home.house, camera="granted", location="while-in-use") == 2
    first = home.hand.now()
    home.hand.pass_days(1)
    assert phone.report(home.house, camera="granted", location="denied") == 1
    seen = home.house.devices.overview(home.camille)
    camera, location = (one.devices[0] for one in seen.categories[:2])
    assert (camera.state, camera.since, camera.reported_at) == ("granted", first, home.hand.now())
    assert (location.state, location.since) == ("denied", home.hand.now())
    assert seen.devices[0].label == "Téléphone d'exemple"
    assert home.house.audit().ok


def test_a_message_is_taken_once_and_never_after_a_newer_one(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    now = home.hand.now()
    old = phone.body(now, states={"camera": "granted"})
    new = phone.body(now, states={"camera": "denied"})
    assert home.house.devices.report(new) == 1
    for replayed in (old, new):
        with pytest.raises(Refused, match="taken already"):
            home.house.devices.report(replayed)
    assert home.house.devices.overview(home.camille).categories[0].devices[0].state == "denied"


def test_a_message_that_was_kept_for_later_is_refused(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    made = home.hand.now()
    for away, taken in ((CLOCKS_APART, True), (CLOCKS_APART + timedelta(seconds=1), False)):
        for sign in (1, -1):
            body = phone.body(made + sign * away, states={"camera": "granted"})
            if taken:
                home.house.devices.report(body)
            else:
                with pytest.raises(Refused, match="not made just now"):
                    home.house.devices.report(body)


def test_only_the_devices_own_key_speaks_for_it_and_only_for_the_route(home: Home) -> None:
    phone, other = Phone().join(home.house, home.camille), Phone().join(home.house, home.sacha)
    body = phone.body(home.hand.now(), states={"camera": "granted"})
    right = phone.sign(REPORTS, body)
    home.house.devices.signed_by_device(REPORTS, body, right)
    wrong = [
        (REPORTS, body, other.sign(REPORTS, body)),
        (EVENTS, body, right),
        (REPORTS, body.replace(b"granted", b"denied "), right),
        (REPORTS, body, right[:-4]),
        (REPORTS, body, "not base64 ü"),
        (REPORTS, body, ""),
        (REPORTS, body.replace(phone.device.encode(), b"0" * 32), right),
    ]
    words = set()
    for route, content, signature in wrong:
        with pytest.raises(Refused) as told:
            home.house.devices.signed_by_device(route, content, signature)
        words.add(str(told.value))
    assert len(words) == 1, "an unknown device and a wrong signature are told alike"


@pytest.mark.parametrize(
    "said",
    [
        {"states": {"teleporter": "granted"}},
        {"states": {"camera": "maybe"}},
        {"states": {}},
        {"states": ["camera"]},
        {"states": {"camera": 1}},
        {},
        {"states": {"camera": "granted"}, "counter": 0},
        {"states": {"camera": "granted"}, "counter": True},
        {"states": {"camera": "granted"}, "counter": 2**63},
        {"states": {"camera": "granted"}, "counter": "1"},
        {"states": {"camera": "granted"}, "at": "yesterday"},
        {"states": {"camera": "granted"}, "app_version": "x" * 33},
        {"states": {"camera": "granted"}, "device": 7},
    ],
)
def test_what_cannot_be_read_changes_nothing(said: dict[str, object], home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    body = json.loads(phone.body(home.hand.now()))
    with pytest.raises(BadInput):
        home.house.devices.report(json.dumps({**body, **said}).encode())
    assert home.house.devices.overview(home.camille).devices[0].reported_at is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff", b"[" * 100_000, b" " * (BODY_BYTES_MAX + 1)])
def test_a_body_that_is_no_message_is_told_so(body: bytes, home: Home) -> None:
    with pytest.raises(BadInput):
        home.house.devices.report(body)


def test_every_state_that_a_system_knows_is_taken(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    for state in STATES:
        assert phone.report(home.house, camera=state) == 1


def test_a_time_without_its_zone_is_refused(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    body = phone.body(home.hand.now().replace(tzinfo=None), states={"camera": "granted"})
    with pytest.raises(BadInput, match="zone"):
        home.house.devices.report(body)


def test_a_device_that_is_signed_out_says_nothing_any_more_and_stays_to_be_seen(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    phone.report(home.house, camera="granted")
    assert home.house.devices.sign_out(home.camille, phone.device)
    assert not home.house.devices.sign_out(home.camille, phone.device), "twice is once"
    with pytest.raises(Refused):
        phone.report(home.house, camera="denied")
    seen = home.house.devices.overview(home.camille)
    assert seen.devices[0].signed_out_at == home.hand.now()
    assert seen.categories[0].devices == (), "what it once said says nothing about now"
    assert home.house.audit().ok


def test_a_forgotten_device_leaves_nothing_but_events(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    phone.report(home.house, camera="granted")
    phone.send(home.house, "camera")
    home.house.devices.forget(home.camille, phone.device)
    assert home.house.devices.overview(home.camille).devices == ()
    with pytest.raises(Refused):
        phone.report(home.house, camera="denied")
    with pytest.raises(NotFound):
        home.house.devices.forget(home.camille, phone.device)
    with home.house._stores.records.reading() as connection:
        for table in ("devices", "device_states", "device_counts"):
            assert connection.exec_driver_sql(f"select count(*) from {table}").scalar() == 0
    assert home.house.audit().ok


def test_somebody_elses_device_is_one_that_does_not_exist(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    for change in (home.house.devices.sign_out, home.house.devices.forget):
        with pytest.raises(NotFound) as theirs:
            change(home.sacha, phone.device)
        with pytest.raises(NotFound) as nobodys:
            change(home.sacha, "0" * 32)
        assert str(theirs.value) == str(nobodys.value)
    assert home.house.devices.overview(home.sacha).devices == ()
    assert phone.report(home.house, camera="granted") == 1


def test_the_same_key_is_the_same_device_and_nobody_elses(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    first = phone.device
    assert phone.join(home.house, home.camille).device == first
    with pytest.raises(BadInput, match="new key"):
        phone.join(home.house, home.sacha)
    home.house.devices.sign_out(home.camille, first)
    with pytest.raises(BadInput, match="new key"):
        phone.join(home.house, home.camille)


def test_an_account_has_a_limit_of_devices(home: Home) -> None:
    for _ in range(DEVICES_MAX):
        last = Phone().join(home.house, home.camille)
    with pytest.raises(NotNow, match="Sign one of them out"):
        Phone().join(home.house, home.camille)
    home.house.devices.sign_out(home.camille, last.device)
    Phone().join(home.house, home.camille)


@pytest.mark.parametrize(
    "new",
    [
        {"platform": "symbian"},
        {"label": " "},
        {"label": "x" * 61},
        {"label": "two\nlines"},
        {"app_version": "\x00"},
    ],
)
def test_a_device_introduces_itself_properly(new: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        Newcomer(**{"app": "le-panier", "platform": "android", "label": "Téléphone", **new})


def test_an_app_or_platform_that_is_not_declared_brings_no_device(home: Home) -> None:
    with pytest.raises(BadInput, match="declares no such app"):
        home.house.devices.register(home.camille, Newcomer("another-app", "android", "Téléphone"))


def test_keys_are_read_strictly() -> None:
    key = Phone().public_key
    assert read_key(written(key)) == key
    for wrong in ("", "short", written(key) + "AA", written(key[:-1]), "é" * 43):
        with pytest.raises(BadInput):
            read_key(wrong)


def test_a_devices_name_is_sealed(home: Home) -> None:
    Phone().join(home.house, home.camille, label="iPhone de Camille Exemple", platform="ios")
    with home.house._stores.records.reading() as connection:
        rows = connection.exec_driver_sql("select * from devices").all()
        events = connection.exec_driver_sql("select detail, sealed from events where kind = 'device-registered'").all()
    assert "Camille" not in repr(rows)
    assert b"Camille" not in b"".join(bytes(row[1]) for row in events)
    assert all("Camille" not in row[0] for row in events)
