"""Do offers, their countries, and who takes part stand as the events say?

Rules:
1. A version is what its proposal committed to. What was ever in force was approved by two people in two roles, and stands on the
   public record with the same document and the same terms.
2. Where an offer is open follows from its last step; nobody opened one again alone.
3. A participation is as its last event left it, has as many acts as it says, and a reward in the wallet that fits its state.
4. What is counted, of people and of their answers, is the sum of the events.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from volens.audit.report import Report
from volens.evidence import log
from volens.evidence.log import EVENTS, PUBLIC
from volens.offering import participations as taking
from volens.offering import places, registry, store, version_store
from volens.offering.nights import FOLLOWED
from volens.offering.station import ANSWERED
from volens.offering.workflow import DONE, FORCE, GONE, OPEN, REPLACED, same
from volens.wallet import store as wallet

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSIONS = "every version of an offer is as two people approved it, and as the public record has it"
COUNTRIES = "every offer is open or stopped in a country as its last step says"
TAKING_PART = "who takes part in an offer, and what she did, is as the events say"
COUNTS = "how many took part in offers, and what they said, is the sum of the events"
_CLAIMS = {OPEN: {"reserved"}, DONE: {"pending", "held", "available"}, GONE: {"given-back"}}
_COUNTED = {
    taking.JOINED: "joined", taking.ACTED: "acts", taking.COMPLETED: "done", taking.LEFT: "ended", taking.LATE: "late",
}  # fmt: skip


def check_offering(connection: Connection, report: Report) -> None:
    """The tables of offers against both records."""
    _check_versions(connection, report)
    _check_countries(connection, report)
    joined = {row.seq: row for row in log.rows(connection, EVENTS, kinds=[taking.JOINED])}
    _check_taking_part(connection, joined, report)
    _check_counts(connection, joined, report)


def _check_versions(connection: Connection, report: Report) -> None:
    with report.checking(VERSIONS) as looked_at:
        last, approved = dict[tuple[str, int], log.Row](), dict[int, dict[str, str]]()
        for row in log.rows(connection, EVENTS, kinds=sorted(registry.KINDS.values())):
            said = row.said()
            last[said["offer"], said["version"]] = row
            if row.kind == registry.YES:
                approved.setdefault(said["number"], {})[said["role"]] = said["by"]
        public = {(said["offer"], said["version"]): said for said in _public(connection, [registry.PUBLISHED])}
        for one in version_store.all_versions(connection):
            looked_at.append(1)
            where, event = f"offer_versions {one.offer} {one.version}", log.one(connection, EVENTS, one.number)
            said = event.said() if event is not None else {}
            told = (said.get("offer"), said.get("version"), said.get("sha256"), said.get("by"))
            if told != (one.offer, one.version, registry.digest_of(connection, one.number), one.proposed_by):
                report.found(VERSIONS, where, "its proposal says something else")
            newest = last.pop((one.offer, one.version), None)
            if newest is None or (newest.seq, newest.kind, newest.day) != (one.seq, registry.KINDS[one.state], one.since):
                report.found(VERSIONS, where, "its state is not that of its last event")
            if {role: name for role, name in (("marketing", one.marketing), ("dpo", one.dpo)) if name} != (
                approved.get(one.number, {}) if one.state != "declined" else {}
            ):
                report.found(VERSIONS, where, "its approvals are not those of the events")
            if one.state in (FORCE, REPLACED):
                _check_in_force(connection, one, public.get((one.offer, one.version), {}), where, report)
        for offer, version in last:
            report.found(VERSIONS, f"offer_versions {offer} {version}", "it has events and is gone")


def _check_in_force(
    connection: Connection, one: version_store.Version, said: dict[str, Any], where: str, report: Report
) -> None:
    if not one.marketing or not one.dpo or same(one.marketing, one.dpo) or same(one.proposed_by, one.dpo):
        report.found(VERSIONS, where, "it is in force without two people")
    kept = version_store.terms_of(connection, one.number)
    terms = {language: registry.digest(words) for language, (words, _) in kept.items()}
    if said.get("sha256") != registry.digest_of(connection, one.number) or said.get("terms") != terms:
        report.found(VERSIONS, where, "the public record has another document, or other terms")
    if any(sha256 != terms[language] for language, (_, sha256) in kept.items()):
        report.found(VERSIONS, where, "its terms are not those of their hash")


def _public(connection: Connection, kinds: list[str]) -> list[dict[str, Any]]:
    return [{**row.said(), "kind": row.kind} for row in log.rows(connection, PUBLIC, kinds=kinds)]


def _check_countries(connection: Connection, report: Report) -> None:
    with report.checking(COUNTRIES) as looked_at:
        kinds = sorted({kind for several in places.KINDS.values() for kind in several})
        last, before = dict[tuple[str, str], log.Row](), dict[tuple[str, str], log.Row]()
        told = list[tuple[str, str, str]]()
        for row in log.rows(connection, EVENTS, kinds=kinds):
            said = row.said()
            key = (said["offer"], said["country"])
            if row.kind == places.RESUME and (key not in last or same(str(last[key].said()["by"]), said["by"])):
                report.found(COUNTRIES, f"event {row.seq}", "one person alone opened it again")
            before[key], last[key] = last.get(key, row), row
            if row.kind in places.SEEN:
                told.append((row.kind, *key))
        if told != [(said["kind"], said["offer"], said["country"]) for said in _public(connection, list(places.SEEN))]:
            report.found(COUNTRIES, "the public record", "its steps are not those of the events")
        for one in version_store.all_countries(connection):
            looked_at.append(1)
            where, row_ = f"offer_countries {one.offer} {one.country}", last.pop((one.offer, one.country), None)
            if row_ is None or row_.seq != one.seq or row_.kind not in places.KINDS.get(one.state, ()):
                report.found(COUNTRIES, where, "its state is not that of its last event")
            elif row_.said()["by"] != one.by or row_.said().get("reason", one.reason) != one.reason:
                report.found(COUNTRIES, where, "its last event says something else")
        for offer, country in last:
            report.found(COUNTRIES, f"offer_countries {offer} {country}", "it has events and is gone")


def _check_taking_part(connection: Connection, joined: dict[int, log.Row], report: Report) -> None:
    with report.checking(TAKING_PART) as looked_at:
        last = dict[int, log.Row](joined)
        for row in log.rows(connection, EVENTS, kinds=sorted({kind for each in taking.KINDS.values() for kind in each})):
            if row.kind != taking.JOINED:
                last[row.said()["participation"]] = row
        owner = {id: row.customer for id, row in joined.items()}
        for row in log.rows(connection, EVENTS, kinds=[FOLLOWED]):
            owner.update(dict.fromkeys(row.said()["participations"], row.customer))
        acts = Counter[int]()
        for act in store.all_acts(connection):
            acts[act.participation] += act.state != taking.TAKEN_BACK
            event = log.one(connection, EVENTS, act.seq)
            whose = owner.get(act.participation)
            if event is None or event.said().get("participation") != act.participation or act.customer != whose:
                report.found(TAKING_PART, f"offer_acts of {act.participation}", "its event says something else")
        erased = log.customers_of_kind(connection, "erased")
        for one in store.all_participations(connection):
            looked_at.append(1)
            where, first, newest = f"offer_participations {one.id}", joined.get(one.id), last.pop(one.id, None)
            said = first.said() if first is not None else {}
            told = (owner.get(one.id), said.get("offer"), said.get("version"), said.get("country"))
            if told != (one.customer, one.offer, one.version, one.country) or one.customer in erased:
                report.found(TAKING_PART, where, "it is not as its person joined")
            if newest is None or newest.seq != one.seq or newest.kind not in taking.KINDS[one.state]:
                report.found(TAKING_PART, where, "its state is not that of its last event")
            elif newest.said().get("done", one.done) != one.done or acts[one.id] != one.done or one.done > one.times:
                report.found(TAKING_PART, where, "it has another number of acts")
            claim = wallet.claim(connection, one.claim)
            if claim is None or claim.state not in _CLAIMS[one.state]:
                report.found(TAKING_PART, where, "the wallet has no such reward for it")
        for id in last:
            if owner.get(id) not in erased:
                report.found(TAKING_PART, f"offer_participations {id}", "it has events and is gone")


def _check_counts(connection: Connection, joined: dict[int, log.Row], report: Report) -> None:
    with report.checking(COUNTS) as looked_at:
        told, said = Counter[tuple[str, int, str, str]](), Counter[tuple[str, bool]]()
        for row in log.rows(connection, EVENTS, kinds=[*_COUNTED, ANSWERED]):
            detail = row.said()
            if row.kind == ANSWERED:
                said[detail["offer"], detail["expected"]] += 1
                continue
            first = row if row.kind == taking.JOINED else joined.get(int(detail["participation"]))
            if first is not None:
                of = first.said()
                told[of["offer"], of["version"], of["country"], _COUNTED[row.kind]] += 1
        stored = Counter[tuple[str, int, str, str]]()
        for offer, version, country, _, what, times in store.all_counts(connection):
            looked_at.append(1)
            if what != "reopened":  # it is told apart from an act taken back by the state before it
                stored[offer, version, country, what] += times
        for key in sorted({*told, *stored}):
            if told[key] != stored[key]:
                report.found(COUNTS, f"offer_counts {' '.join(map(str, key))}", f"{stored[key]} are counted, {told[key]} happened")
        for offer, answers in store.all_answers(connection).items():
            if (answers.yes, answers.no) != (said.pop((offer, True), 0), said.pop((offer, False), 0)):
                report.found(COUNTS, f"offer_answers {offer}", "the answers are not those of the events")
            if answers.shown_yes > answers.yes or answers.shown_no > answers.no:
                report.found(COUNTS, f"offer_answers {offer}", "more is shown than was said")
        for offer, _ in said:
            report.found(COUNTS, f"offer_answers {offer}", "answers are gone")
