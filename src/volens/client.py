"""A client for systems that must obey: ask before acting, follow what customers change, check what is sent.

    from volens.client import Volens

    volens = Volens("https://volens.shop.example", key="volens_…")
    if volens.permits("email-marketing", "envoi-clair", email="camille@example.org"):
        ...
    for page in volens.follow(load_cursor()):
        for change in page.changes:
            ...
        save_cursor(page.cursor)      # then, and only then, it is acknowledged

Rules:
1. No unless yes: whatever goes wrong (no answer, a wrong one, a key that is refused) is `False` from `permits`, never an error
   that somebody catches and goes on.
2. A page is acknowledged after the loop that got it has come back for the next one: what a crash left undone comes again.
3. A webhook is believed only with a signature by a secret that we know and a time of at most five minutes ago or ahead.
4. One file, the standard library and nothing of the server: it can be copied. Checking a permitted set needs `cryptography`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

TOLERANCE_SECONDS = 300
TIMEOUT_SECONDS = 10.0
MANY = 1_000
SET_FORM = "permitted-set/1"


class VolensFailed(Exception):
    """Something did not work. The message says what; take it as no."""


class NotGenuine(VolensFailed):
    """A webhook or a file that is not what it says it is."""


@dataclass(frozen=True)
class Page:
    """Changes in the form in which they were sent, and the cursor to keep. With `resync`, fetch the permitted set anew."""

    changes: Sequence[Mapping[str, Any]]
    cursor: str
    position: int
    resync: bool
    more: bool


@dataclass(frozen=True)
class PermittedSet:
    """Pseudonyms that permit a purpose at a position, and until when they may be used."""

    pseudonyms: Sequence[str]
    header: Mapping[str, Any]

    @property
    def cursor(self) -> str:
        """Where the changes go on from this set."""
        return str(self.header["cursor"])

    def good(self, now: datetime | None = None) -> bool:
        """Whether the set may still be used. After that it is fetched anew."""
        return (now or _now()) < datetime.fromisoformat(self.header["expires"])


class Volens:
    """One house, asked with one key. Threads may share it."""

    def __init__(self, address: str, key: str, timeout: float = TIMEOUT_SECONDS) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValueError("the address begins with https://")
        self._parts, self._key, self._timeout = parts, key, timeout
        self._own = threading.local()

    def __repr__(self) -> str:
        return f"Volens({self._parts.hostname!r}, …)"

    def close(self) -> None:
        """Ends this thread's connection; the next request makes another."""
        kept: HTTPConnection | None = getattr(self._own, "connection", None)
        if kept is not None:
            kept.close()
            self._own.connection = None

    def __enter__(self) -> Volens:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Decisions

    def permits(
        self, purpose: str, recipient: str, *, fields: Iterable[str] | None = None, since: str | None = None, **who: str
    ) -> bool:
        """Whether a purpose may use somebody's data for a recipient, now.

        `who` is one of card, email, reference, number, pseudonym. `since` is the day of the oldest purchase that is used.
        """
        body = {"subject": _subject(who), **_use(purpose, recipient, fields, since)}
        try:
            return self._json("POST", "/access/v1/evaluation", body).get("decision") is True
        except VolensFailed:
            return False

    def permitted(
        self, purpose: str, recipient: str, kind: str, names: Sequence[str], *, fields: Iterable[str] | None = None,
        since: str | None = None,
    ) -> list[bool]:  # fmt: skip
        """The same for many people, in their order."""
        found: list[bool] = []
        for start in range(0, len(names), MANY):
            some = names[start : start + MANY]
            asked = [{"subject": {"type": kind, "id": name}} for name in some]
            try:
                answer = self._json(
                    "POST", "/access/v1/evaluations", {**_use(purpose, recipient, fields, since), "evaluations": asked}
                )
                decided = [one.get("decision") is True for one in answer["evaluations"]]
            except (VolensFailed, KeyError, TypeError, AttributeError):
                decided = []
            found += decided if len(decided) == len(some) else [False] * len(some)
        return found

    # Changes

    def changes(self, after: str | None = None, *, limit: int = 500, wait: int = 0) -> Page:
        """The next page: after a cursor, or after what was acknowledged. Raises `VolensFailed`."""
        asked = {"limit": limit, "wait": wait, **({"after": after} if after else {})}
        return _page(self._json("GET", f"/v1/changes?{urlencode(asked)}", None, self._timeout + wait))

    def acknowledge(self, cursor: str) -> int:
        """We have dealt with everything up to a cursor. Raises `VolensFailed`."""
        return int(self._json("POST", "/v1/changes/ack", {"cursor": cursor})["acknowledged"])

    def follow(self, after: str | None = None, *, wait: int = 25) -> Iterator[Page]:
        """Pages without end, each acknowledged when the next is asked for. Raises `VolensFailed`; start again from the last one."""
        while True:
            page = self.changes(after, wait=wait)
            after = page.cursor
            if page.changes or page.resync:
                yield page
                self.acknowledge(page.cursor)

    def permitted_set(self, purpose: str, house_key: bytes | None = None) -> PermittedSet:
        """Everybody who permits a purpose, for systems that work in batches. With the house's key, its signature is checked."""
        status, content = self._send("POST", "/v1/permitted", {"purpose": purpose, "format": "csv"}, self._timeout * 6)
        if status != 200:
            raise VolensFailed(f"The permitted set was refused ({status}).")
        return read_permitted_set(content, house_key)

    # Below: how

    def _json(self, method: str, path: str, body: Any, timeout: float | None = None) -> dict[str, Any]:
        status, content = self._send(method, path, body, timeout or self._timeout)
        if status != 200:
            raise VolensFailed(f"Volens answered {status}.")
        try:
            found = json.loads(content)
        except ValueError:
            raise VolensFailed("Volens answered with something that is not JSON.") from None
        if not isinstance(found, dict):
            raise VolensFailed("Volens answered with something else than was asked.")
        return found

    def _send(self, method: str, path: str, body: Any, timeout: float) -> tuple[int, bytes]:
        """One request on this thread's own connection; once more on a new one if the old one had been closed meanwhile."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json", "Accept": "application/json"}
        for last in (False, True):
            kept: HTTPConnection | None = getattr(self._own, "connection", None)
            connection = kept or self._connect()
            connection.timeout = timeout
            if connection.sock is not None:
                connection.sock.settimeout(timeout)
            try:
                connection.request(method, f"{self._parts.path.rstrip('/')}{path}", content, headers)
                response = connection.getresponse()
                found = response.status, response.read()
            except (HTTPException, OSError) as error:
                connection.close()
                self._own.connection = None
                if kept is not None and not last and not isinstance(error, TimeoutError):
                    continue
                raise VolensFailed(f"Volens does not answer ({type(error).__name__}).") from None
            self._own.connection = connection
            return found
        raise VolensFailed("Volens does not answer.")

    def _connect(self) -> HTTPConnection:
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        return kind(str(self._parts.hostname), self._parts.port, timeout=self._timeout)


def read_webhook(
    headers: Mapping[str, str], body: bytes, secrets: Iterable[str], now: datetime | None = None
) -> tuple[str, Page]:
    """The id and the page of a webhook (Standard Webhooks). `NotGenuine` if it is not signed by one of our secrets, or too old.

    Deal with the page, then answer 200 with `acknowledgement(page)`. The same id comes again when an answer got lost.
    """
    given = {name.lower(): value for name, value in headers.items()}
    id, sent, signed = (given.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (id and sent.isascii() and sent.isdigit()) or abs((now or _now()).timestamp() - int(sent)) > TOLERANCE_SECONDS:
        raise NotGenuine("The webhook has no time, or one that is more than five minutes away.")
    message = f"{id}.{sent}.".encode() + body
    good = {base64.b64encode(hmac.new(_secret(one), message, hashlib.sha256).digest()).decode() for one in secrets}
    shown = [part.partition(",")[2] for part in signed.split() if part.startswith("v1,")]
    if not any(hmac.compare_digest(one.encode(), ours.encode()) for one in shown for ours in good):
        raise NotGenuine("The webhook is not signed by a secret that we know.")
    try:
        return id, _page(json.loads(body)["data"])
    except (ValueError, KeyError, TypeError):
        raise NotGenuine("The webhook does not hold a page of changes.") from None


def acknowledgement(page: Page) -> bytes:
    """The body of the answer that says that a page was dealt with."""
    return json.dumps({"acknowledged": page.cursor}).encode()


def read_permitted_set(content: bytes, house_key: bytes | None = None) -> PermittedSet:
    """A permitted set in its CSV form, checked against its own hash; with the house's Ed25519 key (32 bytes), its signature too."""
    lines = content.decode().split("\n")
    try:
        if not (lines[0].startswith("# {") and lines[1].startswith("# signature ") and lines[2] == "customer" and not lines[-1]):
            raise ValueError
        header, signature = json.loads(lines[0][2:]), base64.b64decode(lines[1].removeprefix("# signature "), validate=True)
        names = lines[3:-1]
        if header["volens"] != SET_FORM or header["customers"] != len(names):
            raise ValueError
        same = hashlib.sha256("\n".join(names).encode()).hexdigest() == header["sha256"]
    except (ValueError, KeyError, IndexError, TypeError, binascii.Error):
        raise NotGenuine("This is not a permitted set, or not all of it.") from None
    if not same:
        raise NotGenuine("The pseudonyms are not those that were handed over.")
    if house_key is not None:
        _verify(house_key, signature, header)
    return PermittedSet(names, header)


