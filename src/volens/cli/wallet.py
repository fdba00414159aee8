"""`volens wallet`: budgets, the books, vouchers, payouts by two people, and what people contest."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell

if TYPE_CHECKING:
    from volens.wallet.out_store import Payout, Run
    from volens.wallet.shown import Overview

BY = click.option("--by", required=True, help="Who answers for it: on the record.")
CURRENCY = click.option("--currency", default="EUR", show_default=True)
LINES_MOST = 40
"""Lines of a list for people; `--json` has all of them."""


class _Amount(click.ParamType[int]):
    """An amount with at most two decimals, as minor units."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """As an int."""
        try:
            cents = Decimal(str(value).replace(",", ".")) * 100
        except InvalidOperation:
            self.fail(f"{value!r} is no amount; write 500 or 499.90", param, ctx)
        if not cents.is_finite() or cents != int(cents) or cents < 0:
            self.fail(f"{value!r} is no amount; write 500 or 499.90", param, ctx)
        return int(cents)


def money(cents: int, currency: str) -> str:
    """An amount in a table."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02} {currency}"


@click.group()
def wallet() -> None:
    """What people earned: budgets, books, vouchers, payouts by two people, and what people contest."""


@wallet.command()
@click.argument("offer")
@click.option("--country", required=True, help="Two letters, for example FR.")
@click.option("--amount", type=_Amount(), help="All that may ever be promised there. Without it, what is left is said.")
@click.option("--by", help="Who answers for it: on the record.")
@house_option
@json_option
@speaking
def budget(offer: str, country: str, amount: int | None, by: str | None, house: Path, as_json: bool) -> None:
    """Give OFFER its budget in a country, or say what is left of it."""
    from volens.app import open_house
    from volens.errors import BadInput, NotFound

    with open_house(house, clock=clock()) as opened:
        if amount is not None:
            if not by:
                raise BadInput("Somebody answers for a budget.", "Say who, with --by.")
            opened.offering.places.give_budget(offer, country, amount, by=by)
            opened.checkpoint()
        left = opened.wallet.budget_left(offer, country)
        if left is None:
            raise NotFound(f"The offer {offer!r} has no budget in {country}.", "Give it one, with --amount and --by.")
    value = {"offer": offer, "country": country, "left_cents": left[0], "currency": left[1]}
    tell(value, f"May still be promised for {offer} in {country}: {money(*left)}.", as_json)


@wallet.command()
@house_option
@json_option
@speaking
def balance(house: Path, as_json: bool) -> None:
    """The trial balance: what each kind of account holds, which adds up to zero in each currency."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        trial = opened.wallet.books().trial
    lines = []
    for currency, kinds in trial.items():
        lines += [f"  {kind:10} {money(cents, currency):>20}" for kind, cents in kinds.items()]
        lines.append(f"  {'together':10} {money(sum(kinds.values()), currency):>20}")
    tell({currency: dict(kinds) for currency, kinds in trial.items()}, "\n".join(lines) or "  Nothing was posted yet.", as_json)


@wallet.command()
@house_option
@json_option
@speaking
def books(house: Path, as_json: bool) -> None:
    """What the house owes today and from which day, what each offer was given and cost, vouchers and payouts."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.wallet.books()
    tell(found.to_dict(), _books(found), as_json)


def _books(found: Overview) -> str:
    lines = [f"  owed today  {money(cents, currency):>16}" for currency, cents in found.owed.items()]
    lines += [f"    from {day} {money(cents, currency):>16}" for currency, day, cents in found.curve[:LINES_MOST]]
    for one in found.pots:
        lines.append(f"  {one.offer} in {one.country}")
        for said, cents in (
            ("given", one.budget_cents), ("may still be promised", one.left_cents), ("promised", one.committed_cents),
            ("earned", one.earned_cents), ("vouchers used", one.redeemed_cents), ("vouchers over", one.expired_cents),
        ):  # fmt: skip
            lines.append(f"    {said:22} {money(cents, one.currency):>16}")
    lines += [f"  vouchers {state:10} {count:>8,} {money(cents, currency):>16}  {offer}"
              for offer, currency, state, count, cents in found.vouchers]  # fmt: skip
    lines += [f"  payouts  {state:10} {count:>8,} {money(cents, currency):>16}" for currency, state, count, cents in found.payouts]
    return "\n".join(lines) or "  Nothing was posted yet."


