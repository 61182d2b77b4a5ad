"""Posts: made, read by page or by name, deleted; the duplicate rule.

Of two equal bodies within ten minutes the second is refused with the first one's name. Only what is documented is promised: the
same text with other files is another body.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from pydantic import Field

from sandbox import posts, uploads
from sandbox.models import Account, Grant, Post, Upload
from sandbox.platforms.linkedin import members, refusals
from sandbox.platforms.linkedin.endpoint import Body, endpoint, read_body, read_page, read_urns
from sandbox.platforms.linkedin.littletext import read_commentary
from sandbox.snowflakes import EPOCH_MS

MAX_CHARACTERS = 3000
DUPLICATE_WINDOW = timedelta(minutes=10)


class Distribution(Body):
    """Where a post is shown."""

    feed_distribution: Literal["MAIN_FEED", "NONE"]
    target_entities: list[dict[str, Any]] = []
    third_party_distribution_channels: list[str] = []


class Media(Body):
    """One file of a post."""

    id: str
    title: Annotated[str, Field(max_length=400)] = ""
    alt_text: Annotated[str, Field(max_length=4086)] = ""


class Image(Body):
    """One of several images."""

    id: Annotated[str, Field(pattern=r"^urn:li:image:")]
    alt_text: Annotated[str, Field(max_length=4086)] = ""


class Images(Body):
    """Several images."""

    images: Annotated[list[Image], Field(min_length=2, max_length=20)]


class Article(Body):
    """A link with its card; LinkedIn does not look at the address."""

    source: Annotated[str, Field(pattern=r"^https?://")]
    title: Annotated[str, Field(min_length=1, max_length=400)]
    description: str = ""
    thumbnail: Annotated[str, Field(pattern=r"^urn:li:image:")] | None = None
    thumbnail_alt_text: str = ""


class Content(Body):
    """What is attached: one of these."""

    media: Media | None = None
    multi_image: Images | None = None
    article: Article | None = None


class PostBody(Body):
    """A post as its author sends it."""

    author: str
    commentary: str
    visibility: Literal["PUBLIC", "CONNECTIONS", "LOGGED_IN"]
    distribution: Distribution
    lifecycle_state: Literal["PUBLISHED"]
    is_reshare_disabled_by_author: bool = False
    content: Content | None = None


@endpoint("posts.CREATE", per_day=150)
def create_post(request: HttpRequest, grant: Grant) -> HttpResponse:
    """Publish a post; its name stands in a header, and the body is empty."""
    body = read_body(request, PostBody)
    author = members.get_author(
        grant, body.author, what="posts.CREATE", person="w_member_social", organization="w_organization_social"
    )
    members.note_author(request, author)
    text, content = _read_text(body), body.content or Content()
    files = _find_files(author, content)
    key = f"{body.author} {json.dumps(body.model_dump(by_alias=True), sort_keys=True)}"
    with transaction.atomic():
        same = posts.find_same(author, key, within=DUPLICATE_WINDOW)
        if same is not None:
            raise refusals.duplicate(same.remote_id)
        kind = _pick_kind(content, files)
        post = posts.create_post(
            request,
            author,
            text=text,
            kind=kind,
            remote_id=lambda number: build_urn(number, kind="ugcPost" if kind in ("video", "document", "carousel") else "share"),
            uploads=files,
            data=_describe(body),
            text_key=key,
        )  # fmt: skip
    for upload, alt_text in zip(files, _alt_texts(content), strict=True):
        Upload.objects.filter(id=upload.pk).update(alt_text=alt_text)
    return HttpResponse(status=201, headers={"x-restli-id": post.remote_id})


@endpoint("posts.GET", per_day=1000)
def read_posts(request: HttpRequest, grant: Grant) -> HttpResponse:
    """Answer a page's posts, newest first, or posts by name."""
    if "ids" in request.GET:
        return _read_batch(request, grant)
    if request.GET.get("q") != "author":
        raise refusals.Refusal(400, "ILLEGAL_ARGUMENT", "q must be author")
    page = members.get_page(
        grant, request.GET.get("author", ""), what="posts.FINDER-author", scope="r_organization_social"
    )
    start, count = read_page(request)
    found = posts.timeline_of(page).exclude(kind="comment")
    shown = found[start : start + count]
    links = (
        [{"rel": "next", "type": "application/json", "href": "/rest/posts"}] if found.count() > start + count else []
    )
    return JsonResponse(
        {"elements": [render_post(post) for post in shown], "paging": {"start": start, "count": count, "links": links}}
    )


@endpoint("posts.GET", per_day=1000)
def read_post(_request: HttpRequest, grant: Grant, urn: str) -> HttpResponse:
    """Answer one post of a page."""
    return JsonResponse(render_post(_get_readable(grant, urn)))


