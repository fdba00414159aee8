"""What a customer sees of her devices: for each category five separate things, none of them made up from another.

    os_state    what a device last said it allows, when it said so, and whether that is long ago
    choice      what she told us, when, how, and under which text
    enforced    what our servers do with such data, and since when
    last_use    when such data last came and were taken, how often in 7 and 30 days, and what was refused
    told        the text that she answered, and the one that is in force

Rules:
1. Reading only. What is shown as enforced is the gate's own verdict, in the words it gives to whoever is refused.
2. A phone's own setting is reported, never changed from here; where it says something else than the choice, both are shown.
3. A report that is older than thirty days is marked, and is still shown: it is the last that is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from volens.devices import store
from volens.devices.reports import DENIED, OPEN_STATES
from volens.gate.policy import Verdict
from volens.permissions.ledger import Spoken
from volens.permissions.state import PERMITTING, SILENT
from volens.programme.devices import AppUse, categories

STALE_AFTER = timedelta(days=30)
NOT_ASKED, ALLOWED, REFUSED, LAPSED = "not-asked", "allowed", "refused", "lapsed"
STILL_OPEN, SHUT_BY_PHONE = "still-open", "shut-by-phone"


@dataclass(frozen=True)
class OsState:
    """What one device last said about one category."""

    device: str
    label: str
    platform: str
    state: str
    reported_at: datetime
    since: datetime
    app_version: str
    stale: bool
    contradiction: str = ""
    """`still-open`: it lets through what she refused; `shut-by-phone`: it keeps back what she allowed; empty: neither."""


@dataclass(frozen=True)
class Choice:
    """What she last said, or what followed without her saying anything."""

    answer: str
    """`not-asked`, `allowed`, `refused` or `lapsed`."""
    kind: str = ""
    day: date | None = None
    at: datetime | None = None
    """The instant, where it was said by somebody; what time brought about has a day."""
    by: str = ""
    surface: str = ""
    text: str = ""


@dataclass(frozen=True)
class Enforced:
    """What our servers do."""

    open: bool
    since: datetime | None
    """None where it has always been so, or where only a day is known (`Choice.day`)."""
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class LastUse:
    """How often data came. Days are the house's legal days, today included."""

    at: datetime | None = None
    in_7_days: int = 0
    in_30_days: int = 0
    refused_at: datetime | None = None
    refused_in_7_days: int = 0
    refused_in_30_days: int = 0
    refused: int = 0


@dataclass(frozen=True)
class Told:
    """Which text she answered, and which one is shown now."""

    answered: str
    in_force: str


@dataclass(frozen=True)
class UseState:
    """One category for one purpose: what a control is about."""

    use: AppUse
    choice: Choice
    enforced: Enforced
    last_use: LastUse
    told: Told


@dataclass(frozen=True)
class CategoryState:
    """One category with its uses, which may be none, and what each device says about it."""

    category: str
    uses: tuple[UseState, ...]
    devices: tuple[OsState, ...]
    refused: LastUse
    """What came for no declared use; all of it was refused."""


@dataclass(frozen=True)
class DeviceState:
    """One device in the list."""

    device: str
    label: str
    platform: str
    app: str
    app_version: str
    registered_at: datetime
    reported_at: datetime | None
    signed_out_at: datetime | None
    stale: bool


@dataclass(frozen=True)
class Overview:
    """Everything on a customer's page of devices, at a position of the ledger."""

    devices: tuple[DeviceState, ...]
    categories: tuple[CategoryState, ...]
    """Those that an app uses, then those of which a device said something or sent something."""
    unused: tuple[str, ...]
    """Categories of which nobody uses or says anything."""
    position: int


def device_state(one: store.Device, label: str, now: datetime) -> DeviceState:
    """A device with its name opened."""
    heard = instant(one.reported_at)
    return DeviceState(
        one.device, label, one.platform, one.app, one.app_version or "", _instant(one.registered_at), heard,
        instant(one.signed_out_at), heard is None or now - heard > STALE_AFTER,
    )  # fmt: skip


def category_state(
    name: str, uses: Sequence[UseState], devices: Sequence[DeviceState], states: Mapping[str, Mapping[str, store.State]],
    counts: Sequence[store.Count], today: date, now: datetime,
) -> CategoryState:  # fmt: skip
    """One category: its uses, and what each device that is signed in says about it."""
    open_here = any(one.enforced.open for one in uses)
    said = [
        _os_state(device, states[device.device][name], open_here, bool(uses), now)
        for device in devices
        if device.signed_out_at is None and name in states[device.device]
    ]
    stray = [one for one in counts if one.category == name and one.purpose == ""]
    return CategoryState(name, tuple(uses), tuple(said), last_use(stray, today))


def _os_state(device: DeviceState, state: store.State, open_here: bool, used: bool, now: datetime) -> OsState:
    heard = _instant(state.reported_at)
    contradiction = ""
    if state.state in OPEN_STATES and not open_here:
        contradiction = STILL_OPEN
    elif state.state == DENIED and used and open_here:
        contradiction = SHUT_BY_PHONE
    return OsState(
        device.device, device.label, device.platform, state.state, heard, _instant(state.since), state.app_version,
        now - heard > STALE_AFTER, contradiction,
    )  # fmt: skip


def use_state(use: AppUse, verdict: Verdict, history: Iterable[Spoken], counts: Iterable[store.Count], in_force: str,
              today: date) -> UseState:  # fmt: skip
    """One use: choice, enforcement, use, text."""
    said = [one for one in history if one.purpose == use.purpose and one.kind not in SILENT]
    choice = _choice(said[-1]) if said else Choice(NOT_ASKED)
    since = choice.at if choice.answer != NOT_ASKED and verdict.allowed == (choice.answer == ALLOWED) else None
    mine = [one for one in counts if one.category == use.category and one.purpose == use.purpose]
    return UseState(
        use, choice, Enforced(verdict.allowed, since, verdict.reasons), last_use(mine, today), Told(choice.text, in_force)
    )


def _choice(last: Spoken) -> Choice:
    answer = ALLOWED if last.kind in PERMITTING else LAPSED if last.kind in ("expired", "invalidated") else REFUSED
    how = last.how
    return Choice(
        answer, last.kind, date.fromisoformat(last.day), instant(how.get("at")), str(how.get("actor", "")),
        str(how.get("surface", "")), last.text,
    )  # fmt: skip


def last_use(counts: Sequence[store.Count], today: date) -> LastUse:
    """Sums over days. `today` and the six days before it are seven days."""

    def since(days: int, taken: bool) -> int:
        first = (today - timedelta(days=days - 1)).isoformat()
        return sum(one.accepted if taken else one.refused for one in counts if one.day >= first)

    accepted = [one.last_accepted for one in counts if one.last_accepted]
    refused = [one.last_refused for one in counts if one.last_refused]
    return LastUse(
        instant(max(accepted, default=None)), since(7, True), since(30, True),
        instant(max(refused, default=None)), since(7, False), since(30, False), sum(one.refused for one in counts),
    )  # fmt: skip


def shown(apps_use: Iterable[AppUse], reported: Iterable[str]) -> tuple[list[str], list[str]]:
    """Categories that are shown, and those of which there is nothing to show."""
    used, said = {use.category for use in apps_use}, set(reported)
    first = [name for name in categories() if name in used]
    then = [name for name in categories() if name in said - used]
    return first + then, [name for name in categories() if name not in used | said]


def instant(written: str | None) -> datetime | None:
    """An instant as it is stored, or none."""
    return datetime.fromisoformat(written) if written else None


def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)
