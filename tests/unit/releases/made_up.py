"""Invented answers to look at and to test with: no customer stands behind any of these numbers."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from volens.evidence.checkpoint import Checkpoint, sign, verifier_key
from volens.evidence.merkle import canonical_json, leaf_hash, root_of
from volens.insights.estimates import Figures, estimate
from volens.insights.measures import ONE, MeasurePlan, grid
from volens.insights.noisy import Noisy
from volens.insights.pack import CATEGORY, REST, WHOLE, Pack, periods
from volens.insights.plan import Plan
from volens.releases.package import Contents, Facts, LogFacts, YearCharge, proof_of
from volens.releases.pagemodel import Labels

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
NAME = "le-panier.example/log"
CAPS = {"buyers": 1, "trips": 4, "units": 9_000, "spend": 2_000}
PER_BUYER = {"buyers": 1.0, "trips": 2.1, "units": 3_400.0, "spend": 790.0}


def pack(brands: int = 1, by: str = "quarter", count: int = 3, currency: str = "EUR") -> Pack:
    names = ("verger-clair", "soleil-presse", "petit-verger")[:brands] + tuple(f"brand-{number}" for number in range(3, brands))
    return Pack("sales-pack/1", "juterie-1194", "juices", names, periods(by, date(2026, 1, 1), count), currency)


def labels(asked: Pack) -> Labels:
    known = {"verger-clair": "Verger Clair", "soleil-presse": "Soleil Pressé", "petit-verger": "Petit Verger"}
    names = {brand: known.get(brand, brand.replace("-", " ").capitalize()) for brand in asked.brands}
    return Labels("Le Panier", "Juterie 1194 SAS", {"fr": "jus de fruits frais", "en": "fresh fruit juices"}, names)


def figures(asked: Pack, buyers: float = 260.0) -> Figures:
    """Figures about `buyers` people a brand and period, with the intervals of a real plan."""
    measures = []
    vectors: dict[str, tuple[int, ...]] = {}
    for name, cap in CAPS.items():
        rows, columns = grid(asked, name)
        radius = int(math.sqrt(len(rows) * len(columns)) * ONE) if name == "buyers" else int(1.2 * ONE)
        caps = tuple(cap * (3 if row == CATEGORY else 1) for row in rows)
        lossy = name in ("units", "spend")
        measures.append(
            MeasurePlan(
                name, rows, columns, caps, tuple(2 * cap for cap in caps), radius, 6_500_000,
                ONE if lossy else 0, 500_000 if lossy else 0,
            )
        )  # fmt: skip
        vectors[name] = tuple(
            int(buyers * _size(row, place) * _whole(column) * PER_BUYER[name] * ONE / caps[number])
            for number, row in enumerate(rows)
            for place, column in enumerate(columns)
        )
    plan = Plan(asked, "supplier-statistics", 28_000_000, "1e-6", tuple(measures))
    loss = {name: ONE // 2 if name in ("units", "spend") else None for name in CAPS}
    return estimate(Noisy(plan.hash, vectors, loss), plan)


def _size(row: str, place: int) -> float:
    wave = 1 + 0.18 * math.sin(place * 1.7 + len(row))
    return {REST: 2.6, CATEGORY: 3.2}.get(row, 1.0 - 0.02 * len(row)) * wave


def _whole(column: str) -> float:
    return 1.9 if column == WHOLE else 1.0


def facts(release: str = "juterie-1194-3f2a9c01") -> Facts:
    return Facts(
        house="le-panier",
        release=release,
        programme_version="9b1c" * 16,
        unit="one customer's purchases of one calendar year",
        rho_nano=28_000_000,
        epsilon=Decimal("1.00"),
        delta="1e-6",
        years={2026: YearCharge(56_000_000, 351_000_000, Decimal("1.45"))},
        mechanism={"noise": "discrete Gaussian", "library": "OpenDP", "plan": {"fixed_bits": 24}},
        drawn_day=date(2026, 10, 6),
        approved_by_roles=("analyst", "data protection officer"),
        log=LogFacts(
            verifier_key(NAME, KEY),
            "https://evidence.example",
            ("witness.example+c9d8ac35+BAAA",),
            sign(Checkpoint("volens/le-panier/public", 3, bytes(32)), NAME, KEY),
        ),
    )


def proof(made: Contents, before: int = 3, key: Ed25519PrivateKey = KEY) -> dict[str, object]:
    """The proof of a public log with `before` other entries in which these contents were entered last."""
    detail = {
        "release": made.certificate["release"],
        "certificate": made.digest,
        "plan_hash": made.certificate["plan_hash"],
    }
    entry = {"tree": "public", "seq": before, "kind": "published", "customer": None, "purpose": None}
    entry |= {"recipient": None, "text": None, "day": "2026-10-06", "detail": detail, "commitment": None}
    leaves = [leaf_hash(f"other {number}".encode()) for number in range(before)]
    leaves.append(leaf_hash(canonical_json(entry)))
    note = sign(Checkpoint("volens/le-panier/public", len(leaves), root_of(leaves)), NAME, key)
    return proof_of(entry, leaves, note, verifier_key(NAME, key))
