"""What other companies pay for or receive, in the sentences of the first screen.

Rules:
1. Every company that pays or receives is named, or counted where naming all would take the screen; nobody is left out.
2. Few lines are told in full, many in short: the screen holds ninety words.
"""

from __future__ import annotations

from collections.abc import Sequence

from volens.centre.standing import ATTENTION, DATA, Passed
from volens.programme.model import Programme
from volens.web.words import Words

NAMED_MAX = {1: 6, 2: 4, 3: 2}
"""Companies named in a line, by the number of lines; one where there are more."""
IN_FULL_MAX = 2
"""Lines that say everything."""


def passed_on(passed: Sequence[Passed], programme: Programme, words: Words) -> tuple[str, ...]:
    """A sentence for what is sold, and one for what is given away."""
    named, in_full = NAMED_MAX.get(len(passed), 1), len(passed) <= IN_FULL_MAX
    said, counted = [], False
    for paid, verb in ((True, "sell"), (False, "give" if in_full else "give-short")):
        lines = []
        for one in passed:
            if one.paid is paid:
                who = _who(one, named, counted, programme, words)
                lines.append(words.say("centre.sold.to", what=_what(one, in_full, programme, words), who=who))
                counted |= named == 1 < len(one.who)
        if lines:
            said.append(words.say(f"centre.sold.{verb}", what=words.listed(lines)))
    return tuple(said)


def _what(one: Passed, in_full: bool, programme: Programme, words: Words) -> str:
    if one.what == DATA and in_full:
        return words.listed([programme.fields[name].plain[words.language] for name in one.fields])
    length = "what" if in_full else "short"
    return words.say(f"centre.sold.{length}.{one.what}" + (f".{one.group}" if one.what == ATTENTION else ""))


def _who(one: Passed, named: int, counted: bool, programme: Programme, words: Words) -> str:
    names = [programme.recipient(id).legal_name for id in one.who]
    if len(names) <= named:
        return words.listed(names)
    if named == 1:
        return words.say("centre.sold.as-many" if counted else "centre.sold.companies", count=len(names))
    return words.listed([*names[:named], words.say("centre.sold.others", count=len(names) - named)])
