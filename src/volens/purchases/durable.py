"""Table metadata that is on the disk before the catalog points at it.

pyiceberg writes its metadata files without asking the disk to keep them. After a power cut the catalog (SQLite,
which does ask) could then name a file that is empty, and the whole table would be unreadable. `DurableFileIO`
is pyiceberg's own file access with one difference: a written file is forced to disk when it is closed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from pyiceberg.io import OutputStream
from pyiceberg.io.pyarrow import PyArrowFile, PyArrowFileIO


@contextmanager
def durable_file(path: Path) -> Iterator[BinaryIO]:
    """A new file that is on the disk, with its name, when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as target:
        yield target
        target.flush()
        os.fsync(target.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Forces the names in a folder to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Stream:
    """What pyiceberg asks of an output stream, forced to disk on close."""

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = path.open("wb" if overwrite else "xb")

    def write(self, data: bytes) -> int:
        return self._file.write(data)

    def tell(self) -> int:
        return self._file.tell()

    @property
    def closed(self) -> bool:
        return self._file.closed

    def close(self) -> None:
        if self._file.closed:
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        finally:
            self._file.close()
        sync_folder(self._path.parent)

    def __enter__(self) -> OutputStream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class _DurableFile(PyArrowFile):
    def create(self, overwrite: bool = False) -> OutputStream:
        return _Stream(Path(self._path), overwrite=overwrite)


class DurableFileIO(PyArrowFileIO):
    """pyiceberg's file access for local folders; named in the catalog's properties as `py-io-impl`."""

    def new_output(self, location: str) -> PyArrowFile:
        scheme, netloc, path = self.parse_location(location, self.properties)
        return _DurableFile(location=location, path=path, fs=self.fs_by_scheme(scheme, netloc))
