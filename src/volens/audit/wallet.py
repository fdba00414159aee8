"""Do the books of rewards follow from the events, and claims, vouchers and payouts from both?

Rules:
1. Every posting is one that its event names, and every move that an event names was posted. No one else posts.
2. An account holds what its postings add up to, each going on from the one before; none but the outside is below zero; each
   currency adds up to zero, and so does every day that was closed.
3. A claim is in the state of its last event, of the person, the amounts, the day and the sentence that its events named.
4. A voucher was issued for a claim with the code that its event committed to, and is in the state of its last event.
5. A payout is in the state of its last event and of its run; nobody released what she prepared.
6. What an offer was given is what was moved for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from volens.audit.report import Report
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.wallet import books, claims, contest_store, contests, day_store, leaving, nights, out_store, payouts, store, vouchers
from volens.wallet.books import MOVES, kind_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

BOOKS = "every posting of the rewards is one that its event names, and the accounts are what they add up to"
CLAIMS = "every reward stands as its events say"
VOUCHERS = "every voucher was issued with the code that its event names, and is in the state of its last event"
PAYOUTS = "every payout stands as its events say, and nobody released what she prepared"
KINDS = sorted({
    *claims.KIND_OF.values(), claims.RELEASED, claims.BUDGETED, *vouchers.KIND_OF.values(), vouchers.RETURNED,
    *payouts.KIND_OF.values(), *payouts.RUN_KIND.values(), leaving.BEARER, leaving.FOLLOWED, nights.CLOSED, contests.CONTESTED,
    contests.ANSWERED,
})  # fmt: skip
_CLAIMS = {
    "reward-reserved": claims.RESERVED, "reward-given-back": claims.GIVEN_BACK, "reward-held": claims.HELD,
    "reward-released": claims.PENDING, "reward-matured": claims.AVAILABLE, "reward-reversed": claims.REVERSED,
}  # fmt: skip
_VOUCHERS = {kind: state for state, kind in vouchers.KIND_OF.items()} | {vouchers.RETURNED: vouchers.ISSUED}
_PAYOUTS = {kind: state for state, kind in payouts.KIND_OF.items()}
_RUNS = {kind: state for state, kind in payouts.RUN_KIND.items()}
_OF_RUN = {payouts.PREPARED: payouts.PREPARED, payouts.RELEASED: payouts.RELEASED, payouts.DROPPED: payouts.ASKED}


def check_wallet(connection: Connection, report: Report) -> None:
    """The tables of the wallet against their events, read once."""
    events = list(log.rows(connection, EVENTS, kinds=KINDS))
    moved = {int(row.said()["from"]): row.customer or 0 for row in events if row.kind == leaving.FOLLOWED}
    _check_books(connection, events, report)
    _check_claims(connection, events, moved, report)
    _check_vouchers(connection, events, moved, report)
    _check_payouts(connection, events, moved, report)


def _now(customer: int | None, moved: Mapping[int, int]) -> int | None:
    """Whose it is today: a number's wallet may have followed its cards, more than once."""
    for _ in range(len(moved)):
        if customer is not None:
            customer = moved.get(customer, customer)
    return customer


def _check_books(connection: Connection, events: list[log.Row], report: Report) -> None:
    with report.checking(BOOKS) as looked_at:
        said = {
            (row.seq, place): (move, row.day) for row in events for place, move in enumerate(row.said().get(MOVES, []))
        }  # fmt: skip
        holds = Counter[tuple[str, str]]()
        for one in store.all_entries(connection):
            looked_at.append(1)
            where = f"wallet_entries {one.seq}/{one.place}"
            move, day = said.pop((one.seq, one.place), (None, None))
            if move != [one.source, one.target, one.cents, one.currency] or day != one.day:
                report.found(BOOKS, where, "its event says something else")
            for name, before, after, sign in (
                (one.source, one.source_before, one.source_after, -1), (one.target, one.target_before, one.target_after, 1),
            ):  # fmt: skip
                if before != holds[name, one.currency] or after != before + sign * one.cents:
                    report.found(BOOKS, where, f"{kind_of(name)} does not go on from the posting before")
                holds[name, one.currency] += sign * one.cents
        for seq, place in sorted(said):
            report.found(BOOKS, f"wallet_entries {seq}/{place}", "its event names it, and it is gone")
        _check_accounts(connection, holds, report)
        _check_budgets(connection, events, report)
        _check_days(connection, report)


