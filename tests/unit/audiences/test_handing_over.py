"""Two doors: a set of numbers, then a file of those who may still leave."""

from __future__ import annotations

import csv
import hashlib
import json
import stat
from pathlib import Path

import pytest
from pyroaring import BitMap
from tests.support.audience import LAPSED, LOYAL, NETWORK, Town, definition

from volens.audiences import store
from volens.audiences.sent import Sent
from volens.errors import BadInput, NotNow, Refused
from volens.evidence.durable import write_durably
from volens.gate.policy import ReadRequest
from volens.gate.seen import seen_of
from volens.gate.store import customers_of

BY = "Claire Exemple"


def hashed(card: int) -> str:
    """What the network gets of somebody."""
    return hashlib.sha256(f"p{card}@example.org".encode()).hexdigest()


def rows(path: str | Path) -> set[str]:
    """The hashes in a file of one column."""
    with Path(path).open(encoding="utf-8") as file:
        listed = list(csv.reader(file))
    assert listed[0] == ["EMAIL"]
    return {row[0] for row in listed[1:]}


def test_exactly_the_lapsed_are_handed_over(town: Town) -> None:
    handed = town.handed()
    assert rows(handed.path) == {hashed(card) for card in LAPSED}
    assert handed.listed.people == len(LAPSED)


