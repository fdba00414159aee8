"""Would the tests notice? Defects that would break promise 3 are put into a copy of the product, one at a time; the suite that
is named for each must fail, and pass on the copy without a defect.

Each is a change of a few words, as a tired person could make it. A suite that does not notice one proves less than it says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STORIES = "tests/generative/test_any_history.py"


@dataclass(frozen=True)
class Mutation:
    """`old` becomes `new` in one file; `suite` must notice."""

    file: str
    old: str
    new: str
    story: str
    """The story in `tests/support/operations_spine.py` that tells of it."""


LEAVING = "who says no while a pack is computed"
MUTATIONS = {
    "a draw without a check": Mutation("gate/barrier.py", "            if leaving:\n", "            if False:\n", LEAVING),
    "changes are looked for one too late": Mutation(
        "gate/barrier.py", "changed_since(connection, opened.position)", "changed_since(connection, opened.position + 1)", LEAVING
    ),
    "who is taken out stays in the sums": Mutation("insights/answer.py", "        sums = sums.minus(theirs)\n", "", LEAVING),
    "a hand-over without a check": Mutation(
        "gate/barrier.py", "        may = self._still(connection, request, wanted, today)\n", "        may = wanted\n",
        "told, and objected",
    ),
    "another day at the door is not looked at": Mutation(
        "gate/barrier.py", "if today == opened.day and", "if True and", "a yes grows too old while a pack is computed"
    ),
    "nobody has time to object": Mutation(
        "gate/policy.py", "    return today - timedelta(days=rule.waiting_days)", "    return today", "told a moment ago"
    ),
    "rules that are no longer in force at the door": Mutation(
        "evidence/log.py", 'newest.said()["digest"] != digest', "False", "the programme changes while a pack is computed"
    ),
}  # fmt: skip


def copied(folder: Path) -> Path:
    """A copy of what is tested and of its tests."""
    for name in ("src", "tests", "examples"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def run(folder: Path, *stories: str) -> subprocess.CompletedProcess[str]:
    """Stories against the copy."""
    environment = {**os.environ, "PYTHONPATH": f"{folder / 'src'}:{folder}", "PYTEST_ADDOPTS": ""}
    named = [f"{STORIES}::test_stories[{story}]" for story in stories]
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *named]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.prove
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_defect_is_noticed(name: str, tmp_path: Path) -> None:
    mutation = MUTATIONS[name]
    folder = copied(tmp_path)
    file = folder / "src" / "volens" / mutation.file
    source = file.read_text(encoding="utf-8")
    assert source.count(mutation.old) == 1, f"{mutation.file} no longer reads as this defect expects: mend the test"
    file.write_text(source.replace(mutation.old, mutation.new), encoding="utf-8")
    done = run(folder, mutation.story)
    assert done.returncode == 1, f"{name} was not noticed:\n{done.stdout[-2000:]}{done.stderr[-500:]}"


@pytest.mark.prove
def test_without_a_defect_the_copy_passes(tmp_path: Path) -> None:
    done = run(copied(tmp_path), *sorted({mutation.story for mutation in MUTATIONS.values()}))
    assert done.returncode == 0, done.stdout[-2000:]
