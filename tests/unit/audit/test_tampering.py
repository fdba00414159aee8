"""Promise 5: changing, removing, inserting, back-dating or cutting off rows is found, and the place is named.

The one who tampers here holds the database; in the last tests the signing key as well. What an honest house keeps
outside (checkpoints and leaf hashes) is what finds them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from pyroaring import BitMap
from sqlalchemy import Connection, text
from tests.support.shop import JUICE, REMINDERS, START, STATISTICS, Shop, terms
from tests.unit.identity.test_vault import Somebody
from tests.unit.purchases.test_purchases_store import some_lines

from volens.audit import licences, referring, wallet
from volens.audit.report import Report
from volens.audit.run import audit
from volens.errors import Tampered
from volens.evidence import groups, log
from volens.evidence.log import EVENTS, PUBLIC, TREES, Event, Row
from volens.evidence.merkle import Frontier, leaf_hash
from volens.ingest.payment_numbers import holds_payment_number
from volens.ingest.store import BatchRecords, Quarantined
from volens.insights.accountant import Accountant, Charge
from volens.permissions import settling
from volens.permissions.ages import PARENT
from volens.permissions.importing import Importer
from volens.permissions.ledger import Choice
from volens.permissions.stricter import Word
from volens.purchases import arrivals, queue
from volens.purchases.partitions import split
from volens.releases import store as release_store
from volens.releases.workflow import Workflow

PLAN = "ab" * 32


def a_year(shop: Shop) -> list[int]:
    """Choices, a read, something handed over, a charge with its answer, a release; signed in the middle and at the end."""
    people = shop.people(6)
    for customer in people[:4]:
        shop.say(customer, "given")
    shop.say(people[4], "notified", REMINDERS)
    with shop.gate.open_purchases(shop.request()) as reading:
        reading.saw(reading.opened.permitted)
    shop.barrier.draw(reading.opened, reading.opened.permitted, {"plan": PLAN})
    shop.outside.publish(shop.records)
    shop.say(people[3], "withdrawn")
    shop.barrier.hand_over(shop.request(), people, {"file": "audience"})
    shop.enrol([Somebody("card-1", "camille@example.org", "FR", {"family_name": "Exemple"})])
    batches = BatchRecords(shop.records)
    batches.start("b1", "caisse", "caisse.csv", START)
    batches.stage("b1", "caisse", {"lines_accepted": 1}, [Quarantined(0, 7, 0, "unknown-product", b"sealed")], START.date())
    batches.finish("b1", START)
    with shop.records.writing() as connection:
        for customer in people[4:]:
            queue.ask(connection, customer, START.date(), START.date())
        queue.stage(connection, "r1", {people[4]: 12}, BitMap([people[4]]))
        queue.finish(connection, "r1", START.date())
    accountant = Accountant(shop.records)
    accountant.reserve(Charge(PLAN, JUICE, {"grid": "coarse"}, (2026,), 28, 351))
    accountant.keep(PLAN, '{"vectors":{}}', START.date())
    workflow = Workflow(shop.records)
    release = workflow.request(PLAN, JUICE, {"grid": "coarse"}, "Alice Exemple").release
    workflow.drawn(release, "Alice Exemple")
    workflow.approve(release, "Bruno Modèle")
    for customer in (people[2], people[4]):
        shop.say(customer, "given", old=True)
    shop.ledger.invalidate("statistics/1", START.date(), why="it named too few", by="Alice Exemple")
    lives(shop)
    old = shop.folder / "old.csv"
    old.write_text(f"card,purpose,kind,time,surface\ncard-1,{STATISTICS},refused,2026-01-05T10:00:00Z,paper\ncard-1,x,y,z,w\n")
    Importer(shop.records, shop.vault, shop.keys, terms(), shop.hand.clock, "FR", holds_payment_number).take_in(old)
    with shop.records.writing() as connection:
        lines = some_lines(20, days=5)
        parts = list(split(lines))
        arrivals.arrive(connection, "b2", parts[:-1], START, START.date(), arrivals.state(connection))
        arrivals.finish(connection, str(arrivals.stage(connection, "a1")), START.date())
        arrivals.arrive(connection, "b3", parts, START, START.date(), arrivals.state(connection))
    shop.outside.publish(shop.records)
    return people


def lives(shop: Shop) -> None:
    """Two cards are linked, and two others linked and taken back; a child, whose parent agreed; a card that was closed."""
    shop.vault.identify("card", [f"life-{n}" for n in range(1, 5)])
    accounts = {n: shop.vault.find("card", f"life-{n}") for n in range(1, 5)}
    for n in (1, 2, 3, 4):
        shop.say(accounts[n].customer, "given")
        shop.hand.pass_days(1)
    shop.linking.link(accounts[2].account, accounts[1].customer, by="service desk")
    shop.linking.link(accounts[4].account, accounts[3].customer, by="service desk")
    shop.linking.unlink(accounts[4].account, by="service desk")
    shop.linking.relabel()
    shop.linking.link(accounts[4].account, accounts[3].customer, by="service desk")
    child = Somebody("life-5", "enfant@example.org", "FR", {"birth_date": "2014-06-10"})
    shop.enrol([child, Somebody("life-6", "ancienne@example.org", closed="2026-03-01")])
    shop.enrol([Somebody("life-6", "nouvelle@example.org", closed="2026-03-01")])
    who = shop.vault.find("card", "life-5").customer
    shop.ledger.record([Choice(who, STATISTICS, "given", actor=PARENT, proof={"form": "12"})])


def findings(shop: Shop) -> Report:
    return audit(shop.records, shop.outside, shop.vault)


OF_OTHER_STATIONS = {
    "the habits are of people who are there, and the model is the one that was learned",
    "everything that was named to a customer went through the door",
    "what somebody does not want to be named is as she said",
    "every campaign was fixed before it began",
    "every ended address, channel and page of the year is as the events say",
    "every follower and what it acknowledged is as recorded",
    "every key of a machine is as recorded",
    "every name of the staff is as recorded",
    "every question that was put is as recorded",
    "every device is as the events say",
    "every audience, list and removal is as the events say",
    "who is kept out of audiences is as the events say",
    "every placement is as it was proposed, and another person approved it",
    "what was learned of somebody for advertisements is of people who are there, from a read on record",
    "every advertisement that purchases chose went through the door, within its caps",
    "what somebody does not want to see again is as she said",
    "every version of an offer is as two people approved it, and as the public record has it",
    "every offer is open or stopped in a country as its last step says",
    "who takes part in an offer, and what she did, is as the events say",
    "how many took part in offers, and what they said, is the sum of the events",
    "every marketing message that was let out went through the door",
    "the sums of marketing messages are those of their events",
    "every address that is not written to is as its event says",
    "every sign-up form and every printed form is as recorded",
    "every scan of a form is as it was entered",
}
"""What this year has nothing of: the stations' own tests tamper with it."""


