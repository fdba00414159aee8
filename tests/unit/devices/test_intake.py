"""Data of a kind that its owner did not permit are refused before anything is stored, and counted; in every process at once."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from tests.support.phone import CAMERA, NOTIFICATIONS, SHOP, Phone, say
from tests.unit.devices.conftest import Home

from volens.clock import system
from volens.devices.intake import EVENTS_MAX, Sent
from volens.devices.registry import Newcomer
from volens.errors import BadInput, Refused, Unavailable
from volens.programme.devices import categories

ROOT = Path(__file__).parents[3]


def test_nothing_passes_that_nobody_permitted(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    arrived = phone.send(home.house, *categories())
    assert arrived.accepted == 0
    assert all(one.reasons for one in arrived.verdicts), "every no says why"


def test_a_yes_opens_its_own_category_from_that_moment_on(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    say(home.house, home.camille, "given", CAMERA)
    arrived = phone.send(home.house, *categories())
    opened = [name for name, verdict in zip(categories(), arrived.verdicts, strict=True) if verdict.allowed]
    assert opened == ["camera"]
    say(home.house, home.camille, "withdrawn", CAMERA)
    assert phone.send(home.house, "camera").accepted == 0


def test_one_persons_yes_opens_nothing_of_anothers(home: Home) -> None:
    say(home.house, home.camille, "given", CAMERA)
    assert Phone().join(home.house, home.sacha).send(home.house, "camera").accepted == 0


def test_a_choice_counts_for_all_devices_and_for_those_to_come(home: Home) -> None:
    first = Phone().join(home.house, home.camille)
    say(home.house, home.camille, "given", CAMERA)
    second = Phone().join(home.house, home.camille, platform="ios")
    assert [one.send(home.house, "camera").accepted for one in (first, second)] == [1, 1]
    say(home.house, home.camille, "withdrawn", CAMERA)
    third = Phone().join(home.house, home.camille, platform="web")
    assert [one.send(home.house, "camera").accepted for one in (first, second, third)] == [0, 0, 0]


def test_a_thousand_random_events_after_a_refusal_are_refused(home: Home) -> None:
    """Experience M19. The refusal is acknowledged when `say` returns, and holds from that instant on: nothing is waited for."""
    seed = secrets.randbelow(2**31)
    print(f"seed {seed}")
    chance = Random(seed)
    phones = [Phone().join(home.house, home.camille) for _ in range(3)]
    purposes = {"camera": CAMERA, "location": SHOP, "notifications": NOTIFICATIONS}
    for purpose in purposes.values():
        say(home.house, home.camille, "given", purpose)
    assert [one.send(home.house, *purposes).accepted for one in phones] == [3, 3, 3]
    refused = chance.sample(sorted(purposes), chance.randint(1, 3))
    for name in refused:
        say(home.house, home.camille, "withdrawn", purposes[name])
    acknowledged = time.monotonic()
    sent = accepted = 0
    while sent < 1_000:
        names = chance.choices(refused, k=min(chance.choice([1, 1, 2, 10, 100]), 1_000 - sent))
        named = {"purpose": purposes[names[0]]} if chance.random() < 0.5 and len(set(names)) == 1 else {}
        arrived = chance.choice(phones).send(home.house, *names, **named, data={"noise": secrets.token_hex(chance.randrange(50))})
        if sent == 0:
            print(f"first of them judged {time.monotonic() - acknowledged:.3f} s after the acknowledgement")
        sent += len(names)
        accepted += arrived.accepted
    assert (sent, accepted) == (1_000, 0)
    seen = {one.category: one for one in home.house.devices.overview(home.camille).categories}
    assert sum(seen[name].uses[0].last_use.refused for name in refused) == 1_000, "each is counted"
    for name in set(purposes) - set(refused):
        assert phones[0].send(home.house, name).accepted == 1, "what was not refused goes on"


def test_nothing_of_what_was_sent_is_stored(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    mark = "cafe" + secrets.token_hex(16)
    say(home.house, home.camille, "given", CAMERA)
    assert phone.send(home.house, "camera", data=mark).accepted == 1
    assert phone.send(home.house, "microphone", data=mark).accepted == 0
    assert mark not in dump(home), "neither what was accepted nor what was refused"


def dump(home: Home) -> str:
    """Every row of every table of the records."""
    from sqlalchemy import MetaData, select

    with home.house._stores.records.reading() as connection:
        tables = MetaData()
        tables.reflect(connection)
        return repr([connection.execute(select(table)).all() for table in tables.sorted_tables])


class Service:
    """A house's own service that remembers what it took, or is down."""

    def __init__(self) -> None:
        self.took: list[Sent] = []
        self.down = False

    def take(self, device: str, customer: int, sent: Sequence[Sent]) -> None:
        if self.down:
            raise Unavailable("The service does not answer.", "Send it again.")
        self.took += sent


