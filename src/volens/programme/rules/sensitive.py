"""Rules about purchases that reveal health, belief or private life."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from volens.programme.findings import Place, Severity
from volens.programme.model import Basis, Programme, Purpose
from volens.programme.rules.minimal import use
from volens.programme.rules.reading import texts_in_use
from volens.programme.rules.rule import Change, Example, Hit, Rule
from volens.programme.words import matches, pattern

ADVERTISES = frozenset({"targeted-ads", "social-audience", "purchase-audience", "lookalike-source", "partner-marketing"})
REVEALING = (
    "(enceinte*|grossesse*|pregnan*)",
    "(ramadan|halal|casher|kasher|kosher|careme)",
    "(diabet*|incontinen*|cancer|depress*|VIH|HIV|alcoolisme|alcoholism)",
    "(sans gluten|gluten-free|gluten free)",
    "(religi*|confession|croyance*|belief*)",
    "(syndicat|syndical*|trade union*)",
    "(sante|health|maladie*|illness*|handicap|disabilit*)",
    "(orientation sexuelle|sexual orientation|vie sexuelle|sex life)",
    "(parapharmacie|pharmacie|medicament*|medicine*)",
)
"""What a segment, a reminder or a figure must not be about unless people said yes to exactly that."""
EXPRESSLY = ("express*", "explicit*")


def _sensitive(programme: Programme, purpose: Purpose) -> list[str]:
    """The sensitive fields that a purpose reads."""
    return sorted(name for name in purpose.fields if programme.categories[programme.fields[name].category].sensitive)


def by_consent_alone(programme: Programme, on: date) -> Iterator[Hit]:
    """SPC001."""
    for purpose in programme.purposes.values():
        read = _sensitive(programme, purpose)
        if read and purpose.basis not in (Basis.CONSENT, Basis.LEGAL_OBLIGATION):
            yield Hit(
                purpose.source.at("fields", read[0]),
                f"`{purpose.id}` reads {', '.join(read)}, which reveals what is most private, on the basis `{purpose.basis}`.",
                "Write `basis: consent` and ask expressly; or leave these fields out.",
            )


def never_for_advertising(programme: Programme, on: date) -> Iterator[Hit]:
    """SPC002."""
    for purpose in programme.purposes.values():
        read = _sensitive(programme, purpose)
        if read and ADVERTISES & set(purpose.covers):
            yield Hit(
                purpose.source.at("fields", read[0]),
                f"`{purpose.id}` chooses advertisements by {', '.join(read)}.",
                "Leave these fields out: here even a yes does not help.",
            )


def nothing_named_after_it(programme: Programme, on: date) -> Iterator[Hit]:
    """SPC003."""
    for purpose in programme.purposes.values():
        if _sensitive(programme, purpose):
            continue
        words = [(purpose.id.replace("-", " "), purpose.source.at())]
        words += [(said, purpose.source.at("plain", lang)) for lang, said in purpose.plain.items()]
        yield from _revealing(words, f"`{purpose.id}`")
    for product in programme.products.values():
        words = [(name.replace("-", " "), Place(product.file, 1)) for name in product.expected]
        yield from _revealing(words, f"`{product.id}`")


def _revealing(words: list[tuple[str, Place]], named: str) -> Iterator[Hit]:
    for said, place in words:
        for found in matches(said, pattern(*REVEALING), unless_negated=True):
            yield Hit(
                place,
                f"{named} is about “{found.written}”, which tells of health, belief or private life.",
                "Take it out; or declare a category with `sensitive: true` and ask for exactly this.",
            )


def asked_expressly(programme: Programme, on: date) -> Iterator[Hit]:
    """SPC004."""
    for purpose, text in texts_in_use(programme, on):
        read = _sensitive(programme, purpose)
        if not read or purpose.basis is not Basis.CONSENT:
            continue
        for lang, body in text.bodies.items():
            if not any(matches(body, pattern(*EXPRESSLY))):
                yield Hit(
                    Place(text.file(lang), 1),
                    f"The page asks for {', '.join(read)} without saying that the yes must be an express one.",
                    "Write that it is done only if the person expressly says yes, and confirm the answer once more.",
                )


_FIELD = (
    Change(
        "categories.yaml",
        "categories:\n",
        "categories:\n  needs:\n    store: vault\n    sensitive: true\n    plain: {fr: Vos besoins, en: Your needs}\n"
        "    fields:\n      need: {fr: un besoin alimentaire, en: a dietary need}\n",
    ),
    Change(
        "retention.yaml",
        "retention:\n",
        "retention:\n  - {category: needs, country: FR, activity: customer-profiling, keep_months: 12, "
        "counted_from: collected-on, then: erase}\n",
    ),
)
_USE = """\
    basis: {basis}
    controller: petit-magasin
    covers: [{covers}]
    delivers: nothing
    categories: [purchases, needs]
    fields: [customer, product, day, need]
    recipients: [petit-magasin]
    activity: customer-profiling
    keep_months: {{FR: 12}}
    renew_months: 12
    dpv: dpv:ServicePersonalisation
    plain: {{fr: Ranger le site., en: Arrange the site.}}
