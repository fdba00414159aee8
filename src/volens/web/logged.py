"""The access log: one line an answer, without anything about anybody.

A line has the method, the pattern of the address (`/lien/{token:str}`, never what stood in its place, never a query) and the
status. Neither addresses of callers nor cookies nor names are in it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from litestar.types import Message, Scope

access_log = logging.getLogger("volens.access")


async def log_answer(message: Message, scope: Scope) -> None:
    """One line, when an answer begins."""
    if message["type"] == "http.response.start":
        access_log.info("%s %s %d", scope.get("method"), scope.get("path_template") or "(none)", message["status"])
