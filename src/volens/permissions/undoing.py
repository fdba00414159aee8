"""Putting back what stood before a no: what to say so that it stands again. Pure.

Rules:
1. Only a yes that stood when the no was said comes back, and only under the same text: one that is no longer in force was
   given to something else, so the person is asked anew.
2. A yes that comes back is a new choice of the person who undoes, with a proof that names the no and the yes before it.
3. Where the basis is legitimate interest, the objection ends by `notified`: the days to object begin again.
4. A no to one recipient, said before or after, stays: where the yes to all comes back, that no is said again behind it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from volens.permissions.ledger import Choice, Spoken, Terms
from volens.permissions.state import ALL, DENYING, PERMITTING, SILENT

BACK = {"given": "given", "renewed": "given", "notified": "notified", "joined": "joined"}
"""As what each kind of yes comes back."""


@dataclass(frozen=True)
class Undone:
    """What to record, and the purposes whose text is another now: there the person is asked anew."""

    choices: tuple[Choice, ...]
    changed: tuple[str, ...]


def undo(
    customer: int, history: Iterable[Spoken], noes: Collection[int], terms: Terms, ended: Collection[str], *,
    surface: str, actor: str = "the person", language: str,
) -> Undone:  # fmt: skip
    """The choices that put back what stood before the events `noes` (seqs) of a customer's `history`.

    `ended`: texts that were invalidated.
    """
    before: dict[tuple[str, str], Spoken] = {}
    lost: dict[tuple[str, str], tuple[Spoken, Spoken]] = {}
    apart: dict[tuple[str, str], Spoken] = {}
    for one in sorted(history, key=lambda spoken: spoken.seq):
        key = (one.purpose, one.recipient)
        if one.kind in SILENT:
            continue
        if one.seq in noes and one.kind in DENYING:
            for other, yes in list(before.items()):
                if other[0] == one.purpose and one.recipient in (ALL, other[1]):
                    lost[other] = (yes, one)
                    del before[other]
        elif one.kind in PERMITTING:
            before[key] = one
            lost.pop(key, None)
            for other in [other for other in apart if other[0] == one.purpose and one.recipient in (ALL, other[1])]:
                del apart[other]
        else:
            for other in [other for other in before if other[0] == one.purpose and one.recipient in (ALL, other[1])]:
                del before[other]
            for other in [other for other in lost if other[0] == one.purpose and one.recipient in (ALL, other[1])]:
                del lost[other]
            if one.recipient != ALL:
                apart[key] = one
    choices, changed = list[Choice](), set[str]()
    for (purpose, recipient), (yes, no) in sorted(lost.items()):
        if terms.current.get(purpose) != yes.text or yes.text in ended:
            changed.add(purpose)
            continue
        spoke = str(yes.how.get("language") or language)
        choices.append(
            Choice(
                customer, purpose, BACK[yes.kind], recipient, yes.text, language=spoke, surface=surface, actor=actor,
                proof={"undoes": no.seq, "restores": yes.seq},
            )
        )  # fmt: skip
        if recipient == ALL:
            choices += [
                Choice(
                    customer, purpose, "withdrawn" if yes.kind != "notified" else "objected", one, language=spoke, surface=surface,
                    actor=actor, proof={"undoes": no.seq, "restores": said.seq},
                )
                for (about, one), said in sorted(apart.items()) if about == purpose
            ]  # fmt: skip
    return Undone(tuple(choices), tuple(sorted(changed)))
