"""Texts: how long platforms think they are, what stands in them, and where they can be cut. Pure."""