@endpoint("posts.DELETE", per_day=500)
def delete_post(request: HttpRequest, grant: Grant, urn: str) -> HttpResponse:
    """Delete a post; one that is gone already is no error."""
    post = find_post(urn)
    if post is not None:
        members.get_author(
            grant,
            post.account.platform_account_id,
            what="posts.DELETE",
            person="w_member_social",
            organization="w_organization_social",
        )
        posts.delete_post(request, post)
    return HttpResponse(status=204)


def build_urn(number: int, *, kind: str) -> str:
    """Build a post's name; the bits above the 22nd of its number are Unix milliseconds, as LinkedIn's are."""
    return f"urn:li:{kind}:{number + (EPOCH_MS << 22)}"


def find_post(urn: str) -> Post | None:
    """Give the living post with a name; `activity` names every kind."""
    number = urn.rpartition(":")[2]
    kinds = ("share", "ugcPost") if urn.startswith("urn:li:activity:") else (urn.split(":")[2],)
    return next((post for kind in kinds if (post := posts.find_post("linkedin", f"urn:li:{kind}:{number}"))), None)


def render_post(post: Post) -> dict[str, Any]:
    """Show a post as its page's administrator reads it."""
    milliseconds = int(post.created_at.timestamp() * 1000)
    stamps = dict.fromkeys(("createdAt", "publishedAt", "lastModifiedAt"), milliseconds)
    return {**post.data["sent"], **stamps, "id": post.remote_id}


def _read_batch(request: HttpRequest, grant: Grant) -> HttpResponse:
    results, errors = {}, {}
    for urn in read_urns(request, "ids"):
        try:
            results[urn] = render_post(_get_readable(grant, urn))
        except refusals.Refusal as refusal:
            errors[urn] = refusal.body
    statuses = dict.fromkeys(results, 200) | {urn: body["status"] for urn, body in errors.items()}
    return JsonResponse({"results": results, "statuses": statuses, "errors": errors})


def _get_readable(grant: Grant, urn: str) -> Post:
    post = find_post(urn)
    if post is None:
        raise refusals.not_found(urn)
    members.get_page(grant, post.account.platform_account_id, what="posts.GET", scope="r_organization_social")
    return post


def _read_text(body: PostBody) -> str:
    text = read_commentary(body.commentary)
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > MAX_CHARACTERS:
        message = f"commentary is longer than {MAX_CHARACTERS} characters"
        raise refusals.wrong_field("FIELD_LENGTH_TOO_LONG", message, field="/commentary")
    if not text.strip() and body.content is None:
        raise refusals.wrong_field(
            "INVALID_VALUE_FOR_FIELD", "A post without content needs a commentary", field="/commentary"
        )
    return text


def _find_files(author: Account, content: Content) -> list[Upload]:
    if sum(one is not None for one in (content.media, content.multi_image, content.article)) > 1:
        raise refusals.wrong_field("INVALID_VALUE_FOR_FIELD", "content is a union of one member", field="/content")
    if content.media and content.media.id.startswith("urn:li:document:") and not content.media.title:
        raise refusals.wrong_field("INVALID_VALUE_FOR_FIELD", "A document needs a title", field="/content/media/title")
    return [_get_file(author, urn) for urn in _names(content)]


def _names(content: Content) -> list[str]:
    if content.media:
        return [content.media.id]
    if content.multi_image:
        return [image.id for image in content.multi_image.images]
    return [content.article.thumbnail] if content.article and content.article.thumbnail else []


def _alt_texts(content: Content) -> list[str]:
    if content.media:
        return [content.media.alt_text]
    if content.multi_image:
        return [image.alt_text for image in content.multi_image.images]
    return [content.article.thumbnail_alt_text] if content.article and content.article.thumbnail else []


def _get_file(author: Account, urn: str) -> Upload:
    """Give a file that a post may carry: it must be the author's own, and ready."""
    upload = uploads.get_upload("linkedin", urn, account=author)
    if upload is None:
        raise refusals.wrong_field("INVALID_URN_ID", f"{urn} is not an asset of the author", field="/content")
    state = uploads.state_of(upload)
    if state in ("open", "processing"):
        raise refusals.wrong_field("MEDIA_ASSET_WAITING_UPLOAD", f"{urn} is not available yet", field="/content")
    if state == "failed":
        raise refusals.wrong_field("MEDIA_ASSET_PROCESSING_FAILED", f"{urn} could not be processed", field="/content")
    return upload


def _pick_kind(content: Content, files: list[Upload]) -> str:
    if content.article:
        return "article"
    if len(files) > 1:
        return "carousel"
    return {"video": "video", "document": "document"}.get(files[0].category, "post") if files else "post"


def _describe(body: PostBody) -> dict[str, Any]:
    """Give what the feed shows besides the text, and what the API gives back."""
    content = body.content or Content()
    shown: dict[str, Any] = {
        "visibility": body.visibility,
        "sent": body.model_dump(by_alias=True, exclude_none=True),
    }
    if content.media and content.media.title:
        shown["title"] = content.media.title
    if content.article:
        card = content.article
        shown["link"] = {"url": card.source, "title": card.title, "description": card.description}
    return shown
