"""Rules about how a choice is asked: opt-in, one question at a time, on the right basis."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from volens.programme.findings import Place, Severity
from volens.programme.model import NOT_PERMITTED, Basis, Delivery, Programme, Purpose, Role, Text
from volens.programme.parameters import parameters
from volens.programme.rules.minimal import FR, use
from volens.programme.rules.reading import texts_in_use
from volens.programme.rules.rule import Change, Example, Hit, Rule
from volens.programme.words import matches, pattern, says_no

TOLD_ABOUT: tuple[tuple[frozenset[str], tuple[str, ...]], ...] = (
    (
        frozenset({"email-marketing", "basket-message"}),
        ("(envoy*|enverr*|adressons|adresser) … (e-mail|e-mails|courriel|courriels)", "send* … (e-mail|e-mails|email|emails)"),
    ),
    (
        frozenset({"sms-marketing"}),
        ("(envoy*|enverr*|recev*) … (sms|texto|textos)", "(send*|receive*) … (sms|text message|text messages)"),
    ),
    (
        frozenset({"phone-marketing"}),
        ("vous (appelle*|appelons|appeler|telephon*)", "(call|calls|phone|phones|ring) you"),
    ),
    (
        frozenset({"partner-marketing"}),
        ("(offres|messages|publicites) de (nos|ses) partenaires", "(offers|messages|ads) (from|of) our partners"),
    ),
    (
        frozenset({"social-audience", "purchase-audience", "lookalike-source"}),
        ("(reseau social|reseaux sociaux)", "(social network|social networks|social media)"),
    ),
    (
        frozenset({"targeted-ads", "social-audience", "purchase-audience"}),
        ("publicites (ciblees|personnalisees)", "(targeted|personalised|personalized) (ads|advertisements|advertising)"),
    ),
    (
        frozenset({"image-voice"}),
        ("votre (image|photo|voix)", "your (image|photo|picture|voice)"),
    ),
)
"""Words that tell of a use, with the uses that they can be about. Addresses that people give are not meant here."""


NO_ACT = (
    "(participation|participating|joining|continuing|using) … (constitutes|means|implies|amounts to|is) … consent",
    "by (participating|joining|continuing|using|scrolling) … (agree|consent|accept)",
    "(participation|inscription|adhesion|utilisation) … vaut … (accord|consentement|acceptation)",
    "en (participant|continuant|utilisant|adherant|poursuivant) … (acceptez|consentez)",
    "(unless|until) you (object|opt out|tell us otherwise)",
    "sauf (opposition|avis contraire|refus) de votre part",
)
"""Ways to take for a yes what is none: going on, joining, saying nothing."""


def opt_in(programme: Programme, on: date) -> Iterator[Hit]:
    """CON001."""
    for purpose in programme.purposes.values():
        if purpose.needs_choice and purpose.default != NOT_PERMITTED:
            yield Hit(
                purpose.source.at("default"),
                f"`{purpose.id}` is permitted before anybody has been asked.",
                f"Write `default: {NOT_PERMITTED}`; a yes is an act of the person.",
            )
    for purpose, text in texts_in_use(programme, on):
        if purpose.basis is not Basis.CONSENT:
            continue
        for lang, body in text.bodies.items():
            for found in matches(body, pattern(*NO_ACT), unless_negated=True):
                if says_no(found.written):
                    continue  # "joining never means that you consent"
                yield Hit(
                    Place(text.file(lang), found.line),
                    f"“{found.written}” takes for a yes what is none.",
                    "Ask a question that is answered by an act of its own, and leave this out.",
                )


def one_question(programme: Programme, on: date) -> Iterator[Hit]:
    """CON002."""
    for purpose in programme.purposes.values():
        if len(purpose.covers) > 1:
            yield Hit(
                purpose.source.at("covers"),
                f"`{purpose.id}` puts {len(purpose.covers)} uses into one choice: {', '.join(purpose.covers)}.",
                "Make each a purpose of its own, with its own text.",
            )
    for purpose, text in texts_in_use(programme, on):
        if text.also_for:
            yield Hit(
                text.source.at("also_for"),
                f"The text of `{purpose.id}` also asks for {', '.join(text.also_for)}.",
                "Write a text for each purpose, and take `also_for` out.",
            )
        if purpose.basis is Basis.CONSENT:
            yield from _other_uses(purpose, text)


def _other_uses(purpose: Purpose, text: Text) -> Iterator[Hit]:
    for uses, phrases in TOLD_ABOUT:
        if uses & set(purpose.covers):
            continue
        for lang, body in text.bodies.items():
            for found in matches(body, pattern(*phrases), unless_negated=True):
                yield Hit(
                    Place(text.file(lang), found.line),
                    f"“{found.written}” asks for another use ({' or '.join(sorted(uses))}) in the same breath.",
                    f"Leave it out here and ask for it in a purpose of its own; this text is about `{purpose.id}`.",
                )


def consent_for_sharing(programme: Programme, on: date) -> Iterator[Hit]:
    """CON003."""
    others = {Role.SUPPLIER, Role.PARTNER, Role.AD_NETWORK}
    for purpose in programme.purposes.values():
        if purpose.delivers is not Delivery.PERSONS or purpose.basis is Basis.CONSENT:
            continue
        named = [id for id in purpose.recipients if programme.recipients[id].role in others]
        if named:
            yield Hit(
                purpose.source.at("basis"),
                f"`{purpose.id}` hands data about persons to {', '.join(named)} on the basis `{purpose.basis}`.",
                "Write `basis: consent` and ask; or deliver statistics in which nobody can be recognised.",
            )


def consent_where_required(programme: Programme, on: date) -> Iterator[Hit]:
    """CON004."""
    for purpose in programme.purposes.values():
        if purpose.basis is Basis.CONSENT:
            continue
        for country in dict.fromkeys((programme.country, *purpose.keep_months)):
            for covered in purpose.covers:
                required = parameters().consent_required(covered, country, on)
                if required:
                    yield Hit(
                        purpose.source.at("basis"),
                        f"`{covered}` needs consent in {country}, but rests on `{purpose.basis}`: {required.said}.",
                        "Write `basis: consent`, and count nobody as willing who was not asked.",
                    )


_CALLS = """\
    basis: {basis}
    controller: petit-magasin
    covers: [phone-marketing]
    delivers: nothing
    categories: [purchases]
    fields: [customer, product, day]
    recipients: [petit-magasin]
    activity: customer-marketing
    keep_months: {{FR: 12}}
    renew_months: 12
    dpv: dpv:DirectMarketing
    plain: {{fr: Vous appeler pour une offre., en: Call you about an offer.}}
