"""The rules against fraud: each looks at a few facts of one invitation, and says in one sentence what it saw.

Rules:
1. A rule is a pure function of `Facts`, with an example that it finds and one that it passes: its tests and its documentation.
2. No fingerprint of a device, no location, no address book. Signals are hashes under a key of the campaign's own.
3. What is alike by chance among honest people (an address, a surname, a payment card of a family) is never enough by itself.
4. `block` is for what the offer's own conditions exclude; a doubt is a `hold`, which a person looks at; `flag` is for staff alone.
5. Each rule that touches a reward has its sentence in each language, and everybody whom it touches can contest it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

FAST_SECONDS = 30
"""Nobody accepts, fills a basket and pays within half a minute; somebody whose basket waited may (held, then let go)."""
QUICK_SECONDS = 300
"""As quick as that is a doubt only where the same card pays for both."""
BURST_LEAST, BURST_HOURS, BURST_Z = 8, 30, 6.0
"""The fewest friends in an hour, hours of sponsors to compare with, and robust z-score that make a burst."""
SAME_PAYER = 2
"""So many friends of one sponsor whom one card pays for: flatmates are one."""
_SCORE = 0.6745
"""Makes a median absolute deviation a standard deviation, where values are normal."""
_LEAST_DEVIATION = 0.5


class Action(StrEnum):
    """What a rule does, the weakest first."""

    FLAG = "flag"
    NEXT = "next"
    """This order does not count; her next one does."""
    HOLD = "hold"
    REVERSE = "reverse"
    BLOCK = "block"


@dataclass(frozen=True)
class Burst:
    """How many friends one sponsor had around one hour, beside all sponsors of the campaign."""

    friends: int
    alike: int
    """How many of them share a payment card with another, have a throw-away address, or ordered within seconds."""
    hours: int
    """Hours of sponsors that are compared with: those in which somebody came."""
    median: float
    deviation: float
    """The median absolute deviation."""

    @property
    def score(self) -> float:
        """The robust z-score."""
        return _SCORE * (self.friends - self.median) / max(self.deviation, _LEAST_DEVIATION)


@dataclass(frozen=True)
class Facts:
    """What is known of one invitation when it is judged; nothing else is looked at."""

    same_person: bool = False
    same_mailbox: bool = False
    same_phone: bool = False
    same_payment: bool = False
    """Sponsor and friend."""
    same_letters: bool = False
    """The two e-mail addresses are alike but for digits and signs."""
    friends_paid_alike: int = 1
    """How many friends of this sponsor paid with what this one paid with, she herself among them."""
    known_before: bool = False
    invited_before: bool = False
    same_address: bool = False
    same_surname: bool = False
    closes_ring: bool = False
    burst: Burst | None = None
    thrown_away: bool = False
    seconds: int | None = None
    """From acceptance to order; none before the order."""
    taken_back: bool = False
    """The order was cancelled, or everything of it returned."""


@dataclass(frozen=True)
class Rule:
    """One thing that is looked at."""

    id: str
    title: str
    looks_at: str
    action: Action
    sentence: Mapping[str, str]
    article: str
    run: Callable[[Facts], bool]
    found: Facts
    """An example that it finds,"""
    passed: Facts
    """and one that it passes."""
    to_friend: Mapping[str, str] | None = None
    """What the friend reads of a rule that looks at her alone. Her sponsor reads none of it."""

    @property
    def hers(self) -> Mapping[str, str]:
        """The sentence, as the friend reads it."""
        return self.to_friend or self.sentence

    @property
    def sponsors(self) -> Mapping[str, str]:
        """The sentence, as the sponsor reads it; none of what is the friend's own affair."""
        return {} if self.to_friend else self.sentence


@dataclass(frozen=True)
class Verdict:
    """What all rules together say of one invitation."""

    rules: tuple[Rule, ...]

    @property
    def action(self) -> Action | None:
        """The strongest; none if nothing was seen. A flag is for staff and touches nothing."""
        order = list(Action)
        return max((one.action for one in self.rules), key=order.index, default=None)

    @property
    def ids(self) -> tuple[str, ...]:
        """Of all rules that saw something."""
        return tuple(one.id for one in self.rules)


def judge(facts: Facts) -> Verdict:
    """Every rule that sees something, in the order of `RULES`."""
    return Verdict(tuple(one for one in RULES if one.run(facts)))


def rule(id: str) -> Rule:
    """A rule by its id."""
    return BY_ID[id]


def sentence(ids: tuple[str, ...], language: str) -> str:
    """What somebody is told: the sentence of the strongest of some rules."""
    told = judge_of(ids)
    return told.sentence[language] if told is not None else ""


def judge_of(ids: tuple[str, ...]) -> Rule | None:
    """The rule that decided, among those that saw something: the first of the strongest."""
    strongest = Verdict(tuple(BY_ID[one] for one in ids if one in BY_ID))
    return next((one for one in strongest.rules if one.action is strongest.action and one.action is not Action.FLAG), None)


# Below: how each sees it


def _payment(facts: Facts) -> bool:
    quick = facts.seconds is not None and 0 <= facts.seconds < QUICK_SECONDS
    return facts.friends_paid_alike > SAME_PAYER or (
        facts.same_payment and (facts.same_letters or quick)
    )


def _burst(facts: Facts) -> bool:
    one = facts.burst
    return (
        one is not None
        and one.friends >= BURST_LEAST
        and one.hours >= BURST_HOURS
        and one.score >= BURST_Z
        and 2 * one.alike >= one.friends
    )


