"""The database engine of a hub; Django imports its `base` module by name."""
