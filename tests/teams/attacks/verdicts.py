"""What the functions of approvers answer to the wrong people, and to the right ones about the wrong things (POST-4, TEAM-2)."""

from __future__ import annotations

from tests.teams.attacks.attack import NOT_ALLOWED, OF_TEAMS, Attack, attack

_HASH = "(SELECT content_hash FROM posts WHERE id = '{post}')"


def approve(post: str, seen: str = "", feedback: str = "''") -> str:
    named = f"{{{post}}}"
    return f"SELECT hub_api.approve_post('{named}', {seen or _HASH.replace('{post}', named)}, {feedback})"


VERDICTS: dict[str, Attack] = {
    "say yes to his own post, as a member": attack(approve("bobs_pending_approval"), ends="PN403"),
    "say yes to another's post, as a member": attack(approve("eves_pending_approval"), ends="PN403"),
    "say yes to her own post, as an approver": attack(approve("cats_pending_approval"), who="cat", ends="PN403"),
    "say yes to her own post, as an admin": attack(approve("anns_pending_approval"), who="ann", ends="PN403"),
    "say yes to a post whose author has no slot": attack(approve("eves_pending_approval"), who="cat", ends="PN422"),
    "say yes to something else than is there": attack(approve("bobs_pending_approval", "'other'"), who="cat", ends="PN409"),
    "say yes to nothing in particular": attack(approve("bobs_pending_approval", "NULL"), who="cat", ends=("PN409", "PN422")),
    "say yes to an empty hash": attack(approve("bobs_pending_approval", "''"), who="cat", ends=("PN409", "PN422")),
    **{
        f"say yes to a post that is {state}": attack(approve(f"bobs_{state}"), who="cat", ends="PN409")
        for state in ("draft", "scheduled", "publishing", "published", "unknown", "failed", "cancelled")
    },
    "say yes to no post": attack("SELECT hub_api.approve_post('{nobody}', 'h', '')", who="cat", ends="PN404"),
    "say yes to null": attack("SELECT hub_api.approve_post(NULL, 'h', '')", who="cat", ends=("PN404", "PN422")),
    "say no to another's post, as a member": attack(
        "SELECT hub_api.reject_post('{eves_pending_approval}', 'no')", ends="PN403"
    ),
    "say no to another's scheduled post, as a member": attack(
        "SELECT hub_api.reject_post('{eves_scheduled}', 'no')", ends="PN403"
    ),
    **{
        f"say no to a post that is {state}": attack(f"SELECT hub_api.reject_post('{{bobs_{state}}}', 'no')", who="cat", ends="PN409")
        for state in ("draft", "publishing", "published", "unknown", "cancelled")
    },
    "say no to no post": attack("SELECT hub_api.reject_post('{nobody}', 'no')", who="cat", ends="PN404"),
    "have another's live post deleted": attack("SELECT hub_api.ask_deletion('{eves_published}')", ends="PN403"),
    "have a post deleted that is not live": attack("SELECT hub_api.ask_deletion('{bobs_scheduled}')", ends="PN409"),
    "say yes as an invited": attack(approve("bobs_pending_approval", "'h'"), who="open"),
    "say yes as the worker": attack(approve("bobs_pending_approval", "'h'"), who="worker", ends=(NOT_ALLOWED, *OF_TEAMS)),
    "say yes as the worker who acts for the company": attack(
        "SET LOCAL app.current_user_id = '{company}'", approve("bobs_pending_approval"), who="worker", ends=(NOT_ALLOWED, *OF_TEAMS)
    ),
    "say yes as the worker who acts for an approver": attack(
        "SET LOCAL app.current_user_id = '{cat}'", approve("bobs_pending_approval", "'h'"), who="worker", ends=(NOT_ALLOWED, *OF_TEAMS)
    ),
}  # fmt: skip
