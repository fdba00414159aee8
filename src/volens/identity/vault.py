"""Who the customers are, sealed: accounts, people, and the only place where a pseudonym meets a name.

Rules:
1. Identifiers and contact points are encrypted under a key per customer (AES-256-GCM) and found by keyed hash alone.
2. Customer keys rest wrapped in a store of their own, with its own backups. Destroying one is the first act of erasure.
3. Every card or login is an account; an account belongs to one customer at a time. Numbers are dense and never given again.
4. A new account and its event are one transaction.
5. Only `identity`, `delivery`, `rights` and `app` import this module (import contract).
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, Tampered
from volens.evidence.journeys import insert_rows, rows_about
from volens.evidence.log import EVENTS, append, lock
from volens.holders import Database, Keys, Sealer
from volens.identity.first_links import MOST, FirstLink, told
from volens.identity.keys import HeldKeys, decrypt, encrypt
from volens.identity.people import Lines
from volens.identity.store import (
    FORMER_EMAIL,
    accounts,
    accounts_by,
    count_by_kek,
    customer_keys,
    customers,
    numbers,
    require_new,
    wrap_under,
)

KINDS = ("card", "email", "reference")
"""`reference` is the retailer's own number of a person."""
LOOKUP_CHUNK = 500
"""Hashes asked for in one statement; SQLite's default limit of variables is well above."""
REST_SECONDS = 0.005


class Identified(NamedTuple):
    """Where a reference led: the customer's number and the account's."""

    customer: int
    account: int


class _Account(NamedTuple):
    """An account before it is stored; `new`: its customer is new with it."""

    account: int
    customer: int
    kind: str
    found_by: bytes
    value: bytes
    new: bool


