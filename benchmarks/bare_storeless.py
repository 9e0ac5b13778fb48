"""The bare bot without storage: verify, answer 200, reply through one shared client session. A practical anchor."""

from __future__ import annotations

import argparse
import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator

from aiohttp import ClientSession, TCPConnector, web
from yarl import URL

from benchmarks import page

REPLY = "Chào bạn! Mình giúp được gì cho bạn?"


class Speaker:
    """The bot's voice: one client session for the life of the application, and what is said in the background."""

    _session: ClientSession

    def __init__(self, graph_url: str) -> None:
        self._url = URL(f"{graph_url}/me/messages?access_token={page.PAGE_TOKEN}")
        self._tasks: set[asyncio.Task[object]] = set()

    async def connected(self, _: web.Application) -> AsyncIterator[None]:
        """Hold the session open while the application runs."""
        async with ClientSession(connector=TCPConnector(limit=0)) as self._session:
            yield

    async def send(self, psid: str) -> str:
        """Send the reply and return the platform's message id."""
        body = {"recipient": {"id": psid}, "messaging_type": "RESPONSE", "message": {"text": REPLY}}
        headers = {"Content-Type": "application/json"}
        async with self._session.post(self._url, data=json.dumps(body).encode(), headers=headers) as answer:
            return str(json.loads(await answer.read())["message_id"])

    def later(self, saying: Coroutine[None, None, object]) -> None:
        """Run it without making the caller wait."""
        task = asyncio.create_task(saying)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def is_signed(request: web.Request, body: bytes) -> bool:
    """Whether the body carries the Page's signature."""
    return hmac.compare_digest(request.headers.get("X-Hub-Signature-256", ""), page.signature(body))


def messages(body: bytes) -> Iterator[tuple[str, str, str]]:
    """Who wrote what: (psid, mid, text) of every text message of a webhook."""
    for entry in json.loads(body)["entry"]:
        for event in entry["messaging"]:
            yield event["sender"]["id"], event["message"]["mid"], event["message"]["text"]


async def ready(_: web.Request) -> web.Response:
    """A bare bot is ready once it listens."""
    return web.Response()


def application(speaker: Speaker, accept: Callable[[str, str, str], Awaitable[None]]) -> web.Application:
    """The whole bot: verify, `accept(psid, mid, text)` each message, answer 200."""

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        if not is_signed(request, body):
            return web.Response(status=403)
        for psid, mid, text in messages(body):
            await accept(psid, mid, text)
        return web.Response()

    app = web.Application()
    app.router.add_post(page.WEBHOOK_PATH, receive)
    app.router.add_get(page.READY_PATH, ready)
    app.cleanup_ctx.append(speaker.connected)
    return app


def serve(app: web.Application, port: int) -> None:
    """Serve until SIGTERM."""
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


def main() -> None:
    """Accept by replying."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--graph-url", required=True)
    options = parser.parse_args()
    speaker = Speaker(options.graph_url)

    async def accept(psid: str, _mid: str, _text: str) -> None:
        speaker.later(speaker.send(psid))

    serve(application(speaker, accept), options.port)


if __name__ == "__main__":
    main()
