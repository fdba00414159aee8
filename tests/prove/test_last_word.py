"""Promise 3 under fire: processes choose, read, hand over and draw at once, and are killed; a judge reads what they wrote.

The judge (`tests/support/judge.py`, where the argument stands) shares no code with the gate. `test_judge.py` shows that it
finds each kind of violation.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Urls
from tests.reference import pack as exact
from tests.support.judge import Call, Judge, read_history
from tests.support.operations_spine import row_of
from tests.support.workers import cheap_product
from tests.support.world import FIRST_DAY, REMINDERS, STATISTICS, World

from volens.audit.run import audit
from volens.databases.connect import SqlDatabase
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.evidence.outside import Outside
from volens.insights.pack import Pack
from volens.insights.plan import plan_pack
from volens.permissions.state import KINDS

CALLS = int(os.environ.get("VOLENS_PROVE_CALLS", "2500"))
"""A run ends when so many calls were acknowledged,"""
SECONDS = 180
"""or after so long; what must have happened in it stands in `_enough`."""
PROCESSES = 4
CROWD = 24
ROOT = Path(__file__).parents[2]
LIVES = (0.2, 6.0)
"""Seconds that a process lives before it is killed, at least and at most."""


def settled(records: SqlDatabase, key_store: SqlDatabase, folder: Path) -> World:
    """A house with a few purchases of everybody, whose text names both suppliers and where nobody waits."""
    world = World(folder, records, key_store, Counter(), CROWD)
    world.programme[REMINDERS]["waiting_days"] = 0
    world.current[STATISTICS] = f"{STATISTICS}/2"
    world.adopt()
    for place in range(CROWD):
        for visit in range(0, 140, 20):
            number, day = place * 1000 + visit, FIRST_DAY + timedelta(days=visit + place % 7)
            items = frozenset({("J1", 1 + place % 3, 250), ("J2", 1, 300)} if visit % 40 else {("J3", 2, 200)})
            world.till.take(number, place, day, items)
    world.feed_all()
    return world


@contextmanager
def nursery(urls: Urls, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The process that forks the others."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.support.workers", urls.records, urls.customer_keys]
    command += [str(folder), str(CROWD)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def under_fire(urls: Urls, folder: Path, histories: Path, seed: int) -> int:
    """Runs processes and kills them at random until the time is over. Returns how many were killed."""
    chosen, killed, number = random.Random(seed), 0, 0
    until = time.monotonic() + SECONDS
    running: list[tuple[float, int]] = []
    looked = time.monotonic()
    with nursery(urls, folder) as forks:
        assert forks.stdin is not None
        assert forks.stdout is not None
        while time.monotonic() < until:
            if time.monotonic() > looked + 2:
                looked = time.monotonic()
                if sum(file.read_bytes().count(b'"end"') for file in histories.iterdir()) >= CALLS:
                    break
            while len(running) < PROCESSES:
                role = ("crowd", "use", "any", "use")[number % 4]
                forks.stdin.write(f"{histories / f'history-{number:04}'} {seed + number} {SECONDS} {role}\n")
                forks.stdin.flush()
                running.append((time.monotonic() + chosen.uniform(*LIVES), int(forks.stdout.readline())))
                number += 1
            time.sleep(0.02)
            due = [one for one in running if one[0] < time.monotonic()]
            for one in due:
                running.remove(one)
                os.kill(one[1], signal.SIGKILL)
                killed += 1
        for _, process in running:
            os.kill(process, signal.SIGKILL)
            _wait(process)
    return killed


def _wait(process: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("a process that was killed does not end")


@pytest.mark.prove
def test_the_last_word_holds_among_processes_that_are_killed(
    records: SqlDatabase, key_store: SqlDatabase, urls: Urls, tmp_path: Path
) -> None:
    seed = secrets.randbelow(2**31)
    print(f"seed {seed}")
    world = settled(records, key_store, tmp_path)
    histories = tmp_path / "histories"
    histories.mkdir()
    killed = under_fire(urls, tmp_path, histories, seed)
    calls = [call for file in sorted(histories.glob("history-*")) for call in read_history(file)]
    crashed = [call.given["error"] for call in calls if call.what == "crashed"]
    assert not crashed, crashed[0]
    named = {
        purpose: rule["texts"][world.current[purpose]]["recipients"] for purpose, rule in world.programme.items()
    }
    alone = Judge(calls, named).judge()
    assert not alone.findings, "\n".join(alone.findings[:20])
    settled_by_log = Judge(calls, named).settle(recorded_choices(records))
    assert not settled_by_log.findings, "\n".join(settled_by_log.findings[:20])
    sums = judge_sums(world, calls)
    judged = settled_by_log.judged
    print(f"{len(calls):,} calls of {len(list(histories.iterdir()))} processes, {killed} of them killed; {sums} exact sums;")
    print(", ".join(f"{count:,} {what}" for what, count in sorted(judged.items())))
    _enough(judged, calls, sums, killed)
    _audit(world, tmp_path)
    world.close()


def judge_sums(world: World, calls: list[Call]) -> int:
    """What became noisy is, to the bit, the plain sum over exactly those who were drawn."""
    lines, keys, judged = world.plain_lines(), world.products(), 0
    for call in calls:
        if call.what != "noise":
            continue
        plan = plan_pack(Pack.from_canonical(call.given["pack"]), cheap_product())
        rows = {key: row for sku, key in keys.items() if (row := row_of(sku, plan)) is not None}
        sums, losses, _ = exact.exact(lines, set(call.given["seen"]), plan, rows)
        assert (call.given["sums"], call.given["loss"]) == (sums, losses), "sums are not of those who were drawn"
        judged += 1
    drawn = {tuple(call.result["customers"]) for call in calls if call.what == "drawn" and call.result.get("seq") is not None}
    noisy = {tuple(call.given["seen"]) for call in calls if call.what == "noise"}
    assert noisy <= drawn, "noise was drawn for people who did not pass the door"
    return judged


def _enough(judged: Counter[str], calls: list[Call], sums: int, killed: int) -> None:
    """A run in which little happened proves little."""
    said = Counter(said[3] for call in calls if call.what == "choices" for said in call.given["said"])
    assert set(said) >= set(KINDS), f"never said: {sorted(set(KINDS) - set(said))}"
    assert len(calls) >= 500
    assert judged["people not seen after a no"] > 500
    assert judged["people seen who permit"] > 200
    assert judged["people at a door"] > 200
    assert judged["people taken out before a draw"] > 0
    assert sums >= 10
    assert killed >= 10


def _audit(world: World, folder: Path) -> None:
    """After all of it the house's own audit finds nothing, and its tree is as long as it says."""
    outside = Outside(folder / "checkpoints", "test", world.keys.signing_key())
    outside.publish(world.records)
    report = audit(world.records, outside, world.vault)
    assert report.ok, report.to_text()
    with world.records.reading() as connection:
        assert log.count(connection, EVENTS) == log.size(connection, EVENTS)


def recorded_choices(records: SqlDatabase) -> list[dict[str, Any]]:
    """The log's choices, as anybody with the records can read them."""
    with records.reading() as connection:
        return [
            {"seq": row.seq, "customer": row.customer, "purpose": row.purpose, "recipient": row.recipient, "kind": row.kind}
            for row in log.rows(connection, EVENTS, kinds=sorted(KINDS))
        ]
