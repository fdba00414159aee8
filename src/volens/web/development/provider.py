"""An OpenID provider for developers and the demo. It vouches for anybody who asks, and says so on its page.

1. It is part of a server only with `volens serve --development`, and only on a loopback address.
2. It is a real provider in all that `access.oidc` sees: discovery, keys, code with PKCE, signed ID tokens. Nothing of the sign-in
   knows that it is one.
3. Customers are the demo's invented households that this house knows; staff are invented. Its key lives as long as the process.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import ECKey
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from volens import invented as people
from volens.access.providers import CUSTOMERS, STAFF, Provider
from volens.app import House
from volens.clock import Clock
from volens.errors import BadInput, NotFound
from volens.web.given import AnyRequest, Form, TheHouse
from volens.web.page import page

PATH = "/developpement"
CLIENT = "volens"
CODE_SECONDS, CODES_MOST, SHOWN = 60, 1_000, 8
TEAM = (
    ("alice", "Alice Exemple", "marketing"), ("bruno", "Bruno Modèle", "dpo"), ("chloe", "Chloé Démo", "support"),
    ("damien", "Damien Essai", "data"), ("elise", "Élise Spécimen", "auditor"), ("farid", "Farid Figurant", ""),
)  # fmt: skip
"""Invented staff: subject, name, role. The last has none, and is not let in."""
ASKED = ("client_id", "redirect_uri", "state", "nonce", "code_challenge", "code_challenge_method", "response_type")


@dataclass(frozen=True)
class _Code:
    """What a code stands for, until it is redeemed."""

    site: str
    claims: dict[str, Any]
    redirect: str
    challenge: str
    until: float


@dataclass
class Vouching:
    """The provider's state: its address, its key, and codes that wait."""

    base: str
    clock: Clock
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", parameters={"kid": "development", "use": "sig"}))
    codes: dict[str, _Code] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def issuer(self, site: str) -> str:
        """The provider has two faces: one for customers, one for the staff."""
        return f"{self.base}{PATH}/{site}"

    def providers(self) -> dict[str, Provider]:
        """As `access.trust` wants them."""
        return {
            CUSTOMERS: Provider(CUSTOMERS, self.issuer(CUSTOMERS), CLIENT, claim="card", account="card"),
            STAFF: Provider(STAFF, self.issuer(STAFF), CLIENT),
        }

    def redirects(self) -> tuple[str, ...]:
        """Where a browser may be sent back to."""
        return f"{self.base}/entrer/retour", f"{self.base}/staff/entrer/retour"

    def keep(self, code: _Code) -> str:
        """A new code."""
        made = secrets.token_urlsafe(24)
        with self.lock:
            if len(self.codes) >= CODES_MOST:
                self.codes.clear()
            self.codes[made] = code
        return made

    def take(self, made: str) -> _Code | None:
        """What a code stood for; a second time it stands for nothing."""
        with self.lock:
            return self.codes.pop(made, None)

    def now(self) -> float:
        return self.clock.now().timestamp()


def _vouching(request: AnyRequest) -> Vouching:
    found: Vouching = request.app.state.vouching
    return found


def _site(site: str) -> str:
    if site not in (CUSTOMERS, STAFF):
        raise NotFound("There is no such sign-in.", f"Use {CUSTOMERS} or {STAFF}.")
    return site


@get(PATH + "/{site:str}/.well-known/openid-configuration", sync_to_thread=False)
def configuration(request: AnyRequest, site: FromPath[str]) -> dict[str, Any]:
    """OpenID Connect Discovery 1.0."""
    issuer = _vouching(request).issuer(_site(site))
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }


@get(PATH + "/{site:str}/keys", sync_to_thread=False)
def keys(request: AnyRequest, site: FromPath[str]) -> dict[str, Any]:
    """The public half of its key."""
    return {"keys": [_vouching(request).key.as_dict(private=False)]}


