"""Which column is what in the demo's files; written beside them as `<source>.mapping.yaml`."""

from __future__ import annotations

from types import MappingProxyType

from volens.demo.source import ZONE
from volens.ingest.mapping import Mapping

CARD_PATTERN = r"29\d{11}"

OLD_TILL_HEADER = ("Magasin", "Ticket", "Carte", "Date", "Heure", "Article", "Quantité", "Montant", "Remise")

CUSTOMERS = Mapping(
    source="clients",
    format="csv",
    contents="customers",
    columns=MappingProxyType(
        {
            "card": "Carte",
            "given_name": "Prénom",
            "family_name": "Nom",
            "email": "Courriel",
            "phone": "Téléphone",
            "street": "Adresse",
            "postcode": "Code postal",
            "city": "Ville",
            "country": "Pays",
            "birth_date": "Date de naissance",
            "language": "Langue",
        }
    ),
    delimiter=";",
    decimal=",",
    time_format="%d/%m/%Y",
    card_pattern=CARD_PATTERN,
)

OLD_TILL = Mapping(
    source="caisse-1",
    format="csv",
    columns=MappingProxyType(
        dict(
            zip(
                ("store", "receipt", "card", "date", "clock", "sku", "quantity", "amount", "discount"),
                OLD_TILL_HEADER,
                strict=True,
            )
        )
    ),
    delimiter=";",
    decimal=",",
    time_format="%d/%m/%Y %H:%M:%S",
    zone=ZONE,
    card_pattern=CARD_PATTERN,
)

NEW_TILL = Mapping(
    source="caisse-2",
    format="parquet",
    columns=MappingProxyType(
        {
            "store": "magasin",
            "receipt": "ticket",
            "card": "carte",
            "time": "horodatage",
            "sku": "article",
            "quantity": "quantite",
            "amount": "montant_centimes",
            "discount": "remise_centimes",
        }
    ),
    zone=ZONE,
    amounts_in="minor",
    card_pattern=CARD_PATTERN,
)

ORDERS = Mapping(source="commandes-web", format="schema-org-order", channel="web", store="web", zone=ZONE)
