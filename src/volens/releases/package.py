"""The package: one file with the figures, the pages, the method, the certificate, and the proof that it was published.

1. Two steps, since the certificate's hash is entered in the public log before there is a proof: `contents`, then
   `seal`. What `contents` made is kept until then, byte for byte.
2. Equal input gives equal bytes: names are sorted and nothing bears the time of the day it was made.
3. A package that would not verify is not sealed.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from volens.errors import Tampered
from volens.evidence.container import CERTIFICATE, MANIFEST, PROOF
from volens.evidence.merkle import canonical_json, inclusion_proof
from volens.evidence.verify import CERTIFICATE_FORMAT, PACKAGE_FORMAT, verify_bytes
from volens.insights.estimates import Figures
from volens.releases.page import method_text, render, row_name
from volens.releases.pagemodel import Labels, PageModel, page_model, unit_name
from volens.releases.wording import LANGUAGES, Wording

NANO = Decimal(1_000_000_000)
COLUMNS = ("measure", "row", "row_name", "column", "start", "end", "value", "low", "high", "unit")
DIGITS = 6
"""Decimals in the files. Counts of people need none; shares and money do."""
# The oldest date that a zip file can bear: the same for every file of every package.
NO_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class YearCharge:
    """One calendar year of purchases, over all suppliers, after this release. ρ in 10⁻⁹; ε spent, at δ."""

    spent_nano: int
    cap_nano: int
    epsilon_spent: Decimal

    def __post_init__(self) -> None:
        if not 0 <= self.spent_nano <= self.cap_nano:
            raise ValueError("a year has spent between nothing and its cap")


@dataclass(frozen=True)
class LogFacts:
    """Where this package can be checked: the house's key, the fixed address, its witnesses' keys, and the newest signed state
    of the public log when the package was made (empty before the first). The page prints them, so that paper is evidence too."""

    key: str
    address: str = ""
    witnesses: tuple[str, ...] = ()
    checkpoint: str = ""


@dataclass(frozen=True)
class Facts:
    """What a certificate says beside the figures. Everything in it is public.

    rho_nano: this release's price, in 10⁻⁹ of ρ.
    epsilon, delta: the same price as ε at δ.
    years: every calendar year whose purchases the pack read.
    mechanism: names and parameters, as JSON values without floats.
    approved_by_roles: the two people's roles, never their names.
    """

    house: str
    release: str
    programme_version: str
    unit: str
    rho_nano: int
    epsilon: Decimal
    delta: str
    years: Mapping[int, YearCharge]
    mechanism: Mapping[str, Any]
    drawn_day: date
    approved_by_roles: tuple[str, ...]
    log: LogFacts

    def __post_init__(self) -> None:
        if self.rho_nano <= 0 or not self.years:
            raise ValueError("a release has a price, and years that pay it")


@dataclass(frozen=True)
class Contents:
    """The package without its proof: what is committed to by entering `digest` in the public log."""

    files: Mapping[str, bytes]
    certificate: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """SHA-256 of certificate.json, in hex: the `certificate` of the log's `published` entry."""
        return sha256(self.files[CERTIFICATE]).hexdigest()


def contents(facts: Facts, figures: Figures, labels: Labels) -> Contents:
    """Everything of a package but the proof."""
    model = page_model(facts.release, labels, figures)
    certificate = certificate_of(facts, figures, labels)
    files: dict[str, bytes] = {"figures.csv": to_csv(model), "figures.parquet": to_parquet(model)}
    for language in LANGUAGES:
        files[f"report.{language}.html"] = render(model, certificate, language).encode("utf-8")
        parts = (method_text(part, language) for part in ("plain", "exact"))
        files[f"method.{language}.md"] = "\n".join(parts).encode("utf-8")
    certificate["files"] = _hashes(files)
    files[CERTIFICATE] = canonical_json(certificate)
    files[MANIFEST] = canonical_json({"format": PACKAGE_FORMAT, "files": _hashes(files)})
    return Contents(files, certificate)


def seal(made: Contents, proof: Mapping[str, Any]) -> bytes:
    """The package's bytes. Raises `Tampered` if the proof does not prove these contents."""
    files = {**made.files, PROOF: canonical_json(dict(proof))}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, NO_TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3  # the same on every machine
            member.external_attr = 0o644 << 16
            archive.writestr(member, files[name], compresslevel=9)
    package = buffer.getvalue()
    failed = [step for step in verify_bytes(package).steps if not step.ok]
    if failed:
        raise Tampered(f"The package would not verify: {failed[0].detail}.", "Run: volens audit")
    return package


