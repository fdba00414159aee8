"""What changed for a follower since a position: derived from the ledger each time, in one snapshot.

Rules:
1. A page says how things stand at its own position for everybody about whom something was recorded in a stretch of events. A
   customer in a later stretch comes again; what is said last holds.
2. Who never permitted a purpose to a recipient is in no page for it. A no is told of somebody whose yes it may have acted on.
3. Not every end of a yes is an event about its person: another programme, a text that was invalidated or whose day has come.
   These change the rules' mark in the cursor, and the page says `resync`: fetch the permitted set anew; who is not in it is no.
   The rows that a sweep writes afterwards still come one by one.
4. Cards and e-mails stand beside a yes alone, and only where the accepted text names that field. A card that moves, closes or
   is taken back brings both its people into a page.
5. A cursor carries a check under the house's key: a follower acknowledges what it was given, and nothing further.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from volens.errors import BadInput
from volens.evidence.groups import GROUPS
from volens.evidence.log import EVENTS, size
from volens.evidence.merkle import canonical_json
from volens.followers import store
from volens.followers.store import Follower, Happened
from volens.gate.policy import FREE_OF_CHOICE, YES, ReadRequest, Rulebook, decide, notified_until, usable_texts
from volens.holders import Keys
from volens.identity.pseudonyms import Pseudonyms
from volens.permissions import store as permissions
from volens.permissions.state import Permission

if TYPE_CHECKING:
    from sqlalchemy import Connection

PAGE = 500
PAGE_MOST = 5_000
STRETCH = 100_000
"""Events looked through for one page: a follower of a rare purpose pages through a busy year without waiting for any page."""
ERASED = "erased"
TOUCHING = frozenset({"linked", "unlinked", "account-closed", "account-opened", "retired"})
"""Events that change by which cards and e-mails somebody is known, and nothing about purposes."""
FIELD_OF = {"card": "card_number", "email": "email"}
CHECK_DIGITS = 12
MARK_DIGITS = 8


class References(Protocol):
    """Where customers' cards and e-mails are opened."""

    def of(
        self, connection: Connection, customers: Collection[int], kinds: Collection[str]
    ) -> Mapping[int, Mapping[str, list[str]]]:
        """The open cards and e-mails of some customers, by customer and kind."""


@dataclass(frozen=True)
class Cursor:
    """Everything below `seq` is dealt with, under the rules that have this mark."""

    seq: int
    rules: str


