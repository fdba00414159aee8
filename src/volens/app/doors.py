"""Wires what leaves the house and what is measured: delivery and doorways (which carrier, which purpose messages rest on, which
purposes make up each group), audiences, marketing messages, campaigns, sponsored products."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from volens.audiences.activation import Activation
from volens.audiences.building import Building
from volens.audiences.due import OwnRhythm
from volens.audiences.files import Folder
from volens.audiences.registry import Registry
from volens.audiences.removals import Removals
from volens.audiences.station import Audiences
from volens.campaigns.station import Campaigns
from volens.centre.standing import GROUPS, group_of
from volens.clock import Clock, legal_day
from volens.databases.connect import SqlDatabase
from volens.delivery.carriers import LocalOutbox, MailServer
from volens.delivery.message import Carrier
from volens.delivery.station import Delivery, Service
from volens.doorways.lines import Lines
from volens.doorways.links import Links
from volens.doorways.refusing import Refusing
from volens.doorways.station import Doorways
from volens.doorways.yearly import Yearly
from volens.engines.chooser import PolarsChooser
from volens.engines.spending import PolarsSpending
from volens.errors import NotFound
from volens.gate.barrier import Barrier
from volens.gate.reads import Gate
from volens.identity.contacts import Contacts
from volens.identity.keys import LocalKeys
from volens.identity.vault import Identified, Vault
from volens.ingest.sources import known_mappings
from volens.ingest.store import BatchRecords
from volens.licensing.giving import Giving
from volens.licensing.station import Licences
from volens.messaging.noes import Noes
from volens.messaging.sending import Sending
from volens.messaging.station import Marketing
from volens.messaging.suppression import Suppression
from volens.offering.station import Offering
from volens.offering.workflow import LAUNCHED, RESUMING
from volens.permissions.ledger import Ledger
from volens.permissions.minors import Minors
from volens.programme.calling import calling
from volens.programme.model import Basis, Programme
from volens.purchases import catalogue
from volens.referring.station import Referring
from volens.rulebooks import rulebook, terms
from volens.settings import Settings
from volens.sponsored.station import Sponsored
from volens.told.machines import machines
from volens.told.rewards import licences as licences_taken
from volens.told.rewards import offers
from volens.told.station import Told
from volens.wallet import words
from volens.wallet.carriers import Payer, SepaFiles
from volens.wallet.leaving import Leaving
from volens.wallet.out_store import Payout
from volens.wallet.sealing import Envelope
from volens.wallet.station import Wallet, in_silence

if TYPE_CHECKING:
    from sqlalchemy import Connection

SERVICE_USE = "rights-handling"
"""What the purpose covers on which messages to a person about her own choices rest."""


def delivery(
    settings: Settings, programme: Programme, records: SqlDatabase, vault: Vault, barrier: Barrier, keys: LocalKeys, clock: Clock
) -> Delivery:
    """The outbox of a house, with the carrier that its settings name."""
    return Delivery(
        records, vault, Contacts(records, vault), barrier, carrier(settings, programme), keys.mac, clock, programme.country,
        service(programme), settings.web_address,
    )  # fmt: skip


def carrier(settings: Settings, programme: Programme) -> Carrier:
    """A mail server if the settings name one, else the local outbox. The programme must know the entity that carries."""
    if not settings.mail_server:
        return LocalOutbox()
    if settings.mail_recipient:
        programme.recipient(settings.mail_recipient)
    return MailServer.of(settings.mail_server, settings.mail_from, settings.mail_recipient or None)


def service(programme: Programme) -> Service | None:
    """The purpose, and its controller, for messages to people about their own choices."""
    for purpose in programme.purposes.values():
        if purpose.basis is Basis.LEGAL_OBLIGATION and SERVICE_USE in purpose.covers:
            return Service(purpose.id, purpose.controller)
    return None


def groups(programme: Programme) -> dict[str, frozenset[str]]:
    """The purposes that people decide about, by the group in which the permission centre shows them."""
    found: dict[str, set[str]] = {name: set() for name in GROUPS}
    for purpose in programme.purposes.values():
        if purpose.basis in (Basis.CONSENT, Basis.LEGITIMATE_INTEREST):
            found[group_of(purpose, programme)].add(purpose.id)
    return {name: frozenset(purposes) for name, purposes in found.items() if purposes}


def doorways(
    settings: Settings, programme: Programme, today: date, records: SqlDatabase, vault: Vault, keys: LocalKeys, ledger: Ledger,
    out: Delivery, clock: Clock,
) -> Doorways:  # fmt: skip
    """The doorways of a house over its outbox."""
    made: list[Doorways] = []
    address, of_today = settings.web_address, terms(programme, today)
    links = Links(
        records, vault, keys.seal_intake, keys.open_intake, keys.mac, out, clock, programme.name, address, lambda: made[0].nudge()
    )
    refusing = Refusing(
        records, ledger, of_today, out, clock, programme.country, programme.name, address, groups(programme)
    )
    yearly = Yearly(records, programme, rulebook(programme), out, Lines(address), clock, lambda customer: made[0].first(customer))
    made.append(
        Doorways(records, vault, vault, keys.mac, out, links, refusing, yearly, clock, programme.country, address)
    )
    return made[0]


def campaigns(settings: Settings, programme: Programme, records: SqlDatabase, gate: Gate, clock: Clock) -> Campaigns:
    """The campaigns of a house."""
    return Campaigns(
        records, gate, PolarsSpending(), programme, rulebook(programme), lambda: catalogue.read(settings.purchases).products, clock
    )


def audiences(
    settings: Settings, programme: Programme, records: SqlDatabase, vault: Vault, gate: Gate, barrier: Barrier, keys: LocalKeys,
    clock: Clock,
) -> Audiences:  # fmt: skip
    """The audiences of a house. Who is due follows from each customer's own rhythm."""
    country, folder, rules = programme.country, Folder(settings.lists), rulebook(programme)
    building = Building(
        records, gate, PolarsChooser(), lambda: catalogue.read(settings.purchases).products, clock, country, keys.mac, OwnRhythm()
    )
    activation = Activation(records, gate, barrier, Contacts(records, vault), keys, folder, clock, country, keys.mac)
    return Audiences(
        records, programme, rules, Registry(records, vault, clock, country), building, activation,
        Removals(records, gate, programme, keys, folder, clock), clock,
    )  # fmt: skip


