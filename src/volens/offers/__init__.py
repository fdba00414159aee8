"""Offers: what somebody does for a reward, and apart from it what she may permit for another, as documents checked like code.

1. An offer is a closed, typed document (`document`, read by `reading`). Act and reward are one offer; a data licence is a second
   one with a choice, a reward and an end of its own, or is not there.
2. What stands against an offer is said all at once, each with its remedy and its article (`check`). No option silences a rule.
3. The terms that people read are generated from the document (`terms`), and only from one that nothing stands against.
4. Terms that others wrote are read for clauses that no offer may contain (`lint`): leads for a human, never a verdict.

Nothing here knows a database, a clock or the web: documents and days come in, values come out.
"""
