"""Decisions in the shape of the OpenID AuthZEN Authorization API 1.0: what a request asks, and what is answered.

    POST /access/v1/evaluation     one question
    POST /access/v1/evaluations    up to 1,000, answered at one position of the ledger

    subject    type: card, email, reference, number or pseudonym; id
    action     name: a purpose
    resource   type: recipient; id; properties.fields (all of the purpose's, if left out), properties.since (the oldest
               purchase that will be used, a day; today's, if left out)

Rules:
1. A request that does not have this shape is `BadInput` (400). One that has it is answered, and what is unknown in it is no.
2. Nobody by that card, and somebody who does not permit, get the same answer: nothing about who is a customer can be learnt.
3. A recipient's machine asks about its own recipient alone; by card or e-mail only for purposes whose fields include it.
4. Every answer says the position that it rests on and a reason, in words that are the same for every customer.
5. Fields that this version does not know are passed over, as the standard asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from volens.errors import BadInput
from volens.gate.policy import ReadRequest
from volens.gate.resident import Asked, Decision
from volens.identity.pseudonyms import Pseudonyms
from volens.programme.model import Programme

MOST_QUESTIONS = 1_000
MOST_CHARACTERS = 512
"""Of a name or value in a request."""
MOST_FIELDS = 100
DIGITS_MOST = 10
ALL, FIRST_NO, FIRST_YES = "execute_all", "deny_on_first_deny", "permit_on_first_permit"
SEMANTICS = (ALL, FIRST_NO, FIRST_YES)
UNKNOWN = "-"
"""Counted for a purpose that the programme does not have: what callers make up is not kept."""
NAMED_BY = {"card": "card_number", "email": "email"}
"""Kinds of subject by which a recipient may ask, and the field that must be the purpose's."""
OF_THE_HOUSE = frozenset({"reference", "number"})


@dataclass(frozen=True)
class Caller:
    """A machine that asks. `recipient` is the legal entity for which it does; none for the house itself."""

    name: str
    recipient: str | None


@dataclass(frozen=True)
class Item:
    """One question of a request: put to the gate, or answered already."""

    purpose: str
    asked: Asked | None
    reason: str = ""
    status: int = 0
    """Of an answer that is an error: 400 for a question that lacks something."""


@dataclass(frozen=True)
class Questions:
    """A request that was understood."""

    items: tuple[Item, ...]
    batch: bool
    semantic: str

    @property
    def asked(self) -> tuple[Asked, ...]:
        """What the gate is asked."""
        return tuple(item.asked for item in self.items if item.asked is not None)


Reader = Callable[[str, str], bytes]
"""What a card, e-mail or reference is found by (`Vault.found_by`)."""


