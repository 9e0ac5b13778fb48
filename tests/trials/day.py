"""A day and two hours in the life of a shop, on a driven clock: tokens, a quota, a policy block, a webhook outage."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Session
from sqlmodel.sql.sqltypes import UTCDateTime

import main
from bot import doorkeeper, upkeep
from bot.commands.arguments import read
from bot.settings import Settings
from simulator import speech
from simulator.faults import Fault
from simulator.people import MESSENGER
from storage import catchup, inbox, jobs, outbox
from storage.columns import id_at
from tests.conftest import Clock
from tests.pipeline.stage import Stage, environment, playing
from tests.trials.rig import CHANNELS, CODE

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LASTS = 26
QUOTA_ENDS, QUOTA_BACK = 3, 6
BLOCKED, CONNECTED_AGAIN = 10, 12
SILENT, HEARD_AGAIN = 14, 17
USUAL = 12
"""So many people write in an hour of the days before to each channel: enough for silence to be noticed."""
USER_TOKEN = "the-token-of-a-person-who-manages-pages"
PATIENCE_S = 60.0
BEAT_S = 0.05
_RESTRICTED = 368


@dataclass(frozen=True, slots=True)
class Rung:
    """One kind of alarm about one account: how often it rang, and how often it was solved; hours of the day."""

    kind: str
    subject: str
    times: int
    solved: int
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Lived:
    """What a day came to."""

    asked: int
    lost: int
    told_twice: int
    unanswered: int
    said_twice: int
    dead: int
    refreshes: int
    """At the start, after the days before, and twice more."""
    asked_in_outage: int
    read_back: int
    longest_wait_h: float
    rung: tuple[Rung, ...]

    def told(self) -> dict[str, object]:
        """The figures without the alarms, for a table."""
        return {key: value for key, value in asdict(self).items() if key != "rung"}

    def check(self) -> None:
        """AssertionError where something was lost or came twice, or an alarm did not ring once and end."""
        assert self.asked > 0 and self.asked_in_outage > 0
        assert (self.lost, self.told_twice, self.unanswered, self.said_twice, self.dead) == (0, 0, 0, 0, 0), self
        assert self.refreshes == 3, self
        assert self.read_back == self.asked_in_outage, self
        kinds = Counter(each.kind for each in self.rung)
        assert kinds == {"account_refused": 1, "grant_lost": 1, "webhook_silent": len(CHANNELS)}, self  # fmt: skip
        assert all((each.times, each.solved) == (1, 1) for each in self.rung), self


@dataclass(slots=True)
class Shop:
    """The product between its platforms, with the time in our hand."""

    stage: Stage
    clock: Clock
    folder: Path
    begins: datetime
    asked: dict[str, datetime] = field(default_factory=dict)
    in_outage: set[str] = field(default_factory=set)
    answered: dict[str, datetime] = field(default_factory=dict)
    refreshed_before: int = 0
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _ticked: dict[str, datetime] = field(default_factory=dict)

    async def passes(self, span: timedelta) -> None:
        """So much time goes by: whatever is due is done, and what customers said is handled."""
        self.clock.now += span
        for topic in (inbox.TOPIC, outbox.TOPIC, jobs.TOPIC):
            self.stage.service.database.topic(topic).set()
        await self.steady()
        await asyncio.sleep(2 * BEAT_S)
        for kind, every in upkeep.EVERY.items():
            if self.clock() - self._ticked.get(kind, datetime.min.replace(tzinfo=self.clock().tzinfo)) >= every:
                self._ticked[kind] = self.clock()
                await self.stage.tick(kind)
        await self._read_again()
        await self.steady()
        for call in self.stage.platform.journal:
            for code in CODE.findall(call.text) if call.message_id else ():
                self.answered.setdefault(code, self.clock())

    async def _read_again(self) -> None:
        """Let the time of page after page go by until nothing is left to be read."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.stage.read(catchup.under_way):
                self.clock.now += timedelta(seconds=10)
                self.stage.service.database.topic(jobs.TOPIC).set()
                await asyncio.sleep(0.02)

    async def steady(self) -> None:
        """Wait until nothing moves any more; what an account cannot send now goes on waiting."""
        same, before = 0, None
        async with asyncio.timeout(PATIENCE_S):
            while same < 3:
                await self.stage.platform.courier.idle()
                await asyncio.sleep(0.02)
                now = await self.stage.read(self._moves)
                same, before = (same + 1 if now == before and not now[0] else 0), now

    def _moves(self, session: Session) -> tuple[int, ...]:
        busy = text(
            "SELECT (SELECT count(*) FROM inbox WHERE state = 'waiting')"
            " + (SELECT count(*) FROM outbox WHERE state = 'sending')"
        )
        seen = text("SELECT count(*), coalesce(sum(attempts), 0) FROM outbox WHERE state <> 'sent'")
        connection = session.connection()
        return (int(connection.execute(busy).scalar_one()), *map(int, connection.execute(seen).one()))

    def asks(self, channel: str, *, heard: bool = True) -> None:
        """Somebody asks for an order by a code of its own."""
        code = f"DH{next(self._numbers):05}"
        platform = self.stage.platform
        person = f"p{code[-2:]}" if heard else f"unheard{len(self.in_outage)}"
        contact = platform.people.meet(channel, person, platform.now())
        self.asked[code] = self.clock()
        if not heard:
            self.in_outage.add(code)
        speech.say_text(platform, contact, f"kiểm tra đơn hàng {code}")

    async def types(self, *arguments: str) -> None:
        """The owner types a command beside the running service."""
        stage = self.stage
        given = environment(stage.platform.config, stage.platform.media.base_url, stage.service.database.url)
        settings = Settings.from_env(None, {**given, "MESSENGER_PAGE_ID": "", "MESSENGER_PAGE_TOKEN": ""})
        report = await main.beside(read(arguments), settings, self.clock, lambda _: None)
        assert report.ok, report.lines
        await stage.service.accounts.reload()

    # --- what happens ---------------------------------------------------------------------------------------------

    async def quota_ends(self) -> None:
        """The OA has used up what it may call, and Zalo says to come back in an hour."""
        spent = '{"error": -32, "message": "Out of quota"}'
        more = {"status": 200, "body": spent, "retry_after": "3600"}
        self.stage.goes_wrong("status", host="zalo", path="message/cs", times=10_000, **more)

    async def quota_is_back(self) -> None:
        """The OA's owner bought more."""
        self.stage.platform.faults.clear()

    async def page_is_blocked(self) -> None:
        """Facebook restricts the Page, says so, and refuses its sends."""
        config = self.stage.platform.config
        self.stage.goes_wrong("code", host="graph", path="messages", code=_RESTRICTED, times=10_000)
        body = {
            "object": "page",
            "entry": [
                {
                    "id": config.messenger_page_id,
                    "time": int(self.clock().timestamp() * 1000),
                    "messaging": [
                        {
                            "recipient": {"id": config.messenger_page_id},
                            "timestamp": int(self.clock().timestamp() * 1000),
                            "policy_enforcement": {"action": "block", "reason": "The Page breaks a rule."},
                        }
                    ],
                }
            ],
        }
        assert await self.stage.webhook(MESSENGER, body) == 200

    async def page_is_connected_again(self) -> None:
        """The block was lifted, and the Page's admin connects it again."""
        self.stage.platform.faults.clear()
        file = self.folder / "token.txt"
        file.write_text(USER_TOKEN)
        self.stage.platform.user_tokens[USER_TOKEN] = self.clock() + HOUR
        page = self.stage.platform.config.messenger_page_id
        await self.types("account", "add", "messenger", page, "--user-token-file", str(file))

    async def webhooks_stop(self) -> None:
        """The platforms deliver nothing any more, although our doors are open."""
        self.stage.platform.faults.add(Fault("outage", times=10_000))

    async def webhooks_go_on(self) -> None:
        """They do again."""
        self.stage.platform.faults.clear()

    def figures(self, rung: list[Rung], lines: Counter[str], dead: int) -> Lived:
        """What became of everything that was asked."""
        journal = Counter(
            code for call in self.stage.platform.journal if call.message_id for code in CODE.findall(call.text)
        )
        waits = [(self.answered[code] - at) / HOUR for code, at in self.asked.items() if code in self.answered]
        return Lived(
            asked=len(self.asked),
            lost=len(set(self.asked) - set(lines)),
            told_twice=sum(lines[code] > 1 for code in self.asked),
            unanswered=len(set(self.asked) - set(journal)),
            said_twice=sum(journal[code] > 1 for code in self.asked),
            dead=dead,
            refreshes=self.stage.platform.zalo_tokens.pairs_issued - self.refreshed_before,
            asked_in_outage=len(self.in_outage),
            read_back=len(self.in_outage & set(lines)),
            longest_wait_h=round(max(waits), 1),
            rung=tuple(rung),
        )


