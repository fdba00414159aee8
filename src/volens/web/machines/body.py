"""What a machine sends, as JSON: a key that is not known is refused, since a misspelt one would be a wish that nobody hears."""

from __future__ import annotations

import msgspec


class Body(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Every key is named; those with a default may be left out."""
