"""An offer as a closed, typed document: what is to be done, what it earns, and apart from both, a licence for personal data.

Rules:
1. Every key and every word is known. What an unlawful offer asks for can be written down, so that the check can name it; what
   nobody has thought of cannot.
2. Money is whole minor units with one currency; days are legal days. There is no free text but names and one reason.
3. The reward for the act stands under the act. The licence has a reward, a choice and an end of its own, or is not there.
4. Reading is all or nothing: a value that is wrong cannot be built, and every finding of the file is told at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from volens.errors import BadInput
from volens.programme.rules.countries import is_country

CENTS_MAX = 100_000_00
"""More is a mistake of the pen."""
NAMES_MAX, QUESTIONS_MAX = 20, 10
_REACHED = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+|https://[^\s/.]+(\.[^\s/.]+)+(/\S*)?|tel:\+[0-9]{6,15}")


class Unfit(BadInput):
    """Values of an offer that do not go together; `key` is where one of them stands, with dots."""

    def __init__(self, key: str, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.key = key


class Kind(StrEnum):
    """What is to be done."""

    REFERRAL = "referral"
    DOWNLOAD = "download"
    ORDER = "order"
    SURVEY = "survey"


class Friend(StrEnum):
    """How somebody who is invited hears of it."""

    SHARED_LINK = "shared-link"
    ONE_MESSAGE = "one-message"
    ADDRESS_BOOK = "address-book"
    NOBODY = "nobody"


class Uses(StrEnum):
    """What the act needs to know of somebody."""

    ACCOUNT = "account"
    ORDERS = "orders"
    INVITATION = "invitation"
    PAYOUT = "payout"
    ANSWERS = "answers"
    CONTACTS = "contacts"
    FINGERPRINT = "fingerprint"
    LOCATION = "location"


class Growth(StrEnum):
    """On what the amount depends."""

    FIXED = "fixed"
    RECRUITS = "recruits"
    DISCRETION = "discretion"
    LICENCE = "licence"


class Changes(StrEnum):
    """What happens when the terms change."""

    NEW_ACCEPTANCE = "new-acceptance"
    AT_ANY_TIME = "at-any-time"


class Earned(StrEnum):
    """What becomes of an earned reward."""

    KEPT = "kept"
    LOST = "lost"


class Shown(StrEnum):
    """When people read the terms."""

    BEFORE = "before"
    AFTER = "after"


class Law(StrEnum):
    """Whose law and courts."""

    CONSUMER = "consumer"
    OTHER = "other"


class Right(StrEnum):
    """What nobody can give up; see `WAIVED` in an offer, which has to be empty."""

    ACCESS = "access"
    RECTIFY = "rectify"
    ERASE = "erase"
    OBJECT = "object"
    PORT = "port"
    WITHDRAW = "withdraw"
    COMPLAIN = "complain"
    MORAL = "moral"
    CLAIMS = "claims"


class Consent(StrEnum):
    """How the licence is said yes to."""

    OWN_CHOICE = "own-choice"
    BY_TAKING_PART = "by-taking-part"
    PRE_TICKED = "pre-ticked"


class Item(StrEnum):
    """What a licence is for."""

    PHOTO = "photo"
    FIRST_NAME = "first-name"
    USER_NAME = "user-name"
    REVIEW = "review"
    VOICE = "voice"
    HOME_TOWN = "home-town"
    HEALTH = "health"
    RELIGION = "religion"
    OPINIONS = "political-opinions"
    ANYTHING = "anything"


class Shows(StrEnum):
    """Who is to be seen or heard in it."""

    ONLY_SELF = "only-self"
    OTHERS = "others"


class Purpose(StrEnum):
    """What it is published for."""

    SITE = "own-site"
    ADVERTISING = "own-advertising"
    SHOPS = "own-shops"
    ANY = "any"


class Choice(StrEnum):
    """Whether each purpose is a choice of its own."""

    EACH = "each"
    TOGETHER = "together"


class Medium(StrEnum):
    """Where it is published."""

    WEBSITE = "own-website"
    APP = "own-app"
    MAIL = "own-mail"
    POSTERS = "own-posters"
    ANY = "any"


class Withdraw(StrEnum):
    """How a licence is taken back."""

    ONE_CLICK = "one-click"
    LETTER = "letter"
    NEVER = "never"


WORLD = "world"
"""A territory that an unlawful licence asks for."""


@dataclass(frozen=True)
class Controller:
    """The legal entity that offers, and where it is reached."""

    name: str
    address: str
    contact: str

    def __post_init__(self) -> None:
        if not _REACHED.fullmatch(self.contact):
            raise Unfit(
                "controller.contact", f"Nobody is reached at {self.contact}.",
                "Give an e-mail address, an address that starts with https://, or tel: and a number with its country.",
            )  # fmt: skip


@dataclass(frozen=True)
class Amount:
    """Money and vouchers, in minor units of one currency."""

    money_cents: int
    voucher_cents: int

    def __post_init__(self) -> None:
        for cents in (self.money_cents, self.voucher_cents):
            if not 0 <= cents <= CENTS_MAX:
                raise BadInput(f"An amount of {cents} minor units.", f"Give 0 to {CENTS_MAX}.")

    @property
    def cents(self) -> int:
        """Both together."""
        return self.money_cents + self.voucher_cents


@dataclass(frozen=True)
class Act:
    """What is to be done for the reward."""

    kind: Kind
    times: int
    uses: frozenset[Uses]
    entry_cents: int = 0
    purchase_required: bool = False
    depth: int = 1
    """Over how many steps of invitations it earns; 1 is the friends whom somebody invited herself."""
    cap_a_year: int | None = None
    """How often in a year it earns at most."""
    friend: Friend = Friend.NOBODY
    disclosed: bool = False
    """Whether the invitation says that the sponsor earns something."""

    def __post_init__(self) -> None:
        if not 1 <= self.times <= 100:
            raise BadInput(f"An act that is done {self.times} times.", "Give 1 to 100.")
        if self.kind is not Kind.REFERRAL and (self.friend is not Friend.NOBODY or self.depth > 1):
            raise Unfit(
                "act", f"An act of kind {self.kind} invites nobody.", "Leave out `friend` and `depth`, or make it a referral."
            )


@dataclass(frozen=True)
class Reward:
    """What the act earns."""

    amount: Amount
    due_days: int
    """Within how many days after the act it is paid."""
    voucher_days: int = 0
    """How long a voucher can be used; 0 where there is none."""
    depends: Growth = Growth.FIXED
    suspended: Earned = Earned.KEPT
    """What becomes of it when the offer is suspended or ends."""

    def __post_init__(self) -> None:
        if (self.voucher_days > 0) != (self.amount.voucher_cents > 0):
            raise Unfit(
                "reward.voucher_days", "Vouchers and the days for which they hold do not go together.", "Give both, or neither."
            )


@dataclass(frozen=True)
class Recipient:
    """A legal entity that receives what is licensed."""

    name: str
    country: str

    def __post_init__(self) -> None:
        if not is_country(self.country):
            raise Unfit("licence.recipients", f"{self.country} is no country.", "Give its two-letter code.")


@dataclass(frozen=True)
class Withdrawal:
    """Taking a licence back."""

    how: Withdraw
    effect_days: int
    taken_down: bool
    reward: Earned
    fee_cents: int = 0


@dataclass(frozen=True)
class Instead:
    """The offer without a licence that stands beside it."""

    kind: Kind
    amount: Amount
    questions: tuple[Mapping[str, str], ...] = ()
    """Of a survey, by language: they are asked on the offer's page, so that whoever refuses a licence really has this way."""

    def __post_init__(self) -> None:
        if (self.kind is Kind.SURVEY) != bool(self.questions) or len(self.questions) > QUESTIONS_MAX:
            raise Unfit(
                "licence.instead", "A survey without questions, too many, or questions of something else.",
                f"Give a survey 1 to {QUESTIONS_MAX} `questions`, each in every language; anything else none.",
            )  # fmt: skip