async def lived(url: str, folder: Path, step: timedelta = timedelta(minutes=20)) -> Lived:
    """The whole day, `step` by step; two people write in each step, one on each channel."""
    clock = Clock()
    async with _beating_often(), playing(url, clock, messenger_user_token=USER_TOKEN) as stage:
        shop = Shop(stage, clock, folder, clock())
        await _days_before(shop)
        shop.begins = clock()
        script: dict[int, Callable[[], Awaitable[None]]] = {
            QUOTA_ENDS: shop.quota_ends, QUOTA_BACK: shop.quota_is_back,
            BLOCKED: shop.page_is_blocked, CONNECTED_AGAIN: shop.page_is_connected_again,
            SILENT: shop.webhooks_stop, HEARD_AGAIN: shop.webhooks_go_on,
        }  # fmt: skip
        while clock() - shop.begins < LASTS * HOUR:
            passed = (clock() - shop.begins) / HOUR
            for hour in [hour for hour in script if hour <= passed]:
                await script.pop(hour)()
            for channel in CHANNELS:
                shop.asks(channel, heard=not SILENT <= passed < HEARD_AGAIN)
            await shop.passes(step)
        await stage.quiet()
        rung = await stage.read(lambda session: _rung(session, shop.begins))
        return shop.figures(rung, await stage.read(_lines), len(await stage.dead()))


