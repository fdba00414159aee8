"""What stands against an audience, all of it at once: each with its rule, its reason and the article behind it.

Rules:
1. Nothing is read to find out: programme, catalogue and definition say everything.
2. The gate is asked by the same function that opens the read and holds the door (`gate.policy.decide_request`).
3. A definition with a refusal is neither put on record nor sized nor built.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import permutations

from volens.audiences import sensitive
from volens.audiences.definition import Bought, Definition, Due, Goods, Lapsed, Leaf, Share, walk
from volens.audiences.goods import Shelf
from volens.errors import NotFound
from volens.gate.policy import ReadRequest, Rulebook, accepted_from, decide_request
from volens.programme.model import Basis, Delivery, Programme, Purpose

KINDS = frozenset({"social-audience", "purchase-audience", "lookalike-source", "partner-marketing", "supplier-sharing"})
"""Kinds of use under which people are handed to somebody as a list."""
UNTIL_DAYS_MAX = 366
RATHER_NOT = 50
"""Per cent of a share from which on the rest counts as what somebody rather does not buy."""
ARTICLES = {
    "AUD001": "GDPR article 6(1)(a); CNIL SAN-2025-017",
    "AUD002": "GDPR article 13(1)(e)",
    "AUD003": "GDPR articles 5(1)(b) and 13(1)(c)",
    "AUD004": "GDPR articles 5(1)(c) and 13(1)(c)",
    "AUD005": sensitive.ARTICLE_9,
    "AUD006": sensitive.ARTICLE_9,
    "AUD007": sensitive.ARTICLE_9,
    "AUD008": sensitive.ARTICLE_9,
    "AUD009": "GDPR article 5(1)(e)",
    "AUD010": "GDPR article 5(1)(e)",
    "AUD011": "GDPR article 5(1)(a)",
    "AUD012": "GDPR article 5(1)(a)",
}
"""Every rule, with the article behind it; docs/audiences.md says them in words."""


@dataclass(frozen=True)
class Refusal:
    """One thing that stands against a definition."""

    rule: str
    reason: str
    remedy: str
    article: str

    @classmethod
    def of(cls, rule: str, reason: str, remedy: str, article: str = "") -> Refusal:
        """With the rule's own article, if no other is named."""
        return cls(rule, reason, remedy, article or ARTICLES[rule])

    def to_text(self) -> str:
        """For people."""
        return f"{self.rule}  {self.reason}\n        → {self.remedy} ({self.article})"


@dataclass(frozen=True)
class Checked:
    """A definition with everything that stands against it, and what it would read and hand over."""

    definition: Definition
    refusals: tuple[Refusal, ...]
    left_out: int
    """Products of the goods it names that tell of something private, and are left out of them."""

    @property
    def ok(self) -> bool:
        """Nothing stands against it."""
        return not self.refusals

    def to_dict(self) -> dict[str, object]:
        """For scripts."""
        one = self.definition
        return {
            "audience": one.id, "ok": self.ok, "purpose": one.purpose, "recipient": one.recipient, "reads": list(one.fields),
            "days": one.days, "hands_over": list(one.identifiers), "format": one.format, "until": one.until.isoformat(),
            "products_left_out": self.left_out, "refusals": [vars(refusal) for refusal in self.refusals],
        }  # fmt: skip


def build_request(definition: Definition, today: date, actor: str) -> ReadRequest:
    """The read that chooses: purchases, and nothing of who anybody is."""
    start = today - timedelta(days=definition.days - 1)
    end = today + timedelta(days=1)
    return ReadRequest(actor, definition.purpose, definition.recipient, definition.fields, start, end)


def door_request(definition: Definition, today: date, actor: str) -> ReadRequest:
    """What passes the door: by what the platform finds somebody, and nothing of what was bought."""
    end = today + timedelta(days=1)
    return ReadRequest(actor, definition.purpose, definition.recipient, definition.identifiers, today, end)


def check(definition: Definition, programme: Programme, rules: Rulebook, shelf: Shelf, today: date, due: bool) -> Checked:
    """Everything that stands against a definition on a day. `due`: somebody says who is due."""
    refusals = [
        *_use(definition, programme, rules, today),
        *_goods(definition, shelf),
        *_name(definition),
        *_times(definition, rules, today),
    ]
    if not due and any(isinstance(leaf, Due) for leaf in definition.leaves):
        refusals.append(
            Refusal.of("AUD012", "nobody here says when people are due", "Use `lapsed`, or wire a source of what is due.")
        )
    every = tuple(dict.fromkeys(goods for leaf in definition.leaves for goods in _of(leaf)))
    return Checked(definition, tuple(refusals), sum(shelf.left_out(goods) for goods in every))


