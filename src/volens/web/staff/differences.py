"""What a draft changes in the text in force, for whoever publishes it. Pure.

Rules:
1. Paragraphs that are the same are shown as customers see them; in the others each changed word is marked, gone or new.
2. What is marked is escaped: a draft runs nothing on the page of whoever reads it.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from markupsafe import Markup, escape

from volens.web.page import markdown

_BLOCKS, _WORDS = re.compile(r"\n\s*\n"), re.compile(r"\s+|\S+")


def differences(old: str, new: str) -> Markup:
    """The new text with `ins` and `del` where it differs from the old one."""
    was, now = _BLOCKS.split(old.strip()), _BLOCKS.split(new.strip())
    shown = []
    for what, a, b, c, d in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if what == "equal":
            shown.append(markdown("\n\n".join(now[c:d])))
        else:
            shown.append(Markup("<p>{}</p>").format(_words("\n\n".join(was[a:b]), "\n\n".join(now[c:d]))))
    return Markup("\n").join(shown)


def _words(old: str, new: str) -> Markup:
    was, now, shown = _WORDS.findall(old), _WORDS.findall(new), []
    for what, a, b, c, d in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if what == "equal":
            shown.append(escape("".join(now[c:d])))
            continue
        for tag, part in (("del", "".join(was[a:b])), ("ins", "".join(now[c:d]))):
            if part:
                shown.append(Markup(f"<{tag}>{{}}</{tag}>").format(part))
    return Markup().join(shown)