@get(PATH + "/{site:str}/authorize", sync_to_thread=True)
def choose(request: AnyRequest, house: TheHouse, site: FromPath[str]) -> Template:
    """The page that asks as whom to go on."""
    asked = {name: request.query_params.get(name, "") for name in ASKED}
    _require(_vouching(request), asked)
    known = _customers(house) if _site(site) == CUSTOMERS else [
        {"who": subject, "name": name, "about": role or "–"} for subject, name, role in TEAM
    ]
    return page(request, "development/choose.html", site=site, people=known, asked=asked)


@post(PATH + "/{site:str}/authorize", sync_to_thread=True)
def chosen(request: AnyRequest, site: FromPath[str], data: Form) -> Redirect:
    """Somebody was chosen: a code for them."""
    vouching, asked = _vouching(request), {name: data.get(name, "") for name in ASKED}
    _require(vouching, asked)
    who = data.get("who") or f"card:{data.get('card', '')}"
    claims = {**_claims(_site(site), who), "nonce": asked["nonce"], "auth_time": int(vouching.now())}
    code = vouching.keep(
        _Code(site, claims, asked["redirect_uri"], asked["code_challenge"], vouching.now() + CODE_SECONDS)
    )
    back = urlencode({"code": code, "state": asked["state"], "iss": vouching.issuer(site)})
    return Redirect(f"{asked['redirect_uri']}?{back}", status_code=303)


@post(PATH + "/{site:str}/token", exclude_from_csrf=True, sync_to_thread=False, status_code=200)
def token(request: AnyRequest, site: FromPath[str], data: Form) -> Response[dict[str, Any]]:
    """A code for an ID token, once."""
    vouching = _vouching(request)
    code = vouching.take(data.get("code", ""))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(data.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
    if (
        code is None or code.site != site or code.until < vouching.now() or data.get("redirect_uri") != code.redirect
        or data.get("client_id") != CLIENT or not hmac.compare_digest(challenge, code.challenge)
    ):  # fmt: skip
        return Response({"error": "invalid_grant"}, status_code=400)
    now = int(vouching.now())
    claims = {"iss": vouching.issuer(site), "aud": CLIENT, "iat": now, "exp": now + CODE_SECONDS, **code.claims}
    signed = jwt.encode({"alg": "ES256", "kid": vouching.key.kid}, claims, vouching.key, algorithms=["ES256"])
    return Response({"id_token": signed, "access_token": secrets.token_urlsafe(16), "token_type": "Bearer"}, status_code=200)


ROUTES = (configuration, keys, choose, chosen, token)


def _require(vouching: Vouching, asked: dict[str, str]) -> None:
    fits = asked["client_id"] == CLIENT and asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
    if not fits or asked["redirect_uri"] not in vouching.redirects():
        raise BadInput("This was not asked as this house asks.", "Begin again at the sign-in of the house.")


def _households(house: House) -> list[people.Person]:
    """The demo's invented people that are customers here, the heroine first."""
    found = list[people.Person]()
    for household in (people.HEROINE, *range(1, 2_500)):
        person = people.person(household)
        if person is None or (household == people.HEROINE and found):
            continue
        try:
            house.customer("card", person.card)
        except NotFound:
            continue
        found.append(person)
        if len(found) == SHOWN:
            break
    return found


def _customers(house: House) -> list[dict[str, str]]:
    return [
        {"who": str(person.household), "name": f"{person.given_name} {person.family_name}", "about": person.city}
        for person in _households(house)
    ]


def _card(who: str) -> str:
    """The card number in `card:NUMBER`, which a developer typed."""
    return who.removeprefix("card:").strip() if who.startswith("card:") else ""


def _claims(site: str, who: str) -> dict[str, Any]:
    if site == STAFF:
        member = next((one for one in TEAM if one[0] == who), None)
        if member is None:
            raise BadInput("Nobody of the staff is called so.", "Choose somebody of the list.")
        return {"sub": member[0], "name": member[1], "roles": [member[2]] if member[2] else []}
    if _card(who):
        return {"sub": who, "card": _card(who)}
    person = people.person(int(who)) if who.isascii() and who.isdigit() and 1 <= int(who) <= people.LARGEST_HOUSEHOLD else None
    if person is None:
        raise BadInput("No invented person has this number.", "Choose somebody of the list.")
    return {"sub": f"household-{person.household}", "card": person.card}
