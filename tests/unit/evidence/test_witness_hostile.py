"""Whatever is sent to a witness has an answer, and no cosignature is ever made for a state that does not continue the last."""

from __future__ import annotations

import tempfile
from hashlib import sha256
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.support.witnesses import ORIGIN, Log, fresh

from volens.evidence import merkle
from volens.evidence.checkpoint import Checkpoint, parse, sign
from volens.evidence.cosignature import cosignatures
from volens.evidence.witness import Witness, write_request

STATUSES = {200, 400, 403, 404, 409, 422}


class Shared:
    """One witness for all examples of a test: it has signed five entries, and nothing that is sent may change that."""

    witness: Witness | None = None
    log = Log().grow(5)

    @classmethod
    def get(cls) -> Witness:
        if cls.witness is None:
            cls.witness = fresh(Path(tempfile.mkdtemp()) / "w", cls.log)
            assert cls.witness.add_checkpoint(cls.log.request(0)).status == 200
        return cls.witness


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_noise_is_a_bad_request(body: bytes) -> None:
    assert Shared.get().add_checkpoint(body).status == 400


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_request_with_something_changed_is_never_signed_as_another_state(data: st.DataObject) -> None:
    witness, body = Shared.get(), bytearray(Shared.log.request(5))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "twice", "insert"])):
            case "flip":
                body[place] ^= data.draw(st.integers(1, 255))
            case "cut":
                del body[place:]
            case "twice":
                body[place:place] = body[place : place + 40]
            case _:
                odd = [b"\n", b"\n\n", b" ", b"\x00", b"0", b"-", "٣".encode(), b"old 5\n"]
                body[place:place] = data.draw(st.sampled_from(odd))
        if not body:
            break
    answer = witness.add_checkpoint(bytes(body))
    assert answer.status in STATUSES
    kept = witness.log(ORIGIN)
    assert kept is not None
    assert (kept.state.size, kept.state.root) == (5, merkle.root_of(Shared.log.leaves)), "whatever was sent"


NUMBERS = st.one_of(
    st.integers(-3, 80),
    st.sampled_from([1 << 31, (1 << 63) - 1, 1 << 63, 10**30]),
    st.sampled_from(["05", "+5", " 5", "5 ", "5_0", "0x5", "٣", "", "5.0", "1e3", "9" * 4_000]),
)


@settings(max_examples=200, deadline=None)
@given(old=NUMBERS, lines=st.lists(st.sampled_from(["", "AAAA", "x" * 44, "A" * 43 + "=", "B" * 43 + "="]), max_size=70))
def test_odd_sizes_and_proofs(old: object, lines: list[str]) -> None:
    note = Log(noise="forged").grow(7).note()
    answer = Shared.get().add_checkpoint("\n".join([f"old {old}", *lines, "", note]).encode())
    assert answer.status in STATUSES - {200}


class History(RuleBasedStateMachine):
    """An honest log, a forger with the same key, and a restart now and then: the witness only ever signs one history."""

    def __init__(self) -> None:
        super().__init__()
        self.log = Log().grow(1)
        self.folder = Path(tempfile.mkdtemp()) / "w"
        self.witness = fresh(self.folder, self.log)
        self.signed: dict[int, bytes] = {}

    def send(self, old: int, proof: tuple[bytes, ...], size: int, root: bytes) -> None:
        note = sign(Checkpoint(ORIGIN, size, root), "volens/le-panier", self.log.key)
        answer = self.witness.add_checkpoint(write_request(old, proof, note))
        assert answer.status in STATUSES
        if answer.status == 200:
            assert cosignatures(note + answer.body, [self.witness.key])
            self.signed[size] = root

    @rule(count=st.integers(0, 9), old=st.one_of(st.none(), st.integers(0, 30)))
    def honest(self, count: int, old: int | None) -> None:
        self.log.grow(count)
        kept = self.witness.log(ORIGIN)
        assert kept is not None
        start = kept.state.size if old is None else min(old, len(self.log.leaves))
        proof = merkle.consistency_proof(self.log.leaves, start)
        self.send(start, proof, len(self.log.leaves), merkle.root_of(self.log.leaves))

    @rule(fork=st.integers(0, 40), more=st.integers(0, 40), old=st.one_of(st.none(), st.integers(0, 60)), own_proof=st.booleans())
    def forger(self, fork: int, more: int, old: int | None, own_proof: bool) -> None:
        """Shares the first entries, then goes another way; with the honest proof, or one of its own."""
        fork = min(fork, len(self.log.leaves))
        made_up = [sha256(f"forged {fork} {number}".encode()).digest() for number in range(more + 1)]
        leaves = self.log.leaves[:fork] + made_up
        seen = self.witness.log(ORIGIN)
        assert seen is not None
        old = min(seen.state.size if old is None else old, len(leaves))  # most often what the witness expects to hear
        proof = merkle.consistency_proof(leaves, old) if own_proof else merkle.consistency_proof(self.log.leaves, min(old, fork))
        before = self.witness.log(ORIGIN)
        assert before is not None
        self.send(old, proof, len(leaves), merkle.root_of(leaves))
        if leaves[: before.state.size] != self.log.leaves[: before.state.size]:  # the forger leaves out what was signed
            after = self.witness.log(ORIGIN)
            assert after is not None
            assert after.state == before.state
        elif (after := self.witness.log(ORIGIN)) is not None and after.state.size > before.state.size:
            self.log.leaves = leaves  # the witness was not there yet: this has become the history, or goes on from it

    @rule()
    def restart(self) -> None:
        self.witness = Witness(self.folder, self.witness._clock)

    @invariant()
    def one_history(self) -> None:
        for size, root in self.signed.items():
            assert merkle.root_of(self.log.leaves[:size]) == root
        kept = self.witness.log(ORIGIN)
        assert kept is not None
        if kept.note:
            assert parse(kept.note).checkpoint.root == self.signed[kept.state.size]


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)
