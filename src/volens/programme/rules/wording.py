"""Rules about words: nothing soft where money changes hands, nothing vague, nothing that sells a person or her rights."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from volens.programme.findings import Severity
from volens.programme.model import Programme
from volens.programme.rules.minimal import EN, FR
from volens.programme.rules.reading import hits, pages
from volens.programme.rules.rule import Change, Example, Hit, Rule
from volens.programme.words import fold, matches, pattern

SOFT = (
    "monetis*",
    "monetiz*",
    "valoris*",
    "valoriz*",
    "amelior* … (l'|votre |son |mon )?experience*",
    "(enrichir|optimiser|personnaliser) … (l'|votre |son |mon )?experience*",
    "partag* … contre (une )?remuneration",
    "partenaires de confiance",
    "(improv*|enhanc*|enrich*|optimis*|optimiz*|personalis*|personaliz*) … experience*",
    "shar* … (in exchange for|in return for|against) (payment|remuneration|a reward)",
    "trusted partners",
    "leverag* … (data|purchases|insights)",
    "unlock* … value",
    "tirer (parti|profit) de vos (donnees|achats)",
)

GIVES_AWAY = (
    "(vendez|vendre|vends|cedez|ceder|cede)(-nous)? … (vos|tes|mes|ses) (propres )?(donnees|achats|informations)",
    "cession de (vos|mes) (donnees|achats|informations)",
    "(achetons|acheter|rachetons) vos (donnees|informations)",
    "(sell|cede|assign|sign over) (us )?(your|my|their) (own |personal )?(data|information|purchases|profile)",
    "buy your (personal )?(data|information)",
)

WE = frozenset(["we", "they", "nous", "ils", "elles", "on", "suppliers", "companies"])
"""Before `sell`, these make a statement about the house, not a request to the person."""

HEDGES = (
    "notamment",
    "principalement",
    "essentiellement",
    "eventuellement",
    "le cas echeant",
    "susceptible*",
    "entre autres",
    "y compris mais",
    "un ou plusieurs",
    "une ou plusieurs",
    "(peut|peuvent|pourra|pourront|pourrait|pourraient) (etre|etes|faire|servir|comprendre|inclure)",
    "nous (pouvons|pourrons|pourrions)",
    "(peut|peuvent|pourra|pourront|pourrait|pourraient) (egalement|aussi)",
    "de temps en temps",
    "may",
    "might",
    "mainly",
    "primarily",
    "mostly",
    "possibly",
    "including but not limited to",
    "including without limitation",
    "among (others|other things)",
    "from time to time",
    "one or more of",
    "where applicable",
    "as appropriate",
)

WAIVES = (
    "renonc*",
    "irrevocab*",
    "a vie",
    "a perpetuite",
    "perpetuel*",
    "pour toujours",
    "sans (autre|nouvel|nouvelle) (avis|preavis|notification|accord|paiement|contrepartie)",
    "connus ou (inconnus|a venir)",
    "waive*",
    "waiving",
    "irrevocabl*",
    "in perpetuity",
    "perpetual*",
    "for life",
    "forever",
    "without (further|any further) (review|notice|notification|payment|consideration|consent)",
    "now known or hereafter",
    "any media … (world|worldwide)",
    "tous (supports|medias) … monde",
)


def plain_about_money(programme: Programme, on: date) -> Iterator[Hit]:
    """WRD001."""
    message = "{} hides what is done."
    remedy = "Say what happens: who does what with which data, and who pays."
    yield from hits(programme, on, SOFT, message, remedy, unless_negated=True)


def nobody_sells_herself(programme: Programme, on: date) -> Iterator[Hit]:
    """WRD002."""
    for page in pages(programme, on):
        for found in matches(page.words, pattern(*GIVES_AWAY), unless_negated=True):
            before = fold(page.words).text[: found.start].split()
            if before and before[-1] in WE:
                continue
            yield Hit(
                page.at(found.line),
                f"“{found.written}” asks people to part with what cannot be sold.",
                "Ask for a permission to use, for one purpose, that can be taken back at any time.",
            )


def nothing_vague(programme: Programme, on: date) -> Iterator[Hit]:
    """WRD003."""
    for page in pages(programme, on):
        folded = fold(page.words).text
        for found in matches(page.words, pattern(*HEDGES)):
            if found.written.lower() == "may" and not _is_a_hedge(page.words, folded, found.written, found.start):
                continue
            yield Hit(
                page.at(found.line),
                f"“{found.written}” leaves open what is done.",
                "Say what is done, all of it; leave out what is not done.",
            )


def _is_a_hedge(words: str, folded: str, written: str, start: int) -> bool:
    """“You may stop” gives a permission, and “May” is a month; “we may share” is a hedge."""
    before = folded[:start].split()
    after = folded[start + len(written) :].split()
    is_month = written == "May" and ((before and before[-1].isdigit()) or (after and after[0][:4].isdigit()))
    return not is_month and not (before and before[-1] == "you")


def rights_stay(programme: Programme, on: date) -> Iterator[Hit]:
    """RGT001."""
    message = "{} takes a right away or binds without end."
    remedy = "Take it out: the rights to withdraw, see, correct, erase and object cannot be given up, not even for money."
    yield from hits(programme, on, WAIVES, message, remedy, unless_negated=True)


def _on_french_page(sentence: str) -> tuple[Change, ...]:
    return (Change(FR, "Un achat y compte", f"{sentence}\nUn achat y compte"),)


def _on_english_page(sentence: str) -> tuple[Change, ...]:
    return (Change(EN, "A purchase counts", f"{sentence}\nA purchase counts"),)


RULES = (
    Rule(
        id="WRD001",
        severity=Severity.ERROR,
        family="plain words",
        title="No soft words for a business",
        articles=("GDPR articles 5(1)(a) and 12(1)",),
        why="“Monétiser”, “valoriser”, “improve your experience”: words that sound kind and say nothing. A person who reads "
        "them cannot know that her purchases are counted for somebody who pays.",
        check=plain_about_money,
        failing=Example(_on_french_page("Cela nous permet de valoriser\nvos achats."), FR, "valoriser"),
        passing=Example(_on_french_page("Cela nous rapporte de l'argent.")),
    ),
    Rule(
        id="WRD002",
        severity=Severity.ERROR,
        family="plain words",
        title="Nobody is asked to sell her data",
        articles=("GDPR article 7(3)", "Directive (EU) 2019/770 recital 24"),
        why="Personal data is not a commodity: what a person can give is a permission for a purpose, and she can take it "
        "back. A text that asks her to sell or cede her data promises something that the law does not know.",
        check=nobody_sells_herself,
        failing=Example(_on_english_page("Sell us your data and be rewarded."), EN, "Sell us"),
        passing=Example(_on_english_page("We never ask you to sell your data.")),
    ),
    Rule(
        id="WRD003",
        severity=Severity.ERROR,
        family="plain words",
        title="No hedge words",
        articles=("GDPR articles 12(1) and 13", "CNIL SAN-2020-008 (CNILTEXT000042563756)"),
        why="“Mainly”, “may”, “notamment”: a notice with such words was found too vague to inform anybody. What is done is "
        "said in full; what is not done is not mentioned.",
        check=nothing_vague,
        failing=Example(_on_english_page("We may share these figures with others."), EN, "may share"),
        passing=Example(_on_english_page("You may stop in May 2027 or on any other day.")),
    ),
    Rule(
        id="RGT001",
        severity=Severity.ERROR,
        family="plain words",
        title="Rights are not given up",
        articles=("GDPR articles 7(3) and 12 to 22", "Directive 93/13/EEC"),
        why="No clause, offer or reward can make a person give up the right to withdraw, to see, to erase or to object, and "
        "no permission is for ever.",
        check=rights_stay,
        failing=Example(_on_french_page("Vous ne payez rien et renoncez à vous opposer."), FR, "renoncez"),
        passing=Example(_on_french_page("Vous ne renoncez à aucun droit.")),
    ),
)
