"""Says yes at the sandbox in place of a person, so that set-up needs no browser (HUB-1). Loopback only, on purpose."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from psn.errors import InvalidInput, Rejected
from psn.http import Http, Reply, is_loopback
from psn.oauth.flow import Authorization


def approve_unattended(authorization: Authorization, *, handle: str, decision: str = "allow") -> str:
    """Open the authorize address, send its consent form, and give the address it redirects to.

    Args:
        handle: the sandbox account that says yes.
        decision: `allow` or `deny`, as the form's buttons.

    Raises:
        InvalidInput: the address is not on this machine's loopback.
        Rejected: there was no consent form, or no redirect after it.
    """
    address = urlsplit(authorization.url)
    if not is_loopback(address):
        raise InvalidInput(
            "Only the sandbox can be approved without a person. Open the address in a browser.",
            code="oauth.unattended",
        )
    with Http(f"{address.scheme}://{address.netloc}") as http:
        page = http.read("GET", f"{address.path}?{address.query}", headers={"accept": "text/html"})
        action, fields = _read_form(page, url=authorization.url)
        if urlsplit(action).netloc != address.netloc:
            raise Rejected("The consent form leads away from the sandbox.", code="oauth.unattended")
        target = urlsplit(action)
        path = f"{target.path}?{target.query}" if target.query else target.path
        answer = http.read("POST", path, form={**fields, "decision": decision, "handle": handle}, once=True)
    location = answer.headers.get("location")
    if answer.status not in (302, 303) or not location:
        raise Rejected(
            "The sandbox did not redirect after the consent.", code="oauth.unattended", http_status=answer.status
        )
    return location


def _read_form(page: Reply, *, url: str) -> tuple[str, dict[str, str]]:
    """Give a page's first form: its absolute address and hidden fields."""
    parser = _FormReader()
    if page.status == 200:
        parser.feed(page.body.decode("utf-8", errors="replace"))
    if parser.action is None:
        raise Rejected(
            "The sandbox showed no consent form: check client id and redirect address.",
            code="oauth.unattended",
            http_status=page.status,
        )
    return urljoin(url, parser.action), parser.fields


class _FormReader(HTMLParser):
    """Collects the first form and its hidden fields."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None:
            self.action, self._inside = values.get("action", ""), True
        elif self._inside and tag == "input" and values.get("type") == "hidden" and values.get("name"):
            self.fields[values["name"]] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
