"""Whether every name in a programme points at something, and nothing is claimed by two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from volens.programme.devices import check_names
from volens.programme.findings import Finding, Place, Severity
from volens.programme.model import Programme
from volens.programme.parameters import parameters
from volens.programme.schemas import close_to


def check(programme: Programme) -> list[Finding]:
    """Every name that points at nothing (LOAD004) and everything claimed twice (LOAD005)."""
    return [
        *_controllers(programme),
        *_purposes(programme),
        *_texts(programme),
        *_comprehension(programme),
        *_reminding(programme),
        *_messages(programme),
        *_rest(programme),
        *_owned_once(programme),
        *check_names(programme.apps, programme.purposes),
    ]


def _finding(rule: str, place: Place, message: str, remedy: str) -> Finding:
    return Finding(rule, Severity.ERROR, place.file, place.line, message, remedy)


def _known(name: str, known: Iterable[str], kind: str, place: Place) -> Iterator[Finding]:
    names = set(known)
    if name not in names:
        yield _finding("LOAD004", place, f"There is no {kind} `{name}`.", close_to(name, names))


def _controllers(programme: Programme) -> Iterator[Finding]:
    for purpose in programme.purposes.values():
        place = purpose.source.at("controller")
        yield from _known(purpose.controller, programme.controllers, "controller", place)
    for text in programme.texts.values():
        yield from _known(text.controller, programme.controllers, "controller", text.source.at("controller"))


def _purposes(programme: Programme) -> Iterator[Finding]:
    for purpose in programme.purposes.values():
        at = purpose.source.at
        for key, names in (("recipients", purpose.recipients), ("paid_by", purpose.paid_by)):
            for name in names:
                yield from _known(name, programme.recipients, "recipient", at(key, name))
        yield from _known(purpose.activity, parameters().activities, "activity", at("activity"))
        for listed in purpose.categories:
            yield from _known(listed, programme.categories, "category", at("categories", listed))
        categories = [one for one in programme.categories.values() if one.id in purpose.categories]
        offered = {name for one in categories for name in one.fields}
        for name in sorted(purpose.fields):
            if name not in programme.fields:
                yield from _known(name, programme.fields, "field", at("fields", name))
            elif name not in offered:
                category = programme.fields[name].category
                yield _finding(
                    "LOAD004",
                    at("fields", name),
                    f"The field `{name}` is of the category `{category}`, which this purpose does not list.",
                    f"Add `{category}` to its categories.",
                )
        for one in categories:
            if not purpose.fields & set(one.fields):
                yield _finding(
                    "LOAD004",
                    at("categories", one.id),
                    f"No field of `{one.id}` is used.",
                    "Take the category out, or list the fields that are read.",
                )


def _comprehension(programme: Programme) -> Iterator[Finding]:
    for purpose in programme.comprehension.checks:
        yield from _known(purpose, programme.purposes, "purpose", Place("comprehension.yaml", 1))


def _reminding(programme: Programme) -> Iterator[Finding]:
    told = programme.reminding
    if told is None:
        return
    yield from _known(told.purpose, programme.purposes, "purpose", told.source.at("purpose"))
    purpose = programme.purposes.get(told.purpose)
    for name in sorted(told.needed - purpose.fields) if purpose is not None else ():
        yield _finding(
            "LOAD004",
            told.source.at("purpose"),
            f"Reminders look at `{name}`, which `{told.purpose}` does not list.",
            f"Add `{name}` to the purpose's fields, and to its text.",
        )
    left = told.left
    if left is None or left.message is None:
        return
    yield from _known(left.message, programme.purposes, "purpose", told.source.at("left_basket"))
    channels = programme.messages.channels.values() if programme.messages is not None else ()
    if not any(left.message in channel.purposes for channel in channels):
        yield _finding(
            "LOAD004",
            told.source.at("left_basket"),
            f"Messages about a basket rest on `{left.message}`, and no channel of messages.yaml goes by it.",
            "List it under `also` of a channel, or leave `message` out.",
        )


def _messages(programme: Programme) -> Iterator[Finding]:
    told = programme.messages
    if told is None:
        return
    yield from _known(told.sender, programme.controllers, "controller", told.source.at("sender"))
    for name, channel in told.channels.items():
        at = told.sources[name].at
        for one in channel.purposes:
            yield from _known(one, programme.purposes, "purpose", at("purpose" if one == channel.purpose else "also"))
        if channel.service is not None:
            yield from _known(channel.service, programme.purposes, "purpose", at("service"))
        for carrier in channel.carried_by:
            yield from _known(carrier, programme.recipients, "recipient", at("carried_by"))


def _texts(programme: Programme) -> Iterator[Finding]:
    for text in programme.texts.values():
        at = text.source.at
        yield from _known(text.purpose, programme.purposes, "purpose", Place(text.source.file, 1))
        for name in sorted(text.recipients):
            yield from _known(name, programme.recipients, "recipient", at("recipients", name))
        for name in text.paid_by:
            yield from _known(name, programme.recipients, "recipient", at("paid_by", name))
        for name in text.also_for:
            yield from _known(name, programme.purposes, "purpose", at("also_for", name))
        for name in sorted(text.fields):
            yield from _known(name, programme.fields, "field", at("fields", name))
        for before in programme.texts.values():
            older = before.purpose == text.purpose and before.version == text.version - 1
            if older and before.valid_from >= text.valid_from:
                yield _finding(
                    "LOAD006",
                    at("valid_from"),
                    f"It is valid no later than {before.id}.",
                    f"Write a day after {before.valid_from}.",
                )


def _rest(programme: Programme) -> Iterator[Finding]:
    for rule in programme.retention:
        yield from _known(rule.category, programme.categories, "category", rule.source.at("category"))
        yield from _known(rule.activity, parameters().activities, "activity", rule.source.at("activity"))
    for product in programme.products.values():
        yield from _known(product.purpose, programme.purposes, "purpose", Place(product.file, 1))
    for recipient in programme.recipients.values():
        for name in sorted(recipient.fields - set(programme.fields)):
            if "fields" in recipient.source.keys:
                yield from _known(name, programme.fields, "field", recipient.source.at("fields", name))


def _owned_once(programme: Programme) -> Iterator[Finding]:
    makers: dict[object, str] = {}
    brands: dict[object, str] = {}
    for recipient in programme.recipients.values():
        for key, entries, owners in (("makers", recipient.makers, makers), ("brands", recipient.brands, brands)):
            for entry in entries:
                place = recipient.source.at(key, entry)
                yield from _twice(f"`{entry}`", place, owners.get(entry), recipient.id)
                owners[entry] = recipient.id
    fields: dict[str, str] = {}
    for category in programme.categories.values():
        for name in category.fields:
            yield from _twice(f"The field `{name}`", category.source.at("fields", name), fields.get(name), category.id)
            fields[name] = category.id
    kept: dict[tuple[str, str, str], Place] = {}
    for rule in programme.retention:
        what = (rule.category, rule.country, rule.activity)
        if what in kept:
            yield _finding(
                "LOAD005",
                rule.source.at(),
                f"`{' / '.join(what)}` has a period already (line {kept[what].line}).",
                "Keep one of the two.",
            )
        kept[what] = rule.source.at()


def _twice(name: str, place: Place, owner: str | None, here: str) -> Iterator[Finding]:
    if owner is not None:
        yield _finding("LOAD005", place, f"{name} belongs to `{owner}` and to `{here}`.", "Leave it with one of them.")
