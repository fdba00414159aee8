"""What stands today, to print or to keep: a page that prints well, plain text, and JSON. The same lines in all three."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from textwrap import fill
from typing import Any

from litestar import get
from litestar.response import Response, Template

from volens.app import House
from volens.centre.standing import Use
from volens.web.answers import answer_of
from volens.web.given import AnyRequest, Me, TheHouse
from volens.web.page import page, words_of
from volens.web.words import Words

PAGE = "/autorisations/mes-choix"
FORMAT = "volens-choices/1"
COLUMNS = 78


@dataclass(frozen=True)
class Whom:
    """One recipient of a use, and whether it is permitted to it."""

    id: str
    legal_name: str
    country: str
    permitted: bool


@dataclass(frozen=True)
class Line:
    """One use as it stands."""

    group: str
    purpose: str
    name: str
    permitted: bool
    answer: str
    since: str | None
    text: str | None
    """The text that was accepted; none if it is not permitted."""
    data: tuple[str, ...]
    recipients: tuple[Whom, ...]
    keep_months: Mapping[str, int]


def lines_of(house: House, customer: int, words: Words) -> list[Line]:
    """Every use that is in a group, in the groups' order."""
    found = house.centre.groups(customer)
    return [_line(house, use, words.say(f"centre.group.{group.id}.name"), words) for group in found for use in group.uses]


def _line(house: House, use: Use, group: str, words: Words) -> Line:
    programme, purpose = house.programme, use.purpose
    recipients = [programme.recipient(one) for one in purpose.recipients]
    return Line(
        group=group,
        purpose=purpose.id,
        name=purpose.plain[words.language],
        permitted=use.yes,
        answer=answer_of(use, words, programme),
        since=use.since.isoformat() if use.since is not None else None,
        text=use.accepted.id if use.accepted is not None else None,
        data=tuple(sorted({programme.fields[field].plain[words.language] for field in purpose.fields})),
        recipients=tuple(
            Whom(one.id, one.legal_name, words.country(one.country), one.id in use.permitted) for one in recipients
        ),
        keep_months=dict(purpose.keep_months),
    )


@get(PAGE, sync_to_thread=True)
def printed(request: AnyRequest, house: TheHouse, me: Me) -> Template:
    """The page, to be printed or kept as PDF by the browser."""
    words = words_of(request)
    return page(
        request, "receipts/mine.html", lines=lines_of(house, me.number, words), at=words.moment(house.clock.now()), apart=_apart
    )


@get(PAGE + ".txt", sync_to_thread=True)
def plain(request: AnyRequest, house: TheHouse, me: Me) -> Response[str]:
    """The same as plain text, in lines that fit a letter."""
    words = words_of(request)
    head = [house.programme.name, words.say("receipts.mine.at", moment=words.moment(house.clock.now())), ""]
    written = "\n".join([*head, *_as_text(lines_of(house, me.number, words), words), "", words.say("receipts.mine.proof")])
    return _kept(f"{written}\n", "text/plain; charset=utf-8", "txt")


@get(PAGE + ".json", sync_to_thread=True)
def machine_readable(request: AnyRequest, house: TheHouse, me: Me) -> Response[str]:
    """The same for programs."""
    words = words_of(request)
    value: dict[str, Any] = {
        "format": FORMAT, "house": house.programme.house, "at": house.clock.now().isoformat(), "language": words.language,
        "choices": [asdict(line) for line in lines_of(house, me.number, words)],
    }  # fmt: skip
    return _kept(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "application/json", "json")


def _as_text(lines: Iterable[Line], words: Words) -> Iterable[str]:
    group = ""
    for line in lines:
        if line.group != group:
            group = line.group
            yield from ("", group.upper(), "-" * len(group))
        yield ""
        yield fill(line.name, COLUMNS)
        whom = [_apart(one, line, words) for one in line.recipients]
        for said in (line.answer, *_facts(line, whom, words)):
            yield fill(said, COLUMNS, initial_indent="  ", subsequent_indent="    ")


def _apart(one: Whom, line: Line, words: Words) -> str:
    """A recipient; with a yes or a no of its own, where there are several and the answer is yes."""
    if not line.permitted or len(line.recipients) == 1:
        return f"{one.legal_name} ({one.country})"
    answer = words.say("centre.yes" if one.permitted else "centre.no")
    return words.say("receipts.mine.apart", who=f"{one.legal_name} ({one.country})", answer=answer)


def _facts(line: Line, whom: list[str], words: Words) -> Iterable[str]:
    if line.text is not None:
        yield words.say("receipts.mine.text", text=line.text)
    yield words.say("receipts.mine.recipients", who="; ".join(whom))
    yield words.say("receipts.mine.data", data=words.listed(list(line.data)))


def _kept(content: str, media_type: str, ending: str) -> Response[str]:
    headers = {"content-disposition": f'attachment; filename="mes-choix.{ending}"'}
    return Response(content, media_type=media_type, headers=headers)


ROUTES = (printed, plain, machine_readable)