@asynccontextmanager
async def _beating_often() -> AsyncIterator[None]:
    """The doors write down that they are open and what they heard in the pace of our time, not of the true one."""
    before, doorkeeper.BEAT_S = doorkeeper.BEAT_S, BEAT_S
    try:
        yield
    finally:
        doorkeeper.BEAT_S = before


async def _days_before(shop: Shop) -> None:
    """Three days on which people write in the hour that will be silent, so that silence is something to notice."""
    for day in range(3):
        for number in range(USUAL if day else 1):
            minutes = timedelta(minutes=4 * number)
            shop.clock.now = shop.begins + day * DAY + (SILENT if day else 0) * HOUR + minutes
            for channel in CHANNELS:
                shop.asks(channel)
            await shop.steady()
    shop.clock.now = shop.begins + 3 * DAY
    await shop.stage.service.database.write(_given_ids_of_their_time)
    shop.asked.clear()
    shop.refreshed_before = shop.stage.platform.zalo_tokens.pairs_issued
    shop.stage.platform.journal.clear()


def _given_ids_of_their_time(session: Session) -> None:
    """Rows are found by the time in their ids, which is the true one: give them those of the driven clock."""
    connection = session.connection()
    kept = text("SELECT id, received_at FROM inbox ORDER BY id").columns(received_at=UTCDateTime())
    rows = connection.execute(kept).all()
    for number, (old, at) in enumerate(rows):
        connection.execute(text("UPDATE inbox SET id = :new WHERE id = :old"), {"new": id_at(at) + number, "old": old})


def _lines(session: Session) -> Counter[str]:
    """How often each code stands in what customers said."""
    query = text("SELECT text FROM message WHERE author = 'customer'")
    return Counter(code for said in session.connection().execute(query).scalars() for code in CODE.findall(said))


def _rung(session: Session, begins: datetime) -> list[Rung]:
    """Every alarm that ever rang."""
    query = text("SELECT kind, subject, since, solved_at FROM alarm ORDER BY since").columns(
        since=UTCDateTime(), solved_at=UTCDateTime()
    )
    found: dict[tuple[str, str], list[tuple[datetime, datetime | None]]] = {}
    for kind, subject, since, solved_at in session.connection().execute(query):
        found.setdefault((kind, subject), []).append((since, solved_at))
    return [
        Rung(
            kind, subject, len(times), sum(end is not None for _, end in times), _hour(times[0][0], begins),
            _hour(times[-1][1], begins),
        )
        for (kind, subject), times in found.items()
    ]  # fmt: skip


def _hour(at: datetime | None, begins: datetime) -> str:
    return "never" if at is None else f"{(at - begins) / HOUR:.1f}"
