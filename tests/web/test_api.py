"""The API of the POS: what it tells is kept once, what it asks is answered, what is wrong is named."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from openapi_spec_validator import validate

from tests.web.conftest import Client
from web.app import OPERATIONS

LAN = {"name": "Nguyễn Lan", "phone": "090 123 4567", "email": "lan@example.vn", "birthday": "1990-02-03", "version": 3}
ORDER: dict[str, Any] = {
    "customer": "C1",
    "status": "delivered",
    "total": 255_000,
    "items": [
        {"name": "Trà sen", "quantity": 2, "price": 120_000, "sku": "TS", "category": "trà"},
        {"name": "Cân", "quantity": 0.5, "price": 30_000, "sku": "", "category": ""},
    ],
    "placed_at": "2026-11-01T09:00:00+07:00",
    "version": 2,
    "code": "DH 001",
}
ON_ONE_ENGINE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what is refused before any engine is asked."""

CUSTOMER = "/api/v1/customers/C1"
ONE_ORDER = "/api/v1/orders/pos/A1"


async def told(client: Client, path: str, body: object) -> str:
    """The outcome of a PUT that is accepted."""
    async with client.put(path, json=body) as response:
        assert response.status == 200, await response.text()
        return str((await response.json())["outcome"])


async def refused(client: Client, method: str, path: str, **request: Any) -> tuple[int, list[str]]:
    """The status and the fields of a problem, after a look at its form."""
    async with client.request(method, path, **request) as response:
        problem = await response.json(content_type="application/problem+json")
        assert set(problem) == {"type", "title", "status", "detail", "errors"}
        assert problem["status"] == response.status
        return response.status, [error["field"] for error in problem["errors"]]


async def test_a_customer_is_kept_and_given_back(pos: Client) -> None:
    assert [await told(pos, CUSTOMER, LAN) for _ in range(2)] == ["created", "unchanged"]
    customer = await (await pos.get(CUSTOMER)).json()
    assert {key: customer[key] for key in LAN} == {**LAN, "phone": "+84901234567"}
    assert customer["created_at"].endswith("Z")


async def test_older_news_is_told_to_be_stale(pos: Client) -> None:
    await told(pos, CUSTOMER, LAN)
    assert await told(pos, CUSTOMER, {**LAN, "version": 2, "name": "Cũ"}) == "stale"
    await told(pos, ONE_ORDER, ORDER)
    assert await told(pos, ONE_ORDER, {**ORDER, "version": 1, "customer": "nobody yet"}) == "stale"
    assert (await pos.get("/api/v1/customers/nobody%20yet")).status == 404


async def test_a_name_has_one_form_however_it_was_typed(pos: Client) -> None:
    await told(pos, CUSTOMER, {"name": "Nguye\u0302\u0303n"})
    assert (await (await pos.get(CUSTOMER)).json())["name"] == "Nguyễn"


async def test_an_order_is_kept_and_given_back(pos: Client) -> None:
    assert [await told(pos, ONE_ORDER, ORDER) for _ in range(2)] == ["created", "unchanged"]
    order = await (await pos.get(ONE_ORDER)).json()
    assert {key: order[key] for key in ORDER} == {**ORDER, "placed_at": "2026-11-01T02:00:00Z"}
    assert (order["source"], order["external_id"]) == ("pos", "A1")


async def test_the_time_of_a_change_may_stand_for_a_version(pos: Client) -> None:
    timed = {key: value for key, value in ORDER.items() if key != "version"}
    later = {**timed, "updated_at": "2026-11-02T09:00:00+07:00", "status": "returned"}
    assert await told(pos, ONE_ORDER, later) == "created"
    assert await told(pos, ONE_ORDER, {**timed, "updated_at": "2026-11-02T01:59:59Z"}) == "stale"


async def test_points_follow_a_delivered_order(pos: Client) -> None:
    await told(pos, ONE_ORDER, ORDER)
    points = await (await pos.get(f"{CUSTOMER}/points")).json()
    assert points["balance"] == 25
    assert [(entry["points"], entry["kind"], entry["reason"]) for entry in points["entries"]] == [
        (25, "earn", "#DH 001")
    ]


