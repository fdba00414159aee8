"""The answer to one use in one sentence, the same on every page, in text and in JSON."""

from __future__ import annotations

from volens.centre.standing import Use
from volens.programme.model import Basis, Programme
from volens.web.words import Words


def answer_of(use: Use, words: Words, programme: Programme) -> str:
    """What stands, since when, and for whom where it is not the same for all."""
    if not use.choosable:
        return words.say("centre.required" if use.purpose.basis is Basis.LEGAL_OBLIGATION else "centre.needed")
    day = words.day(use.since) if use.since is not None else ""
    if use.refused:
        return words.say("centre.use.mixed", answer=apart(use, words, programme), day=day)
    if use.yes or use.waiting:
        return words.say("centre.use.yes" if use.yes else "centre.use.waiting", day=day)
    return words.say("centre.use.no-since", day=day) if use.answered else words.say("centre.use.never")


def apart(use: Use, words: Words, programme: Programme) -> str:
    """Who is permitted and who is not, where both are: the fewer by name."""
    fewer, more, way = use.refused, use.permitted, "centre.use.no-for"
    if len(more) < len(fewer):
        fewer, more, way = more, fewer, "centre.use.yes-for"
    return words.say(way, who=words.listed([programme.recipient(one).legal_name for one in fewer]), count=len(more))
