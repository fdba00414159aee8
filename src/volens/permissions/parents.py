"""Which yeses the holders of parental responsibility gave. No personal data: numbers of events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, insert, select

CHUNK = 500

metadata = MetaData()

parental = Table("parental", metadata, Column("seq", BigInteger, primary_key=True, autoincrement=False))


def note(connection: Connection, seqs: Iterable[int]) -> None:
    """These events are yeses that a parent gave."""
    rows = [{"seq": seq} for seq in seqs]
    if rows:
        connection.execute(insert(parental), rows)


def note_repeated(connection: Connection, repeats: Mapping[int, int]) -> None:
    """What repeats a parent's yes (new seq → the seq that it repeats) is one as well."""
    by_parents = given_by_parents(connection, repeats.values())
    note(connection, [new for new, old in repeats.items() if old in by_parents])


def given_by_parents(connection: Connection, seqs: Iterable[int]) -> set[int]:
    """Those of some events that are yeses of parents."""
    listed, found = sorted(set(seqs)), set[int]()
    for start in range(0, len(listed), CHUNK):
        query = select(parental.c.seq).where(parental.c.seq.in_(listed[start : start + CHUNK]))
        found |= {int(seq) for (seq,) in connection.execute(query)}
    return found


def everything(connection: Connection) -> set[int]:
    """All of them, for the audit."""
    return {int(seq) for (seq,) in connection.execute(select(parental.c.seq))}
