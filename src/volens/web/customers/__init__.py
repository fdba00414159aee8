"""The customers' site: the permission centre and what leads to it."""
