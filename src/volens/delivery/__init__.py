"""What leaves the house for one person: the one place where a number becomes an address.

1. A message is asked for in the transaction of what it tells (`queue`), and rests sealed under its person's key.
2. It leaves through the gate's door: the hand-over and the message's state are one transaction. Who hands over says by which
   channel and which fields of a person that takes; an address is looked up then, and kept nowhere.
3. Killed anywhere, a message is carried at least once: one that was handed over and not acknowledged within a minute passes
   the door again. Carriers get its number, by which a second copy can be told.
4. Every message carries a short code. Anybody can ask whether the house sent a message with that code; the answer names no
   person, and what it is found by leads to none.
5. A message is carried by a channel that its person allows; who allows none gets none, and the permission centre says it.
"""
