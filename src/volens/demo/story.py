"""The demo: one bottle of orange juice, from the till to a report that anybody can check. `tell_story` is its contents.

Rules:
1. It runs the product as anybody would, through `volens.app`; nothing is faked but the people, and that is said.
2. The truth beside the figures comes from the public source file (`truth`), since the product has no way to it.
3. It prints its times; no test asserts them.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from volens import invented as people
from volens.app import House, initialise
from volens.clock import Clock
from volens.demo import source, truth
from volens.demo.adverts import a_place_on_the_page, the_same_page_again
from volens.demo.cheat import rewritten
from volens.demo.feeds import Feeds, write_feeds
from volens.demo.forgotten import camille_is_forgotten
from volens.demo.juice import a_letter_waits, the_basket_without_juice, the_letter_stays, the_same_basket_again
from volens.demo.opened import she_refuses
from volens.demo.rewards import pays_from, the_refused_clause, the_wallet, two_friends
from volens.demo.source import Journey
from volens.demo.watched import somebody_has_every_key, watching
from volens.demo.words import number, words
from volens.errors import BadInput, GridTooFine
from volens.evidence.verify import describe, verify_package
from volens.ingest.mapping import load as load_mapping
from volens.insights.estimates import Figures
from volens.permissions.ledger import Choice
from volens.releases.pagemodel import readable

MAKER, MAKER_ENTITY, CATEGORY, SOURCE_CATEGORY = 1194, "vergers-du-midi", "jus-frais", "REFRGRATD JUICES/DRNKS"
WHO_ASKS, WHO_APPROVES = "Alice Exemple", "Bruno Modèle"
MARK = ".volens-demo"
QUARTER = "13-weeks"
WEEKS_OF_CHOICES = 3
"""Weeks before the story in which people said what they permit: figures of the staff are of weeks that are over."""


@dataclass
class Story:
    """What the chapters share."""

    folder: Path
    language: str
    clock: Clock
    console: Console
    times: list[tuple[str, float]] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    """Customer number of each household that joined."""
    chapters: int = 0
    weeks_back: int = 0
    """How far the house's clock is back, while people say what they say in the weeks before the story."""

    def house_clock(self) -> Clock:
        """The clock of the house."""
        return Clock(lambda: self.clock.now() - timedelta(weeks=self.weeks_back))

    def say(self, key: str, **values: object) -> None:
        """One paragraph."""
        self.console.print(words(self.language, key, **values))

    def word(self, key: str, **values: object) -> str:
        """A few words, to be put somewhere."""
        return words(self.language, key, **values)

    def number(self, value: float) -> str:
        """A whole number as people write it."""
        return number(self.language, value)

    def chapter(self, key: str) -> None:
        """A heading, with the next number."""
        self.chapters += 1
        self.console.print()
        self.console.rule(f"[bold]{self.chapters}. {self.word(key)}", align="left")

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Notes how long a step took."""
        began = time.monotonic()
        yield
        self.times.append((step, time.monotonic() - began))


def tell_story(
    folder: Path, as_of: date, clock: Clock, *, records_url: str | None = None, language: str = "en",
    console: Console | None = None,
) -> Figures:
    """Tells the story into `folder`, from the beginning; returns the first report's figures."""
    story = Story(folder, language, clock, console or Console(highlight=False))
    _clear(folder)
    with story.timed("step.prepare"):
        journey = source.read(as_of)
        feeds = write_feeds(folder / "feeds", as_of, journey=journey)
    story.console.print(Panel.fit(f"[bold]{story.word('title')}[/]"))
    story.say("intro", households=len(journey.households), lines=journey.lines.num_rows, last=feeds.last_day)
    with ExitStack() as open_now:
        with story.timed("step.open"):
            witness, url = open_now.enter_context(watching(folder / "witness", clock))
            house = open_now.enter_context(
                initialise(
                    folder / "house", records_url=records_url, customers=len(journey.households),
                    witnesses=[(url, str(witness.key))], clock=story.house_clock(),
                )
            )
            witness.add_log(house.log_key)
            pays_from(folder / "house")
        purchases_come_in(story, house, feeds)
        who_and_what(story, house, journey)
        two_friends(story, house)
        who_permits(story, house, journey)
        the_basket_without_juice(story, house, journey, SOURCE_CATEGORY)
        a_place_on_the_page(story, house)
        figures, first = the_maker_asks(story, house, journey, feeds)
        waiting = a_letter_waits(story, house)
        second, refusal = camille_changes_her_mind(story, house, feeds, figures)
        the_same_basket_again(story, house, journey, SOURCE_CATEGORY)
        the_same_page_again(story, house)
        the_letter_stays(story, house, waiting)
        somebody_cheats(story, house, refusal, first, second)
        somebody_has_every_key(story, house, witness, refusal, second)
        the_wallet(story, house)
        the_refused_clause(story, house)
        camille_is_forgotten(story, house, WHO_APPROVES)
    _end(story, first)
    return figures


