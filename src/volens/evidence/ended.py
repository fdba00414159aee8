"""What has ended whatever anybody permits: texts that were invalidated, flows that were closed.

A flow is a purpose and a recipient. It is closed when more went there than people were told, and opened again by a person.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from volens.evidence.log import EVENTS, TEXT_INVALIDATED, events

FLOW_CLOSED, FLOW_OPENED = "flow-closed", "flow-opened"
"""`log.RULES` looks for both, so that whoever answers from memory notices."""
KINDS = (TEXT_INVALIDATED, FLOW_CLOSED, FLOW_OPENED)


@dataclass(frozen=True)
class Ended:
    """What counts no more."""

    texts: frozenset[str]
    flows: frozenset[tuple[str, str]]
    """(purpose, recipient)."""


def ended(connection: Connection) -> Ended:
    """The texts that were invalidated, and the flows that are closed, as this transaction sees them."""
    query = select(events.c.kind, events.c.text, events.c.purpose, events.c.recipient)
    query = query.where(events.c.tree == EVENTS, events.c.kind.in_(KINDS)).order_by(events.c.seq)
    texts, flows = set[str](), set[tuple[str, str]]()
    for kind, text, purpose, recipient in connection.execute(query):
        if kind == TEXT_INVALIDATED:
            texts.add(str(text))
        elif kind == FLOW_CLOSED:
            flows.add((str(purpose), str(recipient)))
        else:
            flows.discard((str(purpose), str(recipient)))
    return Ended(frozenset(texts), frozenset(flows))


def anything_ended(connection: Connection, since: int) -> bool:
    """Whether a text or a flow ended, or a flow was opened again, at seq ≥ `since`."""
    query = select(events.c.seq).where(events.c.tree == EVENTS, events.c.kind.in_(KINDS), events.c.seq >= since)
    return connection.execute(query.limit(1)).first() is not None