async def test_many_tills_that_tell_the_same_earn_once(pos: Client) -> None:
    outcomes = await asyncio.gather(*(told(pos, ONE_ORDER, ORDER) for _ in range(12)))
    assert sorted(outcomes) == ["created"] + ["unchanged"] * 11
    assert (await (await pos.get(f"{CUSTOMER}/points")).json())["balance"] == 25


async def test_a_code_for_the_receipt_is_good_for_thirty_days(pos: Client) -> None:
    await told(pos, CUSTOMER, LAN)
    code = await (await pos.post(f"{CUSTOMER}/link-code")).json()
    assert len(code["code"]) == 8 and code["expires_at"] == "2026-12-23T03:00:00Z"


@pytest.mark.parametrize("path", [CUSTOMER, f"{CUSTOMER}/points", ONE_ORDER, "/api/v1/orders?customer=C1"])
async def test_the_unknown_is_not_found(pos: Client, path: str) -> None:
    assert (await refused(pos, "GET", path))[0] == 404


async def test_nobody_gets_a_code_for_an_unknown_customer(pos: Client) -> None:
    assert (await refused(pos, "POST", f"{CUSTOMER}/link-code"))[0] == 404


async def test_lists_are_walked_without_gap_or_repeat(pos: Client) -> None:
    for number in range(5):
        await told(pos, f"/api/v1/orders/pos/A{number}", {**ORDER, "customer": f"C{number % 2}"})
    for path, name, expected in (
        ("/api/v1/customers?limit=1", "customers", ["C0", "C1"]),
        ("/api/v1/orders?limit=2", "orders", ["A0", "A1", "A2", "A3", "A4"]),
        ("/api/v1/orders?limit=2&customer=C1", "orders", ["A1", "A3"]),
    ):
        seen, cursor = [], "0"
        while cursor is not None:
            page = await (await pos.get(f"{path}&cursor={cursor}")).json()
            seen += [row["external_id"] for row in page[name]]
            cursor = page["next"]
        assert seen == expected


@pytest.mark.parametrize("external_id", ["a%2Fb", "KH%20001", "%C4%90H%231", "%25"])
async def test_ids_may_hold_any_printable_letter(pos: Client, external_id: str) -> None:
    path = f"/api/v1/customers/{external_id}"
    await told(pos, path, {"name": "Lan"})
    assert (await pos.get(path)).status == 200


@ON_ONE_ENGINE
@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"name": None}, ["name"]),
        ({"name": 5}, ["name"]),
        ({"name": "a\x00b"}, ["name"]),
        ({"name": " \u00a0 "}, ["name"]),
        ({"name": "a" * 201}, ["name"]),
        ({"phone": "12"}, ["phone"]),
        ({"phone": 901234567}, ["phone"]),
        ({"email": "nobody"}, ["email"]),
        ({"birthday": "1990-02-30"}, ["birthday"]),
        ({"birthday": "631152000"}, ["birthday"]),
        ({"version": -1}, ["version"]),
        ({"version": 2**63}, ["version"]),
        ({"version": 1.5}, ["version"]),
        ({"version": True}, ["version"]),
        ({"nickname": "x"}, ["nickname"]),
        ({"name": "", "phone": "12", "version": "1"}, ["name", "phone", "version"]),
    ],
)
async def test_a_wrong_field_of_a_customer_is_named(pos: Client, change: dict[str, object], fields: list[str]) -> None:
    assert await refused(pos, "PUT", CUSTOMER, json={**LAN, **change}) == (422, fields)


@ON_ONE_ENGINE
async def test_a_wrong_field_is_told_in_plain_words(pos: Client) -> None:
    answer = await pos.put(CUSTOMER, json={**LAN, "phone": "12", "birthday": "3/2/1990"})
    words = {error["field"]: error["message"] for error in (await answer.json())["errors"]}
    assert words == {"phone": "is not a phone number", "birthday": "must be a day written as 1990-02-03"}


