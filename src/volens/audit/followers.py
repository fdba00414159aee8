"""Do followers stand as the events say: whom they follow for, which purposes, and how far each has acknowledged?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from volens.audit.report import Report
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.followers import store
from volens.followers.registry import ACKNOWLEDGED, ADDED, ENDED

if TYPE_CHECKING:
    from sqlalchemy import Connection

FOLLOWERS = "every follower and what it acknowledged is as recorded"


@dataclass(frozen=True)
class _Told:
    """What events say of a follower."""

    recipient: str | None
    purposes: tuple[str, ...]
    webhook: str | None
    secret: int
    since: int
    acknowledged: int
    under: str
    ended: int | None = None


def check_followers(connection: Connection, report: Report) -> None:
    """Replays the events about followers and compares, both ways."""
    told: dict[str, _Told] = {}
    with report.checking(FOLLOWERS) as looked_at:
        for row in log.rows(connection, EVENTS, kinds=[ADDED, ACKNOWLEDGED, ENDED]):
            try:
                said = row.said()
                name = said["follower"]
                if row.kind == ADDED:
                    told[name] = _Told(
                        row.recipient, tuple(said["purposes"]), said["webhook"], said["secret"], row.seq,
                        said["acknowledged"], said["rules"],
                    )  # fmt: skip
                elif row.kind == ACKNOWLEDGED:
                    told[name] = replace(told[name], acknowledged=said["cursor"], under=said["rules"])
                else:
                    told[name] = replace(told[name], ended=row.seq)
            except (ValueError, KeyError, TypeError, AttributeError):
                report.found(FOLLOWERS, f"events {row.seq}", "it cannot be read as it was written")
        stored = {
            one.name: _Told(
                one.recipient, one.purposes, sha256(one.webhook.encode()).hexdigest() if one.webhook else None, one.secret,
                one.since, one.acknowledged, one.under, one.ended,
            )
            for one in store.all_followers(connection, ended=True)
        }  # fmt: skip
        looked_at.append(len(stored))
        for name in sorted(told.keys() | stored.keys()):
            if told.get(name) != stored.get(name):
                report.found(FOLLOWERS, f"followers {name}", "it is not as its events say")
