"""What goes with a person besides identity: one line a station that keeps something of people in tables of its own.

Both erasing and restoring go through this list; a table that says anything about a person and is not reached from here is a
defect. Each entry works in the erasure's own transaction and finds nothing to do the second time.
"""

from __future__ import annotations

from volens.access import session_store
from volens.asking import store as asking
from volens.audiences import kept_out
from volens.audiences import store as audiences
from volens.delivery import store as delivery
from volens.devices.station import forget_with
from volens.doorways import store as doorways
from volens.licensing import store as licensing
from volens.messaging import store as messaging
from volens.offering import who as offering
from volens.publishing import counts as centre_opened
from volens.referring import signal_store as referring
from volens.reminding import left_store as left_baskets
from volens.reminding import store as reminders
from volens.rights.erasure import Forget
from volens.sponsored import store as sponsored
from volens.wallet import leaving as wallet

OTHERS: tuple[Forget, ...] = (
    centre_opened.forget,
    asking.forget,
    session_store.forget,
    forget_with,
    delivery.forget,
    doorways.forget,
    reminders.forget,
    left_baskets.forget,
    sponsored.forget,
    audiences.forget,
    kept_out.forget,
    messaging.forget,
    referring.forget,
    offering.forget,
    licensing.forget,
    wallet.forget,
)
