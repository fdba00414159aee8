"""Taste that a machine can check: sizes, banned calls, docstrings, words that have no place here."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
FILE_LINES, FUNCTION_LINES = 400, 70

BANNED = {
    "datetime.now": "take a Clock",
    "datetime.utcnow": "take a Clock",
    "datetime.today": "take a Clock",
    "date.today": "take a Clock, and a legal day",
    "time.time": "take a Clock",
    "random.random": "secrets, or OpenDP for noise",
    "np.random.default_rng": "secrets, or OpenDP for noise",
    "uuid.uuid4": "secrets",
}
"""Banned → use instead. `clock.py` is the only now."""


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_a_file_can_be_read_in_one_sitting() -> None:
    long = []
    for path in SOURCES:
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > FILE_LINES:
            long.append(f"{path.relative_to(ROOT)} has {lines} lines; split it where it has two matters")
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    long.append(f"{path.relative_to(ROOT)}: {node.name} has {length} lines")
    assert not long, "\n".join(long)


def test_a_module_opens_with_what_it_promises() -> None:
    bare = [str(path.relative_to(ROOT)) for path in SOURCES if (tree := _tree(path)).body and not ast.get_docstring(tree)]
    assert not bare, "say in the first lines what these modules are for:\n" + "\n".join(bare)


def test_banned_calls() -> None:
    found = []
    for path in SOURCES:
        if path.relative_to(ROOT / "src" / "volens").as_posix() in ("clock.py", "client.py"):
            continue  # the client of other systems is a file by itself, which can be copied: the house's clock is not there
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                found += [
                    f"{path.relative_to(ROOT)}:{node.lineno}: {called} is banned; {instead}"
                    for banned, instead in BANNED.items()
                    if called.endswith(banned)
                ]
    assert not found, "\n".join(found)


def test_public_functions_of_ports_and_stations_have_docstrings() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in SOURCES
        if "migrations" not in path.parts
        for node in _public(_tree(path))
        if not ast.get_docstring(node)
    ]
    assert not bare, "\n".join(bare)


def _public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Functions and classes of a module that others may use. Methods may speak by their class."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


def test_nothing_speaks_of_where_it_was_made() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    words = re.compile("|".join(["TO" + "DO", "FIX" + "ME", r"/work" + "/", r"\.\./sha" + "red", "files.python" + "hosted"]))
    found = []
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if not path.is_file() or path.suffix in {".png", ".parquet", ".svg", ".volens"}:
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        found += [f"{name}: {hit.group()}" for hit in words.finditer(text)]
    assert not found, "\n".join(found)


def test_what_a_house_hands_out_are_stations_never_a_store() -> None:
    """An attribute that is not on this list needs a reason to be on it."""
    from volens.app import House

    methods = {name for name in vars(House) if not name.startswith("_")}
    attributes = {
        target.attr
        for node in ast.walk(_tree(ROOT / "src" / "volens" / "app" / "house.py"))
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for holder in ([node.target] if isinstance(node, ast.AnnAssign) else node.targets)
        for target in ast.walk(holder)
        if isinstance(target, ast.Attribute) and not target.attr.startswith("_")
    }
    assert attributes == {
        "settings", "programme", "clock", "permissions", "imports", "customers", "gate", "barrier", "receipts", "reports",
        "witnesses", "key_ring", "access", "devices", "erasure", "backups", "quarantine", "upkeep",
        "publishing",
        "reminders", "sponsored", "offering", "referring", "wallet", "told",
        "centre",
        "followers",
        "campaigns",
        "asking",
        "delivery", "doorways", "audiences", "messages",
    }  # fmt: skip
    assert methods == {
        "audit", "checkpoint", "close", "customer", "explain", "load_products", "log_key", "take_in", "take_in_people", "uses_of",
        "renew", "keep_up",
        "secret",
    }  # fmt: skip
