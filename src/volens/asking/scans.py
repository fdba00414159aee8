"""Is this file a scan? Told by its content, never by its name. Pure.

1. PDF, PNG or JPEG, whole from its first to its last mark; nothing else is kept.
2. At most `SCAN_BYTES_MAX`: a page at 200 dpi in grey is a tenth of it.
3. A PDF that runs something when it is opened is no scan.
"""

from __future__ import annotations

import re

from volens.errors import BadInput

SCAN_BYTES_MAX = 5_000_000
ENDINGS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}
_MARKS = {
    "application/pdf": (b"%PDF-", b"%%EOF"),
    "image/png": (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"),
    "image/jpeg": (b"\xff\xd8\xff", b"\xff\xd9"),
}
_ACTS = re.compile(rb"/(?:JavaScript|JS|Launch|OpenAction|AA|EmbeddedFile|RichMedia|XFA)\b")


FAULTS = {
    "empty": ("The file is empty.", "Scan the form again."),
    "large": ("The scan is too large.", f"Scan it in grey at 200 dpi: at most {SCAN_BYTES_MAX:,} bytes."),
    "cut": ("The scan is not whole.", "Scan the form again."),
    "acts": ("This PDF does something when it is opened.", "Scan the form as a plain picture or PDF."),
    "kind": ("The file is neither a PDF nor a PNG or JPEG picture.", "Scan the form as one of these."),
}
"""Why a file is no scan, and what to do."""


def media_of(scan: bytes) -> str:
    """The media type of a scan; `BadInput` for what is none."""
    fault = fault_of(scan)
    if fault is not None:
        raise BadInput(*FAULTS[fault])
    return _kind(scan)


def fault_of(scan: bytes) -> str | None:
    """Why a file is no scan, a key of `FAULTS`; none if it is one."""
    media = _kind(scan)
    if not scan or len(scan) > SCAN_BYTES_MAX:
        return "large" if scan else "empty"
    if not media:
        return "kind"
    if _MARKS[media][1] not in scan[-1_024:]:
        return "cut"
    return "acts" if media == "application/pdf" and _ACTS.search(scan) else None


def _kind(scan: bytes) -> str:
    return next((media for media, (first, _) in _MARKS.items() if scan.startswith(first)), "")
