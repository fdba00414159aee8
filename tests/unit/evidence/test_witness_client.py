"""The house and its witnesses: signed when they are there, later when they are not, and an alarm when one refuses."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.support.shop import Shop
from tests.support.witnesses import answering, fresh

from volens.audit.run import audit
from volens.errors import BadInput
from volens.evidence.checkpoint import parse, verify
from volens.evidence.cosignature import cosignatures
from volens.evidence.log import EVENTS, PUBLIC, TREES
from volens.evidence.witness import Witness
from volens.evidence.witness_client import Standing, WitnessAt, Witnesses, alarm_of


@pytest.fixture
def witness(shop: Shop, tmp_path: Path) -> Witness:
    made = fresh(tmp_path / "w", clock=shop.hand.clock)
    made.add_log(shop.outside.vkey)
    return made


def witnesses(shop: Shop, *addresses: WitnessAt) -> Witnesses:
    return Witnesses(shop.outside, addresses, shop.hand.clock)


def sign(shop: Shop, asked: Witnesses) -> list[Standing]:
    shop.outside.publish(shop.records)
    return asked.ask()


def test_both_trees_are_signed_and_the_signature_is_kept_where_everybody_reads(shop: Shop, witness: Witness) -> None:
    with answering(witness) as server:
        asked = witnesses(shop, WitnessAt(server.url, witness.key))
        for people in (1, 5, 400):
            shop.people(people)
            assert [(one.alarm, one.trouble, one.behind) for one in sign(shop, asked)] == [("", "", False)] * 2
        requests = len([log.cosigned for log in witness.logs()])
        assert [one.sentence()[0] for one in asked.ask()] == ["✓", "✓"]
        assert len(witness.logs()) == requests
    for tree in TREES:
        newest = shop.outside.latest(tree)
        assert newest is not None
        published = (shop.folder / "checkpoints" / "published" / tree / "checkpoint").read_text(encoding="utf-8")
        assert published == shop.outside.note(tree, newest.size)
        assert verify(published, shop.outside.vkey) == newest
        assert len(cosignatures(published, [witness.key])) == 1
    assert audit(shop.records, shop.outside, shop.vault).ok


def test_two_witnesses_sign_the_same_note(shop: Shop, witness: Witness, tmp_path: Path) -> None:
    other = fresh(tmp_path / "w2", name="temoin.example/deux")
    other.add_log(shop.outside.vkey)
    with answering(witness) as one, answering(other) as two:
        asked = witnesses(shop, WitnessAt(one.url, witness.key), WitnessAt(two.url, other.key))
        shop.people(2)
        sign(shop, asked)
        shop.people(3)
        sign(shop, asked)
    newest = shop.outside.latest(EVENTS)
    assert newest is not None
    note = shop.outside.note(EVENTS, newest.size)
    assert {found.key.name for found in cosignatures(note, [witness.key, other.key])} == {witness.name, other.name}
    assert len(parse(note).signatures) == 3


def test_nothing_waits_for_a_witness_that_is_away(shop: Shop, witness: Witness) -> None:
    with answering(witness) as server:
        address = WitnessAt(server.url, witness.key)
    asked = witnesses(shop, address)  # nobody answers there any more
    shop.people(1)
    found = sign(shop, asked)
    assert all(one.behind and "does not answer" in one.trouble for one in found)
    first = found[0].asked
    shop.people(2)
    assert sign(shop, asked)[0].asked == first, "left in peace for a minute"
    assert "behind" in asked.standing()[0].sentence()
    port = int(address.url.rsplit(":", 1)[1])
    with answering(witness, port):
        assert [one.behind for one in asked.ask(patient=True)] == [False, False]
    shop.hand.pass_days(1)
    shop.people(3)
    assert sign(shop, asked)[0].trouble
    assert audit(shop.records, shop.outside, shop.vault).ok, "to be behind is no finding"


def test_what_the_house_forgot_the_witness_tells(shop: Shop, witness: Witness) -> None:
    with answering(witness) as server:
        asked = witnesses(shop, WitnessAt(server.url, witness.key))
        shop.people(3)
        sign(shop, asked)
        shutil.rmtree(shop.folder / "checkpoints" / "witnesses")
        shop.people(2)
        assert not [one for one in sign(shop, asked) if one.behind]


def test_an_old_back_up_is_an_alarm_that_the_audit_repeats(shop: Shop, witness: Witness) -> None:
    shop.people(2)
    shop.outside.publish(shop.records)
    folder = shop.folder / "checkpoints"
    shutil.copytree(folder, shop.folder / "older")
    with answering(witness) as server:
        asked = witnesses(shop, WitnessAt(server.url, witness.key))
        shop.people(4)
        sign(shop, asked)
        shutil.rmtree(folder)
        shutil.copytree(shop.folder / "older", folder)
        found = asked.ask()
        assert "old back-up" in found[0].alarm
        assert alarm_of(found) == found[0]
    report = audit(shop.records, shop.outside, shop.vault)
    refused = [finding.where for finding in report.findings if "witness refuses" in finding.what]
    assert refused == [f"{tree} at {witness.name}" for tree in (EVENTS, PUBLIC)]


def test_a_witness_that_does_not_know_the_house_says_so(shop: Shop, tmp_path: Path) -> None:
    stranger = fresh(tmp_path / "stranger")
    shop.people(1)
    with answering(stranger) as server:
        found = sign(shop, witnesses(shop, WitnessAt(server.url, stranger.key)))
        assert "does not watch this log" in found[0].trouble
        other = fresh(tmp_path / "other").key
        stranger.add_log(shop.outside.vkey)
        found = witnesses(shop, WitnessAt(server.url, other)).ask(patient=True)
    assert "did not sign with the key" in found[0].trouble or "signature" in found[0].trouble


def test_settings_name_a_key_that_can_be_read(shop: Shop) -> None:
    with pytest.raises(BadInput, match="no key that can be read"):
        WitnessAt.of("https://w.example", shop.outside.vkey)


ANSWERS = [
    (200, b""),
    (200, "— nobody AAAA\n".encode()),
    (200, b"\xff\xfe"),
    (200, b"x" * 500_000),
    (409, b"99999999999999999999999"),
    (409, "٣\n".encode()),
    (409, b""),
    (302, b"http://127.0.0.1:1/"),
    (500, b"\xff"),
    (429, b""),
]


@contextmanager
def saying(status: int, body: bytes) -> Iterator[str]:
    """A witness that says one thing to everybody."""

    class Liar(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silence."""

    server = HTTPServer(("127.0.0.1", 0), Liar)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_hostile_witness_breaks_nothing(shop: Shop, witness: Witness) -> None:
    shop.people(1)
    shop.outside.publish(shop.records)
    newest = shop.outside.latest(EVENTS)
    assert newest is not None
    before = shop.outside.note(EVENTS, newest.size)
    for status, body in ANSWERS:
        with saying(status, body) as url:
            found = witnesses(shop, WitnessAt(url, witness.key)).ask(patient=True)
        assert all(one.trouble or one.alarm for one in found), (status, body)
        assert shop.outside.note(EVENTS, newest.size) == before