OF_REWARDS = {
    check
    for station in (wallet, licences, referring)
    for name, check in vars(station).items()
    if name.isupper() and isinstance(check, str) and " " in check
}
"""The same of the stations of rewards, by the names under which their checks stand there."""


def test_an_honest_year_is_clean(shop: Shop) -> None:
    a_year(shop)
    report = findings(shop)
    assert report.ok, report.to_text()
    idle = {check for check, looked_at in report.checks if looked_at == 0}
    assert idle == OF_OTHER_STATIONS | OF_REWARDS, "a check that looked at nothing proves nothing"
    assert report.not_covered == dict.fromkeys(TREES, 0)


def test_what_is_younger_than_the_checkpoint_is_said_to_be_uncovered(shop: Shop) -> None:
    people = a_year(shop)
    shop.say(people[0], "withdrawn")
    report = findings(shop)
    assert report.ok
    assert report.not_covered[EVENTS] == 1


def run(statement: str) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(text(statement))


def swap_cards(connection: Connection) -> None:
    """The card of one customer leads to another, and the other way round: her purchases would come under his choices."""
    found = dict(connection.execute(text("select account, found_by from accounts where account in (1, 2)")).all())
    for account, other in ((1, bytes(32)), (2, found[1]), (1, found[2])):
        connection.execute(text("update accounts set found_by = :by where account = :of"), {"by": other, "of": account})


def row_of_another(connection: Connection) -> None:
    """A row is rewritten together with its own leaf: only the event's root knows."""
    (seq,) = connection.execute(text("select distinct seq from group_rows where kind = 'invalidated'")).one()
    changed = replace(groups.rows_of(connection, seq)[0], customer=1)
    connection.execute(
        text("update group_rows set customer = 1, leaf = :leaf where place = 0 and kind = 'invalidated'"),
        {"leaf": leaf_hash(changed.entry())},
    )


def _pack_again(connection: Connection) -> None:
    """A chunk with one line less, and a digest that fits."""
    content = connection.execute(arrivals.arrivals.select()).mappings().first()["content"]
    less = arrivals._packed(arrivals.unpacked(content).slice(1))
    change = arrivals.arrivals.update().where(arrivals.arrivals.c.chunk == 0)
    connection.execute(change.values(content=less, digest=hashlib.sha256(less).hexdigest()))


