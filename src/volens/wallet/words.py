"""What people are written about their money. Everything else they read stands on pages (`web/words/wallet.*.yaml`)."""

from __future__ import annotations

from dataclasses import dataclass

from volens.delivery.message import Draft
from volens.wallet.out_store import Payout

KIND = "payout"
LANGUAGES = ("fr", "en")


@dataclass(frozen=True)
class Letter:
    """A message: its subject and its text."""

    subject: str
    text: str


FAILED = {
    "fr": Letter(
        "Votre virement n’a pas abouti",
        "Bonjour,\n\n"
        "Le virement de {amount} vers votre compte ••••{last4} n’a pas abouti : la banque nous l’a rendu.\n\n"
        "Rien n’est perdu. Cette somme est de nouveau disponible dans votre cagnotte. Vous pouvez demander un autre virement, "
        "vers le même compte ou vers un autre :\n{address}/cagnotte\n",
    ),
    "en": Letter(
        "Your transfer did not go through",
        "Hello,\n\n"
        "The transfer of {amount} to your account ••••{last4} did not go through: the bank gave it back to us.\n\n"
        "Nothing is lost. The money is available again in your wallet. You can ask for another transfer, "
        "to the same account or to another one:\n{address}/cagnotte?langue=en\n",
    ),
}


def failed(one: Payout, amount: str, address: str) -> Draft:
    """The message about a transfer that a bank gave back."""
    language = one.language if one.language in LANGUAGES else LANGUAGES[0]
    letter = FAILED[language]
    text = letter.text.format(amount=amount, last4=one.last4, address=address)
    return Draft(one.customer, KIND, language, letter.subject, text)


def money(cents: int, currency: str, language: str) -> str:
    """An amount as people write it."""
    whole, rest = divmod(cents, 100)
    if language == "en":
        return f"{'€' if currency == 'EUR' else currency + ' '}{whole:,}.{rest:02}"
    return f"{whole:,}".replace(",", "\u202f") + f",{rest:02}\u00a0{'€' if currency == 'EUR' else currency}"
