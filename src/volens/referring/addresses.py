"""One mailbox however it is written, and addresses that are thrown away. Pure.

Rules:
1. What is after a plus sign leads to the same mailbox at every provider that people use; dots are ignored at Google's alone.
2. Nothing else is folded: `marie.dupont` and `mariedupont` are two people nearly everywhere.
3. An address that a provider makes so that its owner stays private (Apple, Firefox, DuckDuckGo) is not thrown away. Only domains
   whose mailboxes anybody can read, or that end within hours, are: `disposable-email-domains` lists them.
"""

from __future__ import annotations

from functools import cache

GOOGLE = frozenset({"gmail.com", "googlemail.com"})
PRIVATE = frozenset({
    "privaterelay.appleid.com", "mozmail.com", "duck.com", "simplelogin.com", "aleeas.com", "slmail.me", "addy.io", "anonaddy.me",
    "passmail.net", "passinbox.com",
})  # fmt: skip
"""Relays behind which somebody reads her post for years, whatever a list says of them."""
FORMS_MOST = 4


def mailbox(email: str) -> str:
    """The mailbox that an address leads to, in one form; the empty text for what is no address."""
    local, at, domain = email.strip().casefold().rpartition("@")
    if not at or not local or not domain:
        return ""
    domain = domain.rstrip(".")
    local = local.split("+", 1)[0] or local
    if domain in GOOGLE:
        return f"{local.replace('.', '') or local}@gmail.com"
    return f"{local}@{domain}"


def letters(email: str) -> str:
    """The mailbox without what is counted up: `jean.dupont7` and `jean.dupont12` are alike. A hint, never a proof."""
    local, at, domain = mailbox(email).rpartition("@")
    bare = "".join(sign for sign in local if sign.isalpha())
    return f"{bare}@{domain}" if at and len(bare) >= 4 else ""


def plainer(email: str) -> tuple[str, ...]:
    """How somebody may be known already who writes this address: as it stands, without the plus, without dots. Looked up one by
    one, since nobody's addresses are kept in another form for this."""
    box = mailbox(email)
    if not box:
        return ()
    local, _, domain = email.strip().casefold().rpartition("@")
    forms = [f"{local}@{domain}", f"{local.split('+', 1)[0] or local}@{domain}", box]
    if domain in GOOGLE:
        forms.append(box.replace("@gmail.com", "@googlemail.com"))
    return tuple(dict.fromkeys(forms))[:FORMS_MOST]


def thrown_away(email: str) -> bool:
    """Whether the address is of a domain that gives mailboxes away for an hour."""
    domain = email.strip().casefold().rpartition("@")[2].rstrip(".")
    parts = domain.split(".")
    tails = {".".join(parts[start:]) for start in range(len(parts) - 1)}
    return not tails & PRIVATE and bool(tails & _listed())


@cache
def _listed() -> frozenset[str]:
    from disposable_email_domains import blocklist  # ten thousand names: read by whoever asks

    return frozenset(blocklist)
