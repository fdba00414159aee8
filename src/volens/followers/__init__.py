"""Everybody who must obey: systems of the house and of recipients that ask before acting, and follow what customers change.

1. A follower knows customers by pseudonyms that are its recipient's own, and by a card or e-mail only where the text that the
   customer accepted names that field.
2. What a follower has not acknowledged yet is derived from the ledger and its cursor. There is no list of things to send that
   could lack one; killed at any point, nothing is lost.
3. Only who permits, or once permitted, is ever named to a follower: whoever never said yes stays unknown to it.
"""
