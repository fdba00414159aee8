"""What other systems ask over HTTP: AuthZEN's certification scenario, changes, acknowledgements, the permitted set, the client."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from httpx import Response
from tests.web.conftest import Served

from volens import client
from volens.permissions.ledger import Choice
from volens.web.machines.decisions import BODY_BYTES
from volens.web.server import application
from volens.web.visitor import Machine, Nobody

EMAIL, MAIL = "email-marketing", "envoi-clair"
ONE, MANY = "/access/v1/evaluation", "/access/v1/evaluations"
SITE = Machine("site", frozenset({"decisions", "changes", "export"}))
TOOL = Machine("mail-tool", frozenset({"decisions", "changes", "export"}), MAIL)


def question(served: Served, **more: Any) -> dict[str, Any]:
    return {
        "subject": {"type": "number", "id": str(served.customer)},
        "action": {"name": EMAIL},
        "resource": {"type": "recipient", "id": MAIL},
        **more,
    }


def ask(served: Served, body: Any, path: str = ONE, **headers: str) -> Response:
    served.visitor = served.visitor if isinstance(served.visitor, Machine) else SITE
    with served.open() as browser:
        return browser.post(path, json=body, headers=headers)


def say(served: Served, kind: str, purpose: str = EMAIL) -> int:
    return served.house.permissions.record([Choice(served.customer, purpose, kind)])[0]


def test_a_decision_is_in_force_the_moment_it_was_said(served: Served) -> None:
    for kind, expected in (("given", True), ("withdrawn", False), ("renewed", True)):
        seq = say(served, kind)
        answer = ask(served, question(served))
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["decision"] is expected
        assert answer.json()["context"]["position"] == seq + 1


def test_what_is_not_of_the_shape_is_400(served: Served) -> None:
    whole = question(served)
    wrong = [{key: value for key, value in whole.items() if key != name} for name in ("subject", "action", "resource")]
    wrong += [{**whole, "subject": "alice"}, {**whole, "action": {"name": 123}}, {**whole, "resource": {"id": MAIL}}]
    for body in wrong:
        answer = ask(served, body)
        assert answer.status_code == 400
        assert isinstance(answer.json(), str)
    with served.open() as browser:
        as_json = {"content-type": "application/json"}
        for content, kind in [(b"", as_json), (b"{", as_json), (b"{}", {"content-type": "text/plain"}), (b"\xff", as_json)]:
            assert browser.post(ONE, content=content, headers=kind).status_code == 400
        assert browser.post(ONE, content=b" " * (BODY_BYTES + 1), headers=as_json).status_code == 413
        assert browser.get(ONE).status_code == 405
    assert ask(served, {**whole, "futureField": {"nested": True}}).status_code == 200


@pytest.mark.parametrize("path", [ONE, MANY, "/v1/questions", "/v1/answers", "/v1/changes/ack", "/v1/permitted", "/v1/doorways"])
def test_brackets_without_end_are_400(served: Served, path: str) -> None:
    served.visitor = Machine("site", frozenset({"decisions", "changes", "export", "asking", "doorways"}))
    with served.open() as browser:
        answer = browser.post(path, content=b"[" * 100_000, headers={"content-type": "application/json"})
    assert (answer.status_code, "nested" in answer.text) == (400, True)


def test_a_request_s_own_number_comes_back(served: Served) -> None:
    assert ask(served, question(served), **{"X-Request-ID": "bfe9eb29"}).headers["x-request-id"] == "bfe9eb29"
    assert "x-request-id" not in ask(served, question(served)).headers


def test_only_machines_with_the_scope_are_answered(served: Served) -> None:
    for visitor, status in [(Nobody(), 401), (Machine("site", frozenset({"changes"})), 403)]:
        served.visitor = visitor
        with served.open() as browser:
            answer = browser.post(ONE, json=question(served))
            assert answer.status_code == status
    assert "bearer" in served_headers(served, Nobody()).lower()
    for path in ("/v1/changes/ack", "/v1/permitted"):
        served.visitor = Machine("site", frozenset({"decisions"}))
        with served.open() as browser:
            assert browser.post(path, json={}).status_code == 403


def served_headers(served: Served, visitor: Any) -> str:
    served.visitor = visitor
    with served.open() as browser:
        return browser.post(ONE, json=question(served)).headers["www-authenticate"]


def test_batches(served: Served) -> None:
    say(served, "given")
    body = question(served, evaluations=[{}, {"subject": {"type": "card", "id": "nobody"}}, {"resource": {"type": "recipient"}}, 1])
    answer = ask(served, body, MANY).json()
    assert [one["decision"] for one in answer["evaluations"]] == [True, False, True, False]
    assert "decision" not in answer
    body["options"] = {"evaluations_semantic": "deny_on_first_deny"}
    assert [one["decision"] for one in ask(served, body, MANY).json()["evaluations"]] == [True, False]
    assert ask(served, question(served, evaluations=[]), MANY).json()["decision"] is True
    assert ask(served, question(served), MANY).json()["decision"] is True


def test_where_what_is_asked(served: Served) -> None:
    with served.open() as browser:
        found = browser.get("/.well-known/authzen-configuration")
    assert found.status_code == 200
    base = found.json()["policy_decision_point"]
    assert found.json()["access_evaluation_endpoint"] == f"{base}{ONE}"
    assert found.json()["access_evaluations_endpoint"] == f"{base}{MANY}"


def test_a_ledger_that_does_not_answer_is_no(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    say(served, "given")
    monkeypatch.setattr("volens.web.machines.decisions.ANSWER_SECONDS", 0.05)
    held = threading.Event()
    from volens.gate import resident

    real = resident.store.look
    monkeypatch.setattr(resident.store, "look", lambda *asked: (held.wait(5), real(*asked))[1])
    answer = ask(served, question(served))
    held.set()
    assert (answer.status_code, answer.json()["decision"], answer.json()["context"]["position"]) == (200, False, None)


def test_changes_are_followed_and_acknowledged(served: Served) -> None:
    served.visitor = TOOL
    served.house.followers.add("mail-tool", [EMAIL], recipient=MAIL, by="Bruno Modèle")
    with served.open() as browser:
        first = browser.get("/v1/changes").json()
        assert first["resync"] is True
        assert browser.post("/v1/changes/ack", json={"cursor": first["cursor"]}).status_code == 200
        say(served, "given")
        seq = say(served, "withdrawn")
        page = browser.get("/v1/changes", params={"after": first["cursor"]}).json()
        (change,) = page["changes"]
        assert (change["permitted"], change["seq"], change["purpose"]) == (False, seq, EMAIL)
        assert served.house.followers.awaiting(served.customer)
        assert browser.post("/v1/changes/ack", json={"cursor": page["cursor"]}).json() == {"acknowledged": page["position"]}
        assert served.house.followers.awaiting(served.customer) == []
        for wrong in ({}, {"cursor": 1}, {"cursor": "1-2-3"}):
            assert browser.post("/v1/changes/ack", json=wrong).status_code == 400
        for asked in ({"limit": 0}, {"limit": 100_000}, {"wait": 31}, {"after": "x" * 200}, {"after": "1-2-3"}):
            assert browser.get("/v1/changes", params=asked).status_code == 400


def test_waiting_for_changes_ends_when_there_is_one(served: Served) -> None:
    served.visitor = TOOL
    served.house.followers.add("mail-tool", [EMAIL], recipient=MAIL, by="Bruno Modèle")
    with served.open() as browser:
        cursor = browser.get("/v1/changes").json()["cursor"]
        later = threading.Timer(0.8, lambda: say(served, "given"))
        later.start()
        page = browser.get("/v1/changes", params={"after": cursor, "wait": 20}).json()
        later.join()
        assert [one["permitted"] for one in page["changes"]] == [True]
        assert browser.get("/v1/changes", params={"after": page["cursor"], "wait": 1}).json()["changes"] == []


def test_a_recipient_s_machine_follows_for_its_own_recipient(served: Served) -> None:
    served.house.followers.add("mail-tool", ["targeted-ads"], recipient="le-panier", by="Bruno Modèle")
    served.visitor = TOOL
    with served.open() as browser:
        assert browser.get("/v1/changes").status_code == 403
        assert browser.post("/v1/permitted", json={"purpose": "targeted-ads"}).status_code == 403
    served.visitor = Machine("stranger", frozenset({"changes"}))
    with served.open() as browser:
        assert browser.get("/v1/changes").status_code == 404


def test_the_permitted_set(served: Served) -> None:
    served.visitor = TOOL
    served.house.followers.add("mail-tool", [EMAIL], recipient=MAIL, by="Bruno Modèle")
    say(served, "given")
    with served.open() as browser:
        for form in ("csv", "parquet"):
            answer = browser.post("/v1/permitted", json={"purpose": EMAIL, "format": form})
            assert answer.status_code == 200
            assert int(answer.headers["volens-position"]) > 0
        for wrong in ({}, {"purpose": EMAIL, "format": "xlsx"}, {"purpose": 1}):
            assert browser.post("/v1/permitted", json=wrong).status_code == 400
        assert browser.post("/v1/permitted", json={"purpose": "targeted-ads"}).status_code == 403


@pytest.fixture
def at(served: Served) -> Iterator[str]:
    """The address of a real server of the house."""
    served.visitor = TOOL
    served.house.followers.add("mail-tool", [EMAIL], recipient=MAIL, by="Bruno Modèle")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = application(served.house, recognise=lambda connection: served.visitor, local=True)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def test_the_client(served: Served, at: str) -> None:
    with client.Volens(at, "a key") as volens:
        name = served.house.followers.pseudonyms.of(MAIL, served.customer)
        assert not volens.permits(EMAIL, MAIL, pseudonym=name)
        fetched = volens.permitted_set(EMAIL)
        assert list(fetched.pseudonyms) == []
        volens.acknowledge(fetched.cursor)
        say(served, "given")
        assert volens.permits(EMAIL, MAIL, pseudonym=name)
        assert volens.permits(EMAIL, MAIL, fields=["email"], pseudonym=name)
        assert not volens.permits(EMAIL, MAIL, card="no such card")
        assert volens.permitted(EMAIL, MAIL, "pseudonym", [name, "A" * 22] * 600) == [True, False] * 600
        pages = volens.follow(fetched.cursor, wait=0)
        assert [one["permitted"] for one in next(pages).changes] == [True]
        say(served, "withdrawn")
        assert served.house.followers.awaiting(served.customer)
        assert [one["permitted"] for one in next(pages).changes] == [False]
        assert served.house.followers.awaiting(served.customer), "not before the loop comes back"
        say(served, "given")
        next(pages)
        assert served.house.followers.awaiting(served.customer) == []
        served.visitor = Nobody()
        assert not volens.permits(EMAIL, MAIL, pseudonym=name)
        assert volens.permitted(EMAIL, MAIL, "pseudonym", [name]) == [False]
        with pytest.raises(client.VolensFailed):
            volens.changes()


def test_a_client_of_nobody_takes_it_as_no() -> None:
    volens = client.Volens("http://127.0.0.1:9", "a key")
    assert not volens.permits(EMAIL, MAIL, card="card-1")
    assert volens.permitted(EMAIL, MAIL, "card", ["card-1", "card-2"]) == [False, False]
    with pytest.raises(client.VolensFailed):
        volens.acknowledge("1-2-3")
    with pytest.raises(TypeError):
        volens.permits(EMAIL, MAIL, card="card-1", email="camille@example.org")
    with pytest.raises(ValueError, match="https"):
        client.Volens("ftp://x", "a key")
