"""Each rule refuses what it is for, says where and why, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.offers import ON, PRESS, changed, lawful

from volens.errors import Refused
from volens.offers.check import RULES, check, findings
from volens.offers.reading import offer_of, read

BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("OFF001", {"waived": ["access"]}),
    ("OFF002", {"changes": "at-any-time"}),
    ("OFF002", {"reward__depends": "discretion"}),
    ("OFF003", {"law": "other"}),
    ("OFF003", {"languages": ["en"]}),
    ("OFF004", {"shown": "after"}),
    ("OFF005", {"promised_cents": 11000}),
    ("OFF005", {"promised_cents": 0, "reward__amount": {"money_cents": 0, "voucher_cents": 0}, "reward__voucher_days": ...,
                "name": {"fr": "Une offre", "en": "An offer"}}),
    *(("OFF005", {"name": {"fr": name, "en": "An offer"}}) for name in (
        "1000 euros pour deux amis", "1 000 € pour deux amis", "€5,000 for everybody, guaranteed", "€100.50", "100€1000",
        "Mille euros",
        "5k€", "$100", "EUR 99", "20 euros, puis 10 euros",
    )),
    ("OFF006", {"ends": "never"}),
    ("OFF006", {"starts": "2026-11-01", "ends": "2026-11-30", "licence__starts": "2026-11-01"}),
    ("OFF007", {"min_age": 14, "licence": ...}),
    ("OFF007", {"min_age": 15, "licence": ..., "countries": ["FR", "LU"]}),
    ("OFF008", {"act__uses": ["account", "contacts"]}),
    ("OFF009", {"reward__depends": "licence"}),
    ("OFF010", {"reward__suspended": "lost"}),
    ("OFF010", {"reward__voucher_days": 1}),
    ("OFF010", {"reward__voucher_days": 89}),
    ("OFF011", {"act__entry_cents": 500}),
    ("OFF011", {"act__purchase_required": True}),
    ("OFF012", {"act__depth": 2}),
    ("OFF012", {"reward__depends": "recruits"}),
    ("OFF013", {"act__cap_a_year": ...}),
    ("OFF014", {"act__friend": "address-book"}),
    ("OFF014", {"act__friend": "one-message"}),
    ("OFF014", {"act__friend": ...}),
    ("OFF015", {"act__disclosed": False}),
    ("OFF016", {"licence__consent": "by-taking-part"}),
    ("OFF016", {"licence__consent": "pre-ticked"}),
    ("OFF017", {"licence__purposes": ["any"]}),
    ("OFF017", {"licence__purposes": ["own-site", "own-advertising"], "licence__choice": "together"}),
    ("OFF018", {"licence__ends": "never"}),
    ("OFF018", {"licence__ends": "2028-12-02"}),
    ("OFF019", {"licence__media": ["own-website", "any"]}),
    ("OFF020", {"licence__territories": ["FR", "world"]}),
    ("OFF021", {"licence__preview": False}),
    ("OFF021", {"licence__notice_days": 6}),
    ("OFF022", {"licence__reward": {"money_cents": 0, "voucher_cents": 0},
                "licence__instead__amount": {"money_cents": 0, "voucher_cents": 0}}),
    ("OFF023", {"licence__items": ["photo", "anything"]}),
    ("OFF023", {"licence__one_by_one": False}),
    ("OFF024", {"licence__sublicence": True}),
    *(("OFF024", {"licence__recipients": [{"name": name, "country": "FR"}]}) for name in (
        "nos partenaires", "Partners", "tiers", "Third parties", "Annonceurs", "advertisers", "Groupe Le Panier", "affiliates",
        "les filiales de Le Panier Distribution SA", "Prestataires", "our suppliers", "Toutes les sociétés du groupe",
    )),
    ("OFF025", {"licence__sold": True}),
    ("OFF026", {"licence__items": ["photo", "health"]}),
    ("OFF026", {"min_age": 17}),
    ("OFF026", {"licence__shows": "others"}),
    ("OFF027", {"licence__withdrawal__reward": "lost"}),
    ("OFF027", {"licence__withdrawal__fee_cents": 1}),
    ("OFF028", {"licence__withdrawal__how": "letter"}),
    ("OFF028", {"licence__withdrawal__how": "never"}),
    ("OFF028", {"licence__withdrawal__effect_days": 8}),
    ("OFF028", {"licence__withdrawal__taken_down": False}),
    ("OFF029", {"licence__ceiling": ...}),
    ("OFF029", {"licence__ceiling__cents": 5001}),
    ("OFF029", {"licence__ceiling__cents": 999}),
    *(("OFF029", {"licence__ceiling__reason": {"fr": reason, "en": "People with little money must be able to say no."}})
      for reason in ("x", "Assez.", "non non non non", "Dites oui maintenant, plus que 3 places",
      "Say yes now, only 3 places left")),
    ("OFF030", {"licence__instead": ...}),
    ("OFF030", {"licence__instead__amount__money_cents": 999}),
    ("OFF030", {"licence__instead__amount": {"money_cents": 0, "voucher_cents": 1000}}),
    ("OFF031", {"name": {"fr": "Votre photo, à perpétuité", "en": "100 euros"}}),
    ("OFF031", {"licence__ceiling__reason": {"fr": "Chacun peut dire non.", "en": "You waive all claims and rights."}}),
    ("OFF031", {"licence__recipients": [{"name": "We may sell your data", "country": "FR"}]}),
]  # fmt: skip
PASSING: list[dict[str, Any]] = [
    {"licence": ...}, {"licence__ends": "2028-12-01"}, {"ends": "2026-12-01"}, {"countries": ["LU"], "licence": ...},
    {"min_age": 15, "licence": ...}, {"licence__ceiling__cents": 5000}, {"licence__ceiling__cents": 1000},
    {"reward__voucher_days": 90}, {"licence__purposes": ["own-site", "own-shops"]}, {"licence__withdrawal__effect_days": 7},
    {"act": {"kind": "order", "times": 1, "uses": ["orders"], "purchase_required": True}},
    *({"licence__recipients": [{"name": name, "country": "BE"}]} for name in (
        "Une Régie SA", "Partners Group AG", "Groupe Exemple S.A.", "Société Générale", "The Example Network Ltd",
    )),
    *({"name": {"fr": name, "en": "An offer"}} for name in (
        "100€ pour deux amis", "20 € et 80 € en bons", "En 2026, 100,00 euros", "100 euros 2 amis", "EUR 100",
        "Deux amis de l'Europe",
    )), {"licence__starts": "2027-02-28"},
]  # fmt: skip


@pytest.mark.parametrize(("rule", "wrong"), BROKEN, ids=str)
def test_a_rule_refuses_what_it_is_for(rule: str, wrong: dict[str, Any]) -> None:
    verdict = check(offer_of(changed(**wrong)), ON)
    assert {one.rule for one in verdict.refusals} == {rule}
    with pytest.raises(Refused, match=rule):
        verdict.require()


@pytest.mark.parametrize("lawful_too", PASSING, ids=str)
def test_what_lies_at_the_limit_passes(lawful_too: dict[str, Any]) -> None:
    assert check(offer_of(changed(**lawful_too)), ON).refusals == ()


def test_every_rule_is_broken_here_and_says_what_to_do() -> None:
    assert {rule for rule, _ in BROKEN} == set(RULES)
    assert list(RULES) == [f"OFF{number:03}" for number in range(1, len(RULES) + 1)]
    for rule in RULES.values():
        assert rule.article
        assert rule.remedy
        assert "null" not in rule.remedy.split(), "a licence without an end is revocable, not null"


def test_the_offer_of_the_press_is_refused_for_what_the_press_reported() -> None:
    reading = read(PRESS)
    verdict = check(offer_of(reading), ON)
    assert {one.rule for one in verdict.refusals} >= {
        "OFF002", "OFF004", "OFF016", "OFF017", "OFF018", "OFF019", "OFF020", "OFF021", "OFF022", "OFF024",
    }  # fmt: skip
    lines = PRESS.read_text("utf-8").splitlines()
    assert reading.document is not None
    for found in findings(reading.document, verdict.refusals):
        assert lines[found.line - 1].strip(), found
        assert found.article, found


def test_refusing_the_licence_takes_nothing_from_the_act() -> None:
    """There is no key by which it could: without its licence the offer promises and pays the same."""
    with_licence, without = lawful(), offer_of(changed(licence=...))
    assert without.reward == with_licence.reward
    assert without.promised_cents == with_licence.promised_cents
    assert check(without, ON).ok
