"""Points by hand in the API: once for a key, above the limit by two, with who did it; frozen and freed."""

from __future__ import annotations

import pytest

from crm import adjustments, staff
from crm.errors import Conflict
from crm.staff import Role
from storage import audit
from storage.database import Database
from tests.conftest import Clock
from tests.web.conftest import Client
from tests.web.test_api import refused
from tests.web.test_loyalty import answer, counter

__all__ = ["counter"]

ONE = "/loyalty/customers/C1"
GIVES = {"customer": "C1", "points": 50, "reason": "quà xin lỗi", "by": "Mai", "key": "k1"}


async def test_points_by_hand_are_given_once_and_it_is_known_by_whom(counter: Client, database: Database) -> None:
    for _ in range(2):
        done = await answer(counter, "POST", "/loyalty/adjustments", GIVES)
        assert (done["state"], done["spendable"], done["adjustment"]) == ("written", 125, None)
    taken = await answer(counter, "POST", "/loyalty/adjustments", {**GIVES, "points": -20, "key": "k2"})
    assert taken["spendable"] == 105
    noted = [(each.action, each.surface, each.details) for each in await database.read(audit.latest)]
    assert noted == [("points", "api", "-20 by Mai"), ("points", "api", "+50 by Mai")]
    entries = (await answer(counter, "GET", f"{ONE}/entries"))["entries"]
    assert [(each["kind"], each["points"], each["reason"]) for each in entries[:2]] == [
        ("adjust", -20, "quà xin lỗi"), ("adjust", 50, "quà xin lỗi"),
    ]  # fmt: skip


async def test_above_the_limit_a_second_person_must_agree_who_is_no_key_of_the_api(
    counter: Client, database: Database, clock: Clock
) -> None:
    mai = await database.write(lambda session: staff.add(session, "Mai", Role.LEAD, clock()).id)
    for _ in range(2):
        asked = await answer(counter, "POST", "/loyalty/adjustments", {**GIVES, "points": 501})
        assert (asked["state"], asked["spendable"]) == ("waiting", 75)
    number = int(asked["adjustment"])
    with pytest.raises(Conflict, match="Somebody else"):
        await database.write(lambda session: adjustments.approve(session, number, f"staff:{mai}", clock()).id)
    await database.write(lambda session: adjustments.approve(session, number, "cli:Hoa", clock()).id)
    found = await answer(counter, "GET", f"/loyalty/adjustments/{number}")
    assert (found["state"], found["spendable"]) == ("approved", 576)
    (noted,) = await database.read(audit.latest)
    assert (noted.action, noted.staff_id, noted.surface) == ("points.ask", mai, "api")


async def test_frozen_points_are_nobodys_until_they_are_freed(counter: Client) -> None:
    assert (await answer(counter, "POST", f"{ONE}/freeze", {"reason": "nghi gian lận", "by": "Mai"}))["frozen"] is True
    spend = {"customer": "C1", "points": 5, "key": "bill"}
    assert await refused(counter, "POST", "/api/v1/loyalty/redemptions", json=spend) == (409, ["customer"])
    assert (await answer(counter, "POST", f"{ONE}/unfreeze", {"by": "Mai"}))["frozen"] is False
    assert (await answer(counter, "POST", "/loyalty/redemptions", spend))["spendable"] == 70


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_no_adjustment_is_refused_by_name(counter: Client) -> None:
    for change, expected in (
        ({"points": 0}, (422, ["points"])),
        ({"points": 1.5}, (422, ["points"])),
        ({"points": 10**10}, (422, ["points"])),
        ({"points": -76}, (409, ["points"])),
        ({"reason": " "}, (422, ["reason"])),
        ({"by": ""}, (422, ["by"])),
        ({"customer": "C9"}, (404, ["customer"])),
    ):
        body = {**GIVES, **change}
        assert await refused(counter, "POST", "/api/v1/loyalty/adjustments", json=body) == expected, change
    assert await refused(counter, "GET", "/api/v1/loyalty/adjustments/9") == (404, ["adjustment"])
    assert await refused(counter, "POST", f"/api/v1{ONE}/freeze", json={"by": "Mai"}) == (422, ["reason"])
    assert (await answer(counter, "GET", ONE))["spendable"] == 75
