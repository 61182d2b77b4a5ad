"""A hub as an archive: backing it up, putting it back, moving it elsewhere (HUB-12)."""
