"""Words that must be found, and words that look alike and must not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.programme.folders import written

from volens.programme import lint
from volens.programme.rules.minimal import EN, FR, Change, files
from volens.programme.rules.rule import EXAMPLE_DAY, Example
from volens.programme.words import fold, folded

FOUND = [
    ("WRD001", "fr", "Nous monétisons vos achats."),
    ("WRD001", "fr", "La MONETISATION de vos achats nous aide."),
    ("WRD001", "fr", "Pour **valoriser**\nvos achats."),
    ("WRD001", "fr", "Pour améliorer sans cesse l’expérience de nos clients."),
    ("WRD001", "fr", "Afin d'améliorer votre expérience."),
    ("WRD001", "fr", "Nous partageons vos achats contre rémunération."),
    ("WRD001", "en", "This lets us monetise purchases."),
    ("WRD001", "en", "We use it to improve your shopping experience."),
    ("WRD001", "en", "We leverage your purchases."),
    ("WRD001", "en", "It unlocks their full value."),
    ("WRD002", "fr", "Vendez-nous vos données !"),
    ("WRD002", "fr", "Vous acceptez de céder vos données."),
    ("WRD002", "en", "Agree to sell your data."),
    ("WRD002", "en", "You pay nothing and sell your personal data."),
    ("WRD003", "fr", "Nous regardons notamment le rayon."),
    ("WRD003", "fr", "Elles sont susceptibles de changer."),
    ("WRD003", "fr", "Ces chiffres peuvent être transmis."),
    ("WRD003", "fr", "Nous pourrions les garder."),
    ("WRD003", "en", "These figures may be shared."),
    ("WRD003", "en", "We mainly count juice."),
    ("WRD003", "en", "Juice, including but not limited to orange."),
    ("RGT001", "fr", "Vous RENONCEZ à votre droit."),
    ("RGT001", "fr", "Ceci vaut à vie."),
    ("RGT001", "fr", "Votre accord est irrévocable."),
    ("RGT001", "en", "You irrevocably agree."),
    ("RGT001", "en", "No fee is due, and you waive the right to object."),
    ("RGT001", "en", "In any media, in perpetuity."),
    ("RGT001", "en", "This holds without further notice."),
    ("TRF002", "en", "The Safe Harbor applies."),
    ("TRF003", "fr", "Vos données vont dans des pays tiers."),
    ("TRF003", "en", "Data is stored outside the EU."),
    ("RGT001", "en", "We show it in any media worldwide."),
    ("CON001", "en", "Joining the programme constitutes consent."),
    ("CON001", "en", "By continuing, you agree."),
    ("CON001", "fr", "En continuant votre visite, vous acceptez."),
    ("CON001", "fr", "L'inscription au programme vaut accord."),
    ("CON002", "fr", "Nous vous enverrons un SMS."),
    ("CON002", "en", "We will send you our offers by e-mail."),
    ("CON002", "en", "Somebody calls you."),
    ("CON006", "fr", "Vous devez accepter pour garder votre carte."),
    ("CON006", "fr", "Votre carte de fidélité nécessite votre consentement."),
    ("CON006", "fr", "Si vous refusez, vous perdez vos points."),
    ("CON006", "en", "You need to agree first."),
    ("CON006", "en", "Your discount depends on your consent."),
    ("CON006", "en", "If you say no, we close the account."),
    ("CON008", "fr", "Dernière chance !"),
    ("CON008", "fr", "93 % de nos clients ont dit oui."),
    ("CON008", "en", "You will miss out on savings."),
    ("CON008", "en", "No thanks, I prefer to pay more."),
    ("MIN002", "en", "Open to people aged 13 and over."),
    ("MIN002", "fr", "Réservé aux 14 ans et plus."),
    ("WRD004", "en", "Tick the box if you do not want this."),
    ("WRD004", "fr", "Je ne souhaite pas que mes achats y comptent."),
    ("WRD005", "fr", "Cela repose sur notre intérêt légitime."),
    ("WRD005", "en", "See article 6 of the law."),
    ("WRD005", "en", "Your number is hashed."),
    ("CLM003", "fr", "Vos achats sont parfaitement protégés."),
    ("CLM003", "en", "There is no risk at all." ),
    ("CLM004", "fr", "Ce programme est validé par la CNIL."),
    ("CLM004", "en", "We are GDPR-certified."),
]

NOT_SOLD = [
    ("fr", "Aucune donnée ne quitte Le Panier."),
    ("fr", "Nous ne partageons rien."),
    ("en", "No data leaves our shop."),
    ("en", "We share nothing."),
    ("en", "Your data is never shared with third parties."),
    ("fr", "Nous ne vendons jamais vos données."),
    ("fr", "Nous ne vendons ni ne louons vos données personnelles."),
    ("fr", "Vos données ne sont pas vendues."),
    ("fr", "Nous ne faisons pas commerce de vos données."),
    ("fr", "Aucune donnée client n'est vendue."),
    ("en", "We don’t sell your personal data."),
    ("en", "We do not and will not sell customer data."),
    ("en", "Your data is never sold."),
    ("en", "No personal data is sold."),
]

NOT_FOUND = [
    ("fr", "Vos données ne sont pas à céder : vous gardez vos droits."),
    ("fr", "Nous ne vous demandons jamais de vendre vos données."),
    ("fr", "Vous ne renoncez à rien."),
    ("fr", "La vie privée est protégée."),
    ("fr", "Vous pouvez être servi comme avant."),
    ("fr", "Nous vendons des statistiques à Verger Clair SAS."),
    ("fr", "L'évaluation est revalorisée."),
    ("fr", "Vous appelez notre accueil quand vous voulez."),
    ("fr", "Votre adresse e-mail reste ici."),
    ("fr", "Vos données vont hors de l'Union européenne, en Suisse."),
    ("en", "You may stop on any day."),
    ("en", "It begins on 5 May 2026."),
    ("en", "You never waive a right."),
    ("en", "The price paid for juice is counted."),
    ("en", "Dismay and maybes are words too."),
    ("en", "Data goes outside the EU, to Switzerland."),
    ("en", "Joining the programme never means that you consent."),
    ("en", "Nobody can sell your data."),
    ("fr", "Si vous dites non, vous ne perdez rien."),
    ("fr", "Votre carte ne dépend d'aucun accord."),
    ("fr", "Vous pouvez répondre dès 15 ans."),
    ("fr", "Après 36 mois, tout est effacé."),
    ("fr", "La CNIL reçoit vos plaintes."),
    ("en", "Your card does not depend on your consent."),
    ("en", "If you refuse, you lose nothing."),
    ("en", "You need not say why."),
    ("en", "We erase it after 12 years."),
    ("en", "The list is not completely safe from mistakes."),
    ("en", "Tick yes or no."),
    ("en", "Articles in your basket are counted."),
]


def with_sentence(lang: str, sentence: str) -> dict[str, str]:
    file, before = (FR, "Un achat y compte") if lang == "fr" else (EN, "A purchase counts")
    return files(Example((Change(file, before, f"{sentence}\n{before}"),)))


def with_claim(lang: str, claim: str) -> dict[str, str]:
    said = {
        "fr": "Un fournisseur nous paie pour des chiffres. Vous décidez.",
        "en": "A supplier pays us for figures. You decide.",
    }
    return files(Example((Change("claims.yaml", said[lang], claim),)))


@pytest.mark.parametrize(("rule", "lang", "sentence"), FOUND)
def test_found(rule: str, lang: str, sentence: str, tmp_path: Path) -> None:
    report = lint.check(written(tmp_path, with_sentence(lang, sentence)), EXAMPLE_DAY)
    assert rule in {finding.rule for finding in report.findings}
    assert all(finding.file == (FR if lang == "fr" else EN) for finding in report.findings)


@pytest.mark.parametrize(("lang", "sentence"), NOT_FOUND)
def test_not_found(lang: str, sentence: str, tmp_path: Path) -> None:
    report = lint.check(written(tmp_path, with_sentence(lang, sentence)), EXAMPLE_DAY)
    assert report.findings == (), lint.to_text(report)


@pytest.mark.parametrize(("lang", "claim"), NOT_SOLD)
def test_a_claim_that_nothing_is_sold_is_found(lang: str, claim: str, tmp_path: Path) -> None:
    report = lint.check(written(tmp_path, with_claim(lang, claim)), EXAMPLE_DAY)
    assert {finding.rule for finding in report.findings} == {"PAY002"}, lint.to_text(report)


@pytest.mark.parametrize("claim", ["Suppliers pay us for figures.", "We sell statistics, not lists."])
def test_a_true_claim_is_not_found(claim: str, tmp_path: Path) -> None:
    report = lint.check(written(tmp_path, with_claim("en", claim)), EXAMPLE_DAY)
    assert report.findings == (), lint.to_text(report)


def test_selling_statistics_does_not_excuse_the_claim_once_persons_are_handed_over(tmp_path: Path) -> None:
    claim = with_claim("en", "We do not sell your data. A supplier pays us for statistics.")
    assert lint.check(written(tmp_path / "statistics", claim), EXAMPLE_DAY).findings == ()
    claim["purposes.yaml"] = claim["purposes.yaml"].replace("delivers: statistics", "delivers: persons")
    report = lint.check(written(tmp_path / "persons", claim), EXAMPLE_DAY)
    assert [finding.rule for finding in report.findings] == ["PAY002"]


@given(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("éèÇœﬁ’`´_*\u00ad\u200b \t\nÀŒİ")), max_size=60))
def test_folding_without_places_is_folding(text: str) -> None:
    assert folded(text) == fold(text).text
