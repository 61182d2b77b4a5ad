"""Every code that can end or hold up a post, in words for people (PUB-8).

What happened, whether anything can be out, what PSN does about it by itself, and what only a person can do. A code that is missing
here is a defect that a test finds; until then the message of the error stands alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Out = Literal["no", "maybe", "yes"]

_AGAIN = "psn_post schedule {post} --at +10m --approve"
_EDIT = "psn_post edit {post} --stdin"
_CHECK = "psn_validate"
ASK_AGAIN = "Ask the person whether it should go out after all, and when; schedule it again only if they say yes."
_ASK_EDIT = "Change the content together with the person, with its media; then it needs a new yes and a new time."
_ASK_LOOK = "Ask the person to look at the account's own page whether the post is there, and tell PSN what they saw."
_ASK_MEND = "Mend what the message names; then the post can be scheduled again."
_ASK_CONNECT = "The person must connect the account again; then the post can be scheduled again."

PLATFORMS = {
    "x": "X",
    "linkedin": "LinkedIn",
    "instagram": "Instagram",
    "tiktok": "TikTok",
    "bluesky": "Bluesky",
    "mastodon": "Mastodon",
    "threads": "Threads",
}
NOTHING = "PSN does nothing more with it by itself."
_REFUSED = "PSN does not send it again by itself: the same would be refused again."
TRIES_AGAIN = "PSN tries again by itself, up to three times, with growing pauses."
_WAITS = "PSN waits for the instant that the platform named and sends it then; that is no failed try."
_LOOKS = "PSN asks the platform whether it is there, and links it, sends it once more, or asks you, by what it finds."
_GOES_ON = "PSN goes on by itself."


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a code means for a person.

    Args:
        happened: one sentence without technical words.
        out: whether the try that ended so can have made anything public.
        by_itself: what PSN does next without anybody.
        command: what mends it, with `{post}`, `{account}` (ids) and `{connect}` (the account's own command) to be filled in.
        ask: what only a person can do or decide.
    """

    happened: str
    out: Out
    by_itself: str
    command: str | None = None
    ask: str | None = None

    def fill(self, *, post: object, account: object, connect: str) -> str | None:
        """Give the command with its ids; None when there is none."""
        return self.command and self.command.format(post=post, account=account, connect=connect)


def explain_code(code: str) -> Explanation | None:
    """Look a code up, then what it means at any platform (`threads.not_found`), then its family (`key.wrong`: `key`); None when
    nobody wrote it down.
    """
    family, _, kind = code.partition(".")
    at_any = KINDS.get(kind) if family in PLATFORMS else None
    return CATALOGUE.get(code) or at_any or FAMILIES.get(family)


def _refused(happened: str, command: str | None = _AGAIN, ask: str | None = ASK_AGAIN) -> Explanation:
    """Refused for good: nothing is out, and the same would be refused again."""
    return Explanation(happened, "no", _REFUSED, command, ask)


def _content(happened: str) -> Explanation:
    """The content must change first."""
    return Explanation(happened, "no", _REFUSED, _EDIT, _ASK_EDIT)


def _passing(happened: str) -> Explanation:
    """Surely not sent, and tried again."""
    return Explanation(happened, "no", TRIES_AGAIN, _AGAIN, ASK_AGAIN)


def _doubtful(happened: str, by_itself: str = _LOOKS) -> Explanation:
    """It may be out: no command may send it again."""
    return Explanation(happened, "maybe", by_itself, None, _ASK_LOOK)


def _connection(happened: str) -> Explanation:
    return Explanation(happened, "no", NOTHING, "{connect}", _ASK_CONNECT)


def _told(happened: str, out: Out) -> Explanation:
    """Mended already; a notice says so."""
    return Explanation(happened, out, _GOES_ON)


