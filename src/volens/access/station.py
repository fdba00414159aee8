"""The station of who calls, as the house hands it out (`house.access`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from volens.access import providers
from volens.access.machines import Machine, Machines
from volens.access.oidc import OpenID
from volens.access.providers import Provider
from volens.access.sessions import Sessions
from volens.access.signing_in import SigningIn
from volens.access.staff import Opener, Staff
from volens.access.tokens import Tokens
from volens.clock import Clock
from volens.holders import Database, Keys

if TYPE_CHECKING:
    import httpx


class Vault(Opener, Protocol):
    """What knowing who calls needs of the vault."""

    def find(self, kind: str, value: str) -> Any:
        """Customer and account behind a card, an e-mail or a reference; `NotFound` for nobody."""


class Access:
    """Machines, staff, sessions and signing in; see `volens.access` for the rules."""

    def __init__(
        self, records: Database, keys: Keys, vault: Vault, clock: Clock, country: str, recipients: Collection[str], house: str,
        sign_in: Mapping[str, Any],
    ) -> None:  # fmt: skip
        """`house` signs tokens by its name; `sign_in` is what the settings say of providers."""
        self.machines = Machines(records, keys, clock, country, recipients)
        self.tokens = Tokens(self.machines, keys, clock, house)
        self.staff = Staff(records, keys, vault, clock, country)
        self.sessions = Sessions(records, keys, clock)
        self._keys, self._clock, self._vault = keys, clock, vault
        self.signing_in = self._with(providers.read(sign_in), None)

    def trust(self, ours: Mapping[str, Provider], http: httpx.Client | None = None) -> None:
        """Signs in with these providers from now on, in place of those that are set: for a development server."""
        self.signing_in = self._with(ours, http)

    def go_on_from(self, before: Access) -> None:
        """Signs in with the providers of the edition before this one, whoever they were set by."""
        self.signing_in = before.signing_in

    def bearer(self, shown: str, address: str | None) -> Machine | None:
        """The machine behind what an `Authorization: Bearer` header holds: a key, or a token."""
        return self.machines.recognise(shown, address) or self.tokens.recognise(shown, address)

    def _with(self, ours: Mapping[str, Provider], http: httpx.Client | None) -> SigningIn:
        known = {site: OpenID(provider, self._clock, http) for site, provider in ours.items()}
        return SigningIn(known, self.sessions, self.staff, self._keys, self._clock, self._vault.find)
