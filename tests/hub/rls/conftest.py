"""One world for all tests of a file."""

from tests.hub.worlds import world

__all__ = ["world"]
