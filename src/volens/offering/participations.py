"""Taking part: one person, one accepted version, one country, one round of the act. In the caller's transaction.

Rules:
1. The order is that of the events: each step takes the head row of `events` first and reads what stands after that.
2. Joining reserves the whole reward, so that whoever does the act is paid; ending undone gives it back.
3. An act counts once by its key. At the last one the reward is earned: the version that was accepted says how much, and when.
4. An act that is taken back before the reward is paid opens the participation again, with a reward reserved anew. After that
   nothing is taken back; it is counted, for staff.
5. A licence or a permission is never looked at here.
"""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.offering import store, version_store
from volens.offering.registry import accepted
from volens.offering.rules import counting
from volens.offering.store import Act, Participation
from volens.offering.workflow import DONE, GONE, OPEN, TAKING_PART
from volens.offers.document import Offer
from volens.wallet import claims
from volens.wallet.claims import Reason

if TYPE_CHECKING:
    from sqlalchemy import Connection

JOINED, ACTED, COMPLETED = "offer-joined", "offer-acted", "offer-completed"
UNDONE, LATE, LEFT = "offer-act-undone", "offer-act-late", "offer-left"
KINDS = {OPEN: (JOINED, ACTED, UNDONE), DONE: (COMPLETED, LATE), GONE: (LEFT, UNDONE)}
"""The events that lead to each state, or leave it."""
COUNTED, TAKEN_BACK, TOO_LATE = "counted", "undone", "late"
"""States of an act."""
KEY_MAX = 200
WHY = frozenset({"left", "over"})
"""Why a participation ends undone: its person left, or nothing can be counted any more."""

__all__ = ["Participation", "count", "current", "end", "found_by", "join", "uncount"]


def current(connection: Connection, customer: int, offer: str) -> Participation | None:
    """Somebody's newest open participation in an offer, or none."""
    return store.newest(connection, customer, offer, OPEN)


def join(
    connection: Connection, customer: int, offer: Offer, *, country: str, language: str, terms: str, key: str, on: date
) -> Participation:
    """Takes somebody in under a version and reserves its reward. Whether she may was asked before, in this transaction.

    terms: SHA-256 of the words that she read. `NotNow` if the budget is given out.
    """
    detail = {"offer": offer.id, "version": offer.version, "country": country, "language": language, "terms": terms}
    id = log.append(connection, EVENTS, [Event(JOINED, customer=customer, day=on, detail=detail)])
    day = on.isoformat()
    one = Participation(
        id, customer, offer.id, offer.version, country, language, offer.act.times, 0, OPEN, f"participation:{id}", day, day, "",
        0, 0, id,
    )  # fmt: skip
    claims.reserve(connection, _promise(one, offer, one.claim), day=on)
    store.add(connection, one, digest(f"{customer}/{key}"))
    store.add_count(connection, one, day[:7], "joined")
    return one


def count(
    connection: Connection, participation: Participation, key: str, *, on: date, held: Reason | None = None,
    today: date | None = None,
) -> Participation:  # fmt: skip
    """One act counted, once by its key; at the last one the reward is earned, and held if `held` says why.

    `on`: the legal day of the act; `today`, if it is reported later. `NotNow` with the reasons if it does not count.
    """
    log.lock(connection, EVENTS)
    one = there(connection, participation.id)
    place = found_by(one.offer, key)
    if store.act(connection, place) is not None:
        return one
    offer, today = accepted(connection, one.offer, one.version), today or on
    where = version_store.country(connection, one.offer, one.country)
    counting(one, offer, where, on, today).require(f"It does not count for {one.offer}.")
    done = one.done + 1
    happened = [_event(ACTED, one, on, done=done)]
    if done == one.times:
        happened.append(_event(COMPLETED, one, on, claim=one.claim))
    first = log.append(connection, EVENTS, happened)
    store.keep_act(connection, place, Act(one.id, one.customer, on.isoformat(), COUNTED, first))
    store.add_count(connection, one, on.isoformat()[:7], "acts")
    values: dict[str, Any] = {"done": done, "moved": on.isoformat(), "seq": first + len(happened) - 1}
    if done == one.times:
        matures = on + timedelta(days=offer.reward.due_days)
        claims.earn(
            connection, one.claim, one.customer, earned=on, matures=matures, voucher_days=offer.reward.voucher_days,
            why=str(offer.act.kind), held=held, day=today,
        )  # fmt: skip
        values |= {"state": DONE, "matures": matures.isoformat()}
        store.add_count(connection, one, on.isoformat()[:7], "done")
    return _change(connection, one, values)