class Vault:
    """Identities, and the keys that seal them. Durable when a method returns."""

    def __init__(self, records: Database, key_store: Database, keys: Keys, clock: Clock, country: str) -> None:
        self._records, self._key_store, self._keys = records, key_store, keys
        self._clock, self._country = clock, country
        self._opened: dict[int, bytes] = {}

    # Finding

    def find(self, kind: str, value: str) -> Identified:
        """The customer behind a card number or an e-mail; `NotFound` tells nothing about the value."""
        with self._records.reading() as connection:
            found = self._lookup(connection, [self.found_by(kind, value)])
        if not found:
            raise NotFound(f"No customer is known by that {kind}.", "Check it, or ingest the customer master first.")
        return next(iter(found.values()))

    def country_of(self, connection: Connection, wanted: Iterable[int]) -> dict[int, str]:
        """The country of each customer that exists; a number that stands for nobody is left out."""
        statement = "select customer, country from customers where customer in (?)"
        return {int(number): str(country) for number, country in rows_about(connection, statement, set(wanted))}

    def person(self, customer: int) -> dict[str, str]:
        """What the vault holds of a person; empty for a card without a person. For delivery and rights."""
        with self._records.reading() as connection:
            line = Lines.read(self.sealed_person(connection, customer)).line
        return dict(line.details) if line is not None else {}

    def sealed_person(self, connection: Connection, customer: int) -> bytes | None:
        """What is sealed of a person, opened (`people.Lines`); none for a card without a person."""
        query = select(customers.c.person).where(customers.c.customer == customer)
        sealed = connection.execute(query).scalar_one_or_none()
        return self.open(customer, bytes(sealed)) if sealed is not None else None

    def count_accounts(self) -> int:
        """How many cards and logins there are."""
        with self._records.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(accounts)).scalar_one())

    # Bringing in

    def identify(self, kind: str, values: Sequence[str]) -> list[Identified]:
        """Gives each reference its customer and account, making new ones for those never seen.

        Returns one entry for each value, in order; the same value twice gives the same entry.
        """
        hashes = self._hashes(kind, values)
        known = self._known(hashes.values())
        missing: dict[bytes, tuple[str, int | None]] = {
            hashed: (value, None) for value, hashed in hashes.items() if hashed not in known
        }
        if missing:
            known |= self._add(kind, missing)
        return [known[hashes[value]] for value in values]

    def known(self, kind: str, values: Sequence[str]) -> dict[str, Identified]:
        """Those of some references that lead to somebody. Makes nothing."""
        hashes = self._hashes(kind, values)
        found = self._known(hashes.values())
        return {value: found[hashed] for value, hashed in hashes.items() if hashed in found}

    def add(self, kind: str, wanted: Sequence[tuple[str, int | None]]) -> dict[str, Identified]:
        """Makes accounts: (value, customer it belongs to, or none for a new customer). One that is there is left as it is."""
        hashes = self._hashes(kind, [value for value, _ in wanted])
        made = self._add(kind, {hashes[value]: (value, owner) for value, owner in reversed(wanted)})
        return {value: made[hashed] for value, hashed in hashes.items()}

    def _require_all(self, connection: Connection, wanted: Iterable[int]) -> None:
        """Raises if one of these was erased since we looked: nothing may be added to somebody who is gone."""
        wanted = set(wanted)
        if len(self.country_of(connection, wanted)) < len(wanted):
            raise NotFound("Somebody was erased while this was taken in.", "Run the same command again.")

    def _add(self, kind: str, wanted: Mapping[bytes, tuple[str, int | None]]) -> dict[bytes, Identified]:
        """New accounts, by what they are found by: (value, customer it belongs to, or none for a new customer).

        Numbers, keys, then the accounts with their events, `MOST` to a transaction. A kill in between leaves numbers that stay
        unused (a gap costs nothing, a number given twice would) and keys that seal nothing.
        """
        rows, found = self._sealed(kind, wanted), dict[bytes, Identified]()
        for start in range(0, len(rows), MOST):
            if start:
                self._records.rest(REST_SECONDS, tidy=True)  # whoever withdraws meanwhile does not wait for all of them
            found |= self._keep(rows[start : start + MOST])
        return found

    def _sealed(self, kind: str, wanted: Mapping[bytes, tuple[str, int | None]]) -> list[_Account]:
        """Gives numbers, makes keys and seals, for accounts that are not stored yet."""
        new_customers = sum(owner is None for _, owner in wanted.values())
        with self._records.writing() as connection:
            lock(connection, EVENTS)  # numbers are given out one writer at a time
            next_customer = _take(connection, "customer", new_customers)
            next_account = _take(connection, "account", len(wanted))
        made = self._make_keys(range(next_customer, next_customer + new_customers))
        held = HeldKeys(made | self.read_keys(owner for _, owner in wanted.values() if owner is not None))
        fresh, rows = iter(made), list[_Account]()
        for account, (found_by, (value, owner)) in enumerate(wanted.items(), next_account):
            customer = owner if owner is not None else next(fresh)
            rows.append(_Account(account, customer, kind, found_by, held.seal(customer, value.encode()), owner is None))
        return rows

    def _keep(self, rows: Sequence[_Account]) -> dict[bytes, Identified]:
        """Stores accounts with their events, in one transaction; what somebody else has added meanwhile is left as it is."""
        found: dict[bytes, Identified] = {}
        while rows:
            try:
                self._keep_once(rows)
                return found | {row.found_by: Identified(row.customer, row.account) for row in rows}
            except IntegrityError:
                there = self._known([row.found_by for row in rows])
                if not there:
                    raise  # not for a card that is there already: trying again would not help
                found |= there
                rows = [row for row in rows if row.found_by not in there]
        return found

    def _keep_once(self, rows: Sequence[_Account]) -> None:
        country, day = self._country, legal_day(self._clock.now(), self._country)
        links = [FirstLink(row.account, row.customer, row.kind, country if row.new else None) for row in rows]
        events = told(links, day)
        with self._records.writing() as connection:
            lock(connection, EVENTS)  # first, so that two intakes with the same cards in another order never wait in a ring
            self._require_all(connection, {row.customer for row in rows if not row.new})
            fresh = [(row.customer, country) for row in rows if row.new]
            if fresh:
                insert_rows(connection, customers, ("customer", "country"), fresh)
            stored = [(row.account, row.customer, row.kind, row.found_by, row.value) for row in rows]
            insert_rows(connection, accounts, ("account", "customer", "kind", "found_by", "value"), stored)
            append(connection, EVENTS, events)

    def misfiled(self, connection: Connection) -> list[tuple[int, str]]:
        """Accounts whose sealed value is not what they are found by, with what is wrong; for the audit.

        A card that leads to somebody else's number puts her purchases under his choices. An account whose customer's key is
        destroyed cannot be opened, and is passed over.
        """
        wrong: list[tuple[int, str]] = []
        stored = connection.execute(select(accounts).order_by(accounts.c.account)).mappings().all()
        for start in range(0, len(stored), 5_000):
            some = stored[start : start + 5_000]
            self.warm({row["customer"] for row in some})
            for row in some:
                if row["customer"] not in self._opened:
                    continue
                try:
                    value = self.open(row["customer"], bytes(row["value"])).decode()
                except (Tampered, UnicodeDecodeError):
                    wrong.append((row["account"], "its sealed value does not open"))
                    continue
                if self._found_by(row["kind"], row["account"], value) != bytes(row["found_by"]):
                    wrong.append((row["account"], "it is found by something else than its own card or e-mail"))
        self.warm(())
        return wrong

    def reveal(self, sealed: Sequence[tuple[int, bytes]]) -> list[bytes | None]:
        """Opens many sealed values of (customer, value), in order. None where the key is destroyed; nothing (b"") where a
        value does not open, which means that it was changed or moved. For the audit."""
        # Keys of this call alone: another thread that reads many at the same time must not take them away.
        held = self.read_keys({customer for customer, _ in sealed})
        found: list[bytes | None] = []
        for customer, value in sealed:
            if customer not in held:
                found.append(None)
                continue
            try:
                found.append(decrypt(held[customer], value, b"customer:%d" % customer))
            except Tampered:
                found.append(b"")
        return found

    # Moving

    def move(self, connection: Connection, account: int, former: int, customer: int) -> None:
        """Gives an account to another customer: its value is sealed anew, under the key of whoever holds it now.

        `NotFound` if one of the two was erased: nothing is moved to or from nobody.
        """
        sealed = connection.execute(select(accounts.c.value).where(accounts.c.account == account)).scalar_one()
        value = self.seal(customer, self.open(former, bytes(sealed)))
        connection.execute(update(accounts).where(accounts.c.account == account).values(customer=customer, value=value))

    def retire_email(self, connection: Connection, customer: int, account: int, day: date) -> None:
        """From now on an e-mail leads to nobody: what it is found by is bound to its old account."""
        sealed = connection.execute(select(accounts.c.value).where(accounts.c.account == account)).scalar_one()
        found_by = self._found_by(FORMER_EMAIL, account, self.open(customer, bytes(sealed)).decode())
        connection.execute(
            update(accounts)
            .where(accounts.c.account == account)
            .values(kind=FORMER_EMAIL, found_by=found_by, closed=day.isoformat())
        )

    def _found_by(self, kind: str, account: int, value: str) -> bytes:
        return self._keys.mac(f"account/{kind}/{account}", _plain(value)) if kind == FORMER_EMAIL else self.found_by(kind, value)

    # Keys and sealing

    def _make_keys(self, fresh: Sequence[int]) -> dict[int, bytes]:
        """A new key for each of these customers, stored wrapped; in their order."""
        made = {customer: secrets.token_bytes(32) for customer in fresh}
        if not made:
            return made
        try:
            with self._key_store.writing() as connection:
                under = wrap_under(connection)
                rows = [(who, self._keys.wrap(key, under)) for who, key in made.items()]
                insert_rows(connection, customer_keys, ("customer", "wrapped"), rows)
        except IntegrityError as error:
            raise Tampered(
                "A customer number would be given twice: the records and the store of customer keys do not belong together.",
                "Nothing was taken in. Restore both from back-ups of the same time, then run: volens audit",
            ) from error
        return made

    def _key(self, customer: int) -> bytes:
        if customer in self._opened:
            return self._opened[customer]
        # Asked of the store every time: another process may have destroyed it a moment ago.
        try:
            return self._keys.unwrap(self._wrapped(customer))
        except Tampered:  # wrapped anew between our look and our key: the second look is at what stands now
            return self._keys.unwrap(self._wrapped(customer))

    def _wrapped(self, customer: int) -> bytes:
        with self._key_store.reading() as connection:
            query = select(customer_keys.c.wrapped).where(customer_keys.c.customer == customer)
            wrapped = connection.execute(query).scalar_one_or_none()
        if wrapped is None:
            raise NotFound("This customer's key is destroyed or was never made.", "Nothing sealed by it can be read.")
        return bytes(wrapped)

    def warm(self, wanted: Iterable[int]) -> None:
        """Reads many keys at once, before a bulk of seals, and forgets all others. With nothing wanted, forgets all."""
        self._opened.clear()
        self._opened.update(self.read_keys(wanted))

    @contextmanager
    def sealer(self, wanted: Iterable[int]) -> Iterator[Sealer]:
        """Seals for some customers, beside other threads that do the same; their keys are forgotten when the block ends."""
        held = HeldKeys(self.read_keys(wanted))
        try:
            yield held
        finally:
            held.keys.clear()

    def read_keys(self, wanted: Iterable[int]) -> dict[int, bytes]:
        """The keys of some customers, read at once and kept nowhere: beside other threads that do the same."""
        missing, found, again = set(wanted), dict[int, bytes](), list[int]()
        if not missing:
            return {}
        statement = "select customer, wrapped from customer_keys where customer in (?)"
        with self._key_store.looking() as connection:
            for customer, wrapped in rows_about(connection, statement, missing):
                try:
                    found[int(customer)] = self._keys.unwrap(bytes(wrapped))
                except Tampered:
                    again.append(int(customer))
        return found | {customer: self._key(customer) for customer in again}

    def seal(self, customer: int, plaintext: bytes) -> bytes:
        """Encrypts under the customer's key; implements `holders.Sealer`."""
        return encrypt(self._key(customer), plaintext, b"customer:%d" % customer)

    def open(self, customer: int, sealed: bytes) -> bytes:
        """Decrypts what `seal` made for this customer, and for no other."""
        return decrypt(self._key(customer), sealed, b"customer:%d" % customer)

    def keyless(self, wanted: Iterable[int]) -> set[int]:
        """Those of `wanted` whose key is not there."""
        listed, there = sorted(set(wanted)), set[int]()
        with self._key_store.reading() as connection:
            for start in range(0, len(listed), LOOKUP_CHUNK):
                some = customer_keys.c.customer.in_(listed[start : start + LOOKUP_CHUNK])
                there |= {int(customer) for (customer,) in connection.execute(select(customer_keys.c.customer).where(some))}
        return set(listed) - there

    def count_by_kek(self) -> dict[str, int]:
        """Customer keys by the id of the key that wraps them; for the audit."""
        with self._key_store.reading() as connection:
            return count_by_kek(connection)

    def destroy_key(self, customer: int) -> bool:
        """The first act of erasure: from here on nothing sealed for this customer can be read. True if there was one."""
        self._opened.pop(customer, None)
        with self._key_store.writing() as connection:
            gone = connection.execute(delete(customer_keys).where(customer_keys.c.customer == customer))
        return gone.rowcount > 0

    def found_by(self, kind: str, value: str) -> bytes:
        """The keyed hash of a card, e-mail or reference, for who looks it up in a snapshot of their own."""
        return self._hashes(kind, [value])[value]

    def _hashes(self, kind: str, values: Sequence[str]) -> dict[str, bytes]:
        """What references are found by, each of them once."""
        if kind not in KINDS:
            raise BadInput(f"There is no account of kind {kind!r}.", f"Use one of: {', '.join(KINDS)}.")
        once = list(dict.fromkeys(values))
        return dict(zip(once, self._keys.macs(f"account/{kind}", map(_plain, once)), strict=True))

    def _known(self, hashes: Iterable[bytes]) -> dict[bytes, Identified]:
        with self._records.reading() as connection:
            return self._lookup(connection, list(hashes))

    def _lookup(self, connection: Connection, hashes: Sequence[bytes]) -> dict[bytes, Identified]:
        found: dict[bytes, Identified] = {}
        for start in range(0, len(hashes), LOOKUP_CHUNK):
            some = hashes[start : start + LOOKUP_CHUNK]
            found.update({key: Identified(who, number) for key, who, number in accounts_by(connection, some)})
        return found


def _plain(value: str) -> bytes:
    """One person must be one customer however a till writes the same card: forms of letters, case and blanks say nothing."""
    return "".join(unicodedata.normalize("NFKC", value).casefold().split()).encode()


def _take(connection: Connection, name: str, how_many: int) -> int:
    """Reserves `how_many` numbers and returns the first. Never gives one twice."""
    query = select(numbers.c.last).where(numbers.c.name == name).with_for_update()
    last = connection.execute(query).scalar_one_or_none()
    if last is None:
        raise Tampered(f"The last number given ({name}) is not on record.", "Nothing was taken in. Run: volens audit")
    if name == "customer":
        require_new(connection, int(last) + 1)
    if how_many:
        connection.execute(update(numbers).where(numbers.c.name == name).values(last=last + how_many))
    if last + how_many >= 2**31:
        raise Tampered("The customer numbers are used up.", "Numbers are 31 bits wide by design.")
    return int(last) + 1
