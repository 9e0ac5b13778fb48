"""Processes of the product that die and come back, platforms that write down what they took, a sender that insists."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
from aiohttp.test_utils import TestServer
from sqlalchemy import text
from sqlmodel import Session

from simulator import messenger_events, speech, zalo_events
from simulator.app import create_app
from simulator.config import SimulatorConfig
from simulator.people import MESSENGER, ZALO
from simulator.platform import PLATFORM, Platform
from simulator.webhooks_out import messenger_bytes, messenger_signature, zalo_bytes, zalo_mac
from storage import engines
from tests.pipeline.stage import environment
from tests.trials.product import HOST, Fork, quick

ROOT = Path(__file__).resolve().parents[2]
SPEED = 5.0
START_S = 30.0
QUIET_S = 90.0
COMMAND = Path(sys.executable).with_name("khachquen")
CODE = re.compile(r"DH\d{5}")


@dataclass(slots=True)
class Product:
    """One process of the product."""

    role: str
    port: int
    process: asyncio.subprocess.Process | Fork | None = None

    async def start(self, given: dict[str, str], fault: str = "", *, true_time: bool = False) -> float:
        """Start it and wait until it answers; the seconds that took. It may die of its fault before.

        With `true_time` it is the installed command itself, on the true clock.
        """
        began = time.monotonic()
        env = {**os.environ, **given, "FAULT": fault}
        if true_time:
            command = (str(COMMAND), self.role, "--host", HOST, "--port", str(self.port))
            devnull = asyncio.subprocess.DEVNULL
            self.process = await asyncio.create_subprocess_exec(*command, env=env, cwd=ROOT, stderr=devnull)
        else:
            self.process = Fork(self.role, self.port, env)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as http:
            while self.process.returncode is None and time.monotonic() - began < START_S:
                try:
                    async with http.get(f"http://{HOST}:{self.port}/healthz"):
                        return time.monotonic() - began
                except (aiohttp.ClientError, TimeoutError):
                    await asyncio.sleep(0.05)
        return time.monotonic() - began

    def kill(self) -> None:
        """`kill -9`."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()

    def signal(self, number: int) -> None:
        """Stop it, or let it go on."""
        assert self.process is not None
        os.kill(self.process.pid, number)

    async def died(self, seconds: float) -> bool:
        """Whether it dies within so many seconds."""
        assert self.process is not None
        try:
            await asyncio.wait_for(self.process.wait(), seconds)
        except TimeoutError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Sent:
    """One event that a platform has to tell: its code is in the person's words and in the answer to them."""

    code: str
    channel: str
    person: str
    raw: bytes
    headers: dict[str, str]


