"""An OpenID provider that is played by a test, honest and otherwise: only its honest answers sign anybody in (`access.oidc`)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from tests.support.shop import HandClock, Shop

from volens.access import oidc
from volens.access.oidc import Away, OpenID
from volens.access.providers import CUSTOMERS, STAFF, Provider, read
from volens.access.sessions import Sessions
from volens.access.signing_in import WAIT, SigningIn, Started, here
from volens.access.staff import Staff
from volens.errors import BadInput, NotSignedIn

ISSUER, BACK = "https://accounts.example", "https://shop.example/entrer/retour"
Change = Callable[["Played", dict[str, Any]], str]


@dataclass
class Played:
    """The provider: gives codes to whoever is signed in there, and an ID token for each code, once."""

    hand: HandClock
    key: RSAKey | ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", parameters={"kid": "one"}))
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "camille", "card": "card-1"})
    sign: Change | None = None
    away: bool = False
    configuration: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def browse(self, address: str) -> dict[str, str]:
        """What comes back with a browser that was sent to `address` and signed in there."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if self.away:
            raise httpx.ConnectError("away")
        if request.url.path == "/.well-known/openid-configuration":
            return httpx.Response(200, json={
                "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/go", "token_endpoint": f"{ISSUER}/token",
                "jwks_uri": f"{ISSUER}/keys", **self.configuration,
            })  # fmt: skip
        if request.url.path == "/keys":
            return httpx.Response(200, json={"keys": [self.key.as_dict(private=False)]})
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        asked = self.codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        return httpx.Response(200, json={"id_token": self.token(asked["nonce"]), "token_type": "Bearer"})

    def token(self, nonce: str) -> str:
        now = int(self.hand.now().timestamp())
        claims = {"iss": ISSUER, "aud": "volens", "iat": now, "exp": now + 300, "nonce": nonce, "auth_time": now, **self.claims}
        if self.sign is not None:
            return self.sign(self, claims)
        return signed(self, claims)


def signed(played: Played, claims: dict[str, Any], **header: Any) -> str:
    algorithm = "ES256" if isinstance(played.key, ECKey) else "RS256"
    return jwt.encode({"alg": algorithm, "kid": played.key.kid, **header}, claims, played.key)


@pytest.fixture
def played(shop: Shop) -> Played:
    shop.people(3)
    return Played(shop.hand)


@pytest.fixture
def signing_in(shop: Shop, played: Played) -> SigningIn:
    return made(shop, played)


def made(shop: Shop, played: Played, **provider: Any) -> SigningIn:
    http = httpx.Client(transport=httpx.MockTransport(played.answer))
    clock = shop.hand.clock
    known = {
        CUSTOMERS: OpenID(Provider(CUSTOMERS, ISSUER, "volens", **{"claim": "card", "account": "card", **provider}), clock, http),
        STAFF: OpenID(Provider(STAFF, ISSUER, "volens"), clock, http),
    }
    staff = Staff(shop.records, shop.keys, shop.vault, clock, "FR")
    return SigningIn(known, Sessions(shop.records, shop.keys, clock), staff, shop.keys, clock, shop.vault.find)


def begun(signing_in: SigningIn, site: str = CUSTOMERS, after: str = "/autorisations", again: bool = False) -> Started:
    return signing_in.start(site, redirect=BACK, after=after, again=again)


def finished(signing_in: SigningIn, started: Started, query: dict[str, str], site: str = CUSTOMERS) -> str:
    return signing_in.finish(site, started.held, query, redirect=BACK).session.number


def refused(signing_in: SigningIn, started: Started, query: dict[str, str], site: str = CUSTOMERS) -> str:
    with pytest.raises(NotSignedIn) as told:
        finished(signing_in, started, query, site)
    assert told.value.remedy
    return told.value.reason


def test_whoever_the_provider_vouches_for_is_signed_in(signing_in: SigningIn, played: Played, shop: Shop) -> None:
    started = begun(signing_in, after="/autorisations/publicite")
    done = signing_in.finish(CUSTOMERS, started.held, played.browse(started.address), redirect=BACK)
    session = signing_in._sessions.recognise(done.session.number)
    assert session is not None
    assert session.customer == shop.vault.find("card", "card-1").customer
    assert session.fresh
    assert done.after == "/autorisations/publicite"


