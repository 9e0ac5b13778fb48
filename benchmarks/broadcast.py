"""How fast a broadcast goes out to a stub of the platform, beside a bare client that posts the same bodies.

`python -m benchmarks.broadcast 100000` prints one line of JSON; stub, bare client and product are processes.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import aiohttp
import uvloop
from sqlalchemy import select
from sqlmodel import Session

import main
from benchmarks import page, process
from benchmarks.measure import _free_ports
from benchmarks.systems import ROOT
from benchmarks.wire import Framed, _ok
from bot.channels.base import Outgoing
from bot.channels.messenger import sender
from bot.settings import Settings
from crm import broadcast_clock, broadcasts, content, freezing
from crm.caps import Caps
from crm.content import Content
from crm.events import Address
from crm.lawful import LawfulHours
from crm.messages import Purpose
from crm.segments import AsOf
from crm.verdicts import Policy
from storage import customers, engines, migrate
from storage.broadcasts import RUNNING
from storage.columns import new_id
from storage.consent import ConsentEntry, ConsentStanding
from storage.hot import Fetch
from storage.queue import stands
from storage.recipients import OPEN, Recipient

_recipient = Recipient.__table__  # type: ignore[attr-defined]

_OPEN = Fetch(lambda _among: select(_recipient.c.id).where(stands(_recipient.c.state, *OPEN)).limit(1))
BARE_IN_FLIGHT = 50
TEXT = 'Chào {{ khach.ten or "bạn" }}, cuối tuần này giảm 20% cho mọi đơn từ 300.000đ. Ghé cửa hàng nhé!'
TEN_IN_HANOI = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


class Stub(Framed):
    """Takes every message at once, and remembers whom it was for."""

    met: ClassVar[dict[str, int]] = {}

    def message(self, head: bytes, body: bytes) -> None:
        """Answer as the platform does."""
        if not head.startswith(b"POST"):
            twice = sum(count - 1 for count in self.met.values())
            self.write(_ok(json.dumps({"people": len(self.met), "twice": twice}).encode()))
            self.met.clear()
            return
        start = body.index(b'"id":"') + 6
        who = body[start : body.index(b'"', start)].decode()
        count = self.met[who] = self.met.get(who, 0) + 1
        self.write(_ok(b'{"recipient_id":"%b","message_id":"m_%b_%d"}' % (who.encode(), who.encode(), count)))


async def stub(port: int) -> None:
    """Listen until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


async def bare(port: int, people: int) -> dict[str, float]:
    """Post the same bodies with nothing else to do."""
    url = f"http://127.0.0.1:{port}{page.GRAPH_PATH}/me/messages"
    bodies = iter([_body(number) for number in range(people)])
    gc.collect()
    gc.freeze()

    async def post(session: aiohttp.ClientSession) -> None:
        for body in bodies:
            async with session.post(url, data=body, headers={"Content-Type": "application/json"}) as answer:
                await answer.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        began, used = time.monotonic(), time.process_time()
        await asyncio.gather(*(post(session) for _ in range(BARE_IN_FLIGHT)))
        return {"seconds": time.monotonic() - began, "cpu_s": time.process_time() - used}


def _body(number: int) -> bytes:
    values = {"khach": {"ten": f"Khách {number}"}}
    words = Content(TEXT)
    said = content.message(words, content.text(words, Purpose.BROADCAST, values))
    to = Address("messenger", page.PAGE_ID, page.psid(number))
    return sender.encode(Outgoing(to, said, "standard", f"kq:{new_id()}"))


async def product(port: int, people: int, url: str) -> dict[str, float]:
    """Send the broadcast that waits in this database, and measure from the moment at which it runs."""
    offset = TEN_IN_HANOI - datetime.now(UTC)

    def clock() -> datetime:
        return datetime.now(UTC) + offset

    sys.setswitchinterval(main.SWITCH_INTERVAL_S)
    async with main.compose(_settings(port, url), clock, doors=False) as (service, _):
        main.calm_collector()
        database = service.database
        state, is_open = "", True
        while state not in (RUNNING, broadcasts.FINISHED):
            await asyncio.sleep(0.01)
            state = await database.read(_state)
        began, used = time.monotonic(), time.process_time()
        resident = process.resident_bytes(_pid())
        while is_open:
            await asyncio.sleep(0.05)
            is_open = await database.read(_is_open)
        seconds, cpu = time.monotonic() - began, time.process_time() - used
        told = await database.read(partial(broadcasts.report, broadcast_id=1))
        grown = (process.resident_bytes(_pid()) - resident) / 1e6
    return {"seconds": seconds, "cpu_s": cpu, "grown_mb": grown, "sent": told.people.get("sent", 0)}


def _pid() -> int:
    return int(Path("/proc/self").resolve().name)


def _state(session: Session) -> str:
    return broadcasts.state(session, broadcasts.get(session, 1))


def _is_open(session: Session) -> bool:
    """By a look that costs next to nothing, so that it may be taken often."""
    return bool(_OPEN.rows(session.connection()))


