"""Signing in with a provider: a browser goes out with a question and comes back with an answer to exactly that.

1. The browser holds one number by chance, for ten minutes, under a seal of the house's key. State, nonce and the PKCE verifier
   follow from it: an answer that is not to this browser's question fits none of them. Nothing is stored for who only asks.
2. One question makes one session, ever (`sessions`).
3. Where a browser goes afterwards is an address of this house, or the first page.
4. Customers: a claim names the account, by card, e-mail or reference; an e-mail counts only if the provider verified it. Staff: a
   name and at least one role.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from volens.access.oidc import OpenID, Proven
from volens.access.providers import STAFF, Provider
from volens.access.sessions import BY_ACCOUNT, SKEW, Begun, Sessions
from volens.access.staff import Staff
from volens.clock import Clock
from volens.errors import NotFound, NotSignedIn
from volens.evidence.merkle import canonical_json
from volens.holders import Keys

WAIT = timedelta(minutes=10)
VALUE_CHARACTERS_MAX, VALUES_MAX = 200, 20
HERE = re.compile(r"/(?!/)[A-Za-z0-9._~/?=&%,;:+-]{0,300}")
"""An address of this house."""




Find = Callable[[str, str], Any]
"""(kind, value): customer and account, or `NotFound`."""


@dataclass(frozen=True)
class Started:
    """A browser is sent to `address`, and keeps `held`."""

    address: str
    held: str


@dataclass(frozen=True)
class Finished:
    """A browser is signed in, and goes on to `after`."""

    session: Begun
    after: str


@dataclass(frozen=True)
class _Question:
    site: str
    chance: str
    after: str
    asked: datetime
    again: bool


class SigningIn:
    """Sign-in with the providers that are set, for customers and staff."""

    def __init__(
        self, providers: Mapping[str, OpenID], sessions: Sessions, staff: Staff, keys: Keys, clock: Clock, find: Find
    ) -> None:
        self._providers, self._sessions, self._staff = providers, sessions, staff
        self._keys, self._clock, self._find = keys, clock, find

    @property
    def sites(self) -> frozenset[str]:
        """For whom there is a provider: `customers`, `staff`."""
        return frozenset(self._providers)

    def start(self, site: str, *, redirect: str, after: str, again: bool = False, language: str = "fr") -> Started:
        """Begins. `NotFound` without a provider; `Unavailable` if it does not answer."""
        question = _Question(site, secrets.token_urlsafe(32), here(after), self._clock.now(), again)
        address = self._provider(site).where(
            redirect=redirect, state=self._part("state", question), nonce=self._part("nonce", question),
            verifier=self._part("verifier", question), again=again, language=language,
        )  # fmt: skip
        return Started(address, self._held(question))

    def finish(self, site: str, held: str, query: Mapping[str, str], *, redirect: str, former: str = "") -> Finished:
        """The browser is back. `NotSignedIn` for whatever does not fit its question."""
        question = self._question(site, held)
        if not hmac.compare_digest(query.get("state", "").encode(), self._part("state", question).encode()):
            raise NotSignedIn("state", "This sign-in was begun in another window, or before another one.")
        if "error" in query or not query.get("code"):
            raise NotSignedIn("not-there", "You did not sign in.", "Sign in again whenever you like.")
        provider = self._provider(site)
        proven = provider.redeem(
            query["code"], redirect=redirect, verifier=self._part("verifier", question), nonce=self._part("nonce", question),
            issuer=query.get("iss"), again=question.again,
        )  # fmt: skip
        if site == STAFF:
            member = self._staff.recognise(provider.provider.issuer, proven.subject, *_of_staff(provider.provider, proven))
            begun = self._sessions.begin_staff(
                member, sign_in=question.chance, authenticated=proven.authenticated, former=former
            )
        else:
            account = self._account(provider.provider, proven)
            begun = self._sessions.begin_customer(
                account, how=BY_ACCOUNT, sign_in=question.chance, authenticated=proven.authenticated, former=former
            )
        return Finished(begun, question.after)

    # Below: how

    def _account(self, provider: Provider, proven: Proven) -> int:
        """The first account that the provider names and that is known here."""
        said = proven.subject if provider.claim == "sub" else proven.claims.get(provider.claim)
        values = [said] if isinstance(said, str) else said if isinstance(said, list) else []
        if provider.account == "email" and proven.claims.get("email_verified") is not True:
            raise NotSignedIn("unverified", "Your e-mail address is not confirmed yet.", "Confirm it in your account first.")
        for value in values[:VALUES_MAX]:
            if isinstance(value, str) and 0 < len(value.strip()) <= VALUE_CHARACTERS_MAX:
                try:
                    return int(self._find(provider.account, value).account)
                except NotFound:
                    continue
        raise NotSignedIn("no-card", "No loyalty card belongs to your account.", "Add your card to it, or ask at the desk.")

    def _provider(self, site: str) -> OpenID:
        found = self._providers.get(site)
        if found is None:
            raise NotFound("There is no sign-in with an account here.", "Set one under [sign_in] in volens.toml: docs/sign-in.md")
        return found

    def _part(self, name: str, question: _Question) -> str:
        """State, nonce or verifier of a question: 43 characters that tell nothing of the others."""
        made = self._keys.mac(f"sign-in/{name}", canonical_json([question.site, question.chance]))
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()

    def _held(self, question: _Question) -> str:
        said = canonical_json([question.site, question.chance, question.after, question.asked.isoformat(), question.again])
        return f"{base64.urlsafe_b64encode(said).decode()}.{self._keys.mac('sign-in/held', said).hex()}"

    def _question(self, site: str, held: str) -> _Question:
        body, _, seal = held.partition(".")
        try:
            said = base64.urlsafe_b64decode(body.encode("ascii"))
        except ValueError:
            said = b""
        if not said or not hmac.compare_digest(self._keys.mac("sign-in/held", said).hex().encode(), seal.encode()):
            raise NotSignedIn("question", "This browser did not begin this sign-in.", "Sign in again, in one window.")
        asked_site, chance, after, asked, again = json.loads(said)
        question = _Question(asked_site, chance, after, datetime.fromisoformat(asked), again)
        if question.site != site:
            raise NotSignedIn("question", "This browser did not begin this sign-in.", "Sign in again, in one window.")
        if not -SKEW <= self._clock.now() - question.asked <= WAIT:
            raise NotSignedIn("expired", f"This sign-in was begun more than {WAIT.seconds // 60} minutes ago.")
        return question


def here(address: str) -> str:
    """An address of this house; the first page for any other."""
    return address if HERE.fullmatch(address) else "/"


def _of_staff(provider: Provider, proven: Proven) -> tuple[str, list[str]]:
    """Name and roles of a member of staff, as the provider says."""
    name, held = proven.claims.get("name"), proven.claims.get(provider.roles_claim)
    listed = [held] if isinstance(held, str) else held if isinstance(held, list) else []
    roles = [provider.roles.get(one, "" if provider.roles else one) for one in listed if isinstance(one, str)]
    return (name if isinstance(name, str) else ""), roles