def test_the_browser_carries_neither_nonce_nor_verifier_and_the_address_no_verifier(
    signing_in: SigningIn, played: Played
) -> None:
    started = begun(signing_in)
    played.browse(started.address)
    asked = played.codes["code-0"]
    assert asked["code_challenge_method"] == "S256"
    held = base64.urlsafe_b64decode(started.held.partition(".")[0]).decode()
    for secret in (asked["state"], asked["nonce"]):
        assert secret not in held
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3


@pytest.mark.parametrize(("change", "reason"), [
    ({"iss": "https://other.example"}, "issuer"),
    ({"aud": "another"}, "audience"),
    ({"aud": ["volens", "another"]}, "audience"),
    ({"aud": ["volens"], "azp": "another"}, "audience"),
    ({"aud": None}, "audience"),
    ({"nonce": "of another sign-in"}, "nonce"),
    ({"nonce": None}, "nonce"),
    ({"exp": 1}, "time"),
    ({"exp": None}, "time"),
    ({"exp": True}, "time"),
    ({"iat": 4_000_000_000, "exp": 4_000_000_300}, "time"),
    ({"iat": 1_700_000_000, "exp": 4_000_000_300}, "time"),
    ({"sub": ""}, "subject"),
    ({"sub": 7}, "subject"),
    ({"card": None}, "no-card"),
    ({"card": "of nobody"}, "no-card"),
    ({"card": "x" * 500}, "no-card"),
    ({"card": {"card-1": 1}}, "no-card"),
])  # fmt: skip
def test_a_token_that_is_not_about_this_sign_in_signs_nobody_in(
    signing_in: SigningIn, played: Played, change: dict[str, Any], reason: str
) -> None:
    played.claims |= change
    started = begun(signing_in)
    assert refused(signing_in, started, played.browse(started.address)) == reason


def _unsigned(played: Played, claims: dict[str, Any]) -> str:
    part = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in ({"alg": "none"}, claims)]
    return f"{part[0]}.{part[1]}."


def _by_the_public_key(played: Played, claims: dict[str, Any]) -> str:
    secret = json.dumps(played.key.as_dict(private=False)).encode()
    return jwt.encode({"alg": "HS256", "kid": "one"}, claims, OctKey.import_key(secret), algorithms=["HS256"])


def _by_another_key(played: Played, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "ES256", "kid": "one"}, claims, ECKey.generate_key("P-256", parameters={"kid": "one"}))


def _with_a_key_of_its_own(played: Played, claims: dict[str, Any]) -> str:
    own = ECKey.generate_key("P-256", parameters={"kid": "mine"})
    return jwt.encode({"alg": "ES256", "kid": "mine", "jwk": own.as_dict(private=False)}, claims, own)


