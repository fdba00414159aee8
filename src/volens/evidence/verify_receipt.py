"""Checks a receipt: what somebody chose, with its place in the record. Steps, never exceptions.

    format        volens-receipt/1
    record        what was chosen, in the core fields of ISO/IEC TS 27560 (see docs/receipts.md)
    event         the entry of the log `events`, and `private`: its sealed rest with the salt that opens the commitment
    row           only for an entry that stands for many rows: this row and its path in the entry's small tree
    proof         the entry's path to the signed state of `events`
    public        the entry of the log `public` that commits to that state, its salt, its path and the signed state of `public`
    text          the entry of `public` that fixed the text, and its path to the same state
    consistency   proofs that the states continue older ones, for whoever asked

Every field of `record` that the entry holds must be the entry's; the verifier leaves no room for a friendlier wording.
Only the standard library, `cryptography` and the files beside it: copied beside the stand-alone verifier.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

if __package__:
    from volens.evidence import merkle
    from volens.evidence.container import HASH, Broken, read_hashes, read_json, shown
    from volens.evidence.verdict import RECEIPT, Found, State, Step, included, signed_state, state_of, take
else:  # copied into a folder: the other files lie beside this one, also where Python was told to ignore it
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import merkle  # type: ignore[import-not-found, no-redef]
    from container import HASH, Broken, read_hashes, read_json, shown  # type: ignore[import-not-found, no-redef]
    from verdict import RECEIPT, Found, State, Step, included, signed_state, state_of, take  # type: ignore[import-not-found, no-redef]

RECEIPT_FORMAT = "volens-receipt/1"
RECEIPT_BYTES_MAX = 1024 * 1024
PROOFS_MAX = 64
DPV_STATUS = {
    "requested": "ConsentRequested",
    "deferred": "ConsentRequestDeferred",
    "refused": "ConsentRefused",
    "given": "ConsentGiven",
    "renewed": "RenewedConsentGiven",
    "withdrawn": "ConsentWithdrawn",
    "revoked": "ConsentRevoked",
    "objected": "ConsentWithdrawn",
    "notified": "ConsentGiven",
    "joined": "ConsentGiven",
    "expired": "ConsentExpired",
    "invalidated": "ConsentInvalidated",
}
"""What each kind of choice is called in `event_state`: the table of `permissions.state`, which this file cannot import."""


def check_receipt(stored: bytes) -> Found:
    """All that a receipt says of itself."""
    if len(stored) > RECEIPT_BYTES_MAX:
        return Found(RECEIPT, (Step("receipt", False, "it is larger than a receipt may be"),))
    try:
        receipt = read_json(stored, "the receipt")
        if receipt.get("format") != RECEIPT_FORMAT:
            raise Broken(f"its format is not {RECEIPT_FORMAT}")
        parts = {name: _object(receipt, name) for name in ("record", "event", "proof", "public", "text")}
        key, house, address = (_word(receipt, name) for name in ("key", "house", "address"))
        events = _state(parts["proof"], receipt, "events")
        public = _state(parts["public"], receipt, "public")
    except Broken as broken:
        return Found(RECEIPT, (Step("receipt", False, str(broken)),))
    name = parts["record"].get("record_id")
    found = Found(RECEIPT, (), name if isinstance(name, str) else "", key, (events, public), address)
    entry = parts["event"]
    steps = [
        Step("receipt", True, f"of {shown(house)}, {len(stored) / 1024:,.0f} kB"),
        take("told", lambda: _check_told(receipt, parts, house)),
        take("text", lambda: _check_text(receipt, parts, public)),
        take("inclusion", lambda: _in_tree(entry, "events", parts["proof"], events)),
        take("commitment", lambda: _check_commitment(parts["public"], events, public)),
        take("signature", lambda: _check_signatures(events, public, key, house)),
    ]
    return replace(found, steps=tuple(steps))


def _check_told(receipt: dict[str, Any], parts: dict[str, dict[str, Any]], house: str) -> str:
    """The record's fields against the entry, and its private part against the commitment."""
    event, record = parts["event"], parts["record"]
    said, place = _said(receipt, event)
    private = _opened(receipt.get("private"), said)
    words = {
        "record_id": f"{house}/events/{event.get('seq')}{place}",
        "pii_principal_id": str(said.get("customer")),
        "language": private.get("language"),
        "collection_method": private.get("surface"),
    }
    purposes, happened = record.get("purposes"), record.get("event")
    if not (isinstance(purposes, list) and len(purposes) == 1 and isinstance(purposes[0], dict)):
        raise Broken("the record does not name exactly one purpose")
    if not (isinstance(happened, list) and len(happened) == 1 and isinstance(happened[0], dict)):
        raise Broken("the record does not name exactly one event")
    notice = record.get("privacy_notice")
    told = {
        **{name: record.get(name) for name in words},
        "purpose": purposes[0].get("purpose"),
        "privacy_notice": notice.get("id") if isinstance(notice, dict) else None,
        "event_type": happened[0].get("event_type"),
        "event_state": happened[0].get("event_state"),
        "event_time": happened[0].get("event_time"),
        "entity_id": happened[0].get("entity_id"),
    }
    words |= {
        "purpose": said.get("purpose"),
        "privacy_notice": said.get("text"),
        "event_type": said.get("kind"),
        "event_state": _state_named(said.get("kind")),
        "event_time": private.get("at", said.get("day")),
        "entity_id": private.get("actor"),
    }
    wrong = sorted(name for name in words if told[name] != words[name])
    if wrong:
        raise Broken(f"the record says something else than the log's entry in: {', '.join(wrong)}")
    return f"{shown(said.get('kind'))}, {shown(said.get('purpose'))}, for {_whom(said)}, {shown(words['event_time'])}"


