"""The life of one house as steps, each as its user takes it: a command that opens the house, does one thing and closes it.

A new way to write gets a step here (`STEPS`, in order), and what must be true after the whole life a line in `judge`. The
steps know nothing of faults; `tests/broken` breaks each write of each step and takes the step again.
"""

from __future__ import annotations

import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import create_engine, text

from tests.support import adverts, inviting, licensed, rewards
from tests.support import taking_part as offers
from tests.support.audience import definition
from tests.support.habits import standing_in
from tests.support.house import CATEGORY, FIRST_DAY, JUICE_MAKER, PRODUCTS, STATISTICS, Line, write_feed
from tests.support.phone import CAMERA, Phone
from tests.support.publishing import write_version
from tests.support.shop import HandClock
from volens.app import House, initialise, open_house
from volens.app import house as wiring
from volens.app.baskets import write_about_baskets
from volens.asking.joining import Application
from volens.campaigns.plan import plan_of
from volens.clock import fixed
from volens.errors import BadInput, MappingError, NotFound, NotNow, Unavailable
from volens.evidence import log
from volens.evidence.log import EVENTS, PUBLIC
from volens.evidence.verify import verify_package
from volens.gate.policy import ReadRequest
from volens.ingest.mapping import Mapping
from volens.ingest.mapping import load as load_mapping
from volens.insights.accountant import all_reservations
from volens.insights.pack import Pack
from volens.messaging.message import Caller
from volens.messaging.message import read as read_messages
from volens.messaging.noes import read as read_reports
from volens.permissions.ledger import Choice
from volens.publishing.workflow import Person
from volens.reminding import left_store
from volens.reminding import store as reminding
from volens.sponsored import deciding

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
A_MONTH_LATER = datetime(2026, 4, 6, 9, 0, tzinfo=UTC)
TWO_YEARS_LATER = datetime(2028, 4, 6, 9, 0, tzinfo=UTC)
CARDS = range(1, 7)
CROWD = range(1_001, 1_111)
WAITING = "select count(*) from (select distinct source, file_number, line_number, place from quarantine) as lines"
"""A file that comes twice waits twice; its lines are taken in once (`ingest.mended`)."""
REMINDERS, AUDIENCE, ADS = "basket-reminder", "purchase-audience", "targeted-ads"
MASTER = Mapping(
    source="master", format="csv", contents="customers", time_format="%d/%m/%Y",
    columns={name: name for name in ("card", "given_name", "email", "country")},
)  # fmt: skip


@dataclass
class Household:
    """Where a house lives. Its databases may be SQLite files in the folder, or PostgreSQL."""

    folder: Path
    records_url: str | None = None

    @property
    def home(self) -> Path:
        return self.folder / "house"

    def open(self, at: datetime = NOW) -> House:
        """As a command does."""
        return open_house(self.home, clock=fixed(at))


Step = Callable[[Household], None]
STEPS: dict[str, Step] = {}
ALIKE = (
    '<form><button class="choice" name="say" value="no">Non</button>'
    '<button class="choice" name="say" value="yes">Oui</button></form>'
)
"""A question whose two answers are the same."""


def step(function: Step) -> Step:
    """Adds a step to the life, after those before it."""
    STEPS[function.__name__.replace("_", " ")] = function
    return function


# -- the steps


@step
def init(life: Household) -> None:
    """A new house. Where a first try broke, folder and databases hold a part of one: people are told to start from nothing."""
    if life.home.exists():
        shutil.rmtree(life.home)
        if life.records_url is not None:
            engine = create_engine(life.records_url)
            with engine.begin() as connection:
                for schema in ("records", "customer_keys", "records_purchases_catalog"):
                    connection.execute(text(f'drop schema if exists "{schema}" cascade'))
            engine.dispose()
    with initialise(life.home, records_url=life.records_url, customers=1_000, clock=fixed(NOW)) as house:
        house.checkpoint()


