"""What lies beside a back-up and says what it is: written last, so that a folder with it is whole.

Rules:
1. Every file is named with its size and SHA-256. A file that is missing, changed or added is found before anything is touched.
2. The manifest carries a MAC under the house's lookup key: another house's back-up, or one that was made up, is refused.
3. It tells nothing about anybody: counts, sizes, hashes, days.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from volens.errors import BadInput, Tampered
from volens.evidence.merkle import canonical_json
from volens.evidence.outside import write_durably
from volens.holders import Keys
from volens.identity.keys import sync

FILE = "manifest.json"
FORMAT = "volens-backup/1"
RECORDS, CUSTOMER_KEYS = "records", "customer keys"
RELEASES = "releases"
"""The folder of published packages in a back-up; they verify by themselves."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Manifest:
    """One folder of a back-up. `pair` is the same in the two folders that were made together."""

    contents: str
    house: str
    made_at: str
    pair: str
    database: str
    revision: str
    tables: dict[str, list[str]]
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    """Events in each tree (records)."""
    roots: dict[str, str] = field(default_factory=dict)
    """Root of each tree (records), hexadecimal."""
    tombstones: int = 0
    """How many had been erased when the back-up was made (records)."""
    buckets: int = 0
    lines: int = 0
    keep_until: str = ""
    """Last day on which it may be kept or used (customer keys), ISO 8601."""
    keks: dict[str, int] = field(default_factory=dict)
    """Customer keys by the id of the key that wraps them (customer keys)."""


def hashed(folder: Path, progress: Progress) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file below a folder, by its path; each is on the disk when this returns."""
    found = {}
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file != folder / FILE)
    for done, file in enumerate(files, start=1):
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
            os.fsync(opened.fileno())
        found[file.relative_to(folder).as_posix()] = {"bytes": file.stat().st_size, "sha256": digest}
        progress("checking files", done, len(files))
    for one in {file.parent for file in files} | {folder}:
        sync(one)
    return found


def write(manifest: Manifest, folder: Path, keys: Keys) -> None:
    """The last step of a back-up."""
    said = {"format": FORMAT, **asdict(manifest)}
    said["mac"] = keys.mac("backup", canonical_json(said)).hex()
    write_durably(folder / FILE, (json.dumps(said, indent=2, sort_keys=True) + "\n").encode())


def read(folder: Path, contents: str, keys: Keys, progress: Progress) -> Manifest:
    """The manifest of a folder whose every file is as it says. Raises what is wrong with it."""
    file = folder / FILE
    if not file.is_file():
        raise BadInput(f"{folder} is no back-up, or one that was not finished: it has no {FILE}.", "Take an older one.")
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        mac, form = bytes.fromhex(said.pop("mac")), said.pop("format")
        expected = keys.mac("backup", canonical_json({"format": form, **said}))
        manifest = Manifest(**said)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Tampered(f"{file} cannot be read as it was written.", "Take another copy of this back-up.") from error
    if form != FORMAT or mac != expected:
        raise Tampered(
            f"{file} was not written by this house, or was changed.", "Check VOLENS_KEYS, or take another copy of this back-up."
        )
    if manifest.contents != contents:
        raise BadInput(f"{folder} holds {manifest.contents}, not {contents}.", "The two folders of a back-up were swapped.")
    there = hashed(folder, progress)
    wrong = sorted(name for name in there.keys() | manifest.files.keys() if there.get(name) != manifest.files.get(name))
    if wrong:
        raise Tampered(f"{len(wrong):,} files of {folder} are not those that were written, first {wrong[0]}.",
                       "Take another copy of this back-up.")
    return manifest
