"""kill -9 at each step of a refusal by a link or a code, of delivering, and of the page of the year: all of it, or nothing, and the
same again does the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from tests.conftest import Urls
from tests.support.doors import START, STATISTICS, Doors, made
from tests.support.killing import killed
from tests.support.shop import HandClock

from volens.app import House, open_house
from volens.delivery.message import Letter
from volens.permissions.ledger import Choice

STEPS_MAX = 60


@dataclass
class Home:
    """A house that is opened, used and closed, as commands do."""

    folder: Path
    hand: HandClock

    def open(self) -> House:
        return open_house(self.folder, clock=self.hand.clock)

    def doors(self, house: House) -> Doors:
        return Doors(house, self.hand, *(house.customer("card", card).customer for card in ("C00001", "C00002")))

    def killed(self, at: int, work: Callable[[House], object]) -> bool:
        """Opens it in a process of its own and does some work; whether it was killed at a step."""

        def alone() -> None:
            with self.open() as house:
                work(house)

        return killed(at, alone)


@pytest.fixture
def home(urls: Urls, tmp_path: Path) -> Home:
    hand = HandClock(START)
    url = None if urls.records.startswith("sqlite") else urls.records
    with made(tmp_path / "house", url, hand):
        pass
    return Home(tmp_path / "house", hand)


def by(house: House, customer: int, surface: str) -> int:
    """Choices that were recorded through a doorway."""
    return sum(one.how.get("surface") == surface for one in house.permissions.history(customer))


def yes_again(doors: Doors) -> None:
    """On the next day, everything stands permitted as before."""
    doors.later(days=1, minutes=1)  # told once a day
    doors.house.permissions.record([Choice(doors.camille, STATISTICS, "given", surface="a test")])


@pytest.mark.prove
def test_a_link_is_used_up_exactly_if_what_it_does_is_done(home: Home) -> None:
    for at in range(1, STEPS_MAX):
        with home.open() as house:
            doors = home.doors(house)
            yes_again(doors)
            house.doorways.links.ask("email", "camille@example.org", "refuse", "fr")
            house.doorways.work()
            token, before = doors.token(doors.camille), by(house, doors.camille, "single-use link")
        reached = home.killed(at, lambda house, token=token: house.doorways.refuse_by_link(token, language="fr"))  # type: ignore[misc]
        with home.open() as house:
            doors = home.doors(house)
            done = by(house, doors.camille, "single-use link") > before
            assert (house.doorways.links.state(token, "refuse") == "used") is done, f"step {at}"
            assert doors.permits(doors.camille) is not done
            if not done:
                house.doorways.refuse_by_link(token, language="fr")
            assert not doors.permits(doors.camille)
        if not reached:
            break
    assert at > 3, "it was killed at hardly any step"
    with home.open() as house:
        house.checkpoint()
        assert house.audit().ok, house.audit().to_text()


@pytest.mark.prove
def test_whoever_is_refused_for_is_told_exactly_if_it_is_recorded(home: Home) -> None:
    for at in range(1, STEPS_MAX):
        with home.open() as house:
            doors = home.doors(house)
            yes_again(doors)
            code, said = doors.code(), by(house, doors.camille, "receipt link")
            told = len(house.delivery.newest(1_000, doors.camille))
        reached = home.killed(at, lambda house, code=code: house.doorways.refuse(code, language="fr"))  # type: ignore[misc]
        with home.open() as house:
            doors = home.doors(house)
            done = by(house, doors.camille, "receipt link") > said
            assert (len(house.delivery.newest(1_000, doors.camille)) > told) is done, f"step {at}"
            house.doorways.refuse(code, language="fr")
            assert len(house.delivery.newest(1_000, doors.camille)) == told + 1
            assert not doors.permits(doors.camille)
        if not reached:
            break
    assert at > 3, "it was killed at hardly any step"


@dataclass(frozen=True)
class Paper:
    """A carrier that writes down on disk what it was given."""

    file: Path
    recipient: str | None = None
    channels: frozenset[str] = frozenset({"email", "sms"})

    def carry(self, letter: Letter) -> None:
        with self.file.open("a", encoding="utf-8") as written:
            written.write(letter.message + "\n")


@pytest.mark.prove
def test_every_message_is_carried_at_least_once(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "carried"
    file.touch()

    def deliver(house: House) -> None:
        house.delivery._carrier = Paper(file)
        house.delivery.deliver()

    for at in range(1, STEPS_MAX):
        with home.open() as house:
            doors = home.doors(house)
            yes_again(doors)
            house.doorways.links.ask("email", "camille@example.org", "refuse", "fr")
            house.doorways.links.answer()
            house.doorways.refuse(doors.code(), language="fr")
        reached = home.killed(at, deliver)
        home.hand.instant += timedelta(seconds=61)
        with home.open() as house:
            deliver(house)
            assert set(house.delivery.counts()) == {"carried"}, f"step {at}"
            wanted = {one.message for one in house.delivery.newest(1_000)}
        if not reached:
            break
    times = Counter(file.read_text(encoding="utf-8").split())
    assert set(times) == wanted
    print(f"{len(times)} messages, {sum(count > 1 for count in times.values())} of them carried twice")
    with home.open() as house:
        house.checkpoint()
        assert house.audit().ok, house.audit().to_text()


@pytest.mark.prove
def test_a_page_of_the_year_is_asked_for_once(home: Home) -> None:
    for at in range(1, STEPS_MAX):
        reached = home.killed(at, lambda house: house.doorways.yearly.send())
        with home.open() as house:
            house.doorways.yearly.send()
            pages = [one for one in house.delivery.newest(1_000) if one.kind == "summary"]
            assert len(pages) == at, f"step {at}"
        home.hand.instant += timedelta(days=365)
        if not reached:
            break
    with home.open() as house:
        house.checkpoint()
        assert house.audit().ok, house.audit().to_text()