def sponsored(
    settings: Settings, programme: Programme, records: SqlDatabase, vault: Vault, gate: Gate, barrier: Barrier, ledger: Ledger,
    keys: LocalKeys, clock: Clock,
) -> Sponsored:  # fmt: skip
    """The sponsored products of a house."""
    return Sponsored(
        records, gate, barrier, ledger, programme, rulebook(programme), vault, keys.mac, settings.purchases, clock, vault.found_by
    )


def wallet(
    settings: Settings, programme: Programme, records: SqlDatabase, vault: Vault, keys: LocalKeys, out: Delivery, clock: Clock
) -> Wallet:
    """The wallet of a house. `BadInput` if the account that it pays from cannot be one."""
    payer = Payer(**settings.payer) if settings.payer else None

    def told(one: Payout) -> Callable[[Connection], object]:
        try:
            letter = out.prepare(words.failed(one, words.money(one.cents, one.currency, one.language), settings.web_address))
        except NotFound:  # erased meanwhile: whoever holds the code sees it on the page
            return in_silence(one)
        return lambda connection: out.queue(connection, letter)

    carrier = SepaFiles(settings.payouts, payer)
    return Wallet(records, vault, keys.mac, carrier, clock, programme.country, programme.name, told)


def before_erasure(
    programme: Programme, records: SqlDatabase, vault: Vault, keys: LocalKeys, clock: Clock
) -> Callable[[int, str], None]:
    """What is made of somebody while her key is there: hashes of her addresses, tickets for what is published of her, and a
    bearer's code for what is owed to her."""
    listed = suppression(programme, records, vault, keys, clock)
    of_today = terms(programme, legal_day(clock.now(), programme.country))
    giving = Giving(records, vault, clock, Minors(of_today.ages, of_today.texts))
    leaving = Leaving(records, Envelope(vault, keys.mac), clock, programme.country)

    def first(customer: int, why: str) -> None:
        listed.remember(customer, why)
        giving.withdraw_all(customer)
        leaving.settle(customer)

    return first


