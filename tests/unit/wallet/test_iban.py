"""Which bank accounts money can be sent to, and that the file for the bank is one."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.purse import IBAN, OTHER_IBAN, PAYER

from volens.errors import BadInput, NotNow
from volens.wallet.carriers import Order, Payer, SepaFiles, Transfer, written
from volens.wallet.iban import NAME_MAX, BankAccount, plain, wrong

RIGHT = (IBAN, OTHER_IBAN, "GB82WEST12345698765432", "BE68539007547034", "MT84MALT011000012345MTLCAST001S", "NO9386011117947")


@pytest.mark.parametrize("typed", [*RIGHT, "fr76 3000 6000 0112 3456 7890 189", "FR76-3000-6000-0112-3456-7890-189"])
def test_what_banks_print_is_taken(typed: str) -> None:
    assert wrong(typed) == ""
    assert plain(typed) in RIGHT


@given(st.sampled_from(RIGHT), st.data())
def test_one_wrong_character_is_found(iban: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(2, len(iban) - 1))
    other = data.draw(st.sampled_from("0123456789"))
    slipped = iban[:place] + other + iban[place + 1 :]
    assert (wrong(slipped) == "") == (slipped == iban)


@pytest.mark.parametrize(("typed", "what"), [
    ("", "form"), ("FR76", "form"), (IBAN[:-1], "form"), (IBAN + "0", "form"), ("FR76é" + IBAN[5:], "form"), ("１２" * 13, "form"),
    (IBAN[:-1] + "0", "slip"), ("US64SVBKUS6S3300958879", "country"), ("ZZ82WEST12345698765432", "country"),
])  # fmt: skip
def test_what_is_wrong_is_told_and_never_repeated(typed: str, what: str) -> None:
    assert wrong(typed) == what
    with pytest.raises(BadInput) as told:
        plain(typed)
    assert len(typed) < 5 or typed not in str(told.value)


@pytest.mark.parametrize("name", ["", "  ", "x" * (NAME_MAX + 1), "a\x00b"])
def test_an_account_has_a_name(name: str) -> None:
    with pytest.raises(BadInput):
        BankAccount(name, IBAN)
    assert BankAccount("x" * NAME_MAX, IBAN).last4 == "0189"


def test_the_payer_has_a_bank() -> None:
    for bic in ("", "AGRI", "AGRIFRPP1", "agrifrpp"):
        with pytest.raises(BadInput):
            Payer("Le Panier SAS", IBAN, bic)


def order(*transfers: Transfer, currency: str = "EUR") -> Order:
    day = date(2026, 3, 2)
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    return Order("2026-03-02-EUR-7", currency, day, at, transfers, "Récompense <Le Panier> & fils")


def test_a_file_for_the_bank_is_valid_and_the_same_again() -> None:
    """`written` validates by the schema of pain.001.001.09; what is asked here is what the schema does not know."""
    made = order(Transfer(7, BankAccount("Léa & Éric <Exemple>", IBAN), 1), Transfer(8, BankAccount("N", OTHER_IBAN), 9_999_999))
    content = written(made, PAYER).decode()
    assert content == written(made, PAYER).decode()
    assert re.findall(r"<InstdAmt Ccy=\"EUR\">([\d.]+)<", content) == ["0.01", "99999.99"]
    assert re.findall(r"<CtrlSum>([\d.]+)<", content) == ["100000.00"] * 2
    assert re.findall(r"<NbOfTxs>(\d+)<", content) == ["2"] * 2
    assert re.findall(r"<EndToEndId>([^<]+)<", content) == ["2026-03-02-EUR-7-7", "2026-03-02-EUR-7-8"]
    assert re.findall(r"<(?:MsgId|PmtInfId)>([^<]+)<", content) == ["2026-03-02-EUR-7"] * 2
    assert "Lea &amp; Eric &lt;Exemple&gt;" in content


def test_a_carrier_says_no_before_anything_moves(tmp_path: Path) -> None:
    folder = tmp_path / "payouts"
    with pytest.raises(NotNow):
        SepaFiles(folder, PAYER).require("CHF")
    with pytest.raises(NotNow):
        SepaFiles(folder, None).require("EUR")
    assert not folder.exists()