TAMPERINGS = {
    "a link never was": (run("delete from links where undone is not null"), "links "),
    "a link was taken back": (run("update links set undone = 7, restored = 8 where undone is null"), "links "),
    "lines of a linked card stay where they are": (run("delete from relabellings"), "relabellings "),
    "a child is grown up": (run("update customers set minor_until = null"), "customers "),
    "somebody is a child": (run("update customers set minor_until = '2030-01-01' where customer = 1"), "customers 1"),
    "a closed card is open": (run("update accounts set closed = null"), "accounts "),
    "a parent never agreed": (run("delete from parental"), "parental "),
    "a parent agreed": (run("insert into parental (seq) values (7)"), "parental 7"),
    "a waiting line is changed": (lambda connection: _pack_again(connection), "arrivals"),
    "waiting lines are taken away": (run("delete from arrivals where chunk = 0"), "arrivals"),
    "a waiting chunk is put there twice": (
        run(
            "insert into arrivals (chunk, batch, bucket, month, lines, arrived, digest, content) "
            "select chunk + 100, batch, bucket, month, lines, arrived, digest, content from arrivals where chunk = 0"
        ),
        "arrivals",
    ),
    "a removal was never asked for": (run("delete from removals where done is null"), "removals "),
    "a removal is put off": (run("update removals set due_day = '2030-01-01' where done is null"), "removals "),
    "a removal claims to be done": (run("update removals set done = 3, done_day = '2026-03-02' where done is null"), "removals "),
    "a removal took fewer lines": (run("update removals set lines = 1 where done is not null"), "removals "),
    "a refusal becomes a yes": (
        run("update events set kind = 'given' where tree = 'events' and kind = 'withdrawn'"), "events 1"),
    "a choice is moved to another customer": (
        run("update events set customer = 6 where tree = 'events' and kind = 'withdrawn'"), "events 1"),
    "a choice is back-dated": (
        run("update events set day = '2020-01-01' where tree = 'events' and kind = 'withdrawn'"), "events 1"),
    "an event is removed": (run("delete from events where tree = 'events' and seq = 7"), "events 7"),
    "the tail is cut off": (
        run("delete from events where tree = 'events' and seq > 10"), "events 11"),
    "a public event is changed": (
        run("update events set detail = replace(detail, '351', '999') where tree = 'public' and kind = 'reserved'"),
        "public "),
    "how it was said is taken away": (run("update events set sealed = null where kind = 'withdrawn'"), "events 1"),
    "an event cannot be read any more": (run("update events set detail = 'x' where kind = 'opened'"), "events "),
    "a day is no day": (run("update events set day = 'x' where kind = 'withdrawn'"), "events 1"),
    "a tree that does not exist": (
        run("update events set tree = 'other' where tree = 'events' and seq = 3"), "events"),
    "the head is broken": (run("update heads set size = 3 where tree = 'public'"), "public head"),
    "a row of an event of many becomes a yes": (
        run("update group_rows set kind = 'given' where place = 1"), "events 27 row 1"),
    "a row of an event of many is given to another, with its leaf": (row_of_another, "events "),
    "a row of an event of many is removed": (
        run("delete from group_rows where place = 0 and kind = 'invalidated'"), "events 27 row 1"),
    "the last row of an event of many is removed": (run("delete from group_rows where place = 1"), "events "),
    "a row is added to an event that has none": (
        run("update group_rows set seq = 1 where place = 1"), "events 1"),
    "an import says that it took in less": (run("update choice_imports set taken = 0"), "choice_imports "),
    "an import is forgotten": (run("delete from choice_imports"), "choice_imports "),
    "an import starts again": (run("update choice_imports set state = 'reading'"), "choice_imports "),
    "a refused choice is removed": (run("delete from refused_choices"), "refused_choices "),
    "a refused choice has another reason": (run("update refused_choices set reason = 'future-time'"), "refused_choices "),
    "how an imported choice was said is taken away": (
        run("update group_rows set sealed = null where kind = 'refused'"), "events 64 row 0"),
    "a permission is turned": (run("update permissions set kind = 'given' where kind = 'withdrawn'"), "permissions 4/"),
    "a permission is invented": (
        run(
            "insert into permissions (customer, purpose, recipient, kind, text, day, seq) "
            f"values (6, '{STATISTICS}', '{JUICE}', 'given', 'statistics/2', '2026-03-02', 1)"
        ), "permissions 6/"),
    "a permission is removed": (run(f"delete from permissions where purpose = '{REMINDERS}'"), "permissions 5/"),
    "a use is removed": (run("delete from uses"), "uses "),
    "a use says another purpose": (run(f"update uses set purpose = '{REMINDERS}'"), "uses "),
    "a use forgets its customers": (
        run("delete from customer_sets where owner in (select read from uses)"), "uses "),
    "a set is filed where no page looks": (run("update customer_sets set block = 999"), "uses "),
    "a set of nobody's is added": (
        run("insert into customer_sets (owner, block, bitmap) select 9999, block, bitmap from customer_sets limit 1"),
        "customer_sets 9999"),
    "a use is opened again": (run("update uses set closed = null"), "uses "),
    "what was handed over is removed": (run("delete from doors"), "doors "),
    "what was handed over forgets its customers": (
        run("delete from customer_sets where owner in (select seq from doors)"), "doors "),
    "a charge is forgotten": (run("delete from charges"), "reservations "),
    "a charge is made smaller": (run("update charges set rho_nano = 1"), "reservations "),
    "a charge belongs to nobody": (
        run("insert into charges (year, plan, rho_nano, cap_nano) values (2026, 'x', 300, 351)"), "charges "),
    "what was asked is changed": (run("update reservations set pack = '{}'"), "reservations "),
    "a release is somebody else's": (run("update releases set supplier = 'savon-exemple'"), "releases "),
    "a certificate is invented": (run("update releases set certificate = 'ab'"), "releases "),
    "a reservation is removed": (run("delete from reservations"), "public "),
    "an answer is drawn again": (run("update reservations set answer = '{\"vectors\":{\"b\":[1]}}'"), "reservations "),
    "a release is approved by nobody": (run("update releases set state = 'published'"), "releases "),
    "the second person becomes the first": (
        run("update release_moves set actor = 'Alice Exemple' where state = 'approved'"), "release_moves "),
    "a step is removed": (run("delete from release_moves where state = 'approved'"), "public "),
    "what a feed said of itself is changed": (run("update batches set file_name = 'other.csv'"), "batches "),
    "refused lines vanish": (run("delete from quarantine"), "quarantine "),
    "the reason of a refusal is changed": (run("update quarantine set reason = 'other'"), "quarantine "),
    "how two choices were said is swapped": (
        run(
            "update events set sealed = (select sealed from events where kind = 'given' order by seq limit 1) "
            "where kind in ('given', 'withdrawn')"
        ), "events "),
    "a person is taken away": (run("update customers set person = null"), "customers "),
    "a person moves abroad": (run("update customers set country = 'BE' where customer = 2"), "customers 2"),
    "a customer is invented": (run("insert into customers (customer, country) values (99, 'FR')"), "customers 99"),
    "a feed never came in": (run("delete from batches"), "batches "),
    "two cards are swapped": (lambda connection: swap_cards(connection), "accounts 1"),
    "a customer is gone": (run("delete from customers where customer = 4"), "customers 4"),
    "numbers will be given twice": (run("update numbers set last = 0"), "numbers "),
    "an account changes hands": (run("update accounts set customer = 2 where account = 1"), "accounts 1"),
}  # fmt: skip


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_tampering_is_found_and_located(shop: Shop, tampering: str) -> None:
    a_year(shop)
    change, where = TAMPERINGS[tampering]
    with shop.records.writing() as connection:
        change(connection)
    report = findings(shop)
    assert not report.ok
    assert any(finding.where.startswith(where) for finding in report.findings), report.to_text()


