"""The wiring: a folder becomes a house with its stations. The one place that names concrete backends.

Rules:
1. What a house hands out are stations, never a store and never a connection; a test lists its public attributes.
2. Nothing is served from a programme with errors, or whose published texts were changed without a new version.
3. Records that are not at the newest migration, or that lack their keys, do not open.
"""

from volens.app.house import House
from volens.app.opening import audit_house, initialise, migrate, open_house
from volens.app.restoring import Given, Restored, restore

__all__ = ["Given", "House", "Restored", "audit_house", "initialise", "migrate", "open_house", "restore"]
