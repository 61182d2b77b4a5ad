"""An invite is read strictly: who pastes one trusts the sender with a host and a login, and with nothing else (TEAM-1)."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.config.bundles import MAX_CHARACTERS, Bundle, make_bundle, read_bundle
from psn.config.database import DatabaseUrl
from psn.errors import InvalidInput

PASSWORD = "aA1!one-time"
LOGIN = "acme_m_ab12cd34ef56"
EXPIRES = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
HOST = "db.example.com"


def make_line(version: str = "psn1", **changes: Any) -> str:
    """An invite as anybody could write it; a field is left out by None."""
    url = f"postgresql://{LOGIN}:aA1%21one-time@{HOST}/hub?sslmode=verify-full"
    content = {"hub": "acme", "url": url, "exp": "2026-12-01T08:30:00Z"} | changes
    return encode(json.dumps({name: value for name, value in content.items() if value is not None}), version=version)


def encode(text: str, *, version: str = "psn1") -> str:
    return f"{version}.{base64.urlsafe_b64encode(text.encode()).decode().rstrip('=')}"


def make_url(query: str = "", *, scheme: str = "postgresql", login: str = f"{LOGIN}:pw", host: str = HOST) -> str:
    return f"{scheme}://{login}@{host}/hub{query}"


class TestMakeBundle:
    def test_is_one_line_that_can_be_pasted_anywhere(self) -> None:
        url = DatabaseUrl(host=HOST, name="hub", user=LOGIN, password=PASSWORD, sslmode="verify-full")
        line = make_bundle(Bundle(slug="acme", url=url, expires_at=EXPIRES))
        assert line.startswith("psn1.")
        assert set(line) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
        assert read_bundle(line) == Bundle(slug="acme", url=url, expires_at=EXPIRES)

    @given(
        password=st.text(min_size=1, max_size=80).filter(lambda text: text.isprintable()),
        slug=st.from_regex(r"[a-oq-z][a-z0-9_]{0,29}", fullmatch=True),
        port=st.integers(1, 65535),
        expires_at=st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)).map(
            lambda when: when.replace(microsecond=0, tzinfo=UTC)
        ),
    )
    def test_reads_back_as_it_was_made(self, password: str, slug: str, port: int, expires_at: datetime) -> None:
        url = DatabaseUrl(host=HOST, port=port, name="a hub", user=f"{slug}_m_0123456789ab", password=password)
        bundle = Bundle(slug=slug, url=url, expires_at=expires_at)
        assert read_bundle(make_bundle(bundle)) == bundle

    def test_never_makes_one_that_nobody_could_read(self) -> None:
        with pytest.raises(InvalidInput):
            make_bundle(
                Bundle(
                    slug="acme", url=DatabaseUrl(host=HOST, name="hub", user="owner", password="x"), expires_at=EXPIRES
                )
            )


class TestReadBundle:
    def test_takes_a_line_that_a_mail_program_broke(self) -> None:
        line = make_line()
        broken = "\r\n ".join(line[start : start + 40] for start in range(0, len(line), 40))
        assert read_bundle(f"\n{broken}\n") == read_bundle(line)

    def test_takes_nothing_of_the_address_but_the_two_options_of_tls(self) -> None:
        line = make_line(url=make_url("?sslmode=require&channel_binding=require"))
        url = read_bundle(line).url
        assert (url.sslmode, url.channel_binding) == ("require", "require")
        assert url.options()["sslmode"] == "verify-full"

    @pytest.mark.parametrize("sslmode", ["disable", "allow", "prefer", "require"])
    def test_is_never_taken_to_a_remote_host_without_a_checked_certificate(self, sslmode: str) -> None:
        options = read_bundle(make_line(url=make_url(f"?sslmode={sslmode}"))).url.options()
        assert (options["sslmode"], options["channel_binding"]) == ("verify-full", "require")

    @pytest.mark.parametrize("version", ["psn0", "psn2", "psn10", "psn01"])
    def test_says_when_another_psn_made_it(self, version: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            read_bundle(make_line(version))
        assert refused.value.error_code == "invite.version"

    @pytest.mark.parametrize(
        "line",
        [
            "", " ", "psn1", "psn1.", "psn1.$$$$", "psn1.====", "psn1.A", "PSN1.abcd", "hello",
            f"{make_line()}=", make_line()[:-9], make_line().replace(".", ":"), make_line("xpsn1"),
            encode("[]"), encode("null"), encode("{}"), encode("\ud800".encode("utf-16", "surrogatepass").hex()), encode("[" * 2000),
            encode('{"hub":"acme","hub":"acme","url":"' + make_url() + '","exp":"2026-12-01T08:30:00Z"}'),
            make_line(hub=None), make_line(url=None), make_line(exp=None), make_line(key="abc"), make_line(member="x"),
            make_line(hub=["acme"]), make_line(url={"host": HOST}), make_line(exp=5),
            make_line(exp="tomorrow"), make_line(exp="2026-12-01"), make_line(exp="2026-12-01T08:30:00"),
        ],
        ids=range(30),
    )  # fmt: skip
    def test_refuses_what_is_none(self, line: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            read_bundle(line)
        assert refused.value.error_code == "invite.malformed"

    @pytest.mark.parametrize(
        "slug", ["", "psn", "psn_x", "Acme", "../acme", "a/b", "acme.env", "1acme", "a" * 31, "äcme", "acme\n"]
    )
    def test_refuses_a_hub_whose_name_is_none(self, slug: str) -> None:
        login = f"{slug}_m_ab12cd34ef56".replace("/", "%2F").replace("\n", "%0A")
        with pytest.raises(InvalidInput) as refused:
            read_bundle(make_line(hub=slug, url=make_url(login=f"{login}:pw")))
        assert refused.value.error_code == "invite.malformed"

    @pytest.mark.parametrize(
        "login",
        [
            "acme_owner:pw", "_m_ab12cd34ef56:pw", "acme_worker:pw", "postgres:pw", "acme_m_:pw", "acme_m_AB12CD34EF56:pw",
            "acme_m_ab12cd34ef5:pw",
            "acme_m_ab12cd34ef567:pw", "other_m_ab12cd34ef56:pw", "xacme_m_ab12cd34ef56:pw", f"{LOGIN}%20:pw", LOGIN, f"{LOGIN}:",
        ],
    )  # fmt: skip
    def test_refuses_any_login_but_a_member_s_of_that_hub_with_its_password(self, login: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            read_bundle(make_line(url=make_url(login=login)))
        assert refused.value.error_code == "invite.malformed"

    @pytest.mark.parametrize(
        "url",
        [
            make_url(scheme="http"), make_url(scheme="postgres"), make_url(scheme="file"), make_url(scheme="service"),
            make_url("?options=-c%20app.maintenance%3Don"), make_url("?host=/tmp"), make_url("?sslrootcert=/tmp/ca"),
            make_url("?sslkey=/tmp/key"), make_url("?passfile=/etc/passwd"), make_url("?sslmode=none"), make_url("?sslmode"),
            make_url("?channel_binding=maybe"), make_url("#x"), make_url(host="a,b"), make_url(host="%2Ftmp"),
            make_url(host=""), make_url(host="h:99999"), make_url(host="h:x"),
        ],
    )  # fmt: skip
    def test_refuses_an_address_that_chooses_more_than_host_and_database(self, url: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            read_bundle(make_line(url=url))
        assert refused.value.error_code == "invite.malformed"

    def test_refuses_more_than_four_kilobytes(self) -> None:
        long = make_line(exp="2026-12-01T08:30:00Z" + " " * MAX_CHARACTERS)
        with pytest.raises(InvalidInput, match="too long"):
            read_bundle(long)

    @pytest.mark.parametrize("changes", [{"key": 1}, {"url": make_url("?options=x", login=f"{LOGIN}:{PASSWORD}")}])
    def test_never_repeats_what_it_refuses(self, changes: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput) as refused:
            read_bundle(make_line(**changes))
        said = f"{refused.value} {refused.value.ask} {refused.value.__cause__}"
        assert PASSWORD not in said
        assert "acme_m_" not in said