def _clear(folder: Path) -> None:
    """A demo may replace an older demo, and nothing else."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).is_file():
            raise BadInput(f"{folder} is not empty, and not a demo.", "Choose another folder: volens demo FOLDER")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("This folder was made by volens demo, which may replace it.\n", encoding="utf-8")


def purchases_come_in(story: Story, house: House, feeds: Feeds) -> None:
    """Chapter 1: products, people and purchases, through the real intake."""
    story.chapter("1")
    story.say("1.files")
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(story.word("file"))
    table.add_column(story.word("lines"), justify="right")
    table.add_column("")
    accepted = copies = refused = 0
    with story.timed("step.ingest"):
        house.load_products(feeds.products.file)
        table.add_row(feeds.products.file.name, story.number(feeds.products.lines), story.word("file.products"))
        assert feeds.customers.mapping is not None
        master = house.take_in_people(feeds.customers.file, load_mapping(feeds.customers.mapping))
        table.add_row(feeds.customers.file.name, story.number(master.people), story.word("file.customers"))
        for feed in feeds.purchases:
            assert feed.mapping is not None
            summary = house.take_in(feed.file, load_mapping(feed.mapping))
            table.add_row(feed.file.name, story.number(summary.lines_accepted), story.word(f"file.{feed.file.stem}"))
            accepted, copies = accepted + summary.lines_accepted, copies + summary.duplicate_lines
            refused += summary.lines_refused
    story.console.print(table)
    story.say("1.done", lines=accepted, copies=copies, refused=refused)


def who_and_what(story: Story, house: House, journey: Journey) -> None:
    """Chapter 2: Camille has a name in the vault and a number in the purchases."""
    story.chapter("2")
    camille = people.person(people.HEROINE)
    assert camille is not None
    number = house.customer("email", camille.email).customer
    assert number == house.customer("card", camille.card).customer, "card and e-mail are one customer"
    bottles = truth.count(
        journey, SOURCE_CATEGORY, MAKER, "own", [("all", date(1, 1, 1), date(9999, 1, 1))], lambda one: one == people.HEROINE
    ).of("units", "category", "all")
    story.say("2.camille", name=f"{camille.given_name} {camille.family_name}", number=number, bottles=int(bottles))


def who_permits(story: Story, house: House, journey: Journey) -> None:
    """Chapter 3: everybody's choices, by the rule that is shown."""
    story.chapter("3")
    story.say("3.rule")
    said: dict[int, list[Choice]] = {week: [] for week in range(WEEKS_OF_CHOICES, 0, -1)}
    with story.timed("step.choices"):
        for household in journey.households.to_pylist():
            number = _number(house, household)
            if number is None:
                continue
            story.numbers[household] = number
            said[1 + household % WEEKS_OF_CHOICES] += [
                Choice(number, one.purpose, one.kind, language=one.language, surface=one.surface)
                for one in _said(household)
            ]
        for story.weeks_back, choices in said.items():
            house.permissions.record(choices)
        story.weeks_back = 0
        house.checkpoint()
    yes = sum(_permits(household) for household in story.numbers)
    story.say("3.count", yes=yes, all=len(story.numbers))


