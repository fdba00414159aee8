"""Paper forms: printed from the programme, filled in by hand, entered by named staff, their scan kept as proof.

Rules:
1. A form's code names what was printed: language, texts, wording. It stands on the public record before it is handed out.
2. A yes needs its scan and a form whose texts are in force, printed as they would be printed today. Anything else is refused with
   what to do. A no needs nothing, and is taken in any case, also from a form that nobody knows.
3. A box that is empty, or a question with both boxes marked, is no yes: the one is left out, the other entered as a no.
4. The scan is sealed under the person's key, in the transaction of the choices that it proves, and goes with her. Whoever opens it
   is on record.
5. The same scan for the same person is entered once. Where a yes on it was refused, it may be entered once more, to complete that:
   what the first time recorded stays as it is, and what the person said since is newer than the paper.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from volens.asking import codes, printing, scans, store
from volens.asking.joining import JOINING
from volens.asking.questions import Questions
from volens.asking.store import Form, Scan
from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow, VolensError
from volens.evidence import log
from volens.evidence.journeys import Question, ask
from volens.evidence.log import EVENTS, PUBLIC, Event
from volens.holders import Database
from volens.identity.store import LIVES, hashed, lives_in
from volens.permissions.ledger import Choice, Ledger, Terms
from volens.permissions.state import PERMITTING, SILENT
from volens.programme.model import Programme

if TYPE_CHECKING:
    from sqlalchemy import Connection

PRINTED, SCANNED, OPENED = "paper-form", "scan", "scan-opened"
NAME_CHARACTERS_MAX = 120
SURFACE = "paper"

NO_CODE, UNKNOWN, NOT_ON_IT, OUTDATED, NO_SCAN = "code", "unknown", "not-on-it", "outdated", "scan"
TOO_YOUNG, NEWER = "age", "newer"
REASONS = {
    NO_CODE: "the code cannot be read: a yes needs the form on which it was given",
    UNKNOWN: "no form with this code was printed here",
    NOT_ON_IT: "the form does not ask for it",
    OUTDATED: "the form shows an earlier text: print the present one, and let the person read it",
    NO_SCAN: "a yes on paper needs the scan of the form",
    TOO_YOUNG: "the person's age does not allow this yes",
    NEWER: "the person has answered since this form was entered: that answer holds",
}
"""Why a yes on paper is not taken, and what to do."""


LOOK = "Look at what stands for this person."


class EnteredAlready(NotNow):
    """A scan has nothing left to say."""


class Sealing(Protocol):
    """What paper needs of the vault."""

    def seal(self, customer: int, plaintext: bytes) -> bytes:
        """Encrypts under a customer's key."""

    def open(self, customer: int, sealed: bytes) -> bytes:
        """Decrypts what was sealed for a customer."""


@dataclass(frozen=True)
class Entered:
    """What came of a form. `refused`: purpose → why its yes was not taken, a key of `REASONS`."""

    said: tuple[tuple[str, str, int], ...]
    """(purpose, kind, seq) of each choice that was recorded."""
    refused: Mapping[str, str] = field(default_factory=dict)
    scan: int | None = None
    """The number under which the scan is kept."""


