"""Several brands on one wire, and the token of a person who manages their Pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from simulator.config import BrandSpec
from simulator.platform import Platform
from tests.simulator.stage import Stage, playing

SECOND = BrandSpec(
    name="Mây Trưa Quận 3", zalo_oa_id="8200300400500600701", messenger_page_id="700100200300401",
    messenger_page_token="the-second-pages-token", zalo_access_token="second-access",
    zalo_refresh_token="second-refresh",
)  # fmt: skip
USER_TOKEN = "the-token-of-a-person"


@pytest.fixture
async def brands() -> AsyncIterator[Stage]:
    """Two brands, and a person who manages both Pages."""
    async with playing(more_brands=(SECOND,), messenger_user_token=USER_TOKEN) as stage:
        yield stage


async def consults(stage: Stage, token: str, brand: Platform) -> int:
    """The error of a message with this token to Lan as this brand knows her."""
    lan = brand.people.known("zalo", "lan")
    assert lan is not None
    body = {"recipient": {"user_id": lan.user_id}, "message": {"text": "Chào"}}
    _, answer = await stage.post("/zalo/v3.0/oa/message/cs", body, access_token=token)
    return int(answer["error"])


async def refreshed(stage: Stage, token: str) -> dict[str, Any]:
    config = stage.platform.config
    form = {"app_id": config.zalo_app_id, "grant_type": "refresh_token", "refresh_token": token}
    headers = {"secret_key": config.zalo_app_secret}
    async with stage.http.post("/zalo-oauth/v4/oa/access_token", data=form, headers=headers) as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def test_a_token_opens_its_own_oa_and_reaches_its_own_people(brands: Stage) -> None:
    first, second = brands.platform.brands
    for token, brand, other in (("second-access", second, first), (first.zalo_tokens.access, first, second)):
        _, answer = await brands.get("/zalo/v2.0/oa/getoa", access_token=token)
        assert (answer["data"]["oaid"], answer["data"]["name"]) == (brand.config.zalo_oa_id, brand.config.brand_name)
        assert await consults(brands, token, brand) == 0
        assert await consults(brands, token, other) == -201
    assert brands.platform.calls_seen == len(brands.platform.journal) == 4
    assert brands.platform.refused_seen == 2


async def test_a_refresh_of_one_oa_leaves_the_other_alone(brands: Stage) -> None:
    first, second = brands.platform.brands
    before = (first.zalo_tokens.access, first.zalo_tokens.refresh)
    pair = await refreshed(brands, "second-refresh")
    assert pair["access_token"] == second.zalo_tokens.access
    assert (first.zalo_tokens.access, first.zalo_tokens.refresh) == before
    assert (await refreshed(brands, "second-refresh"))["error"] == -14020


async def test_time_passes_for_all_brands(brands: Stage) -> None:
    brands.later(hours=25)
    assert [each.now() for each in brands.platform.brands] == [brands.platform.now()] * 2
    assert await consults(brands, "second-access", brands.platform.brands[1]) == -216


async def test_a_pages_token_is_of_no_use_to_another_page(brands: Stage) -> None:
    token = {"access_token": SECOND.messenger_page_token}
    _, me = await brands.get("/graph/v26.0/me", {**token, "fields": "id,name"})
    assert me == {"id": SECOND.messenger_page_id, "name": SECOND.name}
    status, refused = await brands.get(
        f"/graph/v26.0/{brands.platform.config.messenger_page_id}/subscribed_apps", dict(token)
    )
    assert (status, refused["error"]["code"], refused["error"]["error_subcode"]) == (400, 100, 33)


async def trade(stage: Stage, **changes: str) -> tuple[int, Any]:
    config = stage.platform.config
    query = {
        "grant_type": "fb_exchange_token", "client_id": config.messenger_app_id,
        "client_secret": config.messenger_app_secret, "fb_exchange_token": USER_TOKEN,
    }  # fmt: skip
    return await stage.get("/graph/v26.0/oauth/access_token", {**query, **changes})


async def test_a_persons_token_is_traded_and_opens_their_pages_a_sheet_at_a_time(brands: Stage) -> None:
    _, long_lived = await trade(brands)
    brands.later(days=59)
    token = {"access_token": long_lived["access_token"], "limit": "1"}
    _, sheet = await brands.get("/graph/v26.0/me/accounts", token)
    assert [page["id"] for page in sheet["data"]] == [brands.platform.config.messenger_page_id]
    assert "next" in sheet["paging"]
    _, last = await brands.get("/graph/v26.0/me/accounts", {**token, "after": sheet["paging"]["cursors"]["after"]})
    assert [page["access_token"] for page in last["data"]] == [SECOND.messenger_page_token]
    assert "next" not in last["paging"]


async def test_a_persons_token_grows_old_and_is_no_pages(brands: Stage) -> None:
    status, refused = await brands.get("/graph/v26.0/me/subscribed_apps", {"access_token": USER_TOKEN})
    assert (status, refused["error"]["code"]) == (400, 190)
    assert (await trade(brands, client_secret="wrong"))[1]["error"]["code"] == 1
    assert (await trade(brands, client_id="1"))[1]["error"]["code"] == 101
    assert (await trade(brands, fb_exchange_token="nobody's"))[1]["error"]["code"] == 190
    brands.later(hours=1)
    assert (await trade(brands))[1]["error"]["error_subcode"] == 463
    _, refused = await brands.get("/graph/v26.0/me/accounts", {"access_token": USER_TOKEN})
    assert (refused["error"]["code"], refused["error"]["error_subcode"]) == (190, 463)


async def test_no_token_of_a_person_stands_in_the_journal(brands: Stage) -> None:
    _, long_lived = await trade(brands)
    await brands.get("/graph/v26.0/me/accounts", {"access_token": long_lived["access_token"]})
    _, journal = await brands.get("/api/journal")
    secrets = (USER_TOKEN, long_lived["access_token"], SECOND.messenger_page_token)
    assert len(journal) == 2 and not any(secret in str(journal) for secret in secrets)