CATALOGUE = {
    # the way to the platform
    "platform": _refused("The platform did not take the post."),
    "platform.rate_limited": Explanation(
        "The platform asks this account to wait before it takes anything more.", "no", _WAITS, "psn_post wait {post}"
    ),
    "platform.quota_spent": _refused("What the platform allows this account or app in a month is used up."),
    "platform.rejected": _refused("The platform refused the post for good."),
    "platform.unavailable": _passing("The platform could not be reached, so nothing was sent."),
    "platform.deadline_passed": _passing("The computer was busy or asleep for so long that PSN did not dare to send it any more."),
    "platform.unknown": _refused("This PSN does not know the account's platform.", "psn_account show {account}", None),
    "platform.duplicate": _refused("The platform says that it has this very post already."),
    "platform.came_to_nothing": _refused("The platform took the post first and then could not make it public."),
    "platform.cannot": _content("The platform has no such thing, or does not let programs do it."),
    "post.in_doubt": _doubtful("An earlier try of this post got no answer, and PSN is finding out whether it is out."),
    "publish.repeat_failed": _doubtful("An earlier try got no answer and may be out, and the next one came to nothing."),
    "publish.changed": _doubtful("An earlier try got no answer, and it was approved anew since: the earlier text may be out.", NOTHING),
    "publish.repeat_late": _doubtful("It may be out, and too much time has passed to send it again safely.", NOTHING),
    "publish.unknown": _doubtful("While it was being sent the connection ended, or the answer made no sense."),
    "publish.echo": _doubtful("The platform says that it has this text already, and an earlier try got no answer: it is probably out."),
    # X
    "x.duplicate": _content("X saw the same text from this account a short while ago and does not take it twice."),
    "x.reply_not_allowed": _content("X does not let programs reply in this conversation."),
    "x.app_setup": _refused("The app at X that this account was connected with lacks a permission or a plan."),
    "x.forbidden": _refused("X does not let this account post this; it says no more."),
    "x.no_credit": _refused("X wants money: the credit of the app is used up, or its spending limit is reached."),
    "x.usage_capped": _refused("The app has used up what X allows it in a month."),
    "x.invalid_request": _content("X did not understand the post: something in its content is not as X wants it."),
    "x.not_found": _refused("X does not find what this post belongs to; a post that it replies to may be deleted."),
    "x.too_large": _content("X finds the post or one of its files too large."),
    "x.refused": _refused("X refused the post."),
    "x.media_failed": _content("X took the file and could not make anything of it."),
    "x.media_not_ready": _passing("X took too long to get the file ready."),
    "x.endless_pages": _doubtful("X was asked for the account's posts and did not come to an end with them."),
    "x.incomplete_page": _doubtful("X was asked for the account's posts and showed fewer than it has found."),
    "x.unclear": _doubtful("X shows a post that may be this one, and nobody can tell from what it shows."),
    "x.not_deleted": Explanation("X was asked to delete the post and kept it.", "yes", NOTHING, None, "Delete it on X's own page."),
    "post.delivered": Explanation(
        "The post lies in the platform's own app, where a person must finish it.", "no", NOTHING, None,
        "Ask the person to open the app on their phone, look the post over and publish it there.",
    ),
    "post.not_deleted": Explanation(
        "The post was to be deleted, and the platform still has it.", "yes", NOTHING, None, "Delete it on the platform's own page.",
    ),
    "url.post": Explanation("The address that was given is not the address of a post.", "maybe", NOTHING, None, _ASK_LOOK),
    # LinkedIn
    "linkedin.version": _refused("The version of LinkedIn's interface that is set here is not one.", _CHECK, _ASK_MEND),
    "linkedin.version_missing": _refused("LinkedIn was not told which version of its interface is meant.", _CHECK, _ASK_MEND),
    "linkedin.version_old": _refused("The version of LinkedIn's interface that is set here will soon be switched off.", _CHECK, _ASK_MEND),
    "linkedin.version_sunset": _refused("LinkedIn has switched off the version of its interface that is set here.", _CHECK, _ASK_MEND),
    "linkedin.not_administrator": _connection("The person who connected this page is not its administrator."),
    "linkedin.account": _connection("What is known of this account is not a LinkedIn member or page."),
    # TikTok
    "tiktok.processing": _doubtful("TikTok has the video and is still at work on it."),
    "tiktok.auth_removed": _connection("The person has taken the app's permission back in TikTok."),
    "tiktok.cancelled": _refused("The post was cancelled in TikTok's app."),
    "tiktok.banned": _refused("TikTok has barred this account from posting."),
    "tiktok.unaudited": _refused("TikTok has not audited the app, so it may post only for the owner of a private account."),
    "tiktok.user_cap": _refused("An app that TikTok has not audited may post for five people a day, and five have."),
    "tiktok.too_many_posts": _refused("The account has posted as often as TikTok lets it in a day."),
    "tiktok.too_many_drafts": _refused("Five drafts wait in TikTok's app already; some must be finished or discarded first."),
    "tiktok.url_unverified": _refused(
        "TikTok does not know that the address of the files is yours.", _CHECK, "Verify it in TikTok's developer portal."
    ),
    "tiktok.visibility": _content("TikTok does not offer this visibility to the account."),
    "tiktok.app_too_old": _refused("The TikTok app on the account's phone is too old."),
    # Bluesky
    "bluesky.key_taken": _refused("Something else lies at Bluesky where this post was to be."),
    "bluesky.main_password": _connection("The account's own password was given; PSN takes only one made for apps."),
    "bluesky.wrong_password": _connection("Bluesky does not take the password: it may have been deleted."),
    "bluesky.blob_gone": _passing("Bluesky has forgotten a file before the post was out; it is sent anew."),
    "bluesky.parent_gone": _refused("The post that this one replies to is gone."),
    # Mastodon
    "mastodon.not_mastodon": _connection("The server does not answer like Mastodon."),
    # the account
    "account.lost": _connection("The platform no longer accepts what this account was connected with."),
    "account.handle": _connection("The account's name is not one that the platform gives."),
    "account.scope": _connection("The account was connected without the permission that this needs."),
    "account.needs_reconnect": _connection("The platform no longer accepts what this account was connected with."),
    "account.base_url": _connection("The address of the account's server is not one that PSN can use."),
    "account.base_url_insecure": _connection("The account's server offers no encrypted connection, so PSN does not talk to it."),
    "account.token_document": _connection("What this account was connected with is damaged."),
    "account.worker_only": Explanation(
        "What this account was connected with is for the company's worker alone.", "no", NOTHING, None,
        "Do this on the computer where the company's worker runs.",
    ),
    "account.expires_soon": _connection("What this account was connected with ends soon, and cannot be renewed without you."),
    "scopes.missing": _connection("The account was connected without all the permissions that publishing needs."),
    "oauth.unknown": _passing("The account's access had to be renewed, and the platform's answer to that was lost."),
    "oauth.unexpected": _passing("The account's access had to be renewed, and the platform was not able to do that."),
    "oauth.app_refused": _connection("The platform no longer accepts the app that this account was connected with."),
    # what it says, and the yes to it
    "approval.void": _refused("What would have gone out is not what was approved, so PSN did not send it."),
    "approval.needed": Explanation(
        "Nobody has approved it yet.", "no", "PSN waits for a person's yes.", "psn_post approve {post}", ASK_AGAIN
    ),
    "approve.wanted": Explanation(
        "A colleague's post waits for your yes.", "no", "It waits; without a yes it does not go out.", "psn_approve show {post}",
        "Show it to the person; approve it, or send it back with a reason.",
    ),
    "approve.approved": _told("Your post was approved; it goes out at its time.", "no"),
    "approve.rejected": Explanation(
        "It was sent back with a reason.", "no", "Nothing happens until it is changed and asked for anew.", _EDIT, _ASK_EDIT
    ),
    "post.empty": _content("There is nothing in it that could be sent."),
    "text.empty": _content("A part of it has neither text nor media."),
    "text.too_long": _content("A text is longer than the platform takes."),
    "text.invalid_characters": _content("A text holds invisible characters that the platform refuses."),
    "text.too_many_cashtags": _content("A text names more stocks with a dollar sign than the platform takes."),
    "media.missing": _content("A media file that belongs to it is gone."),
    "media.path": _content("A media file of it does not lie where media lie."),
    "media.no_room": _passing("The computer of the worker could not store a media file that came through the hub."),
    "media.changed": _content("A media file was changed after it was approved."),
    "media.unreadable": _content("A media file cannot be read."),
    "media.type": _content("A media file is of a kind that the platform does not take."),
    "media.mixed": _content("The platform does not take these kinds of media together."),
    "media.too_many": _content("There are more media than the platform takes."),
    "media.too_large": _content("A media file is larger than the platform takes."),
    "media.empty": _content("A media file is empty."),
    "media.address": Explanation(
        "The platform fetches media from a public address, and this hub has none for them.", "no", _REFUSED, _CHECK,
        "Set up object storage or a public web address (README, media); then schedule the post again.",
    ),
    "media.alt_too_long": _content("The description of a media file is longer than the platform takes."),
    # time, and what people decided
    "post.missed": _refused("Its time had passed for so long when a worker came that sending it would have been a surprise."),
    "post.not_published": _refused("You looked and said that it is not out."),
    "post.linked": _told("You looked and said that it is out; PSN goes by that.", "yes"),
    "post.found": _told("The platform's answer was lost; PSN looked, found the post live, and did not send it again.", "yes"),
    "post.not_found": _told("The platform's answer was lost; PSN looked, the post was not there, and it is sent once more.", "no"),
    # this computer
    "worker.lost": _passing("The worker was ended in the middle, before it had sent anything."),
    "hub.unreachable": _passing("The hub's database could not be reached just when the post was to go out."),
    "bug": _refused("PSN itself made a mistake; nothing was sent by it."),
    # a backup
    "restore.overdue": Explanation(
        "Its time passed between the backup and the restore, so it may have gone out from the hub as it was then.",
        "maybe", NOTHING, _AGAIN, "Look whether it is out already; schedule it again only if it is not.",
    ),
    "restore.held": Explanation(
        "It came back with a backup, and may have been sent, changed or cancelled since.",
        "maybe", NOTHING, "psn_post approve {post}", "Look whether it is out already; approve it again only if it is not.",
    ),
    "restore.in_flight": _doubtful("It was going out at the moment of the backup, so nobody knows whether it is out.", NOTHING),
}  # fmt: skip