def _said(household: int) -> tuple[people.DemoChoice, ...]:
    return (*people.choices(household), *people.reminders(household), *people.lists(household), *people.ads(household))


def the_maker_asks(story: Story, house: House, journey: Journey, feeds: Feeds) -> tuple[Figures, Path]:
    """Chapter 4: a grid that is too fine is refused; three quarters are drawn, approved and published."""
    story.chapter("4")
    maker = house.programme.recipient(MAKER_ENTITY).legal_name
    story.say("4.week", maker=maker)
    try:
        weekly = house.reports.pack(MAKER_ENTITY, CATEGORY, by="week", start=feeds.first_day, count=13)
        house.reports.request(weekly, WHO_ASKS)
    except GridTooFine as refused:
        story.console.print(f"  [red]✗[/] {refused.what}\n  → {refused.remedy}", style="dim")
    pack = house.reports.pack(MAKER_ENTITY, CATEGORY, by=QUARTER, start=feeds.first_day, count=3)
    with story.timed("step.first"):
        release = house.reports.request(pack, WHO_ASKS).release
        figures = house.reports.draw(release, WHO_ASKS)
        house.reports.approve(release, WHO_APPROVES)
        package = house.reports.publish(release, WHO_APPROVES)
    budget = house.reports.budget()[0]
    story.say("4.quarter", part=budget.spent_nano / budget.cap_nano)
    story.say("4.table")
    periods = [(period.label, period.start, period.end) for period in pack.periods]
    exact = truth.count(journey, SOURCE_CATEGORY, MAKER, pack.brands[0], periods, _permits)
    _show(story, figures, exact, {pack.brands[0]: house.reports.labels(release).brands[pack.brands[0]]})
    story.say("4.people", first=WHO_ASKS, second=WHO_APPROVES)
    return figures, package


