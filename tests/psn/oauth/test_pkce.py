"""RFC 7636."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from psn.oauth.pkce import build_challenge, create_verifier

UNRESERVED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"


class TestPkce:
    def test_builds_the_challenge_of_the_standard(self) -> None:
        # RFC 7636, appendix B
        assert (
            build_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
            == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        )

    def test_makes_a_new_verifier_of_lawful_shape_each_time(self) -> None:
        verifiers = {create_verifier() for _ in range(100)}
        assert len(verifiers) == 100
        assert all(re.fullmatch(r"[A-Za-z0-9\-._~]{43,128}", verifier) for verifier in verifiers)

    @given(st.text(UNRESERVED, min_size=43, max_size=128), st.text(UNRESERVED, min_size=43, max_size=128))
    def test_gives_43_url_safe_characters_that_tell_verifiers_apart(self, one: str, other: str) -> None:
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", build_challenge(one))
        assert (build_challenge(one) == build_challenge(other)) == (one == other)
