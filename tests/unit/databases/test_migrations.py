"""The migrations make exactly the tables that the stations declare, on both databases."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData

from volens.access import machine_store, session_store
from volens.asking import store as asking_store
from volens.audiences import kept_out
from volens.audiences import store as audience_store
from volens.campaigns import store as campaigns_store
from volens.databases import lease
from volens.databases.connect import SqlDatabase
from volens.databases.migrate import at_head, upgrade
from volens.delivery import store as delivery_store
from volens.devices import store as device_store
from volens.doorways import store as doorways_store
from volens.evidence import groups, log
from volens.followers import store as followers_store
from volens.gate import leases
from volens.gate import store as gate_store
from volens.identity import links
from volens.identity import store as identity_store
from volens.ingest import mended
from volens.ingest import store as intake_store
from volens.insights import accountant
from volens.licensing import store as licensing_store
from volens.messaging import store as messaging_store
from volens.offering import store as offering_store
from volens.offering import version_store as offer_versions
from volens.permissions import counts as choice_counts
from volens.permissions import imports, parents
from volens.permissions import store as permissions
from volens.publishing import counts as publishing_counts
from volens.publishing import store as publishing_store
from volens.purchases import arrivals, queue
from volens.referring import signal_store
from volens.referring import store as referring_store
from volens.releases import store as release_store
from volens.reminding import left_store
from volens.reminding import store as reminding_store
from volens.sponsored import store as sponsored_store
from volens.wallet import store as wallet_store

DECLARED = (
    left_store.metadata,
    reminding_store.metadata,
    sponsored_store.metadata,
    wallet_store.metadata,
    licensing_store.metadata,
    messaging_store.metadata,
    referring_store.metadata,
    signal_store.metadata,
    offering_store.metadata,
    offer_versions.metadata,
    log.metadata,
    identity_store.metadata,
    permissions.metadata,
    groups.metadata,
    parents.metadata,
    links.metadata,
    imports.metadata,
    gate_store.metadata,
    audience_store.metadata,
    kept_out.metadata,
    device_store.metadata,
    accountant.metadata,
    release_store.metadata,
    intake_store.metadata,
    mended.metadata,
    lease.metadata,
    queue.metadata,
    arrivals.metadata,
    leases.metadata,
    machine_store.metadata,
    session_store.metadata,
    publishing_store.metadata,
    publishing_counts.metadata,
    campaigns_store.metadata,
    choice_counts.metadata,
    followers_store.metadata,
    asking_store.metadata,
    delivery_store.metadata,
    doorways_store.metadata,
)


def test_the_migrated_records_are_what_the_stations_declare(records: SqlDatabase) -> None:
    together = MetaData()
    for metadata in DECLARED:
        for table in metadata.tables.values():
            table.to_metadata(together)
    with records.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": lambda name, kind, _: kind != "table" or name != "alembic_version"}
        )
        assert compare_metadata(context, together) == []


def test_the_customer_keys_are_in_a_store_of_their_own(key_store: SqlDatabase) -> None:
    with key_store.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": lambda name, kind, _: kind != "table" or name != "alembic_version"}
        )
        assert compare_metadata(context, identity_store.keys_metadata) == []


def test_upgrading_twice_changes_nothing(records: SqlDatabase) -> None:
    upgrade(records, "records")
    assert at_head(records, "records")
