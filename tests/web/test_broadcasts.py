"""Broadcasts in the API: told, paused, resumed, cancelled, and person by person."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy import text as sql
from sqlmodel import Session

from crm import broadcasts, keys, staff
from crm.content import Content
from crm.messages import Message, Purpose
from crm.staff import Role
from storage.database import Database
from tests.conftest import Clock
from tests.crm import sending
from tests.crm.people import born
from tests.crm.shops import AT
from tests.crm.test_care_file import RULE
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
        sending.begin(session, number, clock(), AT)

    number = await database.write(begun)
    one = f"/broadcasts/{number}"
    before = await answer(pos, "GET", one)
    assert (before["state"], before["audience"]) == ("scheduled", None), "nobody was counted yet"
    assert await refused(pos, "POST", f"/api/v1{one}/pause") == (409, ["broadcast"])
    clock.pass_by(hours=1)
    await database.write(frozen)
    report = await answer(pos, "GET", one)
    assert (report["state"], report["people"], report["audience"]) == ("running", {"pending": 2}, 2)
    first = await answer(pos, "GET", f"{one}/recipients?limit=1")
    rest = await answer(pos, "GET", f"{one}/recipients?limit=5&state=pending&cursor={first['next']}")
    listed = [each["external_id"] for each in first["recipients"] + rest["recipients"]]
    assert (len(first["recipients"]), sorted(listed)) == (1, ["C1", "C2"]), "everybody once, in no promised order"
    for code in ("-244", "100/2018001", "http-502", "no_identity"):
        assert (await answer(pos, "GET", f"{one}/recipients?reason={code}"))["recipients"] == [], code
    assert await refused(pos, "GET", f"/api/v1{one}/recipients?reason=%27") == (422, ["reason"])
    steps = [(await answer(pos, "POST", f"{one}/{step}"))["state"] for step in ("pause", "resume", "cancel")]
    assert steps == ["paused", "running", "cancelled"]
    for step in ("pause", "resume", "cancel"):
        assert await refused(pos, "POST", f"/api/v1{one}/{step}") == (409, ["broadcast"])
    assert [each["id"] for each in (await answer(pos, "GET", "/broadcasts"))["broadcasts"]] == [str(number)]
    assert (await refused(pos, "GET", "/api/v1/broadcasts/77"))[0] == 404


async def test_staff_who_wrote_it_are_told_that_a_program_stopped_it(
    pos: Client, database: Database, clock: Clock
) -> None:
    await answer(pos, "PUT", "/customers/C1", {"name": "Lan"})

    def begun(session: Session) -> int:
        hired(session, clock)
        mai, now = staff.named(session, "Mai"), clock()
        text = Content(text="Chào bạn", language="en")
        number = broadcasts.draft(session, "Tết", Purpose.BROADCAST, text, "tatca", f"staff:{mai.id}", now)
        broadcasts.tested(session, number, now)
        broadcasts.schedule(session, number, now, f"staff:{mai.id}", now)
        sending.begin(session, number, now, AT)
        return number

    number = await database.write(begun)
    await answer(pos, "POST", f"/broadcasts/{number}/pause")
    bodies = await database.read(lambda session: session.connection().execute(sql("SELECT body FROM notice")).all())
    (told,) = [Message.loads(body).text for (body,) in bodies]
    assert told.startswith(f"A program (API) paused your broadcast {number} “Tết”.\nSee it: /broadcast {number}")


async def test_nobody_of_an_audience_is_counted_where_others_wait_to_write_or_read(
    pos: Client, database: Database, clock: Clock
) -> None:
    await answer(pos, "PUT", "/customers/C1", {"name": "Lan"})
    await answer(pos, "POST", "/care/rules", {"source": RULE})

    def begun(session: Session) -> int:
        number = broadcasts.draft(session, "Tết", Purpose.BROADCAST, Content("Chào bạn"), "tatca", "cli:Mai", clock())
        broadcasts.tested(session, number, clock())
        broadcasts.schedule(session, number, clock(), "cli:Mai", clock())
        sending.begin(session, number, clock(), AT)
        return number

    one, counted = f"/broadcasts/{await database.write(begun)}", list[str]()

    def note(connection: object, cursor: object, statement: str, *more: object) -> None:
        if "count(" in statement and "FROM recipient" in statement:
            counted.append(threading.current_thread().name.partition("_")[0])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        for step in ("pause", "resume", "cancel"):
            assert (await answer(pos, "POST", f"{one}/{step}"))["people"] == {"pending": 1}
        await answer(pos, "GET", one)
        await answer(pos, "POST", "/care/rules", {"source": RULE})
        for state in ("on", "off"):
            await answer(pos, "PUT", "/care/rules/thanks/state", {"state": state})
        for path in ("", "/thanks", "/thanks/report"):
            await answer(pos, "GET", f"/care/rules{path}")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert counted == ["long-reader"] * 10


TEXT = 'Chào {{ khach.ten or "bạn" }}, mai giảm 20%'
DRAFT: dict[str, Any] = {"name": "Tết", "segment": "sđt", "text": TEXT, "key": "tet-2027"}
"""What the API is told of a new broadcast."""


async def written(pos: Client, **changed: Any) -> str:
    """A new broadcast; its number."""
    return str((await answer(pos, "POST", "/broadcasts", DRAFT | changed))["id"])


def hired(session: Session, clock: Clock) -> None:
    """Mai, who markets and has a chat."""
    mai = staff.add(session, "Mai", Role.MARKETER, clock())
    code = staff.pairing_in(staff.issue_pairing(session, mai.id, clock()))
    staff.pair(session, born(session, clock()), code, clock())


async def test_a_broadcast_is_written_looked_at_tested_and_scheduled(
    pos: Client, database: Database, clock: Clock
) -> None:
    await database.write(lambda session: hired(session, clock))
    await answer(pos, "PUT", "/customers/C1", {"name": "Lan", "phone": "0901234567"})
    made = await answer(pos, "POST", "/broadcasts", DRAFT)
    assert (made["state"], made["segment"], made["text"], made["tested_at"]) == ("draft", "sdt", TEXT, None)
    assert await written(pos) == made["id"]
    one = f"/broadcasts/{made['id']}"
    looked = await answer(pos, "GET", f"{one}/preview")
    assert (looked["people"], looked["cost"], looked["needs_second_person"]) == (1, 0, False)
    assert looked["skips"] == [{"reason": "no_identity", "words": "they are on no channel", "people": 1}]
    at = {"at": "2026-11-24T20:00:00+07:00"}
    assert await refused(pos, "POST", f"/api/v1{one}/schedule", json=at) == (409, ["broadcast"])
    tested = await answer(pos, "POST", f"{one}/test", {"staff": "Mai"})
    assert tested["tested_at"] is not None
    for moment in ("2026-11-22T20:00:00+07:00", "2026-11-24T23:00:00+07:00"):
        assert await refused(pos, "POST", f"/api/v1{one}/schedule", json={"at": moment}) == (422, ["at"])
    for _ in range(2):
        begun = await answer(pos, "POST", f"{one}/schedule", at)
        assert (begun["state"], begun["scheduled_at"]) == ("scheduled", "2026-11-24T13:00:00Z")
    for url in ("http://x", "https://x"):
        body = {"json": {"buttons": [{"title": "Xem", "url": url}]}}
        assert await refused(pos, "PATCH", f"/api/v1{one}", **body) == (422, ["buttons"])
    edited = await answer(pos, "PATCH", one, {"text": "Chào bạn", "buttons": [{"title": "Xem", "url": "https://a.vn"}]})
    assert (edited["state"], edited["tested_at"], edited["name"]) == ("draft", None, "Tết")
    assert edited["buttons"] == [{"title": "Xem", "url": "https://a.vn"}]
    await answer(pos, "POST", f"{one}/test", {"staff": "Mai"})
    await answer(pos, "POST", f"{one}/schedule", at)
    assert (await answer(pos, "POST", f"{one}/unschedule"))["state"] == "draft"


async def test_many_people_need_a_second_key(pos: Client, database: Database, clock: Clock) -> None:
    await database.write(lambda session: hired(session, clock))
    for number in range(3):
        await answer(pos, "PUT", f"/customers/C{number}", {"name": "Lan", "phone": f"090123456{number}"})
    one = f"/broadcasts/{await written(pos)}"
    await answer(pos, "POST", f"{one}/test", {"staff": "Mai"})
    looked = await answer(pos, "GET", f"{one}/preview")
    assert looked["needs_second_person"]
    at = {"at": "2026-11-24T20:00:00+07:00"}
    assert await refused(pos, "POST", f"/api/v1{one}/schedule", json=at) == (409, ["broadcast"])
    own = {"json": {"version": looked["version"]}}
    assert await refused(pos, "POST", f"/api/v1{one}/approve", **own) == (409, ["broadcast"])
    assert await refused(pos, "POST", f"/api/v1{one}/approve", json={}) == (422, ["version"])
    other = await database.write(lambda session: keys.create(session, "ERP", clock()))
    pos.session.headers["Authorization"] = f"Bearer {other}"
    for seen in (looked["version"], (await answer(pos, "GET", one))["version"]):
        assert (await answer(pos, "POST", f"{one}/approve", {"version": seen}))["approved_by"].startswith("key:")
    assert (await answer(pos, "POST", f"{one}/schedule", at))["state"] == "scheduled"


async def test_who_approves_names_what_they_saw(pos: Client, database: Database, clock: Clock) -> None:
    for number in range(3):
        await answer(pos, "PUT", f"/customers/C{number}", {"name": "Lan", "phone": f"090123456{number}"})
    one = f"/broadcasts/{await written(pos)}"
    seen = (await answer(pos, "GET", f"{one}/preview"))["version"]
    await answer(pos, "PATCH", one, {"text": "Chào bạn, mai giảm 90%"})
    other = await database.write(lambda session: keys.create(session, "ERP", clock()))
    pos.session.headers["Authorization"] = f"Bearer {other}"
    for version in (seen, seen.partition("-")[0]):
        assert await refused(pos, "POST", f"/api/v1{one}/approve", json={"version": version}) == (409, ["version"])
    now = (await answer(pos, "GET", f"{one}/preview"))["version"]
    assert (await answer(pos, "POST", f"{one}/approve", {"version": now}))["approved_by"].startswith("key:")


async def test_how_many_were_seen_is_compared_as_of_the_moment_for_which_it_was_looked_at(
    pos: Client, database: Database, clock: Clock
) -> None:
    await database.write(lambda session: hired(session, clock))
    for number in range(14):
        await answer(pos, "PUT", f"/customers/C{number}", {"name": "Lan", "phone": f"09012345{number:02}"})
    new = DRAFT | {"segment": "tao<2ngay"}
    one = f"/broadcasts/{(await answer(pos, 'POST', '/broadcasts', new))['id']}"
    await answer(pos, "POST", f"{one}/test", {"staff": "Mai"})
    other = await database.write(lambda session: keys.create(session, "ERP", clock()))
    own = pos.session.headers["Authorization"]
    pos.session.headers["Authorization"] = f"Bearer {other}"
    seen = (await answer(pos, "GET", f"{one}/preview"))["version"]
    await answer(pos, "POST", f"{one}/approve", {"version": seen})
    pos.session.headers["Authorization"] = own
    await answer(pos, "POST", f"{one}/schedule", {"at": "2026-11-30T20:00:00+07:00"})
    pos.session.headers["Authorization"] = f"Bearer {other}"
    looked = await answer(pos, "GET", f"{one}/preview")
    assert looked["people"] == 0, "they are no new customers any more by then"
    done = await answer(pos, "POST", f"{one}/approve", {"version": looked["version"]})
    assert done["approved_by"].startswith("key:")


async def test_what_cannot_be_sent_is_refused_with_its_field(pos: Client) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"text": "Chào {{ khach.ten }}"}, "text"), ({"text": ""}, "text"), ({"segment": "hagn"}, "segment"),
        ({"picture": "tet.jpg"}, "picture"), ({"name": ""}, "name"), ({"language": "fr"}, "language"),
        ({"buttons": [{"title": "Xem", "url": "shop"}]}, "buttons"),
        ({"templates": [{"channel": "zalo", "template": "777", "to_phone": True}]}, "templates"),
    ]  # fmt: skip
    for changed, field in wrong:
        assert await refused(pos, "POST", "/api/v1/broadcasts", json=DRAFT | changed) == (422, [field])
    await written(pos)
    assert await refused(pos, "POST", "/api/v1/broadcasts", json=DRAFT | {"name": "Khác"}) == (409, ["key"])
    assert (await refused(pos, "PATCH", "/api/v1/broadcasts/77", json={"name": "Tin"}))[0] == 404