def uncount(connection: Connection, participation_id: int, key: str, reason: Reason, *, on: date | None = None) -> None:
    """Takes an act back: a refund, a return, a fraud that a person confirmed. Twice is once.

    Before the reward is paid, it is reversed, and the participation is open again, with a reward reserved. After that nothing
    happens to it: the act stands as `late`, counted for staff. `NotFound` for an act that was never counted.
    """
    log.lock(connection, EVENTS)
    one, place = there(connection, participation_id), found_by(there(connection, participation_id).offer, key)
    act = store.act(connection, place)
    if act is None or act.participation != one.id:
        raise NotFound("No act was counted by this key.", "Send the key with which it was reported.")
    if act.state != COUNTED:
        return
    day = on or date.fromisoformat(one.moved)
    if one.state == DONE:
        try:
            claims.reverse(connection, one.claim, reason, day=day)
        except NotNow:
            seq = log.append(connection, EVENTS, [_event(LATE, one, day)])
            _mark(connection, one, place, act, TOO_LATE, seq)
            store.add_count(connection, one, day.isoformat()[:7], "late")
            _change(connection, one, {"seq": seq})
            return
    values: dict[str, Any] = {"done": one.done - 1, "moved": day.isoformat()}
    seq = log.append(connection, EVENTS, [_event(UNDONE, one, day, done=one.done - 1)])
    if one.state == DONE:
        values |= {"state": OPEN, "matures": "", "claim": f"participation:{one.id}:{seq}"}
        promise = _promise(one, accepted(connection, one.offer, one.version), str(values["claim"]))
        claims.reserve(connection, promise, day=day)
        store.add_count(connection, one, day.isoformat()[:7], "reopened")
    _mark(connection, one, place, act, TAKEN_BACK, seq)
    _change(connection, one, {**values, "seq": seq})


def end(connection: Connection, participation_id: int, why: str, *, on: date) -> Participation:
    """A participation ends undone: its person left, or nothing can be counted any more. The reward goes back to the budget.
    Twice is once; `NotNow` for one whose reward is earned."""
    log.lock(connection, EVENTS)
    one = there(connection, participation_id)
    if one.state == GONE:
        return one
    if GONE not in TAKING_PART[one.state] or why not in WHY:
        raise NotNow("The reward is earned; nothing is left to leave.", "What is earned stays.")
    claims.give_back(connection, one.claim, day=on)
    seq = log.append(connection, EVENTS, [_event(LEFT, one, on, why=why)])
    store.add_count(connection, one, on.isoformat()[:7], "ended")
    return _change(connection, one, {"state": GONE, "moved": on.isoformat(), "seq": seq})


def there(connection: Connection, id: int) -> Participation:
    """A participation by its number; `NotFound` if there is none."""
    found = store.by_id(connection, id)
    if found is None:
        raise NotFound("There is no such participation.", "Its person was erased, or it never was.")
    return found


def found_by(offer: str, key: str) -> bytes:
    """What an act is found by: its key is not kept."""
    if not key or len(key) > KEY_MAX:
        raise BadInput("An act has a key by which it counts once.", f"Send 1 to {KEY_MAX} characters.")
    return digest(f"{offer}/{key}")


def digest(words: str) -> bytes:
    """SHA-256."""
    return hashlib.sha256(words.encode()).digest()


def _promise(one: Participation, offer: Offer, key: str) -> claims.Promise:
    return claims.Promise(key, one.offer, one.version, one.country, offer.currency, offer.reward.amount)


def _event(kind: str, one: Participation, on: date, **said: Any) -> Event:
    return Event(kind, customer=one.customer, day=on, detail={"participation": one.id, "offer": one.offer, **said})


def _mark(connection: Connection, one: Participation, place: bytes, act: Act, state: str, seq: int) -> None:
    store.keep_act(connection, place, Act(one.id, one.customer, act.day, state, seq))


def _change(connection: Connection, one: Participation, values: dict[str, Any]) -> Participation:
    store.change(connection, one.id, **values)
    return Participation(**{**vars(one), **values})
