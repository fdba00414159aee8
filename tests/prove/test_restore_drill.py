"""Promise 8 in a drill: erase, back up, erase, lose everything, restore under kill -9 again and again. Nobody comes back."""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import Urls
from tests.support.house import STATISTICS, a_year_of_juice, sell, stock
from tests.unit.app.test_backup_and_restore import WHO, Lot

from volens.app import initialise
from volens.clock import system
from volens.errors import NotFound, Unavailable
from volens.permissions.ledger import Choice
from volens.purchases.probe import lines_of

ROOT = Path(__file__).parents[2]
CUSTOMERS = 200
KILLS = 6


@pytest.mark.prove
def test_nobody_who_was_erased_comes_back(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = secrets.randbelow(2**31)
    chosen = random.Random(seed)
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    lot = Lot(tmp_path / "house", tmp_path, urls, [system().now()])
    with initialise(lot.home, records_url=urls.records) as house:
        stock(house, tmp_path)
        sell(house, tmp_path, a_year_of_juice(CUSTOMERS))
        numbers = {card: house.customer("card", f"C{card:05}").customer for card in range(1, CUSTOMERS + 1)}
        house.permissions.record([Choice(customer, STATISTICS, "given") for customer in numbers.values()])
        house.checkpoint()
    cards = chosen.sample(sorted(numbers), 24)
    _erase(lot, cards[:12])
    backup = lot.back_up()
    _erase(lot, cards[12:])
    gone = [numbers[card] for card in cards]
    lot.lose()
    killed = _restore_under_fire(lot, backup, chosen)
    print(f"seed {seed}, killed {killed} times")
    assert lines_of(lot.home / "purchases", gone) == 0
    assert lines_of(lot.home / "purchases", [numbers[card] for card in numbers if card not in cards]) > 0
    with lot.open() as house:
        for card in cards:
            with pytest.raises(NotFound):
                house.customer("card", f"C{card:05}")
        assert house._vault.keyless(gone) == set(gone)
        house.checkpoint()
    assert lot.permitted() == set()
    lot.judged()
    # Her card, shown again, is a new customer's, with a number that nobody ever had.
    with lot.open() as house:
        sell(house, tmp_path / "again", a_year_of_juice(CUSTOMERS), "again.csv")
        back = {house.customer("card", f"C{card:05}").customer for card in cards}
    assert not back & set(numbers.values())
    lot.judged()


def _erase(lot: Lot, cards: list[int]) -> None:
    with lot.open() as house:
        for card in cards:
            house.erasure.erase(house.customer("card", f"C{card:05}").customer, **WHO)
        house.checkpoint()


def _restore_under_fire(lot: Lot, backup: Path, chosen: random.Random) -> int:
    """Starts the restore again until it comes to its end; kills the first few. The house is closed in between."""
    command = [sys.executable, "-m", "tests.support.restorer", str(lot.home), str(backup), f"{backup}.customer-keys"]
    killed = 0
    while True:
        running = subprocess.Popen(command, cwd=ROOT)
        try:
            code = running.wait(timeout=chosen.uniform(1.5, 6) if killed < KILLS else 120)
        except subprocess.TimeoutExpired:
            os.kill(running.pid, signal.SIGKILL)
            running.wait()
            killed += 1
            if (lot.home / "restoring.json").exists():
                with pytest.raises(Unavailable, match="volens restore"):
                    lot.open()
            continue
        assert code == 0
        return killed
