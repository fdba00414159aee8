"""What the retailer declares, and the rules that check it.

Rules:
1. A programme is loaded whole or not at all (`load.load`): every finding names a file and a line.
2. Once loaded it is a set of frozen values (`model`); nothing else in Volens says what a purpose may do.
3. Every number that the law may change is a dated parameter with its source (`parameters`).
4. A lint rule is a pure function of a programme and a day (`rules`); `lint.check` runs them all.
"""
