"""Broadcasts in the API: told, paused, resumed, cancelled, and person by person."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session

from crm import broadcasts, freezing
from crm.content import Content
from crm.messages import Purpose
from storage.database import Database
from tests.conftest import Clock
from tests.crm.shops import AT
from tests.web.conftest import Client
from tests.web.test_api import refused
from tests.web.test_loyalty import answer


async def test_a_broadcast_is_told_paused_resumed_and_cancelled(pos: Client, database: Database, clock: Clock) -> None:
    for name in ("C1", "C2"):
        await answer(pos, "PUT", f"/customers/{name}", {"name": name})

    def begun(session: Session) -> int:
        wording, now = Content(text="Chào bạn"), clock()
        number = broadcasts.draft(session, "Tết", Purpose.BROADCAST, wording, "tatca", "cli:Mai", now)
        broadcasts.tested(session, number, now)
        broadcasts.schedule(session, number, now + timedelta(hours=1), "cli:Mai", now)
        return number

    def frozen(session: Session) -> None:
        broadcasts.start(session, number, clock())
        planned = freezing.plan(session, number, AT)
        assert planned is not None
        while freezing.step(session, number, planned, 100) is not None:
            pass
        broadcasts.frozen(session, number, "d", clock())

    number = await database.write(begun)
    one = f"/broadcasts/{number}"
    assert (await answer(pos, "GET", one))["state"] == "scheduled"
    assert await refused(pos, "POST", f"/api/v1{one}/pause") == (409, ["broadcast"])
    clock.pass_by(hours=1)
    await database.write(frozen)
    report = await answer(pos, "GET", one)
    assert (report["state"], report["people"], report["audience"]) == ("running", {"pending": 2}, 2)
    first = await answer(pos, "GET", f"{one}/recipients?limit=1")
    rest = await answer(pos, "GET", f"{one}/recipients?limit=5&state=pending&cursor={first['next']}")
    assert [each["external_id"] for each in first["recipients"] + rest["recipients"]] == ["C1", "C2"]
    steps = [(await answer(pos, "POST", f"{one}/{step}"))["state"] for step in ("pause", "resume", "cancel")]
    assert steps == ["paused", "running", "cancelled"]
    assert [each["id"] for each in (await answer(pos, "GET", "/broadcasts"))["broadcasts"]] == [str(number)]
    assert (await refused(pos, "GET", "/api/v1/broadcasts/77"))[0] == 404