def _settings(port: int, url: str) -> Settings:
    given = {
        "DATABASE_URL": url, "SECRET_KEY": "a secret key for benchmarks only", "MESSENGER_PAGE_ID": page.PAGE_ID,
        "MESSENGER_PAGE_TOKEN": page.PAGE_TOKEN, "MESSENGER_APP_ID": page.APP_ID,
        "MESSENGER_APP_SECRET": page.APP_SECRET, "MESSENGER_VERIFY_TOKEN": page.VERIFY_TOKEN,
        "MESSENGER_GRAPH_URL": f"http://127.0.0.1:{port}{page.GRAPH_PATH}", "MESSENGER_SENDS_PER_SECOND": "0",
        "BROADCAST_ALONE": "0",
    }  # fmt: skip
    return Settings.from_env(None, given)


def prepare(url: str, people: int, now: datetime = TEN_IN_HANOI, first: int = 0) -> None:
    """People who wrote an hour ago and want news, numbered from `first`, and a broadcast to all of them that is due."""
    migrate.upgrade(url)
    engine = engines.writer(url, "OFF")
    with engine.connect() as connection, connection.begin(), Session(bind=connection) as session:
        for start in range(first, first + people, 5000):
            _add(session, range(start, min(start + 5000, first + people)), now)
        found = broadcasts.draft(session, "bench", Purpose.BROADCAST, Content(TEXT), "tatca", "cli", now)
        broadcasts.tested(session, found, now)
        broadcasts.schedule(session, found, now, "cli", now)
        session.flush()
    engine.dispose()


def begin(url: str, zone: ZoneInfo, now: datetime) -> None:
    """Freeze the audience of the broadcast that is due, so that it runs from the first moment on."""
    engine = engines.writer(url, "OFF")
    with engine.connect() as connection, connection.begin(), Session(bind=connection) as session:
        policy = Policy(Caps(), LawfulHours(zone))
        broadcast_clock.start(session, 1, now, policy)
        planned = freezing.plan(session, 1, AsOf(now, zone))
        assert planned is not None
        while freezing.step(session, 1, planned, 10_000) is not None:
            pass
        broadcast_clock.frozen(session, 1, "", now, policy, alone=0)
        session.flush()
    engine.dispose()


def _add(session: Session, numbers: range, now: datetime) -> None:
    before = now - timedelta(hours=1)
    ids = [(number, new_id(), new_id()) for number in numbers]
    customers.add_many(
        session,
        [
            {"id": customer, "name": f"Khách {number}", "created_at": before, "updated_at": before}
            for number, customer, _ in ids
        ],
        [
            {
                "id": identity, "customer_id": customer, "channel": "messenger", "account_id": page.PAGE_ID,
                "user_id": page.psid(number), "last_interaction_at": before, "created_at": before,
                "profile_at": before,
            }
            for number, customer, identity in ids
        ],
        [{"id": identity} for _, _, identity in ids],
    )  # fmt: skip
    said = [
        {
            "id": number + 1, "customer_id": customer, "purpose": "marketing", "granted": True, "channel": "messenger",
            "covers": "messenger", "wording": "", "message_id": "", "at": before,
        }
        for number, customer, _ in ids
    ]  # fmt: skip
    stands = [
        {**{key: each[key] for key in ("customer_id", "purpose", "granted", "channel", "at")}, "entry_id": each["id"]}
        for each in said
    ]
    session.connection().execute(ConsentEntry.__table__.insert(), said)  # type: ignore[attr-defined]
    session.connection().execute(ConsentStanding.__table__.insert(), stands)  # type: ignore[attr-defined]


@contextmanager
def running(role: str, *arguments: str, core: int) -> Iterator[subprocess.Popen[str]]:
    """This module in another process on one core."""
    command = ["taskset", "-c", str(core), sys.executable, "-m", "benchmarks.broadcast", "--role", role, *arguments]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(20)


def _done(role: str, *arguments: str) -> dict[str, Any]:
    with running(role, *arguments, core=process.cores()[1]) as child:
        out, _ = child.communicate()
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


async def _tally(port: int) -> dict[str, int]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/tally") as answer:
        found: dict[str, int] = await answer.json()
        return found


def compared(people: int, url: str = "") -> dict[str, Any]:
    """One round: the bare client, then the product, against one stub."""
    port = str(_free_ports()[0])
    with tempfile.TemporaryDirectory(prefix="khachquen-broadcast-") as folder:
        url = url or f"sqlite:///{folder}/bench.db"
        prepare(url, people)
        with running("stub", port, core=process.cores()[0]):
            time.sleep(1)
            alone = _done("bare", port, str(people))
            asyncio.run(_tally(int(port)))
            ours = _done("product", port, str(people), url)
            tally = asyncio.run(_tally(int(port)))
    ratio = alone["seconds"] / ours["seconds"]
    return {
        "people": people,
        "ratio": round(ratio, 2),
        "bare": alone,
        "product": ours,
        "met": tally,
    }


def run() -> None:
    """A round, or one of its processes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.broadcast", description=__doc__)
    parser.add_argument("--role", choices=("stub", "bare", "product"), default="")
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    given = options.arguments
    roles: dict[str, Callable[[], Any]] = {
        "stub": lambda: uvloop.run(stub(int(given[0]))),
        "bare": lambda: uvloop.run(bare(int(given[0]), int(given[1]))),
        "product": lambda: uvloop.run(product(int(given[0]), int(given[1]), given[2])),
        "": lambda: compared(int(given[0]), *given[1:2]),
    }
    print(json.dumps(roles[options.role]()), flush=True)


if __name__ == "__main__":
    run()
