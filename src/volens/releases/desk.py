"""The desk where suppliers' questions are asked, drawn, approved and published; each method is one step.

Rules:
1. A release is identified by its plan: asking the same again finds the same release and its one answer.
2. What is published was written down before its hash went into the public log: a run that was killed in between goes on
   with the very bytes that the log commits to.
3. Staff see figures from the draw on; nobody outside sees anything before a second person approved.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from difflib import get_close_matches
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow, Tampered
from volens.evidence import log
from volens.evidence.container import CERTIFICATE
from volens.evidence.log import PUBLIC
from volens.evidence.outside import Outside, write_durably
from volens.evidence.witness_client import Witnesses, names
from volens.gate.barrier import Barrier
from volens.gate.reads import Gate
from volens.holders import Database
from volens.insights import answer as answering
from volens.insights.accountant import Accountant, YearBudget
from volens.insights.answer import Answer
from volens.insights.engine import Engine, ProductKeys
from volens.insights.estimates import Figures, estimate
from volens.insights.measurement import epsilon
from volens.insights.pack import Pack, ask
from volens.insights.plan import Plan, plan_pack
from volens.purchases import catalogue
from volens.releases import package
from volens.releases.package import Contents, Facts, LogFacts, YearCharge
from volens.releases.pagemodel import Labels
from volens.releases.store import Move, Stored
from volens.releases.workflow import APPROVED, DECLINED, PUBLISHED, REQUESTED, Workflow

if TYPE_CHECKING:
    from volens.programme.model import Programme

ROLES = ("requested the figures", "checked and approved them")
"""What the two people of a release did; their names stay in the house."""


@dataclass(frozen=True)
class ReportDesk:
    """All that a report needs, wired by `app`."""

    programme: Programme
    gate: Gate
    barrier: Barrier
    accountant: Accountant
    workflow: Workflow
    records: Database
    outside: Outside
    witnesses: Witnesses
    engine: Engine
    catalogue: Path
    packages: Path
    clock: Clock
    checkpoint_url: str = ""
    follow: Callable[[], object] = lambda: None
    """Lets the lines of cards that moved follow: before a pack opens, so that one person is one vector in it."""

    def pack(
        self,
        supplier: str,
        category: str,
        *,
        by: str,
        start: date,
        count: int,
        brands: tuple[str, ...] = (),
        product: str | None = None,
        currency: str = "EUR",
    ) -> Pack:
        """A pack as somebody asks for it. Without brands: all that the supplier has in the category."""
        recipient = self.programme.recipient(supplier)
        offered = self.programme.product(product or sorted(self.programme.products)[0])
        if not brands:
            listed = catalogue.read(self.catalogue).products.select(["category", "brand"]).to_pylist()
            inside = {row["brand"] for row in listed if row["category"] == category}
            brands = tuple(brand for brand in recipient.brands if brand in inside)
            if not inside:
                close = get_close_matches(category, {row["category"] for row in listed}, n=3, cutoff=0.4)
                raise NotFound(
                    f"The catalogue has no category {category!r}.",
                    f"Did you mean {' or '.join(close)}?" if close else "Load the list of products first: volens ingest --products",
                )
            if not brands:
                raise NotFound(
                    f"{supplier} has no brand in the category {category!r}.",
                    f"Its brands are: {', '.join(recipient.brands) or 'none declared'}.",
                )
        return ask(offered, recipient, category, brands, by=by, start=start, count=count, currency=currency)

    def plan(self, pack: Pack) -> Plan:
        """What a pack would cost and how wide its intervals would be. Touches no data and charges nothing."""
        return plan_pack(pack, self.programme.product(pack.product))

    def request(self, pack: Pack, actor: str) -> Stored:
        """A release for the pack; nothing is read or charged yet. A grid whose figures would be useless is refused.

        So is a time that is not over: a pack is drawn once, and half a quarter would stand for the whole one for ever.
        """
        if pack.end > self._today():
            raise BadInput(
                f"The last day of this question, {pack.end - timedelta(days=1)}, is not over yet.",
                "Ask when it is: an answer is drawn once and never completed.",
            )
        return self.workflow.request(self.plan(pack).hash, pack.supplier, pack.canonical(), actor)

    def draw(self, release: str, actor: str) -> Figures:
        """Charges the pack, reads, draws once. Drawing a release that is drawn gives the same figures, for nothing."""
        stands = self.workflow.find(release)
        if stands.state == DECLINED:
            raise NotNow(f"The release {release} was declined.", "Request it again first: volens report request")
        pack = self._pack_of(stands)
        product = self.programme.product(pack.product)
        keys = ProductKeys.of(catalogue.read(self.catalogue).products, pack)
        self.follow()
        drawn = answering.answer(
            pack,
            product,
            actor=actor,
            gate=self.gate,
            barrier=self.barrier,
            accountant=self.accountant,
            engine=self.engine,
            products=keys,
            today=self._today(),
        )
        if self.workflow.find(release).state == REQUESTED:
            self.workflow.drawn(release, actor)
        return estimate(drawn.noisy, drawn.plan)

    def approve(self, release: str, actor: str) -> Stored:
        """By a second person, who looked at the figures."""
        return self.workflow.approve(release, actor)

    def decline(self, release: str, actor: str) -> Stored:
        """By a second person; the charge stays."""
        return self.workflow.decline(release, actor)

    def publish(self, release: str, actor: str) -> Path:
        """Writes the package and returns its file. Publishing again gives the same file."""
        stands = self.workflow.find(release)
        target = self.packages / f"{release}.volens"
        if stands.state == PUBLISHED and target.is_file():
            return target
        if stands.state not in (APPROVED, PUBLISHED):
            raise NotNow(f"The release {release} is {stands.state}, not approved.", "A second person approves it first.")
        if stands.state == APPROVED:
            made = package.contents(self._facts(stands), self.figures(release), self._labels(stands))
            write_durably(self._waiting(release, made.digest), _bundle(made))
            # From here on a crash is clean: what the log will commit to is on the disk, under its own name.
            self.workflow.publish(release, actor, made.digest)
        certificate = str(self.workflow.find(release).certificate)
        kept = _unbundle(self._waiting(release, certificate), certificate)
        write_durably(target, package.seal(kept, self._proof(release)))
        for left in self.packages.glob(f"{release}.*.waiting"):
            left.unlink()
        return target

    def figures(self, release: str) -> Figures:
        """The drawn figures of a release; `NotNow` before the draw."""
        drawn = self._answer(self.workflow.find(release))
        return estimate(drawn.noisy, drawn.plan)

    def find(self, release: str) -> Stored:
        """A release as it stands."""
        return self.workflow.find(release)

    def releases(self) -> list[Stored]:
        """Every release, for staff."""
        return self.workflow.all()

    def history(self, release: str) -> list[Move]:
        """Who took which step, for staff."""
        return self.workflow.moves(release)

    def budget(self, product: str | None = None) -> list[YearBudget]:
        """What each calendar year has told, and may still tell."""
        cap = self.programme.product(product or sorted(self.programme.products)[0]).rho_per_year_nano
        return [self.accountant.budget(year, cap) for year, _ in self.accountant.years()]

    def labels(self, release: str) -> Labels:
        """The public names of a release's rows."""
        return self._labels(self.workflow.find(release))

    def _waiting(self, release: str, certificate: str) -> Path:
        return self.packages / f"{release}.{certificate[:16]}.waiting"

    def _pack_of(self, release: Stored) -> Pack:
        return Pack.from_canonical(json.loads(release.pack))

    def _answer(self, release: Stored) -> Answer:
        pack = self._pack_of(release)
        plan = plan_pack(pack, self.programme.product(pack.product))
        if plan.hash != release.plan:
            raise NotNow(
                f"The programme now plans {pack.product} otherwise than when {release.release} was requested.",
                "Ship a changed product under a new version, e.g. sales-pack/2, and keep the old one.",
            )
        reserved = self.accountant.find(plan.hash)
        if reserved is None or reserved.answer is None:
            raise NotNow(f"The release {release.release} is not drawn yet.", f"Run: volens report draw {release.release}")
        return answering.stored(plan, reserved)

    def _facts(self, release: Stored) -> Facts:
        drawn = self._answer(release)
        product = self.programme.product(drawn.plan.pack.product)
        years = {}
        for year in drawn.plan.years:
            budget = self.accountant.budget(year, product.rho_per_year_nano)
            spent = Decimal(str(round(epsilon(budget.spent_nano, product.delta), 3)))
            years[year] = YearCharge(budget.spent_nano, budget.cap_nano, spent)
        with self.records.reading() as connection:
            event = log.one(connection, PUBLIC, drawn.answered)
        if event is None or event.day is None:
            raise Tampered(f"The public record does not know when {release.release} was drawn.", "Run: volens audit")
        return Facts(
            house=self.programme.house,
            release=release.release,
            programme_version=self.programme.digest,
            unit=product.unit,
            rho_nano=drawn.plan.charge_nano,
            epsilon=Decimal(str(round(epsilon(drawn.plan.charge_nano, product.delta), 3))),
            delta=product.delta,
            years=years,
            mechanism={
                "noise": "discrete Gaussian, drawn once (OpenDP)",
                "accounting": "zero-concentrated differential privacy; quoted by privacy-loss distributions",
                "plan": drawn.plan.canonical(),
            },
            drawn_day=date.fromisoformat(event.day),
            approved_by_roles=ROLES,
            log=self._log_facts(),
        )

    def _log_facts(self) -> LogFacts:
        newest = self.outside.latest(PUBLIC)
        note = self.outside.note(PUBLIC, newest.size) if newest is not None else ""
        return LogFacts(self.outside.vkey, self.checkpoint_url, names(self.witnesses.addresses), note)

    def _labels(self, release: Stored) -> Labels:
        pack = self._pack_of(release)
        names = catalogue.read(self.catalogue).names(pack.category, pack.brands)
        return Labels(
            house=self.programme.name,
            supplier=self.programme.recipient(pack.supplier).legal_name,
            category=names.category,
            brands=names.brands,
        )

    def _proof(self, release: str) -> dict[str, object]:
        signed = self.outside.publish(self.records)
        self.witnesses.ask()
        published = next(move for move in self.workflow.moves(release) if move.state == PUBLISHED)
        with self.records.reading() as connection:
            entry = log.one(connection, PUBLIC, published.seq)
        if entry is None:
            raise Tampered(f"The public record does not know {release}.", "Run: volens audit")
        leaves = self.outside.leaves(PUBLIC, signed.size)
        note = self.outside.note(PUBLIC, signed.size)
        return package.proof_of(entry.open_part(), leaves, note, self.outside.vkey, self.checkpoint_url)

    def _today(self) -> date:
        return legal_day(self.clock.now(), self.programme.country)


def _bundle(made: Contents) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in sorted(made.files.items()):
            archive.writestr(name, content)
    return buffer.getvalue()


def _unbundle(file: Path, certificate: str) -> Contents:
    """What was written before the log committed to it; `Tampered` if it is not that."""
    if not file.is_file():
        raise Tampered(f"{file.name} is gone: the log committed to it.", "Restore it from a copy of the releases folder.")
    with zipfile.ZipFile(file) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    made = Contents(files, json.loads(files[CERTIFICATE]))
    if made.digest != certificate:
        raise Tampered(f"{file.name} is not what the log committed to.", "Restore it from a copy of the releases folder.")
    return made