"""


def _needs(basis: str, covers: str, french: str = "Si vous dites oui expressément", english: str = "If you expressly say yes"
           ) -> tuple[Change, ...]:
    told = "  need: {fr: un besoin alimentaire, en: a dietary need}\n"
    changes = use(
        "arrange",
        _USE.format(basis=basis, covers=covers),
        f"# Ranger le site ?\n\n{french}, Petit Magasin SAS note un besoin alimentaire\n"
        "d'après ce que vous achetez et le jour, sous votre numéro de client.\n",
        f"# Arrange the site?\n\n{english}, Petit Magasin SAS notes a dietary need\n"
        "from what you buy and the day, under your customer number.\n",
    )
    return *_FIELD, *(
        Change(one.file, one.old, one.new + told) if one.file.endswith("text.yaml") else one for one in changes
    )


RULES = (
    Rule(
        id="SPC001",
        severity=Severity.ERROR,
        family="sensitive products",
        title="What is most private is read by consent alone",
        articles=("GDPR article 9(2)(a)", "CJEU C-184/20", "CJEU C-21/23"),
        why="A gluten-free loaf can tell of an illness, a halal one of a faith. What is liable to reveal such things is protected "
        "as if it said them, also where the guess is wrong.",
        check=by_consent_alone,
        failing=Example(_needs("legitimate-interest", "onsite-personalisation"), "purposes.yaml", "need]"),
        passing=Example(_needs("consent", "special-category-inference")),
    ),
    Rule(
        id="SPC002",
        severity=Severity.ERROR,
        family="sensitive products",
        title="No advertising by what is most private",
        articles=("Regulation (EU) 2022/2065 (DSA) article 26(3)", "GDPR article 9"),
        why="A platform may not choose advertisements by profiles of health, belief or private life, not even for people who "
        "said yes.",
        check=never_for_advertising,
        failing=Example(_needs("consent", "partner-marketing"), "purposes.yaml", "need]"),
        passing=Example(_needs("consent", "onsite-personalisation")),
    ),
    Rule(
        id="SPC003",
        severity=Severity.ERROR,
        family="sensitive products",
        title="No use is named after what is most private",
        articles=("GDPR article 9(1)", "ICO, Easylife, October 2022"),
        why="“Ramadan shoppers”, “expecting mothers”: a mail-order firm was fined because a jar opener put people on a list of the "
        "ill. A use or a figure that is about such things says so in its name.",
        check=nothing_named_after_it,
        failing=Example(
            (Change("purposes.yaml", "en: Count your purchases in figures that we sell.", "en: Count who is pregnant."),
             Change("purposes.yaml", "fr: Compter vos achats dans des chiffres que nous vendons.",
                    "fr: Compter vos achats.")),
            "purposes.yaml",
            "pregnant",
        ),
        passing=Example(
            (Change("purposes.yaml", "en: Count your purchases in figures that we sell.",
                    "en: Count your purchases in figures that we sell, never those that touch on health."),),
        ),
    ),
    Rule(
        id="SPC004",
        severity=Severity.ERROR,
        family="sensitive products",
        title="What is most private is asked for expressly",
        articles=("GDPR article 9(2)(a): explicit consent",),
        why="Here a yes by the way is not enough: the person says expressly that she wants exactly this, and is asked to confirm.",
        check=asked_expressly,
        failing=Example(_needs("consent", "special-category-inference", "Si vous dites oui"), "texts/arrange/1/fr.md"),
        passing=Example(_needs("consent", "special-category-inference", "Si vous le demandez explicitement")),
    ),
)