def _show(story: Story, figures: Figures, exact: truth.Truth, names: dict[str, str]) -> None:
    """A table a measure: each figure with its interval, beside the truth."""
    pack, inside = figures.plan.pack, 0
    for measure in ("buyers", "trips", "units", "spend"):
        table = Table(title=story.word(measure), title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
        table.add_column("")
        table.add_column(story.word("column.period"))
        table.add_column(story.word("column.figure"), justify="right")
        table.add_column("95 %", justify="right")
        table.add_column(story.word("column.truth"), justify="right", style="dim")
        for row in pack.rows:
            for column in pack.columns:
                one, real = readable(figures.cell(measure, row, column), pack.currency), exact.of(measure, row, column)
                inside += one.low <= real <= one.high
                label = story.word("whole") if column == "whole" else column.split("/")[0]
                name = names.get(row) or story.word(row)
                said = [story.number(each) for each in (one.value, one.low, one.high, real)]
                table.add_row(name, label, said[0], f"{said[1]} … {said[2]}", said[3])
        story.console.print(table)
    buyers = sorted(one.relative for one in figures.cells if one.measure == "buyers")
    middle = (buyers[(len(buyers) - 1) // 2] + buyers[len(buyers) // 2]) / 2
    story.say("4.precision", half=middle, inside=inside, total=len(figures.cells))


def camille_changes_her_mind(story: Story, house: House, feeds: Feeds, figures: Figures) -> tuple[Path, int]:
    """Chapter 5: refuse everything; the drawn pack stays, the next is without her. Returns its package, and her refusal."""
    story.chapter("5")
    camille = story.numbers[people.HEROINE]
    before = house.uses_of(camille)
    with story.timed("step.refuse"):
        she_refuses(story, house)
    drawn = house.reports.releases()[0].release
    again = house.reports.draw(drawn, WHO_ASKS)
    assert again.cells == figures.cells
    story.say("5.same")
    with story.timed("step.second"):
        start = feeds.first_day + timedelta(days=3 * 91)
        pack = house.reports.pack(MAKER_ENTITY, CATEGORY, by=QUARTER, start=start, count=1)
        release = house.reports.request(pack, WHO_ASKS).release
        house.reports.draw(release, WHO_ASKS)
        house.reports.approve(release, WHO_APPROVES)
        package = house.reports.publish(release, WHO_APPROVES)
    since = [use for use in house.uses_of(camille) if use not in before]
    story.say("5.next", before=len(before), after=len(since))
    withdrawn = [row for row in house.permissions.of_customer(camille) if row.purpose == people.STATISTICS_PURPOSE]
    assert withdrawn[0].kind == "withdrawn"
    return package, withdrawn[0].seq


def somebody_cheats(story: Story, house: House, refusal: int, first: Path, second: Path) -> None:
    """Chapter 6: the rewritten row is found; the newer package extends the older one."""
    story.chapter("6")
    story.say("6.do")
    with story.timed("step.audit"):
        with rewritten(house.settings.records_url, refusal, "withdrawn", "given"):
            found = house.audit()
        assert not found.ok
        story.say("6.found")
        for finding in found.findings[:3]:
            story.console.print(f"  [red]✗[/] {finding.where}: {finding.what}", style="bold")
        assert house.audit().ok
        story.say("6.back")
        trusted = [str(one.key) for one in house.witnesses.addresses]
        verdict = verify_package(second, since=first, trusted_key=house.log_key, witnesses=trusted)
    story.console.print()
    story.say("6.verify")
    story.console.print(describe(verdict), style="dim", markup=False)
    assert verdict.ok


def _end(story: Story, first: Path) -> None:
    page = story.folder / f"report.{story.language}.html"
    with zipfile.ZipFile(first) as archive:
        page.write_bytes(archive.read(f"report.{story.language}.html"))
    story.console.print()
    story.console.rule(f"[bold]{story.word('end')}", align="left")
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for step, seconds in story.times:
        table.add_row(story.word(step), f"{seconds:.1f} s")
    table.add_row(f"[bold]{story.word('total')}", f"[bold]{sum(seconds for _, seconds in story.times):.1f} s")
    story.console.print(table)
    story.say("end.keys")
    story.console.print()
    story.console.print(f"{story.word('end.check')}  {_command()} verify {shlex.quote(str(first))}", soft_wrap=True)
    house_folder = shlex.quote(str(story.folder / "house"))
    story.console.print(f"{story.word('end.serve')}  {_command()} serve --development --house {house_folder}", soft_wrap=True)
    if Path("examples/shop/start.py").exists():  # in the repository, not where Volens is installed
        python, demo = shlex.quote(sys.executable), shlex.quote(str(story.folder))
        story.console.print(f"{story.word('end.shop')}  {python} -m examples.shop.start {demo}", soft_wrap=True)
    story.console.print(f"{story.word('end.look')}  python3 -m webbrowser {page.resolve().as_uri()}", soft_wrap=True)


def _command() -> str:
    """How to call `volens` from here: by its name where a shell finds it, else by the path of this installation."""
    beside = Path(sys.executable).parent / "volens"
    if shutil.which("volens") is not None or not beside.is_file():
        return "volens"
    here = Path.cwd()
    return str(beside.relative_to(here)) if beside.is_relative_to(here) else str(beside)


def _permits(household: int) -> bool:
    """Whether the rule lets a household permit statistics."""
    return any(one.purpose == people.STATISTICS_PURPOSE and one.kind == "given" for one in people.choices(household))


def _number(house: House, household: int) -> int | None:
    """The customer number of a household's card; none if it never came to the till."""
    from volens.errors import NotFound

    try:
        return house.customer("card", people.card(household)).customer
    except NotFound:
        return None
