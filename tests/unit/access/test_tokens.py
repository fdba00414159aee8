"""Tokens of ten minutes for machines (`volens.access.tokens`)."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from tests.support.shop import START, Shop

from volens.access.machines import Issued, Machines
from volens.access.tokens import LIFE, Tokens
from volens.errors import NotSignedIn


@pytest.fixture
def machines(shop: Shop) -> Machines:
    return Machines(shop.records, shop.keys, shop.hand.clock, "FR", ())


@pytest.fixture
def issued(machines: Machines) -> Issued:
    return machines.add("mail-tool", ["decisions", "changes"], expires=START.date() + timedelta(days=9), by="Bruno Modèle")


@pytest.fixture
def tokens(shop: Shop, machines: Machines) -> Tokens:
    return Tokens(machines, shop.keys, shop.hand.clock, "le-panier")


def test_a_key_is_changed_for_a_token_with_the_scopes_that_were_asked(tokens: Tokens, issued: Issued) -> None:
    for client in (issued.key, issued.machine):
        given = tokens.issue(client, issued.secret, "decisions", None)
        known = tokens.recognise(given.token, None)
        assert known is not None
        assert (known.name, known.scopes, given.seconds) == ("mail-tool", {"decisions"}, 600)
    assert tokens.issue(issued.key, issued.secret, "", None).scopes == ("decisions", "changes")
    assert given.token not in repr(given)


def test_no_token_without_the_key_or_for_more_than_it_may(tokens: Tokens, issued: Issued) -> None:
    for client, secret, scopes, code in (
        ("other", issued.secret, "", "invalid_client"), (issued.key, issued.secret[:-1] + "!", "", "invalid_client"),
        (issued.key, "", "", "invalid_client"), (issued.key, issued.secret, "decisions export", "invalid_scope"),
    ):  # fmt: skip
        with pytest.raises(NotSignedIn) as told:
            tokens.issue(client, secret, scopes, None)
        assert told.value.reason == code


def test_a_token_ends_after_ten_minutes_and_with_its_key(tokens: Tokens, machines: Machines, issued: Issued, shop: Shop) -> None:
    given = tokens.issue(issued.key, issued.secret, "", None).token
    shop.hand.instant += LIFE - timedelta(seconds=1)
    assert tokens.recognise(given, None) is not None
    shop.hand.instant += timedelta(seconds=1)
    assert tokens.recognise(given, None) is None
    shop.hand.instant = START - timedelta(seconds=61)  # the clock was set back: it was made later than now
    assert tokens.recognise(given, None) is None
    shop.hand.instant = START
    machines.revoke("mail-tool", by="Bruno Modèle")
    assert tokens.recognise(given, None) is None


def test_a_token_of_another_house_or_kind_is_none(tokens: Tokens, machines: Machines, issued: Issued, shop: Shop) -> None:
    elsewhere = Tokens(machines, shop.keys, shop.hand.clock, "another-house")
    assert tokens.recognise(elsewhere.issue(issued.key, issued.secret, "", None).token, None) is None
    good = jwt.decode(tokens.issue(issued.key, issued.secret, "", None).token, tokens._key).claims
    for header, claims, key in (
        ({"alg": "HS256", "typ": "JWT"}, good, tokens._key),
        ({"alg": "HS256", "typ": "at+jwt"}, {**good, "aud": "other"}, tokens._key),
        ({"alg": "HS256", "typ": "at+jwt"}, {**good, "exp": "never"}, tokens._key),
        ({"alg": "HS256", "typ": "at+jwt"}, {**good, "sub": "aaaaaaaaaa"}, tokens._key),
        ({"alg": "HS256", "typ": "at+jwt"}, good, OctKey.generate_key(256)),
    ):  # fmt: skip
        assert tokens.recognise(jwt.encode(header, claims, key), None) is None
    part = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in ({"alg": "none"}, good)]
    for shown in (f"{part[0]}.{part[1]}.", "", "a.b.c", "é", "x" * 10_000):
        assert tokens.recognise(shown, None) is None


def test_a_token_comes_from_the_addresses_of_its_key(tokens: Tokens, machines: Machines) -> None:
    issued = machines.add("b-tool", ["changes"], expires=START.date(), by="Bruno Modèle", addresses=["192.0.2.7"])
    given = tokens.issue("b-tool", issued.secret, "", "192.0.2.7").token
    assert tokens.recognise(given, "192.0.2.7") is not None
    assert tokens.recognise(given, "192.0.2.8") is None


def test_a_token_never_has_a_scope_that_its_key_lost(tokens: Tokens, machines: Machines, issued: Issued) -> None:
    given = tokens.issue(issued.key, issued.secret, "", None).token
    row = replace(machines.keys()[0], scopes=("changes",))
    machines._known[issued.key.encode()] = (module_now(), row)
    known = tokens.recognise(given, None)
    assert known is not None
    assert known.scopes == {"changes"}


def module_now() -> float:
    from volens.access import machines as module

    return module.time.monotonic()
