"""One folder per platform, each answering as that platform does below its own base path: the guide for writing one.

A platform `P` is the folder `sandbox/platforms/P/`. What lives below `http://127.0.0.1:N/P` is all its own: the API, the
OAuth pages, the pages people look at. It imports Django, pydantic and `sandbox.*`, never another platform, `psn` or `hub`.

`__init__.py` ends in `PLATFORM = SandboxPlatform(...)` (`sandbox.platforms.registry`, every field is explained there).
Nothing that `__init__` imports may import `sandbox.models`: pure tests import the folder without Django's set-up. The paths
are named by the dotted name of their module, so they may import everything:

    # sandbox/platforms/p/__init__.py
    from sandbox.platforms.p.refusals import canned          # canned(status, *, retry_after, now) -> HttpResponse
    from sandbox.platforms.registry import SandboxPlatform

    PLATFORM = SandboxPlatform(
        name="p", title="P", urls="sandbox.platforms.p.urls", canned=canned, colour="#3355ff", mark="P",
        post_path=lambda post: f"/@{post.account.handle}/{post.remote_id}", profile_path=lambda handle: f"/@{handle}",
        handle_pattern=r"[a-z0-9_]{1,30}", handle_hint="1 to 30 letters, digits or underscores",
    )

    # sandbox/platforms/p/urls.py: a view of `sandbox.feed` is a page for people; everything else that these paths lead to is
    # a call: it is written to the journal and may fail as ordered. End with a catch-all, or an unknown path is a page's 404.
    urlpatterns = [
        path("oauth/authorize", oauth.authorize), path("oauth/token", oauth.token),
        path("v1/posts", posts.create_post), re_path(r"^(?:v1|oauth)/", refusals.no_such_path),
        path("@<str:handle>/<str:remote_id>", feed.show_post), path("@<str:handle>", feed.show_account),
    ]

    # sandbox/platforms/p/posts.py
    def create_post(request: HttpRequest) -> HttpResponse:
        try:
            grant = access.get_grant(request, platform="p", scopes=("write",))
        except access.NoAccess as no:                         # no.reason: missing, unknown, expired, scope
            return refusals.unauthorized(no.reason)
        body = json.loads(request.body)
        post = posts.create_post(request, grant.account, text=body["text"])
        return JsonResponse({"id": post.remote_id}, status=201)

The helpers, each with its docstring:

`sandbox.clock`      now() -> datetime. Never another clock: tests move it. Nothing sleeps: a state is a function of the clock.
`sandbox.accounts`   get_account(platform, handle, *, account_id, name="", data=None) -> Account: made when it is new.
                     find_account(platform, *, handle= | account_id=) -> Account | None. account.data is yours (JSON).
`sandbox.ids`        numeric_id(seed, *, digits=17) -> str: the same for the same seed, for account ids. Posts: see create_post.
                     next_number() -> int: grows with time and is never given twice, for containers, uploads, publish ids.
`sandbox.access`     get_grant(request, *, platform, scopes=(), schemes=("Bearer",), parameter="") -> Grant; raises NoAccess.
                     `schemes` of the Authorization header (Instagram's rupload: "OAuth"); `parameter`: also taken from the query
                     or form field of that name ("access_token"). Notes the handle in the journal. grant.account, .scope, .data.
                     expire_token(request): ends the token of a call; what `SandboxPlatform.expire_token` does by itself.
`sandbox.oauth`      AuthPage(...): a platform's authorize page in data; authorize(request, page) shows it, and takes the answer.
                     read_client(request, *, id_name="client_id") -> Client(id, secret, is_basic)
                     check_client(client, *, page, secret="required"|"optional"|"ignored") -> App; raises OAuthRefused
                     take_code(form, *, page, client_id, now) -> AuthorizationCode: single use; raises OAuthRefused with
                     .reason: client, secret, code, expired, redirect_uri, verifier, grant_type, refresh, scope.
`sandbox.tokens`     issue_tokens(account, *, client_id, scope, now, life, refresh_life=None, data=None) -> Tokens: a new grant;
                     life None never ends; refresh_life 0 (timedelta(0)): no refresh token. Tokens(access, refresh, scope, grant).
                     rotate_tokens(refresh, *, platform, client_id, now, life, refresh_life=None, keep_refresh=False)
                     -> Tokens | None: both replaced in one step; None when it was spent, is unknown or over.
                     find_refresh(refresh, *, platform, client_id, now) -> Grant | None; hash_secret(text);
                     revoke_token(token, *, platform, client_id="") -> bool.
`sandbox.posts`      create_post(request, account, *, text, kind="post", remote_id="" | Callable[[int], str], reply_to=None,
                     uploads=(), data=None, text_key="") -> Post: takes the next number as its internal id (remote_id is that number
                     unless given, or made of it), attaches, notes the journal, obeys the fault `invisible`.
                     find_post(platform, remote_id) -> Post | None (living); living_posts(platform) -> QuerySet;
                     timeline_of(account) -> QuerySet: living and visible by now, newest first; replies_to(post) -> QuerySet;
                     find_same(account, text_key, *, within) -> Post | None: for duplicate rules; delete_post(request, post) -> bool.
                     kinds: post, comment, story, reel, carousel, document, article, video, photos, inbox (waits in the app's inbox).
                     A thread: reply_to=parent. A comment below a post: kind="comment", reply_to=the post.
                     post.data is yours (visibility, title, link {url,title,description}, spoiler …); data["code"] finds its page.
`sandbox.uploads`    create_upload(account, *, remote_id, mime_type="", category="", total_bytes=0, data=None) -> Upload
                     receive(request, upload, *, offset=None) -> int: the request's raw body to the file's end (or at offset), never
                     whole in memory; receive_file(upload, request.FILES["file"]); keep_file(upload, path): a fetched one.
                     finish_upload(request, upload, *, processing=timedelta(0), fails=False) -> Upload: processing begins.
                     upload.data["name"] is a document's name on the feed.
                     state_of(upload, now=...) -> "open" | "processing" | "ready" | "failed"; get_upload(platform, remote_id, *,
                     account=None) -> Upload | None; file_path(upload) -> Path; media_url(request, upload) -> str.
`sandbox.sniffing`   sniff(first_bytes) -> MIME type or ""; SNIFF_BYTES.
`sandbox.jobs`       for containers, publish ids, upload sessions, registered apps: open_job(request, account | None, *, kind,
                     remote_id, data=None, processing=timedelta(0), fails=False, state="open") -> Job; find_job(platform, kind,
                     remote_id, *, account=None) -> Job | None; change_job(job, *, state=None, **data) -> bool (False when somebody
                     else changed its state meanwhile: `was=` the state it must have); state_of(job, now=...) as of an upload while
                     state is "open", else the state itself; start_processing(request, job, *, processing, fails=False): later.
`sandbox.fetching`   fetch(url, *, platform, max_bytes) -> Fetched(path, mime_type, size); raises FetchFailed(.reason). From loopback
                     only; never inside a transaction (the sandbox may fetch from itself). The caller moves or deletes the path
                     (uploads.keep_file moves).
`sandbox.metrics`    count_views(seed, *, age, low=200, high=8000) -> int; count_share(seed, name, *, age, ratio) -> int: they grow
                     with age, never fall, are the same for everybody.
`sandbox.journal`    note(request, handle=..., post_id=...); request_id(request) -> str: also sent as the platform's header
                     (`SandboxPlatform.request_id_header`), for bodies that carry one (fbtrace_id, log_id). hash_body(request).
`sandbox.limits`     spend(account, *, endpoint, limit, window, now) -> Allowance(limit, remaining, ends_at, is_spent);
                     read_allowance(...) looks without taking anything.
`sandbox.feed`       pages: show_account(request, handle), show_post(request, handle="", remote_id="", code=""), show_media(request,
                     file); `@page` marks a view of your own as a page for people and no call.
`sandbox.faults`     finish_upload and open_job obey `slow_processing` and `fail_processing`; elsewhere ask processing_time(request,
                     usual) -> timedelta and processing_fails(request) -> bool. Ordered refusals come from `SandboxPlatform.canned`.

Bodies up to 64 MB may be read whole (`request.body`, `request.POST`); larger ones only as a raw stream or as multipart.
App at every platform: client id `psn-sandbox`, secret `psn-sandbox-secret` (`sandbox.oauth.SANDBOX_APP`).
All checks against what is there, and the write, go in one `transaction.atomic()`: of two equal calls one wins.

OAuth, as a declaration and two views (`sandbox.oauth` explains the fields):

    PAGE = AuthPage(platform="p", scopes={"read": "See your posts", "write": "Post for you"}, make_account=make_account,
                    redirect_uris=("http://127.0.0.1:8765/callback",), pkce="required", code_life=timedelta(minutes=10))

    def authorize(request: HttpRequest) -> HttpResponse:
        return oauth.authorize(request, PAGE)

    def token(request: HttpRequest) -> HttpResponse:
        now, client = clock.now(), oauth.read_client(request)
        try:
            oauth.check_client(client, page=PAGE, secret="required")
            code = oauth.take_code(request.POST, page=PAGE, client_id=client.id, now=now)
        except oauth.OAuthRefused as refused:
            return JsonResponse({"error": ERRORS[refused.reason]}, status=400)
        tokens = issue_tokens(code.account, client_id=client.id, scope=code.scope, now=now, life=timedelta(hours=2))
        return JsonResponse({"access_token": tokens.access, "expires_in": 7200, "refresh_token": tokens.refresh})

Tests of a platform: tests/sandbox/P/, against the process (`tests.sandbox.process`, fixture `sandbox`: `sandbox.base("p")`).
"""