@dataclass(frozen=True)
class Ceiling:
    """How much a licence may earn at most, and why no more."""

    cents: int
    reason: Mapping[str, str]


@dataclass(frozen=True)
class Licence:
    """What somebody permits to be published of her: a second offer with a choice of its own."""

    consent: Consent
    choice: Choice
    items: frozenset[Item]
    one_by_one: bool
    """Whether each item is shown and said yes to by itself."""
    shows: Shows
    purposes: frozenset[Purpose]
    media: frozenset[Medium]
    territories: frozenset[str]
    starts: date
    ends: date | None
    """None: never."""
    recipients: tuple[Recipient, ...]
    sublicence: bool
    sold: bool
    preview: bool
    notice_days: int
    withdrawal: Withdrawal
    reward: Amount
    ceiling: Ceiling | None = None
    instead: Instead | None = None

    def __post_init__(self) -> None:
        if self.ends is not None and self.ends < self.starts:
            raise Unfit("licence.ends", "The licence ends before it starts.", "Give an `ends` on or after `starts`.")
        if not (self.items and self.purposes and self.media and self.territories):
            raise Unfit("licence", "A licence for nothing, or for nowhere.", "Name items, purposes, media and territories.")
        if strange := [one for one in sorted(self.territories) if one != WORLD and not is_country(one)]:
            raise Unfit("licence.territories", f"{', '.join(strange)}: no country.", "Give two-letter codes.")


@dataclass(frozen=True)
class Offer:
    """One version of an offer."""

    id: str
    version: int
    name: Mapping[str, str]
    languages: tuple[str, ...]
    countries: tuple[str, ...]
    controller: Controller
    min_age: int
    currency: str
    promised_cents: int
    """What the advertisement says in figures."""
    starts: date
    ends: date | None
    """The last day on which the act counts. None: it is never over."""
    shown: Shown
    changes: Changes
    law: Law
    waived: frozenset[Right]
    act: Act
    reward: Reward
    licence: Licence | None = None

    def __post_init__(self) -> None:
        if self.ends is not None and self.ends < self.starts:
            raise Unfit("ends", "The offer ends before it starts.", "Give an `ends` on or after `starts`.")
        if self.licence is not None and self.ends is not None and self.licence.starts > self.ends:
            raise Unfit(
                "licence.starts", "The licence starts after the offer has ended.",
                "Give a `starts` on or before the offer's `ends`."
            )
        if missing := [one for one in self.languages if one not in self.name]:
            raise Unfit(
                "name", f"The offer has no name in {', '.join(missing)}.", "Give `name` in each language of `languages`."
            )
        licence = self.licence
        reasons = () if licence is None or licence.ceiling is None else (licence.ceiling.reason,)
        asked = () if licence is None or licence.instead is None else licence.instead.questions
        for key, what, texts in (("ceiling.reason", "ceiling's reason", reasons), ("instead.questions", "question", asked)):
            if missing := [one for one in self.languages if any(one not in text for text in texts)]:
                raise Unfit(
                    f"licence.{key}", f"A {what} is missing in {', '.join(missing)}.", "Give it in each language of `languages`."
                )


