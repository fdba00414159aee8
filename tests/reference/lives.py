"""Linked cards and young people in plain slow Python, over the plain history: what a link takes, and what unlinking gives back.

Written from the promises (`docs/customers.md`), sharing no code with the product. Words are known by their place in the history;
`made` says of a word that nobody said anew why it is there, and in whose place it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.reference.gate import KINDS, Programme, Spoken, last_word, months_before


@dataclass
class Link:
    """One moving of a card. `began` and `ended` are places in the history."""

    number: int
    card: int
    former: int
    customer: int
    began: int
    ended: int | None = None
    restored: bool = False


@dataclass(frozen=True)
class Made:
    """Why a word is there that nobody said: a link, or somebody else's no; and the place of the own word under it."""

    link: int | None
    own: int


@dataclass
class Lives:
    """Who holds which card, and under whose number its lines stand."""

    holder: dict[int, int]
    stands: dict[int, int]
    formers: dict[int, set[int]] = field(default_factory=dict)
    """Card → numbers under which lines of it may still stand, as the house knows it."""
    links: list[Link] = field(default_factory=list)
    made: dict[int, Made] = field(default_factory=dict)

    def behind(self, customer: int) -> set[int]:
        """Numbers under which lines of a customer's cards may still stand."""
        return {who for card, some in self.formers.items() if self.holder[card] == customer for who in some} - {customer}

    def waits(self, customer: int) -> bool:
        """Whether lines of somebody else's card may stand under a number."""
        return any(customer in some and self.holder[card] != customer for card, some in self.formers.items())

    def link(self, history: list[Spoken], card: int, customer: int, today: date, programme: Programme) -> None:
        """A card becomes another customer's."""
        former = self.holder[card]
        if former == customer:
            return
        link = Link(len(self.links) + 1, card, former, customer, len(history))
        self.links.append(link)
        self.holder[card] = customer
        self.formers.setdefault(card, set()).add(former)
        self._stricter(history, {former, customer}, link.number, today, programme, None)

    def unlink(self, history: Sequence[Spoken], card: int) -> bool:
        """A card goes back; the words follow with its lines."""
        standing = [link for link in self.links if link.card == card and link.ended is None]
        if not standing:
            return False
        link = standing[-1]
        link.ended = len(history)
        self.holder[card] = link.former
        self.formers.setdefault(card, set()).add(link.customer)
        return True

    def follow(self, history: list[Spoken], today: date, programme: Programme) -> None:
        """All lines come under whoever holds their card now, and words are given back."""
        cards = sorted(card for card, some in self.formers.items() if some)
        for card in cards:
            self.stands[card] = self.holder[card]
            self.formers[card] = set()
        for card in cards:
            for link in reversed([link for link in self.links if link.card == card and link.ended is not None]):
                if not link.restored:
                    self._restore(history, link, today, programme)
                    link.restored = True

    def repeat(self, history: list[Spoken], said: Iterable[Spoken], programme: Programme) -> None:
        """A no reaches the lines of the speaker's cards where they still are."""
        for word in said:
            if KINDS[word.kind][0] != "no":
                continue
            for former in sorted(self.behind(word.customer)):
                for recipient in _recipients(programme, word.purpose):
                    place = self._yes(history, former, word.purpose, recipient, programme)
                    if place is not None and word.recipient in ("*", recipient):
                        again = Spoken(former, word.purpose, recipient, "revoked", history[place].text, word.day)
                        self._replace(history, place, again, None)

    def _replace(self, history: list[Spoken], place: int, word: Spoken, link: int | None) -> None:
        made = self.made.get(place)
        self.made[len(history)] = Made(link, made.own if made is not None else place)
        history.append(word)

    def _stricter(
        self, history: list[Spoken], sides: set[int], link: int, today: date, programme: Programme,
        only: set[tuple[int, str, str]] | None,
    ) -> None:  # fmt: skip
        group = set(sides)
        while more := {who for one in group for who in self.behind(one)} - group:
            group |= more
        for purpose in sorted(programme):
            for recipient in _recipients(programme, purpose):
                places = {who: self._yes(history, who, purpose, recipient, programme) for who in sorted(group)}
                yes = {who: place for who, place in places.items() if place is not None}
                common = None
                if len(yes) == len(group) and all(counts(history[at], recipient, today, programme) for at in yes.values()):
                    common = _strictest(history, list(yes.values()), programme)
                for who, place in yes.items():
                    if only is not None and (who, purpose, recipient) not in only:
                        continue
                    word = history[place]
                    if common is None:
                        new = Spoken(who, purpose, recipient, "revoked", word.text, today)
                    elif (word.kind, word.text, word.day) == (common.kind, common.text, common.day):
                        continue
                    else:
                        new = Spoken(who, purpose, recipient, common.kind, common.text, common.day)
                    self._replace(history, place, new, link)

    def _restore(self, history: list[Spoken], link: Link, today: date, programme: Programme) -> None:
        tied = {link.former, link.customer}
        while more := {s for one in self.links if {one.former, one.customer} & tied for s in (one.former, one.customer)} - tied:
            tied |= more
        refused: set[tuple[str, str]] = set()
        uses = [(purpose, recipient) for purpose in sorted(programme) for recipient in _recipients(programme, purpose)]
        before = {(who, *use): _last(history, who, *use, programme) for who in sorted(tied) for use in uses}
        for who in (link.former, link.customer):
            for use in uses:
                place = before[who, *use]
                if place is None or history[place].kind not in ("refused", "withdrawn", "revoked", "objected"):
                    continue
                if place not in self.made and link.began <= place < (link.ended or 0):
                    refused.add(use)
        given_back: dict[tuple[int, str, str], int] = {}
        for (who, *use), place in before.items():
            purpose, recipient = use
            if place is None:
                continue
            word, made = history[place], self.made.get(place)
            if who in (link.former, link.customer) and (purpose, recipient) in refused:
                if KINDS[word.kind][0] == "yes":
                    history.append(Spoken(who, purpose, recipient, "revoked", word.text, today))
            elif made is not None and (made.link == link.number or (made.link is None and place >= (link.ended or 0))):
                own = history[made.own]
                given_back[who, purpose, recipient] = made.own
                history.append(Spoken(who, purpose, recipient, own.kind, own.text, own.day))
        for other in self.links:
            if other.ended is None and {other.former, other.customer} & tied:
                under = {key for key, place in given_back.items() if place < other.began}
                self._stricter(history, {other.former, other.customer}, other.number, today, programme, under)

    def _yes(self, history: Sequence[Spoken], who: int, purpose: str, recipient: str, programme: Programme) -> int | None:
        place = _last(history, who, purpose, recipient, programme)
        return place if place is not None and KINDS[history[place].kind][0] == "yes" else None


