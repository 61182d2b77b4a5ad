"""X API v2 as of 2026-08 (spec v2.167): OAuth, posts, timeline, media, limits."""
