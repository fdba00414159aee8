"""Access tokens: OAuth 2.0 client credentials (RFC 6749, 4.4) for machines that would rather not send their key each time.

1. A token is a JWT (RFC 9068) for ten minutes, signed by a key that follows from the house's (HMAC-SHA-256); nothing is stored.
2. It stands for the key that it was asked with: when that is revoked, the token is worth nothing either.
3. It has the scopes that were asked for and that the key has, never more.
4. Any other algorithm, issuer, audience or time is no.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from volens.access.machines import Machine, Machines
from volens.access.scopes import SCOPES
from volens.clock import Clock
from volens.errors import NotSignedIn
from volens.holders import Keys

LIFE = timedelta(minutes=10)
SKEW_SECONDS = 60
TYPE, AUDIENCE, ALGORITHM = "at+jwt", "volens", "HS256"
TOKEN_CHARACTERS_MAX = 2_000


@dataclass(frozen=True)
class Token:
    """What the token address answers."""

    token: str
    seconds: int
    scopes: tuple[str, ...]

    def __repr__(self) -> str:
        return "Token(…)"


class Tokens:
    """Gives tokens to machines and knows them again."""

    def __init__(self, machines: Machines, keys: Keys, clock: Clock, house: str) -> None:
        self._machines, self._clock, self._house = machines, clock, house
        self._key = OctKey.import_key(keys.mac("access-token", b"signing key"))

    def issue(self, client: str, secret: str, scopes: str, address: str | None) -> Token:
        """A token for a machine that shows its key. `client` is the machine's name or the public part of its key.

        `NotSignedIn` with the error codes of RFC 6749, 5.2: `invalid_client`, `invalid_scope`.
        """
        machine = self._machines.recognise(secret, address)
        if machine is None or client not in (machine.name, machine.key):
            raise NotSignedIn("invalid_client", "This client is not known here.", "Check its key: volens machine list")
        asked = frozenset(scopes.split()) or machine.scopes
        if not asked <= machine.scopes:
            raise NotSignedIn("invalid_scope", "This client lacks a scope that it asks for.", "Leave it out, or have it given.")
        granted, now = tuple(scope for scope in SCOPES if scope in asked), int(self._clock.now().timestamp())
        claims = {
            "iss": self._house, "aud": AUDIENCE, "sub": machine.key, "client_id": machine.name, "scope": " ".join(granted),
            "iat": now, "exp": now + int(LIFE.total_seconds()), "jti": secrets.token_urlsafe(12),
        }  # fmt: skip
        token = jwt.encode({"alg": ALGORITHM, "typ": TYPE}, claims, self._key, algorithms=[ALGORITHM])
        return Token(token, int(LIFE.total_seconds()), granted)

    def recognise(self, shown: str, address: str | None) -> Machine | None:
        """The machine of a token; none for a token that is no good, or whose key does not work any more."""
        if len(shown) > TOKEN_CHARACTERS_MAX:
            return None
        try:
            token = jwt.decode(shown, self._key, algorithms=[ALGORITHM])
        except (JoseError, ValueError):
            return None
        claims, now = token.claims, self._clock.now().timestamp()
        if (token.header.get("typ"), claims.get("iss"), claims.get("aud")) != (TYPE, self._house, AUDIENCE):
            return None
        begun, ends = claims.get("iat"), claims.get("exp")
        if not isinstance(begun, int) or not isinstance(ends, int) or not begun - SKEW_SECONDS <= now < ends:
            return None
        machine = self._machines.standing(str(claims.get("sub")), address)
        return replace(machine, scopes=machine.scopes & set(str(claims.get("scope")).split())) if machine is not None else None
