"""What the shop asks of Volens, over its public HTTP API.

Rules:
1. No answer, a late one or a wrong one is none: the shop goes on without it, and nobody waits longer than `PATIENCE_SECONDS`.
2. The shop never knows what a customer permits. It asks for something to show, and shows what it gets.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import httpx

PATIENCE_SECONDS = 1.0

Json = dict[str, Any]


class Volens:
    """One house, asked with one key; threads may share it."""

    def __init__(self, address: str, key: str) -> None:
        """`key` needs the scopes `ads`, `asking` and `reminders` (volens machine add)."""
        self.address = address.rstrip("/")
        headers = {"authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=self.address, headers=headers, timeout=PATIENCE_SECONDS)

    # The forgotten item, and the basket left behind

    def missing(self, card: str, basket: str, skus: Sequence[str], language: str) -> Json | None:
        """The one thing that is missing from a basket: {reminder, sku, name, others, why}."""
        said = {"card": card, "basket": basket, "skus": list(skus), "language": language}
        return self._ask("/v1/reminders", said).get("reminder")

    def left_behind(self, card: str, basket: str, language: str) -> Json | None:
        """The basket that she left here before: {reminder, sku, name, products, day, why}."""
        return self._ask("/v1/baskets/left", {"card": card, "basket": basket, "language": language}).get("left")

    def became(self, card: str, basket: str, state: str, skus: Sequence[str]) -> None:
        """A basket holds these products now (`open`), was paid (`paid`), or was emptied (`emptied`)."""
        self._ask("/v1/baskets", {"card": card, "basket": basket, "state": state, "skus": list(skus)})

    def heard(self, reminder: str, what: str, language: str) -> None:
        """What she made of a reminder: `added`, `aside`, `never`, `stop`."""
        self._ask("/v1/reminders/heard", {"reminder": reminder, "what": what, "language": language})

    # The question

    def question(self, card: str, visit: str, moment: str, language: str) -> Json | None:
        """The one question that may be put now: {token, html, …}."""
        said = {"card": card, "visit": visit, "moment": moment, "language": language, "surface": "website"}
        return self._ask("/v1/questions", said).get("question")

    def answer(self, question: str, answer: str) -> bool:
        """Tells what she said: `yes`, `no` or `later`. Whether it was recorded."""
        return bool(self._ask("/v1/answers", {"question": question, "answer": answer}))

    # Sponsored products

    def ads(self, slots: int, visit: str, language: str, card: str = "", **where: str) -> list[Json]:
        """Sponsored products for a page (`page`, `category`, `search` or `product`): as many for whoever refused as for anybody."""
        said = {"slots": slots, "visit": visit, "language": language, **({"card": card} if card else {}), **where}
        found: list[Json] = self._ask("/v1/ads", said).get("ads", [])
        return found

    def ad_heard(self, impression: str, what: str, visit: str, language: str) -> None:
        """`hide`: not this one again; `stop`: no ads chosen by her purchases."""
        self._ask("/v1/ads/heard", {"impression": impression, "what": what, "visit": visit, "language": language})

    def pass_on(self, method: str, path: str, query: str, headers: Json, body: bytes) -> httpx.Response:
        """Asks for one of Volens' own pages in the visitor's name: her cookies, not our key."""
        address = f"{self.address}{path}?{query}" if query else f"{self.address}{path}"
        return httpx.request(method, address, headers=headers, content=body, timeout=10.0)

    def close(self) -> None:
        self._http.close()

    def _ask(self, path: str, body: Json) -> Json:
        try:
            answer = self._http.post(path, json=body)
            if answer.status_code == httpx.codes.OK:
                told: Json = answer.json()
                return told
            logging.getLogger("shop").warning("%s: %s", path, answer.status_code)
        except (httpx.HTTPError, ValueError) as error:
            logging.getLogger("shop").warning("%s: %s", path, type(error).__name__)
        return {}
