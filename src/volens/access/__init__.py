"""Who calls: customers, staff and machines, how each proves it, and for how long that holds.

1. Nobody is let in who cannot be told: an answer that does not come, or does not fit, is no.
2. What lets somebody in (a key, a session's number) is kept as a hash alone; the records let nobody in.
3. Who may do what is said by the house: a scope of a machine, a role of a member of staff. Neither says what may be done with a
   customer's purchases; that is the gate's.
"""
