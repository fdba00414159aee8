"""Findings as SARIF 2.1.0 (OASIS standard of 27 March 2020), which code hosts and editors show beside the line.

Rules:
1. Paths are relative to the programme's folder (`PROGRAMME`), so that a report says nothing of the machine it was made on.
2. A fingerprint does not change when lines move: it is made of the rule, the file and what is wrong.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from volens.programme.findings import LOAD_CHECKS, Finding, Severity
from volens.programme.rules.rule import Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning"}


def to_sarif(findings: Sequence[Finding], rules: Mapping[str, Rule]) -> str:
    """One run with every rule and every finding; the same input gives the same bytes."""
    described = [*(_rule(one) for one in rules.values()), *(_load_check(id) for id in LOAD_CHECKS)]
    places = {one["id"]: index for index, one in enumerate(described)}
    run = {
        "tool": {"driver": {"name": "volens check", "semanticVersion": version("volens"), "rules": described}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"PROGRAMME": {"description": {"text": "The folder of the programme."}}},
        "results": [_result(one, places[one.rule]) for one in findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.why} Behind it: {'; '.join(rule.articles)}."},
        "help": {"text": f"volens check --explain {rule.id}"},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"tags": [rule.family]},
    }


def _load_check(id: str) -> dict[str, Any]:
    check = LOAD_CHECKS[id]
    return {
        "id": id,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.why},
        "help": {"text": f"volens check --explain {id}"},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["loading"]},
    }


def _result(finding: Finding, place: int) -> dict[str, Any]:
    fingerprint = hashlib.sha256(f"{finding.rule}\n{finding.file}\n{finding.message}".encode()).hexdigest()
    return {
        "ruleId": finding.rule,
        "ruleIndex": place,
        "level": LEVELS[finding.severity],
        "message": {"text": f"{finding.message} {finding.remedy}".strip()},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": finding.file, "uriBaseId": "PROGRAMME"},
                    "region": {"startLine": finding.line},
                }
            }
        ],
        "partialFingerprints": {"volensFinding/v1": fingerprint},
    }