def rewrite(connection: Connection, change: Callable[[Row], Row | None]) -> None:
    """What somebody does who understands the format: changes a row and recomputes every leaf and the head after it."""
    rows = [changed for row in list(log.rows(connection, EVENTS)) if (changed := change(row)) is not None]
    connection.execute(text("delete from events where tree = 'events'"))
    frontier = Frontier()
    for seq, row in enumerate(rows):
        moved = Row(**{**vars(row), "seq": seq})
        again = Row(**{**vars(moved), "leaf": leaf_hash(moved.entry())})
        connection.execute(log.events.insert().values(**vars(again)))
        frontier.append(again.leaf)
    connection.execute(
        log.heads.update().where(log.heads.c.tree == EVENTS).values(size=frontier.size, frontier=frontier.to_bytes())
    )


def test_recomputing_every_hash_is_found_at_the_very_row(shop: Shop) -> None:
    a_year(shop)
    with shop.records.writing() as connection:
        (refusal,) = [row.seq for row in log.rows(connection, EVENTS, kinds=["withdrawn"])]
        rewrite(connection, lambda row: Row(**{**vars(row), "kind": "given"}) if row.seq == refusal else row)
    assert f"events {refusal}" in {finding.where for finding in findings(shop).findings}


def test_removing_a_row_and_recomputing_everything_is_found_at_the_row(shop: Shop) -> None:
    a_year(shop)
    with shop.records.writing() as connection:
        (refusal,) = [row.seq for row in log.rows(connection, EVENTS, kinds=["withdrawn"])]
        rewrite(connection, lambda row: None if row.seq == refusal else row)
    places = {finding.where for finding in findings(shop).findings}
    assert f"events {refusal}" in places


