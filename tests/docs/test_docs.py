"""The docs are tested: every command and setting is in them, and the README's commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from volens.cli.main import main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(group: click.Group, before: str = "volens") -> list[str]:
    found = []
    for name, command in group.commands.items():
        found += commands(command, f"{before} {name}") if isinstance(command, click.Group) else [f"{before} {name}"]
    return found


@pytest.mark.parametrize("command", commands(main))
def test_every_command_is_documented(command: str) -> None:
    assert any(re.search(re.escape(command).replace(r"\ ", r"\s+"), page.read_text("utf-8")) for page in PAGES)


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    source = (ROOT / "src" / "volens" / "settings.py").read_text(encoding="utf-8")
    for name in re.findall(r'"(VOLENS_[A-Z_]+)"', source):
        assert name in page
    for name in ("records_url", "customer_keys_url", "keys", "checkpoints", "witnesses", "checkpoint_url", "expected_customers"):
        assert f"`{name}`" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_docs_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_promises_name_tests_that_exist() -> None:
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    for name in re.findall(r"`((?:ways|prove|unit|generative|privacy|tidy)[^`]*)`", page):
        assert (ROOT / "tests" / name).exists(), name


def test_the_readme_shows_both_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in readme
    assert "make test" in readme


def test_decisions_are_numbered_once() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [file.name[:4] for file in files] == [f"{number:04}" for number in range(1, len(files) + 1)]
    for file in files:
        assert file.read_text(encoding="utf-8").startswith(f"# {file.name[:4]} · ")
