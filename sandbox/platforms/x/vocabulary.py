"""X's two vocabularies: `post.*` since v2.167 (2026-08-07), `tweet.*` before; a call is answered in its own."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

_POST_FIELDS = (
    "article article_title attachments author_id card_uri community_id context_annotations conversation_id "
    "created_at display_text_range edit_controls edit_history_post_ids edit_history_tweet_ids entities geo id "
    "in_reply_to_user_id lang matched_media_notes media_metadata non_public_metrics note_post "
    "note_request_suggestions note_tweet organic_metrics paid_partnership possibly_sensitive promoted_metrics "
    "public_metrics referenced_posts referenced_tweets reply_settings scopes source suggested_source_links "
    "suggested_source_links_with_counts text withheld"
)
POST_FIELDS = frozenset(_POST_FIELDS.split())


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that differ."""

    fields_parameter: str
    repost_count: str
    edit_history: str
    referenced: str


NEW = Vocabulary("post.fields", "repost_count", "edit_history_post_ids", "referenced_posts")
OLD = Vocabulary("tweet.fields", "retweet_count", "edit_history_tweet_ids", "referenced_tweets")


def choose_vocabulary(parameters: Container[str]) -> Vocabulary:
    """Give the vocabulary a call speaks: the old one only if it asks for `tweet.fields` and not for `post.fields`."""
    return OLD if "tweet.fields" in parameters and "post.fields" not in parameters else NEW
