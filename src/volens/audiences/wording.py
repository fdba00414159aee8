"""A definition in words, for whoever builds it, approves it or is in it. Pure."""

from __future__ import annotations

from collections.abc import Callable

from volens.audiences.building import CAPPED, SUPPRESSED, LeftOut
from volens.audiences.definition import (
    AMOUNT,
    KINDS,
    QUANTITY,
    All,
    Any_,
    Bought,
    Cap,
    Due,
    Goods,
    Lapsed,
    Node,
    Not,
    Recency,
    Share,
)
from volens.audiences.goods import Shelf

WORDS = {
    "en": {
        "everything": "anything",
        "visits": "on {count} days", "quantity": "{count} pieces or kilograms", "amount": "for {count} {currency}",
        "once": "bought {goods} in the last {days} days",
        "bought": "bought {goods} in the last {days} days, {much} at least",
        "not": "not: {part}",
        "not-bought": "bought no {goods} in the last {days} days",
        "lapsed": "bought {goods} in the last {days} days, but not in the last {silent}",
        "recency": "last bought {goods} {least} to {most} days ago",
        "share": "{goods} make up {least} to {most} % of {whole} in the last {days} days, by {by}",
        "by-visits": "days", "by-quantity": "quantity", "by-amount": "money",
        "due": "expected to buy {goods} within {days} days",
        "all": " and ", "any": " or ",
        "unfit": "Do not fit: {part}", "suppressed": "Are in no audience (suppressed)",
        "capped": "Are on {lists} other lists within {days} days already",
    },
    "fr": {
        "everything": "quoi que ce soit",
        "visits": "{count} jours", "quantity": "{count} pièces ou kilos", "amount": "{count} {currency}",
        "once": "a acheté {goods} dans les {days} derniers jours",
        "bought": "a acheté {goods} dans les {days} derniers jours, au moins {much}",
        "not": "sauf : {part}",
        "not-bought": "n'a pas acheté {goods} dans les {days} derniers jours",
        "lapsed": "a acheté {goods} dans les {days} derniers jours, mais pas dans les {silent} derniers",
        "recency": "a acheté {goods} pour la dernière fois il y a {least} à {most} jours",
        "share": "{goods} font {least} à {most} % de {whole} dans les {days} derniers jours, en {by}",
        "by-visits": "jours", "by-quantity": "quantité", "by-amount": "montant",
        "due": "devrait acheter {goods} d'ici {days} jours",
        "all": " et ", "any": " ou ",
        "unfit": "Ne correspondent pas : {part}", "suppressed": "Ne sont dans aucune audience (liste d'exclusion)",
        "capped": "Sont déjà sur {lists} autres listes en {days} jours",
    },
}  # fmt: skip
"""By language; the parts of a definition, and why people are left out of it."""


def told(node: Node, language: str, named: Callable[[Goods], str], currency: str = "") -> str:
    """A part of a definition as a sentence without its subject. `named` says what some goods are called."""
    words = WORDS.get(language, WORDS["en"])

    def part(inner: Node) -> str:
        said = told(inner, language, named, currency)
        return f"({said})" if isinstance(inner, All | Any_) else said

    if isinstance(node, All | Any_):
        return words["all" if isinstance(node, All) else "any"].join(part(one) for one in node.parts)
    if isinstance(node, Not):
        inner = node.part
        if isinstance(inner, Bought) and (inner.by, inner.at_least) == ("visits", 1):
            return words["not-bought"].format(goods=named(inner.of), days=inner.days)
        return words["not"].format(part=part(inner))
    if isinstance(node, Bought):
        if (node.by, node.at_least) == ("visits", 1):
            return words["once"].format(goods=named(node.of), days=node.days)
        count = f"{node.at_least / 100:,.2f}" if node.by == AMOUNT else f"{node.at_least:,}"
        much = words[node.by if node.by in (QUANTITY, AMOUNT) else "visits"].format(count=count, currency=currency)
        return words["bought"].format(goods=named(node.of), days=node.days, much=much)
    if isinstance(node, Lapsed):
        return words["lapsed"].format(goods=named(node.of), days=node.days, silent=node.silent)
    if isinstance(node, Recency):
        return words["recency"].format(goods=named(node.of), least=node.at_least, most=node.at_most)
    if isinstance(node, Share):
        return words["share"].format(
            goods=named(node.of), whole=named(node.within), days=node.days, least=node.at_least, most=node.at_most,
            by=words[f"by-{node.by}"],
        )  # fmt: skip
    assert isinstance(node, Due)
    return words["due"].format(goods=named(node.of), days=node.within_days)


def why(left: LeftOut, language: str, named: Callable[[Goods], str], cap: Cap, currency: str = "") -> str:
    """Why some people are left out."""
    words = WORDS.get(language, WORDS["en"])
    if left.why in (SUPPRESSED, CAPPED):
        return words[left.why].format(lists=cap.lists, days=cap.days)
    assert left.part is not None
    return words["unfit"].format(part=told(left.part, language, named, currency))


def names(shelf: Shelf, language: str) -> Callable[[Goods], str]:
    """What goods are called in a language: a category by its name, else as it is written."""
    column = shelf.columns["category_fr" if language == "fr" else "category_en"]
    known = {slug: name for slug, name in zip(shelf.columns["category"], column, strict=True) if slug and name}
    brands = {slug: name for slug, name in zip(shelf.columns["brand"], shelf.columns["brand_name"], strict=True) if slug and name}
    everything = WORDS.get(language, WORDS["en"])["everything"]

    def named(goods: Goods) -> str:
        if goods.everything:
            return everything
        by_kind = {"categories": known, "brands": brands}
        return ", ".join(by_kind.get(kind, {}).get(name, name) for kind in KINDS for name in getattr(goods, kind))

    return named
