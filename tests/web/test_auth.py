"""Keys of the API: without one nothing is answered, and who brings many wrong ones is told to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import keys
from storage.database import Database
from tests.conftest import Clock
from tests.web.conftest import KEY, Client
from web.auth import Throttle

PATH = "/api/v1/customers"
ON_ONE_ENGINE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def status(client: Client, authorization: str | None) -> int:
    """How a request with this header ends."""
    headers = {} if authorization is None else {"Authorization": authorization}
    async with client.get(PATH, headers=headers) as response:
        return response.status


@ON_ONE_ENGINE
@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", f"Basic {KEY}", KEY, f"Bearer {KEY}x", "Bearer kq_a_b"]
)
async def test_without_a_key_that_stands_nothing_is_answered(stranger: Client, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with stranger.get(PATH, headers=headers) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert response.content_type == "application/problem+json"


@ON_ONE_ENGINE
async def test_even_an_unknown_address_asks_for_a_key(stranger: Client) -> None:
    assert (await stranger.get("/api/v1/nothing")).status == 401


async def test_a_made_key_opens_until_it_is_revoked(stranger: Client, database: Database, clock: Clock) -> None:
    key = await database.write(lambda session: keys.create(session, "Till", clock()))
    assert await status(stranger, f"bearer {key}") == 200
    await database.write(lambda session: keys.revoke(session, key.split("_")[1], clock()))
    assert await status(stranger, f"Bearer {key}") == 401


@ON_ONE_ENGINE
@pytest.mark.parametrize("query", [f"api_key={KEY}", f"access_token={KEY}", "anything=kq_0123_secret"])
async def test_a_key_in_the_address_is_refused(pos: Client, query: str) -> None:
    assert (await pos.get(f"{PATH}?{query}")).status == 400


@ON_ONE_ENGINE
async def test_after_twenty_wrong_keys_a_minute_only_a_right_one_opens(stranger: Client, clock: Clock) -> None:
    assert [await status(stranger, "Bearer wrong") for _ in range(21)] == [401] * 20 + [429]
    async with stranger.get(PATH, headers={"Authorization": "Bearer wrong"}) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "3")
    assert await status(stranger, f"Bearer {KEY}") == 200
    clock.pass_by(seconds=3)
    assert await status(stranger, "Bearer wrong") == 401


@ON_ONE_ENGINE
async def test_a_request_without_a_key_is_not_counted(stranger: Client) -> None:
    assert {await status(stranger, None) for _ in range(30)} == {401}
    assert await status(stranger, "Bearer wrong") == 401


@ON_ONE_ENGINE
async def test_right_keys_are_never_counted(stranger: Client) -> None:
    assert {await status(stranger, f"Bearer {KEY}") for _ in range(30)} == {200}
    assert await status(stranger, "Bearer wrong") == 401


def test_addresses_do_not_share_a_bucket_and_are_forgotten() -> None:
    throttle = Throttle(per_minute=1, addresses=2)
    for address in ("a", "b", "c"):
        throttle.count(address, 0)
    assert [throttle.wait(address, 0) > 0 for address in ("a", "b", "c", "d")] == [False, True, True, False]


@given(st.lists(st.tuples(st.floats(-10, 100), st.booleans()), max_size=80))
def test_no_more_than_a_burst_and_the_pace_have_room(steps: list[tuple[float, bool]]) -> None:
    throttle, now, elapsed, passed = Throttle(per_minute=20), 1000.0, 0.0, 0
    for step, is_wrong in steps:
        now += step
        elapsed += max(step, 0)
        if is_wrong and not throttle.wait("a", now):
            throttle.count("a", now)
            passed += 1
    assert passed <= 20 + elapsed / 3 + 1


@ON_ONE_ENGINE
async def test_without_a_key_a_phone_that_the_shop_knows_is_answered_as_any_other(
    stranger: Client, pos: Client
) -> None:
    await pos.put("/api/v1/customers/KH1", json={"name": "Lan", "phone": "0901234501"})
    said = []
    for phone in ("0901234501", "0901234502"):
        async with stranger.get("/api/v1/loyalty/member", params={"phone": phone}) as response:
            said.append((response.status, (await response.text()).replace(phone, "…")))
    assert said[0] == said[1] and said[0][0] == 401