def _changed_after_signing(played: Played, claims: dict[str, Any]) -> str:
    head, _, seal = signed(played, claims).split(".")
    body = base64.urlsafe_b64encode(json.dumps({**claims, "card": "card-2"}).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{seal}"


@pytest.mark.parametrize("sign", [
    _unsigned, _by_the_public_key, _by_another_key, _with_a_key_of_its_own, _changed_after_signing,
    lambda played, claims: "", lambda played, claims: "a.b.c", lambda played, claims: "é.é.é",
])  # fmt: skip
def test_a_token_that_the_provider_did_not_sign_signs_nobody_in(signing_in: SigningIn, played: Played, sign: Change) -> None:
    played.sign = sign
    started = begun(signing_in)
    assert refused(signing_in, started, played.browse(started.address)) == "signature"


def test_a_code_is_good_once_and_so_is_a_sign_in(signing_in: SigningIn, played: Played) -> None:
    started = begun(signing_in)
    query = played.browse(started.address)
    asked = dict(played.codes[query["code"]])
    finished(signing_in, started, query)
    assert refused(signing_in, started, query) == "code"
    played.codes["again"] = asked  # a provider that gives a second code for the same question
    assert refused(signing_in, started, {**query, "code": "again"}) == "used"


def test_somebody_elses_code_signs_nobody_in(signing_in: SigningIn, played: Played) -> None:
    """A code that was stolen from one browser is brought by another: PKCE holds it to the first."""
    victim, thief = begun(signing_in), begun(signing_in)
    stolen, own = played.browse(victim.address), played.browse(thief.address)
    assert refused(signing_in, thief, {"code": stolen["code"], "state": own["state"]}) == "code"


def test_a_sign_in_that_another_began_is_not_finished_here(signing_in: SigningIn, played: Played) -> None:
    """Somebody sends a customer a link that would sign her in as him."""
    his, hers = begun(signing_in), begun(signing_in)
    assert refused(signing_in, hers, played.browse(his.address)) == "state"
    nothing = Started(his.address, "")
    assert refused(signing_in, nothing, played.browse(his.address)) == "question"


@pytest.mark.parametrize("change", [
    lambda held: held[:-1] + ("0" if held[-1] != "0" else "1"), lambda held: "." + held, lambda held: held.partition(".")[0],
    lambda held: "é" + held, lambda held: held + "0", lambda held: "e30=." + held.partition(".")[2],
])  # fmt: skip
def test_what_a_browser_holds_cannot_be_made_up(signing_in: SigningIn, played: Played, change: Callable[[str], str]) -> None:
    started = begun(signing_in)
    query = played.browse(started.address)
    assert refused(signing_in, Started(started.address, change(started.held)), query) == "question"


def test_a_customers_sign_in_does_not_open_the_staffs_door(signing_in: SigningIn, played: Played) -> None:
    played.claims |= {"name": "Camille Exemple", "roles": ["dpo"]}
    started = begun(signing_in, CUSTOMERS)
    assert refused(signing_in, started, played.browse(started.address), STAFF) == "question"


def test_a_clock_that_jumps_ends_a_sign_in_that_was_begun(signing_in: SigningIn, played: Played, shop: Shop) -> None:
    for jump in (WAIT.total_seconds() + 1, -61):
        before = shop.hand.instant
        started = begun(signing_in)
        query = played.browse(started.address)
        shop.hand.instant = before.fromtimestamp(before.timestamp() + jump, before.tzinfo)
        assert refused(signing_in, started, query) == "expired"
        shop.hand.instant = before


def test_who_turns_back_at_the_provider_is_told_so(signing_in: SigningIn, played: Played) -> None:
    started = begun(signing_in)
    state = played.browse(started.address)["state"]
    assert refused(signing_in, started, {"state": state, "error": "access_denied"}) == "not-there"
    assert refused(signing_in, started, {"state": state}) == "not-there"


def test_an_answer_from_another_provider_is_refused(signing_in: SigningIn, played: Played) -> None:
    """RFC 9207: two providers are not mixed up."""
    started = begun(signing_in)
    assert refused(signing_in, started, {**played.browse(started.address), "iss": "https://other.example"}) == "issuer"
    played.configuration = {"authorization_response_iss_parameter_supported": True}
    fresh = OpenID(signing_in._providers[CUSTOMERS].provider, signing_in._clock, signing_in._providers[CUSTOMERS]._http)
    signing_in._providers = {CUSTOMERS: fresh}
    started = begun(signing_in)
    assert refused(signing_in, started, played.browse(started.address)) == "issuer"
    finished(signing_in, started, {**played.browse(started.address), "iss": ISSUER})


def test_a_provider_may_change_its_keys(signing_in: SigningIn, played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    started = begun(signing_in)
    finished(signing_in, started, played.browse(started.address))
    played.key = RSAKey.generate_key(2048, parameters={"kid": "two"})
    started = begun(signing_in)
    assert refused(signing_in, started, played.browse(started.address)) == "signature"  # fetched a moment ago
    later = oidc.time.monotonic() + oidc.AGAIN_SECONDS
    monkeypatch.setattr(oidc.time, "monotonic", lambda: later)
    started = begun(signing_in)
    finished(signing_in, started, played.browse(started.address))
    assert played.asked.count("/keys") == 2
    started = begun(signing_in)
    finished(signing_in, started, played.browse(started.address))
    assert played.asked.count("/keys") == 2
    assert played.asked.count("/.well-known/openid-configuration") == 1


def test_a_provider_that_is_away_signs_nobody_in_and_it_is_said(signing_in: SigningIn, played: Played) -> None:
    played.away = True
    with pytest.raises(Away):
        begun(signing_in)
    played.away = False
    started = begun(signing_in)
    query = played.browse(started.address)
    played.away = True
    with pytest.raises(Away):
        finished(signing_in, started, query)


@pytest.mark.parametrize("configuration", [
    {"issuer": "https://other.example"}, {"authorization_endpoint": None}, {"authorization_endpoint": 7},
])  # fmt: skip
def test_a_provider_that_is_not_the_one_that_was_set_is_not_followed(
    signing_in: SigningIn, played: Played, configuration: dict[str, Any]
) -> None:
    played.configuration = configuration
    with pytest.raises(Away):
        begun(signing_in)


def test_nothing_goes_to_a_provider_in_the_clear(signing_in: SigningIn, played: Played) -> None:
    played.configuration = {"authorization_endpoint": "http://accounts.example/go"}
    with pytest.raises(BadInput):
        begun(signing_in)
    with pytest.raises(BadInput):
        Provider(CUSTOMERS, "http://accounts.example", "volens")


def test_an_email_counts_only_if_the_provider_verified_it(shop: Shop, played: Played) -> None:
    shop.vault.identify("email", ["camille@example.org"])
    signing_in = made(shop, played, claim="email", account="email")
    for verified, reason in ((None, "unverified"), (False, "unverified"), ("true", "unverified"), (True, None)):
        played.claims = {"sub": "camille", "email": "camille@example.org", "email_verified": verified}
        started = begun(signing_in)
        query = played.browse(started.address)
        if reason is None:
            finished(signing_in, started, query)
        else:
            assert refused(signing_in, started, query) == reason


def test_of_several_cards_the_first_that_is_known_counts(signing_in: SigningIn, played: Played, shop: Shop) -> None:
    played.claims["card"] = ["unknown", 7, "card-2", "card-1"]
    started = begun(signing_in)
    session = signing_in._sessions.recognise(finished(signing_in, started, played.browse(started.address)))
    assert session is not None
    assert session.customer == shop.vault.find("card", "card-2").customer


def test_whoever_must_prove_it_again_has_just_done_so(signing_in: SigningIn, played: Played) -> None:
    now = int(played.hand.now().timestamp())
    for proved, good in ((None, False), (now - 3_600, False), (now + 3_600, False), (now - 100, True)):
        played.claims["auth_time"] = proved
        started = begun(signing_in, again=True)
        query = played.browse(started.address)
        assert played.codes[query["code"]]["prompt"] == "login"
        if good:
            finished(signing_in, started, query)
        else:
            assert refused(signing_in, started, query) == "not-again"


def test_staff_come_in_with_a_name_and_a_role(signing_in: SigningIn, played: Played) -> None:
    played.claims = {"sub": "bruno", "name": "Bruno Modèle", "roles": ["dpo", "gardener"]}
    started = begun(signing_in, STAFF)
    session = signing_in._sessions.recognise(finished(signing_in, started, played.browse(started.address), STAFF))
    assert session is not None
    assert session.member is not None
    assert (session.member.name, session.member.roles) == ("Bruno Modèle", {"dpo"})
    for missing, reason in (("name", "name"), ("roles", "role")):
        played.claims = {"sub": "bruno", "name": "Bruno Modèle", "roles": ["dpo"]} | {missing: None}
        started = begun(signing_in, STAFF)
        assert refused(signing_in, started, played.browse(started.address), STAFF) == reason


@pytest.mark.parametrize(("asked", "goes"), [
    ("/autorisations", "/autorisations"), ("/autorisations?fait=yes", "/autorisations?fait=yes"), ("//evil.example", "/"),
    ("https://evil.example", "/"), ("/\\evil.example", "/"), ("/a\nb", "/"), ("", "/"), ("javascript:alert(1)", "/"),
    ("/" + "a" * 301, "/"), ("/ok%0d%0aset-cookie", "/ok%0d%0aset-cookie"),
])  # fmt: skip
def test_afterwards_nobody_is_sent_elsewhere(asked: str, goes: str) -> None:
    assert here(asked) == goes


def test_what_is_set_is_checked() -> None:
    good = {"issuer": ISSUER, "client_id": "volens", "client_secret": "s"}
    found = read({"customers": {**good, "claim": "mail", "account": "email"}, "staff": {**good, "roles": {"g-1": "dpo"}}})
    assert (found[CUSTOMERS].claim, found[STAFF].roles) == ("mail", {"g-1": "dpo"})
    assert "'s'" not in repr(found)
    assert read({}) == {}
    for wrong in (
        {"suppliers": good}, {"customers": {"issuer": ISSUER}}, {"customers": {**good, "account": "phone"}},
        {"customers": {**good, "surprise": "x"}}, {"staff": {**good, "roles": {"g": "boss"}}}, {"staff": {**good, "issuer": 7}},
        {"customers": {**good, "issuer": "http://accounts.example"}},
    ):  # fmt: skip
        with pytest.raises(BadInput) as told:
            read(wrong)
        assert told.value.remedy
