"""Every page that people see: a new page is one line here, and all checks hold for it.

`who` is one of the people whom `site.furnish` makes, `nobody`, or `staff-<role>`. Places in braces are filled in by `Site.places`.
"""

from __future__ import annotations

from dataclasses import dataclass

HOME = "/autorisations"


@dataclass(frozen=True)
class At:
    """One page, as one person finds it."""

    name: str
    path: str
    who: str = "camille"
    status: int = 200
    fill: tuple[str, str] = ("", "")
    """A field, by its selector, and what is typed into it."""
    press: str = ""
    """What is pressed then; the page is the one that answers."""
    customers: bool = True
    """Whether customers read it: then words, ease and the patterns are checked too."""
    legal: bool = False
    """Whether a programme's own text stands on it, which its own linter holds to its own length."""
    languages: tuple[str, ...] = ("fr", "en")


PAGES = (
    At("first", HOME),
    At("first-fresh", HOME, "fresh"),
    At("first-willing", HOME, "willing"),
    At("first-paused", HOME, "paused"),
    At("choose", f"{HOME}/choisir"),
    At("choose-willing", f"{HOME}/choisir", "willing"),
    At("choose-young", f"{HOME}/choisir", "young"),
    At("for-me", f"{HOME}/pour-moi"),
    At("advertising", f"{HOME}/publicite"),
    At("brands", f"{HOME}/marques"),
    At("phone", f"{HOME}/telephone"),
    At("use-statistics", f"{HOME}/usage/supplier-statistics", legal=True),
    At("use-sharing", f"{HOME}/usage/supplier-sharing", "willing", legal=True),
    At("use-card", f"{HOME}/usage/loyalty", legal=True),
    At("use-site", f"{HOME}/usage/onsite-personalisation", "fresh", legal=True),
    At("went", f"{HOME}/parcours"),
    At("went-fresh", f"{HOME}/parcours", "fresh"),
    At("change", f"{HOME}/changements"),
    At("more", f"{HOME}/plus"),
    At("more-paused", f"{HOME}/plus", "paused"),
    At("front", "/", "nobody"),
    At("doorway", "/n/{doorway}", "nobody"),
    At("doorway-done", "/n/{doorway}", "nobody", press="main form:has([value=phone]) button"),
    At("doorway-wrong", "/n/ABCD-EFGH-JKMN", "nobody", status=404),
    At("unsubscribe", "/desabonnement/{message}", "nobody"),
    At("unsubscribed", "/desabonnement/{message}", "nobody", press="main button"),
    At("unsubscribe-wrong", "/desabonnement/forged", "nobody", status=404),
    At("link", "/lien", "nobody"),
    At("link-wrong", "/lien", "nobody", fill=("#who", "?"), press="main button"),
    At("link-asked", "/lien", "nobody", fill=("#who", "nobody@example.org"), press="main button"),
    At("link-old", "/lien/forged", "nobody", status=404),
    At("true", "/vrai-ou-faux", "nobody"),
    At("true-not", "/vrai-ou-faux", "nobody", fill=("#code", "AAAAAAAAAA"), press="main button"),
    At("others", f"{HOME}/dit-par-d-autres"),
    At("year", f"{HOME}/mon-annee"),
    At("devices", f"{HOME}/appareils"),
    At("devices-fresh", f"{HOME}/appareils", "fresh"),
    At("device-app", f"{HOME}/appareils/application", customers=False),
    At("staff-texts", "/staff/texts", "staff-marketing", customers=False),
    At("staff-text", "/staff/texts/supplier-statistics/1", "staff-marketing", customers=False),
    At("staff-framed", "/staff/texts/supplier-statistics/1/fr", "staff-marketing", customers=False),
    At("staff-figures", "/staff/figures", "staff-dpo", customers=False),
    At("staff-reminders", "/staff/reminders", "staff-dpo", customers=False),
    At("staff-campaigns", "/staff/campaigns", "staff-marketing", customers=False),
    At("staff-campaign", "/staff/campaigns/spring", "staff-marketing", customers=False),
    At("staff-audience", "/staff/audiences/juice-lapsed", "staff-marketing", customers=False),
    At("staff-audiences", "/staff/audiences", "staff-dpo", customers=False),
    At("staff-ads", "/staff/ads", "staff-marketing", customers=False),
    At("use-ads", f"{HOME}/usage/targeted-ads", "willing", legal=True),
    At("staff-messages", "/staff/messages", "staff-dpo", customers=False),
    At("staff-protection", "/staff/protection", "staff-dpo", customers=False),
    At("staff-told", "/staff/dit-et-fait", "staff-dpo", customers=False),
    At("staff-end", "/staff/protection/end/supplier-statistics/1", "staff-dpo", customers=False),
    At("wallet", "/cagnotte"),
    At("wallet-empty", "/cagnotte", "fresh"),
    At("wallet-wrong", "/cagnotte", fill=("#iban", "FR76 3000"), press="main form:has(#iban) button"),
    At("bearer", "/cagnotte/au-porteur", "nobody"),
    At("bearer-wrong", "/cagnotte/au-porteur", "nobody", fill=("#code", "AAAA"), press="main button"),
    At("bearer-open", "/cagnotte/au-porteur", "nobody", fill=("#code", "{bearer}"), press="main button"),
    At("staff-wallet", "/staff/wallet", "staff-dpo", customers=False),
    At("receipts", f"{HOME}/recus"),
    At("receipt-older", f"{HOME}/recus/ancien"),
    At("receipt-text", f"{HOME}/recus/texte/supplier-statistics/1/fr", "nobody", languages=("fr",)),
    At("my-choices", f"{HOME}/mes-choix"),
    At("sign-in", "/entrer", "nobody"),
    At("staff-sign-in", "/staff/entrer", "nobody", customers=False),
    At("join", "/adhesion", "nobody"),
    At("staff-paper", "/staff/papier", "staff-support", customers=False),
    At("staff-customer", "/staff/client", "staff-support", customers=False),
    At("referral-sponsor", "/offres/amis/parrainage", "willing"),
    At("referral-sponsor-new", "/offres/amis/parrainage", "reader"),
    At("referral-name-wrong", "/offres/amis/parrainage", "willing", fill=("#shown", "1"), press="main form:has(#shown) button"),
    At("invitation", "/parrainage/{invitation}", "nobody"),
    At("invitation-choice", "/parrainage/{invitation}", "fresh"),
    At("invitation-not-hers", "/parrainage/{invitation}", "willing"),
    At("invitation-gone", "/parrainage/forged", "nobody", status=404),
    At("invited", "/mon-invitation", "invited"),
    At("invited-held", "/mon-invitation", "held"),
    At("staff-referrals", "/staff/referrals", "staff-dpo", customers=False),
    At("offers", "/offres"),
    At("offer", "/offres/dix-euros", legal=True),
    At("offer-new", "/offres/dix-euros", "fresh", legal=True),
    At("offer-asked", "/offres/dix-euros", "reader", legal=True),
    At("offer-stopped", "/offres/trois-questions", legal=True),
    At("offer-terms", "/offres/dix-euros/conditions/1", "nobody", legal=True),
    At("licence", "/offres/cent-euros-parrainage/licence", "fresh", legal=True),
    At("licence-asked", "/offres/cent-euros-parrainage/licence?majeur=oui", "fresh", legal=True),
    At("licence-given", "/offres/cent-euros-parrainage/licence", legal=True),
    At("licence-young", "/offres/cent-euros-parrainage/licence", "young", legal=True),
    At("my-things", "/mes-images"),
    At("my-things-none", "/mes-images", "fresh"),
    At("my-things-late", "/mes-images", "willing"),
    At("thing", "/mes-images/chose/{thing}", "paused"),
    At("staff-licences", "/staff/licences", "staff-dpo", customers=False),
    At("programmes", "/programmes", "nobody"),
    At("staff-offers", "/staff/offers", "staff-marketing", customers=False),
    At("staff-offer", "/staff/offers/trois-questions/1", "staff-dpo", customers=False),
    At("staff-offers-value", "/staff/offers/value", "staff-dpo", customers=False),
    At("missing", f"{HOME}/nulle-part", status=404),
)
NAMED = {one.name: one for one in PAGES}


def pages(*names: str) -> tuple[At, ...]:
    """Some of them by name, or all."""
    return tuple(NAMED[name] for name in names) or PAGES