def _whom(said: dict[str, Any]) -> str:
    return "all that the text names" if said.get("recipient") == "*" else shown(said.get("recipient"))


def _state_named(kind: Any) -> str | None:
    return DPV_STATUS.get(kind) if isinstance(kind, str) else None


ENDED_BY_TIME = ("expired", "invalidated")
"""Nobody said these, so nothing is sealed about how; their commitment is chance alone, so that no leaf can be guessed."""


def _opened(private: Any, event: dict[str, Any]) -> dict[str, Any]:
    """The private part, if it is the one that the entry commits to."""
    commitment = event.get("commitment")
    if private is None and (commitment is None or event.get("kind") in ENDED_BY_TIME):
        return {}
    if not isinstance(private, dict) or not isinstance(private.get("value"), dict) or not _is_hash(private.get("salt")):
        raise Broken("the private part of the entry, or its salt, is missing")
    try:
        opened = sha256(bytes.fromhex(private["salt"]) + merkle.canonical_json(private["value"])).hexdigest()
    except (ValueError, RecursionError):
        raise Broken("the private part holds something that an entry never holds") from None
    if opened != commitment:
        raise Broken("the private part is not the one that the log's entry commits to")
    value: dict[str, Any] = private["value"]
    return value


def _said(receipt: dict[str, Any], event: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What was said, and its place in the entry: the entry itself, or one of the rows under the root in its detail."""
    given = receipt.get("row")
    detail = event.get("detail")
    if not isinstance(detail, dict):
        raise Broken("the log's entry has no detail")
    if given is None:
        if event.get("customer") is None:
            raise Broken("the log's entry stands for many rows, and the receipt does not say which")
        return event, ""
    if not isinstance(given, dict) or not _is_hash(detail.get("root")):
        raise Broken("the row, or the root of the entry's rows, cannot be read")
    row, place, rows = _object(given, "entry"), given.get("place"), detail.get("rows")
    try:
        leaf = merkle.leaf_hash(merkle.canonical_json(row))
    except (ValueError, RecursionError):
        raise Broken("the row holds something that a row never holds") from None
    root = bytes.fromhex(detail["root"])
    path = read_hashes(given, "path")
    if not isinstance(place, int) or not isinstance(rows, int) or not merkle.verify_inclusion(leaf, place, rows, path, root):
        raise Broken("the row is not one of those that the log's entry stands for")
    return row, f"/{place}"


def _check_text(receipt: dict[str, Any], parts: dict[str, dict[str, Any]], public: State) -> str:
    """The text's entry in the public log: its words' hash, fields and recipients are those of the record."""
    text, record, event = parts["text"], parts["record"], _said(receipt, parts["event"])[0]
    entry = _object(text, "entry")
    _in_tree(entry, "public", text, public)
    detail = _object(entry, "detail")
    if entry.get("kind") != "text" or detail.get("text") != event.get("text"):
        raise Broken("the public log's entry is not about this text")
    notice, purposes, language = record.get("privacy_notice"), record.get("purposes"), record.get("language")
    purpose = purposes[0] if isinstance(purposes, list) and purposes else None
    bodies = detail.get("bodies")
    if not isinstance(notice, dict) or not isinstance(purpose, dict) or not isinstance(bodies, dict):
        raise Broken("the record does not say which text was shown")
    if notice.get("sha256") != (bodies.get(language) if isinstance(language, str) else None):
        raise Broken("the hash of the text's words is not the one on the public record")
    whom = detail.get("recipients") if event.get("recipient") == "*" else [event.get("recipient")]
    if purpose.get("recipient_third_parties") != whom or purpose.get("pii_information") != detail.get("fields"):
        raise Broken("recipients or fields are not those of the text on the public record")
    return f"{shown(detail['text'])}, {len(detail.get('recipients') or [])} recipients"


def _check_commitment(public: dict[str, Any], events: State, state: State) -> str:
    """The public log holds a salted commitment to the state of `events`, so that the one cannot be rewritten without the other."""
    entry = _object(public, "entry")
    said = _in_tree(entry, "public", public, state)
    if entry.get("kind") != "checkpoint" or not _is_hash(public.get("salt")):
        raise Broken("the public log's entry is not about a state of the other log")
    opened = sha256(bytes.fromhex(public["salt"]) + merkle.canonical_json({"checkpoint": events.checkpoint.text})).hexdigest()
    if opened != entry.get("commitment"):
        raise Broken("the public log commits to another state than the receipt shows")
    return said


def _check_signatures(events: State, public: State, key: str, house: str) -> str:
    signed_state(events.note, key, f"volens/{house}/events")
    return signed_state(public.note, key, f"volens/{house}/public")


def _in_tree(entry: dict[str, Any], tree: str, proof: dict[str, Any], state: State) -> str:
    """The entry of a tree under its signed state."""
    index = proof.get("index")
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise Broken("the proof does not say where its entry is")
    if entry.get("tree") != tree:
        raise Broken(f"the entry is not of the log {tree}")
    return included(entry, index, read_hashes(proof, "inclusion"), state)


def _state(part: dict[str, Any], receipt: dict[str, Any], tree: str) -> State:
    """The signed state of one tree, with whatever shows that it continues older ones."""
    state = state_of(_word(part, "checkpoint"))
    if state is None:
        raise Broken(f"the signed state of {tree} cannot be read")
    given = receipt.get("consistency", [])
    if not isinstance(given, list) or len(given) > PROOFS_MAX or not all(isinstance(one, dict) for one in given):
        raise Broken("the proofs of consistency cannot be read")
    proofs = {}
    for one in given:
        size = one.get("from")
        if one.get("tree") == tree and isinstance(size, int) and not isinstance(size, bool):
            proofs[size] = read_hashes(one, "proof")
    return replace(state, proofs=proofs)


def _object(found: dict[str, Any], name: str) -> dict[str, Any]:
    value = found.get(name)
    if not isinstance(value, dict):
        raise Broken(f"there is no {name} in it")
    return value


def _word(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise Broken(f"there is no {name} in it")
    return value


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and HASH.fullmatch(value) is not None
