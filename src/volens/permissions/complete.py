"""What a choice must be before it can be recorded: known in all its parts, and a yes under the text in force. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from volens.errors import BadInput, NotFound
from volens.permissions.state import ALL, PERMITTING

if TYPE_CHECKING:
    from volens.permissions.ledger import Choice, Terms


def complete(choice: Choice, terms: Terms) -> Choice:
    """Fills in the text in force and refuses what is unknown or cannot mean anything."""
    if choice.purpose not in terms.kinds:
        raise NotFound(
            f"There is no purpose {choice.purpose!r}.", f"Use one of: {', '.join(sorted(terms.kinds))}."
        )
    if not terms.kinds[choice.purpose]:
        raise BadInput(
            f"{choice.purpose!r} rests on a legal obligation: there is nothing to permit or to refuse.",
            "Tell the person what the law asks the house to keep, and for how long.",
        )
    text = choice.text or terms.current.get(choice.purpose)
    if text is None or text not in terms.texts or text.split("/")[0] != choice.purpose:
        raise NotFound(
            f"There is no text {text!r} for the purpose {choice.purpose!r}.", "Name a text of the programme."
        )
    if choice.kind in PERMITTING:
        _check_yes(choice, text, terms)
    elif choice.recipient != ALL:
        ever = frozenset().union(*(names for id, names in terms.texts.items() if id.split("/")[0] == choice.purpose))
        if choice.recipient not in ever:
            # A no that reaches nobody must not be acknowledged as one.
            raise NotFound(
                f"No text of {choice.purpose!r} ever named the recipient {choice.recipient!r}.",
                f"They named: {', '.join(sorted(ever))}. Use {ALL} for all of them.",
            )
    return replace(choice, text=text)


def _check_yes(choice: Choice, text: str, terms: Terms) -> None:
    allowed = terms.kinds[choice.purpose] & PERMITTING
    if choice.kind not in allowed:
        raise BadInput(
            f"{choice.purpose!r} cannot be permitted by {choice.kind!r}.",
            f"Its lawful basis knows: {', '.join(sorted(allowed)) or 'no choice at all'}.",
        )
    if text != terms.current.get(choice.purpose) and text not in terms.compared.get(choice.purpose, ()):
        raise BadInput(
            f"The text {text!r} is not the one in force.", "Show the text in force and ask again; a no needs no text."
        )
    if choice.language not in terms.languages[text]:
        raise BadInput(
            f"The text {text!r} does not exist in {choice.language!r}, so nobody can have accepted it.",
            f"Use one of: {', '.join(sorted(terms.languages[text]))}.",
        )
    if choice.recipient != ALL and choice.recipient not in terms.texts[text]:
        raise NotFound(
            f"The text {text!r} does not name the recipient {choice.recipient!r}.",
            f"It names: {', '.join(sorted(terms.texts[text]))}.",
        )