class Paper:
    """Prints forms and enters them. Durable when a method returns."""

    def __init__(
        self, programme: Programme, terms: Terms, ledger: Ledger, questions: Questions, records: Database, vault: Sealing,
        mac: Callable[[str, bytes], bytes], clock: Clock,
    ) -> None:  # fmt: skip
        self._programme, self._terms, self._ledger, self._questions = programme, terms, ledger, questions
        self._records, self._vault, self._mac, self._clock = records, vault, mac, clock

    def form(self, language: str, purposes: Sequence[str] = ()) -> printing.Printed:
        """A form to print: the questions of some purposes, or those of the sign-up form. On record when it returns."""
        wanted = list(purposes) or [one.id for one in self._questions.asked_at(JOINING)]
        for one in wanted:
            self._programme.purpose(one)
        asked = [one for one in (self._questions.shown(name, language) for name in wanted) if one is not None]
        if len(asked) < len(wanted) or not asked:
            raise NotFound("This form cannot be printed in this language.", "Give each text a question and a page in it.")
        printed = printing.printed(self._programme, asked, language)
        today = legal_day(self._clock.now(), self._programme.country)
        with self._records.writing() as connection:
            log.lock(connection, PUBLIC)
            if store.form(connection, printed.code) is None:
                detail = {"code": printed.code, "language": language, "sections": printed.sections}
                seq = log.append(connection, PUBLIC, [Event(PRINTED, day=today, detail=detail)])
                store.keep_form(connection, Form(printed.code, language, printed.sections, seq, today.isoformat()))
        return printed

    def forms(self) -> list[Form]:
        """Every form that was ever printed, newest first."""
        with self._records.reading() as connection:
            return store.all_forms(connection)

    def enter(
        self, customer: int, *, by: str, code: str, yes: Sequence[str] = (), no: Sequence[str] = (), scan: bytes | None = None,
        surface: str = SURFACE, shop: str = "",
    ) -> Entered:  # fmt: skip
        """Enters a form. Noes are taken in any case; a yes that cannot be is in `refused`, with what to do.

        shop: the one in which the form was filled in, for the counts by store.
        """
        by, media = self._checked(by, yes, no), scans.media_of(scan) if scan is not None else None
        found_by, newer = self._found_by(customer, scan), frozenset[str]()
        if (first := self._entered(found_by)) is not None:
            yes, no, newer = self._left(customer, first, yes, no)
            found_by = self._found_by(customer, scan, "/completed")
            if not (yes or no) or self._entered(found_by) is not None:
                raise EnteredAlready(f"This scan was entered already, as number {first.seq}.", LOOK)
        noes = set(no)
        form, why = self._form(code)
        with self._records.reading() as connection:
            refused = {
                purpose: reason
                for purpose in dict.fromkeys(yes)
                if purpose not in noes and (reason := (NEWER if purpose in newer else None) or why
                                            or self._against(connection, customer, purpose, form, scan)) is not None
            }  # fmt: skip
            said = [(purpose, "no") for purpose in dict.fromkeys(no)]
            said += [(purpose, "yes") for purpose in dict.fromkeys(yes) if purpose not in refused and purpose not in noes]
            proof = {"by": by, "form": form.code if form is not None else code.strip()[:32]}
            if scan is not None:
                proof["scan_sha256"] = hashlib.sha256(scan).hexdigest()
            choices = [replace(self._choice(connection, customer, *one, form, proof, surface), store=shop.strip()) for one in said]
        if not choices:
            return Entered((), refused)
        kept: list[int] = []

        def keep(connection: Connection, seqs: list[int]) -> None:
            if scan is None or media is None:
                return
            if store.scan_by(connection, found_by) is not None:
                raise EnteredAlready("This scan was entered a moment before.", LOOK)
            kept.append(self._keep_scan(connection, customer, scan, media, found_by, seqs, sorted(refused)))

        try:
            seqs = self._ledger.record(choices, also=keep)
        except VolensError:
            noes_alone = [one for one in choices if one.kind not in PERMITTING]
            if noes_alone and len(noes_alone) < len(choices):
                self._ledger.record(noes_alone)  # a yes that fails takes no no with it
            raise
        done = tuple((one.purpose, one.kind, seq) for one, seq in zip(choices, seqs, strict=True))
        return Entered(done, refused, kept[0] if kept else None)

    def scans(self, customer: int) -> list[Scan]:
        """Which scans there are of somebody's forms; sealed."""
        with self._records.reading() as connection:
            return store.scans_of(connection, customer)

    def scan(self, customer: int, seq: int, *, by: str) -> tuple[str, bytes]:
        """A scan, opened: media type and content. Who opened it is on record before it is shown."""
        self._name(by)
        found = next((one for one in self.scans(customer) if one.seq == seq), None)
        if found is None:
            raise NotFound("There is no such scan of this person.", "List them with: volens paper scans")
        content = self._vault.open(customer, found.sealed)
        today = legal_day(self._clock.now(), self._programme.country)
        with self._records.writing() as connection:
            log.append(connection, EVENTS, [Event(OPENED, customer, day=today, detail={"scan": seq, "by": by.strip()})])
        return found.media, content

    def _found_by(self, customer: int, scan: bytes | None, of: str = "") -> str:
        """By what a scan of somebody is found again, without telling whose it is or what is on it."""
        return self._mac("asking/scan", f"{customer}/{hashlib.sha256(scan or b'').hexdigest()}{of}".encode()).hex()

    def _entered(self, found_by: str) -> Scan | None:
        with self._records.reading() as connection:
            return store.scan_by(connection, found_by)

    def _left(
        self, customer: int, first: Scan, yes: Sequence[str], no: Sequence[str]
    ) -> tuple[list[str], list[str], frozenset[str]]:
        """What a scan that was entered can still say: each yes that was refused then, each no that was not entered, and for which
        purposes the person has said something since."""
        with self._records.reading() as connection:
            entered = log.one(connection, EVENTS, first.seq)
        told = entered.said() if entered is not None else {}
        history = self._ledger.history(customer)
        said = {one.purpose for one in history if one.seq in told.get("of", ())}
        newer = {one.purpose for one in history if one.seq > first.seq and one.kind not in SILENT}
        return (
            [one for one in yes if one in told.get("refused", ())],
            [one for one in no if one not in said],
            frozenset(newer),
        )

    def _checked(self, by: str, yes: Sequence[str], no: Sequence[str]) -> str:
        if not yes and not no:
            raise BadInput("Nothing is marked on this form.", "Enter what is marked: --yes PURPOSE, --no PURPOSE.")
        for purpose in [*yes, *no]:
            self._programme.purpose(purpose)
        return self._name(by)

    def _name(self, by: str) -> str:
        if not by.strip() or len(by) > NAME_CHARACTERS_MAX:
            raise BadInput("Who does this?", f"Name yourself, in at most {NAME_CHARACTERS_MAX} characters.")
        return by.strip()

    def _form(self, code: str) -> tuple[Form | None, str | None]:
        """The form with a code, or why there is none."""
        read = codes.read(code)
        if read is None:
            return None, NO_CODE
        with self._records.reading() as connection:
            form = store.form(connection, read)
        return form, None if form is not None else UNKNOWN

    def _against(
        self, connection: Connection, customer: int, purpose: str, form: Form | None, scan: bytes | None
    ) -> str | None:
        """Why a yes on a form is not taken; none if it is."""
        if form is None or purpose not in form.sections:
            return NOT_ON_IT
        text, rendered = form.sections[purpose]
        now = self._questions.shown(purpose, form.language)
        if now is None or now.text != text or printing.section(now).digest != rendered:
            return OUTDATED
        life = lives_in(ask(connection, [Question(LIVES, [customer])])[0]).get(customer)
        if life is not None:
            today = legal_day(self._clock.now(), life.country)
            if self._terms.ages.against(purpose, False, self._ledger.minors.stands(life), life.country, today) is not None:
                return TOO_YOUNG
        return NO_SCAN if scan is None else None

    def _choice(
        self, connection: Connection, customer: int, purpose: str, said: str, form: Form | None, proof: Mapping[str, Any],
        surface: str,
    ) -> Choice:  # fmt: skip
        kind = self._questions.kind(purpose, said, permitted=self._questions.permitted(connection, customer, purpose))
        text, rendered = form.sections.get(purpose, (None, None)) if form is not None else (None, None)
        language = form.language if form is not None else self._programme.languages[0]
        shown = {}
        if text is not None and text in self._programme.texts:
            shown = {"text_sha256": self._programme.text(text).digest(language), "rendered_sha256": rendered}
        else:
            text = None
        return Choice(customer, purpose, kind, text=text, language=language, surface=surface, proof={**proof, **shown})

    def _keep_scan(
        self, connection: Connection, customer: int, scan: bytes, media: str, found_by: str, seqs: Sequence[int],
        refused: Sequence[str],
    ) -> int:  # fmt: skip
        sealed = self._vault.seal(customer, scan)
        today = legal_day(self._clock.now(), self._programme.country)
        detail = {"of": list(seqs), "media": media, "sealed": hashed(sealed), **({"refused": list(refused)} if refused else {})}
        seq = log.append(connection, EVENTS, [Event(SCANNED, customer, day=today, detail=detail)])
        store.keep_scan(connection, Scan(seq, customer, found_by, seqs[0], media, today.isoformat(), sealed))
        return seq
