"""The yes and the no to a post: who may say it, to what exactly, and what was said (POST-4, TEAM-2)."""
