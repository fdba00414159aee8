"""Targeted advertising: lists of people chosen by what they buy, handed to one platform, and taken back from it.

1. A definition is a closed document (`definition`), never a query. What could tell of health, belief, origin, sex life or
   addiction is refused (`sensitive`), and so is every field that the accepted text does not name (`check`).
2. Two doors, never merged. Building reads purchases through the gate and leaves a set of numbers at a position (`building`);
   handing over passes the barrier and leaves a file (`activation`). Between the two everybody may still say no.
3. A size is never told exactly, and not at all below the minimum (`sizes`).
4. Whoever may not be on a list any more is due for removal from the platform that has her: due → sent → acknowledged
   (`removals`). What is due is derived from the ledger; there is no list of things to do that could lack somebody.
5. What was sent of a person is kept sealed under the house's key, so that also somebody who is erased can be taken off a list,
   and no longer than until the platform has acknowledged that she is off it.
"""
