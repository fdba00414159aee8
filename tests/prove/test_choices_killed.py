"""kill -9 at each step of what writes choices: an import, the end of a text, a transaction that several writers share.

The house is then opened anew, as after any crash.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Urls
from tests.support import killing
from tests.support.shop import JUICE, START, STATISTICS, Shop, terms

from volens.audit.run import audit
from volens.databases.connect import connect
from volens.evidence import groups, log
from volens.evidence.log import EVENTS
from volens.ingest.payment_numbers import holds_payment_number
from volens.permissions import endings, importing, store
from volens.permissions.importing import Importer
from volens.permissions.ledger import Choice

PEOPLE = 6
STEPS_MAX = 60


def killed(urls: Urls, folder: Path, at: int, work: Callable[[Shop], object]) -> bool:
    """Does some work with a house of its own, killed at one of its steps; whether it came to that."""
    return killing.killed(at, lambda: work(Shop(connect(urls.records), connect(urls.customer_keys), folder)))


def close(shop: Shop) -> None:
    """Nothing of a database may be open when a process is forked."""
    shop.records.dispose()
    shop.key_store.dispose()


def check(shop: Shop) -> None:
    report = audit(shop.records, shop.outside, shop.vault)
    assert report.ok, report.to_text()


@pytest.mark.prove
def test_an_import_killed_at_each_step_is_in_once(
    shop: Shop, urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "ROWS_AT_ONCE", 3)
    shop.people(PEOPLE)
    header = "card,purpose,kind,text,language,time,surface\n"

    def take_in(file: Path, shop: Shop) -> None:
        Importer(shop.records, shop.vault, shop.keys, terms(), shop.hand.clock, "FR", holds_payment_number).take_in(file)

    for at in range(1, STEPS_MAX):
        file = tmp_path / f"choices-{at}.csv"
        lines = [f"card-{n},{STATISTICS},given,2,fr,2025-11-{at:02}T10:00:00Z,app\n" for n in range(PEOPLE)]
        file.write_text(header + "".join(lines) + f"card-0,{STATISTICS},given,,fr,2025-11-03T10:00:00Z,app\n")
        close(shop)
        reached = killed(urls, tmp_path, at, lambda one, file=file: take_in(file, one))  # type: ignore[misc]
        take_in(file, shop)
        with shop.records.reading() as connection:
            assert groups.count(connection) == at * PEOPLE, f"step {at}: something is missing or there twice"
        if not reached:
            break
    assert at > 10, "it was killed at hardly any step"
    check(shop)


@pytest.mark.prove
def test_the_end_of_a_text_killed_at_each_step_ends_each_yes_once(
    shop: Shop, urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endings, "ROWS_AT_ONCE", 2)
    shop.ledger.record([Choice(who, STATISTICS, "given", recipient=JUICE) for who in shop.people(PEOPLE)])

    def end(shop: Shop) -> None:
        shop.ledger.invalidate("statistics/2", START.date(), why="a test", by="Alice Exemple")

    for at in range(1, STEPS_MAX):
        close(shop)
        reached = killed(urls, tmp_path, at, end)
        with shop.records.reading() as connection:
            ended = bool(log.texts_ended(connection))
            still = len(store.yes_under(connection, "statistics/2", 100))
            assert groups.count(connection) == PEOPLE - still, f"step {at}"
            assert ended or still == PEOPLE, "a yes was ended before its text"
        if not reached:
            break
    assert at > 5, "it was killed at hardly any step"
    assert still == 0
    check(shop)


@pytest.mark.prove
def test_what_several_writers_were_told_is_there_after_a_kill(shop: Shop, urls: Urls, tmp_path: Path) -> None:
    people = shop.people(PEOPLE)

    def write_all(shop: Shop, told: Path) -> None:
        def write(who: int) -> None:
            with told.open("ab", buffering=0) as out:
                for turn in range(6):
                    kind = ("given", "withdrawn")[turn % 2]
                    (seq,) = shop.ledger.record([Choice(who, STATISTICS, kind)])
                    out.write(f"{seq} {who} {kind}\n".encode())

        threads = [threading.Thread(target=write, args=(who,)) for who in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    acknowledged: dict[int, tuple[int, str]] = {}
    for at in range(1, 25):
        told = tmp_path / f"told-{at}"
        told.touch()
        close(shop)
        reached = killed(urls, tmp_path, at, lambda one, told=told: write_all(one, told))  # type: ignore[misc]
        for line in told.read_text().splitlines():
            seq, who, kind = line.split()
            assert int(seq) not in acknowledged, "one number for two choices"
            acknowledged[int(seq)] = (int(who), kind)
        with shop.records.reading() as connection:
            stored = {row.seq: (row.customer, row.kind) for row in log.rows(connection, EVENTS)}
            assert acknowledged.items() <= stored.items(), f"step {at}: somebody was told of a choice that is not there"
            assert sorted(stored) == list(range(log.size(connection, EVENTS)))
        if not reached:
            break
    assert len(acknowledged) > PEOPLE
    check(shop)