def _check_accounts(connection: Connection, holds: Counter[tuple[str, str]], report: Report) -> None:
    sums = Counter[str]()
    there = {(one.account, one.currency): one for one in store.all_accounts(connection)}
    for key in sorted(set(holds) | set(there)):
        one = there.get(key)
        sums[key[1]] += one.cents if one is not None else 0
        if one is None or one.cents != holds[key] or one.kind != kind_of(one.account):
            report.found(BOOKS, f"wallet_accounts {key[0]} {key[1]}", "it does not hold what its postings add up to")
        elif one.cents < 0 and one.kind != books.OUTSIDE:
            report.found(BOOKS, f"wallet_accounts {key[0]} {key[1]}", "it is below zero")
    for currency, cents in sorted(sums.items()):
        if cents:
            report.found(BOOKS, f"wallet_accounts {currency}", "the accounts do not add up to zero")


def _check_budgets(connection: Connection, events: list[log.Row], report: Report) -> None:
    last = {}
    for row in events:
        if row.kind == claims.BUDGETED:
            said = row.said()
            last[said["offer"], said["country"]] = (said["cents"], said["currency"], row.seq)
    for one in store.all_budgets(connection):
        if last.pop((one.offer, one.country), None) != (one.cents, one.currency, one.seq):
            report.found(BOOKS, f"wallet_budgets {one.offer} {one.country}", "its event says something else")
    for offer, country in last:
        report.found(BOOKS, f"wallet_budgets {offer} {country}", "it was given and is gone")


def _check_days(connection: Connection, report: Report) -> None:
    kept: dict[int, list[list[Any]]] = {}
    for _, currency, kind, cents, seq in day_store.all_days(connection):
        kept.setdefault(seq, []).append([currency, kind, cents])
    for row in log.rows(connection, EVENTS, kinds=[nights.CLOSED]):
        balance = row.said()["balance"]
        if sorted(kept.pop(row.seq, [])) != sorted(balance):
            report.found(BOOKS, f"wallet_days {row.day}", "its event says something else")
        if any(sum(cents for currency, _, cents in balance if currency == each) for each in {one[0] for one in balance}):
            report.found(BOOKS, f"wallet_days {row.day}", "the day does not add up to zero")
    for seq in kept:
        report.found(BOOKS, f"wallet_days {seq}", "no event closed it")


def _claim_events(events: list[log.Row]) -> Iterator[tuple[str, log.Row, str]]:
    """(claim, event, state that it leads to)."""
    for row in events:
        if row.kind in _CLAIMS:
            yield str(row.said()["claim"]), row, _CLAIMS[row.kind]
        elif row.kind == claims.KIND_OF[claims.PENDING]:
            yield str(row.said()["claim"]), row, str(row.said()["state"])


def _check_claims(connection: Connection, events: list[log.Row], moved: Mapping[int, int], report: Report) -> None:
    with report.checking(CLAIMS) as looked_at:
        last, reserved, earned = dict[str, tuple[int, str]](), dict[str, dict[str, Any]](), dict[str, tuple[int | None, Any]]()
        reasons = dict[str, str]()
        for key, row, state in _claim_events(events):
            before = last.get(key)
            if before is not None and state not in claims.TRANSITIONS[before[1]]:
                report.found(CLAIMS, f"wallet_claims {key}", f"it went from {before[1]} to {state}")
            last[key] = (row.seq, state)
            reasons[key] = str(row.said().get("reason", ""))
            if row.kind == claims.KIND_OF[claims.RESERVED]:
                reserved[key] = row.said()
            if row.kind == claims.KIND_OF[claims.PENDING]:
                earned[key] = (row.customer, row.said())
        for one in store.all_claims(connection):
            looked_at.append(1)
            where, said = f"wallet_claims {one.key}", reserved.get(one.key, {})
            amounts = (said.get("offer"), said.get("version"), said.get("country"), said.get("money"), said.get("voucher"))
            if amounts != (one.offer, one.version, one.country, one.money_cents, one.voucher_cents):
                report.found(CLAIMS, where, "something else was promised")
            if last.pop(one.key, None) != (one.seq, one.state):
                report.found(CLAIMS, where, "its state is not that of its last event")
            if reasons.get(one.key, "") != claims.digest(one.reason):
                report.found(CLAIMS, where, "its person reads another sentence")
            who, told = earned.get(one.key, (None, {}))
            days = (told.get("earned"), told.get("matures"), told.get("voucher_days", 0), told.get("why", ""))
            if _now(who, moved) != one.customer or days != (one.earned, one.matures, one.voucher_days, one.why):
                report.found(CLAIMS, where, "it was earned by somebody else, or for another day")
        for key in last:
            report.found(CLAIMS, f"wallet_claims {key}", "it has events and is gone")


