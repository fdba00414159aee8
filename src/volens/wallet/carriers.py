"""Who brings payouts to people: a port, and files for a bank (ISO 20022 pain.001.001.09) as the implementation that is here.

What a carrier promises: what `write` takes is durable when it returns; the same run again replaces what was written and is never
a second order, since message and transfers carry the same numbers; it says no to a currency that it cannot carry before anything
moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from sepaxml import SepaTransfer

from volens.errors import BadInput, NotNow
from volens.evidence.durable import write_durably
from volens.wallet.iban import BankAccount, is_bic, plain

SCHEMA = "pain.001.001.09"
DESCRIPTION_MAX = 140


@dataclass(frozen=True)
class Payer:
    """The account from which a house pays."""

    name: str
    iban: str = field(repr=False)
    bic: str

    def __post_init__(self) -> None:
        BankAccount(self.name, plain(self.iban))
        if not is_bic(self.bic):
            raise BadInput("This names no bank.", "Give the BIC of the bank, of 8 or 11 characters.")


@dataclass(frozen=True)
class Transfer:
    """Money to one account."""

    number: int
    to: BankAccount
    cents: int


@dataclass(frozen=True)
class Order:
    """The transfers of one run."""

    run: str
    currency: str
    day: date
    at: datetime
    transfers: tuple[Transfer, ...] = field(repr=False)
    description: str


class PayoutCarrier(Protocol):
    """Brings payouts to people. What it promises stands above."""

    def require(self, currency: str) -> None:
        """`NotNow` if it cannot carry this currency, or not yet."""

    def write(self, order: Order) -> str:
        """Takes an order over; where it is now. Durable when it returns; the same again is no second order."""


class SepaFiles:
    """Files that somebody of the house gives to its bank."""

    def __init__(self, folder: Path, payer: Payer | None) -> None:
        self._folder, self._payer = folder, payer

    def require(self, currency: str) -> None:
        if currency != "EUR":
            raise NotNow(f"A transfer within the single euro payments area is in euros, not in {currency}.", "Use another carrier.")
        self._from()

    def write(self, order: Order) -> str:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # nobody else reads what is written aside in it
        target = self._folder / f"{order.run}.xml"
        write_durably(target, written(order, self._from()))
        target.chmod(0o600)
        return target.name

    def _from(self) -> Payer:
        if self._payer is None:
            raise NotNow("This house has no account to pay from.", "Write [payouts] into volens.toml: docs/wallet.md.")
        return self._payer


def written(order: Order, payer: Payer) -> bytes:
    """An order as a file for a bank, valid by its schema. The same order gives the same bytes."""
    made = _Numbered(order, {
        "name": payer.name, "IBAN": plain(payer.iban), "BIC": payer.bic, "batch": True, "currency": order.currency,
    })  # fmt: skip
    for one in order.transfers:
        made.add_payment({
            "name": one.to.name, "IBAN": one.to.iban, "amount": one.cents, "execution_date": order.day,
            "description": order.description[:DESCRIPTION_MAX], "endtoend_id": f"{order.run}-{one.number}",
        })  # fmt: skip
    content: bytes = made.export(validate=True)
    return content


class _Numbered(SepaTransfer):  # type: ignore[misc]
    """The library's file, with numbers and a time that follow from the order in place of random ones."""

    def __init__(self, order: Order, payer: dict[str, Any]) -> None:
        self._order = order
        super().__init__(payer, schema=SCHEMA, clean=True)

    def _create_header(self) -> None:
        super()._create_header()
        self._put("MsgId", self._order.run)
        self._put("CreDtTm", self._order.at.strftime("%Y-%m-%dT%H:%M:%S"))

    def _finalize_batch(self) -> None:
        super()._finalize_batch()
        self._put("PmtInfId", self._order.run)

    def _put(self, name: str, value: str) -> None:
        for node in self._xml.iter(name):
            node.text = value


def transfers_of(found: Sequence[tuple[int, BankAccount, int]]) -> tuple[Transfer, ...]:
    """(number, account, cents) as transfers."""
    return tuple(Transfer(number, to, cents) for number, to, cents in found)
