"""An invented campaign: honest people of every kind that looks like fraud, and fraud of every kind that looks like people. Pure.

Rules:
1. The rules that judge know nothing of this module. A seed gives the same campaign on every machine.
2. Honest people share addresses, payment cards and telephones, come in bursts, order at once and send things back.
3. Of each kind of fraud some are careful: another mailbox, another card, the pace of people. Nothing that is looked at tells them
   apart, and how many they are (`careful`) is an assumption that is printed with the result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

START = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = 60
SECOND, DAY = 1.0, 86_400.0
HONEST = (
    ("alone", 0.60), ("family", 0.16), ("flatmates", 0.05), ("office", 0.05), ("influencer", 0.05), ("quick", 0.04),
    ("returns", 0.05),
)  # fmt: skip
"""Kinds of honest sponsors' friends, by share of people."""
FRAUD = ("self-referral", "existing", "ring", "bots", "instant", "refund")
"""Kinds of fraud, each the same share of it."""
PROVIDERS = (("gmail.com", 0.40), ("orange.fr", 0.25), ("free.fr", 0.15), ("outlook.com", 0.14), ("privaterelay.appleid.com", 0.06))
THROWN = ("yopmail.com", "mailinator.com", "guerrillamail.com")


@dataclass
class Human:
    """Somebody with what a shop knows of her."""

    number: int
    email: str
    phone: str | None
    payment: str
    address: str
    surname: str


@dataclass
class Invitation:
    """One friend, and what happens."""

    sponsor: Human
    friend: Human
    kind: str
    fraud: bool
    accepted: datetime
    ordered: datetime
    taken_back: datetime | None = None
    known: tuple[str, ...] = ()
    """The addresses by which she is known already, if she is."""
    same_person: bool = False
    closes_ring: bool = False


@dataclass
class Campaign:
    """All of it, in no order."""

    invitations: list[Invitation] = field(default_factory=list)


def campaign(seed: int, people: int, fraud: float = 0.05, careful: float = 0.05) -> Campaign:
    """About `people` invitations, of which the share `fraud` is fraud, of each kind as many."""
    made = _Making(Random(seed), careful)
    bad = round(people * fraud)
    while len(made.found) < people - bad:
        made.honest()
    for place, kind in enumerate(FRAUD):
        wanted = bad * (place + 1) // len(FRAUD) - bad * place // len(FRAUD)
        made.cheat(kind, wanted)
    return Campaign(made.found)


