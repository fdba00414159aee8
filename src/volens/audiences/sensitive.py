"""What an audience must never be about: goods, combinations and names that let one guess what is most private. Pure.

Rules:
1. Goods whose own words tell of health, pregnancy, sex life, belief, origin, union or politics, or of dependence, are in no
   audience, whatever anybody permitted: a platform may not choose advertisements by them (DSA article 26(3)).
2. Also what somebody does *not* buy can tell: no pork, no sanitary towels any more. Such goods may be asked for, not their lack.
3. Things that tell nothing apart can tell together. A combination is refused wherever both stand in one definition.
4. An audience's own name is judged like goods: a list is what it is called.
5. Words are looked for in French and English, whole, without regard to accents and endings. What is found too much is left out;
   the list errs towards silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from volens.programme.words import folded, pattern

ARTICLE_9 = "GDPR article 9(1); CJEU C-184/20; DSA article 26(3)"


@dataclass(frozen=True)
class Matter:
    """Something private, how it is told to whoever is refused, and the words that give it away."""

    id: str
    told: str
    article: str
    words: tuple[str, ...]

    @property
    def pattern(self) -> re.Pattern[str]:
        """Finds its words."""
        return pattern(*self.words)


MATTERS = (
    Matter("health", "health", ARTICLE_9, (
        "(sante|health|maladie*|illness*|handicap*|disabilit*|diabet*|incontinen*|cancer|depress*|VIH|HIV)",
        "(antidouleur*|antalgique*|pain relief|painkiller*|antiacide*|antacid*|laxati*)",
        "(allergi*|sinus|rhume|grippe|toux|cold and flu|cough)",
        "(premiers soins|first aid|pansement*|plaster*|bandage*|soins pieds|foot care|yeux|eye)",
        "(vitamine*|vitamin*|complement* alimentaire*|supplement*)",
        "(pharmacie|parapharmacie|pharmacy|medicament*|medicine*|medication*|remede*|remedies|remedy)",
        "(sans gluten|gluten free|gluten-free|sans lactose|lactose free|lactose-free)",
        "(dietetique*|regime|regimes|diet|dietary|minceur|slimming|nutrition)",
    )),
    Matter("pregnancy", "pregnancy", ARTICLE_9, (
        "(enceinte*|grossesse*|pregnan*|maternite|maternity|prenatal*|acide folique|folic acid|allaitement|breastfeed*)",
    )),
    Matter("sex-life", "sex life", ARTICLE_9, (
        "(contracepti*|preservatif*|condom*|lubrifiant*|lubricant*|sexuel*|sexual*)",
        "(orientation sexuelle|sexual orientation|vie sexuelle|sex life)",
    )),
    Matter("belief", "belief", ARTICLE_9, (
        "(ramadan|halal|casher|kasher|kosher|cacher|careme|shabbat|bapteme|baptism|communion)",
        "(religi*|confession|croyance*|belief*|priere*|prayer*|bible*|coran|quran|torah)",
    )),
    Matter("origin", "origin", ARTICLE_9, ("(crepu*|textured hair|afro|ethnique*|ethnic)",)),
    Matter("union", "union or political opinion", ARTICLE_9, (
        "(syndicat*|syndical*|trade union*|parti politique|political party)",
    )),
    Matter("dependence", "alcohol or tobacco, and so perhaps of dependence", "GDPR article 9(1)", (
        "(alcool*|alcohol*|biere*|beer*|vin|vins|wine*|spiritueux|spirits|liqueur*|whisky|whiskey|vodka|rhum|rum|gin)",
        "(champagne*|cidre*|cider*|tabac*|tobacco|cigar*|nicotin*|vapot*|vaping|stop smoking|stop-smoking)",
    )),
)  # fmt: skip
LACKS = (
    Matter("belief", "belief", ARTICLE_9, (
        "(porc|porcs|pork|jambon*|ham|bacon|charcuterie*|lardon*|saucisse*|sausage*|cold meats|smoked meats)",
    )),
    Matter("pregnancy", "pregnancy", ARTICLE_9, ("(hygiene feminine|feminine hygiene|serviettes hygieniques|tampon*|sanitary)",)),
)  # fmt: skip
"""What must not be asked for by its absence."""


@dataclass(frozen=True)
class Combination:
    """Two kinds of goods that tell something together."""

    id: str
    told: str
    first: str
    second: str


_BABY = "(bebe|bebes|baby|babies|couches|nappies|diaper*|puericulture|infantile*|infant)"
COMBINATIONS = (
    Combination("pregnancy", "pregnancy", _BABY, "(hygiene feminine|feminine hygiene|tampon*|sanitary)"),
    Combination("pregnancy", "pregnancy", _BABY, "(soins corps|body and face|body care|lotion*|coton|cotton)"),
    Combination("diabetes", "diabetes", "(edulcorant*|sweetener*)", "(sucre|sucres|sugar|confiserie*|sweets)"),
)  # fmt: skip


def about(words: Iterable[str], among: tuple[Matter, ...] = MATTERS) -> Matter | None:
    """The first private matter that some words tell of; none if they tell of none."""
    said = [folded(word) for word in words if word]
    anything = _any_of(among)
    if not any(anything.search(word) for word in said):
        return None  # nearly always, and with one search instead of one for each matter
    return next((matter for matter in among if any(matter.pattern.search(word) for word in said)), None)


@cache
def _any_of(among: tuple[Matter, ...]) -> re.Pattern[str]:
    return pattern(*(phrase for matter in among for phrase in matter.words))


def tells(words: Iterable[str], phrase: str) -> bool:
    """Whether some words hold a phrase of `COMBINATIONS`."""
    wanted = pattern(phrase)
    return any(wanted.search(folded(said)) for said in words if said)
