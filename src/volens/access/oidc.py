"""OpenID Connect 1.0 with one provider: where to send a browser, and what it brought back.

1. Authorization code with PKCE (RFC 7636, S256). The code is redeemed by us, never seen by a page.
2. An ID token counts if its signature is by a key of the provider (RS256, PS256, ES256, EdDSA; never `none` or HMAC), it is from
   this issuer, for this client, about this sign-in (nonce), and of now.
3. The provider's addresses and keys are fetched and kept for an hour; a token under an unknown key has the keys fetched again, at
   most every ten seconds: a provider changes its keys without telling.
4. A provider that does not answer is `Away`; everything that does not fit is `NotSignedIn`, with a reason for our log.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from volens.access.providers import Provider, require_secure
from volens.clock import Clock
from volens.errors import NotSignedIn, Unavailable

if TYPE_CHECKING:
    import httpx

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
KEPT_SECONDS, AGAIN_SECONDS, TIMEOUT_SECONDS = 3_600.0, 10.0, 5.0
SKEW_SECONDS, OLDEST_SECONDS, AGAIN_WITHIN_SECONDS = 60, 600, 300
ANSWER_BYTES_MAX = 1_000_000
SCOPE = "openid profile email"


class Away(Unavailable):
    """The provider does not answer, or not as one: nobody can sign in, and whoever is signed in stays so."""


@dataclass(frozen=True)
class Proven:
    """Who the provider says signed in."""

    subject: str
    claims: Mapping[str, Any]
    authenticated: datetime | None
    """When the person proved it; none if the provider does not say."""

    def __repr__(self) -> str:
        return "Proven(…)"


class OpenID:
    """One provider. Its addresses and keys are kept in memory."""

    def __init__(self, provider: Provider, clock: Clock, http: httpx.Client | None = None) -> None:
        self.provider, self._clock = provider, clock
        self._http = http
        self._lock = threading.Lock()
        self._told: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def where(self, *, redirect: str, state: str, nonce: str, verifier: str, again: bool, language: str) -> str:
        """The address to send a browser to. `again`: the person must prove anew who she is."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self.provider.client_id, "redirect_uri": redirect, "scope": SCOPE,
            "state": state, "nonce": nonce, "code_challenge": challenge, "code_challenge_method": "S256", "ui_locales": language,
        }  # fmt: skip
        if again:
            asked |= {"prompt": "login", "max_age": "0"}
        address = self._address("authorization_endpoint")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"

    def redeem(self, code: str, *, redirect: str, verifier: str, nonce: str, issuer: str | None, again: bool) -> Proven:
        """What a code stands for. `issuer` is what came back beside it (RFC 9207)."""
        said = self._configuration()
        if issuer != self.provider.issuer and (issuer is not None or said.get("authorization_response_iss_parameter_supported")):
            raise NotSignedIn("issuer", "This sign-in came back from somebody else.")
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        secret = self.provider.client_secret
        auth = (self.provider.client_id, secret) if secret else None
        whose = {} if secret else {"client_id": self.provider.client_id}
        answer = self._ask("POST", self._address("token_endpoint"), form | whose, auth)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise NotSignedIn("no-token", "The sign-in did not say who you are.")
        return self._proven(token, nonce, again)

    # Below: how

    def _proven(self, token: str, nonce: str, again: bool) -> Proven:
        try:
            header = jws.extract_compact(token.encode()).headers()
            claims = jwt.decode(token, self._key(header.get("kid")), algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError, TypeError) as error:
            raise NotSignedIn("signature", "The sign-in is not signed as it should be.") from error
        now, audience = self._clock.now().timestamp(), claims.get("aud")
        for_us = [audience] if isinstance(audience, str) else audience
        if claims.get("iss") != self.provider.issuer:
            raise NotSignedIn("issuer", "This sign-in came back from somebody else.")
        party = claims.get("azp", self.provider.client_id if for_us == [self.provider.client_id] else None)
        if not isinstance(for_us, list) or self.provider.client_id not in for_us or party != self.provider.client_id:
            raise NotSignedIn("audience", "This sign-in is for another site.")
        if not isinstance(claims.get("nonce"), str) or not hmac.compare_digest(claims["nonce"].encode(), nonce.encode()):
            raise NotSignedIn("nonce", "This sign-in was begun elsewhere.")
        begun, ends, proved = (_instant(claims.get(name)) for name in ("iat", "exp", "auth_time"))
        if begun is None or ends is None or not begun - SKEW_SECONDS <= now < min(ends, begun + OLDEST_SECONDS) + SKEW_SECONDS:
            raise NotSignedIn("time", "This sign-in is too old, or the clocks differ.")
        if again and (proved is None or not -SKEW_SECONDS <= now - proved <= AGAIN_WITHIN_SECONDS):
            raise NotSignedIn("not-again", "You were to prove again who you are.")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise NotSignedIn("subject", "The sign-in did not say who you are.")
        return Proven(subject, claims, datetime.fromtimestamp(proved, UTC) if proved is not None else None)

    def _key(self, kid: str | None) -> Key:
        """The provider's key with this id; its only one, if a token names none."""
        for at_least in (KEPT_SECONDS, AGAIN_SECONDS):
            keys = self._key_set(at_least).keys
            found = [key for key in keys if kid is None or key.kid == kid]
            if len(found) == 1:
                return found[0]
        raise ValueError("no such key")

    def _key_set(self, older_than: float) -> KeySet:
        with self._lock:
            known = self._keys
        if known is not None and time.monotonic() - known[0] < older_than:
            return known[1]
        told = self._ask("GET", self._address("jwks_uri"))
        try:
            fetched = KeySet.import_key_set(told)  # type: ignore[arg-type]
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Away("The keys of the sign-in cannot be read.", "Try again later.") from error
        with self._lock:
            self._keys = (time.monotonic(), fetched)
        return fetched

    def _address(self, name: str) -> str:
        found = self._configuration().get(name)
        if not isinstance(found, str):
            raise Away("The sign-in does not say where it is.", "Check the issuer in volens.toml.")
        return require_secure(found)

    def _configuration(self) -> dict[str, Any]:
        with self._lock:
            known = self._told
        if known is not None and time.monotonic() - known[0] < KEPT_SECONDS:
            return known[1]
        told = self._ask("GET", f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration")
        if told.get("issuer") != self.provider.issuer:
            raise Away("The sign-in is another than the one that is set.", "Check the issuer in volens.toml.")
        with self._lock:
            self._told = (time.monotonic(), told)
        return told

    def _ask(
        self, method: str, address: str, form: Mapping[str, str] | None = None, auth: tuple[str, str] | None = None
    ) -> dict[str, Any]:
        import httpx  # here: most commands sign nobody in

        if self._http is None:
            self._http = httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False)
        try:
            answer = self._http.request(method, address, data=form, auth=auth, headers={"accept": "application/json"})
        except httpx.HTTPError as error:
            raise Away("The sign-in does not answer.", "Try again in a few minutes.") from error
        if form is not None and answer.status_code in (400, 401):
            raise NotSignedIn("code", "This sign-in is over, or was used already.")
        if answer.status_code != 200 or len(answer.content) > ANSWER_BYTES_MAX:
            raise Away(f"The sign-in does not answer as it should ({answer.status_code}).", "Try again in a few minutes.")
        try:
            said = answer.json()
        except ValueError as error:
            raise Away("The sign-in does not answer as it should.", "Try again in a few minutes.") from error
        if not isinstance(said, dict):
            raise Away("The sign-in does not answer as it should.", "Try again in a few minutes.")
        return said


def _instant(value: Any) -> float | None:
    """Seconds since 1970, if that is what it is."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e11 else None
