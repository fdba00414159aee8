"""The witness, rule by rule: what continues is signed, everything else has its own answer and leaves its evidence."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.support.shop import HandClock
from tests.support.witnesses import ORIGIN, Log, answering, fresh

from volens.cli.main import main
from volens.clock import system
from volens.errors import BadInput, KeysMissing, Tampered
from volens.evidence import merkle
from volens.evidence.checkpoint import Checkpoint, sign, verify
from volens.evidence.cosignature import CosignerKey, cosignatures
from volens.evidence.witness import BODY_BYTES_MAX, Witness, write_request
from volens.evidence.witness_page import preferred
from volens.evidence.witness_server import Allowance

STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)


def test_what_continues_is_signed_and_kept(tmp_path: Path) -> None:
    log, hand = Log().grow(3), HandClock()
    witness = fresh(tmp_path / "w", log, clock=hand.clock)
    for old, grown in ((0, 0), (3, 5), (8, 0), (8, 100)):
        log.grow(grown)
        hand.instant += timedelta(seconds=1)
        answer = witness.add_checkpoint(log.request(old))
        assert answer.status == 200, answer
        (found,) = cosignatures(log.note() + answer.body, [witness.key])
        assert found.at == int(hand.instant.timestamp())
        kept = witness.log(ORIGIN)
        assert kept is not None
        assert (kept.state.size, verify(kept.note, log.vkey).size) == (len(log.leaves), len(log.leaves))
        assert cosignatures(kept.note, [witness.key]) == (found,)


def test_a_stale_old_size_is_told_the_size(tmp_path: Path) -> None:
    log = Log().grow(8)
    witness = fresh(tmp_path / "w", log)
    witness.add_checkpoint(log.request(0, 5))
    for old in (0, 3, 6):
        answer = witness.add_checkpoint(log.request(old))
        assert (answer.status, answer.media_type, answer.body) == (409, "text/x.tlog.size", "5\n")
    assert witness.add_checkpoint(log.request(5)).status == 200
    assert witness.evidence() == [], "to be behind is no offence"


def test_strangers_and_the_unknown(tmp_path: Path) -> None:
    log = Log().grow(4)
    witness = fresh(tmp_path / "w", log)
    assert witness.add_checkpoint(replace(log, origin="volens/elsewhere/public").request(0)).status == 404
    assert witness.add_checkpoint(replace(log, key=STRANGER).request(0)).status == 403
    assert witness.add_checkpoint(write_request(9, (), log.note())).status == 400
    assert witness.add_checkpoint(log.request(0)).status == 200
    assert witness.evidence() == []


def test_another_root_of_the_same_size_is_proof_for_anybody(tmp_path: Path) -> None:
    log, forged = Log().grow(6), Log(noise="forged").grow(6)
    witness = fresh(tmp_path / "w", log)
    witness.add_checkpoint(log.request(0))
    for old in (6, 0, 6):  # whatever old size comes with it
        answer = witness.add_checkpoint(write_request(old, (), forged.note()))
        assert (answer.status, answer.body) == (409, "6\n")
    (kept,) = witness.evidence()
    states = [verify(kept[which], log.vkey) for which in ("cosigned", "refused")]
    assert states[0].size == states[1].size
    assert states[0].root != states[1].root
    assert kept["kind"] == "contradiction"
    found = witness.log(ORIGIN)
    assert found is not None
    assert (found.contradictions, found.state) == (3, states[0]), "it stays with what it signed"


def test_a_rewritten_log_has_no_proof_and_both_notes_are_kept(tmp_path: Path) -> None:
    log, forged = Log().grow(6), Log(noise="forged").grow(9)
    witness = fresh(tmp_path / "w", log)
    witness.add_checkpoint(log.request(0))
    for proof in (merkle.consistency_proof(forged.leaves, 6), (), (bytes(32),) * 63):
        assert witness.add_checkpoint(write_request(6, proof, forged.note())).status == 422
    (kept,) = witness.evidence()
    assert (kept["kind"], verify(kept["refused"], log.vkey).size) == ("unproven", 9)
    assert len(kept["proof"]) > 0


def test_a_stranger_who_sends_an_honest_state_with_a_bad_proof_leaves_no_stain(tmp_path: Path) -> None:
    log = Log().grow(6)
    witness = fresh(tmp_path / "w", log)
    witness.add_checkpoint(log.request(0))
    log.grow(3)
    assert witness.add_checkpoint(write_request(6, (bytes(32),), log.note())).status == 422
    assert len(witness.evidence()) == 1
    assert witness.add_checkpoint(log.request(6)).status == 200
    assert witness.evidence() == [], "the same state came with its proof"


def test_evidence_has_a_limit_and_the_first_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volens.evidence.witness.EVIDENCE_MAX", 3)
    log = Log().grow(6)
    witness = fresh(tmp_path / "w", log)
    witness.add_checkpoint(log.request(0))
    for noise in range(5):
        witness.add_checkpoint(write_request(6, (), Log(noise=f"f{noise}").grow(6).note()))
    assert len(witness.evidence()) == 3
    assert (found := witness.log(ORIGIN)) is not None
    assert found.contradictions == 5


def test_a_clock_that_was_set_back_does_not_turn_the_order_round(tmp_path: Path) -> None:
    log, hand = Log().grow(2), HandClock()
    witness = fresh(tmp_path / "w", log, clock=hand.clock)
    witness.add_checkpoint(log.request(0))
    hand.pass_days(-3)
    later = witness.add_checkpoint(log.grow(1).request(2))
    (found,) = cosignatures(log.note() + later.body, [witness.key])
    assert found.at == int(datetime(2026, 3, 2, 9, 0, tzinfo=UTC).timestamp())


def test_the_empty_log_can_be_signed_once_and_never_with_a_made_up_root(tmp_path: Path) -> None:
    log = Log()
    witness = fresh(tmp_path / "w", log)
    made_up = sign(Checkpoint(ORIGIN, 0, b"x" * 32), "volens/le-panier", log.key)
    assert witness.add_checkpoint(write_request(0, (), made_up)).status == 422
    assert witness.add_checkpoint(log.request(0)).status == 200
    assert witness.add_checkpoint(write_request(0, (), made_up)).status == 409
    assert witness.add_checkpoint(log.grow(2).request(0)).status == 200


def test_a_second_key_of_the_house_is_trusted_beside_the_first(tmp_path: Path) -> None:
    log = Log().grow(3)
    renewed = replace(log, key=STRANGER)
    witness = fresh(tmp_path / "w", log)
    assert witness.add_checkpoint(log.request(0)).status == 200
    renewed.grow(2)
    assert witness.add_checkpoint(renewed.request(3)).status == 403
    witness.add_log(renewed.vkey, [ORIGIN])
    assert witness.add_checkpoint(renewed.request(3)).status == 200
    assert witness.add_log(log.vkey) == ["volens/le-panier/events", ORIGIN]


def test_many_at_once_make_one_history(tmp_path: Path) -> None:
    log = Log().grow(40)
    witness = fresh(tmp_path / "w", log)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda size: witness.add_checkpoint(log.request(0, size)).status, range(1, 40)))
    assert sorted(answers) == [200] + [409] * 38
    assert (found := witness.log(ORIGIN)) is not None
    assert found.cosigned == 1


def test_a_witness_that_cannot_read_what_it_wrote_signs_nothing(tmp_path: Path) -> None:
    log = Log().grow(3)
    witness = fresh(tmp_path / "w", log)
    witness.add_checkpoint(log.request(0))
    (file,) = (tmp_path / "w" / "logs").glob("*.json")
    for broken in ("", "[]", "{}", file.read_text(encoding="utf-8").replace("volens/", "v")[:-40]):
        file.write_text(broken, encoding="utf-8")
        with pytest.raises(Tampered):
            witness.add_checkpoint(log.request(3))
    with answering(witness) as server:
        assert post(server.url, log.request(3))[0] == 500


def test_making_and_opening(tmp_path: Path) -> None:
    witness = fresh(tmp_path / "w")
    assert (tmp_path / "w" / "key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadInput, match="already holds"):
        fresh(tmp_path / "w")
    for name in ("", "two words", "a+b"):
        with pytest.raises(BadInput, match="name"):
            fresh(tmp_path / "x", name=name)
    for vkey in ("", "nonsense", str(witness.key)):
        with pytest.raises(BadInput, match="key"):
            witness.add_log(vkey)
    with witness.serving(), pytest.raises(BadInput, match="already running"), Witness(tmp_path / "w", system()).serving():
        pass
    (tmp_path / "w" / "key").chmod(0o644)
    with pytest.raises(KeysMissing):
        Witness(tmp_path / "w", system())


def get(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def post(url: str, body: bytes) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{url}/add-checkpoint", body, method="POST"), timeout=10) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_over_http_with_fixed_addresses_and_a_page_for_people(tmp_path: Path) -> None:
    log, forged = Log().grow(5), Log(noise="<script>").grow(5)
    witness = fresh(tmp_path / "w", log)
    with answering(witness) as server:
        assert get(f"{server.url}/checkpoint/{ORIGIN}")[0] == 404
        assert "no record yet" not in get(server.url)[1]
        line = post(server.url, log.request(0))[1]
        status, note = get(f"{server.url}/checkpoint/{ORIGIN}")
        assert (status, note) == (200, log.note() + line)
        assert get(f"{server.url}/key") == (200, f"{witness.key}\n")
        witness.add_checkpoint(write_request(5, (), forged.note()))
        english, french = get(server.url)[1], get(server.url, **{"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.5"})[1]
        assert "knows nothing about customers" in english
        assert "ne sait rien des clients" in french
        assert ORIGIN in english
        assert "two different states" in english
        (kept,) = json.loads(get(f"{server.url}/status.json")[1])["evidence"]
        evidence = json.loads(get(f"{server.url}/evidence/{kept['id']}.json")[1])
        assert (evidence["cosigned"], evidence["refused"]) == (note, forged.note())
        for nowhere in ("/evidence/../key.json", "/evidence/..%2f..%2fkey.json", "/checkpoint/%ff", "/x", "/checkpoint/"):
            assert get(f"{server.url}{nowhere}")[0] == 404


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST /add-checkpoint HTTP/1.1\r\nHost: x\r\n\r\n", 411),
        ("POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", 411),
        ("POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: ٣\r\n\r\n", 411),
        ("POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 411),
        (f"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY_BYTES_MAX + 1}\r\n\r\n", 413),
        ("POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: " + "9" * 500 + "\r\n\r\n", 413),
        ("POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 400),
        ("POST /elsewhere HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 404),
        ("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        ("nonsense\r\n\r\n", 400),
    ],
)
def test_what_is_not_a_request_is_refused(tmp_path: Path, head: str, status: int) -> None:
    import socket

    with answering(fresh(tmp_path / "w")) as server, socket.create_connection(server.server_address[:2], 10) as connection:
        connection.sendall(head.encode("utf-8"))
        said = connection.recv(4096).decode("latin-1")
    assert f" {status} " in said.split("\r\n")[0] + " " or f"Error code: {status}" in said


def test_one_address_cannot_ask_without_end(tmp_path: Path) -> None:
    allowance = Allowance(a_minute=3)
    assert [allowance.take("a", 0.0) for _ in range(4)] == [True, True, True, False]
    assert allowance.take("b", 0.0)
    assert allowance.take("a", 20.0), "one more after a third of a minute"
    assert not allowance.take("a", 20.0)
    with answering(fresh(tmp_path / "w")) as server:
        server.allowance = Allowance(a_minute=1)
        assert [get(f"{server.url}/key")[0] for _ in range(2)] == [200, 429]


def test_a_connection_is_kept_for_several_requests(tmp_path: Path) -> None:
    log = Log().grow(2)
    with answering(fresh(tmp_path / "w", log)) as server:
        connection = http.client.HTTPConnection(*server.server_address[:2], timeout=10)
        for old in (0, 2):
            connection.request("POST", "/add-checkpoint", log.request(old))
            answer = connection.getresponse()
            assert answer.status == 200
            answer.read()
        connection.close()


def test_languages() -> None:
    found = [preferred(asked) for asked in ("", "de", "fr", "en-GB,fr;q=0.3", "fr-CA;q=0.9,en;q=0.1", "fr;q=x,en", "*" * 9_999)]
    assert found == ["en", "en", "fr", "en", "fr", "en", "en"]


def test_the_commands(tmp_path: Path) -> None:
    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, ["witness", *arguments])
        assert result.exit_code == code, result.output
        return result.output

    folder, log = str(tmp_path / "w"), Log().grow(2)
    key = json.loads(run("init", folder, "--name", "witness.example", "--json"))["key"]
    assert CosignerKey.parse(key).name == "witness.example"
    assert "already holds" in run("init", folder, "--name", "witness.example", code=2)
    assert ORIGIN in run("add-log", folder, log.vkey)
    assert "not a log's key" in run("add-log", folder, key, code=2)
    Witness(tmp_path / "w", system()).add_checkpoint(log.request(0))
    assert "2 entries, signed 1 times" in run("status", folder)
    assert "no witness" in run("status", str(tmp_path / "x"), code=6)


KILLED = """
import os, signal, sys
from pathlib import Path
from volens.clock import system
from volens.evidence.witness import Witness
from volens.evidence.witness_server import WitnessServer
class Dying(Witness):
    def add_checkpoint(self, body):
        answer = super().add_checkpoint(body)
        os.kill(os.getpid(), signal.SIGKILL)
        return answer
