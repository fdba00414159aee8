"""Offers and licences as flows: what an act says that it needs to know and what a licence names, against what was really taken.

Rules:
1. What is named is what the version in force names; what may be used, what any version names that somebody accepted.
2. What was taken is counted in the tables of those who took it: participations, acts, invitations, signals, payouts, uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.offering import version_store
from volens.offering.registry import document
from volens.offering.workflow import FORCE, REPLACED
from volens.offers.document import Kind as Act
from volens.offers.document import Licence, Offer, Uses
from volens.told import reward_store as store
from volens.told.flows import Flow, Kind

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from volens.offering.version_store import Version

BY_ACT: Mapping[Act, Uses] = {Act.ORDER: Uses.ORDERS, Act.SURVEY: Uses.ANSWERS, Act.REFERRAL: Uses.INVITATION}
"""What is known of somebody by counting an act of each kind."""


def offers(connection: Connection, today: date) -> Iterator[Flow]:
    """What the act of each offer needs to know, and what was ever known for it."""
    taken = store.taken(connection)
    for name, versions in _accepted(connection).items():
        newest, since = versions[-1][1], _since(connection, versions[-1][0], today)
        used = dict[str, int]()
        for what, times in taken.get(name, {}).items():
            item = BY_ACT.get(newest.act.kind, Uses.ACCOUNT) if what == store.ACTS else Uses(what)
            used[item] = used.get(item, 0) + times
        told = frozenset(str(use) for _, one in versions for use in one.act.uses)
        flow = Flow(Kind.OFFER, name, None, frozenset(str(use) for use in newest.act.uses), used, since)
        yield replace(flow, unexplained=frozenset(used) - told, last=today if used else None)


def licences(connection: Connection, today: date) -> Iterator[Flow]:
    """What each licence names (things, purposes, media), and what was ever put to use."""
    taken = store.published(connection)
    for name, versions in _accepted(connection).items():
        licensed = [(version, one.licence) for version, one in versions if one.licence is not None]
        if not licensed:
            continue
        used = taken.get(name, {})
        told = frozenset(word for _, one in licensed for word in _words(one))
        since = _since(connection, licensed[-1][0], today)
        flow = Flow(Kind.LICENCE, f"{name}/licence", None, _words(licensed[-1][1]), used, since)
        yield replace(flow, unexplained=frozenset(used) - told, last=today if used else None)


def _accepted(connection: Connection) -> dict[str, list[tuple[Version, Offer]]]:
    """By offer: the versions that are or were in force, the newest last."""
    found: dict[str, list[tuple[Version, Offer]]] = {}
    for one in version_store.all_versions(connection):
        if one.state in (FORCE, REPLACED):
            found.setdefault(one.offer, []).append((one, document(connection, one)))
    return {name: sorted(versions, key=lambda each: each[0].version) for name, versions in found.items()}


def _since(connection: Connection, version: Version, today: date) -> date:
    row = log.one(connection, EVENTS, version.number)
    return date.fromisoformat(row.day) if row is not None and row.day is not None else today


def _words(licence: Licence) -> frozenset[str]:
    return frozenset(str(one) for one in (*licence.items, *licence.purposes, *licence.media))
