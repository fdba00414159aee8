"""The rules about the channels of marketing messages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from volens.programme.findings import Place, Severity
from volens.programme.messages import ADDRESS_FIELDS, POST, Channel
from volens.programme.model import Basis, Programme
from volens.programme.rules.minimal import use
from volens.programme.rules.rule import Change, Example, Hit, Rule


def rests_on_a_yes(programme: Programme, on: date) -> Iterator[Hit]:
    """MSG001."""
    first: dict[str, str] = {}
    for channel, id, place in _declared(programme):
        if channel.name != POST and programme.purposes[id].basis is not Basis.CONSENT:
            yield Hit(
                place,
                f"Advertisements by {channel.name} rest on `{id}`, which is no consent.",
                "Give the channel a purpose with `basis: consent`; only letters by post may rest on an interest.",
            )
        before = first.setdefault(id, channel.name)
        if before != channel.name:
            yield Hit(
                place,
                f"One yes to `{id}` would open {before} and {channel.name}.",
                "Give each channel a purpose, and a question, of its own.",
            )


def carriers_are_told(programme: Programme, on: date) -> Iterator[Hit]:
    """MSG002."""
    told = programme.messages
    for channel, id, place in _declared(programme):
        assert told is not None
        field, purpose = ADDRESS_FIELDS[channel.name], programme.purposes[id]
        texts = [text for text in programme.texts_of(id) if text.stands(on)]
        if field not in purpose.leaving or not any(field in text.fields for text in texts):
            yield Hit(
                place,
                f"`{id}` does not hand over `{field}`, by which people are reached by {channel.name}.",
                f"List `{field}` in the purpose's fields and in its text, or choose the purpose that has it.",
            )
        for carrier in channel.carried_by:
            if carrier not in purpose.recipients or not any(carrier in text.recipients for text in texts):
                yield Hit(
                    told.sources[channel.name].at("carried_by"),
                    f"`{carrier}` carries messages by {channel.name}, and `{id}` does not name it to people.",
                    "Name it among the recipients of the purpose and of its text, or let somebody carry who is named there.",
                )


def _declared(programme: Programme) -> Iterator[tuple[Channel, str, Place]]:
    """Each channel with each purpose of its advertisements, and where that is written."""
    told = programme.messages
    for name, channel in told.channels.items() if told is not None else ():
        assert told is not None
        for id in channel.purposes:
            yield channel, id, told.sources[name].at("purpose" if id == channel.purpose else "also")


_LETTERS = """\
    basis: {basis}
    controller: petit-magasin
    covers: [email-marketing]
    delivers: persons
    categories: [contact]
    fields: [email]
    recipients: [petit-magasin]
    activity: customer-marketing
    keep_months: {{FR: 12}}
    {ends}
    dpv: dpv:DirectMarketing
    plain: {{fr: Vous envoyer nos offres par e-mail., en: Send you our offers by e-mail.}}
"""
_MESSAGES = "sender: petit-magasin\nchannels:\n  email:\n    purpose: {purpose}\n    carried_by: [{carrier}]\n    most: 2\n"
_CONTACT = Change(
    "categories.yaml", "categories:\n",
    "categories:\n  contact:\n    store: vault\n    plain: {fr: Vos coordonnées, en: Your contact details}\n"
    "    fields:\n      email: {fr: votre adresse, en: your address}\n",
)  # fmt: skip
_KEPT = Change(
    "retention.yaml", "retention:\n",
    "retention:\n  - category: contact\n    country: FR\n    activity: customer-marketing\n    keep_months: 12\n"
    "    counted_from: last-activity\n    then: erase\n",
)  # fmt: skip
_TOLD = "fields:\n  email: {fr: votre adresse, en: your address}\n"


def _programme(basis: str, ends: str, *, purpose: str = "letters", carrier: str = "petit-magasin") -> tuple[Change, ...]:
    made = use(
        "letters",
        _LETTERS.format(basis=basis, ends=ends),
        "# Vous écrire ?\n\nSi vous dites oui, Petit Magasin SAS se sert de votre adresse pour vous écrire.\n",
        "# Write to you?\n\nIf you say yes, Petit Magasin SAS uses your address to write to you.\n",
    )
    changed = [
        Change(one.file, one.old, one.new.split("fields:\n")[0] + _TOLD) if one.file.endswith("text.yaml") else one for one in made
    ]
    return (*changed, _CONTACT, _KEPT, Change("messages.yaml", "", _MESSAGES.format(purpose=purpose, carrier=carrier)))


_CONSENT = ("consent", "renew_months: 12")

RULES = (
    Rule(
        id="MSG001",
        severity=Severity.ERROR,
        family="consent",
        title="Each channel of advertising rests on a yes of its own",
        articles=("CPCE L.34-5", "Code de la consommation L.223-1", "GDPR article 4(11)"),
        why="E-mail, text messages and calls to people need their consent beforehand, and a yes to one says nothing about another. "
        "Who was never asked about a channel is not reached by it.",
        check=rests_on_a_yes,
        failing=Example(_programme("legitimate-interest", "waiting_days: 30"), "messages.yaml", "purpose: letters"),
        passing=Example(_programme(*_CONSENT)),
    ),
    Rule(
        id="MSG002",
        severity=Severity.ERROR,
        family="recipients and transfers",
        title="People were told who carries messages to them, and by which address",
        articles=("GDPR article 13(1)(e)", "GDPR article 28"),
        why="Whoever sends a newsletter holds the addresses. The door hands an address to a carrier alone that the accepted text "
        "names; a channel that is declared otherwise would send to nobody.",
        check=carriers_are_told,
        failing=Example(_programme(*_CONSENT, carrier="verger-clair"), "messages.yaml", "carried_by"),
        passing=Example(_programme(*_CONSENT)),
    ),
)
