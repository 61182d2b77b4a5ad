"""Companies' hubs and the people in them: founding, inviting, joining, leaving (TEAM-1)."""
