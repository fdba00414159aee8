"""A house that was lost comes back from its back-up, and nobody who was erased comes back with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from tests.conftest import Urls
from tests.support.house import STATISTICS, a_year_of_juice, sell, stock
from tests.support.needs import POSTGRES_URL

from volens.app import Given, House, Restored, audit_house, initialise, open_house, restore
from volens.clock import Clock
from volens.errors import BadInput, NotFound, NotNow, Tampered, Unavailable
from volens.evidence import checkpoint as notes
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.gate.policy import ReadRequest
from volens.permissions.ledger import Choice
from volens.purchases.probe import lines_of

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SAID = Given(accept_loss=True, by="Alice Exemple", why="the disk broke")
WHO = {"by": "Alice Exemple", "why": "objection"}


@dataclass
class Lot:
    """A house with twelve customers, of whom the first six permit statistics, and what is done with it."""

    home: Path
    folder: Path
    urls: Urls
    now: list[datetime] = field(default_factory=lambda: [NOW])

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now[0])

    def open(self) -> House:
        return open_house(self.home, clock=self.clock)

    def back_up(self, name: str = "backup") -> Path:
        with self.open() as house:
            house.backups.make(self.folder / name)
            house.checkpoint()
        return self.folder / name

    def erase(self, card: int) -> int:
        with self.open() as house:
            number = house.customer("card", f"C{card:05}").customer
            house.erasure.erase(number, **WHO)
            house.checkpoint()
        return number

    def say(self, card: int, kind: str) -> None:
        with self.open() as house:
            house.permissions.record([Choice(house.customer("card", f"C{card:05}").customer, STATISTICS, kind)])
            house.checkpoint()

    def lose(self) -> None:
        """Everything but settings, programme, keys and checkpoints."""
        shutil.rmtree(self.home / "purchases")
        for url in (self.urls.records, self.urls.customer_keys):
            if url.startswith("sqlite"):
                for file in Path(url.removeprefix("sqlite:///")).parent.glob(Path(url).name + "*"):
                    file.unlink()
            else:
                _run(f'drop schema "{_schema(url)}" cascade')
        if not self.urls.records.startswith("sqlite"):
            _run(f'drop schema "{_schema(self.urls.records)}_purchases_catalog" cascade')

    def restore(self, backup: Path, given: Given | None = None, on_step: Callable[[str], None] = lambda step: None) -> Restored:
        keys = backup.with_name(backup.name + ".customer-keys")
        return restore(self.home, backup, keys, given, clock=self.clock, on_step=on_step)

    def permitted(self) -> set[int]:
        with self.open() as house:
            recipient = sorted(house.programme.purposes[STATISTICS].recipients)[0]
            fields = tuple(sorted(house.programme.purposes[STATISTICS].fields))[:1]
            request = ReadRequest("a test", STATISTICS, recipient, fields, NOW.date(), NOW.date() + timedelta(days=1))
            return set(house.gate.permitted(request)[0])

    def judged(self) -> None:
        report = audit_house(self.home, clock=self.clock)
        assert report.ok, report.to_text()


def _schema(url: str) -> str:
    return url.rpartition("search_path")[2].removeprefix("%3D").removeprefix("=")


def _run(statement: str) -> None:
    engine = create_engine(POSTGRES_URL)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def lot(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lot:
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    made = Lot(tmp_path / "house", tmp_path, urls)
    with initialise(made.home, records_url=urls.records, clock=made.clock) as house:
        stock(house, tmp_path)
        sell(house, tmp_path, a_year_of_juice(12))
        cards = [house.customer("card", f"C{card:05}").customer for card in range(1, 7)]
        house.permissions.record([Choice(customer, STATISTICS, "given") for customer in cards])
        house.checkpoint()
    return made


def test_a_house_that_lost_nothing_is_as_it_was(lot: Lot) -> None:
    """The records in place are readable and exactly those of the back-up: nothing is unknown, so permissions stand."""
    with lot.open() as house:
        house.backups.make(lot.folder / "backup")
    before = lot.permitted()
    shutil.rmtree(lot.home / "purchases")
    done = lot.restore(lot.folder / "backup", Given(was_stopped=True, by="Alice Exemple", why="a move"))
    assert (done.permissions_ended, done.erased_again, sum(done.lost.values())) == (0, 0, 0)
    assert done.lines > 0
    assert lot.permitted() == before
    lot.judged()


def test_who_was_erased_before_or_after_the_backup_stays_erased(lot: Lot) -> None:
    early = lot.erase(1)
    backup = lot.back_up()
    late = lot.erase(2)
    lot.lose()
    with pytest.raises(NotNow, match="--accept-loss"):
        lot.restore(backup)
    done = lot.restore(backup, SAID)
    assert done.erased_again == 1
    assert done.lost[EVENTS] > 0
    assert lines_of(lot.home / "purchases", [early, late]) == 0
    with lot.open() as house:
        assert house.erasure.finished == ()
        for card in ("C00001", "C00002"):
            with pytest.raises(NotFound):
                house.customer("card", card)
        house.checkpoint()
    assert lot.permitted() == set(), "what was said since the back-up is not known: no is no, and so is unknown"
    lot.judged()


def test_a_loss_forks_from_nothing_that_was_signed(lot: Lot) -> None:
    """Whoever kept a checkpoint from before the loss finds the log of afterwards consistent with it."""
    backup = lot.back_up()
    lot.say(3, "withdrawn")
    with lot.open() as house:
        kept = notes.verify((lot.home / "checkpoints" / EVENTS / "latest.note").read_text("utf-8"), house.log_key)
    lot.lose()
    lot.restore(backup, SAID)
    with lot.open() as house:
        house.checkpoint()
        newer = notes.verify((lot.home / "checkpoints" / EVENTS / "latest.note").read_text("utf-8"), house.log_key)
        with house._stores.records.reading() as connection:
            leaves = log.leaves(connection, EVENTS)
            assert [row.seq for row in log.rows(connection, EVENTS, kinds=[log.LOST])] != []
    from volens.evidence.merkle import root_of

    assert newer.size > kept.size
    assert root_of(leaves[: kept.size]) == kept.root
    lot.judged()
    lot.say(3, "given")
    assert lot.permitted() == {3}
    lot.judged()


@pytest.mark.parametrize("step", ["closed", "in place", "trees", "keys", "purchases", "erased again", "permissions"])
def test_killed_after_any_step_it_stays_closed_and_the_same_command_ends_it(lot: Lot, step: str) -> None:
    backup = lot.back_up()
    late = lot.erase(2)
    lot.lose()

    class Killed(BaseException):
        pass

    def die(told: str) -> None:
        if told == step:
            raise Killed

    with pytest.raises(Killed):
        lot.restore(backup, SAID, die)
    with pytest.raises(Unavailable, match="volens restore"):
        lot.open()
    lot.restore(backup, SAID)
    assert lines_of(lot.home / "purchases", [late]) == 0
    assert lot.permitted() == set()
    lot.judged()


def test_records_put_back_by_hand_do_not_open(lot: Lot) -> None:
    if not lot.urls.records.startswith("sqlite"):
        pytest.skip("a file is copied here")
    backup = lot.back_up()
    lot.erase(2)
    shutil.copy(backup / "records" / "copy.db", lot.urls.records.removeprefix("sqlite:///"))
    for journal in ("-wal", "-shm"):
        Path(lot.urls.records.removeprefix("sqlite:///") + journal).unlink(missing_ok=True)
    with pytest.raises(Tampered):
        lot.open()


def test_what_may_not_be_used_is_refused_before_anything_is_touched(lot: Lot) -> None:
    backup = lot.back_up()
    keys = backup.with_name("backup.customer-keys")
    before = lot.permitted()
    lot.now[0] += timedelta(days=29)
    with pytest.raises(NotNow, match="kept until"):
        lot.restore(backup, SAID)
    lot.now[0] = NOW
    with lot.open() as house:
        house.key_ring.rotate()
    with pytest.raises(NotNow, match="rotate"):
        lot.restore(backup, SAID)
    with pytest.raises(BadInput, match="swapped"):
        restore(lot.home, keys, None, SAID, clock=lot.clock)
    other = lot.back_up("other")
    with pytest.raises(BadInput, match="two different"):
        restore(lot.home, other, keys, SAID, clock=lot.clock)
    with pytest.raises(BadInput, match="Who says so"):
        Given(accept_loss=True)
    (next((other / "purchases" / "data").glob("*/*/*.parquet"))).write_bytes(b"x")
    with pytest.raises(Tampered, match="not those that were written"):
        lot.restore(other, SAID)
    (backup / "manifest.json").write_text(json.dumps({**json.loads((backup / "manifest.json").read_text()), "lines": 1}))
    with pytest.raises(Tampered, match="was changed"):
        lot.restore(backup, SAID)
    assert lot.permitted() == before
    lot.judged()


def test_one_choice_after_the_back_up_costs_no_budget(lot: Lot) -> None:
    saved = lot.back_up()
    lot.say(1, "withdrawn")
    lot.lose()
    done = lot.restore(saved, SAID)
    assert done.lost[EVENTS] > 0
    assert done.years_spent == [], "what was signed before the copy explains every public event that is lost"


def test_published_packages_come_back_with_the_house(lot: Lot) -> None:
    with lot.open() as house:
        releases = house.settings.releases
    releases.mkdir(exist_ok=True)
    (releases / "maker-1.volens").write_bytes(b"a package")
    saved = lot.back_up()
    shutil.rmtree(releases)
    lot.lose()
    lot.restore(saved)
    assert (releases / "maker-1.volens").read_bytes() == b"a package"
