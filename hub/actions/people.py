"""Who is at the keyboard, and whose rows this process works with.

In a personal hub both are its one person. In a company's hub the rows are the company's, and the person is one of its members; the
worker, and whoever works with its rights, acts for the company itself.
"""

from __future__ import annotations

import uuid

from django.db import connections
from django.db.models import F, Func, UUIDField

from hub.connections import current_hub
from hub.models import Company, User
from psn.errors import NotReady

PERSON = "person"  # the actor of everything a command does in a personal hub


class _Identity(Func):
    """One of the hub's functions that say who is acting."""

    template = "hub_api.%(function)s()"
    output_field = UUIDField()


def get_me(*, using: str = "default") -> User:
    """Give the person this process acts for.

    Raises:
        NotReady: the hub has nobody yet, or this login is nobody's any more.
    """
    return _get("current_user_id", using=using)


def get_owner(*, using: str = "default") -> User:
    """Give whose rows this process works with: the company in a company's hub, else the person.

    Raises:
        NotReady: the hub has nobody yet, or this login is nobody's any more.
    """
    return _get("current_owner_id", using=using)


def find_company(*, using: str = "default") -> Company | None:
    """Give the company whose hub this is; None in a personal hub, without asking it."""
    if using == "default" and not current_hub().is_company:
        return None
    return Company.objects.using(using).select_related("user").first()


def actor() -> str:
    """Name whoever acts, for the audit: the person of a personal hub, a member by id. The database does not believe a member anyway."""
    company = find_company()
    return PERSON if company is None else str(get_me().id)


def find_names(ids: set[str], *, using: str = "default") -> dict[str, str]:
    """Give people's names by id as text; ids of nobody are left out."""
    known = {one for one in ids if _is_id(one)}
    return {str(user.id): user.name for user in User.objects.using(using).filter(id__in=known)}


def company_id() -> uuid.UUID:
    """Give the id of the company for which the worker of its hub acts. Read as the hub's owner, or by the worker itself.

    Raises:
        NotReady: this is no company's hub.
    """
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT hub_api.find_company_id()")
        row = cursor.fetchone()
    if row is None or row[0] is None:
        raise NotReady("This hub has no company yet.", code="hub.nobody", ask="Finish psn_team create first.")
    found: uuid.UUID = row[0]
    return found


def _get(function: str, *, using: str) -> User:
    me = User.objects.using(using).annotate(acting=_Identity(function=function)).filter(id=F("acting")).first()
    if me is None:
        raise NotReady("The hub does not know you.", code="hub.nobody", next_command="psn_setup")
    return me


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
