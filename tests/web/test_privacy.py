"""Consent and personal data in the API."""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

import pytest

from crm import consent, customers, privacy
from crm.privacy import Kind
from storage.database import Database
from tests.conftest import Clock
from tests.web.conftest import Client
from tests.web.test_api import refused
from tests.web.test_loyalty import answer

TERMS = {
    "text": "Tôi đồng ý …",
    "content": "ưu đãi",
    "method": "tin nhắn",
    "form": "chữ",
    "frequency": "3 tin mỗi tuần",
}
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.fixture
async def customer(database: Database, clock: Clock) -> int:
    """A customer whom the POS calls C1."""
    return await database.write(lambda session: customers.known(session, "C1", clock()))


async def test_a_yes_at_the_till_is_kept_with_its_proof(pos: Client, customer: int, clock: Clock) -> None:
    said = {"granted": True, "at": clock().isoformat(), "wording": "phiếu 12", "terms": TERMS}
    kept = await answer(pos, "POST", "/customers/C1/consent", said)
    (word,) = kept["words"]
    assert (word["purpose"], word["covers"], word["way"], word["wording"]) == (
        "marketing",
        None,
        "elsewhere",
        "phiếu 12",
    )
    assert {name: word["terms"][name] for name in TERMS} == TERMS
    assert await answer(pos, "GET", "/customers/C1/consent") == kept


async def test_a_yes_of_somebody_who_took_it_back_is_refused(
    pos: Client, customer: int, database: Database, clock: Clock
) -> None:
    await database.write(lambda session: consent.stop(session, customer, at=clock()))
    said = {"granted": True, "at": clock().isoformat()}
    assert (await refused(pos, "POST", "/api/v1/customers/C1/consent", json=said))[0] == 409


async def test_requests_are_listed_answered_done_and_carried_out(
    pos: Client, customer: int, database: Database, clock: Clock
) -> None:
    for kind in (Kind.SEE, Kind.ERASE):
        ask = partial(privacy.ask, customer_id=customer, kind=kind, now=clock(), zone=ZONE)
        await database.write(lambda session, ask=ask: ask(session) is None)
    listed = (await answer(pos, "GET", "/privacy/requests"))["requests"]
    assert [(each["kind"], each["customer"]) for each in listed] == [("see", "C1"), ("erase", "C1")]
    see, erase = (f"/privacy/requests/{each['number']}" for each in listed)
    held = await answer(pos, "GET", "/customers/C1/data")
    assert [row["external_id"] for row in held["held"]["customer"]] == ["C1"]
    assert (await answer(pos, "POST", f"{see}/answer"))["answered"]
    assert (await answer(pos, "POST", f"{see}/done", {"outcome": "gửi bản in"}))["state"] == "done"
    assert (await refused(pos, "POST", f"/api/v1{erase}/done", json={}))[0] == 409
    done = await answer(pos, "POST", f"{erase}/done", {"erase": True})
    assert (done["state"], done["customer"]) == ("done", None)
    assert (await refused(pos, "GET", "/api/v1/customers/C1"))[0] == 404
    assert (await refused(pos, "POST", f"/api/v1{erase}/refuse", json={"why": "x"}))[0] == 409
    assert len((await answer(pos, "GET", "/privacy/requests?state=all"))["requests"]) == 2
