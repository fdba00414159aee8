"""Any history of choices: the set-wise gate, the pure decision and the stored fold all equal a slow plain reference.

The run fails when some kind of choice was never tried.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.reference.gate import Spoken, is_permitted
from tests.support.shop import JUICE, REMINDERS, SOAP, STATISTICS, HandClock, Shop

from volens.audit.replay import check_choices_and_uses
from volens.audit.report import Report
from volens.databases.connect import connect
from volens.gate.policy import decide
from volens.permissions.state import KINDS, PERMITTING

PEOPLE = 4
tried: Counter[str] = Counter()

NOES = sorted(KINDS - PERMITTING)
WORDS = st.one_of(
    st.tuples(
        st.integers(0, PEOPLE - 1),
        st.just(STATISTICS),
        st.sampled_from(["*", JUICE, SOAP]),
        st.sampled_from([*NOES, "given", "renewed"]),
        st.booleans(),
        st.integers(0, 90),
    ),
    st.tuples(
        st.integers(0, PEOPLE - 1),
        st.just(REMINDERS),
        st.sampled_from(["*", "shop"]),
        st.sampled_from([*NOES, "notified"]),
        st.just(False),
        st.integers(0, 90),
    ),
)
EVERY_KIND = [(0, STATISTICS, "*", kind, False, 1) for kind in ("given", *NOES, "renewed")]
EVERY_KIND.append((1, REMINDERS, "*", "notified", False, 1))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@example(history=EVERY_KIND, recipient=JUICE)
@given(history=st.lists(WORDS, max_size=25), recipient=st.sampled_from([JUICE, SOAP, "shop"]))
def test_any_history(migrated: Path, history: list[tuple[int, str, str, str, bool, int]], recipient: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _one_history(Path(shutil.copytree(migrated, Path(folder) / "house")), history, recipient)


def _one_history(folder: Path, history: list[tuple[int, str, str, str, bool, int]], recipient: str) -> None:
    records, keys = connect(f"sqlite:///{folder}/records.db"), connect(f"sqlite:///{folder}/customer-keys.db")
    shop = Shop(records, keys, folder, HandClock())
    people = shop.people(PEOPLE)
    named = {name: set(text.recipients) for rule in shop.rules.values() for name, text in rule.texts.items()}
    spoken: list[Spoken] = []
    for place, purpose, to, kind, old, days in history:
        shop.hand.pass_days(days)
        text = "reminders/1" if purpose == REMINDERS else "statistics/1" if old else "statistics/2"
        if kind in PERMITTING and to != "*" and to not in named[text]:
            continue  # a yes to somebody whom the text does not name is refused
        shop.say(people[place], kind, purpose, to, old=old)
        tried[kind] += 1
        spoken.append(Spoken(people[place], purpose, to, kind, text, shop.hand.instant.date()))
    today = shop.hand.instant.date()
    for purpose in (STATISTICS, REMINDERS):
        if recipient not in shop.rules[purpose].recipients:
            continue
        _compare(shop, spoken, people, purpose, recipient, today, named)
    with records.reading() as connection:
        report = Report()
        check_choices_and_uses(connection, report)
    assert report.ok, report.to_text()
    shop.close()
    records.dispose()
    keys.dispose()


def _compare(
    shop: Shop,
    spoken: list[Spoken],
    people: list[int],
    purpose: str,
    recipient: str,
    today: date,
    named: dict[str, set[str]],
) -> None:
    # A history can last for years; people were told that purchases serve for three, so the read is always of today's.
    rule, request = shop.rules[purpose], replace(shop.request(recipient, purpose), start=today, end=today + timedelta(days=1))
    expected = {
        customer
        for customer in people
        if is_permitted(
            spoken, customer, purpose, recipient, today,
            named=named, waiting_days=rule.waiting_days, months=rule.renew_months,
        )
    }  # fmt: skip
    with shop.gate.open_purchases(request) as reading:
        assert set(reading.opened.permitted) == expected
        reading.saw(reading.opened.permitted)
    for customer in people:
        standing = {row.recipient: row for row in shop.ledger.of_customer(customer) if row.purpose == purpose}
        assert decide(request, standing.get(recipient), shop.rules, today).allowed is (customer in expected)
    handed = shop.barrier.hand_over(request, people, {})
    assert (set(handed.customers), set(handed.kept_back)) == (expected, set(people) - expected)
    assert set(shop.gate.permitted(request)[0]) == expected


def test_every_kind_was_tried() -> None:
    if not tried:
        pytest.skip("the generative test did not run in this process")
    assert set(tried) == KINDS - {"joined"}, "these kinds of choice were never tried"
