"""A foreign program that knows only the published contract: settings, commands, doors, the platforms' send calls.

`python outsider.py KHACHQUEN FOLDER SEED` posts every webhook three times in random order, prints what it saw as JSON.
It imports nothing of the product.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

APP, OA, OA_KEY = "7000000000000000001", "8000000000000000001", "the-oa-key"
PAGE, PAGE_APP, PAGE_SECRET = "600000000000001", "500000000000001", "the-app-secret"
PEOPLE = 4
LINES = 5


class Platforms:
    """A stub of the two send calls: takes whatever has the right token, in a shape that the platforms would take."""

    def __init__(self) -> None:
        self.zalo: list[tuple[str, str]] = []
        self.messenger: list[tuple[str, str]] = []
        self.strange: list[str] = []

    async def zalo_send(self, request: web.Request) -> web.Response:
        body = await request.json()
        if request.headers.get("access_token") != "zalo-token":
            self.strange.append("a Zalo call with another token")
        self.zalo.append((body["recipient"]["user_id"], body["message"]["text"]))
        data = {"message_id": f"z{len(self.zalo)}", "user_id": body["recipient"]["user_id"]}
        return web.json_response({"error": 0, "message": "Success", "data": data})

    async def graph_send(self, request: web.Request) -> web.Response:
        body = await request.json()
        if request.query.get("access_token") != "page-token":
            self.strange.append("a Graph call with another token")
        if "message" in body:
            words = body["message"].get("text") or body["message"]["attachment"]["payload"]["text"]
            self.messenger.append((body["recipient"]["id"], words))
        answer = {"recipient_id": body["recipient"]["id"], "message_id": f"m_{len(self.messenger)}"}
        return web.json_response(answer)

    async def anything(self, request: web.Request) -> web.Response:
        return web.json_response({"error": -201, "message": "no profile here"})

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/zalo/v3.0/oa/message/cs", self.zalo_send)
        app.router.add_post("/graph/v26.0/me/messages", self.graph_send)
        app.router.add_post(f"/graph/v26.0/{PAGE}/messages", self.graph_send)
        app.router.add_route("*", "/{rest:.*}", self.anything)
        return app


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def zalo_event(person: str, number: int, at_ms: int) -> tuple[str, bytes, dict[str, str]]:
    event = {
        "app_id": APP,
        "sender": {"id": person},
        "user_id_by_app": "1" + person,
        "recipient": {"id": OA},
        "event_name": "user_send_text",
        "message": {"text": f"kiểm tra đơn hàng DH{number:05}", "msg_id": f"z{person}{number}"},
        "timestamp": str(at_ms),
    }
    raw = json.dumps(event, ensure_ascii=False).encode()
    mac = hashlib.sha256(APP.encode() + raw + str(at_ms).encode() + OA_KEY.encode()).hexdigest()
    return "zalo", raw, {"X-ZEvent-Signature": f"mac={mac}"}


def messenger_event(person: str, number: int, at_ms: int) -> tuple[str, bytes, dict[str, str]]:
    item = {
        "sender": {"id": person},
        "recipient": {"id": PAGE},
        "timestamp": at_ms,
        "message": {"mid": f"m_{person}{number}", "text": f"kiểm tra đơn hàng DH{number:05}"},
    }
    raw = json.dumps({"object": "page", "entry": [{"id": PAGE, "time": at_ms, "messaging": [item]}]}).encode()
    mac = hmac.new(PAGE_SECRET.encode(), raw, hashlib.sha256).hexdigest()
    return "messenger", raw, {"X-Hub-Signature-256": f"sha256={mac}"}


def settings(folder: Path, stub: str, port: int) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "PYTHONPYCACHEPREFIX")}
    return kept | {
        "DATABASE_URL": f"sqlite:///{folder}/shop.db",
        "DATA_DIR": str(folder),
        "SECRET_KEY": "thirty-two-characters-of-secret!",
        "ZALO_APP_ID": APP,
        "ZALO_APP_SECRET": "the-zalo-app-secret",
        "ZALO_OA_ID": OA,
        "ZALO_OA_SECRET_KEY": OA_KEY,
        "ZALO_ACCESS_TOKEN": "zalo-token",
        "ZALO_REFRESH_TOKEN": "zalo-refresh-token",
        "ZALO_API_URL": f"{stub}/zalo",
        "ZALO_OAUTH_URL": f"{stub}/zalo-oauth",
        "ZALO_BUSINESS_API_URL": f"{stub}/zalo-business",
        "MESSENGER_PAGE_ID": PAGE,
        "MESSENGER_PAGE_TOKEN": "page-token",
        "MESSENGER_APP_ID": PAGE_APP,
        "MESSENGER_APP_SECRET": PAGE_SECRET,
        "MESSENGER_VERIFY_TOKEN": "let-me-in",
        "MESSENGER_GRAPH_URL": f"{stub}/graph/v26.0",
        "ZALO_SENDS_PER_MINUTE": "0",
        "FLOOD_PER_MINUTE": "0",
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }


async def until_ready(http: aiohttp.ClientSession, url: str) -> None:
    for _ in range(300):
        try:
            async with http.get(f"{url}/readyz") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)
    raise TimeoutError("not ready")


async def post(http: aiohttp.ClientSession, url: str, event: tuple[str, bytes, dict[str, str]]) -> int:
    channel, raw, headers = event
    async with http.post(f"{url}/webhooks/{channel}", data=raw, headers=headers) as answer:
        return answer.status


async def round_of_events(http: aiohttp.ClientSession, url: str, number: int, chance: random.Random) -> list[int]:
    """The next line of everybody, each three times, in random order, all at once."""
    at = int(time.time() * 1000)
    events = [zalo_event(f"30000000000000000{person}", number, at) for person in range(PEOPLE)]
    events += [messenger_event(f"70000000000000{person}", number, at) for person in range(PEOPLE)]
    shuffled = events * 3
    chance.shuffle(shuffled)
    return list(await asyncio.gather(*(post(http, url, event) for event in shuffled)))


async def main(command: str, folder: Path, seed: int) -> dict[str, Any]:
    platforms, chance = Platforms(), random.Random(seed)
    runner = web.AppRunner(platforms.app(), access_log=None)
    await runner.setup()
    stub_port, port = free_port(), free_port()
    await web.TCPSite(runner, "127.0.0.1", stub_port).start()
    given = settings(folder, f"http://127.0.0.1:{stub_port}", port)
    migrated = subprocess.run([command, "migrate"], env=given, cwd=folder, capture_output=True, timeout=60)  # noqa: ASYNC221
    serving = await asyncio.create_subprocess_exec(command, "serve", env=given, cwd=folder, stderr=subprocess.DEVNULL)
    url, statuses = f"http://127.0.0.1:{port}", []
    async with aiohttp.ClientSession() as http:
        await until_ready(http, url)
        for number in range(LINES):
            statuses += await round_of_events(http, url, number, chance)
        wanted = PEOPLE * LINES
        for _ in range(200):
            if len(platforms.zalo) >= wanted and len(platforms.messenger) >= wanted:
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        async with http.get(f"{url}/webhooks/messenger", params=hello("let-me-in")) as answer:
            handshake = await answer.text()
        async with http.get(f"{url}/healthz") as answer:
            alive = answer.status
    serving.send_signal(signal.SIGTERM)
    began = time.monotonic()
    status = await asyncio.wait_for(serving.wait(), 15)
    ended = time.monotonic() - began
    await runner.cleanup()
    return {
        "migrate": migrated.returncode, "statuses": sorted(set(statuses)), "posted": len(statuses), "exit": status,
        "seconds_to_end": ended, "zalo": platforms.zalo, "messenger": platforms.messenger,
        "strange": platforms.strange, "handshake": handshake, "alive": alive,
    }  # fmt: skip


def hello(token: str) -> dict[str, str]:
    return {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "4711"}


if __name__ == "__main__":
    found = asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
    sys.stdout.write(json.dumps(found))
