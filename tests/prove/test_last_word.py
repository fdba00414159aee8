"""Promise 3 under fire: processes change minds, read and draw at once; some are killed. Judged by what they wrote down.

The judge shares no code with the gate. From the histories alone it shows that no read which started after an acknowledged
withdrawal had that customer, and that nothing which left after it had her either.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Urls
from tests.support.shop import Shop

from volens.audit.replay import check_choices_and_uses
from volens.audit.report import Report
from volens.evidence import log
from volens.evidence.log import EVENTS

SECONDS = 25
ROOT = Path(__file__).parents[2]


def start(role: str, urls: Urls, folder: Path, history: Path, seed: int, seconds: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.support.workers", role, urls.records, urls.customer_keys, str(folder)]
    return subprocess.Popen([*command, str(history), str(seed), str(seconds)], cwd=ROOT)


@pytest.mark.prove
def test_the_last_word_holds_among_processes_that_are_killed(shop: Shop, urls: Urls, tmp_path: Path) -> None:
    seed = secrets.randbelow(2**31)
    print(f"seed {seed}")
    shop.people(24)
    chosen = random.Random(seed)
    until, number, running = time.monotonic() + SECONDS, 0, []
    while time.monotonic() < until:
        while len(running) < 4:
            role = "mind" if len(running) % 2 == 0 else "draw"
            history = tmp_path / f"history-{number}"
            running.append(start(role, urls, tmp_path, history, seed + number, until - time.monotonic()))
            number += 1
        time.sleep(chosen.uniform(3, 6))
        victim = running.pop(chosen.randrange(len(running)))
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
    for process in running:
        assert process.wait(timeout=60) == 0
    histories = [_read(file) for file in sorted(tmp_path.glob("history-*"))]
    everything = [one for history in histories for one in history]
    judged = judge(everything, recorded_choices(shop))
    print(f"{len(everything):,} things happened, {judged:,} pairs of a withdrawal and a later look were judged")
    assert judged > 200, "too little happened to prove anything"
    with shop.records.reading() as connection:
        report = Report()
        check_choices_and_uses(connection, report)
    assert report.ok, report.to_text()


def recorded_choices(shop: Shop) -> dict[int, list[tuple[int, str]]]:
    """(seq, kind) of every choice that was kept, also of processes that died before they could say so."""
    kept: dict[int, list[tuple[int, str]]] = {}
    with shop.records.reading() as connection:
        for row in log.rows(connection, EVENTS, kinds=["given", "withdrawn"]):
            kept.setdefault(row.customer or 0, []).append((row.seq, row.kind))
    return kept


def judge(everything: list[dict[str, Any]], kept: dict[int, list[tuple[int, str]]]) -> int:
    """Raises if somebody was seen, or left, after a no that was acknowledged before. Returns how much was judged."""
    said = [one for one in everything if one["what"] == "said"]
    judged = 0
    for look in (one for one in everything if one["what"] == "read"):
        for customer in {one["customer"] for one in said}:
            before = [one for one in said if one["customer"] == customer and one["acknowledged"] < look["began"]]
            if not before or max(before, key=lambda one: one["seq"])["kind"] != "withdrawn":
                continue
            # A yes after it, kept before the look took its position, makes the look right again.
            last_no = max(one["seq"] for one in before)
            if any(kind == "given" and last_no < seq < look["position"] for seq, kind in kept[customer]):
                continue
            judged += 1
            assert customer not in look["customers"], f"{customer} was seen after a no that was acknowledged"
    for left in (one for one in everything if one["what"] in ("drawn", "handed_over")):
        for customer in left["customers"]:
            before_door = [(seq, kind) for seq, kind in kept.get(customer, []) if seq < left["seq"]]
            assert before_door, f"{customer} left without ever having said a word"
            assert max(before_door)[1] == "given", f"{customer} left through a door after a no"
            judged += 1
    return judged


def test_the_judge_finds_a_violation() -> None:
    """A proof whose judge cannot say guilty proves nothing."""
    no = {"what": "said", "customer": 1, "kind": "withdrawn", "seq": 5, "acknowledged": 1.0}
    look = {"what": "read", "began": 2.0, "customers": [1], "position": 9}
    with pytest.raises(AssertionError, match="acknowledged"):
        judge([no, look], {1: [(5, "withdrawn")]})
    with pytest.raises(AssertionError, match="door"):
        judge([{"what": "drawn", "seq": 9, "customers": [1]}], {1: [(2, "given"), (5, "withdrawn")]})


def _read(file: Path) -> list[dict[str, Any]]:
    """A history; the last line may be cut off where its process was killed."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return found