def _use(definition: Definition, programme: Programme, rules: Rulebook, today: date) -> Iterator[Refusal]:
    purpose = programme.purposes.get(definition.purpose)
    if purpose is None:
        there = [one.id for one in programme.purposes.values() if _is_for_lists(one)]
        remedy = f"Use one of: {', '.join(there) or 'none is declared'}."
        yield Refusal.of("AUD001", f"the purpose {definition.purpose!r} is not declared", remedy)
        return
    if not _is_for_lists(purpose):
        yield Refusal.of(
            "AUD001", f"{purpose.id!r} hands nobody to a platform by a yes to exactly that",
            "A purpose for lists rests on consent, delivers persons, and covers purchase-audience or another kind of list.",
        )  # fmt: skip
    try:
        recipient = programme.recipient(definition.recipient).id
    except NotFound as unknown:
        yield Refusal.of("AUD002", unknown.what, unknown.remedy)
        return
    if recipient not in purpose.recipients:
        yield Refusal.of("AUD002", f"{recipient!r} is no recipient of {purpose.id!r}", f"It has: {', '.join(purpose.recipients)}.")
    told = _told(purpose, rules, recipient, today)
    for rule, fields, allowed, what in (
        ("AUD003", definition.fields, purpose.fields & told, "read to choose people"),
        ("AUD004", definition.identifiers, purpose.leaving & told, "handed over"),
    ):
        beyond = sorted(set(fields) - allowed)
        if beyond:
            yield Refusal.of(
                rule, f"people were not told that this may be {what}: {', '.join(beyond)}",
                f"The purpose {purpose.id!r} and its text name: {', '.join(sorted(allowed)) or 'nothing'}.",
            )  # fmt: skip
    kept = [name for name in definition.identifiers if programme.categories[programme.fields[name].category].store != "vault"
            ] if set(definition.identifiers) <= set(programme.fields) else []  # fmt: skip
    if kept:
        yield Refusal.of("AUD004", f"what was bought does not leave: {', '.join(kept)}", "Name what a platform finds people by.")
    yield from _gate(definition, rules, today)


def _gate(definition: Definition, rules: Rulebook, today: date) -> Iterator[Refusal]:
    """What the gate itself would say, where nothing above has said it in more words."""
    for request in (build_request(definition, today, "check"), door_request(definition, today, "check")):
        verdict = decide_request(request, rules, today)
        for reason in () if verdict.allowed else verdict.reasons:
            if reason.startswith("no text in force") and not _told_by_one_text(request, rules, today):
                yield Refusal.of("AUD003", reason, "Publish a text that names them all: volens check, volens texts.")


def _told_by_one_text(request: ReadRequest, rules: Rulebook, today: date) -> bool:
    """Whether some text in force names recipient and fields: then only the days are too many, which AUD009 says."""
    return any(
        text.valid(today) and request.recipient in text.recipients and set(request.fields) <= text.fields
        for text in rules[request.purpose].texts.values()
    )


def _is_for_lists(purpose: Purpose) -> bool:
    return purpose.basis is Basis.CONSENT and purpose.delivers is Delivery.PERSONS and bool(KINDS & set(purpose.covers))


def _told(purpose: Purpose, rules: Rulebook, recipient: str, today: date) -> frozenset[str]:
    """The fields that some text in force names for a recipient."""
    texts = [text for text in rules[purpose.id].texts.values() if text.valid(today) and recipient in text.recipients]
    return frozenset().union(*(text.fields for text in texts))


def _of(leaf: Leaf) -> tuple[Goods, ...]:
    return (leaf.of, leaf.within) if isinstance(leaf, Share) else (leaf.of,)


