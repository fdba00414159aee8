"""Who vouches for customers and for the staff: what `volens.toml` says under `[sign_in]`, checked.

The secret that a provider gave us is not in that file: it comes from the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from volens.access.staff import ROLES
from volens.errors import BadInput

CUSTOMERS, STAFF = "customers", "staff"
ACCOUNTS = ("card", "email", "reference")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Provider:
    """An OpenID provider, as we know it."""

    site: str
    """`customers` or `staff`."""
    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    claim: str = "sub"
    """Customers: which claim names the account."""
    account: str = "reference"
    """Customers: what that is here: `card`, `email` or `reference`."""
    roles_claim: str = "roles"
    """Staff: which claim lists the roles."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """Staff: what the provider calls each of our roles; as we do, if nothing is said."""

    def __post_init__(self) -> None:
        require_secure(self.issuer)


def require_secure(address: str) -> str:
    """The address; `BadInput` unless it is https, or this very machine."""
    try:
        parts = urlsplit(address)
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    except ValueError:
        secure = False
    if not secure:
        raise BadInput("The address of a sign-in must begin with https://.", "Correct it under [sign_in] in volens.toml.")
    return address


def read(written: Mapping[str, Any]) -> dict[str, Provider]:
    """The providers of `[sign_in]`; none if nothing is written there."""
    unknown = sorted(set(written) - {CUSTOMERS, STAFF})
    if unknown:
        raise BadInput(f"[sign_in] has an unknown table: {unknown[0]}.", "Use [sign_in.customers] and [sign_in.staff].")
    return {site: _provider(site, dict(table)) for site, table in written.items()}


def _provider(site: str, table: dict[str, Any]) -> Provider:
    ours = {"issuer", "client_id", "client_secret"} | ({"claim", "account"} if site == CUSTOMERS else {"roles_claim", "roles"})
    unknown = sorted(set(table) - ours)
    if unknown:
        raise BadInput(f"[sign_in.{site}] has an unknown setting: {unknown[0]}.", "See docs/sign-in.md.")
    roles = table.pop("roles", {})
    if not all(isinstance(value, str) for value in table.values()) or not {"issuer", "client_id"} <= table.keys():
        raise BadInput(f"[sign_in.{site}] needs an issuer and a client_id.", "See docs/sign-in.md for an example.")
    if table.get("account", ACCOUNTS[0]) not in ACCOUNTS:
        raise BadInput(f"[sign_in.{site}]: account is what the claim names.", f"Use one of: {', '.join(ACCOUNTS)}.")
    if not isinstance(roles, dict) or not set(roles.values()) <= ROLES.keys():
        raise BadInput(f"[sign_in.{site}.roles] gives a role that there is not.", f"Use some of: {', '.join(ROLES)}.")
    return Provider(site, **table, roles=roles)