# What several platforms say, each in its own words, which the message quotes.
KINDS = {
    "not_found": _refused("The platform does not find what this post belongs to; what it replies to may be deleted."),
    "forbidden": _refused("The platform does not let this account post this; it says no more."),
    "refused": _refused("The platform refused the post."),
    "too_large": _content("The platform finds the post or one of its files too large."),
    "too_long": _content("The platform finds a text too long."),
    "invalid": _content("Something in the post's content is not as the platform wants it."),
    "invalid_request": _content("The platform did not understand the post: something in its content is not as it wants it."),
    "invalid_value": _content("The platform does not take one of the things that were chosen for the post."),
    "invalid_reference": _content("The post names somebody or something that the platform does not know."),
    "invalid_record": _content("Something in the post's content is not as the platform wants it."),
    "media_failed": _content("The platform took a file and could not make anything of it."),
    "media_not_ready": _passing("The platform took too long to get a file ready."),
    "media_fetch": _passing("The platform could not fetch a file from its public address."),
    "media_again": _passing("The platform could not take a file this time."),
    "media_size": _content("The platform finds a picture too large."),
    "media_format": _content("The platform does not take a picture's format."),
    "media_ratio": _content("The platform does not take the shape of a picture."),
    "media_kind": _content("The platform does not know this kind of post."),
    "video_format": _content("The platform does not take the video's format."),
    "carousel_count": _content("The platform does not take so many files in one post."),
    "caption": _content("The platform finds the caption too long."),
    "cover": _content("The video has no picture at the moment that was chosen for its cover."),
    "tags": _content("There are more hashtags or mentions in it than the platform takes."),
    "container_gone": _passing("What was prepared at the platform had expired, and is prepared anew."),
    "server": _passing("The platform failed by itself."),
    "suspected_spam": _refused("The platform takes the post for spam."),
    "spam": _refused("The platform takes the post for spam."),
    "account_restricted": _refused("The platform has restricted this account."),
    "permission": _connection("The platform does not permit this to the app that the account was connected with."),
    "access_denied": _connection("The platform does not permit this to the app that the account was connected with."),
    "no_scope": _connection("The account was connected without the permission that this needs."),
    "wrong_kind": _refused("The platform keeps something else where this post was to be."),
    "upload_refused": _content("The platform did not take a file."),
    "upload_expired": _passing("The address that a file was to be sent to had expired."),
    "upload_closed": _passing("The address that a file was to be sent to had expired."),
    "upload_address": _refused("The platform named an unsafe address for a file, so PSN did not send it."),
    "upload": _passing("A file could not be sent to the end."),
    "conflict": _passing("The platform was busy with the same thing at that moment."),
    "endless_pages": _doubtful("The platform was asked for the account's posts and did not come to an end with them."),
    "too_many_posts": _doubtful("The account has posted so much since then that the platform does not show all of it."),
    "unclear": _doubtful("The platform shows a post that may be this one, and nobody can tell from what it shows."),
    "not_shown": _doubtful("The platform says that the post is out, and does not show it among the account's posts."),
    "cannot_look": _doubtful("The platform does not let programs look at a member's own posts.", NOTHING),
    "cannot_tell": _doubtful("The platform cannot say any more what became of the post.", NOTHING),
    "comment_in_doubt": _doubtful("Nobody knows whether the first comment is there, and the platform cannot be asked.", NOTHING),
    "duplicate": _refused("The platform says that it has this very post already."),
    "not_deleted": Explanation(
        "The platform was asked to delete the post and kept it.", "yes", NOTHING, None, "Delete it on the platform's own page."
    ),
    "delete_by_hand": Explanation(
        "The platform does not let programs delete posts.", "yes", NOTHING, None, "Delete it in the platform's own app."
    ),
    "no_delete": Explanation(
        "The platform does not let programs delete posts.", "yes", NOTHING, None, "Delete it in the platform's own app."
    ),
}  # fmt: skip