class Reading:
    """Reads requests. Asks no database."""

    def __init__(self, programme: Programme, found_by: Reader, pseudonyms: Pseudonyms) -> None:
        self._programme, self._found_by, self._pseudonyms = programme, found_by, pseudonyms

    def one(self, caller: Caller, body: Any, today: date) -> Questions:
        """The single form. `BadInput` for what is not of the standard's shape."""
        written = _object(body, "The body")
        self._require_whole(written)
        return Questions((self._item(caller, written, {}, today),), False, ALL)

    def many(self, caller: Caller, body: Any, today: date) -> Questions:
        """The batch form; without `evaluations`, or with none in it, it is the single form."""
        written = _object(body, "The body")
        wanted = written.get("evaluations")
        if wanted is None or wanted == []:
            return self.one(caller, body, today)
        if not isinstance(wanted, list):
            raise BadInput("'evaluations' must be a list.", "Send a list of objects.")
        if len(wanted) > MOST_QUESTIONS:
            raise BadInput(f"At most {MOST_QUESTIONS:,} evaluations are answered at once.", "Ask in several requests.")
        options = _object(written.get("options", {}), "'options'")
        semantic = options.get("evaluations_semantic", ALL)
        if semantic not in SEMANTICS:
            raise BadInput("'evaluations_semantic' is not known.", f"Use one of: {', '.join(SEMANTICS)}.")
        for name in ("subject", "action", "resource", "context"):
            if name in written:
                _object(written[name], f"'{name}'")
        return Questions(tuple(self._item(caller, one, written, today) for one in wanted), True, semantic)

    def _require_whole(self, written: Mapping[str, Any]) -> None:
        for name, parts in PARTS.items():
            entity = _object(written.get(name), f"'{name}'")
            for part in parts:
                if not isinstance(entity.get(part), str):
                    raise BadInput(f"'{name}.{part}' must be a text.", "See docs/decisions-api.md for the shape.")
        if "context" in written:
            _object(written["context"], "'context'")

    def _item(self, caller: Caller, one: Any, default: Mapping[str, Any], today: date) -> Item:
        """One question, each of its entities its own or the default; a part that its own lacks is taken from the default."""
        if not isinstance(one, dict):
            return Item(UNKNOWN, None, "an evaluation is an object", 400)
        parts: dict[str, str] = {}
        properties: Mapping[str, Any] = {}
        for name, needed in PARTS.items():
            usual = default.get(name, {})
            entity = one.get(name, usual)
            if not isinstance(entity, dict):
                return Item(UNKNOWN, None, f"{name} must be an object", 400)
            for part in needed:
                value = entity.get(part, usual.get(part))
                if not isinstance(value, str):
                    return Item(UNKNOWN, None, f"{name}.{part} is missing or not a text", 400)
                if len(value) > MOST_CHARACTERS:
                    return Item(UNKNOWN, None, f"{name}.{part} is longer than {MOST_CHARACTERS} characters", 400)
                parts[f"{name}.{part}"] = value
            if name == "resource":
                properties = entity.get("properties", {})
        return self._judge(caller, parts, properties, today)

    def _judge(self, caller: Caller, parts: Mapping[str, str], properties: Any, today: date) -> Item:
        purpose = self._programme.purposes.get(parts["action.name"])
        if purpose is None:
            return Item(UNKNOWN, None, "there is no such purpose")
        recipient = parts["resource.id"]
        if parts["resource.type"] != "recipient" or recipient not in purpose.recipients:
            return Item(purpose.id, None, "there is no such recipient of this purpose")
        if caller.recipient is not None and caller.recipient != recipient:
            return Item(purpose.id, None, "this key asks about its own recipient alone")
        wanted = _details(properties, today)
        if isinstance(wanted, str):
            return Item(purpose.id, None, wanted, 400)
        fields, since = wanted
        who = self._who(caller, parts["subject.type"], parts["subject.id"], purpose.fields, recipient)
        if isinstance(who, str):
            return Item(purpose.id, None, who)
        chosen = tuple(sorted(purpose.fields)) if fields is None else fields
        request = ReadRequest(caller.name, purpose.id, recipient, chosen, since, today + timedelta(days=1))
        return Item(purpose.id, Asked(request, who))

    def _who(
        self, caller: Caller, kind: str, value: str, fields: frozenset[str], recipient: str
    ) -> int | bytes | str:
        """A number (0 for nobody), what a reference is found by, or why this caller may not ask so."""
        if kind == "pseudonym":
            return self._pseudonyms.customer(recipient, value) or 0
        if kind in NAMED_BY and (caller.recipient is None or NAMED_BY[kind] in fields):
            return self._found_by(kind, value)
        if kind in OF_THE_HOUSE and caller.recipient is None:
            if kind == "reference":
                return self._found_by(kind, value)
            number = int(value) if value.isascii() and value.isdigit() and len(value) <= DIGITS_MOST else 0
            return number if number < 1 << 31 else 0
        return "this key cannot ask by this type of subject"


PARTS = {"subject": ("type", "id"), "action": ("name",), "resource": ("type", "id")}
"""The entities of a question, and what each must have."""


def answer(questions: Questions, decisions: Sequence[Decision], told: Callable[[str, bool], None]) -> dict[str, Any]:
    """The body of the response. `told` is called with purpose and verdict of each answer, for counting."""
    found, answers = iter(decisions), list[dict[str, Any]]()
    for item in questions.items:
        if item.asked is None:
            decision, reason, position = False, item.reason, None
        else:
            given = next(found)
            decision, reason, position = given.verdict.allowed, "; ".join(given.verdict.reasons), given.position
        context: dict[str, Any] = {"position": position, "reason_admin": {"en": reason}}
        if item.status:
            context["error"] = {"status": item.status, "message": reason}
        told(item.purpose, decision)
        answers.append({"decision": decision, "context": context})
        if questions.batch and decision is (questions.semantic == FIRST_YES) and questions.semantic != ALL:
            break
    return {"evaluations": answers} if questions.batch else answers[0]


def _details(properties: Any, today: date) -> tuple[tuple[str, ...] | None, date] | str:
    """Fields and oldest day that a resource names, or what is wrong with it."""
    if not isinstance(properties, dict):
        return "resource.properties must be an object"
    fields, since = properties.get("fields"), properties.get("since")
    if fields is not None and not (
        isinstance(fields, list) and 0 < len(fields) <= MOST_FIELDS and all(isinstance(one, str) for one in fields)
    ):
        return f"resource.properties.fields must be a list of 1 to {MOST_FIELDS} texts"
    oldest = today
    if since is not None:
        try:
            oldest = date.fromisoformat(since)
        except (TypeError, ValueError):
            return "resource.properties.since must be a day, as in 2026-01-31"
        if oldest > today:
            return "resource.properties.since must not lie ahead"
    return None if fields is None else tuple(sorted(set(fields))), oldest


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(f"{name} must be an object.", "See docs/decisions-api.md for the shape.")
    return value
