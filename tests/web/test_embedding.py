"""The permission centre inside a page of the retailer's: there where it is allowed, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.web.conftest import Served

from volens import settings
from volens.errors import BadInput


def policy(served: Served) -> str:
    with served.open() as client:
        return client.get("/autorisations").headers["content-security-policy"]


def test_nobody_may_show_our_pages_inside_theirs_unless_named(served: Served) -> None:
    assert policy(served).endswith("frame-ancestors 'none'")
    served.house.settings = replace(served.house.settings, embed_in=("https://www.shop.example",))
    assert policy(served).endswith("frame-ancestors https://www.shop.example")


def test_the_component_may_be_loaded_by_other_origins_and_nothing_else_may(served: Served) -> None:
    with served.open() as client:
        assert client.get("/static/volens-centre.js").headers["cross-origin-resource-policy"] == "cross-origin"
        assert client.get("/static/volens.css").headers["cross-origin-resource-policy"] == "same-origin"


def test_the_page_tells_its_height_only_when_it_is_inside_another(served: Served) -> None:
    with served.open() as client:
        assert "embedded.js" not in client.get("/autorisations").text
        assert "embedded.js" in client.get("/autorisations", headers={"sec-fetch-dest": "iframe"}).text


@pytest.mark.parametrize("written", ['"https://shop.example"', '["shop.example"]', "[\"https://shop.example/page\"]", "[\"*\"]"])
def test_what_is_no_origin_is_refused_with_what_to_write(tmp_path: Path, written: str) -> None:
    (tmp_path / settings.FILE).write_text(f"embed_in = {written}\n", encoding="utf-8")
    with pytest.raises(BadInput, match="embed_in"):
        settings.load(tmp_path)
