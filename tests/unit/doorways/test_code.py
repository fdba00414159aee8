"""The code of a short address: says nothing, cannot be invented, and forgives how people type."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from volens.delivery import codes
from volens.doorways import code
from volens.doorways.code import CHARACTERS, GENERATIONS, Opened
from volens.doorways.lines import qr_svg

KEY = b"k" * 32


def mac(purpose: str, value: bytes) -> bytes:
    return hmac.new(KEY, purpose.encode() + b"\0" + value, hashlib.sha256).digest()


@given(st.integers(0, 2**31 - 1), st.integers(0, GENERATIONS - 1))
def test_a_code_opens_to_what_it_was_made_of(account: int, generation: int) -> None:
    made = code.make(mac, account, generation)
    assert len(made) == CHARACTERS
    assert code.read(mac, made) == Opened(account, generation)
    assert code.read(mac, code.shown(made).lower()) == Opened(account, generation)


def test_letters_that_look_like_digits_mean_the_digits() -> None:
    assert codes.read("il-O0", 4) == codes.read("1100", 4)
    assert codes.read("U000", 4) is None


def test_codes_cannot_be_invented() -> None:
    """One in two million invented codes would be taken for one of ours; of these, none is."""
    invented = (int.from_bytes(hashlib.sha256(b"%d" % n).digest()[:8], "big") & (1 << 60) - 1 for n in range(2_000))
    assert not [number for number in invented if code.read(mac, codes.written(number, CHARACTERS)) is not None]


def test_a_mistyped_character_is_noticed() -> None:
    made = code.make(mac, 7, 0)
    wrong = [made[:at] + letter + made[at + 1 :] for at in range(CHARACTERS) for letter in codes.ALPHABET if letter != made[at]]
    assert not [one for one in wrong if code.read(mac, one) is not None]


def test_codes_of_neighbours_have_nothing_in_common() -> None:
    """Bits that differ between the codes of accounts that follow each other: about half of sixty, on average."""
    found = [codes.read(code.make(mac, account, 0), CHARACTERS) or 0 for account in range(400)]
    differ = [(one ^ other).bit_count() for one, other in itertools.pairwise(found)]
    assert 27 < sum(differ) / len(differ) < 33
    assert len(set(found)) == 400


def test_another_key_opens_nothing() -> None:
    other = secrets.token_bytes(32)
    made = code.make(mac, 7, 0)
    assert code.read(lambda purpose, value: hmac.new(other, value, hashlib.sha256).digest(), made) is None


@pytest.mark.parametrize(("account", "generation"), [(2**31, 0), (-1, 0), (0, GENERATIONS)])
def test_what_has_no_room_is_not_written(account: int, generation: int) -> None:
    with pytest.raises(ValueError, match="no such account"):
        code.make(mac, account, generation)


def test_the_drawing_has_no_script_and_no_style() -> None:
    drawn = qr_svg("https://lepanier.example/n/ABCDEFGHJKLM")
    assert drawn.startswith("<svg")
    assert not [word for word in ("script", "style=", "href") if word in drawn]