class _Making:
    def __init__(self, chance: Random, careful: float) -> None:
        self.chance, self.careful, self.found, self._last = chance, careful, list[Invitation](), 0

    # People

    def human(self, **alike: str | None) -> Human:
        """Somebody new; what is given is shared with somebody else."""
        self._last += 1
        name = self._word(6) + "." + self._word(7)
        provider = self._pick(PROVIDERS)
        email = f"{name}{self.chance.choice(('', '', str(self.chance.randrange(100))))}@{provider}"
        if self.chance.random() < 0.002:
            email = f"{name}@{self.chance.choice(THROWN)}"  # some honest people do
        phone = f"+336{self.chance.randrange(10**8):08}" if self.chance.random() < 0.7 else None
        made = Human(self._last, email, phone, f"card-{self._last}", f"home-{self._last}", self._word(8))
        for name, value in alike.items():
            setattr(made, name, value)
        return made

    def honest(self) -> None:
        """One sponsor and her friends."""
        kind, sponsor = self._pick(HONEST), self.human()
        friends = {"influencer": self.chance.randrange(15, 70), "office": self.chance.randrange(4, 12)}.get(kind, 0)
        if friends and self.chance.random() > 2 / friends:
            return  # a share is of people, not of sponsors
        posted = self._moment()
        for place in range(friends or self.chance.choice((1, 1, 2, 2, 3))):
            friend, when = self.human(), self._moment()
            if kind == "family":
                friend = self._relative(sponsor)
            elif kind == "flatmates":
                friend = self.human(address=sponsor.address)
                if self.chance.random() < 0.4:  # one of them pays for all
                    friend.payment = sponsor.payment
            elif kind == "office":
                friend.address, when = sponsor.address + "-office", posted + timedelta(seconds=self.chance.uniform(0, 5_400))
            elif kind == "influencer":
                when = posted + timedelta(seconds=self.chance.expovariate(1 / 3_600.0) + place)
            ordered = when + self._until_order(kind == "quick")
            self._add(Invitation(sponsor, friend, kind, False, when, ordered, self._return(kind, ordered)))

    def _relative(self, sponsor: Human) -> Human:
        friend = self.human(address=sponsor.address, surname=sponsor.surname)
        if self.chance.random() < 0.15:
            friend.payment = sponsor.payment
        if self.chance.random() < 0.01:
            friend.phone = sponsor.phone  # the one in the hall
        if self.chance.random() < 0.003:
            friend.email = _plus(sponsor.email, "maman")
        return friend

    def _return(self, kind: str, when: datetime) -> datetime | None:
        wanted = kind == "returns" or self.chance.random() < 0.04
        return when + timedelta(days=self.chance.uniform(3, 14)) if wanted else None

    def _until_order(self, quick: bool) -> timedelta:
        turn = self.chance.random()
        if quick:  # a basket waits in another window
            return self._about(60 if turn < 0.2 else 180, 0.6)
        if turn < 0.15:
            return self._about(15 * 60, 0.8)
        return self._about(DAY, 1.2)

    # Fraud

    def cheat(self, kind: str, wanted: int) -> None:
        """So many invitations of one kind of fraud."""
        ways: dict[str, Callable[[Human, bool], None]] = {
            "self-referral": self._self, "existing": self._existing, "ring": self._ring, "instant": self._instant,
            "refund": self._refund,
        }  # fmt: skip
        until, sponsor = len(self.found) + wanted, self.human()
        if kind == "bots":
            careful = sum(self.chance.random() < self.careful for _ in range(wanted))
            self._bursts(wanted - careful, range(12, 60), careful=False)
            self._bursts(careful, range(2, 6), careful=True)  # whoever wants to look like people comes in small numbers
        while len(self.found) < until:
            if self.chance.random() < 0.6:
                sponsor = self.human()
            ways[kind](sponsor, self.chance.random() < self.careful)

    def _self(self, sponsor: Human, careful: bool) -> None:
        friend, when, turn = self.human(address=sponsor.address), self._moment(), self.chance.random()
        if not careful:
            friend.phone = sponsor.phone if turn < 0.3 else None
            friend.payment = sponsor.payment if turn < 0.8 else friend.payment
            if turn < 0.45:
                friend.email = _plus(sponsor.email, self._word(4))
            elif turn < 0.65 and sponsor.email.endswith("@gmail.com"):
                friend.email = _dotted(sponsor.email, self.chance)
            elif turn < 0.92:
                friend.email, friend.payment = _counted(sponsor.email, self.chance), sponsor.payment
            else:
                friend.payment = sponsor.payment
        delay = self._until_order(quick=False) if careful else self._about(300, 1.0)
        self._add(Invitation(sponsor, friend, "self-referral", True, when, when + delay))

    def _existing(self, sponsor: Human, careful: bool) -> None:
        before, when, turn = self.human(), self._moment(), self.chance.random()
        again = self.human(address=before.address, payment=before.payment, phone=before.phone)
        known: tuple[str, ...] = (before.email,)
        if careful:
            known = ()
        elif turn < 0.5:
            again = before  # with the old account
        elif turn < 0.8:
            again.email = _plus(before.email, self._word(4))
        else:
            again.email = _dotted(before.email, self.chance) if before.email.endswith("@gmail.com") else _plus(before.email, "2")
        self._add(Invitation(sponsor, again, "existing", True, when, when + self._until_order(quick=False), known=known))

    def _ring(self, sponsor: Human, careful: bool) -> None:
        """The invitation that closes it: those before it are real invitations of people who became customers."""
        when = self._moment()
        first = self.human()
        self._add(Invitation(sponsor, first, "ring", True, when, when + self._until_order(quick=False), closes_ring=True))

    def _bursts(self, wanted: int, sizes: range, *, careful: bool) -> None:
        until = len(self.found) + wanted
        while len(self.found) < until:
            self._bots(min(until - len(self.found), self.chance.choice(sizes)), careful)

    def _bots(self, many: int, careful: bool) -> None:
        sponsor, start = self.human(), self._moment()
        cards = [f"virtual-{self.human().number}" for _ in range(self.chance.randrange(1, 4))]
        for place in range(many):
            friend = self.human(phone=None)
            when = start + timedelta(seconds=place * self.chance.uniform(5, 60))
            delay = self._about(120, 0.8)
            if careful:
                when, delay = start + timedelta(seconds=self.chance.uniform(0, 10 * DAY)), self._until_order(quick=False)
            else:
                friend.payment = self.chance.choice(cards) if self.chance.random() < 0.8 else friend.payment
                if self.chance.random() < 0.5:
                    friend.email = f"{self._word(9)}@{self.chance.choice(THROWN)}"
                if self.chance.random() < 0.5:
                    delay = self._about(10, 0.5)
            self._add(Invitation(sponsor, friend, "bots", True, when, when + delay))

    def _instant(self, sponsor: Human, careful: bool) -> None:
        when = self._moment()
        delay = self._about(180, 0.6) if careful else self._about(10, 0.5)
        self._add(Invitation(sponsor, self.human(), "instant", True, when, when + delay))

    def _refund(self, sponsor: Human, careful: bool) -> None:
        """An order that was never meant: taken back once the reward is thought to be there."""
        when = self._moment()
        ordered = when + self._until_order(quick=False)
        days = self.chance.uniform(31, 60) if careful else self.chance.uniform(1, 28)
        self._add(Invitation(sponsor, self.human(), "refund", True, when, ordered, ordered + timedelta(days=days)))

    # Chance

    def _add(self, one: Invitation) -> None:
        if one.taken_back is not None and one.taken_back <= one.ordered:
            one.taken_back = one.ordered + timedelta(days=7)
        self.found.append(one)

    def _moment(self) -> datetime:
        """A moment of the campaign, by day more often than by night."""
        day, hour = self.chance.randrange(DAYS), self.chance.triangular(0, 24, 18)
        return START + timedelta(days=day, hours=hour, seconds=self.chance.random() * 60)

    def _about(self, seconds: float, spread: float) -> timedelta:
        return timedelta(seconds=seconds * self.chance.lognormvariate(0, spread))

    def _word(self, most: int) -> str:
        return "".join(self.chance.choice("abcdefghijklmnoprstuvz") for _ in range(self.chance.randrange(4, most + 1)))

    def _pick(self, of: tuple[tuple[str, float], ...]) -> str:
        return self.chance.choices([name for name, _ in of], [share for _, share in of])[0]


def _plus(email: str, tag: str) -> str:
    local, _, domain = email.partition("@")
    return f"{local}+{tag}@{domain}"


def _counted(email: str, chance: Random) -> str:
    local, _, domain = email.partition("@")
    return f"{local.rstrip('0123456789')}{chance.randrange(1_000)}@{domain}"


def _dotted(email: str, chance: Random) -> str:
    local, _, domain = email.partition("@")
    bare = local.replace(".", "")
    place = chance.randrange(1, len(bare))
    return f"{bare[:place]}.{bare[place:]}@{domain}"