def test_nothing_that_contradicts_the_signed_past_is_ever_signed(shop: Shop) -> None:
    people = a_year(shop)
    with shop.records.writing() as connection:
        rewrite(connection, lambda row: Row(**{**vars(row), "kind": "given"}) if row.kind == "withdrawn" else row)
    shop.say(people[1], "withdrawn")
    with pytest.raises(Tampered, match="does not extend"):
        shop.outside.publish(shop.records)


def test_cutting_off_the_tail_stops_the_next_signature(shop: Shop) -> None:
    a_year(shop)
    with shop.records.writing() as connection:
        rewrite(connection, lambda row: row if row.seq < 5 else None)
    with pytest.raises(Tampered, match="cut off"):
        shop.outside.publish(shop.records)


def test_a_programme_that_is_recorded_again_with_other_rules_whitewashes_nothing(shop: Shop) -> None:
    """Somebody who may append, and even sign, declares afterwards what was not declared when it was done."""
    a_year(shop)
    with shop.records.writing() as connection:
        newest = log.latest(connection, PUBLIC, "programme")
        assert newest is not None
        wider = newest.said()
        wider["purposes"][STATISTICS]["recipients"].append("databroker")
        log.append(connection, PUBLIC, [Event("programme", detail=wider)])
    shop.outside.publish(shop.records)
    assert any("other rules" in finding.what for finding in findings(shop).findings)


def test_an_old_database_does_not_open(shop: Shop) -> None:
    a_year(shop)
    with shop.records.writing() as connection:
        rewrite(connection, lambda row: row if row.seq < 5 else None)
    with pytest.raises(Tampered, match="were signed"):
        shop.outside.require_not_older(shop.records)


def test_a_release_that_its_own_requester_published_is_found(shop: Shop) -> None:
    a_year(shop)
    with shop.records.writing() as connection:
        stands = release_store.everything(connection)[0]
        release_store.move(connection, replace(stands, state="published", certificate="ab"), "Alice Exemple", {"certificate": "ab"})
        release_store.create(connection, replace(stands, release="second", plan="cd" * 32, state="requested"), "Alice Exemple")
        second = release_store.find(connection, "second")
        release_store.move(connection, replace(second, state="published", certificate="ef"), "Alice Exemple", {"certificate": "ef"})
    assert any("cannot become published" in finding.what for finding in findings(shop).findings)


def test_a_forged_checkpoint_folder_is_found(shop: Shop) -> None:
    a_year(shop)
    leaves = shop.folder / "checkpoints" / EVENTS / "leaves"
    content = bytearray(leaves.read_bytes())
    content[40] ^= 1
    leaves.write_bytes(bytes(content))
    assert any("checkpoint" in finding.where or finding.where == "events 1" for finding in findings(shop).findings)


def test_a_use_of_somebody_who_said_no_is_found_even_if_recorded_with_care(shop: Shop) -> None:
    """The gate is passed by: a read records a customer who never permitted it, with a fitting commitment."""
    people = a_year(shop)
    with shop.gate.open_purchases(shop.request()) as reading:
        # Somebody reaches around the type on purpose.
        object.__setattr__(reading.opened, "permitted", reading.opened.permitted | BitMap([people[5]]))
        reading.saw(reading.opened.permitted)
    found = [finding for finding in findings(shop).findings if finding.where.startswith("uses")]
    assert len(found) == 1
    assert f"customer number {people[5]}" in found[0].what


def test_a_yes_that_nobody_said_is_found_even_if_everything_else_fits(shop: Shop) -> None:
    """Whoever could give words back could also make them up."""
    people = a_year(shop)
    word = Word(people[5], STATISTICS, JUICE, "given", "statistics/2", START.date(), {"unlink": 1, "restores": 2})
    with shop.records.writing() as connection:
        settling.write(connection, [word], terms().texts)
    found = [finding.what for finding in findings(shop).findings]
    assert found == ["a 'given' that nobody said"]


def test_the_report_reads_and_serialises(shop: Shop) -> None:
    a_year(shop)
    with shop.records.writing() as connection:
        connection.execute(text("delete from permissions"))
    report = findings(shop)
    assert "permissions" in report.to_text()
    assert json.loads(json.dumps(report.to_dict()))["ok"] is False
