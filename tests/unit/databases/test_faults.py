"""A database that fails in the middle: the caller is told `Unavailable`, nothing is half done, and the next try works."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from tests.support.shop import Shop

from volens.audit.replay import check_choices_and_uses
from volens.audit.report import Report
from volens.errors import Unavailable
from volens.evidence import log
from volens.evidence.log import EVENTS, Event


def kept(shop: Shop) -> int:
    """How many events there are; they and what follows from them must agree."""
    with shop.records.reading() as connection:
        report = Report()
        check_choices_and_uses(connection, report)
        assert report.ok, report.to_text()
        assert log.count(connection, EVENTS) == log.size(connection, EVENTS)
        return log.count(connection, EVENTS)


def works(shop: Shop, customer: int) -> None:
    before = kept(shop)
    shop.say(customer, "withdrawn")
    assert kept(shop) == before + 1


def write(shop: Shop, customer: int, meanwhile: Callable[[Connection], object]) -> None:
    """One event, and something that happens before its commit."""
    with shop.records.writing() as connection:
        log.append(connection, EVENTS, [Event("given", customer=customer)])
        meanwhile(connection)


def is_sqlite(shop: Shop) -> bool:
    return shop.records.name == "sqlite"


def test_a_connection_that_is_cut_in_mid_transaction(shop: Shop) -> None:
    if is_sqlite(shop):
        pytest.skip("SQLite has no connection to cut")
    (customer,) = shop.people(1)
    before = kept(shop)
    with pytest.raises(Unavailable):
        write(shop, customer, lambda connection: (_cut(shop, connection), connection.execute(text("select 1"))))
    assert kept(shop) == before
    works(shop, customer)


def _cut(shop: Shop, connection: Connection) -> None:
    backend = connection.execute(text("select pg_backend_pid()")).scalar_one()
    with shop.records.writing() as other:
        other.execute(text("select pg_terminate_backend(:backend)"), {"backend": backend})


def test_a_connection_that_is_cut_before_the_commit(shop: Shop) -> None:
    """The last statement was answered; the commit is not."""
    if is_sqlite(shop):
        pytest.skip("SQLite has no connection to cut")
    (customer,) = shop.people(1)
    before = kept(shop)
    with pytest.raises(Unavailable):
        write(shop, customer, lambda connection: _cut(shop, connection))
    assert kept(shop) == before
    works(shop, customer)


def test_a_statement_that_takes_too_long(shop: Shop) -> None:
    if is_sqlite(shop):
        pytest.skip("SQLite has no statement timeout")
    (customer,) = shop.people(1)
    before = kept(shop)
    slowly = text("set local statement_timeout = 20; select pg_sleep(5)")
    with pytest.raises(Unavailable):
        write(shop, customer, lambda connection: connection.execute(slowly))
    assert kept(shop) == before
    works(shop, customer)


def _on_new_connections(shop: Shop, pragma: str) -> None:
    @event.listens_for(shop.records.engine, "connect")
    def on_connect(raw: Any, _record: Any) -> None:
        raw.execute(pragma)

    shop.records.engine.dispose()  # the next statement opens a new one


def test_a_full_disk(shop: Shop) -> None:
    if not is_sqlite(shop):
        pytest.skip("a full disk is made with SQLite's page limit")
    (customer,) = shop.people(1)
    before = kept(shop)
    with shop.records.reading() as connection:
        pages = connection.execute(text("pragma page_count")).scalar_one()
    _on_new_connections(shop, f"pragma max_page_count={pages}")
    with pytest.raises(Unavailable), shop.records.writing() as connection:
        log.append(connection, EVENTS, [Event("given", customer=customer, detail={"long": "x" * 100_000})])
    assert kept(shop) == before
    _on_new_connections(shop, "pragma max_page_count=1000000")
    works(shop, customer)


def test_a_database_that_somebody_else_holds(shop: Shop) -> None:
    if not is_sqlite(shop):
        pytest.skip("on PostgreSQL writers queue")
    (customer,) = shop.people(1)
    before = kept(shop)
    _on_new_connections(shop, "pragma busy_timeout=20")
    holder = sqlite3.connect(shop.folder / "records.db", isolation_level=None)
    holder.execute("begin immediate")
    with pytest.raises(Unavailable):
        shop.say(customer, "given")
    holder.execute("rollback")
    holder.close()
    assert kept(shop) == before
    works(shop, customer)


def test_a_watch_sees_what_was_committed_and_connects_anew_after_a_failure(shop: Shop) -> None:
    watch = shop.records.watch()
    assert watch.rows("select ? + 1", [1]) == [(2,)]
    with pytest.raises(Unavailable):
        watch.rows("select nothing from nowhere")
    with shop.records.writing() as connection:
        connection.execute(text("create table watched (number integer)"))
        connection.execute(text("insert into watched values (7)"))
    assert watch.rows("select number from watched") == [(7,)]
    watch.close()
    watch.close()
    assert watch.rows("select number from watched") == [(7,)], "and after it was closed"
    watch.close()
