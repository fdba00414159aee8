"""What the wallet keeps of contests: that somebody contested, what she wrote and was answered, sealed. The table is in `store`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from volens.wallet.store import contests


@dataclass(frozen=True)
class Contest:
    """Somebody said that a claim of hers is held wrongly."""

    contest: int
    claim: str
    customer: int
    state: str
    due: str
    words: bytes | None
    answer: bytes | None
    seq: int



def add_contest(connection: Connection, one: Contest) -> None:
    """Somebody contests."""
    connection.execute(insert(contests).values(**vars(one)))


def answer_contest(connection: Connection, contest: int, answer: bytes | None, seq: int) -> None:
    """A human answered."""
    connection.execute(
        update(contests).where(contests.c.contest == contest).values(state="answered", answer=answer, seq=seq)
    )


def reseal(connection: Connection, contest: int, words: bytes | None, answer: bytes | None) -> None:
    """The same words under another key."""
    connection.execute(update(contests).where(contests.c.contest == contest).values(words=words, answer=answer))


def forget_words(connection: Connection, customer: int) -> None:
    """Takes away what somebody wrote and was answered; that she contested stays."""
    connection.execute(update(contests).where(contests.c.customer == customer).values(words=None, answer=None))


def contests_where(connection: Connection, *, customer: int | None = None, claim: str | None = None) -> list[Contest]:
    """Contests of somebody, about a claim, or all of them; oldest first."""
    query = select(contests).order_by(contests.c.contest)
    if customer is not None:
        query = query.where(contests.c.customer == customer)
    if claim is not None:
        query = query.where(contests.c.claim == claim)
    return [Contest(**row) for row in connection.execute(query).mappings()]
