"""One tree of errors. Every error says what happened and what to do next, and never holds a customer's data.

    VolensError
    ├── BadInput              a file, option or value that people gave us; they can mend it
    │   ├── ProgrammeError    the programme folder does not load or breaks a rule that stops it
    │   ├── MappingError      a feed cannot be read with the mapping given
    │   └── GridTooFine       a pack whose figures would be useless; names the coarser grid that works
    ├── Refused               the gate said no; carries the reasons of the verdict
    ├── BudgetExhausted       a year's privacy budget cannot pay for this pack
    ├── NotSignedIn           who calls cannot be told: the proof is old, used, forged, or not for here
    ├── NotNow                the thing exists but this step is not allowed in its state, or by this person
    ├── TooOften              asked too often; says how long to wait
    ├── NotFound              no such release, customer, account, text …
    ├── Unavailable           a part that must answer does not (database, keys, another writer): the answer is no
    │   └── KeysMissing       the key folder is not there or not readable
    └── Tampered              evidence does not verify; says where

Exit codes stand in `exit_code`, so that a script can tell these apart without reading the text.
"""

from __future__ import annotations

from collections.abc import Sequence


class VolensError(Exception):
    """Base of all errors that are shown to people without a traceback."""

    exit_code = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


class BadInput(VolensError):
    """Something given from outside is wrong and can be mended by whoever gave it."""

    exit_code = 2


class ProgrammeError(BadInput):
    """The programme cannot be loaded, or breaks a rule of severity `error`."""


class MappingError(BadInput):
    """A feed does not fit its mapping."""


class GridTooFine(BadInput):
    """The plan's intervals would be useless; `remedy` names the coarser grid that works."""


class Refused(VolensError):
    """The gate said no. `reasons` are the verdict's, the same that a page shows."""

    exit_code = 3

    def __init__(self, reasons: Sequence[str], remedy: str = "") -> None:
        super().__init__("Not permitted: " + "; ".join(reasons) + ".", remedy)
        self.reasons = tuple(reasons)


class BudgetExhausted(VolensError):
    """A calendar year's privacy budget is spent. It is never refreshed."""

    exit_code = 4


class NotSignedIn(VolensError):
    """Who calls cannot be told. `reason` is one word for the house's own log; people read the rest."""

    exit_code = 9

    def __init__(self, reason: str, what: str, remedy: str = "Sign in again.") -> None:
        super().__init__(what, remedy)
        self.reason = reason


class NotNow(VolensError):
    """This step is not allowed in this state, or by this person."""

    exit_code = 5


class TooOften(VolensError):
    """Asked too often. `wait_seconds`: when to come again."""

    exit_code = 10

    def __init__(self, wait_seconds: int, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.wait_seconds = wait_seconds


class NotFound(VolensError):
    """No such thing."""

    exit_code = 6


class Unavailable(VolensError):
    """A part that must answer does not. Whoever asked for data gets none."""

    exit_code = 7


class KeysMissing(Unavailable):
    """The key folder is missing or cannot be read."""


class Tampered(VolensError):
    """Evidence does not verify."""

    exit_code = 8
