"""The key-encryption key is changed under kill -9, while two processes that opened before it make and read customers."""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from tests.conftest import Urls
from tests.support.shop import Shop

from volens.audit.run import audit
from volens.evidence import log
from volens.evidence.log import PUBLIC
from volens.identity import announced
from volens.identity import keys as house_keys
from volens.identity.keyring import KeyRing
from volens.identity.vault import Vault

ROOT = Path(__file__).parents[2]
PEOPLE, SECONDS, KILLS = 20_000, 25, 8


@pytest.mark.prove
def test_nothing_is_unreadable_while_the_key_changes_under_kills(shop: Shop, urls: Urls, tmp_path: Path) -> None:
    seed = secrets.randbelow(2**31)
    chosen = random.Random(seed)
    with shop.records.writing() as connection:
        log.append(connection, PUBLIC, [announced.first(shop.outside.vkey, shop.keys, date(2026, 3, 2))])
    shop.people(PEOPLE)

    def start(role: str, name: str) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "tests.support.rotator", role, urls.records, urls.customer_keys, str(tmp_path), name]
        return subprocess.Popen([*words, str(SECONDS)], cwd=ROOT)

    workers = [start("work", name) for name in ("one", "two")]
    killed = ended = 0
    while any(worker.poll() is None for worker in workers) or ended == 0:
        running = start("rotate", "")
        try:
            assert running.wait(timeout=chosen.uniform(0.8, 2.5) if killed < KILLS else 60) == 0
            ended += 1
        except subprocess.TimeoutExpired:
            os.kill(running.pid, signal.SIGKILL)
            running.wait()
            killed += 1
    assert [worker.wait() for worker in workers] == [0, 0], "a worker met a key that did not open"
    print(f"seed {seed}, changed {ended} times, killed {killed} times")
    keys = house_keys.load(tmp_path / "keys")
    ring = KeyRing(keys, shop.records, shop.key_store, shop.hand.clock, "FR")
    if ring.status().changing:
        ring.rotate()
    keys = house_keys.load(tmp_path / "keys")
    assert set(ring.status().wrapped) == set(keys.kek_ids)
    report = audit(shop.records, shop.outside, Vault(shop.records, shop.key_store, keys, shop.hand.clock, "FR"))
    assert report.ok, report.to_text()