server = WitnessServer(Dying(Path(sys.argv[1]), system()), "127.0.0.1", 0)
print(server.url, flush=True)
server.serve_forever()
"""


def test_killed_between_the_disk_and_the_answer_it_knows_what_it_signed(tmp_path: Path) -> None:
    log = Log().grow(3)
    fresh(tmp_path / "w", log)
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "w")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    with pytest.raises((urllib.error.URLError, http.client.HTTPException, ConnectionError)):
        post(url, log.request(0))
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    with answering(Witness(tmp_path / "w", system())) as server:
        assert post(server.url, log.request(0)) == (409, "3\n"), "it signed, and says so"
        assert post(server.url, write_request(3, (), Log(noise="forged").grow(3).note()))[0] == 409
        status, line = post(server.url, log.request(3))
        assert status == 200
        assert cosignatures(log.note() + line, [Witness(tmp_path / "w", system()).key])


def test_served_by_the_command_and_stopped_by_a_signal(tmp_path: Path) -> None:
    log = Log().grow(3)
    fresh(tmp_path / "w", log)
    command = [sys.executable, "-m", "volens.cli.main", "witness", "serve", str(tmp_path / "w"), "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert get(f"{told['url']}/key")[1].strip() == told["key"]
    second = subprocess.run(command, capture_output=True, text=True)
    assert (second.returncode, "already running" in second.stderr) == (2, True)
    time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")


def test_the_encoding_of_a_proof_is_the_formats(tmp_path: Path) -> None:
    body = write_request(4, (b"a" * 32, b"b" * 32), "note")
    assert body == b"old 4\n" + b"".join(base64.b64encode(letter * 32) + b"\n" for letter in (b"a", b"b")) + b"\nnote"
