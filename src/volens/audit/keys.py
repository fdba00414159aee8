"""Are the keys those that were announced? No key is opened here: check values and ids tell them apart.

1. Each change of the key-encryption key names the one before it: the `key` events of the public tree are a chain.
2. No customer key is wrapped under a key that was never announced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volens.audit.report import Report
from volens.evidence import log
from volens.evidence.log import PUBLIC
from volens.identity.announced import chain

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from volens.audit.run import Opener

KEYS = "every key is on the public record"


def check_keys(connection: Connection, vault: Opener, report: Report) -> None:
    """The chain of `key` events, and what customer keys are wrapped under."""
    rows = list(log.rows(connection, PUBLIC, kinds=["key"]))
    if not rows:
        return
    with report.checking(KEYS) as looked_at:
        looked_at.append(len(rows))
        try:
            ids, broken = chain(rows)
        except (ValueError, KeyError, TypeError, AttributeError):
            report.found(KEYS, "public key events", "they cannot be read as they were written")
            return
        for row in broken:
            report.found(KEYS, f"public {row.seq}", "this change of keys does not follow from the keys before it")
        for kek, count in sorted(vault.count_by_kek().items()):
            if kek and kek not in ids:
                report.found(KEYS, "customer keys", f"{count:,} are wrapped under a key that was never announced ({kek})")
