"""What workers run: the table of contents of background work.

Each task takes ids, calls one action, and ends. Running one twice, too early, too late or for nothing changes nothing. The names
stand in queue rows (`hub.queue.bells.TASKS`), so renaming one is a migration; django-q2 takes some keyword names for itself (a test
lists them).
"""

from __future__ import annotations

from hub.publishing import crew, sweep
from hub.queue import echoes, heartbeat, leftovers


def publish_post(*, post_id: str) -> None:
    """Publish a post if it is due."""
    crew.publish(post_id)


def look_at_post(*, user_id: str, post_id: str) -> None:
    """Ask the platform what became of a post whose outcome nobody knows."""
    crew.look(user_id, post_id)


def delete_post(*, user_id: str, post_id: str) -> None:
    """Take a live post off its platform, as a person asked."""
    crew.delete(user_id, post_id)


def refresh_tokens() -> None:
    """Renew what will end soon, and warn of what nobody can renew."""
    crew.refresh_tokens()


def forget_media() -> None:
    """Delete media that nobody can fetch or needs any more, from the bucket and from the hub."""
    crew.forget_media()


def watch() -> None:
    """Look for what is stuck; the worker's own loop does the same more often."""
    sweep.sweep()


def tidy() -> None:
    """Forget failures and workers of long ago."""
    leftovers.tidy()


def beat() -> None:
    """Show that the queue moves."""
    heartbeat.beat()


def echo(*, token: str) -> None:
    """Answer whoever rang to hear whether the queue moves."""
    echoes.answer(token)
