"""The wallet as the house hands it out (`house.wallet`)."""

from __future__ import annotations

from datetime import date

from volens.clock import Clock, legal_day
from volens.holders import Database
from volens.wallet import claims
from volens.wallet.store import Budget


class Wallet:
    """Durable when a method returns."""

    def __init__(self, records: Database, clock: Clock, country: str) -> None:
        self._records, self._clock, self._country = records, clock, country

    def set_budget(self, offer: str, country: str, cents: int, currency: str, *, by: str) -> Budget:
        """Gives an offer its budget in a country. `NotNow` for less than what was promised already."""
        with self._records.writing() as connection:
            return claims.set_budget(connection, offer, country, cents, currency, by=by, day=self._today())

    def budget_left(self, offer: str, country: str) -> tuple[int, str] | None:
        """What may still be promised, and its currency; none where no budget was given."""
        with self._records.reading() as connection:
            return claims.budget_left(connection, offer, country)

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._country)
