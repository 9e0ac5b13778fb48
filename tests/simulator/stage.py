"""A running simulator, the bot's place beside it, and hands to call both over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from simulator.app import create_app
from simulator.config import PersonSpec, SimulatorConfig
from simulator.people import Contact
from simulator.platform import PLATFORM, Platform

Json = dict[str, Any]
NOON = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
LAN = PersonSpec(id="lan", name="Nguyễn Thị Lan", phone="0901234501", hours_ago=1)
MINH = PersonSpec(id="minh", name="Trần Quang Minh", phone="0901234502")
CONFIG = SimulatorConfig(
    people=(LAN, MINH), clock=lambda: NOON, receipts=False, echoes=False, retry_ladder_s=(0.01, 0.01, 0.01)
)


@dataclass
class Heard:
    """One webhook as it came over the wire."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Json:
        return json.loads(self.raw)

    @property
    def event(self) -> Json:
        """Messenger: the only event of the only entry."""
        (entry,) = self.body["entry"]
        (event,) = entry.get("messaging") or entry["standby"]
        return event


@dataclass
class Stage:
    """Everything a test needs."""

    platform: Platform
    http: ClientSession
    heard: list[Heard]
    answers: list[int]
    news: asyncio.Event

    async def until(self, count: int) -> list[Heard]:
        """The webhooks once there are `count` of them."""
        async with asyncio.timeout(5):
            while len(self.heard) < count:
                self.news.clear()
                await self.news.wait()
        return self.heard

    def contact(self, channel: str, who: str = "lan") -> Contact:
        found = self.platform.people.known(channel, who)
        assert found is not None
        return found

    def later(self, **much: float) -> None:
        self.platform.offset += timedelta(**much)

    async def post(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        async with self.http.post(path, json=body, headers=headers) as answer:
            return answer.status, json.loads(await answer.read())

    async def get(self, path: str, params: Json | None = None, **headers: str) -> tuple[int, Any]:
        async with self.http.get(path, params=params, headers=headers) as answer:
            return answer.status, json.loads(await answer.read())

    def token(self) -> str:
        """A living Zalo token; a new pair where time has killed the old one."""
        tokens, now = self.platform.zalo_tokens, self.platform.now()
        return tokens.access if tokens.state(tokens.access, now) == "valid" else tokens.issue(now)[0]

    async def zalo(self, path: str, body: Any) -> Json:
        """A POST to the openapi host with the living token; Zalo always answers 200."""
        status, answer = await self.post(f"/zalo/{path}", body, access_token=self.token())
        assert status == 200
        return answer

    async def zalo_get(self, path: str, data: Json | None = None) -> Json:
        params = {"data": json.dumps(data)} if data is not None else None
        status, answer = await self.get(f"/zalo/{path}", params, access_token=self.token())
        assert status == 200
        return answer

    async def consult(self, message: Any, who: str = "lan") -> Json:
        user_id = self.contact("zalo", who).user_id
        return await self.zalo("v3.0/oa/message/cs", {"recipient": {"user_id": user_id}, "message": message})

    async def graph(self, path: str, body: Any, method: str = "POST") -> tuple[int, Any]:
        params = {"access_token": self.platform.config.messenger_page_token}
        async with self.http.request(method, f"/graph/v26.0/{path}", params=params, json=body) as answer:
            return answer.status, json.loads(await answer.read())

    async def graph_get(self, path: str, **params: str) -> tuple[int, Any]:
        token = self.platform.config.messenger_page_token
        return await self.get(f"/graph/v26.0/{path}", {"access_token": token, **params})

    async def send(self, message: Any, who: str = "lan", **more: Any) -> tuple[int, Any]:
        psid = self.contact("messenger", who).user_id
        body = {"recipient": {"id": psid}, "messaging_type": "RESPONSE", "message": message, **more}
        return await self.graph("me/messages", body)

    async def say(self, channel: str, **what: Any) -> Json:
        status, answer = await self.post("/api/say", {"channel": channel, "person": "lan", **what})
        assert status == 200, answer
        return answer

    async def quiet(self) -> list[Heard]:
        """All webhooks so far, once none is on its way."""
        await self.platform.courier.idle()
        return self.heard


@asynccontextmanager
async def playing(**changes: Any) -> AsyncIterator[Stage]:
    """A simulator with a bot that takes every webhook, or answers the statuses in `stage.answers` first."""
    heard: list[Heard] = []
    answers: list[int] = []
    news = asyncio.Event()

    async def take(request: web.Request) -> web.Response:
        heard.append(Heard(request.path, dict(request.headers), await request.read()))
        news.set()
        return web.Response(status=answers.pop(0) if answers else 200)

    bot = web.Application()
    bot.router.add_post("/webhooks/{channel}", take)
    app = create_app(replace(CONFIG, **changes))
    async with TestServer(bot) as bot_server, TestServer(app) as server:
        app[PLATFORM].set_bot_url(str(bot_server.make_url("")))
        async with ClientSession(str(server.make_url(""))) as http:
            yield Stage(app[PLATFORM], http, heard, answers, news)
