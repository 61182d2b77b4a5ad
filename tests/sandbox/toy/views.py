"""The toy's calls: each gives what the sandbox's shared functions found, in plain JSON."""

from __future__ import annotations

import json
from datetime import timedelta

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox import access, clock, fetching, ids, jobs, oauth, posts, uploads
from sandbox.accounts import get_account
from sandbox.models import Account, Upload
from sandbox.tokens import NO_REFRESH, Tokens, issue_tokens, revoke_token, rotate_tokens

LIFE = timedelta(hours=1)
REFRESH_LIFE = timedelta(days=1)
PROCESSING = timedelta(seconds=1)


def make_account(handle: str) -> Account:
    """Give the account with this handle."""
    return get_account("toy", handle, account_id=ids.numeric_id(f"toy {handle}"), data={"team": "red"})


PAGE = oauth.AuthPage(
    platform="toy",
    scopes={"read": "See what you wrote", "write": "Write for you", "stay": "Stay connected"},
    make_account=make_account,
    redirect_uris=("https://127.0.0.1:8765/callback", oauth.OUT_OF_BAND),
    accepts_redirect=lambda uri, registered: uri in registered or uri.startswith("http://127.0.0.1:"),
    client_id_name="client_key",
    scope_separator=",",
    pkce="optional",
    challenge="s256_hex",
    denied={"error": "denied", "error_reason": "user_denied"},
    more=lambda page: {"scopes": page.scope.replace(" ", ",")},
    suffix="#_",
)


def authorize(request: HttpRequest) -> HttpResponse:
    """Ask the person."""
    return oauth.authorize(request, PAGE)


def token(request: HttpRequest) -> HttpResponse:
    """Give tokens."""
    client, now = oauth.read_client(request, id_name="client_key"), clock.now()
    try:
        oauth.check_client(client, page=PAGE, secret="required")
        if refresh := request.POST.get("refresh_token"):
            keep = "keep" in request.POST
            tokens = rotate_tokens(
                refresh,
                platform="toy",
                client_id=client.id,
                now=now,
                life=LIFE,
                refresh_life=REFRESH_LIFE,
                keep_refresh=keep,
            )
            return _give(tokens) if tokens else JsonResponse({"reason": "refresh"}, status=400)
        code = oauth.take_code(request.POST, page=PAGE, client_id=client.id, now=now)
    except oauth.OAuthRefused as refused:
        return JsonResponse({"reason": refused.reason}, status=400)
    refresh_life = REFRESH_LIFE if "stay" in code.scope.split() else NO_REFRESH
    life = None if "write" not in code.scope.split() else LIFE
    return _give(
        issue_tokens(code.account, client_id=client.id, scope=code.scope, now=now, life=life, refresh_life=refresh_life)
    )


def revoke(request: HttpRequest) -> HttpResponse:
    """Take tokens back."""
    return JsonResponse({"revoked": revoke_token(request.POST["token"], platform="toy")})


def read_me(request: HttpRequest) -> HttpResponse:
    """Say who calls."""
    try:
        grant = access.get_grant(
            request, platform="toy", scopes=("read",), schemes=("Bearer", "OAuth"), parameter="access_token"
        )
    except access.NoAccess as no:
        return JsonResponse({"reason": no.reason, "detail": no.detail}, status=401)
    return JsonResponse({"handle": grant.account.handle, "id": grant.account.platform_account_id})


def create_post(request: HttpRequest) -> HttpResponse:
    """Write something."""
    body = json.loads(request.body)
    account = make_account(body.get("handle", "ann"))
    with transaction.atomic():
        parent = posts.find_post("toy", body.get("parent", ""))
        kept = [one for one in (uploads.get_upload("toy", name) for name in body.get("files", [])) if one]
        if posts.find_same(account, body.get("key", ""), within=timedelta(hours=1)):
            return JsonResponse({"reason": "same"}, status=409)
        post = posts.create_post(
            request,
            account,
            text=body.get("text", ""),
            kind=body.get("kind", "post"),
            remote_id=body.get("remote_id") or (lambda number: f"toy:{number}"),
            reply_to=parent,
            uploads=kept,
            data=body.get("data"),
            text_key=body.get("key", ""),
        )
    return JsonResponse({"id": post.remote_id}, status=201)


def delete_post(request: HttpRequest, remote_id: str) -> HttpResponse:
    """Take something away."""
    post = posts.find_post("toy", remote_id)
    return JsonResponse({"deleted": bool(post and posts.delete_post(request, post))})


def upload_form(request: HttpRequest) -> HttpResponse:
    """Take a file of a form."""
    started = uploads.create_upload(make_account("ann"), remote_id=str(ids.next_number()))
    [file] = request.FILES.getlist("file")
    uploads.receive_file(started, file)
    return _show(uploads.finish_upload(request, started, processing=PROCESSING), request)


def upload_raw(request: HttpRequest, remote_id: str) -> HttpResponse:
    """Take parts of a file, or say where it stands."""
    account = make_account("ann")
    known = uploads.get_upload("toy", remote_id, account=account)
    found = known or uploads.create_upload(account, remote_id=remote_id, data={"name": "file.bin"})
    if request.method == "PUT":
        offset = request.GET.get("offset")
        size = uploads.receive(request, found, offset=int(offset) if offset else None)
        return JsonResponse({"received": size, "size": uploads.size_of(found)})
    if request.method == "POST":
        found = uploads.finish_upload(request, found, processing=PROCESSING)
    return _show(found, request)


def fetch(request: HttpRequest) -> HttpResponse:
    """Fetch a file by its address."""
    body = json.loads(request.body)
    try:
        got = fetching.fetch(body["url"], platform="toy", max_bytes=body.get("max_bytes", 1000))
    except fetching.FetchFailed as failed:
        return JsonResponse({"reason": failed.reason, "detail": str(failed)}, status=400)
    started = uploads.create_upload(make_account("ann"), remote_id=str(ids.next_number()))
    uploads.keep_file(started, got.path)
    return _show(uploads.finish_upload(request, started), request)


def work(request: HttpRequest, remote_id: str) -> HttpResponse:
    """Begin, watch and end a container."""
    job = jobs.find_job("toy", "container", remote_id)
    if job is None:
        job = jobs.open_job(
            request, make_account("ann"), kind="container", remote_id=remote_id, processing=PROCESSING, data={"a": 1}
        )
    if request.method == "PUT":
        changed = jobs.change_job(job, state="published", was="open", b=2)
        return JsonResponse({"changed": changed, "state": jobs.state_of(job), "data": job.data})
    return JsonResponse({"state": jobs.state_of(job), "data": job.data})


def _show(upload: Upload, request: HttpRequest) -> HttpResponse:
    return JsonResponse(
        {
            "id": upload.platform_media_id,
            "state": uploads.state_of(upload),
            "type": upload.mime_type,
            "size": upload.total_bytes,
            "url": uploads.media_url(request, upload),
        }
    )


def _give(tokens: Tokens) -> HttpResponse:
    return JsonResponse({"access_token": tokens.access, "refresh_token": tokens.refresh, "scope": tokens.scope})
