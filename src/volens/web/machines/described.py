"""`GET /v1/openapi.json`: everything that machines can ask, as an OpenAPI 3.1 document. Written by hand in `api.yaml`; a test
holds it equal to the addresses that are served and to what they answer."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from litestar import get

PATH = "/v1/openapi.json"


@cache
def document() -> dict[str, Any]:
    """The document."""
    found: dict[str, Any] = yaml.safe_load(files("volens.web.machines").joinpath("api.yaml").read_text(encoding="utf-8"))
    return found


@get(PATH, opt={"exclude_from_csrf": True}, sync_to_thread=False)
def described() -> dict[str, Any]:
    """What machines can ask, and what is answered."""
    return document()


ROUTES = (described,)