def _too_fast(facts: Facts) -> bool:
    return facts.seconds is not None and 0 <= facts.seconds < FAST_SECONDS


FAIR = "Directive 2005/29, art. 7; the offer's own conditions"
HUMAN = "GDPR 22(2)(a) and (3): a person looks, and the customer is heard"

RULES: tuple[Rule, ...] = (
    Rule(
        "F1-person", "Inviting oneself", "whether both accounts are one customer", Action.BLOCK,
        {"fr": "Les deux comptes sont à la même personne.", "en": "Both accounts belong to the same person."},
        FAIR, lambda facts: facts.same_person, Facts(same_person=True), Facts(same_surname=True),
    ),
    Rule(
        "F1-mailbox", "One mailbox", "the e-mail addresses, without what is after a plus and without Google's dots", Action.BLOCK,
        {"fr": "Les deux comptes ont la même adresse e-mail.", "en": "Both accounts have the same e-mail address."},
        FAIR, lambda facts: facts.same_mailbox, Facts(same_mailbox=True), Facts(same_letters=True),
    ),
    Rule(
        "F1-phone", "One telephone", "the telephone numbers", Action.HOLD,
        {"fr": "Les deux comptes ont le même numéro de téléphone.", "en": "Both accounts have the same telephone number."},
        HUMAN, lambda facts: facts.same_phone, Facts(same_phone=True), Facts(same_surname=True, same_address=True),
    ),
    Rule(
        "F1-payment", "One payer", "hashes of what was paid with, beside a second sign", Action.HOLD,
        {"fr": "La même carte bancaire paie pour plusieurs comptes.", "en": "The same payment card pays for several accounts."},
        HUMAN, _payment, Facts(same_payment=True, same_letters=True), Facts(same_payment=True, same_address=True, seconds=3_600),
    ),
    Rule(
        "F2-known", "A customer already", "since when the account or its e-mail address is known", Action.BLOCK,
        {"fr": "La personne invitée était déjà cliente.", "en": "The person who was invited was a customer already."},
        FAIR, lambda facts: facts.known_before, Facts(known_before=True), Facts(),
        {"fr": "Vous êtes déjà client chez nous.", "en": "You are a customer of ours already."},
    ),
    Rule(
        "F2-invited", "Invited already", "whether somebody else invited her first", Action.BLOCK,
        {
            "fr": "La personne invitée a déjà accepté une invitation.",
            "en": "The person who was invited has accepted an invitation before.",
        },
        FAIR, lambda facts: facts.invited_before, Facts(invited_before=True), Facts(),
        {"fr": "Vous avez déjà accepté une invitation.", "en": "You have accepted an invitation before."},
    ),
    Rule(
        "F3", "One household", "hashes of the address of delivery, and surnames", Action.FLAG,
        {"fr": "Les deux personnes vivent à la même adresse.", "en": "Both people live at the same address."},
        "none: a gift within a family is a real gift", lambda facts: facts.same_address and facts.same_surname,
        Facts(same_address=True, same_surname=True), Facts(same_surname=True),
    ),
    Rule(
        "F4", "A ring", "who invited whom", Action.BLOCK,
        {"fr": "Cette invitation ferme une boucle d'invitations.", "en": "This invitation closes a ring of invitations."},
        "C. conso. L121-15", lambda facts: facts.closes_ring, Facts(closes_ring=True), Facts(),
    ),
    Rule(
        "F5", "A burst of accounts that are alike", "how many friends come in an hour, beside all sponsors, and what they share",
        Action.HOLD,
        {
            "fr": "Beaucoup de comptes qui se ressemblent sont arrivés en une heure.",
            "en": "Many accounts that are alike came within an hour.",
        },
        HUMAN, _burst, Facts(burst=Burst(24, 20, 200, 1.0, 0.0)), Facts(burst=Burst(60, 6, 200, 1.0, 0.0)),
    ),
    Rule(
        "F6", "A throw-away address", "the domain of the e-mail address", Action.HOLD,
        {
            "fr": "L'adresse e-mail de la personne invitée est une adresse jetable.",
            "en": "The e-mail address of the person who was invited is a throw-away address.",
        },
        HUMAN, lambda facts: facts.thrown_away, Facts(thrown_away=True), Facts(),
    ),
    Rule(
        "F7-fast", "Too fast", "seconds from acceptance to order", Action.HOLD,
        {
            "fr": "La commande est arrivée moins d'une demi-minute après l'invitation.",
            "en": "The order came less than half a minute after the invitation.",
        },
        HUMAN, _too_fast, Facts(seconds=FAST_SECONDS - 1), Facts(seconds=FAST_SECONDS),
    ),
    Rule(
        "F7-before", "Before the invitation", "seconds from acceptance to order", Action.NEXT,
        {"fr": "La commande a été passée avant l'invitation.", "en": "The order was placed before the invitation."},
        FAIR, lambda facts: facts.seconds is not None and facts.seconds < 0, Facts(seconds=-1), Facts(seconds=3_600),
    ),
    Rule(
        "F8", "Taken back", "whether the order stands", Action.REVERSE,
        {"fr": "La commande a été annulée ou rendue.", "en": "The order was cancelled or returned."},
        FAIR, lambda facts: facts.taken_back, Facts(taken_back=True), Facts(),
    ),
)  # fmt: skip
BY_ID: Mapping[str, Rule] = {one.id: one for one in RULES}