@ON_ONE_ENGINE
@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"status": "lost"}, ["status"]),
        ({"total": -1}, ["total"]),
        ({"total": 10**30}, ["total"]),
        ({"total": "5"}, ["total"]),
        ({"total": 10.5}, ["total"]),
        ({"items": [{"name": "a", "quantity": 0, "price": 1}]}, ["items.0.quantity"]),
        ({"items": [ORDER["items"][0], {}]}, ["items.1.name", "items.1.quantity", "items.1.price"]),
        ({"items": ORDER["items"] * 300}, ["items"]),
        ({"placed_at": "2026-11-01T09:00:00"}, ["placed_at"]),
        ({"placed_at": "0001-01-01T00:00:00+14:00"}, ["placed_at"]),
        ({"placed_at": 1_700_000_000}, ["placed_at"]),
        ({"placed_at": "1700000000"}, ["placed_at"]),
        ({"version": None}, ["version"]),
        ({"customer": ""}, ["customer"]),
    ],
)
async def test_a_wrong_field_of_an_order_is_named(pos: Client, change: dict[str, object], fields: list[str]) -> None:
    assert await refused(pos, "PUT", ONE_ORDER, json={**ORDER, **change}) == (422, fields)


@ON_ONE_ENGINE
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("limit=1&limit=2", "limit"),
        ("cursor=-1", "cursor"), ("cursor=%D9%A1", "cursor"), ("colour=red", "colour"), ("customer=", "customer"),
    ],
)  # fmt: skip
async def test_a_wrong_word_in_the_address_is_named(pos: Client, query: str, field: str) -> None:
    assert await refused(pos, "GET", f"/api/v1/orders?{query}") == (422, [field])


@pytest.mark.parametrize("external_id", ["a%00b", "%0A", "a" * 129])
async def test_an_id_that_cannot_be_kept_is_refused(pos: Client, external_id: str) -> None:
    path = f"/api/v1/customers/{external_id}"
    assert await refused(pos, "PUT", path, json={"name": "Lan"}) == (422, ["external_id"])


@ON_ONE_ENGINE
@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 40_000, 400),
        (b'{"name": "\\ud800"}', 400),
        (b'{"name": "\xff"}', 400),
        ('{"name": "a"}'.encode("utf-16"), 400),
        (b'{"name": "a", "version": ' + b"9" * 5000 + b"}", 400),
        (b'{"name": "a", "version": NaN}', 422),
        (b'{"name": "a", "version": Infinity}', 422),
        (b'{"name": "a", "version": 1e999}', 422),
        (b"null", 422),
        (b"[]", 422),
        (b'"x"', 422),
        (b" " * 300_000, 413),
    ],
)
async def test_a_body_that_is_no_customer_is_refused_and_harms_nothing(pos: Client, raw: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    assert (await refused(pos, "PUT", CUSTOMER, data=raw, headers=headers))[0] == status
    assert (await pos.get(CUSTOMER)).status == 404


@ON_ONE_ENGINE
async def test_an_endless_body_is_cut_off(pos: Client) -> None:
    async def endless() -> Any:
        for _ in range(300):
            yield b" " * 1000

    headers = {"Content-Type": "application/json"}
    assert (await refused(pos, "PUT", CUSTOMER, data=endless(), headers=headers))[0] == 413


@ON_ONE_ENGINE
@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "application/octet-stream"])
async def test_another_media_type_is_refused(pos: Client, media: str) -> None:
    assert await refused(pos, "PUT", CUSTOMER, data=b"{}", headers={"Content-Type": media}) == (415, [])


@ON_ONE_ENGINE
async def test_an_unknown_address_and_method_are_problems_too(pos: Client) -> None:
    assert (await refused(pos, "GET", "/api/v1/nothing"))[0] == 404
    assert (await refused(pos, "DELETE", CUSTOMER))[0] == 405
    async with pos.delete(CUSTOMER) as response:
        assert response.headers["Allow"] == "GET,PUT"


async def test_a_database_that_does_not_answer_is_503(pos: Client, database: Any) -> None:
    await database.close()
    async with pos.put(CUSTOMER, json=LAN) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "2")


@ON_ONE_ENGINE
async def test_the_description_is_valid_openapi_and_open_to_all(stranger: Client) -> None:
    async with stranger.get("/api/v1/openapi.json") as response:
        described = await response.json()
    validate(described)
    assert described["openapi"].startswith("3.1")
    assert set(described["paths"]) == {f"/api/v1{each.path}" for each in OPERATIONS}