# What else platforms say, and codes of the ground below: which of them it was, its message says.
FAMILIES = {
    **{name: _refused(f"{title} refused the post.") for name, title in PLATFORMS.items()},
    "option": _content("Something that was chosen for the post is not possible at this platform."),
    "thread": _content("The platform has no threads."),
    "comment": _content("The platform takes no such first comment."),
    "story": _content("The platform takes no such story."),
    "title": _content("The title is not as the platform wants it."),
    "text": _content("A text is not as the platform wants it."),
    "media": _content("A media file is not as the platform wants it."),
    "scope": _connection("The account was connected without the permission that this needs."),
    "quota": _refused("What the platform allows this account in a day is used up."),
    "key": Explanation(
        "The key that opens the account's access is missing or is the wrong one.", "no", NOTHING, _CHECK,
        "Put HUB_ENCRYPTION_KEY back into config/hub.env from the copy of that file; then schedule the post again.",
    ),
    "config": Explanation("One of the files in config/ cannot be read as it is.", "no", NOTHING, _CHECK, _ASK_MEND),
    "provider": Explanation("The hub's own settings name what PSN does not know.", "no", NOTHING, _CHECK, _ASK_MEND),
    "hub": Explanation("The hub's database could not be used.", "no", NOTHING, "psn_hub status", _ASK_MEND),
}  # fmt: skip
