"""Meta's login and its tokens, at both of its platforms."""

from __future__ import annotations

import pytest

from tests.sandbox.meta.people import REDIRECT_URI, Person, connect, read_error
from tests.sandbox.process import Sandbox

HOUR, DAY = 3600, 86400
both = pytest.mark.parametrize("platform", ["instagram", "threads"])


@both
class TestConsent:
    def test_leads_back_with_a_tail_that_is_no_part_of_the_code(self, sandbox: Sandbox, platform: str) -> None:
        location = Person(sandbox, platform).decide().headers["location"]
        assert location.startswith(f"{REDIRECT_URI}?code=")
        assert location.endswith("&state=some-state#_")

    def test_says_that_the_person_said_no(self, sandbox: Sandbox, platform: str) -> None:
        location = Person(sandbox, platform).decide("deny").headers["location"]
        assert "error=access_denied&error_reason=user_denied" in location
        assert "code=" not in location

    @pytest.mark.parametrize(
        "changes",
        [
            {"redirect_uri": "http://127.0.0.1:8765/callback"},
            {"redirect_uri": f"{REDIRECT_URI}/"},
            {"client_id": "somebody"},
            {"scope": "tweet.write"},
            {"scope": ""},
            {"response_type": "token"},
        ],
    )
    def test_shows_no_page_for_a_wrong_request(self, sandbox: Sandbox, platform: str, changes: dict[str, str]) -> None:
        assert Person(sandbox, platform).open_page(**changes).status_code == 400


@both
class TestExchange:
    def test_takes_a_code_once(self, sandbox: Sandbox, platform: str) -> None:
        person = Person(sandbox, platform)
        code = person.get_code()
        assert person.exchange(code).is_success
        assert person.exchange(code).status_code == 400

    @pytest.mark.parametrize(
        "changes",
        [
            {"client_secret": "wrong"},
            {"client_secret": ""},
            {"client_id": "somebody"},
            {"redirect_uri": "https://127.0.0.1:8765/"},
            {"grant_type": "password"},
        ],
    )
    def test_takes_none_from_the_wrong_app(self, sandbox: Sandbox, platform: str, changes: dict[str, str]) -> None:
        person = Person(sandbox, platform)
        assert person.exchange(person.get_code(), **changes).status_code == 400

    def test_takes_none_with_its_tail(self, sandbox: Sandbox, platform: str) -> None:
        person = Person(sandbox, platform)
        assert person.exchange(f"{person.get_code()}#_").status_code == 400

    def test_takes_none_after_an_hour(self, sandbox: Sandbox, platform: str) -> None:
        person = Person(sandbox, platform)
        code = person.get_code()
        sandbox.move_clock(HOUR)
        assert person.exchange(code).status_code == 400


class TestAnswer:
    def test_of_instagram_is_wrapped(self, sandbox: Sandbox) -> None:
        person = Person(sandbox, "instagram")
        (granted,) = person.exchange(person.get_code()).json()["data"]
        assert set(granted) == {"access_token", "user_id", "permissions"}
        assert granted["permissions"].split(",")[0] == "instagram_business_basic"

    def test_of_threads_is_flat(self, sandbox: Sandbox) -> None:
        person = Person(sandbox, "threads")
        assert set(person.exchange(person.get_code()).json()) == {"access_token", "user_id"}

    def test_to_a_wrong_code_has_the_shape_of_its_platform(self, sandbox: Sandbox) -> None:
        assert set(Person(sandbox, "instagram").exchange("x").json()) == {"error_type", "code", "error_message"}
        assert read_error(Person(sandbox, "threads").exchange("x")) == (400, 100, 36009)