"""


def _calls(basis: str) -> tuple[Change, ...]:
    return use(
        "phone-marketing",
        _CALLS.format(basis=basis),
        "# Une offre au téléphone ?\n\nPetit Magasin SAS vous appelle au sujet de ce que vous achetez.\n"
        "Nous connaissons le jour et votre numéro de client.\n",
        "# An offer by phone?\n\nPetit Magasin SAS calls you about what you buy.\nWe know the day and your customer number.\n",
    )


RULES = (
    Rule(
        id="CON001",
        severity=Severity.ERROR,
        family="consent",
        title="A choice is opt-in",
        articles=("GDPR article 4(11)", "GDPR recital 32"),
        why="Silence, a ticked box or joining the programme is not a yes. A box to tick in order to refuse is not "
        "consent: until a person has acted, nothing is permitted.",
        check=opt_in,
        failing=Example(
            (Change("purposes.yaml", "default: not permitted", "default: permitted"),),
            "purposes.yaml",
            "default: permitted",
        ),
        passing=Example((Change("purposes.yaml", "    default: not permitted\n", ""),)),
    ),
    Rule(
        id="CON002",
        severity=Severity.ERROR,
        family="consent",
        title="One question, one use",
        articles=("GDPR article 7(2) and recital 43", "CNIL SAN-2025-017 (CNILTEXT000053391342)"),
        why="A person who agrees to e-mails has not agreed to be matched on a social network. Where one choice covers "
        "several uses, nobody can say which of them was wanted, and the consent holds for none.",
        check=one_question,
        failing=Example(
            (
                Change(
                    FR,
                    "Un achat y compte",
                    "Nous vous envoyons aussi nos offres par e-mail.\nUn achat y compte",
                ),
            ),
            FR,
            "par e-mail",
        ),
        passing=Example(
            (
                Change(
                    FR,
                    "Un achat y compte",
                    "Nous ne vous envoyons pas d'e-mail pour autant.\nUn achat y compte",
                ),
            )
        ),
    ),
    Rule(
        id="CON003",
        severity=Severity.ERROR,
        family="consent",
        title="Data about persons goes to others by consent alone",
        articles=("GDPR article 6(1)(a)", "CJEU C-621/22", "CNIL SAN-2025-002 (CNILTEXT000051660380)"),
        why="Handing a list of people or of their purchases to a supplier, a partner or an ad network is not strictly "
        "necessary for a shop's own interest: it can ask first. For a recipient that advertises, no other basis holds.",
        check=consent_for_sharing,
        failing=Example(
            (
                Change("purposes.yaml", "basis: consent", "basis: legitimate-interest"),
                Change("purposes.yaml", "delivers: statistics", "delivers: persons"),
            ),
            "purposes.yaml",
            "basis: legitimate-interest",
        ),
        passing=Example((Change("purposes.yaml", "delivers: statistics", "delivers: persons"),)),
    ),
    Rule(
        id="CON004",
        severity=Severity.ERROR,
        family="consent",
        title="Consent where a law asks for it",
        articles=("GDPR article 6(1)(a)", "Code de la consommation L.223-1 (phone, France, since 11 August 2026)"),
        why="For some uses a law or a decision leaves no other basis than consent. Such duties begin on a day, so this "
        "rule looks at the day of the check: the same programme can be right in July and wrong in September.",
        check=consent_where_required,
        failing=Example(_calls("legitimate-interest"), "purposes.yaml", "basis: legitimate-interest"),
        passing=Example(_calls("consent")),
    ),
)