@dataclass(frozen=True)
class Change:
    """How one customer and purpose stand for a follower. `seq` is the newest event in this page's stretch that is about them."""

    seq: int
    customer: int
    pseudonym: str
    purpose: str
    permitted: bool
    permitted_from: date | None = None
    """Somebody was told, and may object until the day before; no further change announces that day."""
    erased: bool = False
    references: Mapping[str, list[str]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As it is sent. The customer's number stays in the house."""
        return {
            "type": "permission",
            "customer": self.pseudonym,
            "purpose": self.purpose,
            "permitted": self.permitted,
            "seq": self.seq,
            **({"permitted_from": self.permitted_from.isoformat()} if self.permitted_from else {}),
            **({"erased": True} if self.erased else {}),
            **({"references": {kind: list(values) for kind, values in self.references.items()}} if self.references else {}),
        }


@dataclass(frozen=True)
class Page:
    """Changes up to a cursor, as they stand at `position`. With `more`, the next page can be asked for at once."""

    changes: tuple[Change, ...]
    resync: bool
    after: Cursor
    position: int
    more: bool


class Feed:
    """Makes pages for followers."""

    def __init__(self, keys: Keys, pseudonyms: Pseudonyms, references: References) -> None:
        self._keys, self._pseudonyms, self._references = keys, pseudonyms, references

    def page(
        self, connection: Connection, follower: Follower, rules: Rulebook, today: date, after: Cursor, limit: int = PAGE
    ) -> Page:
        """The next changes after a cursor. `rules` are those in force in this snapshot."""
        position = size(connection, EVENTS)
        if after.seq > position:
            raise BadInput("This cursor lies ahead of the ledger.", "Fetch the permitted set, and go on from its cursor.")
        mark = rules_mark(rules, follower, today)
        end = min(position, after.seq + STRETCH)
        known_by = frozenset(kind for kind, name in FIELD_OF.items() for one in follower.purposes if _names(rules, one, name))
        touching = {ERASED} | (TOUCHING if known_by else frozenset())
        found = store.happened(connection, after.seq, end, follower.purposes, follower.recipient, touching, limit)
        if len(found) == limit:
            end = found[-1].seq + 1
        rows = self._rows(connection, follower, found)
        found, end = _until(found, end, limit, rows)
        changes = self._standing(connection, follower, rules, today, self._candidates(follower, found, rows), known_by)
        return Page(tuple(changes), mark != after.rules, Cursor(end, mark), position, end < position)

    def write(self, name: str, cursor: Cursor) -> str:
        """A cursor as a follower gets it."""
        return f"{cursor.seq}-{cursor.rules}-{self._check(name, cursor)}"

    def read(self, name: str, written: str) -> Cursor:
        """A cursor that this follower was given. `BadInput` for any other."""
        parts = written.split("-")
        if len(parts) == 3 and parts[0].isascii() and parts[0].isdigit() and len(parts[0]) < 19:
            cursor = Cursor(int(parts[0]), parts[1])
            if hmac.compare_digest(parts[2].encode(), self._check(name, cursor).encode()):
                return cursor
        raise BadInput("This follower was never given this cursor.", "Send a cursor exactly as it came.")

    def _check(self, name: str, cursor: Cursor) -> str:
        return self._keys.mac("follower-cursor", f"{name}/{cursor.seq}/{cursor.rules}".encode()).hex()[:CHECK_DIGITS]

    def _rows(self, connection: Connection, follower: Follower, found: Sequence[Happened]) -> dict[int, list[tuple[int, str]]]:
        seqs = [one.seq for one in found if one.kind in GROUPS]
        by_seq: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for seq, customer, purpose in store.rows_of_groups(connection, seqs, follower.purposes, follower.recipient):
            by_seq[seq].append((customer, purpose))
        return by_seq

    def _candidates(
        self, follower: Follower, found: Iterable[Happened], rows: Mapping[int, list[tuple[int, str]]]
    ) -> dict[tuple[int, str], tuple[int, str]]:
        """(customer, purpose) → (newest seq, what it was): a word, a touch, or an erasure."""
        wanted: dict[tuple[int, str], tuple[int, str]] = {}
        for one in found:
            if one.kind in GROUPS:
                about, why = rows.get(one.seq, []), "word"
            elif one.kind == ERASED or one.kind in TOUCHING:
                people = {one.customer, json.loads(one.detail).get("from")} - {None}
                about = [(int(who), purpose) for who in people for purpose in follower.purposes if who]
                why = ERASED if one.kind == ERASED else "touch"
            else:
                about, why = [(int(one.customer or 0), str(one.purpose))], "word"
            for key in about:
                before = wanted.get(key, (0, "touch"))[1]
                wanted[key] = (one.seq, ERASED if ERASED in (before, why) else "word" if "word" in (before, why) else "touch")
        return wanted

    def _standing(
        self, connection: Connection, follower: Follower, rules: Rulebook, today: date,
        wanted: Mapping[tuple[int, str], tuple[int, str]], known_by: Collection[str],
    ) -> list[Change]:  # fmt: skip
        """How everybody wanted stands, without those of whom this follower must not hear."""
        rows = {
            (row.customer, row.purpose): row
            for row in permissions.of_customers(connection, {who for who, _ in wanted}, follower.purposes)
            if row.recipient == follower.recipient
        }
        allowed = {key: allows(follower, rows.get(key), key[1], rules, today) for key in wanted}
        once: dict[str, set[int]] = {}
        for purpose in follower.purposes:
            asked = [who for (who, what), yes in allowed.items() if what == purpose and not yes and wanted[who, what][1] != "touch"]
            once[purpose] = ever_permitted(connection, follower, rules, purpose, asked)
        told = [key for key in wanted if allowed[key] or key[0] in once[key[1]]]
        names = dict(zip(told, self._pseudonyms.many(follower.recipient, [who for who, _ in told]), strict=True))
        opened = self._references.of(connection, {who for who, what in told if allowed[who, what]}, known_by) if known_by else {}
        changes = [
            Change(
                seq=wanted[key][0],
                customer=key[0],
                pseudonym=names[key],
                purpose=key[1],
                permitted=allowed[key],
                permitted_from=None if allowed[key] else _from(follower, rows.get(key), rules, today),
                erased=wanted[key][1] == ERASED,
                references=_named(opened.get(key[0], {}), rows.get(key), rules) if allowed[key] else {},
            )
            for key in told
        ]
        return sorted(changes, key=lambda one: (one.seq, one.pseudonym))


def rules_mark(rules: Rulebook, follower: Follower, today: date) -> str:
    """What today's rules say of a follower's purposes, as a few digits: another mark means that anybody's yes may have ended."""
    said: dict[str, Any] = {}
    for purpose in follower.purposes:
        request = request_of(follower, purpose, rules, today)
        rule = rules.get(purpose)
        covered = usable_texts(request, rule, today) if request is not None and rule is not None else ()
        said[purpose] = [rule.basis, rule.waiting_days, rule.renew_months, list(covered)] if rule is not None else None
    return hashlib.sha256(canonical_json(said)).hexdigest()[:MARK_DIGITS]


def request_of(follower: Follower, purpose: str, rules: Rulebook, today: date) -> ReadRequest | None:
    """The use that a follower makes of a purpose: all its fields, from today on. None if the programme has no such use."""
    rule = rules.get(purpose)
    if rule is None or follower.recipient not in rule.recipients or rule.basis in FREE_OF_CHOICE:
        return None
    return ReadRequest(follower.name, purpose, follower.recipient, tuple(sorted(rule.fields)), today, today + timedelta(days=1))


def allows(follower: Follower, row: Permission | None, purpose: str, rules: Rulebook, today: date) -> bool:
    """The gate's verdict on a stored permission."""
    request = request_of(follower, purpose, rules, today)
    return request is not None and decide(request, row, rules, today).allowed


def ever_permitted(
    connection: Connection, follower: Follower, rules: Rulebook, purpose: str, customers: Collection[int]
) -> set[int]:
    """Those of some customers whose yes a follower may have acted on: given once, under a text that names its recipient."""
    rule = rules.get(purpose)
    if rule is None or not customers:
        return set()
    texts = [name for name, told in rule.texts.items() if follower.recipient in told.recipients]
    return store.ever_permitted(connection, customers, purpose, follower.recipient, texts)


def _until(
    found: list[Happened], end: int, limit: int, rows: Mapping[int, list[tuple[int, str]]]
) -> tuple[list[Happened], int]:
    """As many events as make at most `limit` entries, and one at least; and where the rest begins."""
    entries = 0
    for place, one in enumerate(found):
        entries += len(rows.get(one.seq, ())) if one.kind in GROUPS else 1
        if entries > limit and place:
            return found[:place], one.seq
    return found, end


def _names(rules: Rulebook, purpose: str, name: str) -> bool:
    return purpose in rules and name in rules[purpose].fields


def _named(references: Mapping[str, list[str]], row: Permission | None, rules: Rulebook) -> dict[str, list[str]]:
    """Those references whose field the accepted text names."""
    if row is None or row.purpose not in rules or row.text not in rules[row.purpose].texts:
        return {}
    told = rules[row.purpose].texts[row.text].fields & rules[row.purpose].fields
    return {kind: list(values) for kind, values in references.items() if FIELD_OF[kind] in told and values}


def _from(follower: Follower, row: Permission | None, rules: Rulebook, today: date) -> date | None:
    """The day from which somebody counts who was told and has not objected."""
    rule = rules.get(row.purpose) if row is not None else None
    if row is None or rule is None or row.kind != "notified" or row.kind not in YES[rule.basis]:
        return None
    if row.day <= notified_until(rule, today):
        return None
    day = row.day + timedelta(days=rule.waiting_days)
    return day if allows(follower, row, row.purpose, rules, day) else None