def _verify(house_key: bytes, signature: bytes, header: Mapping[str, Any]) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    plain = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    try:
        Ed25519PublicKey.from_public_bytes(house_key).verify(signature, f"volens/{SET_FORM}\n".encode() + plain)
    except (InvalidSignature, ValueError):
        raise NotGenuine("The header is not signed by this house.") from None


def _page(found: Mapping[str, Any]) -> Page:
    try:
        return Page(
            list(found["changes"]), str(found["cursor"]), int(found["position"]), bool(found["resync"]), bool(found["more"])
        )
    except (KeyError, TypeError, ValueError):
        raise VolensFailed("This is not a page of changes.") from None


def _subject(who: Mapping[str, str]) -> dict[str, str]:
    if len(who) != 1 or not who.keys() <= {"card", "email", "reference", "number", "pseudonym"}:
        raise TypeError("name one of card, email, reference, number, pseudonym")
    ((kind, name),) = who.items()
    return {"type": kind, "id": name}


def _use(purpose: str, recipient: str, fields: Iterable[str] | None, since: str | None) -> dict[str, Any]:
    properties = {**({"fields": sorted(fields)} if fields is not None else {}), **({"since": since} if since else {})}
    resource = {"type": "recipient", "id": recipient, **({"properties": properties} if properties else {})}
    return {"action": {"name": purpose}, "resource": resource}


def _secret(written: str) -> bytes:
    try:
        return base64.b64decode(written.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise ValueError("a webhook secret is base64, after whsec_") from None


def _now() -> datetime:
    return datetime.now(UTC)