@both
class TestTokens:
    def test_of_an_hour_end_after_an_hour(self, sandbox: Sandbox, platform: str) -> None:
        person = connect(sandbox, platform)
        assert person.call("GET", "/me").is_success
        sandbox.move_clock(HOUR)
        assert read_error(person.call("GET", "/me")) == (401, 190, 463)

    def test_of_sixty_days_come_from_one_of_an_hour(self, sandbox: Sandbox, platform: str) -> None:
        person = connect(sandbox, platform)
        answer = person.lengthen(person.token).raise_for_status().json()
        assert (answer["token_type"], answer["expires_in"]) == ("bearer", 60 * DAY)
        person.token = answer["access_token"]
        sandbox.move_clock(59 * DAY)
        assert person.call("GET", "/me").is_success
        sandbox.move_clock(DAY)
        assert read_error(person.call("GET", "/me")) == (401, 190, 463)

    def test_of_sixty_days_come_from_nothing_else(self, sandbox: Sandbox, platform: str) -> None:
        person = connect(sandbox, platform)
        long = person.lengthen(person.token).json()["access_token"]
        for refused in (
            person.lengthen(long),
            person.lengthen("wrong"),
            person.lengthen(person.token, client_secret="wrong"),
            person.lengthen(person.token, grant_type="fb_exchange_token"),
            person.renew(person.token),
        ):
            assert refused.status_code in (400, 401)

    def test_are_renewed_after_a_day_and_before_their_end(self, sandbox: Sandbox, platform: str) -> None:
        person = connect(sandbox, platform)
        old = person.lengthen(person.token).json()["access_token"]
        assert person.renew(old).status_code == 400
        sandbox.move_clock(DAY)
        new = person.renew(old).raise_for_status().json()
        assert (new["expires_in"], new["access_token"] != old) == (60 * DAY, True)
        sandbox.move_clock(59 * DAY)
        assert read_error(person.renew(old)) == (401, 190, 463)
        person.token = new["access_token"]
        assert person.call("GET", "/me").is_success

    def test_are_taken_from_the_header_and_from_the_query(self, sandbox: Sandbox, platform: str) -> None:
        person = connect(sandbox, platform)
        token, person.token = person.token, ""
        assert person.call("GET", "/me", params={"access_token": token}).is_success
        assert read_error(person.call("GET", "/me"))[1] == 190
        assert read_error(person.call("GET", "/me", params={"access_token": "x"})) == (401, 190, 467)

    def test_open_nothing_on_the_other_platform(self, sandbox: Sandbox, platform: str) -> None:
        person = connect(sandbox, platform)
        other = {"instagram": "threads", "threads": "instagram"}[platform]
        stranger = Person(sandbox, other, token=person.token)
        assert read_error(stranger.call("GET", "/me"))[1] == 190


@both
class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "code"), [(400, 100), (401, 190), (403, 10), (404, 100), (429, 4), (500, 2), (503, 2), (408, 2)]
    )
    def test_come_on_order_in_metas_shape(self, sandbox: Sandbox, platform: str, status: int, code: int) -> None:
        person = connect(sandbox, platform)
        sandbox.fail("status", "GET /*/me", platform=platform, status=status, retry_after=90)
        answer = person.call("GET", "/me")
        assert read_error(answer)[:2] == (status, code)
        assert answer.headers["retry-after"] == "90"

    def test_say_how_long_a_limit_lasts(self, sandbox: Sandbox, platform: str) -> None:
        person = connect(sandbox, platform)
        sandbox.fail("status", "GET /*/me", platform=platform, status=429, retry_after=90)
        usage = person.call("GET", "/me").headers["x-business-use-case-usage"]
        assert '"estimated_time_to_regain_access": 2' in usage

    def test_carry_the_id_of_the_call(self, sandbox: Sandbox, platform: str) -> None:
        answer = Person(sandbox, platform).call("GET", "/me")
        assert answer.json()["error"]["fbtrace_id"] == answer.headers["x-fb-trace-id"]
        assert sandbox.last_call()["request_id"] == answer.headers["x-fb-trace-id"]

    @pytest.mark.parametrize("path", ["/me/friends", "/7/media/x", "/abc"])
    def test_are_given_where_there_is_nothing(self, sandbox: Sandbox, platform: str, path: str) -> None:
        answer = connect(sandbox, platform).call("GET", path)
        assert read_error(answer)[:2] == (404, 2500)

    def test_are_given_for_a_wrong_method(self, sandbox: Sandbox, platform: str) -> None:
        assert read_error(connect(sandbox, platform).call("PUT", "/me"))[:2] == (400, 100)
