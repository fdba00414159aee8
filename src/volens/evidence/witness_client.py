"""The house's side of its witnesses: each new checkpoint is shown to them with its proof, and their signatures are kept with it.

    checkpoints/witnesses/<name>.json     what each witness last said; a memory that may be lost, never evidence

Rules:
1. Nothing waits for a witness: one that does not answer is asked again later, at the earliest after a minute, and
   `volens checkpoint` says who is behind. What customers say is in force all the same.
2. A signature is kept only after it was verified under the key that the settings name.
3. A witness that refuses the house's state as not continuing what it signed is an alarm that stays until it signs again:
   `volens checkpoint` and `volens audit` exit with 8.
4. Both trees are shown. A witness and its readers learn how many events there are, never what or whom they are about.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any

from volens.clock import Clock
from volens.errors import BadInput
from volens.evidence import checkpoint as notes
from volens.evidence.cosignature import CosignerKey, cosignatures
from volens.evidence.durable import write_durably
from volens.evidence.log import TREES
from volens.evidence.outside import Outside
from volens.evidence.witness import write_request

FOLDER = "witnesses"
TIMEOUT_SECONDS = 5.0
RETRY_AFTER = timedelta(seconds=60)
ANSWER_BYTES_MAX = 64 * 1024
TRIES = 4
"""Requests for one checkpoint: it says which size it knows, and is asked again from there; others may ask it meanwhile."""


@dataclass(frozen=True)
class WitnessAt:
    """A witness that the house asks: where, and the key that was compared by other means."""

    url: str
    key: CosignerKey

    @classmethod
    def of(cls, url: str, vkey: str) -> WitnessAt:
        """As the settings name it. Raises `BadInput`."""
        try:
            return cls(url.rstrip("/"), CosignerKey.parse(vkey.strip()))
        except notes.BadNote as bad:
            raise BadInput(
                f"The witness at {url} has no key that can be read: {bad}.", "Copy it from what 'volens witness init' printed."
            ) from bad


@dataclass(frozen=True)
class Standing:
    """What one witness last said about one tree.

    size: the newest size that it signed here, as far as this house knows; newest: the newest checkpoint's.
    alarm: why it refuses the house's state, empty if it does not. trouble: why it could not be asked. asked: when (ISO).
    """

    witness: str
    tree: str
    size: int = 0
    newest: int = 0
    alarm: str = ""
    trouble: str = ""
    asked: str = ""

    @property
    def behind(self) -> bool:
        """Whether the newest checkpoint lacks this witness's signature."""
        return self.size < self.newest

    def sentence(self) -> str:
        """For people."""
        if self.alarm:
            return f"✗ {self.witness} REFUSES {self.tree}: {self.alarm}"
        if not self.newest:
            return f"· {self.witness}: {self.tree} has no event to sign yet"
        if self.behind:
            why = self.trouble or "not asked yet"
            return f"… {self.witness} is behind on {self.tree}: it signed {self.size} of {self.newest} ({why})"
        return f"✓ {self.witness} signed {self.tree} at {self.size}"


