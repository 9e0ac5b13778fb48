"""The control API: speaking, the journal, people, the clock, the live feed; and scripted faults."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from simulator.app import create_app
from tests.simulator.stage import CONFIG, Json, Stage, playing


async def test_unknown_people_are_made_and_keep_their_ids(stage: Stage) -> None:
    await stage.say("zalo", person="Trâm", text="Chào")
    await stage.say("messenger", person="Trâm", text="Chào")
    await stage.say("messenger", person="7412580369147258", text="Chào")
    first, second, third = stage.heard
    assert first.body["sender"]["id"] != second.event["sender"]["id"]
    assert third.event["sender"]["id"] == "7412580369147258"
    names = [person["name"] for person in (await stage.get("/api/people"))[1]]
    assert names == ["Nguyễn Thị Lan", "Trần Quang Minh", "Trâm", "Khách 7258"]
    async with playing() as other:
        await other.say("zalo", person="Trâm", text="Chào")
        assert other.heard[0].body["sender"] == first.body["sender"]


async def test_people_are_found_by_id_name_and_channel_id(stage: Stage) -> None:
    for who in ("lan", "nguyễn thị lan", stage.contact("zalo").user_id):
        await stage.say("zalo", person=who, text="Chào")
    assert {webhook.body["sender"]["id"] for webhook in stage.heard} == {stage.contact("zalo").user_id}


@pytest.mark.parametrize(
    "told",
    [
        {"channel": "viber", "person": "lan", "text": "a"},
        {"channel": "zalo", "text": "a"},
        {"channel": "zalo", "person": "lan"},
        {"channel": "zalo", "person": "lan", "text": ""},
        {"channel": "zalo", "person": "lan", "image": "data:image/png;base64,***"},
        {"channel": "zalo", "person": "lan", "location": {"latitude": "north"}},
        ["zalo"],
    ],
)
async def test_what_cannot_be_said_is_refused_in_words(stage: Stage, told: object) -> None:
    status, answer = await stage.post("/api/say", told)
    assert (status, answer["ok"]) == (400, False)
    assert answer["error"]
    assert stage.heard == []


async def test_the_journal_lists_calls_after_a_number(stage: Stage) -> None:
    await stage.consult({"text": "Một"})
    await stage.send({"text": "Hai"})
    await stage.send({"text": ""})
    _, calls = await stage.get("/api/journal")
    assert [(call["n"], call["channel"], call["text"]) for call in calls] == [
        (1, "zalo", "Một"),
        (2, "messenger", "Hai"),
    ]
    first = calls[0]
    assert set(first) == {
        "n", "at", "channel", "kind", "path", "person", "name", "user_id", "text", "message_id", "request", "response",
    }  # fmt: skip
    assert first["path"] == "/zalo/v3.0/oa/message/cs"
    assert (first["person"], first["name"]) == ("lan", "Nguyễn Thị Lan")
    assert first["request"]["message"] == {"text": "Một"}
    assert first["response"]["message_id"] == first["message_id"]
    assert [call["n"] for call in (await stage.get("/api/journal", {"since": 1}))[1]] == [2]
    await stage.http.delete("/api/journal")
    await stage.consult({"text": "Ba"})
    assert [call["n"] for call in (await stage.get("/api/journal", {"since": 0}))[1]] == [3]
    assert (await stage.get("/api/journal", {"since": 3}))[1] == []


async def test_the_journal_waits_for_the_next_call(stage: Stage) -> None:
    waiting = asyncio.create_task(stage.get("/api/journal", {"since": 0, "wait": 10}))
    await asyncio.sleep(0)
    await stage.consult({"text": "Một"})
    _, calls = await waiting
    assert [call["text"] for call in calls] == ["Một"]
    assert (await stage.get("/api/journal", {"since": 1, "wait": 0.01}))[1] == []


async def test_the_journal_keeps_no_token(stage: Stage) -> None:
    tokens = stage.platform.zalo_tokens
    form = {"app_id": stage.platform.config.zalo_app_id, "grant_type": "refresh_token", "refresh_token": tokens.refresh}
    secret = {"secret_key": stage.platform.config.zalo_app_secret}
    old = tokens.refresh
    async with stage.http.post("/zalo-oauth/v4/oa/access_token", data=form, headers=secret):
        pass
    await stage.send({"text": "Chào"}, access_token=stage.platform.config.messenger_page_token)
    async with stage.http.get("/api/journal") as answer:
        text = await answer.text()
    kept = [old, tokens.access, tokens.refresh, stage.platform.config.messenger_page_token]
    assert [token for token in kept if token in text] == []


async def test_the_clock_can_be_moved(stage: Stage) -> None:
    _, answer = await stage.post("/api/clock", {"offset_s": 86400})
    assert answer["now"] == "2026-11-21T05:00:00+00:00"
    assert (await stage.send({"text": "Chào"}))[1]["error"]["error_subcode"] == 2018278


async def test_the_state_counts_webhooks_and_refusals(stage: Stage) -> None:
    await stage.say("zalo", text="Chào")
    await stage.consult({"text": ""})
    _, state = await stage.get("/api/state")
    assert state["webhooks"] == {"delivered": 1, "failed": 0, "given_up": 0, "waiting": 0}
    assert (state["accepted"], state["refused"]) == (0, 1)
    assert state["last_refused"][0]["error"]["error"] == -201


async def test_the_live_feed_shows_lines_and_ticks(stage: Stage) -> None:
    async with stage.http.get("/api/events") as feed:
        assert feed.content_type == "text/event-stream"
        await feed.content.readline()
        await stage.say("zalo", text="Chào")
        await stage.consult({"text": "Dạ"})
        seen: list[Json] = []
        while not any(event["type"] == "call" for event in seen):
            line = await asyncio.wait_for(feed.content.readline(), 5)
            if line.startswith(b"data: "):
                seen.append(json.loads(line[6:]))
    texts = [event["line"]["text"] for event in seen if event["type"] == "line"]
    ticks = [event["line"]["tick"] for event in seen if event["type"] == "change"]
    assert texts == ["Chào", "Dạ"]
    assert ticks == ["delivered", "seen"]


async def test_an_open_page_does_not_keep_the_simulator_from_stopping() -> None:
    server = TestServer(create_app(CONFIG))
    await server.start_server()
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(b"GET /api/events HTTP/1.1\r\nHost: simulator\r\n\r\n")
    await reader.readuntil(b": welcome")
    async with asyncio.timeout(5):
        await server.close()
    writer.close()


async def script(stage: Stage, **fault: object) -> None:
    status, answer = await stage.post("/api/faults", [fault])
    assert status == 200, answer


ZALO = {"host": "zalo", "path": "message/cs"}


async def test_a_status_fault_hits_as_often_as_it_says(stage: Stage) -> None:
    await script(stage, match={"host": "graph"}, fault="status", status=503, retry_after=7, after=1, times=2)
    token = stage.platform.config.messenger_page_token
    body = {"recipient": {"id": stage.contact("messenger").user_id}, "message": {"text": "Chào"}, "access_token": token}
    seen = []
    for _ in range(4):
        async with stage.http.post("/graph/v26.0/me/messages", json=body) as answer:
            seen.append((answer.status, answer.headers.get("Retry-After")))
    assert seen == [(200, None), (503, "7"), (503, "7"), (200, None)]
    assert len(stage.platform.journal) == 2


async def test_a_code_fault_speaks_the_hosts_own_language(stage: Stage) -> None:
    await script(stage, match=ZALO, fault="code", code=-32)
    await script(stage, match={"host": "graph"}, fault="code", code=613, subcode=1996)
    await script(stage, match={"host": "zalo-oauth"}, fault="code", code=-14020)
    assert (await stage.consult({"text": "Chào"}))["error"] == -32
    status, answer = await stage.send({"text": "Chào"})
    assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (400, 613, 1996)
    async with stage.http.post("/zalo-oauth/v4/oa/access_token", data={}) as oauth:
        told = await oauth.json()
    assert (oauth.status, told["error"], "error_name" in told) == (200, -14020, True)
    assert (await stage.consult({"text": "Chào"}))["error"] == 0


async def test_a_fault_can_be_kept_for_one_person(stage: Stage) -> None:
    await stage.say("zalo", person="minh", text="Chào")
    await script(stage, match={**ZALO, "person": "minh"}, fault="code", code=-244)
    assert (await stage.consult({"text": "Chào"}))["error"] == 0
    assert (await stage.consult({"text": "Chào"}, "minh"))["error"] == -244


@pytest.mark.parametrize(("fault", "accepted"), [("reset", 0), ("lost_response", 1), ("half_body", 1), ("hang", 0)])
async def test_a_broken_connection(stage: Stage, fault: str, accepted: int) -> None:
    await script(stage, match=ZALO, fault=fault, seconds=0.01)
    with pytest.raises(aiohttp.ClientError):
        await stage.consult({"text": "Chào"})
    assert len(stage.platform.journal) == accepted
    assert (await stage.consult({"text": "Chào"}))["error"] == 0


async def test_a_lost_response_is_still_echoed() -> None:
    async with playing(echoes=True) as stage:
        await script(stage, match={"host": "graph"}, fault="lost_response")
        with pytest.raises(aiohttp.ClientError):
            await stage.send({"text": "Chào", "metadata": "outbox:1"})
        (echo,) = await stage.quiet()
    assert echo.event["message"]["metadata"] == "outbox:1"


async def test_a_gateway_page_is_html(stage: Stage) -> None:
    await script(stage, fault="html_502")
    async with stage.http.post("/graph/v26.0/me/messages", json={}) as answer:
        assert (answer.status, answer.content_type) == (502, "text/html")


async def test_an_expired_token_stays_expired_until_it_is_refreshed(stage: Stage) -> None:
    await script(stage, match=ZALO, fault="token_expired")
    token = {"access_token": stage.platform.zalo_tokens.access}
    first = await stage.post("/zalo/v3.0/oa/message/cs", {}, **token)
    second = await stage.get("/zalo/v2.0/oa/getoa", **token)
    assert (first[1]["error"], second[1]["error"]) == (-216, -216)
    assert (await stage.zalo_get("v2.0/oa/getoa"))["error"] == 0


@pytest.mark.parametrize("fault", [{"fault": "earthquake"}, {"fault": "status", "match": {"host": "viber"}}, {}])
async def test_a_script_that_makes_no_sense_is_refused(stage: Stage, fault: Json) -> None:
    assert (await stage.post("/api/faults", [fault]))[0] == 400
    assert stage.platform.faults.calls == []


async def test_faults_can_be_called_off(stage: Stage) -> None:
    await script(stage, fault="status", times=100)
    await stage.http.delete("/api/faults")
    assert (await stage.consult({"text": "Chào"}))["error"] == 0


async def test_a_webhook_may_come_twice(stage: Stage) -> None:
    await script(stage, match={"channel": "zalo"}, fault="duplicate")
    await stage.say("zalo", text="Chào")
    first, second = await stage.quiet()
    assert first.raw == second.raw


async def test_webhooks_may_come_in_the_wrong_order(stage: Stage) -> None:
    await script(stage, fault="reorder", seconds=10)
    await stage.say("zalo", text="Một")
    await stage.say("zalo", text="Hai")
    assert [webhook.body["message"]["text"] for webhook in await stage.until(2)] == ["Hai", "Một"]


async def test_a_webhook_may_be_late(stage: Stage) -> None:
    await script(stage, fault="delay", seconds=0.05)
    loop = asyncio.get_running_loop()
    start = loop.time()
    await stage.say("zalo", text="Chào")
    assert loop.time() - start >= 0.05