class Known(Contacts):
    """The vault as those see it who are asked about a person by what she is known by, and write to her."""

    def known(self, kind: str, values: Sequence[str]) -> Mapping[str, Identified]:
        """Those of some references that lead to somebody."""
        return self.vault.known(kind, values)


def suppression(programme: Programme, records: SqlDatabase, vault: Vault, keys: LocalKeys, clock: Clock) -> Suppression:
    """The list of addresses that are not written to."""
    return Suppression(records, Contacts(records, vault), keys.mac, programme.messages, clock, programme.country)


def messages(
    settings: Settings, programme: Programme, records: SqlDatabase, vault: Vault, barrier: Barrier, ledger: Ledger, keys: LocalKeys,
    clock: Clock,
) -> Marketing:  # fmt: skip
    """The gateway of a house for marketing messages."""
    finder, listed = Known(records, vault), suppression(programme, records, vault, keys, clock)
    sending = Sending(
        records, finder, barrier, listed, programme, rulebook(programme), keys.mac, calling(), clock, settings.web_address
    )
    noes = Noes(records, finder, ledger, listed, keys.mac, programme.messages, programme.country, programme.languages[0])
    return Marketing(records, programme, sending, noes, listed, calling(), clock)


def offering(
    settings: Settings, programme: Programme, records: SqlDatabase, vault: Vault, out: Delivery, clock: Clock, purses: Wallet
) -> Offering:
    """The offers of a house in use; the wallet's pages call them by their names."""
    controllers = [one.legal_name for one in programme.controllers.values()]
    made = Offering(records, out, clock, programme.country, programme.name, settings.web_address, vault.find, controllers)
    purses.names = made.name
    return made


def licences(
    programme: Programme, records: SqlDatabase, vault: Vault, out: Delivery, ledger: Ledger, clock: Clock, soon: Doorways
) -> Licences:
    """The licences of a house in use; `soon` delivers what they write to people."""
    return Licences(records, vault, out, ledger.minors, clock, programme.country, soon.address, soon.nudge)


STOPPED = {
    "fr": "Nous avons utilisé plus que ce qui était dit. Nous vérifions.",
    "en": "More was used than had been told. We are looking into it.",
}
"""Why an offer stops by itself, as people read it."""


def told(programme: Programme, records: SqlDatabase, clock: Clock, offers_in_use: Offering) -> Told:
    """What people were told against what is used: of purposes, feeds, machines, offers and licences."""

    def stop(offer: str) -> None:
        for one in offers_in_use.countries(offer):
            if one.state in (LAUNCHED, RESUMING):
                offers_in_use.suspend(offer, one.country, STOPPED, by="volens told")

    feeds = BatchRecords(records)
    return Told(records, programme, clock, lambda: known_mappings(feeds.mappings()), (machines, offers, licences_taken), stop)


def referring(
    programme: Programme, records: SqlDatabase, vault: Vault, keys: LocalKeys, clock: Clock, purses: Wallet
) -> Referring:
    """The invitations of a house; what they hold in a wallet is contested on their own page."""
    made = Referring(records, vault, Known(records, vault), vault.find, keys.mac, clock, programme.country)
    purses.decided_by(made.holds)
    return made
