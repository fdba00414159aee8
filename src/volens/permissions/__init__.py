"""Choices are events that never change; what is permitted is a pure fold of them."""