def test_only_what_is_accepted_reaches_the_houses_service(home: Home) -> None:
    phone, service = Phone().join(home.house, home.camille), Service()
    home.house.devices.hand_to(service)
    say(home.house, home.camille, "given", CAMERA)
    arrived = phone.send(home.house, "camera", "location", "camera", data="x")
    assert [one.allowed for one in arrived.verdicts] == [True, False, True]
    assert arrived.handed_on
    assert [one.category for one in service.took] == ["camera", "camera"]
    service.down = True
    with pytest.raises(Unavailable):
        phone.send(home.house, "camera")
    home.house.devices.hand_to(None)
    assert not phone.send(home.house, "camera").handed_on


def test_a_signed_message_with_data_is_taken_once(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    say(home.house, home.camille, "given", CAMERA)
    body = phone.body(home.hand.now(), category="camera")
    assert home.house.devices.send(body, signed=True).accepted == 1
    with pytest.raises(Refused, match="taken already"):
        home.house.devices.send(body, signed=True)
    assert home.house.devices.overview(home.camille).categories[0].uses[0].last_use.in_7_days == 1


def test_a_device_that_is_signed_out_gets_nothing_through(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    say(home.house, home.camille, "given", CAMERA)
    home.house.devices.sign_out(home.camille, phone.device)
    assert home.house.devices.take(phone.device, [Sent("camera")]).accepted == 0


def test_rules_that_are_no_longer_in_force_let_nothing_through(home: Home) -> None:
    from volens.evidence import log
    from volens.evidence.log import PUBLIC, Event

    phone = Phone().join(home.house, home.camille)
    say(home.house, home.camille, "given", CAMERA)
    with home.house._stores.records.writing() as connection:
        log.append(connection, PUBLIC, [Event("programme", detail={"digest": "another", "purposes": {}})])
    assert phone.send(home.house, "camera").accepted == 0


def test_a_text_that_ended_opens_nothing(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    say(home.house, home.camille, "given", CAMERA)
    home.house.permissions.invalidate(f"{CAMERA}/1", home.hand.now().date(), why="a test", by="a test")
    assert phone.send(home.house, "camera").accepted == 0
    assert home.house.devices.overview(home.camille).categories[0].uses[0].choice.answer == "lapsed"


def test_limits_of_a_call(home: Home) -> None:
    phone = Phone().join(home.house, home.camille)
    assert len(phone.send(home.house, *["camera"] * EVENTS_MAX).verdicts) == EVENTS_MAX
    for wrong in (["camera"] * (EVENTS_MAX + 1), [], ["teleporter"]):
        with pytest.raises(BadInput):
            phone.send(home.house, *wrong)
    for events in ("camera", [1], {}):
        with pytest.raises(BadInput):
            home.house.devices.send(json.dumps({"device": phone.device, "events": events}).encode(), signed=False)


def test_devices_go_where_their_account_goes(home: Home) -> None:
    """A card that turns out to be Sacha's takes its devices along; Sacha's no then counts for them."""
    house = home.house
    phone = Phone()
    account = house.customer("card", "C1").account
    new = Newcomer("le-panier", "web", "Poste", "1", phone.public_key)
    phone.device = house.devices.register(home.camille, new, account=account)
    for who in (home.camille, home.sacha):
        say(house, who, "given", CAMERA)
    assert phone.send(house, "camera").accepted == 1
    house.customers.link(("card", "C1"), ("card", "C2"), by="a test")
    assert [one.device for one in house.devices.overview(home.sacha).devices] == [phone.device]
    assert house.devices.overview(home.camille).devices == ()
    say(house, home.sacha, "withdrawn", CAMERA)
    assert phone.send(house, "camera").accepted == 0
    assert house.audit().ok


def test_erasure_takes_the_devices_along(home: Home) -> None:
    phone, other = Phone().join(home.house, home.camille), Phone().join(home.house, home.sacha)
    say(home.house, home.camille, "given", CAMERA)
    phone.report(home.house, camera="granted")
    phone.send(home.house, "camera")
    home.house.erasure.erase(home.camille, by="a test", why="consent-withdrawn")
    with pytest.raises(Refused):
        phone.send(home.house, "camera")
    assert phone.device not in dump(home)
    assert other.report(home.house, camera="granted") == 1
    assert home.house.audit().ok


@pytest.mark.slow
def test_a_refusal_holds_in_another_process_at_once(home: Home) -> None:
    """A sender in a process of its own: nothing that it sends after the acknowledged refusal is accepted."""
    phone = Phone().join(home.house, home.camille)
    home.hand.instant = system().now()
    say(home.house, home.camille, "given", CAMERA)
    folder = home.house.settings.home
    command = [sys.executable, "-m", "tests.support.device_sender", str(folder), phone.device]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as sender:
        try:
            assert sender.stdout is not None
            assert sender.stdout.readline().strip() == "ready"
            lines = [sender.stdout.readline() for _ in range(20)]
            say(home.house, home.camille, "withdrawn", CAMERA)
            acknowledged = time.monotonic()
            time.sleep(1)
        finally:
            (folder / "stop").touch()
        lines += sender.stdout.readlines()
    sent = [(float(when), int(accepted)) for when, accepted in (line.split() for line in lines)]
    before = [accepted for when, accepted in sent if when < acknowledged]
    after = [accepted for when, accepted in sent if when >= acknowledged]
    print(f"{len(before)} sent before, {len(after)} after")
    assert sum(before) >= 20
    assert len(after) >= 5
    assert sum(after) == 0
