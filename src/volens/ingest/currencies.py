"""The currencies that a feed may be in, and how many decimals each has (ISO 4217).

Which currencies are in use somewhere comes from the Unicode CLDR by Babel. The decimals are those of ISO 4217 table A.1, which
is what money is booked in; CLDR's own are how people write prices, and differ (a dinar of Iraq has three decimals, shown as none).
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from babel.core import get_global

# ISO 4217:2015 table A.1; all others have two.
_DECIMALS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
# Legal tender until the euro came, and in the feeds of those years.
_RECENT = ("BGN", "HRK")


def _in_use() -> set[str]:
    found = get_global("territory_currencies")
    return {code for rows in found.values() for code, _, ended, tender in rows if tender and ended is None}


DECIMALS = MappingProxyType({code: _DECIMALS.get(code, 2) for code in sorted({*_in_use(), *_RECENT})})
"""Currency → decimals."""
CURRENCIES = frozenset(DECIMALS)
MEANINGS = MappingProxyType({code: code for code in DECIMALS})


def minor_units(currency: pa.Array, amounts_in: str) -> np.ndarray | int:
    """By what each line's amount is multiplied to be in minor units; lines of an unknown currency count as having two decimals."""
    if amounts_in == "minor":
        return 1
    found = pc.dictionary_encode(currency)
    factors = np.array([10 ** DECIMALS.get(code, 2) for code in found.dictionary.to_pylist()] or [100], dtype=np.int64)
    if len(factors) == 1:
        return int(factors[0])
    return np.asarray(factors[pc.fill_null(found.indices, 0).to_numpy(zero_copy_only=False)])
