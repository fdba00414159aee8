"""Whoever changes a device, or what it is said to allow, behind the events' back is found."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from tests.support.phone import CAMERA, Phone, say
from tests.unit.devices.conftest import Home

TAMPERINGS = {
    "update device_states set state = 'denied' where category = 'camera'": "not what the device last reported",
    "update device_states set since = '2020-01-01T00:00:00+00:00'": "not what the device last reported",
    "delete from device_states": "not what the device last reported",
    "delete from devices": "is gone",
    "update devices set platform = 'ios'": "something else than its events",
    "update devices set signed_out = null": "something else than its events",
    "update devices set registered = 0": "no event registered it",
    "update devices set account = 999": "an account that is not there",
    "insert into device_states values ('00', 'camera', 'granted', 'x', 'x', '1', 1)": "devices that are not there",
    "insert into device_counts values ('00', 'camera', '', '2026-01-01', 1, 0, 'x', null)": "devices that are not there",
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_change_behind_the_events_is_found(tampering: str, home: Home) -> None:
    phone, out = Phone().join(home.house, home.camille), Phone().join(home.house, home.camille)
    phone.report(home.house, camera="granted", location="prompt")
    say(home.house, home.camille, "given", CAMERA)
    phone.send(home.house, "camera", "contacts")
    home.house.devices.sign_out(home.camille, out.device)
    assert home.house.audit().ok
    with home.house._stores.records.writing() as connection:
        connection.execute(text(tampering))
    found = [one.what for one in home.house.audit().findings]
    assert any(TAMPERINGS[tampering] in one for one in found), found


def test_a_forgotten_device_that_came_back_is_found(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    with home.house._stores.records.reading() as connection:
        row = connection.execute(text("select * from devices")).mappings().one()
    home.house.devices.forget(home.camille, phone.device)
    assert home.house.audit().ok
    names = ", ".join(row)
    with home.house._stores.records.writing() as connection:
        connection.execute(text(f"insert into devices ({names}) values ({', '.join(':' + name for name in row)})"), dict(row))
    assert [one.what for one in home.house.audit().findings] == ["by its events it is not there, or was forgotten"]
