"""Points in the API: looked up, quoted, reserved, spent and given back, each once; what is wrong is named."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from storage import ledger_check
from storage.database import Database
from tests.conftest import Clock
from tests.crm import programme
from tests.web.conftest import Client
from tests.web.test_api import refused

ON_ONE_ENGINE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
LAN = {"name": "Nguyễn Lan", "phone": "090 123 4567"}
ORDER: dict[str, Any] = {
    "customer": "C1", "status": "delivered", "total": 400_000, "version": 1, "code": "DH1",
    "items": [
        {"name": "Cà phê hạt", "quantity": 3, "price": 100_000, "sku": "CF1", "category": "beans"},
        {"name": "Trà sen", "quantity": 2, "price": 50_000},
    ],
    "placed_at": "2026-11-23T10:30:00+07:00", "updated_at": "2026-11-23T10:30:00+07:00",
}  # fmt: skip
API = "/api/v1"


async def answer(client: Client, method: str, path: str, body: object = None) -> dict[str, Any]:
    """What a call that succeeds answers."""
    async with client.request(method, f"{API}{path}", **({"json": body} if body is not None else {})) as response:
        assert response.status == 200, await response.text()
        found: dict[str, Any] = await response.json()
        return found


@pytest.fixture
async def counter(pos: Client, database: Database, clock: Clock) -> Client:
    """A till of a shop with the full programme, whose customer has 75 points that can be spent."""
    start = clock()
    await database.write(lambda session: programme.load(session, programme.FULL, start))
    clock.pass_by(hours=1)
    await answer(pos, "PUT", "/customers/C1", LAN)
    await answer(pos, "PUT", "/orders/pos/A1", ORDER)
    clock.pass_by(days=8)
    return pos


async def test_a_customer_is_looked_up_by_phone_and_by_id(counter: Client) -> None:
    found = await answer(counter, "GET", "/loyalty/member?phone=0901234567")
    assert found == await answer(counter, "GET", "/loyalty/member?customer=C1")
    assert found == await answer(counter, "GET", "/loyalty/customers/C1")
    code = (await answer(counter, "POST", "/loyalty/customers/C1/code"))["code"]
    by_card = await answer(counter, "GET", f"/loyalty/member?code={code[:5].lower()}-{code[5:].lower()}")
    assert by_card == {**found, "code": code}
    assert (found["name"], found["spendable"], found["balance"], found["waiting"]) == ("Nguyễn Lan", 75, 75, [])
    assert found["tier"] == {
        "code": "member", "name": "Thành viên", "next": "silver", "missing_to_next": 1_600_000,
        "next_by": "2026-12-31T17:00:00Z", "missing_to_keep": 0, "keep_by": None,
    }  # fmt: skip


async def test_points_are_reserved_then_spent_or_let_go_each_once(counter: Client, database: Database) -> None:
    asked = {"customer": "C1", "points": 50, "key": "bill 7", "reason": "Ly giữ nhiệt"}
    held = await answer(counter, "POST", "/loyalty/reservations", asked)
    assert held == await answer(counter, "POST", "/loyalty/reservations", asked)
    assert (held["state"], held["expires_at"]) == ("open", "2026-12-01T04:15:00Z")
    quote = await answer(counter, "POST", "/loyalty/quotes", {"customer": "C1", "points": 26})
    assert quote == {"points": 26, "spendable": 25, "possible": False, "left": 0, "lacking": 1}
    path = f"/loyalty/reservations/{held['id']}"
    spent = [await answer(counter, "POST", f"{path}/commit") for _ in range(2)]
    assert [(each["points"], each["spendable"], each["repeated"]) for each in spent] == [
        (-50, 25, False),
        (-50, 25, True),
    ]
    assert (await answer(counter, "GET", path))["redemption"] == spent[0]["id"]
    assert await refused(counter, "POST", f"{API}{path}/cancel") == (409, ["reservation"])
    back = await answer(counter, "POST", f"/loyalty/redemptions/{spent[0]['id']}/cancel")
    assert (back["points"], back["spendable"]) == (50, 75)
    other = await answer(counter, "POST", "/loyalty/reservations", {**asked, "key": "bill 8", "minutes": 1})
    assert (await answer(counter, "POST", f"/loyalty/reservations/{other['id']}/cancel"))["state"] == "cancelled"
    assert await refused(counter, "POST", f"{API}/loyalty/reservations/{other['id']}/commit") == (409, ["reservation"])
    entries = await answer(counter, "GET", "/loyalty/customers/C1/entries?limit=2")
    assert [(each["kind"], each["points"]) for each in entries["entries"]] == [("reinstate", 50), ("redeem", -50)]
    assert await database.read(ledger_check.faults) == []


async def test_a_till_that_sends_twice_at_once_spends_once(counter: Client) -> None:
    body = {"customer": "C1", "points": 75, "key": "bill 9"}
    found = await asyncio.gather(*(answer(counter, "POST", "/loyalty/redemptions", body) for _ in range(8)))
    assert len({each["id"] for each in found}) == 1 and [each["repeated"] for each in found].count(False) == 1
    assert await refused(counter, "POST", f"{API}/loyalty/redemptions", json={**body, "points": 5}) == (409, ["key"])
    assert await refused(counter, "POST", f"{API}/loyalty/redemptions", json={**body, "key": "x"}) == (409, ["points"])


async def test_an_order_is_explained_rule_by_rule_and_the_steps_add_up(counter: Client) -> None:
    refund = {"refunded_at": "2026-11-24T10:00:00+07:00", "lines": [{"item": "CF1", "quantity": 1}]}
    assert [
        (await answer(counter, "PUT", "/orders/pos/A1/refunds/R1", refund))["outcome"] for _ in range(2)
    ] == ["created", "unchanged"]  # fmt: skip
    assert (await answer(counter, "GET", "/orders/pos/A1/refunds"))["left"] == 300_000
    told = await answer(counter, "GET", "/loyalty/orders/pos/A1")
    assert [(step["rule"], step["points"], step["why"]) for step in told["steps"]] == [
        ("base", 30, "fired"), ("beans", 10, "fired"), ("gold", 0, "other_tier"), ("first", 20, "fired"),
    ]  # fmt: skip
    assert told["points"] == sum(step["points"] for step in told["steps"]) == 60
    assert [entry["points"] for entry in told["entries"]] == [75, -15]


async def test_an_event_counts_as_often_as_the_programme_says(
    counter: Client, database: Database, clock: Clock
) -> None:
    more = '[[event]]\nid = "review"\nvi = "đánh giá"\nen = "review"\nevent = "review"\npoints = 5\noften = "month"\n'
    await database.write(lambda session: programme.load(session, programme.FULL + more, clock()))
    body = {"customer": "C1", "event": "review", "key": "review 1"}
    assert await answer(counter, "POST", "/loyalty/events", body) == {"points": 5, "spendable": 80}
    assert await answer(counter, "POST", "/loyalty/events", {**body, "key": "2"}) == {"points": 0, "spendable": 80}
    clock.pass_by(days=31)
    assert await answer(counter, "POST", "/loyalty/events", body) == {"points": 5, "spendable": 85}


SPEND = {"customer": "C1", "points": 5, "key": "k"}
FRIEND = {"customer": "C1", "event": "referral", "key": "k", "friend": "C1"}
REFUND = {"refunded_at": "2026-11-24T10:00:00+07:00", "amount": 10_000}


@ON_ONE_ENGINE
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "fields"),
    [
        ("POST", "/loyalty/redemptions", {**SPEND, "points": 0}, 422, ["points"]),
        ("POST", "/loyalty/redemptions", {**SPEND, "points": -5}, 422, ["points"]),
        ("POST", "/loyalty/redemptions", {**SPEND, "points": 1.5}, 422, ["points"]),
        ("POST", "/loyalty/redemptions", {**SPEND, "points": 10**18}, 422, ["points"]),
        ("POST", "/loyalty/redemptions", {**SPEND, "points": "5"}, 422, ["points"]),
        ("POST", "/loyalty/redemptions", {**SPEND, "currency": "gold"}, 422, ["currency"]),
        ("POST", "/loyalty/redemptions", {**SPEND, "customer": "C9"}, 404, ["customer"]),
        ("POST", "/loyalty/redemptions", {"customer": "C1", "points": 5}, 422, ["key"]),
        ("POST", "/loyalty/reservations", {**SPEND, "minutes": 0}, 422, ["minutes"]),
        ("POST", "/loyalty/reservations", {**SPEND, "points": 76}, 409, ["points"]),
        ("POST", "/loyalty/reservations/12/commit", None, 404, ["reservation"]),
        ("POST", "/loyalty/redemptions/12/cancel", None, 404, ["redemption"]),
        ("POST", "/loyalty/events", {"customer": "C1", "event": "first_order", "key": "k"}, 422, ["event"]),
        ("POST", "/loyalty/events", {"customer": "C1", "event": "wedding", "key": "k"}, 422, ["event"]),
        ("POST", "/loyalty/events", {"customer": "C1", "event": "referred", "key": "k"}, 422, ["event"]),
        ("POST", "/loyalty/events", {"customer": "C1", "event": "referral", "key": "k"}, 422, ["friend"]),
        ("POST", "/loyalty/events", {**FRIEND, "event": "review"}, 422, ["friend"]),
        ("POST", "/loyalty/events", FRIEND, 409, ["friend"]),
        ("POST", "/loyalty/events", {**FRIEND, "friend": "C9"}, 404, ["friend"]),
        ("GET", "/loyalty/member?phone=0909999999", None, 404, ["phone"]),
        ("GET", "/loyalty/member?phone=12", None, 422, ["phone"]),
        ("GET", "/loyalty/member?code=AAAA", None, 404, ["code"]),
        ("GET", "/loyalty/orders/pos/none", None, 404, ["external_id"]),
        ("PUT", "/orders/pos/none/refunds/R1", REFUND, 404, ["external_id"]),
        ("PUT", "/orders/pos/A1/refunds/R1", {**REFUND, "amount": 400_001}, 422, ["amount"]),
        ("PUT", "/orders/pos/A1/refunds/R1", {**REFUND, "amount": -1}, 422, ["amount"]),
        ("PUT", "/orders/pos/A1/refunds/R1", {**REFUND, "amount": 0}, 422, ["amount"]),
        ("PUT", "/orders/pos/A1/refunds/R1", {**REFUND, "amount": 0.5}, 422, ["amount"]),
        ("PUT", "/orders/pos/A1/refunds/R1", {**REFUND, "customer": "C2"}, 422, ["customer"]),
        (
            "PUT", "/orders/pos/A1/refunds/R1", {**REFUND, "lines": [{"item": "CF1", "quantity": 4}]}, 422,
            ["lines.0.quantity"],
        ),
        ("PUT", "/orders/pos/A1/refunds/R1", {**REFUND, "refunded_at": "1999-01-01T00:00:00Z"}, 422, ["refunded_at"]),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_refused_by_name_and_nothing_is_done(
    counter: Client, method: str, path: str, body: object, status: int, fields: list[str]
) -> None:
    request = {} if body is None else {"json": body}
    assert await refused(counter, method, f"{API}{path}", **request) == (status, fields)
    assert (await answer(counter, "GET", "/loyalty/customers/C1"))["balance"] == 75


@ON_ONE_ENGINE
async def test_who_stands_there_is_said_in_one_way(counter: Client) -> None:
    for query in ("", "?customer=C1&phone=0901234567"):
        async with counter.get(f"{API}/loyalty/member{query}") as response:
            assert response.status == 422


@ON_ONE_ENGINE
async def test_a_number_that_two_customers_have_names_nobody(counter: Client) -> None:
    await answer(counter, "PUT", "/customers/C2", LAN)
    assert await refused(counter, "GET", f"{API}/loyalty/member?phone=0901234567") == (409, ["phone"])
