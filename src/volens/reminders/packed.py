"""Arrays as bytes, and back: compact, checked, without anything that runs when it is read.

A package is `VOLR`, kind and version (a byte each), the number of arrays (a byte), for each its type and shape, then their contents
(little-endian), then a CRC-32 of all that. The checksum finds damage, not malice: bytes are the house's own.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from volens.errors import BadInput

MAGIC = b"VOLR"
RHYTHM, MODEL, TABLES, COUNTS = range(4)
VERSION = 1
MOST_BYTES = 1 << 31
_TYPES = ("<i8", "<i4", "<u4", "<u2", "<f4", "<f8", "|b1", "|u1", "<i2")
_SHAPE = struct.Struct("<BII")  # type, rows, columns; an array of one dimension has columns 0
_NO_COLUMNS = 0xFFFFFFFF
_NAMES = ("rhythm", "model", "tables", "counts")

Arrays = Sequence[NDArray[np.generic]]


def pack(kind: int, arrays: Arrays) -> bytes:
    """The arrays (of one or two dimensions) as bytes; equal arrays are equal bytes."""
    parts = [MAGIC, bytes((kind, VERSION, len(arrays)))]
    for array in arrays:
        columns = array.shape[1] if array.ndim == 2 else _NO_COLUMNS
        parts.append(_SHAPE.pack(_TYPES.index(array.dtype.newbyteorder("<").str), array.shape[0], columns))
    parts += [np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes() for array in arrays]
    body = b"".join(parts)
    return body + struct.pack("<I", zlib.crc32(body))


def unpack(kind: int, data: bytes, many: int) -> list[NDArray[np.generic]]:
    """The arrays, each its own memory. `BadInput` when anything is not as `pack` left it, or of another kind or version."""
    if len(data) < len(MAGIC) + 7 or len(data) > MOST_BYTES or data[:4] != MAGIC:
        raise damaged(kind)
    body, (sum_,) = data[:-4], struct.unpack("<I", data[-4:])
    if zlib.crc32(body) != sum_ or body[4] != kind or body[5] != VERSION or body[6] != many:
        raise damaged(kind)
    at, shapes = 7, []
    for _ in range(many):
        if at + _SHAPE.size > len(body):
            raise damaged(kind)
        shapes.append(_SHAPE.unpack_from(body, at))
        at += _SHAPE.size
    arrays: list[NDArray[np.generic]] = []
    for type_, rows, columns in shapes:
        if type_ >= len(_TYPES):
            raise damaged(kind)
        dtype = np.dtype(_TYPES[type_])
        length = rows * (1 if columns == _NO_COLUMNS else columns)
        if at + length * dtype.itemsize > len(body):
            raise damaged(kind)
        array = np.frombuffer(body, dtype, length, at).astype(dtype.newbyteorder("="))
        arrays.append(array if columns == _NO_COLUMNS else array.reshape(rows, columns))
        at += length * dtype.itemsize
    if at != len(body):
        raise damaged(kind)
    return arrays


def damaged(kind: int) -> BadInput:
    """What to raise when stored bytes cannot be what was stored."""
    remedy = "Fold it again from the purchases." if kind == RHYTHM else "Train again."
    return BadInput(f"These bytes are not a {_NAMES[kind]} of version {VERSION}, or they are damaged.", remedy)
