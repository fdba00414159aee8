"""Supplier questions become private answers.

The way of an answer: `pack` (what is asked) → `plan` (what it costs, before any data is touched) → `engine` (exact
bounded sums of permitted customers) → `measurement` (noise, once) → `estimates` (figures with intervals).
"""
