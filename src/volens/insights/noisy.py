"""A pack's one noisy vector: the only thing that leaves the exact stage, and all that figures are made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from volens.errors import Tampered

FORMAT = "volens-noisy/1"


@dataclass(frozen=True)
class Noisy:
    """Noisy cells of each measure, in 2⁻²⁴ caps, in the order of the plan's cells; whole numbers, never clamped."""

    plan_hash: str
    vectors: Mapping[str, tuple[int, ...]]
    loss: Mapping[str, int | None]
    """What clipping took away, with noise; None where it is not measured."""

    def __post_init__(self) -> None:
        if self.vectors.keys() != self.loss.keys():
            raise ValueError("every measure has a vector and an entry for its loss")
        numbers = [*(n for vector in self.vectors.values() for n in vector), *self.loss.values()]
        if any(n is not None and type(n) is not int for n in numbers):
            raise ValueError("noisy values are whole numbers")

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces. The same vector gives the same text."""
        return json.dumps(
            {
                "format": FORMAT,
                "plan": self.plan_hash,
                "vectors": {name: list(vector) for name, vector in self.vectors.items()},
                "loss": dict(self.loss),
            },
            sort_keys=True,
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> Noisy:
        """The vector that `to_json` wrote; `Tampered` if the text is anything else."""
        try:
            value = json.loads(text)
            vectors = {name: tuple(vector) for name, vector in value["vectors"].items()}
            noisy = cls(value["plan"], vectors, dict(value["loss"]))
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise Tampered(f"A stored answer cannot be read: {problem}.", "Restore the records.") from None
        if noisy.to_json() != text:
            raise Tampered("A stored answer is not in the form in which answers are stored.", "Restore the records.")
        return noisy
