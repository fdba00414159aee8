"""A new key-encryption key: nothing is unreadable at any instant, a kill at any step is taken up, an old folder opens nothing."""

from __future__ import annotations

import shutil
from datetime import date

import pytest
from sqlalchemy import text
from tests.support.shop import Shop

from volens.audit.report import Report
from volens.audit.run import audit
from volens.errors import KeysMissing, Unavailable
from volens.evidence import log
from volens.evidence.log import PUBLIC
from volens.identity import announced, rotation, store
from volens.identity import keys as house_keys
from volens.identity.keyring import KeyRing
from volens.identity.keys import LocalKeys, kek_id
from volens.identity.vault import Vault

TODAY = date(2026, 3, 2)
STEPS = ("made", "announced", "switched", "batch", "rewrapped")


class Killed(BaseException):
    """Nothing catches this, as nothing catches kill -9."""


@pytest.fixture
def house(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop whose keys are on record, with seven people and batches of two keys."""
    monkeypatch.setattr(rotation, "BATCH", 2)
    with shop.records.writing() as connection:
        log.append(connection, PUBLIC, [announced.first(shop.outside.vkey, shop.keys, TODAY)])
    shop.people(7)
    return shop


def ring(shop: Shop, keys: LocalKeys | None = None) -> KeyRing:
    return KeyRing(keys or fresh_keys(shop), shop.records, shop.key_store, shop.hand.clock, "FR")


def fresh_keys(shop: Shop) -> LocalKeys:
    return house_keys.load(shop.folder / "keys")


def require_ours(shop: Shop, keys: LocalKeys) -> None:
    with shop.records.reading() as connection:
        announced.require_ours(list(log.rows(connection, PUBLIC, kinds=["key"])), shop.outside.vkey, keys)


def everything_opens(shop: Shop, keys: LocalKeys) -> None:
    vault = Vault(shop.records, shop.key_store, keys, shop.hand.clock, "FR")
    with shop.records.reading() as connection:
        assert vault.misfiled(connection) == []
        customers = [who for who, _ in store.linked(connection).values()]
    assert all(vault.open(who, vault.seal(who, b"x")) == b"x" for who in customers)


def judged(shop: Shop) -> Report:
    vault = Vault(shop.records, shop.key_store, fresh_keys(shop), shop.hand.clock, "FR")
    return audit(shop.records, shop.outside, vault)


def test_the_key_is_changed_and_everything_still_opens(house: Shop) -> None:
    before = fresh_keys(house).kek_ids[0]
    done = ring(house).rotate()
    assert (done.old, done.rewrapped, done.resumed) == (before, 7, False)
    assert fresh_keys(house).kek_ids == (done.new,)
    require_ours(house, fresh_keys(house))
    everything_opens(house, fresh_keys(house))
    status = ring(house).status()
    assert (status.wrapped, status.changing, status.changes) == ({done.new: 7}, False, 1)
    report = judged(house)
    assert report.ok, report.to_text()


def test_who_opened_before_reads_and_makes_customers_during_and_after(house: Shop) -> None:
    """The old process knows the old key alone. It meets keys under the new one, and must never wrap under the old one."""
    looked: list[str] = []

    def look(step: str) -> None:
        looked.append(step)
        everything_opens(house, house.keys)
        house.vault.identify("card", [f"made at {len(looked)}"])

    done = ring(house).rotate(on_step=look)
    assert set(looked) == {*STEPS, "replaced"}
    everything_opens(house, fresh_keys(house))
    assert ring(house).status().wrapped == {done.new: 7 + len(looked)}


@pytest.mark.parametrize("step", STEPS)
def test_killed_after_any_step_the_same_command_takes_it_up(house: Shop, step: str) -> None:
    def die(told: str) -> None:
        if told == step:
            raise Killed

    with pytest.raises(Killed):
        ring(house).rotate(on_step=die)
    require_ours(house, fresh_keys(house))
    everything_opens(house, fresh_keys(house))
    everything_opens(house, house.keys)
    assert ring(house).status().changing
    assert judged(house).ok
    done = ring(house).rotate()
    assert done.resumed
    assert ring(house).status().wrapped == {done.new: 7}
    with house.records.reading() as connection:
        assert len(list(log.rows(connection, PUBLIC, kinds=["key"]))) == 2, "announced once"
    everything_opens(house, fresh_keys(house))
    assert judged(house).ok


def test_killed_after_the_last_step_nothing_is_left_to_do(house: Shop) -> None:
    def die(told: str) -> None:
        if told == "replaced":
            raise Killed

    with pytest.raises(Killed):
        ring(house).rotate(on_step=die)
    require_ours(house, fresh_keys(house))
    everything_opens(house, fresh_keys(house))
    assert not ring(house).status().changing


def test_an_old_copy_of_the_folder_and_another_houses_open_nothing(house: Shop) -> None:
    shutil.copytree(house.folder / "keys", house.folder / "old")
    house_keys.make(house.folder / "other")
    ring(house).rotate()
    for folder in ("old", "other"):
        with pytest.raises(KeysMissing, match="old copy"):
            require_ours(house, house_keys.load(house.folder / folder))


def test_somebody_erased_while_keys_are_wrapped_anew_stays_erased(house: Shop) -> None:
    def erase(step: str) -> None:
        if step == "switched":
            house.vault.destroy_key(3)

    done = ring(house).rotate(on_step=erase)
    assert done.rewrapped == 6
    assert house.vault.keyless([3]) == {3}


def test_the_bytes_of_the_old_key_are_gone(house: Shop) -> None:
    old = (house.folder / "keys" / "kek").read_bytes()
    with (house.folder / "keys" / "kek").open("rb") as held:
        ring(house).rotate()
        assert held.read() == bytes(32), "overwritten, for whoever still held the file open"
    assert all(file.read_bytes() != old for file in (house.folder / "keys").iterdir())


def test_keys_from_before_ids_were_written_open_and_are_wrapped_anew(house: Shop) -> None:
    with house.key_store.writing() as connection:
        connection.execute(text("update customer_keys set wrapped = substr(wrapped, 9)"))
    everything_opens(house, fresh_keys(house))
    assert ring(house).status().wrapped == {"": 7}
    assert ring(house).rotate().rewrapped == 7


def test_two_changes_at_once_are_refused(house: Shop) -> None:
    def second(step: str) -> None:
        if step == "made":
            with pytest.raises(Unavailable, match="Another process"):
                ring(house).rotate()

    ring(house).rotate(on_step=second)


def test_a_change_that_does_not_follow_and_a_key_never_announced_are_found(house: Shop) -> None:
    foreign = kek_id(bytes(32))
    with house.key_store.writing() as connection:
        wrapped = bytes.fromhex(foreign) + bytes(40)
        connection.execute(text("update customer_keys set wrapped = :wrapped where customer = 1"), {"wrapped": wrapped})
    with house.records.writing() as connection:
        (row,) = log.rows(connection, PUBLIC, kinds=["key"])
        said = {**row.said(), "replaces": "0" * 64}
        log.append(connection, PUBLIC, [log.Event("key", detail=said)])
    from volens.audit.keys import KEYS, check_keys

    report = Report()
    with house.records.reading() as connection:
        check_keys(connection, house.vault, report)
    assert {finding.where for finding in report.findings} == {f"public {row.seq + 1}", "customer keys"}
    assert all(finding.check == KEYS for finding in report.findings)
