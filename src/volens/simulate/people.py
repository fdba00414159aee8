"""Cards, the invented people who hold them, and what they said.

1. Nobody can be mistaken for a real person: names, streets, towns and addresses are those of the demo's rules. Phone numbers
   end with the ten thousand that France keeps for fiction; cards beyond have none.
2. One card in twenty has no person. Every card joined the programme; each refuses or permits statistics by the share asked for.
3. A choice carries its proof: which text, when, where, and the number of the form or of the session.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volens import invented as people
from volens.simulate.draws import Integers, mix
from volens.simulate.shop import Shop

PEOPLE_PER_PIECE = 200_000
CARD_PATTERN = r"28\d{11}"
JOIN_TEXT, STATISTICS_TEXT = f"{people.JOIN_PURPOSE}/1", f"{people.STATISTICS_PURPOSE}/1"
FICTIONAL_PHONES = 10_000
CHOICES = pa.schema(
    [
        (name, pa.string())
        for name in ("card", "purpose", "recipient", "kind", "text", "language", "time", "surface", "actor", "proof")
    ]
)


def cards(customers: Integers) -> pa.Array:
    """13 digits each: `28`, ten that tell the number, and the check digit of EAN-13."""
    # Neighbouring cards do not have neighbouring numbers; 7,368,787 and 10¹⁰ have no common divisor.
    body = 280_000_000_000 + (customers * 7_368_787 + 1_234_567) % 10**10
    digits = (body[:, None] // 10 ** np.arange(11, -1, -1)) % 10
    check = -(digits * np.tile([1, 3], 6)).sum(axis=1) % 10
    return pa.array(body * 10 + check).cast(pa.string())


def customer_pieces(shop: Shop) -> Iterator[tuple[pa.Table, pa.Table]]:
    """(the customer master's lines, the choices), piece by piece in the order of the cards' numbers."""
    for start in range(0, shop.customers, PEOPLE_PER_PIECE):
        numbers = np.arange(start, min(start + PEOPLE_PER_PIECE, shop.customers))
        card = cards(numbers)
        yield _master(shop, numbers, card), _choices(shop, numbers, card)


def _master(shop: Shop, numbers: Integers, card: pa.Array) -> pa.Table:
    known = ~_one_in(numbers, shop, "person", people.WITHOUT_PERSON_ONE_IN)
    numbers, card = numbers[known], card.filter(pa.array(known))
    belgian = _one_in(numbers, shop, "country", 25)
    given = _drawn(numbers, shop, "given name", people.GIVEN_NAMES)
    family = _drawn(numbers, shop, "family name", people.FAMILY_NAMES)
    plain = {name: people.email(0, name, name).split(".")[0] for name in (*people.GIVEN_NAMES, *people.FAMILY_NAMES)}
    towns = (*people.TOWNS_FR, *people.TOWNS_BE)
    town = np.where(
        belgian,
        len(people.TOWNS_FR) + _draw(numbers, shop, "town", len(people.TOWNS_BE)),
        _draw(numbers, shop, "town", len(people.TOWNS_FR)),
    )
    house = pa.array(1 + _draw(numbers, shop, "number", 120)).cast(pa.string())
    days = (people.BORN_UNTIL - people.BORN_FROM).days + 1
    born = np.datetime64(people.BORN_FROM) + _draw(numbers, shop, "birth date", days)
    number = pa.array(numbers).cast(pa.string())
    phones = pc.binary_join_element_wise("06 39 98", _digits(numbers // 100), _digits(numbers % 100), " ")
    return pa.table(
        {
            "Carte": card,
            "Prénom": given,
            "Nom": family,
            "Courriel": pc.binary_join_element_wise(
                _renamed(given, plain), _renamed(family, plain), pc.binary_join_element_wise(number, "example.org", "@"), "."
            ),
            "Téléphone": pc.if_else(pa.array((numbers < FICTIONAL_PHONES) & ~belgian), phones, None),
            "Adresse": pc.binary_join_element_wise(house, _drawn(numbers, shop, "street", people.STREETS), " "),
            "Code postal": pa.array([code for code, _ in towns]).take(pa.array(town)),
            "Ville": pa.array([name for _, name in towns]).take(pa.array(town)),
            "Pays": pc.if_else(pa.array(belgian), "BE", "FR"),
            "Date de naissance": pc.strftime(pa.array(born).cast(pa.date32()), format="%d/%m/%Y"),
            "Langue": pc.if_else(pa.array(_one_in(numbers, shop, "language", 12)), "en", "fr"),
        }
    )


def _choices(shop: Shop, numbers: Integers, card: pa.Array) -> pa.Table:
    """Two choices a card, in the order in which they were made: joined; then what was said about statistics."""
    at_till = _one_in(numbers, shop, "surface", 2)
    # The second time is of the hours after joining; both lie in the ten months before the first day.
    joined = _moment(shop.first_day) - (3_600 * 24 + _draw(numbers, shop, "joined", 3_600 * 24 * 300))
    asked = joined + _draw(numbers, shop, "asked", 3_600 * 20)
    surface = pc.if_else(pa.array(at_till), "form at the till", "website")
    proof = pc.binary_join_element_wise(
        pc.if_else(pa.array(at_till), "form", "session"), pa.array(numbers + 1).cast(pa.string()), " "
    )
    refuses = pa.array(shop.refuses(numbers))

    def said(purpose: str, kind: pa.Array | str, text: str, time: Integers) -> pa.Table:
        return pa.table(
            [
                card,
                pa.repeat(purpose, len(numbers)),
                pa.repeat("*", len(numbers)),
                kind if isinstance(kind, pa.Array) else pa.repeat(kind, len(numbers)),
                pa.repeat(text, len(numbers)),
                pc.if_else(pa.array(_one_in(numbers, shop, "language", 12)), "en", "fr"),
                pc.strftime(pa.array(time).cast(pa.timestamp("s")), format="%Y-%m-%dT%H:%M:%SZ"),
                surface,
                pa.repeat("the person", len(numbers)),
                proof,
            ],
            schema=CHOICES,
        )

    both = pa.concat_tables(
        [
            said(people.JOIN_PURPOSE, "joined", JOIN_TEXT, joined),
            said(people.STATISTICS_PURPOSE, pc.if_else(refuses, "refused", "given"), STATISTICS_TEXT, asked),
        ]
    )
    order = np.arange(2 * len(numbers)).reshape(2, -1).T.ravel()
    return both.take(pa.array(order))


def _moment(day: date) -> int:
    """Midnight UTC in seconds since 1970."""
    return (day - date(1970, 1, 1)) // timedelta(seconds=1)


def _draw(numbers: Integers, shop: Shop, what: str, below: int) -> Integers:
    """A number from 0 to `below` − 1 of each card that is always the same."""
    salt = int.from_bytes(what.encode()[-8:], "big") ^ (shop.seed * 0x9E3779B97F4A7C15)
    return ((mix(numbers, salt) >> np.uint64(32)) * np.uint64(below) >> np.uint64(32)).astype(np.int64)


def _one_in(numbers: Integers, shop: Shop, what: str, count: int) -> np.ndarray:
    return np.asarray(_draw(numbers, shop, what, count) == 0)


def _drawn(numbers: Integers, shop: Shop, what: str, among: Sequence[str]) -> pa.Array:
    return pa.array(list(among)).take(pa.array(_draw(numbers, shop, what, len(among))))


def _renamed(names: pa.Array, to: dict[str, str]) -> pa.Array:
    found = pc.dictionary_encode(names)
    return pa.array([to[name] for name in found.dictionary.to_pylist()]).take(found.indices)


def _digits(numbers: Integers) -> pa.Array:
    return pc.utf8_lpad(pa.array(numbers % 100).cast(pa.string()), 2, "0")
