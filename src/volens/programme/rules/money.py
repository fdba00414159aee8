"""Rules about money: who is paid is said, and nothing that is said is made false by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from volens.programme.findings import Place, Severity
from volens.programme.model import Delivery, Programme, Purpose, Text
from volens.programme.rules.minimal import FR, TEXT_YAML, on_both_pages
from volens.programme.rules.reading import pages, texts_in_use
from volens.programme.rules.rule import Change, Example, Hit, Rule
from volens.programme.words import fold, matches, pattern

PAYS = (
    "nous (paie|paient|paye|payent|verse|versent|remunere|remunerent|achete|achetent)",
    "nous (sommes|serons) (paye*|remunere*)",
    "(est|sont) (payee|paye|payees|payes|remuneree|remunere) par",
    "nous recevons … (argent|paiement|remuneration)",
    "(pay|pays) us",
    "we are paid",
    "(is|are) paid by",
    "we receive … (money|payment)",
    "(buy|buys) (it|them|this|these) from us",
)
"""Ways to say that the house is paid. “The price paid” is not one of them, nor is “what we sell”: a shop sells many things."""

NOT_SOLD = (
    "ne (vendons|vendrons|vend|vendra|cedons|cederons|cede|commercialisons|monetisons|louons|revendons)"
    " (pas|jamais|aucune|aucun|ni) … (donnees|informations|achats)",
    "(donnees|informations|achats) … ne (sont|seront) (pas|jamais) … (vendu*|cede*|commercialise*|monetise*|a vendre)",
    "(aucune donnee|aucune information) … (vendue|cedee|commercialisee|revendue)",
    "commerce de vos donnees",
    "(do|does|will|would) not … (sell|monetise|monetize|trade|rent) … (data|information|purchases)",
    "(don't|doesn't|won't|never) … (sell|monetise|monetize|trade|rent) … (data|information|purchases)",
    "(data|information) … (is|are|will be) (not|never) (sold|for sale|monetised|monetized|traded)",
    "no (personal |customer )?(data|information) … (sold|traded)",
    "(aucune donnee|aucune information) ne (quitte|quittent|sort|sortent|quittera|sortira)",
    "nous ne partageons (rien|aucune|pas|jamais)",
    "(no data|no information) (leaves|ever leaves|will leave)",
    "we (share nothing|never share|do not share|don't share)",
    "(data|information) … (is|are) never shared",
    "never shared with (third parties|anyone|anybody|others)",
)
"""Ways to say that nothing is sold."""

STATISTICS_TOO = ("statisti*", "chiffres", "figures")


def payment_told(programme: Programme, on: date) -> Iterator[Hit]:
    """PAY001."""
    for purpose in programme.purposes.values():
        if purpose.delivers is Delivery.NOTHING:
            continue
        for id in purpose.recipients:
            if programme.recipients[id].pays and id not in purpose.paid_by:
                yield Hit(
                    purpose.source.at("recipients", id),
                    f"`{id}` pays and receives something through `{purpose.id}`, which does not say so.",
                    f"Add `{id}` to `paid_by`, and say it in the text.",
                )
    for purpose, text in texts_in_use(programme, on):
        if purpose.paid:
            yield from _payment_in(programme, purpose, text)


def _payment_in(programme: Programme, purpose: Purpose, text: Text) -> Iterator[Hit]:
    for id in purpose.paid_by:
        if id not in text.paid_by:
            yield Hit(
                text.source.at("paid_by"),
                f"`{id}` pays for `{purpose.id}`, but the text does not say so.",
                f"Add `{id}` to `paid_by` and name it on each page as one who pays.",
            )
    controller = programme.controllers[text.controller].legal_name
    own = (f"(paie|paient|paye|payent|pay|pays) {re.sub(r'[()|]', ' ', controller)}",)
    wanted = pattern(*PAYS, *own)
    for lang, body in text.bodies.items():
        if not any(matches(body, wanted, unless_negated=True)):
            yield Hit(
                Place(text.file(lang), 1),
                f"The page asks for `{purpose.id}` without saying that {controller} is paid for it.",
                f"Say plainly who pays, such as “{_payers(programme, purpose)} {_PAYS_US.get(lang, 'pays us')}.”",
            )
        for id in purpose.paid_by:
            named = programme.recipients[id].legal_name
            if id not in text.recipients and fold(named).text not in " ".join(fold(body).text.split()):
                yield Hit(
                    Place(text.file(lang), 1),
                    f"The page does not name {named}, which pays for `{purpose.id}`.",
                    "Name it by its full legal name where you say who pays.",
                )


_PAYS_US = {"fr": "nous paie pour cela", "en": "pays us for this"}


def _payers(programme: Programme, purpose: Purpose) -> str:
    return programme.recipients[purpose.paid_by[0]].legal_name


def claims_hold(programme: Programme, on: date) -> Iterator[Hit]:
    """PAY002."""
    sold = [purpose for purpose in programme.purposes.values() if purpose.paid and purpose.delivers != "nothing"]
    if not sold:
        return
    persons = any(purpose.delivers is Delivery.PERSONS for purpose in sold)
    names = ", ".join(f"`{purpose.id}`" for purpose in sold)
    paying = list(dict.fromkeys(programme.recipients[id].legal_name for one in sold for id in one.paid_by))
    payers = f"{paying[0]} pays" if len(paying) == 1 else f"{', '.join(paying[:-1])} and {paying[-1]} pay"
    for page in pages(programme, on):
        for found in matches(page.words, pattern(*NOT_SOLD)):
            told = any(matches(page.words, pattern(*PAYS), unless_negated=True))
            if not persons and told and any(matches(page.words, pattern(*STATISTICS_TOO))):
                continue  # "we do not sell your data; suppliers pay us for statistics" is true if only statistics leave
            yield Hit(
                page.at(found.line),
                f"“{found.written}” is not true while {payers} through {names}.",
                "Take the sentence out, or say what is sold, to whom, and that the person decides.",
            )


RULES = (
    Rule(
        id="PAY001",
        severity=Severity.ERROR,
        family="notices",
        title="A text for a paid purpose says who pays",
        articles=("GDPR articles 5(1)(a) and 13", "GDPR article 4(11): informed"),
        why="Whoever is asked to help a shop earn money is told so: that it is paid, by whom and for what. A person who "
        "learns it afterwards was not informed when she said yes.",
        check=payment_told,
        failing=Example(
            on_both_pages(
                ("Verger Clair SAS nous paie pour", "Verger Clair SAS attend"),
                (
                    "Verger Clair SAS pays us for the figures",
                    "Verger Clair SAS waits for them: we are paid for the figures",
                ),
            ),
            FR,
        ),
        passing=Example((Change(TEXT_YAML, "valid_from: 2026-01-01", "valid_from: 2026-02-01"),)),
    ),
    Rule(
        id="PAY002",
        severity=Severity.ERROR,
        family="public claims",
        title="No claim that a payment makes false",
        articles=("GDPR article 5(1)(a)", "Directive 2005/29/EC article 6"),
        why="“We do not sell your data” is said easily and read as a promise. If anybody pays for what is drawn from "
        "purchases, the sentence misleads. What is true may be said: that statistics are sold, to whom, and that "
        "everybody decides.",
        check=claims_hold,
        failing=Example(
            (Change("claims.yaml", "A supplier pays us for figures. You decide.", "We will never sell your data."),),
            "claims.yaml",
            "never sell",
        ),
        passing=Example(
            (
                Change(
                    "claims.yaml",
                    "A supplier pays us for figures. You decide.",
                    "We do not sell your data. A supplier pays us for statistics.",
                ),
            )
        ),
    ),
)
