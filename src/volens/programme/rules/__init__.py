"""The rules that check a programme, one small pure function each.

A rule reads a `Programme` and a day, and yields what is wrong with the place and the words to write instead. It opens no
file, asks no clock and keeps no state. Its failing and its passing example are its tests and its page in the docs.
`catalogue.RULES` lists them all.
"""