@step
def products(life: Household) -> None:
    life.folder.mkdir(exist_ok=True)
    (life.folder / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    with life.open() as house:
        house.load_products(life.folder / "products.csv")


@step
def people(life: Household) -> None:
    lines = ["card,given_name,email,country", *(f"C{card:05},Ana,p{card}@example.org,FR" for card in CARDS[:3])]
    (life.folder / "master.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with life.open() as house:
        house.take_in_people(life.folder / "master.csv", MASTER)


SOLD = [Line(card, visit + card, "J1" if card % 2 else "J2", 1, 250) for card in CARDS for visit in (0, 30, 60)]
BACK = [Line(card, 100 + card, "J1", -1, -250) for card in CARDS[:2]]


@step
def a_feed_with_a_bad_line(life: Household) -> None:
    feed, mapping = write_feed(life.folder, SOLD)
    with feed.open("a", encoding="utf-8") as file:
        file.write("C00001;Lyon;1;77;03/03/2025 10:30;UNKNOWN;1;2,50\n")
    with life.open() as house:
        house.take_in(feed, load_mapping(mapping))


@step
def everybody_permits(life: Household) -> None:
    with life.open() as house:
        house.permissions.record([Choice(number(house, card), STATISTICS, "given") for card in CARDS])
        house.permissions.record([Choice(number(house, card), REMINDERS, "given") for card in CARDS[1:4]])
        house.checkpoint()


@step
def what_was_forgotten_is_named_and_heard(life: Household) -> None:
    """Two people are told what is missing; one says not now, the other never again. A stand-in is the model."""
    with life.open() as house, standing_in():
        house.reminders.learn()
        for card, what in zip(CARDS[1:3], ("aside", "never"), strict=True):
            before = _named(house, card)
            said = house.reminders.remind(house.reminders.basket(("card", f"C{card:05}"), "web-1", ["S1"]))
            if said is None and not before:  # a checkout hears nothing when the records do not answer, and goes on
                raise Unavailable("Nothing was named.", "Ask again.")
            (named,) = _named(house, card)
            house.reminders.hear(named.reminder, what)


@step
def what_was_silenced_may_be_named_again(life: Household) -> None:
    """Its person says so herself; then somebody of the house looks at her habits, on record."""
    with life.open() as house, standing_in():
        who = number(house, CARDS[2])
        seen = house.reminders.seen_by(who)
        for need, _ in seen.silent if seen is not None else ():
            house.reminders.again(who, need)
        house.reminders.show_habits(who, by="Alice Exemple")


@step
def a_basket_is_left_behind_and_one_is_paid(life: Household) -> None:
    """The first is shown on return, an hour later; the second brings a habit up to date."""
    with life.open() as house, standing_in():
        who = ("card", f"C{CARDS[3]:05}")
        for key, state, skus in (("web-2", "open", ["J1", "J2"]), ("web-3", "paid", ["S1"]), ("web-5", "emptied", [])):
            house.reminders.left.hear(house.reminders.basket(who, key, skus), state)
    with life.open(NOW + timedelta(hours=2)) as house, standing_in():
        before = len(_named(house, CARDS[3]))
        if house.reminders.left.show(house.reminders.basket(who, "web-4", [])) is None and before < 1:
            raise Unavailable("Nothing was shown.", "Ask again.")


@step
def a_basket_is_told_by_a_message(life: Household) -> None:
    """To whoever permits that too. What was let out before a break is let out again under the same key."""
    with life.open() as house, standing_in():
        who = number(house, CARDS[2])
        house.permissions.record([Choice(who, "basket-message", "given")])
        house.reminders.left.hear(house.reminders.basket(who, "web-6", ["J1", "J2"]), "open")
    with life.open(NOW + timedelta(hours=2)) as house, standing_in():
        write_about_baskets(house.reminders, house.messages, Caller("a tool"))
        with house._stores.records.reading() as connection:
            if any(one.products for one in left_store.of(connection, who)):
                raise Unavailable("It was not told.", "Ask again.")


def _named(house: House, card: int) -> list[reminding.Named]:
    """What was named to a card."""
    with house._stores.records.reading() as connection:
        return [one for one in reminding.everything_named(connection) if one.customer == number(house, card)]


@step
def two_permit_that_purchases_choose_advertisements(life: Household) -> None:
    """One person proposes a placement, another approves it, and what those who permit it buy is learned."""
    with life.open() as house:
        for card in CARDS[1:3]:
            if not any(one.purpose == ADS and one.permits for one in house.permissions.of_customer(number(house, card))):
                house.permissions.record([Choice(number(house, card), ADS, "given")])
        one = adverts.placement(products=["J1"], contexts={"categories": [CATEGORY]})
        proposed = house.sponsored.define(one, by="Claire Exemple")
        house.sponsored.approve(proposed.placement, by="Bruno Modèle")
        house.sponsored.learn()


@step
def one_is_hidden_and_one_stops_it(life: Household) -> None:
    """What the shop's page heard is sent again where the answer was an error; what was forgotten meanwhile is not known."""
    with life.open() as house, pytest.MonkeyPatch.context() as patch:
        patch.setattr(deciding, "ANSWER_SECONDS", 30.0)
        where = house.sponsored.page(category=CATEGORY)
        for card, what in zip(CARDS[1:3], ("hide", "stop"), strict=True):
            shown = house.sponsored.decide(where, 1, number(house, card), visit=f"visit-of-{card}")
            if not shown and what == "hide" and house.sponsored.hidden():
                continue  # it was heard before the break, and nothing else fits the page
            if not shown:  # a shop without an answer goes on
                raise Unavailable("Nothing was shown.", "Ask again.")
            if shown[0].slot.why is not None:
                with suppress(NotFound):
                    house.sponsored.hear(shown[0].impression, what, visit="another-visit")


@step
def the_placement_ends(life: Household) -> None:
    with life.open() as house:
        house.sponsored.end(adverts.document()["placement"], by="Claire Exemple")
        house.sponsored.learn()


@step
def rewards_are_earned(life: Household) -> None:
    """Of five people; what two of them earned is held, and they contest it."""
    rewards.open_an_account(life.home)
    with life.open() as house:
        rewards.earn(house, {card: number(house, card) for card in CARDS[1:]})


@step
def one_refuses_everything(life: Household) -> None:
    with life.open() as house:
        house.permissions.refuse_everything(number(house, CARDS[0]), surface="a test")
        house.checkpoint()


@step
def a_second_feed(life: Household) -> None:
    feed, mapping = write_feed(life.folder / "second", [*SOLD[:3], *BACK], "second.csv")
    with life.open(A_MONTH_LATER) as house:  # what was refused a month ago is forgotten now
        house.take_in(feed, load_mapping(mapping))


@step
def the_programme_changes(life: Household) -> None:
    file = life.home / "programme" / "purposes.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("waiting_days: 30", "waiting_days: 45"), encoding="utf-8")
    with life.open():
        pass


@step
def a_large_feed(life: Household) -> None:
    """It goes into the table at once; what is large is made small for the test."""
    feed, mapping = write_feed(life.folder / "large", [Line(card, 130 + card, "J1") for card in CARDS], "large.csv")
    with life.open(A_MONTH_LATER) as house, pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "SMALL_LINES", 0)
        house.take_in(feed, load_mapping(mapping))


@step
def a_read_and_a_hand_over(life: Household) -> None:
    with life.open() as house:
        rule = house.programme.purposes[STATISTICS]
        request = ReadRequest("a test", STATISTICS, JUICE_MAKER, tuple(sorted(rule.fields)), FIRST_DAY, date(2025, 6, 1))
        with house.gate.open_purchases(request) as reading:
            reading.saw(reading.opened.permitted)
        house.barrier.hand_over(request, list(reading.opened.permitted), {})


def release(house: House, count: int) -> str:
    """The release of the pack over so many quarters, as staff find it on their list."""
    plan = house.reports.plan(quarters(house, count)).hash
    return next(one.release for one in house.reports.releases() if one.plan == plan)


def quarters(house: House, count: int) -> Pack:
    return house.reports.pack(JUICE_MAKER, CATEGORY, by="13-weeks", start=FIRST_DAY, count=count)


@step
def request_a_report(life: Household) -> None:
    with life.open() as house:
        house.reports.request(quarters(house, 3), "Alice Exemple")


@step
def draw_it(life: Household) -> None:
    with life.open() as house:
        house.reports.draw(release(house, 3), "Alice Exemple")


@step
def approve_it(life: Household) -> None:
    """Who approves what is approved is told so; then there is nothing to be done again."""
    with life.open() as house:
        if house.reports.find(release(house, 3)).state == "drawn":
            house.reports.approve(release(house, 3), "Bruno Modèle")


@step
def publish_it(life: Household) -> None:
    with life.open() as house:
        house.reports.publish(release(house, 3), "Bruno Modèle")


@step
def request_another(life: Household) -> None:
    with life.open() as house:
        house.reports.request(quarters(house, 2), "Alice Exemple")


@step
def draw_the_other(life: Household) -> None:
    with life.open() as house:
        house.reports.draw(release(house, 2), "Alice Exemple")


@step
def decline_the_other(life: Household) -> None:
    with life.open() as house:
        if house.reports.find(release(house, 2)).state == "drawn":
            house.reports.decline(release(house, 2), "Bruno Modèle")


@step
def a_feed_that_does_not_fit(life: Household) -> None:
    """It is read to where it stops making sense; nothing of it stays."""
    feed, mapping = write_feed(life.folder / "third", SOLD[:2], "third.csv")
    feed.write_text(feed.read_text(encoding="utf-8").replace("quantite", "gewicht"), encoding="utf-8")
    with life.open(A_MONTH_LATER) as house:
        try:
            house.take_in(feed, load_mapping(mapping))
        except MappingError:
            return
    raise AssertionError("a feed that does not fit was taken in")


@step
def older_choices_come_in(life: Household) -> None:
    """One with its proof, one without."""
    file = life.folder / "older.csv"
    file.write_text(
        "card,purpose,recipient,kind,text,language,time,surface,actor,proof\n"
        f"C00004,{REMINDERS},*,given,{REMINDERS}/1,fr,2026-02-03T10:00:00+01:00,till form,,F-17\n"
        f"C00005,{REMINDERS},*,given,,fr,2026-02-03T10:00:00+01:00,till form,,\n",
        encoding="utf-8",
    )
    with life.open(A_MONTH_LATER) as house:
        house.imports.take_in(file)


@step
def a_text_is_invalidated(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        house.permissions.invalidate(f"{REMINDERS}/1", A_MONTH_LATER.date(), why="it was too vague", by="Alice Exemple")


@step
def a_card_is_linked(life: Household) -> None:
    """Card 5 turns out to be of the same person as card 4; her lines follow with the next step."""
    with life.open(A_MONTH_LATER) as house:
        house.customers.link(("card", "C00005"), ("card", "C00004"), by="Alice Exemple")


@step
def its_lines_follow(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        house.customers.relabel()


@step
def another_is_linked_by_mistake(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        house.customers.link(("card", "C00003"), ("card", "C00002"), by="Alice Exemple")
        house.customers.relabel()


@step
def that_is_taken_back(life: Household) -> None:
    """Whoever takes back what is taken back is told that there is nothing."""
    with life.open(A_MONTH_LATER) as house:
        try:
            house.customers.unlink(("card", "C00003"), by="Alice Exemple")
        except BadInput:
            return


@step
def the_lines_go_back(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        house.customers.relabel()


@step
def the_quarantine_is_looked_at(life: Household) -> None:
    """A line is refused again, so that there is one to look at."""
    feed, mapping = write_feed(life.folder / "fourth", [Line(1, 120, "J1")], "fourth.csv")
    with feed.open("a", encoding="utf-8") as file:
        file.write("C00001;Lyon;1;79;03/07/2025 10:30;UNKNOWN;1;2,50\n")
    with life.open(A_MONTH_LATER) as house:
        house.take_in(feed, load_mapping(mapping))
        house.quarantine.open("Alice Exemple", "to mend it")


@step
def a_question_is_put_and_answered(life: Household) -> None:
    """Whoever asks again in the same visit has the same question, or has answered it."""
    with life.open(A_MONTH_LATER) as house:
        question = house.asking.next_question(number(house, 2), "a visit", "order")
        if question is not None:
            house.asking.answer(question.token, "no")


@step
def somebody_joins(life: Household) -> None:
    """The same form again is the same card."""
    with life.open(A_MONTH_LATER) as house:
        joinings = house.asking.joinings
        shown = {one.purpose: one.rendered_sha256 for one in [*joinings.contract("fr"), *joinings.optional("fr")]}
        names = {"given_name": "Claude", "family_name": "Exemple"}
        joinings.join(Application("a-form-of-its-own", names, {"email-marketing": "yes"}, shown))


@step
def a_paper_form_is_printed_entered_and_looked_at(life: Household) -> None:
    """Whoever enters it again is told that it was entered."""
    with life.open(A_MONTH_LATER) as house:
        paper, customer = house.asking.paper, number(house, 2)
        form = paper.form("fr", ["sms-marketing"])
        try:
            paper.enter(customer, by="Alice Exemple", code=form.code, yes=["sms-marketing"], scan=b"%PDF-1.7 %%EOF")
        except NotNow:
            assert any(row.permits and row.purpose == "sms-marketing" for row in house.permissions.of_customer(customer))
        paper.scan(customer, paper.scans(customer)[0].seq, by="Alice Exemple")


@step
def a_machine_is_let_in(life: Household) -> None:
    """Its key is lost with the answer that broke; whoever asks again is told to renew it."""
    with life.open(A_MONTH_LATER) as house:
        machines, expires = house.access.machines, date(2026, 12, 31)
        try:
            machines.add("mail-tool", ["decisions"], expires=expires, by="Alice Exemple")
        except NotNow:
            machines.renew("mail-tool", expires=expires, by="Alice Exemple")


@step
def its_key_is_renewed_and_used(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        issued = house.access.machines.renew("mail-tool", expires=date(2026, 12, 31), by="Alice Exemple")
        assert house.access.machines.recognise(issued.secret, None) is not None


@step
def the_machine_is_shut_out(life: Household) -> None:
    """Whoever asks again is told that none has a key that works."""
    with life.open(A_MONTH_LATER) as house:
        try:
            house.access.machines.revoke("mail-tool", by="Alice Exemple")
        except NotFound:
            return


@step
def a_maker_follows(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        house.followers.add("juice-desk", [STATISTICS], recipient=JUICE_MAKER, by="Alice Exemple", webhook="https://juice.example/in")
        house.followers.notice()


@step
def it_fetches_the_set_and_acknowledges(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        fetched = house.followers.permitted_set("juice-desk", STATISTICS)
        house.followers.acknowledge("juice-desk", fetched.header["cursor"])
        house.followers.note("juice-desk", "acknowledged")


@step
def its_secret_is_renewed(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        house.followers.renew_secret("juice-desk", by="Alice Exemple")


@step
def it_follows_no_more(life: Household) -> None:
    """Whoever asks again is told that nobody follows by this name."""
    with life.open(A_MONTH_LATER) as house:
        try:
            house.followers.end("juice-desk", by="Alice Exemple")
        except NotFound:
            return


@step
def a_member_of_staff_signs_in_and_looks(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        member = house.access.staff.recognise("https://team.example", "1", "Bruno Modèle", ["dpo"])
        begun = house.access.sessions.begin_staff(member)
        house.access.staff.read(member, number(house, CARDS[1]), "check")
        assert house.access.sessions.recognise(begun.number) is not None
        house.access.sessions.end_staff(member.number)


@step
def a_customer_signs_in_and_out(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        account = house.customer("card", "C00002").account
        begun = [house.access.sessions.begin_customer(account, how="account") for _ in range(3)]
        house.access.sessions.end(begun[0].number)
        customer = number(house, CARDS[1])
        assert house.access.sessions.recognise(house.access.sessions.begin_by_link(lambda connection: customer).number) is not None
    with life.open(A_MONTH_LATER + timedelta(minutes=6)) as house:
        assert house.access.sessions.recognise(begun[1].number) is not None
        house.access.sessions.end_everywhere(begun[1].number)
        assert house.access.sessions.recognise(begun[2].number) is None


@step
def a_phone_is_registered(life: Household) -> None:
    """Card 1's. It brings the same key when it tries again, and is the same device."""
    with life.open(A_MONTH_LATER) as house:
        Phone.at(life.folder / "phone.json").join(house, number(house, CARDS[0]))


@step
def it_reports_and_sends(life: Household) -> None:
    """Tried again, each message has the next number. Cards 1 and 2 permit the camera; the contacts nobody uses."""
    with life.open(A_MONTH_LATER) as house:
        phone = Phone.at(life.folder / "phone.json")
        phone.report(house, camera="granted")
        house.permissions.record([Choice(number(house, card), CAMERA, "given") for card in CARDS[:2]])
        assert [one.allowed for one in phone.send(house, "camera", "contacts").verdicts] == [True, False]


@step
def it_is_signed_out(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        house.devices.sign_out(number(house, CARDS[0]), Phone.at(life.folder / "phone.json").device)


@step
def it_is_forgotten(life: Household) -> None:
    """Whoever asks again is told that there is no such device."""
    with life.open(A_MONTH_LATER) as house:
        try:
            house.devices.forget(number(house, CARDS[0]), Phone.at(life.folder / "phone.json").device)
        except NotFound:
            return


@step
def the_key_encryption_key_changes(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        house.key_ring.rotate()


@step
def a_link_is_asked_for_and_sent(life: Household) -> None:
    """Another is made for somebody by staff."""
    with life.open(A_MONTH_LATER) as house:
        house.doorways.links.ask("email", "p2@example.org", "refuse", "fr")
        house.doorways.links.issue(number(house, CARDS[1]), "sign-in", "fr")
        house.doorways.work()


@step
def a_card_takes_a_new_address(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        house.doorways.renew(number(house, CARDS[1]))


@step
def its_address_refuses_twice(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        address = house.doorways.cards("card", ["C00002"])["C00002"]
        assert address is not None
        house.doorways.refuse(address.code, "brands", language="fr")
        house.doorways.refuse(address.code, "brands", language="fr")


@step
def that_is_put_back(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        who = number(house, CARDS[1])
        for one in house.doorways.refused_by_links(who):
            house.doorways.undo(who, one.seqs, language="fr")


@step
def the_page_of_the_year_is_sent_and_looked_at(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        house.delivery.choose_channel(number(house, CARDS[1]), "email")
        house.doorways.nightly()
        (newest,) = house.delivery.newest(1)
        house.delivery.show(newest.message, by="Alice Exemple")


@step
def two_people_publish_a_text(life: Household) -> None:
    """One file more in the folder; the second person's yes puts it into force."""
    _next_version(life, "email-marketing")
    with life.open(A_MONTH_LATER) as house:
        if "email-marketing/2" not in house.programme.texts:
            house.publishing.approve(["email-marketing/2"], Person("Claire Exemple", "marketing"))
    with life.open(A_MONTH_LATER) as house:
        house.publishing.publish(["email-marketing/2"], Person("Idriss Exemple", "dpo"))


@step
def two_texts_are_compared_for_a_moment(life: Household) -> None:
    _next_version(life, "sms-marketing")
    with life.open(A_MONTH_LATER) as house:
        if "sms-marketing/2" not in house.programme.texts:
            house.publishing.approve(["sms-marketing/2"], Person("Claire Exemple", "marketing"))
        idriss = Person("Idriss Exemple", "dpo")
        if not house.publishing.trials():
            house.publishing.start_trial("sms-marketing/2", idriss, people=100, days=7, component=lambda text, language: ALIKE)
    with life.open(A_MONTH_LATER) as house:
        (one,) = house.publishing.trials()
        if one.trial.running:
            house.publishing.stop_trial(one.trial.trial, idriss, "The shop closes.")


@step
def somebody_opens_the_centre_and_says_whether_she_understood(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        customer = number(house, CARDS[1])
        house.publishing.centre_opened(customer, surface="website", language="fr")
        house.publishing._understanding._draw = lambda below: 0
        question = house.publishing.comprehension_question(f"{STATISTICS}/1", "fr", surface="website")
        assert question is not None
        with suppress(NotNow):  # it counted, and the answer that said so was lost
            house.publishing.comprehension_answer(question.token, "unknown")


def _next_version(life: Household, purpose: str) -> None:
    if not (life.home / "programme" / "texts" / purpose / "2").exists():
        write_version(life.home / "programme", purpose)


@step
def a_campaign_is_planned_and_given_up(life: Household) -> None:
    """Launching takes more people than live here; every step is kept by the same write."""
    plan = plan_of({
        "id": "summer", "name": "Summer", "purpose": "campaign-measurement", "hold_out_thousandths": 200, "cost_cents": 1000,
        "pre_period": {"first": date(2026, 1, 5), "last": date(2026, 4, 5)},
        "sale_period": {"first": date(2026, 4, 13), "last": date(2026, 5, 10)},
    })  # fmt: skip
    with life.open(A_MONTH_LATER) as house:
        house.campaigns.plan(plan, Person("Claire Exemple", "marketing"))
    with life.open(A_MONTH_LATER) as house:
        house.campaigns.abandon("summer", Person("Claire Exemple", "marketing"), "The budget is gone.")


@step
def a_crowd_comes_in(life: Household) -> None:
    """A hundred and ten people with addresses, who took juice in January and permit lists chosen by it."""
    lines = ["card,given_name,email,country", *(f"C{card:05},Ana,p{card}@example.org,FR" for card in CROWD)]
    (life.folder / "crowd.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    feed, mapping = write_feed(life.folder / "crowd", [Line(card, 310, "J1") for card in CROWD], "crowd-till.csv")
    with life.open(A_MONTH_LATER) as house:
        house.take_in_people(life.folder / "crowd.csv", MASTER)
        house.take_in(feed, load_mapping(mapping))
        house.permissions.record([Choice(number(house, card), AUDIENCE, "given") for card in CROWD])


@step
def an_audience_is_built_of_it(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        house.audiences.define(definition(), by="Claire Exemple")
        house.audiences.build(definition().id, by="Claire Exemple")


@step
def it_is_handed_over(life: Household) -> None:
    """Whoever is told that it went wrong hands it over again: another list, of the same people."""
    with life.open(A_MONTH_LATER) as house:
        house.audiences.hand_over(definition().id, by="Claire Exemple")


@step
def somebody_is_kept_out_and_let_in_again(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        house.audiences.suppress([number(house, card) for card in CROWD[:2]], "request", by="Claire Exemple")
        if number(house, CROWD[0]) in house.audiences.suppressed():
            house.audiences.release(number(house, CROWD[0]), by="Claire Exemple")


@step
def whoever_has_to_go_is_taken_off(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        house.permissions.record([Choice(number(house, CROWD[2]), AUDIENCE, "withdrawn")])
        house.audiences.work()
        for one in house.audiences.removals.open():
            house.audiences.removals.acknowledge(one.removal, by="the network")
        assert house.audiences.removals.overdue() == []


@step
def the_audience_ends(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        house.audiences.end(definition().id, by="Claire Exemple")
        house.audiences.work()


@step
def two_people_approve_an_offer_and_it_is_open(life: Household) -> None:
    """One version is turned back first, and written anew."""
    offer = offers.orders(starts="2026-02-01", ends="2028-02-01")
    with life.open() as house:
        offering, shop = house.offering, offers.Shop(house, HandClock(NOW))
        if not offering.versions():
            offering.registry.propose(offers.orders(starts="2026-02-01"), by="Claire Exemple")
        if offering.versions()[0].state == "proposed" and offering.proposal(offers.OFFER, 1).ends != date(2028, 2, 1):
            offering.decline(offers.OFFER, role="dpo", by="Bruno Modèle", version=1)
        offering.registry.propose(offer, by="Claire Exemple")
        for role, by in (("marketing", "Claire Exemple"), ("dpo", "Bruno Modèle")):
            offering.approve(offers.OFFER, role=role, by=by)
        shop.budget(offers.OFFER, 10_000)
        offering.launch(offers.OFFER, "FR", by="Claire Exemple")
        house.checkpoint()


@step
def people_take_part_and_it_stops_and_opens_again(life: Household) -> None:
    """One orders, and one of her orders is taken back; another leaves, and says what she thinks of it."""
    with life.open() as house:
        offering, shop = house.offering, offers.Shop(house, HandClock(NOW))
        for card in CARDS[1:3]:
            shop.join(card)
        for key in ("order-1", "order-2"):
            shop.order(CARDS[1], key)
        offering.undone(offers.OFFER, "order-2", "returned")
        left = offering.mine(number(house, CARDS[2]))[0]
        offering.leave(number(house, CARDS[2]), left.participation.id)
        with suppress(NotNow):  # she answered before the break
            offering.answer(number(house, CARDS[2]), left.participation.id, True)
        if offering.open_in(offers.OFFER, "FR").ok:
            offering.suspend(offers.OFFER, "FR", offers.REASON, by="Bruno Modèle")
        offering.tell()
        for by in ("Claire Exemple", "Bruno Modèle")[offering.countries()[0].state == "resuming" :]:
            offering.resume(offers.OFFER, "FR", by=by)
        offering.close()
        house.checkpoint()


@step
def friends_are_invited(life: Household) -> None:
    """One is let go, one refused, one is left to the night; the last waits until her sponsor takes part again."""
    act = {"kind": "referral", "times": 2, "uses": ["account", "invitation", "orders", "payout"], "cap_a_year": 5,
           "friend": "shared-link", "disclosed": True}  # fmt: skip
    with life.open() as house:
        shop, invited = inviting.Inviting(house, HandClock(NOW)), house.referring
        shop.put(inviting.friends_offer(starts="2026-02-01", ends="2026-08-31", act=act), budget_cents=20_000)
        sponsor = number(house, CARDS[0])
        shop.join(CARDS[0], inviting.OFFER)
        friends = [shop.newcomer(card) for card in range(41, 45)]
        ties = [invited.accept(friend, shop.token(CARDS[0])).number for friend in friends]
        invited.show(friends[0], "Lina")
        for card in range(41, 45):
            shop.said(card)
        with suppress(NotNow):  # it was let go before the break
            invited.contest(sponsor, ties[0])
        invited.release(ties[0], by="Claire Exemple", reason="Seen.")
        invited.refuse(ties[1], by="Claire Exemple", reason="Seen.")
        shop.join(CARDS[0], inviting.OFFER, key="again")
        invited.link(sponsor, inviting.OFFER)
        invited.end_link(sponsor, inviting.OFFER)
        house.checkpoint()


@step
def nobody_decides_about_an_invitation(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        house.referring.night()


@step
def an_offer_with_a_licence_is_open(life: Household) -> None:
    with life.open() as house:
        licensed.open_an_offer(house, offers.Shop(house, HandClock(NOW)))


@step
def somebody_permits_that_things_of_hers_are_shown(life: Household) -> None:
    with life.open() as house:
        licensed.permit(house, {card: number(house, card) for card in (CARDS[1], CARDS[4], CARDS[5])})


@step
def they_are_planned_and_she_is_told(life: Household) -> None:
    with life.open() as house:
        licensed.plan(house, number(house, CARDS[1]))


@step
def they_are_published(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        licensed.publish(house, number(house, CARDS[1]))


@step
def she_takes_it_back(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        licensed.withdraw(house, number(house, CARDS[1]))


@step
def a_feed_brings_what_nobody_was_told(life: Household) -> None:
    """Its category lost a field; the feed is closed, and opened again by a person."""
    with life.open(A_MONTH_LATER) as house:
        category = house.programme.categories["place-and-time"]
        fields = {name: one for name, one in category.fields.items() if name != "store"}
        less = {**house.programme.categories, category.id: replace(category, fields=fields)}
        house.told._programme = replace(house.programme, categories=less)
        house.told.check()
        house.told.open_again("caisse", None, why="Taken out of the next mapping.", by="Bruno Modèle")


@step
def rewards_are_paid(life: Household) -> None:
    """They matured meanwhile, and what was under a number without a card came to whoever has the card now."""
    with life.open(A_MONTH_LATER) as house:
        rewards.pay(house, {card: number(house, card) for card in CARDS[1:4]})


@step
def vouchers_are_used(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        rewards.spend(house, {card: number(house, card) for card in CARDS[1:3]})


@step
def they_are_written_to(life: Household) -> None:
    """One gets a newsletter and presses its link; an address bounces. What is old is forgotten."""
    asked = [{"key": "k1", "channel": "email", "campaign": "autumn", "card": f"C{CROWD[3]:05}"}]
    bounced = [{"channel": "sms", "phone": "+33639980003", "reason": "bounce"}]
    with life.open(A_MONTH_LATER) as house:
        house.permissions.record([Choice(number(house, CROWD[3]), "email-marketing", "given")])
        (answer,) = house.messages.send(read_messages(asked), Caller("mail-tool", "envoi-clair"))
        assert answer.enclosed is not None
        house.messages.unsubscribe(str(answer.enclosed.unsubscribe).rsplit("/", 1)[1], language="fr")
        house.messages.suppress(read_reports(bounced), Caller("mail-tool", "envoi-clair"))
        house.messages.tidy()


@step
def somebody_is_erased(life: Household) -> None:
    """Card 6. Whoever asks again for somebody who is erased is told that there is nobody."""
    with life.open(A_MONTH_LATER) as house:
        try:
            customer = number(house, CARDS[-1])
        except NotFound:
            return
        house.erasure.erase(customer, by="Alice Exemple", why="consent-withdrawn")


@step
def the_night(life: Household) -> None:
    with life.open(A_MONTH_LATER) as house:
        house.upkeep.nightly()


@step
def somebody_comes_of_age(life: Household) -> None:
    """Card 3's birth date arrives: she is young, so a yes that she could not give ends; and two years later she is not."""
    lines = ["card,given_name,email,country,birth_date", "C00003,Ana,p3@example.org,FR,15/05/2009"]
    (life.folder / "born.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with life.open(A_MONTH_LATER) as house:
        house.take_in_people(life.folder / "born.csv", replace(MASTER, columns={**MASTER.columns, "birth_date": "birth_date"}))


@step
def years_pass(life: Household) -> None:
    """A read of today's purchases, two years later: every yes has grown too old, which is written down first."""
    with life.open(TWO_YEARS_LATER) as house:
        house.referring.night()
        rule, today = house.programme.purposes[STATISTICS], TWO_YEARS_LATER.date()
        request = ReadRequest("a test", STATISTICS, JUICE_MAKER, tuple(sorted(rule.fields)), today, date(2028, 6, 1))
        with house.gate.open_purchases(request) as reading:
            reading.saw(reading.opened.permitted)


@step
def what_nobody_used_lapses(life: Household) -> None:
    """Card 1 looks at her page, and the night ends card 2's."""
    with life.open(TWO_YEARS_LATER) as house:
        house.devices.overview(number(house, CARDS[0]))
        house.devices.lapse()


@step
def what_is_over_ends(life: Household) -> None:
    """Vouchers, reservations, contests that nobody answered, bank accounts of transfers that arrived long ago."""
    with life.open(TWO_YEARS_LATER) as house:
        house.wallet.nightly()


@step
def what_is_not_down_is_told(life: Household) -> None:
    with life.open(TWO_YEARS_LATER) as house:
        licensed.night(house)


@step
def checkpoint(life: Household) -> None:
    with life.open(TWO_YEARS_LATER) as house:
        house.checkpoint()


# -- what must be true


@dataclass
class Found:
    """What a house holds after some steps, without what differs between two right lives (numbers, salts, noise)."""

    lines: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    standing: dict[int, list[tuple[Any, ...]]] = field(default_factory=dict)
    releases: list[tuple[Any, ...]] = field(default_factory=list)
    budget: list[tuple[int, int]] = field(default_factory=list)
    programmes: int = 0
    quarantined: int = 0
    """Lines that wait in quarantine."""
    invitations: dict[tuple[str, str], int] = field(default_factory=dict)
    campaigns: list[tuple[str, list[str]]] = field(default_factory=list)
    """Each with its steps."""
    money: dict[str, object] = field(default_factory=dict)
    """Claims, vouchers, payouts and the trial balance."""
    shown: list[tuple[str, ...]] = field(default_factory=list)
    """Things of people that are, or were, published."""


def judge(life: Household, reached: int) -> Found:
    """Every invariant, after the first `reached` steps; raises what is wrong. Returns what must be as in an unbroken life."""
    found = Found()
    at = TWO_YEARS_LATER if reached > list(STEPS).index("years pass") else A_MONTH_LATER
    with life.open(at) as house:
        house.upkeep.nightly()
        house.checkpoint()
        report = house.audit()
        assert report.ok, report.to_text()
        records = house._stores.records
        with records.reading() as connection:
            for tree in (EVENTS, PUBLIC):
                assert log.count(connection, tree) == log.size(connection, tree)
            assert connection.execute(text("select count(*) from leases")).scalar() == 0, "a lease is still held"
            unfinished = text("select count(*) from batches where state in ('reading', 'staged')")
            assert reached < 7 or connection.execute(unfinished).scalar() == 0, "a feed is neither in nor out"
            found.quarantined = int(connection.execute(text(WAITING)).scalar() or 0)
            _drawn_once(connection, found)
            found.programmes = sum(1 for _ in log.rows(connection, PUBLIC, kinds=["programme"]))
        _no_orphans(house)
        _look(life, house, found)
    return found


def _drawn_once(connection: Any, found: Found) -> None:
    """A plan is charged once and has one answer."""
    reserved = all_reservations(connection)
    plans = [row["plan"] for row in reserved]
    assert len(plans) == len(set(plans))
    for kind in ("reserved", "answered"):
        told = Counter(row.said()["plan"] for row in log.rows(connection, PUBLIC, kinds=[kind]))
        assert not [plan for plan, times in told.items() if times > 1], f"a pack was {kind} twice"
    found.budget = sorted((year, rho) for row in reserved for year, rho, _ in row["charges"])


def _no_orphans(house: House) -> None:
    """Every data file is in a snapshot of the table, and nothing waits or was left aside."""
    home = house.settings.purchases
    table = house._stores.purchases._table
    table.refresh()
    planned = {
        task.file.file_path.removeprefix("file://")
        for snapshot in table.snapshots()
        for task in table.scan(snapshot_id=snapshot.snapshot_id).plan_files()
    }
    there = {str(path.resolve()) for path in (home / "lines" / "data").rglob("*.parquet")}
    assert there == planned, f"files without an owner: {sorted(there - planned)}; gone: {sorted(planned - there)}"
    waiting = [path for path in (home / "waiting").rglob("*") if path.is_file()] if (home / "waiting").exists() else []
    assert not waiting, f"left behind: {waiting}"
    aside = [path for folder in (house.settings.checkpoints, house.settings.releases) for path in folder.rglob("*.new")]
    assert not aside, f"written aside and forgotten: {aside}"
    for tree in (EVENTS, PUBLIC):
        shown = (house.settings.checkpoints / "published" / tree / "checkpoint").read_bytes()
        assert shown == (house.settings.checkpoints / tree / "latest.note").read_bytes(), "an old checkpoint is published"


def _look(life: Household, house: House, found: Found) -> None:
    found.invitations = house.referring.counts()
    found.money, found.shown = rewards.found_in(house), licensed.found_in(house)
    found.campaigns = [(one.plan.id, [step.state for step in one.steps]) for one in house.campaigns.all()]
    cards = {}
    for card in CARDS:
        try:
            cards[number(house, card)] = card
        except NotFound:
            continue
    for part in house._stores.purchases.files(date(1990, 1, 1), date(2100, 1, 1)):
        for path in part.paths:
            for line in pq.ParquetFile(path).read().to_pylist():
                seen = (cards.get(line["customer"]), line["day"], line["product"], line["quantity"], line["amount"])
                found.lines[seen] += 1
    for who, card in cards.items():
        found.standing[card] = [
            (row.purpose, row.recipient, row.permits, row.text, row.day) for row in house.permissions.of_customer(who)
        ]
    for one in sorted(house.reports.releases(), key=lambda each: each.plan):
        moves = [(move.state, move.actor) for move in house.reports.history(one.release)]
        found.releases.append((one.plan, one.state, moves))
        if one.state == "published":
            package = house.reports.publish(one.release, "Bruno Modèle")
            assert verify_package(package, trusted_key=house.log_key).ok
            before = package.read_bytes()
            assert house.reports.publish(one.release, "Bruno Modèle").read_bytes() == before
            assert zipfile.is_zipfile(package)
        if one.state in ("approved", "published"):
            again = [vars(cell) for cell in house.reports.figures(one.release).cells]
            assert [vars(cell) for cell in house.reports.draw(one.release, "Alice Exemple").cells] == again


def number(house: House, card: int) -> int:
    """The customer of a card."""
    return house.customer("card", f"C{card:05}").customer

