"""The OpenAPI document says what is served, and what is served is as it says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.web.conftest import Served

from volens.web.failures import ForMachines
from volens.web.machines.described import PATH, document
from volens.web.server import application
from volens.web.visitor import Machine

SITE = Machine(
    "site",
    frozenset(
        {
            "decisions", "changes", "export", "asking", "doorways", "devices", "reminders", "messages", "audiences", "removals",
            "ads", "acts",
        }
    ),
)
DOCUMENT = document()
OPERATIONS = [
    (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if method in ("get", "post")
]


def schemas(part: Any) -> list[dict[str, Any]]:
    """Every schema that stands in a part of the document."""
    if isinstance(part, list):
        return [found for one in part for found in schemas(one)]
    if not isinstance(part, dict):
        return []
    return [*([part["schema"]] if "schema" in part else []), *(found for one in part.values() for found in schemas(one))]


def holds(value: Any, schema: dict[str, Any]) -> None:
    """Raises if a value is not of a schema of the document."""
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


def test_every_address_for_machines_is_described_and_no_other(served: Served) -> None:
    app = application(served.house, local=True)
    found = {
        (re.sub(r":\w+}", "}", route.path), method.lower())
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        for method in handler.http_methods
        if route.path.startswith(ForMachines) and method in ("GET", "POST")
    }
    by_hand = {("/access/v1/evaluation", "post"), ("/access/v1/evaluations", "post")}  # passed before the framework's routes
    assert {(path, method) for path, method, _ in OPERATIONS} == found | by_hand


def test_its_schemas_are_schemas() -> None:
    for schema in [*schemas(DOCUMENT["paths"]), *DOCUMENT["components"]["schemas"].values()]:
        Draft202012Validator.check_schema(schema)


def test_it_is_served_to_everybody(served: Served) -> None:
    with served.open() as client:
        assert client.get(PATH).json() == DOCUMENT


@pytest.mark.parametrize(("path", "operation"), [(path, one) for path, method, one in OPERATIONS if method == "post"])
def test_its_examples_are_answered_as_it_says(served: Served, path: str, operation: dict[str, Any]) -> None:
    content = operation["requestBody"]["content"].get("application/json", {})
    example = content.get("example", {})
    if example:
        holds(example, content["schema"])
    served.house.followers.add("site", ["email-marketing"], recipient="envoi-clair", by="Alice Exemple")
    served.visitor = SITE
    with served.open() as client:
        answer = client.post(path, json=example)
    assert example == {} or answer.status_code == 200, answer.text
    said = operation["responses"].get(str(answer.status_code), operation["responses"]["default"])
    if "$ref" in said:
        said = DOCUMENT["components"]["responses"][said["$ref"].rpartition("/")[2]]
    kind = answer.headers["content-type"].partition(";")[0]
    assert kind in said["content"], f"{answer.status_code}: {kind}"
    if kind.endswith("json"):
        holds(answer.json(), said["content"][kind]["schema"])
