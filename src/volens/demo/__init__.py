"""The demo: real purchases of an open data set, given to invented people of an invented shop."""