def proof_of(
    entry: Mapping[str, Any], leaves: Sequence[bytes], checkpoint: str, key: str, address: str = ""
) -> dict[str, Any]:
    """`proof.json`: the entry's place in the public log, and all leaves of the log as the checkpoint signs it.

    entry: the `published` entry as `Row.open_part()` gives it. leaves: exactly as many as the checkpoint's size.
    checkpoint: with the witnesses' signatures under it. address: where the newest one is published.
    """
    index = int(entry["seq"])
    return {
        "tree": "public",
        "entry": dict(entry),
        "index": index,
        "inclusion": [step.hex() for step in inclusion_proof(leaves, index)],
        "checkpoint": checkpoint,
        "key": key,
        "address": address,
        "leaves": [leaf.hex() for leaf in leaves],
    }


def certificate_of(facts: Facts, figures: Figures, labels: Labels) -> dict[str, Any]:
    """The certificate before the files have their hashes. Numbers that are no integers are decimal strings."""
    plan = figures.plan
    return {
        "format": CERTIFICATE_FORMAT,
        "house": facts.house,
        "release": facts.release,
        "product": plan.pack.product,
        "supplier": labels.supplier,
        "pack": plan.pack.canonical(),
        "plan_hash": plan.hash,
        "programme_version": facts.programme_version,
        "unit": facts.unit,
        "rho": _rho(facts.rho_nano),
        "rho_by_year": {
            str(year): {
                "spent": _rho(charge.spent_nano),
                "left": _rho(charge.cap_nano - charge.spent_nano),
                "cap": _rho(charge.cap_nano),
            }
            for year, charge in sorted(facts.years.items())
        },
        "epsilon": str(facts.epsilon),
        "delta": facts.delta,
        "epsilon_by_year": {str(year): str(charge.epsilon_spent) for year, charge in sorted(facts.years.items())},
        "mechanism": dict(facts.mechanism),
        "drawn_day": facts.drawn_day.isoformat(),
        "approved_by_roles": list(facts.approved_by_roles),
        "log": {**vars(facts.log), "witnesses": list(facts.log.witnesses)},
    }


def to_csv(model: PageModel) -> bytes:
    """One figure a line, in `COLUMNS`; an empty field where there is no number."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in _records(model):
        writer.writerow([_field(record[column]) for column in COLUMNS])
    return buffer.getvalue().encode("utf-8")


def to_parquet(model: PageModel) -> bytes:
    """The same figures with types."""
    schema = pa.schema(
        [
            (column, pa.date32() if column in ("start", "end") else pa.float64() if column in VALUES else pa.string())
            for column in COLUMNS
        ]
    )
    buffer = io.BytesIO()
    table = pa.Table.from_pylist(list(_records(model)), schema=schema)
    pq.write_table(table, buffer, compression="zstd", version="2.6")
    return buffer.getvalue()


VALUES = ("value", "low", "high")


def _records(model: PageModel) -> list[dict[str, Any]]:
    """One record a figure. Names are in the programme's first page language; `end` is the day after the last."""
    wording = Wording(LANGUAGES[0], model.currency)
    spans = {period.label: period for period in (*model.periods, model.whole)}
    return [
        {
            "measure": line.measure,
            "row": line.row,
            "row_name": row_name(model, line.row, wording),
            "column": line.column,
            "start": spans[line.column].start,
            "end": spans[line.column].end,
            "value": _rounded(line.value),
            "low": _rounded(line.low),
            "high": _rounded(line.high),
            "unit": unit_name(line.measure, model.currency),
        }
        for line in model.in_order()
    ]


def _rounded(value: float) -> float | None:
    """The number to `DIGITS` decimals; none for what is not a number or has no end."""
    return round(value, DIGITS) + 0.0 if abs(value) < float("inf") else None


def _field(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.{DIGITS}f}".rstrip("0").rstrip(".")
    return str(value)


def _hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: sha256(content).hexdigest() for name, content in sorted(files.items())}


def _rho(nano: int) -> str:
    return f"{(Decimal(nano) / NANO).normalize():f}"
