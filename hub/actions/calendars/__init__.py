"""One calendar of all hubs, and the days that a team shares (PLAN-6)."""
