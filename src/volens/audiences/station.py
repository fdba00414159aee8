"""The audiences as the house hands them out (`house.audiences`)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from volens.audiences import store, wording
from volens.audiences.activation import Activation, Handed
from volens.audiences.building import Building, Chosen, Sizes
from volens.audiences.check import Checked, check
from volens.audiences.definition import Definition, read
from volens.audiences.registry import Registry, named, require_ok
from volens.audiences.removals import OnList, Removals
from volens.audiences.sizes import Size
from volens.clock import Clock, legal_day
from volens.errors import BadInput
from volens.gate.policy import Rulebook
from volens.holders import Database
from volens.programme import nodes
from volens.programme.model import Programme


class Audiences:
    """Defines, sizes, builds, hands over and takes back. Durable when a method returns."""

    def __init__(
        self, records: Database, programme: Programme, rules: Rulebook, registry: Registry, building: Building,
        activation: Activation, removals: Removals, clock: Clock,
    ) -> None:  # fmt: skip
        self._records, self._programme, self._rules, self._clock = records, programme, rules, clock
        self._registry, self._building, self._activation = registry, building, activation
        self.removals = removals

    # Definitions

    def read(self, written: str, file: str = "the audience") -> Definition:
        """A definition from YAML or JSON; `BadInput` says where and what to write instead."""
        try:
            return read(nodes.parse(written, file).data)
        except nodes.NotClean as error:
            raise BadInput(str(error.finding.message), error.finding.remedy) from None

    def read_file(self, path: Path) -> Definition:
        """A definition from a file."""
        try:
            return self.read(nodes.read_text(path, path.name), path.name)
        except nodes.NotClean as error:
            raise BadInput(str(error.finding.message), error.finding.remedy) from None

    def check(self, definition: Definition) -> Checked:
        """Everything that stands against a definition. Reads no purchases."""
        today = legal_day(self._clock.now(), self._programme.country)
        return check(
            definition, self._programme, self._rules, self._building.shelf(), today, self._building.due is not None
        )

    def define(self, definition: Definition, *, by: str) -> store.Defined:
        """Puts a definition on record; `Refused` with every reason if something stands against it."""
        return self._registry.define(self.check(definition), by=by)

    def end(self, audience: str, *, by: str) -> None:
        """Ends an audience: whoever is on its list has to go."""
        self._registry.end(audience, by=by)

    def all(self) -> list[store.Defined]:
        """Every audience on record, by id."""
        return self._registry.all()

    def one(self, audience: str) -> Definition:
        """An audience on record."""
        return read(self._registry.one(audience).document)

    def stands(self, audience: str) -> store.Defined:
        """An audience on record, with when it was defined and whether it has ended."""
        return self._registry.one(audience)

    def describe(self, definition: Definition, language: str) -> str:
        """A definition in words."""
        named = wording.names(self._building.shelf(), language)
        return wording.told(definition.who, language, named, definition.currency or "")

    # Building

    def sizes(self, definition: Definition, *, by: str) -> Sizes:
        """How many people a definition has, and why others are left out, as it may be told. One read, on record."""
        return self._building.sizes(self._choose(definition, by))

    def reasons(self, definition: Definition, sizes: Sizes, language: str) -> list[tuple[str, Size]]:
        """Why people who permit it are left out, in words, in the order in which they were taken out."""
        named, currency = wording.names(self._building.shelf(), language), definition.currency or ""
        return [(wording.why(one, language, named, definition.cap, currency), size) for one, size in sizes.left_out]

    def _choose(self, definition: Definition, by: str) -> Chosen:
        named(by)
        require_ok(self.check(definition))
        return self._building.choose(definition, by.strip())

    def build(self, audience: str, *, by: str) -> tuple[store.Built, Sizes]:
        """Builds an audience on record: the first door."""
        named(by)
        there = self._registry.require_running(audience)
        definition = read(there.document)
        require_ok(self.check(definition))
        return self._building.build(there, definition, by.strip())

    def built(self, audience: str) -> store.Built | None:
        """What was built last of an audience."""
        with self._records.reading() as connection:
            return store.built(connection, audience)

    # Handing over, and taking back

    def hand_over(self, audience: str, *, by: str) -> Handed:
        """Hands what was built to its recipient, as a file: the second door."""
        named(by)
        self._activation.settle()
        there = self._registry.require_running(audience)
        definition = read(there.document)
        require_ok(self.check(definition))
        return self._activation.hand_over(there, definition, by.strip())

    def lists(self, audience: str | None = None) -> list[store.Listed]:
        """What was handed over, oldest first."""
        with self._records.reading() as connection:
            return store.lists(connection, audience)

    def file(self, listed: store.Listed) -> bytes:
        """A list's file, within its day."""
        return self._activation.file(listed)

    def work(self) -> dict[str, int]:
        """What has to be done without being asked: who has to go is written for the platforms, files that are too old go."""
        self._activation.settle()
        made = self.removals.make()
        self.removals.lay_down()
        return {"removals": len(made), "people": sum(one.people for one in made), "files_deleted": self._activation.tidy()}

    def of_customer(self, customer: int) -> list[OnList]:
        """The lists that one customer is or was on."""
        return self.removals.of_customer(customer)

    # Never in an audience

    def suppress(self, customers: Iterable[int], reason: str, *, by: str) -> int:
        """Some customers are in no audience from now on; how many were new to it."""
        return self._registry.suppress(customers, reason, by=by)

    def release(self, customer: int, *, by: str) -> None:
        """A customer may be in audiences again, as far as she permits."""
        self._registry.release(customer, by=by)

    def suppressed(self) -> dict[int, str]:
        """Everybody who is in no audience, with why."""
        return self._registry.suppressed()