def counts(word: Spoken, recipient: str, today: date, programme: Programme) -> bool:
    """Whether a yes counts today, for anything at all."""
    rule = programme[word.purpose]
    text = rule["texts"][word.text]
    if KINDS[word.kind] != ("yes", rule["basis"]) or recipient not in rule["recipients"] or recipient not in text["recipients"]:
        return False
    if date.fromisoformat(text["valid_from"]) > today:
        return False
    if text["invalidated_on"] is not None and date.fromisoformat(text["invalidated_on"]) <= today:
        return False
    if word.kind == "notified" and word.day + timedelta(days=rule["waiting_days"]) > today:
        return False
    return rule["renew_months"] is None or word.day >= months_before(today, rule["renew_months"])


def _strictest(history: Sequence[Spoken], places: list[int], programme: Programme) -> Spoken | None:
    for place in sorted(places, key=lambda one: (history[one].day, one)):
        word = history[place]
        if all(word.day <= history[at].day and _tells_no_more(word, history[at], programme) for at in places):
            return word
    return None


def _tells_no_more(word: Spoken, other: Spoken, programme: Programme) -> bool:
    less, more = (programme[one.purpose]["texts"][one.text] for one in (word, other))
    for limit in ("keep_months", "invalidated_on"):
        if more[limit] is not None and (less[limit] is None or less[limit] > more[limit]):
            return False
    return set(less["fields"]) <= set(more["fields"])


def _last(history: Sequence[Spoken], who: int, purpose: str, recipient: str, programme: Programme) -> int | None:
    word = last_word(history, who, purpose, recipient, programme)
    return None if word is None else max(place for place, one in enumerate(history) if one is word)


def _recipients(programme: Programme, purpose: str) -> list[str]:
    return sorted({name for text in programme[purpose]["texts"].values() for name in text["recipients"]})