@wallet.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="The first day. Default: the beginning.")
@click.option("--until", "last", type=click.DateTime(["%Y-%m-%d"]), help="The last day. Default: today.")
@house_option
@json_option
@speaking
def export(file: Path, first: Any, last: Any, house: Path, as_json: bool) -> None:
    """Write one row a posting into FILE (CSV), and beside it what each account held before, got, gave and holds."""
    from volens.app import open_house
    from volens.errors import BadInput
    from volens.wallet.looking import write_totals

    totals = file.with_name(f"{file.stem}-totals.csv")
    days = (first.date().isoformat() if first else "", last.date().isoformat() if last else "9999-12-31")
    if days[0] > days[1]:
        raise BadInput(f"{days[0]} is after {days[1]}.", "Give the first day with --from, the last one with --until.")
    try:
        with open_house(house, clock=clock()) as opened, file.open("w", encoding="utf-8", newline="") as target:
            count, sums = opened.wallet.looking.export(target, *days)
        with totals.open("w", encoding="utf-8", newline="") as target:
            write_totals(target, sums)
    except OSError as problem:
        raise BadInput(f"{problem.filename} cannot be written: {problem.strerror}.", "Name another file.") from problem
    value = {"postings": count, "accounts": len(sums), "file": file.name, "totals": totals.name}
    tell(value, f"{count:,} postings in {file.name}; {len(sums):,} accounts in {totals.name}.", as_json)


@wallet.command()
@click.argument("key")
@house_option
@json_option
@speaking
def claim(key: str, house: Path, as_json: bool) -> None:
    """One reward by its KEY: its state and its day."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        one = opened.wallet.claim(key)
    parts = f"{money(one.money_cents, one.currency)} and {money(one.voucher_cents, one.currency)} in vouchers"
    text = f"  {one.key}: {parts}, {one.state}"
    text += f", from {one.matures}" if one.matures else ""
    tell({**vars(one)}, text, as_json)


@wallet.command()
@house_option
@json_option
@speaking
def mature(house: Path, as_json: bool) -> None:
    """Do what is due today, as the night does: rewards become available, vouchers are issued or end."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        done = opened.wallet.mature()
        opened.checkpoint()
    text = f"{done['matured']:,} became available, {done['vouchers']:,} vouchers issued, {done['expired']:,} ended."
    tell(done, text, as_json)


# Vouchers


@wallet.command()
@click.argument("code")
@house_option
@json_option
@speaking
def voucher(code: str, house: Path, as_json: bool) -> None:
    """What the voucher with this CODE is worth now. Whose it is stays unsaid."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.wallet.vouchers.check("command line", code)
    tell(found.to_dict(), f"  {money(found.cents, found.currency)}, {found.state}, until {found.until}", as_json)


@wallet.command()
@click.argument("number", type=int)
@BY
@house_option
@json_option
@speaking
def replace(number: int, by: str, house: Path, as_json: bool) -> None:
    """The code of voucher NUMBER was lost or seen by others: it is worth nothing any more, and its person gets another."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        made = opened.wallet.vouchers.replace(number, by=by)
        opened.checkpoint()
    tell({"voucher": made, "replaces": number}, f"Voucher {number} is void; {made} takes its place.", as_json)


# Payouts


@wallet.command()
@click.argument("run", required=False)
@house_option
@json_option
@speaking
def payouts(run: str | None, house: Path, as_json: bool) -> None:
    """Every run of payouts, or what is in one RUN. Of an account, its last four characters."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        if run is not None:
            found = opened.wallet.payouts.of_run(run)
            tell([_payout(one) for one in found], "\n".join(map(_payout_line, found)), as_json)
            return
        runs, counts = opened.wallet.payouts.runs(), opened.wallet.books().payouts
    lines = [f"  {state:10} {count:>6,} {money(cents, currency):>16}" for currency, state, count, cents in counts]
    lines += [_run_line(one) for one in runs[:LINES_MOST]]
    tell({"payouts": [list(one) for one in counts], "runs": [vars(one) for one in runs]}, "\n".join(lines) or "  Nobody asked yet.",
         as_json)  # fmt: skip


def _payout(one: Payout) -> dict[str, Any]:
    return {"payout": one.payout, "cents": one.cents, "currency": one.currency, "last4": one.last4, "state": one.state,
            "asked": one.asked, "moved": one.moved}  # fmt: skip


def _payout_line(one: Payout) -> str:
    return f"  {one.payout:>8} {money(one.cents, one.currency):>14}  ••••{one.last4}  {one.state} since {one.moved}"


def _run_line(one: Run) -> str:
    return f"  {one.run}: {one.count:,} payouts, {money(one.cents, one.currency)}, {one.state}"


@wallet.command()
@CURRENCY
@BY
@house_option
@json_option
@speaking
def prepare(currency: str, by: str, house: Path, as_json: bool) -> None:
    """Put what people asked for into one run. Somebody else releases it."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        made = opened.wallet.payouts.prepare(currency, by=by)
        opened.checkpoint()
    if made is None:
        tell({"run": None}, f"Nobody asked for {currency}.", as_json)
        return
    tell(vars(made), f"Prepared:\n{_run_line(made)}\nNext, by somebody else: volens wallet release {made.run} --by …", as_json)