def test_the_file_is_its_owners_alone_and_described(town: Town) -> None:
    handed = town.handed()
    path = Path(handed.path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert handed.listed.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    described = json.loads(path.with_name(path.name + ".json").read_text(encoding="utf-8"))
    assert described["sha256"] == handed.listed.sha256
    assert "juice" not in path.name + json.dumps(described), "what the list is about is not told"


def test_who_says_no_after_the_set_was_built_is_not_in_the_file(town: Town) -> None:
    audiences = town.house.audiences
    audiences.define(definition(), by=BY)
    audiences.build("juice-lapsed", by=BY)
    town.say(7)
    handed = audiences.hand_over("juice-lapsed", by=BY)
    assert hashed(7) not in rows(handed.path)
    assert handed.listed.people == len(LAPSED) - 1
    assert handed.stayed["no"].about is None, "how many stayed behind is not told below the minimum"


def test_who_says_no_in_the_last_moment_before_the_door_is_not_in_the_file(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, audiences = town.house.gate, town.house.audiences
    audiences.define(definition(), by=BY)
    audiences.build("juice-lapsed", by=BY)
    asked = gate.permitted

    def permitted(request: ReadRequest) -> tuple[BitMap, int]:
        found = asked(request)
        town.say(7)
        return found

    monkeypatch.setattr(gate, "permitted", permitted)
    assert hashed(7) not in rows(audiences.hand_over("juice-lapsed", by=BY).path)
    with town.house._stores.records.reading() as connection:
        (listed,) = audiences.lists()
        assert town.number(7) not in Sent(town.house._keys).of(connection, "juice-lapsed", BitMap([town.number(7)]))[1]
        assert len(store.sealed_of(connection, listed.list, range(10))) > 0
    assert town.house.audit().ok


def test_who_refused_is_never_read(town: Town) -> None:
    town.say(7)
    town.house.audiences.define(definition(), by=BY)
    town.house.audiences.build("juice-lapsed", by=BY)
    assert all(use.purpose != "purchase-audience" for use in town.house.uses_of(town.number(7)))
    assert any(use.purpose == "purchase-audience" for use in town.house.uses_of(town.number(8)))


def test_who_is_erased_after_the_set_was_built_stays_behind(town: Town) -> None:
    audiences, gone = town.house.audiences, town.number(9)
    audiences.define(definition(), by=BY)
    audiences.build("juice-lapsed", by=BY)
    town.house.erasure.erase(gone, by=BY, why="consent-withdrawn")
    assert hashed(9) not in rows(audiences.hand_over("juice-lapsed", by=BY).path)


def test_suppressed_people_are_in_no_list_whatever_they_permit(town: Town) -> None:
    audiences = town.house.audiences
    audiences.suppress([town.number(3)], "complaint", by=BY)
    audiences.define(definition(), by=BY)
    audiences.build("juice-lapsed", by=BY)
    audiences.suppress([town.number(4)], "staff", by=BY)
    assert rows(audiences.hand_over("juice-lapsed", by=BY).path).isdisjoint({hashed(3), hashed(4)})


def test_nobody_is_on_more_lists_than_her_cap(town: Town) -> None:
    town.handed()
    with pytest.raises(BadInput, match="fewer than 100"):
        town.handed(audience="juice-again", cap={"lists": 1, "days": 7})
    town.hand.pass_days(8)
    assert town.handed(audience="juice-again", cap={"lists": 1, "days": 7}).listed.people == len(LAPSED)


def test_the_cap_is_asked_again_at_the_door(town: Town) -> None:
    audiences = town.house.audiences
    audiences.define(definition(audience="juice-again", cap={"lists": 1, "days": 7}), by=BY)
    audiences.build("juice-again", by=BY)
    town.handed()
    with pytest.raises(BadInput, match="Nothing left"):
        audiences.hand_over("juice-again", by=BY)


def test_a_set_of_yesterday_is_not_handed_over(town: Town) -> None:
    town.house.audiences.define(definition(), by=BY)
    town.house.audiences.build("juice-lapsed", by=BY)
    town.hand.pass_days(2)
    with pytest.raises(NotNow, match="more than a day old"):
        town.house.audiences.hand_over("juice-lapsed", by=BY)


def test_an_audience_that_was_changed_is_built_anew_first(town: Town) -> None:
    audiences = town.house.audiences
    audiences.define(definition(), by=BY)
    audiences.build("juice-lapsed", by=BY)
    audiences.define(definition(until="2026-05-31"), by=BY)
    with pytest.raises(NotNow, match="as it stands"):
        audiences.hand_over("juice-lapsed", by=BY)


def test_too_few_people_are_neither_told_nor_built_nor_handed_over(town: Town) -> None:
    audiences = town.house.audiences
    few = definition(who={"bought": {"of": {"categories": ["jus-frais"]}, "days": 20}})
    assert audiences.sizes(few, by=BY).people.about is None, f"{len(LOYAL)} are too few"
    audiences.define(few, by=BY)
    with pytest.raises(BadInput, match="fewer than 100"):
        audiences.build("juice-lapsed", by=BY)


def test_too_few_are_left_at_the_door_and_nothing_leaves(town: Town) -> None:
    audiences = town.house.audiences
    audiences.define(definition(), by=BY)
    audiences.build("juice-lapsed", by=BY)
    for card in range(1, 51):
        town.say(card)
    with pytest.raises(BadInput, match="Nothing left"):
        audiences.hand_over("juice-lapsed", by=BY)
    assert audiences.lists() == []
    assert not list(town.house.settings.lists.glob("*"))


def test_what_the_text_does_not_name_is_not_handed_over(town: Town) -> None:
    with pytest.raises(Refused, match=r"AUD004.*phone"):
        town.house.audiences.define(definition(identifiers=["email", "phone"]), by=BY)


def test_the_door_names_everybody_and_her_page_shows_it(town: Town) -> None:
    handed = town.handed()
    with town.house._stores.records.reading() as connection:
        assert len(customers_of(connection, handed.listed.list)) == len(LAPSED)
        (seen,) = [one for one in seen_of(connection, town.number(5)) if one.kind == "handed_over"]
    assert (seen.recipient, seen.detail["fields"]) == (NETWORK, ["email"])
    states = [one.state for one in town.house.audiences.of_customer(town.number(5))]
    assert states == ["on"]
    assert town.house.audiences.of_customer(town.number(150)) == []


def test_a_list_whose_file_was_never_written_is_lost_and_nobody_is_on_it(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("volens.audiences.files.write_durably", killed)
        with pytest.raises(KeyboardInterrupt):
            town.handed()
    town.hand.pass_minutes(2)
    town.house.audiences.work()
    assert [one.state for one in town.house.audiences.lists()] == [store.LOST]
    assert town.house.audiences.of_customer(town.number(5)) == []
    assert town.house.audit().ok
    assert town.house.audiences.hand_over("juice-lapsed", by=BY).listed.people == len(LAPSED)


def test_a_list_whose_file_lies_there_is_placed_by_the_next_run(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed_after(file: Path, content: bytes) -> None:
        write_durably(file, content)
        if file.suffix == ".csv":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("volens.audiences.files.write_durably", killed_after)
        with pytest.raises(KeyboardInterrupt):
            town.handed()
    town.house.audiences.work()
    assert [one.state for one in town.house.audiences.lists()] == [store.PLACED]


def test_files_go_after_a_day(town: Town) -> None:
    path = Path(town.handed().path)
    town.hand.pass_days(2)
    assert town.house.audiences.work()["files_deleted"] == 1
    assert not path.exists()


def test_an_audience_keeps_its_recipient(town: Town) -> None:
    town.handed()
    with pytest.raises(BadInput, match="keeps its format"):
        town.house.audiences.define(definition(format="csv"), by=BY)
    assert town.house.audiences.lists()[0].recipient == NETWORK