@dataclass(frozen=True)
class Witnesses:
    """The witnesses of one house."""

    outside: Outside
    addresses: tuple[WitnessAt, ...]
    clock: Clock

    def ask(self, *, patient: bool = False) -> list[Standing]:
        """Shows the newest checkpoints to every witness that has not signed them. Returns where each of them stands.

        Whoever did not answer within the last minute is left in peace, unless `patient`. Raises nothing for what a witness says.
        """
        return [self._ask(witness, tree, patient) for witness in self.addresses for tree in TREES]

    def standing(self) -> list[Standing]:
        """The same without asking anybody."""
        return [self._now(witness, tree) for witness in self.addresses for tree in TREES]

    def _ask(self, witness: WitnessAt, tree: str, patient: bool) -> Standing:
        stands = self._now(witness, tree)
        if not stands.newest or (not stands.behind and not stands.alarm):
            return stands
        now = self.clock.now()
        lately = bool(stands.asked) and now - datetime.fromisoformat(stands.asked) < RETRY_AFTER
        if lately and (stands.trouble or stands.alarm) and not patient:
            return stands
        found = replace(self._show(witness, stands), asked=now.isoformat())
        self._remember(witness, found)
        return found

    def _show(self, witness: WitnessAt, stands: Standing) -> Standing:
        """The newest checkpoint to one witness, from whatever size it says it knows."""
        tree, old = stands.tree, stands.size
        for _ in range(TRIES):
            newest = self.outside.latest(tree)
            if newest is None:
                return stands
            stands = replace(stands, newest=newest.size)
            if old > newest.size:
                missing = f"it has signed {old} entries, and here are {newest.size}: an old back-up, or the tail was cut off"
                return replace(stands, trouble="", alarm=missing)
            note = self.outside.note(tree, newest.size)
            body = write_request(old, self.outside.tree(tree).consistency(old, newest.size), note)
            try:
                status, answer = _post(f"{witness.url}/add-checkpoint", body)
            except (OSError, HTTPException, ValueError) as away:
                return replace(stands, trouble=f"it does not answer ({_reason(away)})")
            if status == 200:
                return self._signed(witness, stands, note, answer)
            known = answer.strip()
            if status == 409 and known.isascii() and known.isdigit() and len(known) < 20 and int(known) != old:
                old = int(known)
                continue
            return _refusal(stands, status, old)
        return replace(stands, trouble="it says something else each time")

    def _signed(self, witness: WitnessAt, stands: Standing, note: str, answer: str) -> Standing:
        """A cosignature goes to the note, if it is one."""
        try:
            lines = [line + "\n" for line in answer.split("\n") if line]
            found = cosignatures(notes.parse(note).body.decode() + "\n" + "".join(lines), [witness.key])
        except (notes.BadNote, ValueError) as bad:
            return replace(stands, trouble=f"its signature does not hold: {bad}")
        if not found:
            return replace(stands, trouble="it did not sign with the key that the settings name")
        self.outside.keep_cosignature(stands.tree, stands.newest, witness.key, found[0].line)
        return replace(stands, size=stands.newest, alarm="", trouble="")

    def _now(self, witness: WitnessAt, tree: str) -> Standing:
        """From the newest note itself, then from memory."""
        newest = self.outside.latest(tree)
        kept = self._remembered(witness, tree)
        if newest is None:
            return kept
        try:
            signed = cosignatures(self.outside.note(tree, newest.size), [witness.key])
        except (notes.BadNote, OSError, ValueError):
            signed = ()
        if signed:
            return replace(kept, size=newest.size, newest=newest.size, trouble="", alarm="")
        return replace(kept, newest=newest.size, size=min(kept.size, max(newest.size - 1, 0)))

    def _file(self, witness: WitnessAt) -> Path:
        return self.outside.folder / FOLDER / f"{witness.key.key_id.hex()}.json"

    def _remembered(self, witness: WitnessAt, tree: str) -> Standing:
        stored = _read(self._file(witness)).get(tree, {})
        try:
            return Standing(**{**stored, "witness": witness.key.name, "tree": tree})
        except TypeError:
            return Standing(witness.key.name, tree)

    def _remember(self, witness: WitnessAt, stands: Standing) -> None:
        file = self._file(witness)
        write_durably(file, json.dumps({**_read(file), stands.tree: vars(stands)}, ensure_ascii=False, indent=1).encode("utf-8"))


def alarms(folder: Path) -> list[Standing]:
    """Every refusal that stands, by the house's own memory in `checkpoints/`; for the audit."""
    found = []
    for file in sorted((folder / FOLDER).glob("*.json")):
        for tree, stored in _read(file).items():
            if isinstance(stored, dict) and stored.get("alarm"):
                found.append(Standing(str(stored.get("witness")), tree, alarm=str(stored["alarm"])))
    return found


def alarm_of(standings: Iterable[Standing]) -> Standing | None:
    """The first refusal, if there is one."""
    return next((one for one in standings if one.alarm), None)


def _refusal(stands: Standing, status: int, old: int) -> Standing:
    if status == 409:
        return replace(stands, trouble="", alarm=f"it has signed another history of {old} entries")
    if status == 422:
        return replace(stands, trouble="", alarm=f"this does not continue the {old} entries that it signed")
    said = {403: "it does not know this house's key", 404: "it does not watch this log", 429: "it is asked too often"}
    return replace(stands, trouble=said.get(status, f"it answers {status}"))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A witness is where the settings say."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _post(url: str, body: bytes) -> tuple[int, str]:
    """One request; status and text. Raises `OSError`, `HTTPException` or `ValueError`."""
    request = urllib.request.Request(url, body, {"Content-Type": "text/plain; charset=utf-8"}, method="POST")
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return answer.status, answer.read(ANSWER_BYTES_MAX).decode("utf-8")
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read(ANSWER_BYTES_MAX).decode("utf-8", errors="replace")


def _reason(problem: Exception) -> str:
    reason = getattr(problem, "reason", problem)
    return str(getattr(reason, "strerror", None) or type(reason).__name__)[:80]


def _read(file: Path) -> dict[str, Any]:
    """What is remembered; nothing if it cannot be read, since it can be asked again."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def names(addresses: Sequence[WitnessAt]) -> tuple[str, ...]:
    """The witnesses' keys, as they are printed."""
    return tuple(str(one.key) for one in addresses)
