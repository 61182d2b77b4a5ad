"""The configuration in force, version by version (HUB-10)."""
