"""An invented shop of any size: the files that it would send, skewed as a real one is, the same bytes for the same arguments."""

from volens.simulate.files import Simulated, write_all
from volens.simulate.shop import Shop

__all__ = ["Shop", "Simulated", "write_all"]
