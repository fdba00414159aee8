"""Sponsored products on the shop's own pages: chosen by purchases for whoever permits exactly that, by the page alone for
everybody else, and never fewer because somebody refused."""
