"""One idea for several accounts: a post each, and one that fails touches no other (PUB-9)."""

from __future__ import annotations

import pytest

from hub.actions import campaigns
from hub.actions.drafts import DraftPart, Written
from hub.models import Account, Post, User
from psn.errors import InvalidInput
from tests.factories import make_account


@pytest.fixture
def ana(me: User) -> Account:
    return make_account(me, handle="ana")


@pytest.fixture
def ben(me: User) -> Account:
    return make_account(me, handle="ben")


def create(*accounts: str, text: str = "Hello", own: dict[str, str] | None = None, **more: bool) -> campaigns.Campaign:
    return campaigns.create_campaign(
        accounts=accounts,
        written=Written([DraftPart(text)], {}),
        own_texts=own or {},
        at=None,
        approve=False,
        **more,
    )


class TestCreateCampaign:
    def test_makes_a_post_for_each_with_its_own_text(self, ana: Account, ben: Account) -> None:
        campaign = create("@ana", "@ben", own={"@ben": "Hi"})
        texts = {variant.account: variant.post and variant.post.parts.get().text for variant in campaign.variants}
        assert texts == {"@ana": "Hello", "@ben": "Hi"}
        assert set(Post.objects.values_list("campaign", flat=True)) == {campaign.id}

    def test_keeps_the_others_when_one_fails(self, ana: Account, ben: Account) -> None:
        campaign = create("@nobody", "@ana", "@ben", own={"@ben": "b" * 281})
        codes = [variant.error and variant.error.error_code for variant in campaign.variants]
        assert codes == ["account.not_found", None, "validation.failed"]
        assert Post.objects.get().account == ana

    def test_rehearses_without_a_trace(self, ana: Account, ben: Account) -> None:
        assert all(variant.post for variant in create("@ana", "@ben", dry_run=True).variants)
        assert Post.objects.count() == 0

    @pytest.mark.parametrize(
        ("accounts", "own"), [(("@ana", "@ana"), {}), (("@ana", "@ben"), {"@cy": "Hi"})], ids=["twice", "stranger"]
    )
    def test_refuses_what_cannot_be_meant(
        self, ana: Account, ben: Account, accounts: tuple[str, ...], own: dict[str, str]
    ) -> None:
        with pytest.raises(InvalidInput):
            create(*accounts, own=own)
        assert Post.objects.count() == 0

    @pytest.mark.parametrize("spelling", ["@ANA", "x:@ana", "{id}", "{ID}"])
    def test_refuses_an_account_that_is_named_twice_in_other_words(self, ana: Account, spelling: str) -> None:
        again = spelling.format(id=ana.id, ID=str(ana.id).upper())
        with pytest.raises(InvalidInput, match="twice"):
            create("@ana", again)
        assert Post.objects.count() == 0

    def test_refuses_an_option_that_no_platform_knows(self, ana: Account) -> None:
        written = Written([DraftPart("Hello")], {"colour": "green"})
        with pytest.raises(InvalidInput, match="colour"):
            campaigns.create_campaign(accounts=["@ana"], written=written, own_texts={}, at=None, approve=False)
