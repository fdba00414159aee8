"""The steps of a house's life that are about money, each as a command that may be given again after it broke.

A reward is set aside and earned in the transaction of whoever counts the act; here a test does that, under keys of its own.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.support.purse import PAYER, give_budget
from volens.app import House
from volens.clock import legal_day
from volens.errors import NotFound, NotNow
from volens.offers.document import Amount
from volens.wallet import books, claims, out_store, store
from volens.wallet.claims import Promise

OFFER = "invitez-un-ami"
KEYS = "reward-of-{}"


def open_an_account(home: Path) -> None:
    """The house says from which account it pays."""
    file = home / "volens.toml"
    written = file.read_text(encoding="utf-8")
    if "[payouts]" not in written:
        account = f'\n[payouts]\nname = "{PAYER.name}"\niban = "{PAYER.iban}"\nbic = "{PAYER.bic}"\n'
        file.write_text(written + account, encoding="utf-8")


def earn(house: House, customers: dict[int, int]) -> None:
    """Each of some cards earned something, with a voucher; the second is held and contests it, the third is held for a while."""
    today = legal_day(house.clock.now(), "FR")
    give_budget(house._stores.records, OFFER, 200_000, today)
    for card, customer in customers.items():
        key = KEYS.format(card)
        with house._stores.records.writing() as connection:
            claims.reserve(connection, Promise(key, OFFER, 1, "FR", "EUR", Amount(2_000, 3_000)), day=today)
            if store.claim(connection, key) is not None and card != max(customers):
                claims.earn(
                    connection, key, customer, earned=today, matures=today + timedelta(days=10), voucher_days=365, why="referral",
                )  # fmt: skip
    second, third = list(customers)[1:3]
    for card, words in ((second, "It was me."), (third, "Nobody will answer in time.")):
        key, who = KEYS.format(card), customers[card]
        if not house.wallet.contests.of(who):
            house.wallet.hold(key, "Two orders came within the same minute.")
            house.wallet.contests.contest(who, key, words)
    (contest,) = house.wallet.contests.of(customers[second])
    if contest.state == "open":
        house.wallet.contests.answer(contest.contest, by="Idriss Exemple", words="You are right.", right=True)
    house.wallet.release(KEYS.format(third))
    with house._stores.records.writing() as connection:
        last = KEYS.format(max(customers))
        found = store.claim(connection, last)
        if found is not None and found.state == claims.RESERVED:
            claims.earn(connection, last, customers[max(customers)], earned=today, matures=today + timedelta(days=400),
                        voucher_days=30, why="referral")  # fmt: skip


def pay(house: House, customers: dict[int, int]) -> None:
    """The night, and then two people ask, one changes her mind; a run is dropped, another goes: one arrives, one fails."""
    house.wallet.nightly()
    payouts = house.wallet.payouts
    first, second, third = list(customers.values())[:3]
    for customer in (first, second, third):
        try:
            payouts.ask(customer, "EUR", name="Léa Exemple", iban=PAYER.iban, key=f"form-{customer}", language="fr")
        except NotNow:
            continue
    back = _payout(house, f"form-{third}")
    if back is not None and back.state == "asked":
        payouts.call_back(third, back.payout)
    runs = payouts.runs()
    if not runs:
        made = payouts.prepare("EUR", by="Alice Exemple")
        runs = [made] if made is not None else []
    if len(runs) == 1:
        payouts.drop(runs[0].run, by="Alice Exemple")
        payouts.prepare("EUR", by="Alice Exemple")
    run = payouts.runs()[0]
    payouts.release(run.run, by="Bruno Modèle")
    arrived, lost = payouts.of_run(run.run)
    payouts.confirm(arrived.payout)
    payouts.fail(lost.payout, why="AC04")


def _payout(house: House, key: str) -> out_store.Payout | None:
    with house._stores.records.reading() as connection:
        return out_store.payout_by_key(connection, key)


def spend(house: House, customers: dict[int, int]) -> None:
    """One voucher is reserved, free again, and used; another is left in a basket; a third is replaced."""
    tills = house.wallet.vouchers
    mine, other = (list(customers.values())[place] for place in (0, 1))
    with house._stores.records.reading() as connection:
        first, second = out_store.vouchers_of(connection, mine)
        third = out_store.vouchers_of(connection, other)
    codes = {one.number: one.code for one in house.wallet.of(mine)[0].vouchers}
    if first.voucher in codes:
        tills.reserve("till", codes[first.voucher], "basket-1")
        tills.rollback("till", codes[first.voucher], "basket-1")
        tills.redeem("till", codes[first.voucher], "basket-1")
    tills.reserve("till", codes[second.voucher], "basket-2", 1)
    if all(one.state != "void" for one in third):
        tills.replace(third[0].voucher, by="Alice Exemple")


def found_in(house: House) -> dict[str, object]:
    """What must be as in a life without faults. Participations have numbers of events, which a fault moves."""
    with house._stores.records.reading() as connection:
        vouchers = sorted((_named(one.claim), one.place, one.state) for one in out_store.all_vouchers(connection))
        claimed = sorted((_named(one.key), one.state) for one in store.all_claims(connection))
        paid = sorted((one.key, one.state) for one in out_store.payouts_where(connection))
        trial = books.trial(connection)
    assert all(sum(kinds.values()) == 0 for kinds in trial.values())
    files = list(house.settings.payouts.iterdir()) if house.settings.payouts.exists() else []
    return {"trial": trial, "vouchers": vouchers, "claims": claimed, "payouts": paid, "files": len(files)}


def _named(key: str) -> str:
    """A claim's key without the numbers of events and customers, of which others may be given after a break."""
    if key.startswith("participation:"):
        return "participation"
    return key.rpartition(":")[0] if key.startswith(("licence:", "instead:")) else key


def numbers(house: House, cards: list[int]) -> dict[int, int]:
    """The customers of some cards that are there."""
    found = {}
    for card in cards:
        try:
            found[card] = house.customer("card", f"C{card:05}").customer
        except NotFound:
            continue
    return found
