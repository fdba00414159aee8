"""Who has acknowledged what: overdue after the declared hours, told to the customer whose no it is, and on record."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.unit.followers.conftest import ADS, EMAIL, MAIL, OWN, TOOL, Lived

from volens.errors import BadInput, NotFound
from volens.evidence import log


def test_a_no_waits_until_its_follower_has_acknowledged_it(lived: Lived) -> None:
    camille, noel = lived.person("card-1"), lived.person("card-2")
    cursor = lived.follow()
    lived.say(camille, "given")
    assert lived.house.followers.awaiting(camille) == []
    lived.say(camille, "withdrawn")
    lived.say(noel, "refused")
    lived.house.followers.notice()
    (waiting,) = lived.house.followers.awaiting(camille)
    assert (waiting.follower, waiting.recipient, waiting.legal_name, waiting.purposes, waiting.overdue) == (
        TOOL, MAIL, "Envoi Clair SAS", (EMAIL,), False
    )  # fmt: skip
    assert waiting.since == lived.hand.instant
    assert lived.house.followers.awaiting(noel) == [], "nobody acted on a yes that never was"
    given = lived.house.followers.changes(TOOL, cursor)
    assert lived.house.followers.awaiting(camille), "seen is not acknowledged"
    lived.house.followers.acknowledge(TOOL, given.cursor)
    assert lived.house.followers.awaiting(camille) == []
    assert lived.house.followers.acknowledge(TOOL, cursor) == int(given.cursor.split("-")[0]), "it never goes back"
    assert lived.house.audit().ok


def test_overdue_after_a_day_from_when_it_was_noticed(lived: Lived) -> None:
    camille = lived.person("card-1")
    lived.follow()
    lived.say(camille, "given")
    lived.house.followers.notice()
    lived.hand.instant += timedelta(hours=48)
    assert lived.house.followers.overdue() == [], "a yes is not urgent"
    lived.say(camille, "withdrawn")
    lived.house.followers.notice()
    noticed = lived.hand.instant
    lived.hand.instant += timedelta(hours=24)
    assert lived.house.followers.overdue() == []
    lived.hand.instant += timedelta(seconds=1)
    (late,) = lived.house.followers.overdue()
    assert (late.follower.name, late.waiting_since, late.due) == (TOOL, noticed, noticed + timedelta(hours=24))
    assert lived.house.followers.awaiting(camille)[0].overdue
    lived.house.followers.acknowledge(TOOL, lived.house.followers.changes(TOOL).cursor)
    assert lived.house.followers.overdue() == []


def test_other_rules_have_to_be_acknowledged_too(lived: Lived) -> None:
    camille = lived.person("card-1")
    lived.say(camille, "given")
    lived.follow()
    with lived.house._stores.records.writing() as connection:
        # As a sweep stands that was killed right after its first event: the text has ended, nobody's row says so.
        log.append(connection, "events", [log.Event(log.TEXT_INVALIDATED, purpose=EMAIL, text=f"{EMAIL}/1")])
    lived.house.followers.notice()
    since = lived.hand.instant
    lived.hand.instant += timedelta(hours=25)
    (waiting,) = lived.house.followers.awaiting(camille)
    assert (waiting.since, waiting.overdue) == (since, True)
    (late,) = lived.house.followers.overdue()
    assert late.waiting_since == since
    lived.house.followers.acknowledge(TOOL, lived.house.followers.changes(TOOL).cursor)
    assert lived.house.followers.awaiting(camille) == []
    assert lived.house.followers.overdue() == []


def test_a_new_follower_has_to_fetch_everything_first(lived: Lived) -> None:
    lived.house.followers.add(TOOL, [EMAIL], recipient=MAIL, by="Bruno Modèle")
    given = lived.house.followers.changes(TOOL)
    assert given.page.resync
    lived.house.followers.acknowledge(TOOL, given.cursor)
    assert not lived.house.followers.changes(TOOL).page.resync
    lived.house.followers.add(TOOL, [EMAIL, "sms-marketing"], recipient=MAIL, by="Bruno Modèle")
    assert lived.house.followers.changes(TOOL).page.resync, "a purpose more is followed"
    assert lived.house.audit().ok


def test_what_does_not_fit_is_said(lived: Lived) -> None:
    add = lived.house.followers.add
    with pytest.raises(NotFound):
        add(TOOL, ["astrology"], recipient=MAIL, by="Bruno Modèle")
    with pytest.raises(NotFound):
        add(TOOL, [EMAIL], recipient="stranger", by="Bruno Modèle")
    for name, purposes, recipient, by, webhook in [
        ("Mail Tool", [EMAIL], MAIL, "Bruno", None),
        (TOOL, [], MAIL, "Bruno", None),
        (TOOL, [EMAIL], "voyages-horizon", "Bruno", None),
        (TOOL, ["accounting"], OWN, "Bruno", None),
        (TOOL, [EMAIL], MAIL, " ", None),
        (TOOL, [EMAIL], MAIL, "Bruno", "http://mail.example/hook"),
        (TOOL, [EMAIL], MAIL, "Bruno", "https://user:word@mail.example/hook"),
    ]:
        with pytest.raises(BadInput):
            add(name, purposes, recipient=recipient, by=by, webhook=webhook)
    lived.follow()
    with pytest.raises(BadInput, match="stays with its recipient"):
        add(TOOL, [ADS], recipient=OWN, by="Bruno Modèle")
    lived.house.followers.end(TOOL, by="Bruno Modèle")
    with pytest.raises(NotFound):
        lived.house.followers.changes(TOOL)
    assert lived.house.followers.all() == []
    assert lived.house.audit().ok


@pytest.mark.parametrize(
    "tampering",
    [
        "update followers set acknowledged = acknowledged + 1",
        "update followers set recipient = 'le-panier'",
        "update followers set purposes = '[\"sms-marketing\"]'",
        "delete from followers",
        "update followers set ended = 1",
        "update followers set webhook = 'https://elsewhere.example/hook'",
    ],
)
def test_the_audit_finds_what_was_changed(lived: Lived, tampering: str) -> None:
    lived.follow()
    with lived.house._stores.records.writing() as connection:
        connection.execute(text(tampering))
    found = lived.house.audit()
    assert [finding.where for finding in found.findings] == [f"followers {TOOL}"]
