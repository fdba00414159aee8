"""Rules about young people: their age is known to the law, nobody below it is invited, children's data have one use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from volens.programme.findings import Severity
from volens.programme.model import Basis, Programme
from volens.programme.parameters import parameters
from volens.programme.rules.countries import name
from volens.programme.rules.minimal import FR, use
from volens.programme.rules.reading import pages
from volens.programme.rules.rule import Change, Example, Hit, Rule
from volens.programme.words import fold, matches, pattern

ADULT = 18
"""Below it nobody gets advertisements chosen by profiling on an online platform (Regulation (EU) 2022/2065, article 28(2))."""
INVITES = (
    "(des|a partir de|des l'age de) \\d+ ans",
    "\\d+ ans et plus",
    "(from|over|above) (the age of )?\\d+ years",
    "aged \\d+ (and|or) (over|above|older|more)",
    "(from|as of) the age of \\d+",
)
BY_PROFILE = frozenset({"targeted-ads", "social-audience", "purchase-audience", "lookalike-source"})
CHILDREN = ("(enfant|enfants|fils|fille|bebe|bebes)", "(child|children|son|daughter|baby|babies|kids)")


def age_is_known(programme: Programme, on: date) -> Iterator[Hit]:
    """MIN001."""
    for purpose in programme.purposes.values():
        if purpose.basis is not Basis.CONSENT:
            continue
        for country in purpose.keep_months:
            if parameters().consent_age(country, on) is None:
                yield Hit(
                    purpose.source.at("keep_months", country),
                    f"The age from which young people consent alone in {name(country, 'en')} is not known here.",
                    "Ask a lawyer for the age, add it to the parameters with its source, or leave the country out.",
                )


def nobody_too_young_is_invited(programme: Programme, on: date) -> Iterator[Hit]:
    """MIN002."""
    known = parameters().consent_age(programme.country, on)
    for page in pages(programme, on):
        for found in matches(page.words, pattern(*_numbers())):
            age = next(int(word) for word in fold(found.written).text.split() if word.isdigit())
            if known is not None and age < known.value:
                yield Hit(
                    page.at(found.line),
                    f"“{found.written}” invites people who cannot consent alone in {name(programme.country, 'en')}: "
                    f"the age is {known.value} ({known.said}).",
                    f"Write {known.value} or more, or ask the holders of parental responsibility.",
                )


def profiling_is_marked(programme: Programme, on: date) -> Iterator[Hit]:
    """MIN004."""
    for purpose in programme.purposes.values():
        chosen = sorted(BY_PROFILE & set(purpose.covers))
        if chosen and not purpose.profiling_ads:
            yield Hit(
                purpose.source.at("covers"),
                f"`{purpose.id}` is {', '.join(chosen)}, and would serve young people advertisements chosen by a profile.",
                "Add `profiling_ads: true`: the gate then keeps it closed for minors, whatever anybody says.",
            )


def _numbers() -> tuple[str, ...]:
    """`\\d+` in a phrase, as every number of one or two digits below adulthood: phrases know words, not digits."""
    ages = "(" + "|".join(str(age) for age in range(1, ADULT)) + ")"
    return tuple(phrase.replace("\\d+", ages) for phrase in INVITES)


def children_have_one_use(programme: Programme, on: date) -> Iterator[Hit]:
    """MIN003."""
    about_children = {
        field.id
        for field in programme.fields.values()
        if any(any(matches(words, pattern(*CHILDREN))) for words in field.plain.values())
    }
    for purpose in programme.purposes.values():
        if purpose.basis in (Basis.CONSENT, Basis.LEGAL_OBLIGATION):
            continue
        for field in sorted(purpose.fields & about_children):
            yield Hit(
                purpose.source.at("fields", field),
                f"`{purpose.id}` reads `{field}`, which is about children, without anybody having agreed to it.",
                "Ask for it apart, as an answer that may be left out; or do not read it.",
            )


_CHILD_FIELD = Change(
    "categories.yaml",
    "      store: {fr: le magasin, en: the shop}\n",
    "      store: {fr: le magasin, en: the shop}\n"
    "      household: {fr: le nombre de vos enfants, en: the number of your children}\n",
)
_ADS = """\
    basis: consent
    controller: petit-magasin
    covers: [targeted-ads]
    delivers: nothing
    categories: [purchases]
    fields: [customer, product, day]
    recipients: [petit-magasin]
    activity: customer-profiling
    keep_months: {{FR: 12}}
    renew_months: 12
    dpv: dpv:TargetedAdvertising{marked}
    plain: {{fr: Choisir les publicités., en: Choose the advertisements.}}
