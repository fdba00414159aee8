"""Promise 5 at its hardest: the retailer holds every key, rewrites one refusal to a yes, and signs everything again.

Inside the house nothing shows it. One older package, one older receipt, or one witness each find it. And what nobody outside
held cannot be found: that limit is asserted too, since the evidence page states it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.conftest import Urls
from tests.support.house import CATEGORY, FIRST_DAY, JUICE_MAKER, STATISTICS, a_year_of_juice, sell, stock
from tests.support.witnesses import answering, fresh

from volens.app import House, initialise, open_house
from volens.clock import fixed
from volens.demo.forgery import every_key
from volens.evidence.checkpoint import verify
from volens.evidence.log import EVENTS, PUBLIC
from volens.evidence.verify import Verdict, verify_package
from volens.evidence.witness import Witness
from volens.permissions.ledger import Choice

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CUSTOMERS = 20


@dataclass
class Story:
    """A house, its witness, and what people outside hold."""

    house: House
    witness: Witness
    outside: Path
    customer: int = 0
    refusal: int = 0

    def publish(self, start: int, name: str) -> Path:
        """A published package; a copy of it leaves the house under `name`."""
        start_day = FIRST_DAY.fromordinal(FIRST_DAY.toordinal() + start * 91)
        desk = self.house.reports
        release = desk.request(desk.pack(JUICE_MAKER, CATEGORY, by="13-weeks", start=start_day, count=1), "Alice Exemple").release
        desk.draw(release, "Alice Exemple")
        desk.approve(release, "Bruno Modèle")
        package = desk.publish(release, "Bruno Modèle")
        shutil.copy(package, self.outside / name)
        return package


@pytest.fixture
def story(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """A package before the refusal, the refusal, a receipt and a package after it; a witness signed all of it."""
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    outside = tmp_path / "outside"
    outside.mkdir()
    witness = fresh(tmp_path / "witness", clock=fixed(NOW))
    home = tmp_path / "house"
    with initialise(home, records_url=urls.records, customers=1_000, clock=fixed(NOW)) as house:
        witness.add_log(house.log_key)
    with answering(witness) as server:
        settings = (home / "volens.toml").read_text(encoding="utf-8")
        named = f'[[witnesses]]\nurl = "{server.url}"\nvkey = "{witness.key}"\n'
        (home / "volens.toml").write_text(f"{settings}\n{named}", encoding="utf-8")
        with open_house(home, clock=fixed(NOW)) as house:
            yield _told(house, witness, outside, tmp_path)


def _told(house: House, witness: Witness, outside: Path, tmp_path: Path) -> Story:
    stock(house, tmp_path)
    sell(house, tmp_path, a_year_of_juice(CUSTOMERS))
    told = Story(house, witness, outside)
    numbers = [house.customer("card", f"C{card:05}").customer for card in range(1, CUSTOMERS + 1)]
    house.permissions.record([Choice(number, STATISTICS, "given") for number in numbers])
    told.publish(0, "before.volens")
    told.customer = numbers[0]
    told.refusal = house.permissions.record([Choice(told.customer, STATISTICS, "withdrawn", surface="permission centre")])[0]
    house.checkpoint()
    (outside / "receipt.json").write_bytes(house.receipts.receipt(told.customer, told.refusal))
    told.publish(1, "after.volens")
    assert not [one for one in house.witnesses.standing() if one.behind or one.alarm]
    return told


def failed(verdict: Verdict) -> set[str]:
    return {step.name for step in verdict.steps if not step.ok}


@pytest.mark.slow
def test_a_retailer_with_every_key_is_found_by_any_one_of_three(story: Story) -> None:
    house, held = story.house, story.outside
    newest = sorted(house.settings.releases.glob("*.volens"), key=lambda file: file.stat().st_mtime)[-1]
    notes = {tree: (house.settings.checkpoints / "published" / tree / "checkpoint").read_bytes() for tree in (EVENTS, PUBLIC)}
    with every_key(house.settings, house.programme.house, story.refusal, "withdrawn", "given"):
        # Inside, all is well: the refusal never was.
        report = house.audit()
        assert report.ok, report.to_text()
        assert {row.kind for row in house.permissions.of_customer(story.customer) if row.purpose == STATISTICS} == {"given"}
        with open_house(house.settings.home, clock=house.clock) as again:
            assert again.audit().ok
        assert verify_package(newest, trusted_key=house.log_key).ok
        forged = held / "forged.json"
        forged.write_bytes(house.receipts.receipt(story.customer, story.refusal))
        assert verify_package(forged, trusted_key=house.log_key).ok
        assert json.loads(forged.read_bytes())["record"]["event"][0]["event_type"] == "given"

        # One: an older package, or an older receipt.
        assert failed(verify_package(newest, held / "after.volens")) == {"since"}
        assert failed(verify_package(newest, held / "receipt.json")) == {"since"}
        assert failed(verify_package(forged, held / "receipt.json")) == {"since"}
        assert failed(verify_package(forged, held / "after.volens")) == {"since"}

        # Two: the witness's own copy, and its signature, which cannot be made.
        for tree, note in notes.items():
            (held / f"{tree}.note").write_bytes(note)
        assert failed(verify_package(newest, held / "public.note")) == {"since"}
        assert failed(verify_package(forged, held / "events.note")) == {"since"}
        assert failed(verify_package(newest, witnesses=[str(story.witness.key)])) == {"witness"}

        # Three: the witness refuses, and keeps both states.
        found = house.witnesses.ask(patient=True)
        assert [one.tree for one in found if "another history" in one.alarm] == [EVENTS, PUBLIC]
        kept = story.witness.evidence()
        assert {one["kind"] for one in kept} == {"contradiction"}
        for one in kept:
            cosigned, refused = (verify(one[which], house.log_key) for which in ("cosigned", "refused"))
            assert (cosigned.origin, cosigned.size) == (refused.origin, refused.size)
            assert cosigned.root != refused.root
        assert not house.audit().ok, "from here on the house's own audit repeats it"

        # The limit: what nobody held yet when it was rewritten. A package from before the refusal finds nothing.
        assert verify_package(newest, held / "before.volens").ok
    assert house.audit().ok, "put back"
    assert verify_package(newest, held / "after.volens", witnesses=[str(story.witness.key)]).ok


@pytest.mark.slow
def test_a_forger_who_goes_on_has_no_proof_either(story: Story) -> None:
    """The forged house records more before it asks: there is no proof from what the witness signed to that."""
    house = story.house
    forged = every_key(house.settings, house.programme.house, story.refusal, "withdrawn", "given")
    forged.__enter__()  # never put back: new events follow, as in a house that goes on
    house.permissions.record([Choice(story.customer + 1, STATISTICS, "withdrawn")])
    house.checkpoint()
    found = house.witnesses.ask(patient=True)
    assert all("does not continue" in one.alarm for one in found), found
    assert {one["kind"] for one in story.witness.evidence()} == {"unproven"}
    assert all(log.cosigned and log.unproven for log in story.witness.logs())
