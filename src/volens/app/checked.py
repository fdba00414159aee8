"""A programme folder as a house takes it: read, and without an error."""

from __future__ import annotations

from pathlib import Path

from volens.clock import Clock, legal_day
from volens.programme import lint
from volens.programme.findings import ProgrammeHasErrors
from volens.programme.load import load
from volens.programme.model import Programme


def checked_programme(folder: Path, clock: Clock) -> Programme:
    """The programme, if no rule of severity `error` stands against it on the house's legal day."""
    programme = load(folder)
    errors = lint.check(programme, legal_day(clock.now(), programme.country)).errors
    if errors:
        raise ProgrammeHasErrors(errors)
    return programme
