"""The library: thinks and talks. No database and no Django here (only settings know it)."""

__version__ = "0.4.0"
