"""Members and pages: who they are, and who may act for whom."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox import accounts, clock, ids, journal
from sandbox.models import Account, Grant
from sandbox.platforms.linkedin import PAGE_SUFFIX, numbers
from sandbox.platforms.linkedin.endpoint import endpoint, get_grant, has_scope
from sandbox.platforms.linkedin.refusals import Refusal, access_denied, not_found, wrong_field

PERSON, ORGANIZATION = "urn:li:person:", "urn:li:organization:"
SHARED_PAGE = "1"  # everybody's


def make_account(handle: str) -> Account:
    """Give the member with this handle, made if it is new."""
    number = hashlib.sha256(f"linkedin {handle}".encode()).hexdigest()
    return accounts.get_account("linkedin", handle, account_id=f"{PERSON}{number[:10]}")


def pages_of(member: Account) -> list[Account]:
    """Give the pages that a member administers."""
    own = ids.numeric_id(f"linkedin organization {member.handle}", digits=8)
    return [_make_page("sandbox", number=SHARED_PAGE), _make_page(member.handle, number=own)]


def get_author(grant: Grant, urn: str, *, what: str, person: str, organization: str) -> Account:
    """Give the account in whose name a member acts: their own, or a page they administer.

    Args:
        what: as a refusal names it: `posts.CREATE`.
        person, organization: the scope for each, or its newer `…_feed`.

    Raises:
        Refusal: 400 for no name at all, 403 for somebody else or an absent scope.
    """
    if not urn.startswith((PERSON, ORGANIZATION)):
        raise wrong_field("INVALID_URN_ID", f"{urn} is not a valid author", field="/author")
    if urn.startswith(PERSON):
        candidates, scope = [grant.account], person
    else:
        candidates, scope = pages_of(grant.account), organization
    found = next((account for account in candidates if account.platform_account_id == urn), None)
    if found is None or not has_scope(grant, scope, f"{scope}_feed"):
        raise access_denied(what)
    return found


def get_page(grant: Grant, urn: str, *, what: str, scope: str) -> Account:
    """Give a page that a member administers; a member's own things can be read by nobody.

    Raises:
        Refusal: 403.
    """
    if not urn.startswith(ORGANIZATION):
        raise access_denied(what)
    return get_author(grant, urn, what=what, person=scope, organization=scope)


def note_author(request: HttpRequest, author: Account) -> None:
    """Write into the journal for whom a call was made."""
    journal.note(request, handle=author.handle)


def read_userinfo(request: HttpRequest) -> HttpResponse:
    """Answer `GET /v2/userinfo`, which knows no versions."""
    try:
        grant = get_grant(request, name="userinfo.GET", scopes=("openid",))
    except Refusal as refusal:
        return refusal.to_response()
    account = grant.account
    first, _, last = account.name.partition(" ")
    answer = {"sub": account.platform_account_id.removeprefix(PERSON), "locale": {"country": "US", "language": "en"}}
    if has_scope(grant, "profile"):
        answer |= {"name": account.name, "given_name": first, "family_name": last}
    return JsonResponse(answer)


@endpoint("organizationAcls.FINDER-roleAssignee", scopes=("rw_organization_admin", "r_organization_admin"))
def read_roles(request: HttpRequest, grant: Grant) -> HttpResponse:
    """Answer which pages the member administers."""
    role, state = request.GET.get("role", "ADMINISTRATOR"), request.GET.get("state", "APPROVED")
    found = pages_of(grant.account) if (role, state) == ("ADMINISTRATOR", "APPROVED") else []
    elements = [
        {
            "role": role,
            "state": state,
            "roleAssignee": grant.account.platform_account_id,
            "organization": page.platform_account_id,
        }
        for page in found
    ]
    return JsonResponse({"elements": elements, "paging": {"start": 0, "count": len(elements), "links": []}})


@endpoint("organizations.GET", scopes=("rw_organization_admin", "r_organization_admin"))
def read_organization(_request: HttpRequest, grant: Grant, number: str) -> HttpResponse:
    """Answer what a page is called."""
    page = get_page(grant, f"{ORGANIZATION}{number}", what="organizations.GET", scope="rw_organization_admin")
    return JsonResponse({"id": int(number), "vanityName": page.handle, "localizedName": page.name})


@endpoint("networkSizes.GET", scopes=("rw_organization_admin", "r_organization_social"))
def read_network(request: HttpRequest, _grant: Grant, urn: str) -> HttpResponse:
    """Answer how many follow a page."""
    if request.GET.get("edgeType") != "COMPANY_FOLLOWED_BY_MEMBER":
        raise Refusal(400, "ILLEGAL_ARGUMENT", "edgeType must be COMPANY_FOLLOWED_BY_MEMBER")
    page = accounts.find_account("linkedin", account_id=urn) if urn.startswith(ORGANIZATION) else None
    if page is None:
        raise not_found(urn)
    return JsonResponse({"firstDegreeSize": numbers.count_followers(page.pk, age=clock.now() - page.created_at)})


def _make_page(handle: str, *, number: str) -> Account:
    return accounts.get_account("linkedin", f"{handle}{PAGE_SUFFIX}", account_id=f"{ORGANIZATION}{number}")
