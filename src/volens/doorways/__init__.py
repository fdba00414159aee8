"""Doorways: ways to say no, and to be told, without an account. None of them opens anything else.

1. The short address on a card or receipt refuses and shows nothing. Who has it can take a yes away and never give one.
2. A single-use link by e-mail or SMS is bound to one use, for fifteen minutes, and is redeemed in the transaction of what it does.
3. Nobody learns from an answer, or from how long it takes, whether the house knows somebody.
4. Whoever's yes was taken away by somebody else is told so, sees it, and puts it back in one step.
5. Once a year everybody who allows it gets one page: what is permitted, what was used, by whom, how to stop it.
"""