@dataclass(slots=True)
class Rig:
    """The platforms, the processes, and what was accepted."""

    platform: Platform
    given: dict[str, str]
    url: str
    http: aiohttp.ClientSession
    doors: list[int] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    accepted: list[Sent] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _turns: itertools.count[int] = field(default_factory=itertools.count)

    def product(self, role: str = "serve") -> Product:
        """One more process; a worker's port is nobody's door."""
        made = Product(role, free_port())
        self.products.append(made)
        if role != "worker":
            self.doors.append(made.port)
            self.platform.set_bot_url(f"http://{HOST}:{made.port}")
        return made

    def event(self, channel: str, person: str) -> Sent:
        """A person asks for an order by a code of its own."""
        code = f"DH{next(self._numbers):05}"
        contact = self.platform.people.meet(channel, person, self.platform.now())
        speech.touch(self.platform, contact)
        config, now = self.platform.config, self.platform.now()
        if channel == ZALO:
            message = {"text": f"kiểm tra đơn hàng {code}", "msg_id": code}
            body = zalo_events.from_person(config, contact, "user_send_text", message, now)
            raw = zalo_bytes(body)
            signature = zalo_mac(config.zalo_app_id, raw, body["timestamp"], config.zalo_oa_secret_key)
            return Sent(code, channel, person, raw, {"X-ZEvent-Signature": signature})
        message = {"mid": f"m_{code}", "text": f"kiểm tra đơn hàng {code}"}
        raw = messenger_bytes(messenger_events.from_person(config, contact, "message", message, now))
        signature = messenger_signature(raw, config.messenger_app_secret)
        return Sent(code, channel, person, raw, {"X-Hub-Signature-256": signature})

    async def deliver(self, event: Sent, patience_s: float = 120.0) -> None:
        """Post until it is taken, as the platforms do."""
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            status = await self.post(event)
            if status == 200:
                self.accepted.append(event)
                return
            await asyncio.sleep(0.1)
        raise TimeoutError(f"{event.code} was never taken: {self.refused}")

    async def post(self, event: Sent) -> int | None:
        """One try at one of the doors; the status, None for no answer."""
        url = f"http://{HOST}:{self.doors[next(self._turns) % len(self.doors)]}/webhooks/{event.channel}"
        status: int | None = None
        try:
            async with self.http.post(url, data=event.raw, headers=event.headers) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            status = None
        if status != 200:
            self.refused[str(status or "no answer")] += 1
        return status

    def journal(self) -> Counter[str]:
        """How often the platforms took an answer, by its code."""
        return Counter(code for call in self.platform.journal if call.message_id for code in CODE.findall(call.text))

    async def quiet(self) -> None:
        """Wait until everything that was accepted has its end; TimeoutError where nothing ends for QUIET_S."""
        until, fewest = time.monotonic() + QUIET_S, self.unfinished()
        while time.monotonic() < until:
            left = self.unfinished()
            if not left and not self.platform.courier.tally.waiting:
                return
            if left < fewest:
                until, fewest = time.monotonic() + QUIET_S, left
            await asyncio.sleep(0.3)
        raise TimeoutError(f"still unfinished: {self.unfinished()}, {self.platform.courier.tally}")

    def unfinished(self) -> int:
        """Events that wait, messages that wait or are on their way, and unknown ones that are still looked for."""
        return self.ask(
            "SELECT (SELECT count(*) FROM inbox WHERE state = 'waiting') + (SELECT count(*) FROM outbox "
            "WHERE state IN ('waiting', 'sending') OR (state = 'unknown' AND ready_at < '9000-01-01'))"
        )[0][0]

    def ask(self, query: str) -> list[tuple[int, ...]]:
        """Rows of a query, straight from the database."""
        engine = engines.reader(self.url, 1)
        try:
            with engine.connect() as connection, Session(bind=connection) as session:
                return [tuple(row) for row in session.connection().execute(text(query))]
        finally:
            engine.dispose()

    def write(self, change: Callable[[Session], object]) -> None:
        """Change the database as another process would, in one transaction."""
        engine = engines.writer(self.url, "OFF")
        try:
            with engine.connect() as connection, connection.begin(), Session(bind=connection) as session:
                change(session)
                session.flush()
        finally:
            engine.dispose()

    def figures(self) -> Figures:
        """What became of everything."""
        journal = self.journal()
        codes = {event.code for event in self.accepted}
        ((effects, bot, customer, dead, unknown, resent),) = self.ask(
            "SELECT (SELECT count(*) FROM message WHERE author = 'customer'),"
            " (SELECT count(*) FROM message WHERE author = 'bot'),"
            " (SELECT count(DISTINCT text) FROM message WHERE author = 'customer'),"
            " (SELECT count(*) FROM inbox WHERE state = 'dead') + (SELECT count(*) FROM outbox WHERE state = 'dead'),"
            " (SELECT count(*) FROM outbox WHERE state = 'unknown'),"
            " (SELECT count(*) FROM outbox WHERE resent)"
        )
        return Figures(
            accepted=len(codes),
            lost=len(codes) - customer,
            told_twice=effects - customer,
            answers=bot,
            unanswered=len(codes - set(journal)),
            said_twice=sum(count - 1 for code, count in journal.items()),
            resent=resent,
            unknown=unknown,
            dead=dead,
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """What a trial must show: nothing lost, nothing told twice, and nothing said twice that was not resent in doubt."""

    accepted: int
    lost: int
    told_twice: int
    answers: int
    unanswered: int
    said_twice: int
    resent: int
    unknown: int
    dead: int

    def check(self) -> None:
        """AssertionError where an invariant is broken."""
        assert self.accepted > 0
        assert (self.lost, self.told_twice, self.dead) == (0, 0, 0), self
        assert self.answers == self.accepted, self
        assert self.unanswered <= self.unknown, self
        assert self.said_twice <= self.resent, self


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def rigged(url: str, *, speed: float = SPEED, **settings: str) -> AsyncIterator[Rig]:
    """Platforms and a sender; processes are started by the trial, and killed at its end."""
    start = time.time()
    clock = quick(speed, start)
    config = replace(SimulatorConfig(), clock=clock, receipts=False, retry_ladder_s=(0.2, 0.5, 1, 1, 2, 2, 5, 5, 5))
    simulator = create_app(config)
    with TemporaryDirectory(prefix="khachquen-trial-") as folder:
        async with TestServer(simulator, host=HOST) as played:
            told = Path(folder) / "products.log"
            base = str(played.make_url("")).rstrip("/")
            simulator[PLATFORM].media.base_url = base
            more = {"FLOOD_PER_MINUTE": "0", "SPEED": str(speed), "START": str(start), **settings}
            given = environment(config, base, url, TOLD=str(told), **more)
            timeout = aiohttp.ClientTimeout(total=5)
            async with aiohttp.ClientSession(timeout=timeout) as http:
                rig = Rig(simulator[PLATFORM], given, url, http)
                try:
                    yield rig
                except Exception as error:
                    error.add_note(_errors(told))
                    raise
                finally:
                    for product in rig.products:
                        product.kill()
                        if product.process is not None:
                            await product.process.wait()


def _errors(told: Path) -> str:
    """The last errors that the products logged."""
    lines = told.read_text("utf-8", "replace").splitlines() if told.exists() else []
    errors = [line for line in lines if '"level": "error"' in line]
    return "\n".join(["what the products logged as errors:", *errors[-5:]])


CHANNELS = (ZALO, MESSENGER)
