"""The smallest programme without a finding; examples are changes to it."""

from __future__ import annotations

from collections.abc import Mapping

from volens.programme.rules.rule import Change, Example

PROGRAMME = """\
name: Petit Magasin
house: petit-magasin
country: FR
languages: [fr, en]
controllers:
  petit-magasin:
    legal_name: Petit Magasin SAS
    legal_form: SAS
    country: FR
    address: 1 place du Marché, 69001 Lyon
    contact: donnees@petit-magasin.example
"""

PURPOSES = """\
purposes:
  supplier-statistics:
    basis: consent
    controller: petit-magasin
    covers: [supplier-statistics]
    default: not permitted
    delivers: statistics
    categories: [purchases]
    fields: [customer, product, day]
    recipients: [verger-clair]
    paid_by: [verger-clair]
    activity: customer-profiling
    keep_months: {FR: 24}
    renew_months: 24
    dpv: dpv:SellInsightsFromData
    plain:
      fr: Compter vos achats dans des chiffres que nous vendons.
      en: Count your purchases in figures that we sell.
"""

RECIPIENTS = """\
recipients:
  verger-clair:
    legal_name: Verger Clair SAS
    legal_form: SAS
    role: supplier
    country: FR
    access_countries: [FR]
    pays_for:
      fr: des chiffres sur les achats de jus
      en: figures about juice purchases
"""

CATEGORIES = """\
categories:
  purchases:
    store: purchases
    plain: {fr: Vos achats, en: Your purchases}
    fields:
      customer: {fr: votre numéro de client, en: your customer number}
      product: {fr: ce que vous achetez, en: what you buy}
      day: {fr: le jour, en: the day}
      store: {fr: le magasin, en: the shop}
"""

RETENTION = """\
activity_events: [card-used-at-till, web-order]
retention:
  - category: purchases
    country: FR
    activity: customer-profiling
    keep_months: 24
    counted_from: purchase-day
    then: erase
"""

CLAIMS = """\
claims:
  - where: https://petit-magasin.example
    since: 2026-01-01
    says:
      fr: Un fournisseur nous paie pour des chiffres. Vous décidez.
      en: A supplier pays us for figures. You decide.
"""

TEXT = """\
valid_from: 2026-01-01
controller: petit-magasin
recipients: [verger-clair]
paid_by: [verger-clair]
keep_months: {FR: 24}
question:
  fr: Verger Clair SAS nous paie pour des chiffres. Voulez-vous y compter ?
  en: Verger Clair SAS pays us for figures. Shall you count in them?
fields:
  customer: {fr: votre numéro de client, en: your customer number}
  product: {fr: ce que vous achetez, en: what you buy}
  day: {fr: le jour, en: the day}
"""

PAGE_FR = """\
# Vos achats, comptés dans nos chiffres ?

Petit Magasin SAS regarde ce que vous achetez et le jour, sous votre numéro de client.
Verger Clair SAS nous paie pour les chiffres que nous en tirons.
Un achat y compte pendant 24 mois.
Vous pouvez changer d'avis à tout moment.
"""

PAGE_EN = """\
# Your purchases, counted in our figures?

Petit Magasin SAS looks at what you buy and the day, under your customer number.
Verger Clair SAS pays us for the figures that we draw from it.
A purchase counts for 24 months.
You can change your mind at any time.
"""

FOLDER = "texts/supplier-statistics/1"
FR, EN, TEXT_YAML = f"{FOLDER}/fr.md", f"{FOLDER}/en.md", f"{FOLDER}/text.yaml"

MINIMAL: Mapping[str, str] = {
    "programme.yaml": PROGRAMME,
    "purposes.yaml": PURPOSES,
    "recipients.yaml": RECIPIENTS,
    "categories.yaml": CATEGORIES,
    "retention.yaml": RETENTION,
    "claims.yaml": CLAIMS,
    TEXT_YAML: TEXT,
    FR: PAGE_FR,
    EN: PAGE_EN,
}


def files(example: Example) -> dict[str, str]:
    """The files of an example; a change that does not fit the minimal programme is a `ValueError`."""
    changed = dict(MINIMAL)
    for change in example.changes:
        if not change.old:
            changed[change.file] = change.new
            continue
        before = changed[change.file]
        if before.count(change.old) != 1:
            raise ValueError(f"{change.old!r} stands {before.count(change.old)} times in {change.file}, not once")
        changed[change.file] = before.replace(change.old, change.new)
        if not changed[change.file]:
            del changed[change.file]
    return changed


def expected_line(example: Example) -> int:
    """The line at which a failing example's finding must point."""
    lines = files(example).get(example.file, "").splitlines()
    holding = [number for number, line in enumerate(lines, 1) if example.words in line]
    if example.words and len(holding) != 1:
        raise ValueError(f"{example.words!r} is on {len(holding)} lines of {example.file}, not on one")
    return holding[0] if example.words else 1


def on_both_pages(french: tuple[str, str], english: tuple[str, str]) -> tuple[Change, Change]:
    """The same change in both languages, as (old, new)."""
    return Change(FR, *french), Change(EN, *english)


def use(id: str, purpose: str, french: str, english: str) -> tuple[Change, ...]:
    """A second purpose with its text: `purpose` is its YAML below the id, the pages say what is done."""
    closing_fr = "Nous le faisons pendant 12 mois.\nVous pouvez changer d'avis à tout moment.\n"
    closing_en = "We do so for 12 months.\nYou can change your mind at any time.\n"
    text = TEXT.replace("paid_by: [verger-clair]\n", "").replace("24", "12")
    folder = f"texts/{id}/1"
    return (
        Change("purposes.yaml", "purposes:\n", f"purposes:\n  {id}:\n{purpose}"),
        Change(f"{folder}/text.yaml", "", text.replace("[verger-clair]", "[petit-magasin]")),
        Change(f"{folder}/fr.md", "", f"{french}{closing_fr}"),
        Change(f"{folder}/en.md", "", f"{english}{closing_en}"),
    )
