"""Vouchers in the API: taken, checked, reserved, redeemed, released; each once, and what is wrong is named."""

from __future__ import annotations

import io
from base64 import b64decode
from typing import Any

import pytest
from PIL import Image

from bot.drawing.card import SIZE
from crm import codes
from crm.vouchers import GUESSES
from storage.database import Database
from tests.conftest import Clock
from tests.crm.rewards import member, open_shop
from tests.web.conftest import Client
from tests.web.test_api import refused
from tests.web.test_loyalty import answer


@pytest.fixture
async def counter(pos: Client, database: Database, clock: Clock) -> Client:
    """A till of a shop with rewards, where C1 has 60 points and C2 none."""
    await database.write(lambda session: open_shop(session, clock()))
    await database.write(lambda session: member(session, "C1", 60, clock()))
    await answer(pos, "PUT", "/customers/C2", {"name": "Minh"})
    return pos


async def take(counter: Client, key: str = "wish") -> dict[str, Any]:
    """A coffee for 30 points."""
    return await answer(counter, "POST", "/vouchers", {"customer": "C1", "reward": "coffee", "key": key})


async def test_a_voucher_is_taken_reserved_redeemed_and_released_once(counter: Client) -> None:
    voucher = await take(counter)
    assert await take(counter) == {**voucher, "repeated": True}
    code = {"code": voucher["code"]}
    found = await answer(counter, "POST", "/vouchers/check", {"code": voucher["code"].lower(), "customer": "C1"})
    assert (found["state"], found["customer"], found["uses"], found["left"]) == ("usable", "C1", 1, 1)
    sale = {**code, "key": "bill 1"}
    steps = ("reserve", "reserve", "redeem", "redeem", "release", "release")
    done = [await answer(counter, "POST", f"/vouchers/{step}", sale) for step in steps]
    assert [each["state"] for each in done] == ["reserved"] * 2 + ["redeemed"] * 2 + ["released"] * 2
    assert [each["repeated"] for each in done] == [False, True] * 3
    assert (await answer(counter, "POST", "/vouchers/cancel", code))["state"] == "cancelled"
    wallet = await answer(counter, "GET", "/loyalty/customers/C1/vouchers")
    assert wallet["vouchers"] == [] and wallet["stamp_cards"][0]["of"] == 9
    offers = await answer(counter, "GET", "/loyalty/customers/C1/rewards")
    assert offers["spendable"] == 60
    assert {each["reward"]: each["why"] for each in offers["rewards"]} == {
        "gold": "other_tier", "last": "open", "off": "open", "coffee": "open",
    }  # fmt: skip


async def test_points_that_a_voucher_was_had_for_come_back_only_with_the_voucher(counter: Client) -> None:
    voucher = await take(counter)
    (paid, *_) = (await answer(counter, "GET", "/loyalty/customers/C1/entries"))["entries"]
    undo = f"/loyalty/redemptions/{paid['id']}/cancel"
    assert await refused(counter, "POST", f"/api/v1{undo}") == (409, ["redemption"])
    await answer(counter, "POST", "/vouchers/cancel", {"code": voucher["code"]})
    assert await refused(counter, "POST", f"/api/v1{undo}") == (409, ["redemption"])
    spent = await answer(counter, "POST", "/loyalty/redemptions", {"customer": "C1", "points": 5, "key": "wish"})
    assert (await answer(counter, "POST", f"/loyalty/redemptions/{spent['id']}/cancel"))["points"] == 5
    assert (await answer(counter, "GET", "/loyalty/customers/C1"))["spendable"] == 60


async def test_what_is_wrong_is_named_and_nothing_is_done(counter: Client) -> None:
    code = (await take(counter))["code"]
    slip = code[:-1] + codes.ALPHABET[codes.ALPHABET.index(code[-1]) - 1]
    await answer(counter, "POST", "/vouchers/redeem", {"code": code, "key": "bill 1"})
    for path, body, expected in (
        ("redeem", {"code": slip, "key": "bill 2"}, (422, ["code"])),
        ("redeem", {"code": codes.new(12), "key": "bill 2"}, (404, ["code"])),
        ("redeem", {"code": code, "key": "bill 2"}, (409, ["code"])),
        ("redeem", {"code": code, "key": "bill 2", "customer": "C2"}, (409, ["customer"])),
        ("redeem", {"code": code, "key": "bill 2", "customer": "C9"}, (404, ["customer"])),
        ("reserve", {"code": code, "key": "bill 2", "minutes": 0}, (422, ["minutes"])),
        ("release", {"code": code, "key": "bill 2"}, (404, ["key"])),
        ("cancel", {"code": code}, (409, ["code"])),
    ):
        assert await refused(counter, "POST", f"/api/v1/vouchers/{path}", json=body) == expected, (path, body)
    for body, expected in (
        ({"customer": "C2", "reward": "coffee", "key": "k"}, (409, ["points"])),
        ({"customer": "C1", "reward": "none", "key": "k"}, (404, ["reward"])),
        ({"customer": "C2", "reward": "coffee", "key": "wish"}, (409, ["key"])),
    ):
        assert await refused(counter, "POST", "/api/v1/vouchers", json=body) == expected, body
    assert (await answer(counter, "GET", "/loyalty/customers/C1"))["balance"] == 30


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_key_that_guesses_codes_is_told_of_none(counter: Client, clock: Clock) -> None:
    code = (await take(counter))["code"]
    for _ in range(GUESSES):
        assert (await refused(counter, "POST", "/api/v1/vouchers/check", json={"code": codes.new(12)}))[0] == 404
    assert await refused(counter, "POST", "/api/v1/vouchers/check", json={"code": code}) == (429, ["code"])
    clock.pass_by(hours=1)
    assert (await answer(counter, "POST", "/vouchers/check", {"code": code}))["state"] == "usable"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_voucher_is_drawn_with_its_code_and_for_nobody_elses(counter: Client) -> None:
    code = (await take(counter))["code"]
    drawn = await answer(counter, "POST", "/vouchers/picture", {"code": code, "locale": "en"})
    picture = b64decode(drawn["base64"])
    assert (drawn["content_type"], Image.open(io.BytesIO(picture)).size) == ("image/png", SIZE)
    again = await answer(counter, "POST", "/vouchers/picture", {"code": code, "locale": "en", "customer": "C1"})
    assert again == drawn
    foreign = {"code": code, "customer": "C2"}
    assert await refused(counter, "POST", "/api/v1/vouchers/picture", json=foreign) == (409, ["customer"])