"""


def _ads(marked: str) -> tuple[Change, ...]:
    return use(
        "targeted-ads",
        _ADS.format(marked=marked),
        "# Des publicités d'après vos achats ?\n\nPetit Magasin SAS les choisit avec votre numéro de client,\n"
        "ce que vous achetez et le jour.\n",
        "# Advertisements by what you buy?\n\nPetit Magasin SAS chooses them with your customer number,\n"
        "what you buy and the day.\n",
    )


_CARD = """\
    basis: {basis}
    controller: petit-magasin
    covers: [loyalty]
    delivers: nothing
    categories: [purchases]
    fields: [customer, product, day, household]
    recipients: [petit-magasin]
    activity: loyalty-account
    keep_months: {{FR: 12}}
    renew_months: 12
    dpv: dpv:CustomerRelationshipManagement
    plain: {{fr: Tenir votre carte., en: Keep your card.}}
"""


def _card(basis: str) -> tuple[Change, ...]:
    told_fr = "# Votre carte ?\n\nPetit Magasin SAS tient votre carte avec votre numéro de client, ce que vous achetez, le jour\n"
    told_en = "# Your card?\n\nPetit Magasin SAS keeps your card with your customer number, what you buy, the day\n"
    changes = use(
        "loyalty",
        _CARD.format(basis=basis),
        told_fr + "et le nombre de vos enfants.\n",
        told_en + "and the number of your children.\n",
    )
    told = "  household: {fr: le nombre de vos enfants, en: the number of your children}\n"
    return _CHILD_FIELD, *(
        Change(one.file, one.old, one.new + told) if one.file.endswith("text.yaml") else one for one in changes
    )


RULES = (
    Rule(
        id="MIN001",
        severity=Severity.ERROR,
        family="minors",
        title="The age of consent is known in each country",
        articles=("GDPR article 8",),
        why="The age from which a young person consents alone is 13 in one country and 16 in another, and it changes. Where it is "
        "not known, nobody can tell whose yes counts.",
        check=age_is_known,
        failing=Example(
            (
                Change("purposes.yaml", "keep_months: {FR: 24}", "keep_months: {FR: 24, BR: 12}"),
                Change("texts/supplier-statistics/1/text.yaml", "keep_months: {FR: 24}", "keep_months: {FR: 24, BR: 12}"),
                Change("texts/supplier-statistics/1/fr.md", "24 mois.", "24 mois, au Brésil 12 mois."),
                Change("texts/supplier-statistics/1/en.md", "24 months.", "24 months, in Brazil 12 months."),
                Change("retention.yaml", "    then: erase\n", "    then: erase\n" + "  - {category: purchases, country: BR, "
                       "activity: customer-profiling, keep_months: 12, counted_from: purchase-day, then: erase}\n"),
            ),
            "purposes.yaml",
            "keep_months",
        ),
        passing=Example(
            (
                Change("purposes.yaml", "keep_months: {FR: 24}", "keep_months: {FR: 24, BE: 12}"),
                Change("texts/supplier-statistics/1/text.yaml", "keep_months: {FR: 24}", "keep_months: {FR: 24, BE: 12}"),
                Change("texts/supplier-statistics/1/fr.md", "24 mois.", "24 mois, en Belgique 12 mois."),
                Change("texts/supplier-statistics/1/en.md", "24 months.", "24 months, in Belgium 12 months."),
                Change("retention.yaml", "    then: erase\n", "    then: erase\n" + "  - {category: purchases, country: BE, "
                       "activity: customer-profiling, keep_months: 12, counted_from: purchase-day, then: erase}\n"),
            )
        ),
    ),
    Rule(
        id="MIN002",
        severity=Severity.ERROR,
        family="minors",
        title="Nobody is invited who is too young to agree",
        articles=("GDPR article 8", "Loi Informatique et Libertés, article 45"),
        why="A page that says “from 13 years” where the law says 15 collects choices that count for nothing.",
        check=nobody_too_young_is_invited,
        failing=Example(
            (Change(FR, "Un achat y compte", "Vous pouvez répondre dès 13 ans.\nUn achat y compte"),), FR, "13 ans"
        ),
        passing=Example((Change(FR, "Un achat y compte", "Vous pouvez répondre dès 16 ans.\nUn achat y compte"),)),
    ),
    Rule(
        id="MIN003",
        severity=Severity.ERROR,
        family="minors",
        title="Data about children are asked for apart",
        articles=("GDPR articles 5(1)(c) and 8", "CNIL SAN-2020-009 (CNILTEXT000042564657)"),
        why="A bank passed on the number of children of people who had agreed to give their name. A card does not need it: "
        "who wants to say it is asked apart, and may leave it out.",
        check=children_have_one_use,
        failing=Example(_card("contract"), "purposes.yaml", "household"),
        passing=Example(_card("consent")),
    ),
    Rule(
        id="MIN004",
        severity=Severity.ERROR,
        family="minors",
        title="Advertising by profile is marked as such",
        articles=("Regulation (EU) 2022/2065 (DSA) article 28(2)",),
        why="Nobody who is known to be a minor gets advertisements chosen by what was learnt about him. The gate can only "
        "keep closed what is marked.",
        check=profiling_is_marked,
        failing=Example(_ads(""), "purposes.yaml", "covers: [targeted-ads]"),
        passing=Example(_ads("\n    profiling_ads: true")),
    ),
)