def _goods(definition: Definition, shelf: Shelf) -> Iterator[Refusal]:
    said: dict[Goods, Sequence[str]] = {}
    for leaf, positive in walk(definition.who):
        for goods in _of(leaf):
            if goods not in said:
                said[goods] = shelf.words(goods)
                yield from _one(goods, said[goods], shelf)
        lacking = sensitive.about(said[leaf.of], sensitive.LACKS)
        if lacking is not None and _lacks(leaf, positive):
            yield Refusal.of(
                "AUD007", f"not buying {_called(leaf.of)} can tell of {lacking.told}",
                "Take it out; whoever buys it may be asked for, whoever does not may not.", lacking.article,
            )  # fmt: skip
        if isinstance(leaf, Share) and _least_share(leaf, positive) >= RATHER_NOT:
            rest = sensitive.about(shelf.beside(leaf.of, leaf.within), sensitive.LACKS)
            if rest is not None:
                yield Refusal.of(
                    "AUD007", f"buying next to nothing of {_called(leaf.within)} but {_called(leaf.of)} can tell of {rest.told}",
                    f"Ask for a share below {RATHER_NOT} %, or name a whole without it.", rest.article,
                )  # fmt: skip
        if isinstance(leaf, Share) and (shelf.mask(leaf.of) & ~shelf.mask(leaf.within)).any():
            said_so = f"{_called(leaf.of)} is no part of {_called(leaf.within)}"
            yield Refusal.of("AUD011", said_so, "Name a whole that holds the part.")
    for one in sensitive.COMBINATIONS:
        held = [(first, second) for first, second in permutations(said, 2)
                if sensitive.tells(said[first], one.first) and sensitive.tells(said[second], one.second)]  # fmt: skip
        if held:
            both = " and ".join(_called(goods) for goods in held[0])
            yield Refusal.of("AUD006", f"{both} together can tell of {one.told}", "Keep one of the two.")


def _one(goods: Goods, words: Sequence[str], shelf: Shelf) -> Iterator[Refusal]:
    for kind, name, near in shelf.unknown(goods):
        remedy = f"Did you mean {near}?" if near else "Check it."
        yield Refusal.of("AUD011", f"the catalogue has no {name!r} among its {kind}", remedy)
    matter = sensitive.about(words)
    if matter is not None:
        yield Refusal.of(
            "AUD005", f"{_called(goods)} can tell of {matter.told}", "Take it out: here even a yes does not help.", matter.article
        )
    elif shelf.rows(goods).any() and not shelf.mask(goods).any():
        yield Refusal.of("AUD005", f"every product of {_called(goods)} can tell of something private", "Take it out.")


def _lacks(leaf: Leaf, positive: bool) -> bool:
    """Whether somebody can be in it for buying none of it, or none any more."""
    if isinstance(leaf, Due):
        return not positive  # whoever never buys it is not due either
    if isinstance(leaf, Lapsed):
        return positive
    if isinstance(leaf, Bought):
        return not positive
    return not positive or leaf.at_least == 0 if isinstance(leaf, Share) else not positive or leaf.at_least > 0


def _least_share(leaf: Share, positive: bool) -> int:
    """The least per cent that somebody may make of some goods and be in it, above what is next to nothing."""
    if positive:
        return leaf.at_least
    return leaf.at_most if leaf.at_least == 0 else 0


def _called(goods: Goods) -> str:
    return "everything" if goods.everything else ", ".join(name for _, name in goods.named())


def _name(definition: Definition) -> Iterator[Refusal]:
    matter = sensitive.about([definition.id.replace("-", " "), *definition.name.values()])
    if matter is not None:
        yield Refusal.of("AUD008", f"its name tells of {matter.told}", "A list is what it is called: name it otherwise.")


def _times(definition: Definition, rules: Rulebook, today: date) -> Iterator[Refusal]:
    rule = rules.get(definition.purpose)
    standing = [text.keep_months for text in rule.texts.values() if text.valid(today)] if rule is not None else []
    months = max((one for one in standing if one is not None), default=None)
    oldest = accepted_from(months, today) if months is not None and None not in standing else None
    if oldest is not None and today - timedelta(days=definition.days - 1) < oldest:
        days = (today - oldest).days + 1
        reason = f"it looks {definition.days} days back; the text names {months} months"
        yield Refusal.of("AUD009", reason, f"Look at most {days} days back.")
    last = today + timedelta(days=UNTIL_DAYS_MAX)
    if months is not None:
        last = min(last, today + timedelta(days=months * 30))
    if not today <= definition.until <= last:
        yield Refusal.of("AUD010", f"it would end on {definition.until}", f"Choose a day from {today} to {last}.")
