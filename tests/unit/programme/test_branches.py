"""The ways to break a rule that its own example does not show."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.programme.folders import written

from volens.programme import lint
from volens.programme.rules.minimal import EN, FR, MINIMAL, TEXT_YAML
from volens.programme.rules.rule import EXAMPLE_DAY

Replacement = tuple[str, str, str]
SECOND_SUPPLIER = """\
recipients:
  moulin:
    legal_name: Moulin SA
    legal_form: SA
    role: supplier
    country: FR
    access_countries: [FR]
    pays_for: {fr: des chiffres, en: figures}
"""
AND_MOULIN: tuple[Replacement, ...] = (
    ("recipients.yaml", "recipients:\n", SECOND_SUPPLIER),
    ("purposes.yaml", "recipients: [verger-clair]", "recipients: [verger-clair, moulin]"),
    (TEXT_YAML, "recipients: [verger-clair]", "recipients: [verger-clair, moulin]"),
    (FR, "Verger Clair SAS nous paie", "Moulin SA et Verger Clair SAS nous paient"),
    (EN, "Verger Clair SAS pays us", "Moulin SA and Verger Clair SAS pay us"),
)

IN_BELGIUM: Replacement = (
    "retention.yaml",
    "    then: erase\n",
    "    then: erase\n  - {category: purchases, country: BE, activity: customer-profiling, keep_months: 12, "
    "counted_from: purchase-day, then: erase}\n",
)

PHARMACY = (
    (Path(__file__).parents[3] / "src/volens/programme/samples/le-panier/insights/sales-pack.yaml")
    .read_text(encoding="utf-8")
    .replace("  jus-frais:", "  parapharmacie:")
)

CASES: list[tuple[str, str, str, tuple[Replacement, ...]]] = [
    # what it shows, the rule, the file, and what is replaced in the minimal programme
    ("two uses in one purpose", "CON002", "purposes.yaml",
     (("purposes.yaml", "covers: [supplier-statistics]", "covers: [supplier-statistics, email-marketing]"),)),
    ("a text for two purposes", "CON002", TEXT_YAML,
     ((TEXT_YAML, "paid_by:", "also_for: [supplier-statistics]\npaid_by:"),)),
    ("a brand under a form of another country", "REC001", "recipients.yaml",
     (("recipients.yaml", "legal_form: SAS", "legal_form: GmbH"),)),
    ("a name without its form", "REC001", "recipients.yaml",
     (("recipients.yaml", "legal_form: SAS", "legal_form: SARL"),)),
    ("a controller under a brand", "REC001", "programme.yaml",
     (("programme.yaml", "legal_form: SAS", "legal_form: SA"),)),
    ("a payer that the purpose hides", "PAY001", "purposes.yaml", AND_MOULIN),
    ("a payer that the text hides", "PAY001", TEXT_YAML,
     (*AND_MOULIN, ("purposes.yaml", "paid_by: [verger-clair]", "paid_by: [verger-clair, moulin]"))),
    ("paid, said the other way round", "PAY001", FR,
     ((FR, "Verger Clair SAS nous paie", "Verger Clair SAS ne nous paie pas"),)),
    ("no controller", "TXT001", EN, ((EN, "Petit Magasin SAS looks", "We look"),)),
    ("no period", "TXT001", EN, ((EN, "24 months", "as long as needed"),)),
    ("another period", "TXT001", FR, ((FR, "24 mois", "124 mois"),)),
    ("a right to stop that is denied", "TXT001", EN, ((EN, "You can change", "You cannot change"),)),
    ("a recipient that no page names", "TXT001", TEXT_YAML,
     ((FR, "Verger Clair SAS nous", "Une société nous"), (EN, "Verger Clair SAS pays", "A company pays"))),
    ("a page that is missing", "TXT002", TEXT_YAML, ((EN, MINIMAL[EN], ""),)),
    ("data told in one language alone", "TXT002", FR, ((FR, "et le jour", ""),)),
    ("a recipient told in one language alone", "TXT002", EN, ((EN, "Verger Clair SAS pays", "A company pays"),)),
    ("a recipient that was not told", "TXT003", "purposes.yaml",
     (("purposes.yaml", "recipients: [verger-clair]", "recipients: [verger-clair, petit-magasin]"),)),
    ("data that no page tells", "TXT003", TEXT_YAML,
     ((FR, "et le jour", "et quand"), (EN, "and the day", "and when"))),
    ("no period for the country", "RET001", "purposes.yaml",
     (("purposes.yaml", "keep_months: {FR: 24}", "keep_months: {BE: 24}"),
      (TEXT_YAML, "keep_months: {FR: 24}", "keep_months: {BE: 24}"),
      ("retention.yaml", "country: FR", "country: BE"))),
    ("a category kept too long", "RET001", "retention.yaml", (("retention.yaml", "keep_months: 24", "keep_months: 37"),)),
    ("no period told", "RET002", "purposes.yaml",
     (("purposes.yaml", "keep_months: {FR: 24}", "keep_months: {FR: 24, BE: 12}"), IN_BELGIUM)),
    ("the union is no country", "TRF003", "recipients.yaml",
     (("recipients.yaml", "access_countries: [FR]", "access_countries: [FR, EU]"),)),
    ("a lapsed instrument in the file", "TRF002", "recipients.yaml",
     (("recipients.yaml", "    pays_for:", "    transfer: {instrument: Privacy Shield, countries: [US]}\n    pays_for:"),)),
    ("a claim in a text", "PAY002", FR,
     (("purposes.yaml", "delivers: statistics", "delivers: persons"),
      (FR, "Un achat y compte", "Nous ne vendons pas vos données.\nUn achat y compte"))),
    ("soft words in the line of a purpose", "WRD001", "purposes.yaml",
     (("purposes.yaml", "fr: Compter vos achats", "fr: Valoriser vos achats"),)),
    ("an event of the house in French", "RET004", "retention.yaml",
     (("retention.yaml", "web-order]", "web-order, courriel-ouvert]"),)),
    ("a claim about Europe", "CLM002", "claims.yaml",
     (("recipients.yaml", "access_countries: [FR]", "access_countries: [FR, CH]"),
      ("claims.yaml", "A supplier pays us for figures.", "Data never leave Europe. A supplier pays us for figures."))),
    ("a use named after health", "SPC003", "purposes.yaml",
     (("purposes.yaml", "en: Count your purchases", "en: Count your gluten-free purchases"),)),
    ("a figure about a pharmacy", "SPC003", "insights/sales-pack.yaml",
     (("insights/sales-pack.yaml", "", PHARMACY),)),
    ("hedge words in the name of a field", "WRD003", "categories.yaml",
     (("categories.yaml", "en: the shop", "en: \"mainly, the shop\""),)),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "file", "replacements"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_broken_in_another_way(rule: str, file: str, replacements: tuple[Replacement, ...], tmp_path: Path) -> None:
    contents = dict(MINIMAL)
    for name, old, new in replacements:
        assert old in contents.get(name, "")
        contents[name] = contents[name].replace(old, new, 1) if old else new
    report = lint.check(written(tmp_path, {name: words for name, words in contents.items() if words}), EXAMPLE_DAY)
    assert {(one.rule, one.file) for one in report.findings} == {(rule, file)}, lint.to_text(report)