def _check_vouchers(connection: Connection, events: list[log.Row], moved: Mapping[int, int], report: Report) -> None:
    with report.checking(VOUCHERS) as looked_at:
        issued, last = dict[int, log.Row](), dict[int, tuple[int, str]]()
        for row in events:
            state = _VOUCHERS.get(row.kind)
            if state is not None:
                number = row.seq if row.kind == vouchers.KIND_OF[vouchers.ISSUED] else int(row.said()["voucher"])
                if number == row.seq:
                    issued[number] = row
                elif state not in vouchers.TRANSITIONS[last.get(number, (0, vouchers.VOID))[1]]:
                    report.found(VOUCHERS, f"wallet_vouchers {number}", f"it became {state} out of turn")
                last[number] = (row.seq, state)
        for one in out_store.all_vouchers(connection):
            looked_at.append(1)
            where, event = f"wallet_vouchers {one.voucher}", issued.get(one.voucher)
            said = event.said() if event is not None else {}
            told = (said.get("claim"), said.get("cents"), said.get("currency"), said.get("until"), said.get("sha256"))
            if event is None or told != (one.claim, one.cents, one.currency, one.until, one.code_hash.hex()):
                report.found(VOUCHERS, where, "its event says something else")
            elif _now(event.customer, moved) != one.customer:
                report.found(VOUCHERS, where, "it was issued to somebody else")
            if last.pop(one.voucher, None) != (one.seq, one.state):
                report.found(VOUCHERS, where, "its state is not that of its last event")
        for number in last:
            report.found(VOUCHERS, f"wallet_vouchers {number}", "it has events and is gone")


def _check_payouts(connection: Connection, events: list[log.Row], moved: Mapping[int, int], report: Report) -> None:
    with report.checking(PAYOUTS) as looked_at:
        asked, states, runs, by = dict[int, log.Row](), dict[int, str](), dict[str, tuple[int, str]](), dict[str, set[str]]()
        within: dict[str, list[int]] = {}
        for row in events:
            said = row.said() if row.kind in _PAYOUTS or row.kind in _RUNS else {}
            if row.kind == payouts.KIND_OF[payouts.ASKED]:
                asked[row.seq], states[row.seq] = row, payouts.ASKED
            elif row.kind in _PAYOUTS:
                states[int(said["payout"])] = _PAYOUTS[row.kind]
            elif row.kind in _RUNS:
                run, state = str(said["run"]), _RUNS[row.kind]
                runs[run] = (row.seq, state)
                within.setdefault(run, [int(one) for one in said.get("payouts", [])])
                states |= dict.fromkeys(within[run], _OF_RUN[state]) if state in _OF_RUN else {}
                by.setdefault(f"{run} {state}", set()).add(str(said["by"]).casefold())
        for one in out_store.payouts_where(connection):
            looked_at.append(1)
            where, event = f"wallet_payouts {one.payout}", asked.get(one.payout)
            told = (event.said().get("cents"), event.said().get("currency")) if event is not None else None
            if event is None or told != (one.cents, one.currency) or _now(event.customer, moved) != one.customer:
                report.found(PAYOUTS, where, "its event says something else")
            if states.pop(one.payout, None) != one.state:
                report.found(PAYOUTS, where, "its state is not that of its last event")
        for each in out_store.all_runs(connection):
            if runs.pop(each.run, None) != (each.seq, each.state):
                report.found(PAYOUTS, f"wallet_runs {each.run}", "its state is not that of its last event")
            if by.get(f"{each.run} prepared", set()) & by.get(f"{each.run} released", set()):
                report.found(PAYOUTS, f"wallet_runs {each.run}", "whoever prepared it released it")
        for left in (*states, *runs):
            report.found(PAYOUTS, f"wallet_payouts {left}", "it has events and is gone")
        _check_small(connection, events, moved, report)


def _check_small(connection: Connection, events: list[log.Row], moved: Mapping[int, int], report: Report) -> None:
    """Bearers and contests."""
    bearers = {(row.customer, row.said()["sha256"], row.seq) for row in events if row.kind == leaving.BEARER}
    there = {(customer, code_hash.hex(), seq) for customer, code_hash, seq in out_store.all_bearers(connection)}
    for number in sorted({one[0] or 0 for one in bearers ^ there}):
        report.found(PAYOUTS, f"wallet_bearers {number}", "its event says something else")
    said = {row.seq: row for row in events if row.kind == contests.CONTESTED}
    done = {int(row.said()["contest"]): row.seq for row in events if row.kind == contests.ANSWERED}
    for one in contest_store.contests_where(connection):
        event, answered = said.pop(one.contest, None), done.get(one.contest)
        state = (contests.DONE, answered) if answered is not None else (contests.OPEN, one.contest)
        if event is None or (event.said()["claim"], event.said()["due"], *state) != (one.claim, one.due, one.state, one.seq):
            report.found(CLAIMS, f"wallet_contests {one.contest}", "its events say something else")
        elif _now(event.customer, moved) != one.customer:
            report.found(CLAIMS, f"wallet_contests {one.contest}", "somebody else contested")
    for number in said:
        report.found(CLAIMS, f"wallet_contests {number}", "it has an event and is gone")
