"""The question as customers get it, rendered outside of a request: for previews, and for the check that yes and no are the same.

It is made of the very parts that pages are made of: the fragment of `asking.shown` and `choice_pair` of `parts.html`.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from volens.asking.shown import shown
from volens.clock import zone
from volens.errors import NotFound
from volens.programme.model import Programme, Text
from volens.web.page import environment
from volens.web.words import Words


def component(programme: Programme, text: Text, language: str) -> Markup:
    """The HTML of a text's question in a language, with its two answers."""
    fragment = shown(programme, text, language)
    if fragment is None:
        raise NotFound(f"{text.id} has no page in {language!r}.", f"It has: {', '.join(sorted(text.bodies))}.")
    words = Words(language, zone(programme.country))
    rendered = _environment().get_template("asked.html").render(
        fragment=Markup(fragment.html), about=fragment.words, text=text.id, purpose=text.purpose, say=words.say, csrf_input="",
        request=None, languages=[], lang=language, path="",
    )  # fmt: skip
    return Markup(rendered)


@cache
def _environment() -> Environment:
    return environment()