@wallet.command()
@click.argument("run")
@BY
@house_option
@json_option
@speaking
def release(run: str, by: str, house: Path, as_json: bool) -> None:
    """Release a RUN that somebody else prepared: its file for the bank is written. Again: it is written if it was not."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        done = opened.wallet.payouts.release(run, by=by)
        opened.checkpoint()
        file = opened.settings.payouts / f"{run}.xml"
    tell({**vars(done), "file": str(file)}, f"Released:\n{_run_line(done)}\nGive the bank: {file}", as_json)


@wallet.command()
@click.argument("run")
@BY
@house_option
@json_option
@speaking
def drop(run: str, by: str, house: Path, as_json: bool) -> None:
    """A RUN that was prepared is not to go: what is in it waits again."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        done = opened.wallet.payouts.drop(run, by=by)
        opened.checkpoint()
    tell(vars(done), f"Dropped:\n{_run_line(done)}", as_json)


@wallet.command()
@click.argument("run")
@click.option("--failed", multiple=True, type=int, help="A payout that the bank did not pay; as often as needed.")
@click.option("--why", default="", help="The bank's reason, for example AC04.")
@house_option
@json_option
@speaking
def confirm(run: str, failed: tuple[int, ...], why: str, house: Path, as_json: bool) -> None:
    """The bank paid a RUN, but for what is named as failed: that is available again, and its people are told."""
    from volens.app import open_house
    from volens.errors import BadInput

    with open_house(house, clock=clock()) as opened:
        found = opened.wallet.payouts.of_run(run)
        strange = set(failed) - {one.payout for one in found}
        if strange:
            raise BadInput("A payout that is named as failed is not in this run.", f"See: volens wallet payouts {run}")
        for one in found:
            if one.payout in failed:
                opened.wallet.payouts.fail(one.payout, why=why)
            else:
                opened.wallet.payouts.confirm(one.payout)
        opened.checkpoint()
    paid = len(found) - len(failed)
    tell({"confirmed": paid, "failed": len(failed)}, f"{paid:,} confirmed, {len(failed):,} failed and available again.", as_json)


# Contests


@wallet.command()
@house_option
@json_option
@speaking
def contests(house: Path, as_json: bool) -> None:
    """What people contest and nobody answered yet, with what they wrote. After its last day each is won by its person."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = [(one, opened.wallet.contests.words(one)[0]) for one in opened.wallet.contests.open_ones()]
    rows = [{"contest": one.contest, "claim": one.claim, "due": one.due, "words": words} for one, words in found]
    lines = [f"  {one.contest:>8}  until {one.due}  {one.claim}\n           {words or '(no words)'}" for one, words in found]
    tell(rows, "\n".join(lines) or "  Nobody waits for an answer.", as_json)


@wallet.command()
@click.argument("contest", type=int)
@BY
@click.option("--words", required=True, help="What the person reads.")
@click.option("--right/--wrong", required=True, help="Whether she is right: then the reward is released.")
@house_option
@json_option
@speaking
def answer(contest: int, by: str, words: str, right: bool, house: Path, as_json: bool) -> None:
    """Answer a CONTEST."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        opened.wallet.contests.answer(contest, by=by, words=words, right=right)
        opened.checkpoint()
    tell({"contest": contest, "right": right}, "Answered; the person reads it on her page.", as_json)
