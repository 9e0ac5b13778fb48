"""A Zalo bot for staff: asked for what happened by one process, heard once, and never taken for a customer's chat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

import main
from bot.accounts import Accounts
from bot.channels.base import NOT_HEARD
from bot.commands.arguments import read
from bot.commands.report import Refused
from bot.polling import LEASE, Poller
from bot.secrets import Sealer
from bot.service import apps_of
from bot.settings import Settings
from crm.messages import Button, Message, Purpose
from simulator import speech, zalo_bot
from simulator.config import BrandSpec, SimulatorConfig
from simulator.people import ZALO_BOT
from simulator.platform import Platform
from storage import alarms, customers
from storage import polling as rows
from storage.database import Database
from tests.conftest import Clock
from tests.pipeline.owner import Owner
from tests.pipeline.stage import PATIENCE_S, Stage, environment, playing, product, simulated

TOKEN = SimulatorConfig().zalo_bot_token
BOT = TOKEN.partition(":")[0]
STOPS_WITHIN_S = 10
SETTINGS = {"ZALO_BOT_TOKEN": TOKEN}
FOR_STAFF = "Bot này dành cho nhân viên. Nếu bạn là nhân viên, bạn hỏi quản lý để lấy mã kết nối nhé."


@pytest.fixture
async def stage(sqlite_url: str, clock: Clock) -> AsyncIterator[Stage]:
    """The product with a bot for its staff."""
    async with playing(sqlite_url, clock, settings=SETTINGS) as running:
        yield running


async def writes(stage: Stage, words: str, who: str = "lan") -> None:
    """Somebody writes to the bot, and all that follows from it is over."""
    speech.say_text(stage.platform, stage.contact(ZALO_BOT, who), words)
    async with asyncio.timeout(PATIENCE_S):
        await stage.platform.bot.heard()
    await stage.quiet()


async def test_who_is_not_staff_hears_once_a_day_whom_to_ask_and_no_command(stage: Stage, clock: Clock) -> None:
    await writes(stage, "xem điểm")
    assert stage.heard(ZALO_BOT) == [FOR_STAFF]
    await writes(stage, "/help")
    await writes(stage, "gặp nhân viên")
    clock.pass_by(hours=23)
    await writes(stage, "alo")
    assert stage.heard(ZALO_BOT) == [FOR_STAFF]
    clock.pass_by(hours=2)
    await writes(stage, "alo")
    assert stage.heard(ZALO_BOT) == [FOR_STAFF] * 2
    assert await stage.dead() == []


async def test_nobody_there_waits_for_a_person_has_a_ticket_or_a_consent(stage: Stage, clock: Clock) -> None:
    for words in ("gặp nhân viên", "hàng bị vỡ", "ngừng nhận tin", "xóa dữ liệu của tôi", "blabla", "blabla"):
        await writes(stage, words)
    clock.pass_by(hours=25)
    late = zalo_bot.update(stage.contact(ZALO_BOT), "text", "late", clock() - timedelta(hours=25), text="ơi")
    stage.platform.bot.tell(late)
    await stage.platform.bot.heard()
    await stage.quiet()
    person = await stage.person(ZALO_BOT)
    assert (person.holder, person.waiting_since, person.marketing, person.dialog) == ("bot", None, "", "")
    assert [await stage.count(table) for table in ("ticket", "consent_entry", "data_request")] == [0, 0, 0]


async def test_what_is_no_text_is_kept_and_answered_alike(stage: Stage) -> None:
    contact, shelf = stage.contact(ZALO_BOT), stage.platform.media
    speech.say_media(stage.platform, contact, "image", shelf.url(shelf.sample()))
    speech.say_sticker(stage.platform, contact, "")
    speech.say_media(stage.platform, contact, "file", "https://example.vn/a.pdf")
    await stage.platform.bot.heard()
    await stage.quiet()
    assert stage.heard(ZALO_BOT) == [FOR_STAFF]
    assert [author for author, _ in await stage.lines(ZALO_BOT)].count("customer") == 3


async def test_what_is_told_twice_has_one_effect(stage: Stage, clock: Clock) -> None:
    update = zalo_bot.update(stage.contact(ZALO_BOT), "text", "again", clock(), text="chào")
    speech.touch(stage.platform, stage.contact(ZALO_BOT))
    for _ in range(3):
        stage.platform.bot.tell(update)
    await stage.platform.bot.heard()
    await stage.quiet()
    assert await stage.count("inbox") == 1
    assert await stage.lines(ZALO_BOT) == [("customer", "chào"), ("bot", FOR_STAFF)]


async def test_a_group_is_not_answered_and_makes_nobody_known(stage: Stage, clock: Clock) -> None:
    update = zalo_bot.update(stage.contact(ZALO_BOT), "text", "g", clock(), text="/help")
    update["message"]["chat"] = {"id": "group1", "chat_type": "GROUP"}
    stage.platform.bot.tell(update)
    await stage.platform.bot.heard()
    await stage.quiet()
    assert (await stage.count("identity"), stage.calls(ZALO_BOT), await stage.dead()) == (0, [], [])


async def test_staff_are_written_to_days_later_in_pieces_without_buttons(stage: Stage, clock: Clock) -> None:
    await writes(stage, "chào")
    clock.pass_by(days=90)
    notice = Message("Khách mới chờ. " + "a" * 2500, (Button("Trả lời", "/r 12"), Button("Bỏ qua", "kq:skip")))
    await stage.send(ZALO_BOT, notice, Purpose.STAFF)
    await stage.quiet()
    said = stage.heard(ZALO_BOT)[1:]
    assert [len(each) <= 2000 for each in said] == [True, True]
    assert said[1].endswith("• Trả lời: /r 12\n• Bỏ qua")


async def test_whom_zalo_lets_nobody_write_to_is_reached_again_once_they_write(stage: Stage) -> None:
    await writes(stage, "chào")
    stage.contact(ZALO_BOT).blocked = True
    await stage.send(ZALO_BOT, "Có khách chờ", Purpose.STAFF)
    known = await stage.person(ZALO_BOT)
    await stage.until(lambda session: customers.person(session, known.identity_id).unreachable_since is not None)
    assert (await stage.states())[-1] == "dead"
    stage.contact(ZALO_BOT).blocked = False
    await writes(stage, "đây")
    assert (await stage.person(ZALO_BOT)).unreachable_since is None
    await stage.send(ZALO_BOT, "Có khách chờ", Purpose.STAFF)
    await stage.quiet()
    assert stage.heard(ZALO_BOT)[-1] == "Có khách chờ"


async def rings(stage: Stage, *kinds: str) -> None:
    """Wait until exactly these kinds of alarms are open."""
    await stage.until(lambda session: sorted(alarm.kind for alarm in alarms.unsolved(session)) == sorted(kinds))


async def test_a_token_that_was_reset_holds_the_bot_with_one_alarm_until_the_new_one_is_given(
    stage: Stage, clock: Clock, tmp_path: Path
) -> None:
    owner = Owner(stage, tmp_path)
    await writes(stage, "chào")
    stage.platform.bot.token = f"{BOT}:another-token"
    await stage.send(ZALO_BOT, "Có khách chờ", Purpose.STAFF)
    await rings(stage, "token_dead")
    speech.say_text(stage.platform, stage.contact(ZALO_BOT), "alo")
    with pytest.raises(Refused, match="does not accept this access token"):
        await owner.types("account", "add", "zalobot", "--access-token-file", owner.file(TOKEN))
    report = await owner.types("account", "add", "zalobot", "--access-token-file", owner.file(f"{BOT}:another-token"))
    assert report.lines == [f"zalobot {BOT} (bot.KhachQuen) is connected."]
    await owner.is_noticed()
    clock.pass_by(seconds=10)
    async with asyncio.timeout(PATIENCE_S):
        await stage.platform.bot.heard()
    await stage.quiet()
    await rings(stage)
    assert stage.heard(ZALO_BOT)[-1] == "Có khách chờ"
    assert ("customer", "alo") in await stage.lines(ZALO_BOT)


async def test_a_webhook_rings_once_and_is_over_by_itself_while_staff_are_still_told(
    stage: Stage, clock: Clock
) -> None:
    await writes(stage, "chào")
    stage.platform.bot.webhook = "https://elsewhere.example/hook", clock()
    stage.goes_wrong("reset", host="zalo-bot", path="getUpdates")
    await stage.service.accounts.reload()
    looked = await Owner(stage, Path()).types("account", "check", "zalobot")
    assert not looked.ok and "webhook: yes" in looked.lines[1]
    await rings(stage, NOT_HEARD)
    await stage.send(ZALO_BOT, "Có khách chờ", Purpose.STAFF)
    await stage.quiet()
    assert stage.heard(ZALO_BOT)[-1] == "Có khách chờ"
    stage.platform.bot.webhook = None
    assert (await Owner(stage, Path()).types("account", "check", "zalobot", BOT)).ok
    await rings(stage)


async def test_two_bots_are_asked_side_by_side_and_answer_each_for_itself(
    sqlite_url: str, clock: Clock, tmp_path: Path
) -> None:
    second = BrandSpec(
        name="Kho", zalo_oa_id="9", messenger_page_id="9", messenger_page_token="9", zalo_bot_token="222:second-bot"
    )
    async with playing(sqlite_url, clock, settings=SETTINGS, more_brands=(second,)) as stage:
        owner = Owner(stage, tmp_path)
        with pytest.raises(Refused, match="belongs to 222, not to 333"):
            await owner.types("account", "add", "zalobot", "333", "--access-token-file", owner.file("222:second-bot"))
        with pytest.raises(Refused, match="no token of a Zalo bot"):
            await owner.types("account", "add", "zalobot", "--access-token-file", owner.file("a-pages-token"))
        await owner.types("account", "add", "zalobot", "--access-token-file", owner.file("222:second-bot"))
        warehouse = stage.platform.brands[1]
        speech.say_text(warehouse, warehouse.people.meet(ZALO_BOT, "lan", clock()), "alo")
        async with asyncio.timeout(PATIENCE_S):
            await warehouse.bot.heard()
        await writes(stage, "alo")
        assert stage.heard(ZALO_BOT) == [FOR_STAFF] * 2
        found = await stage.read(rows.everyone)
        assert [poll.account_id for poll in found] == [BOT, "222"]


async def test_the_doctor_says_whether_anybody_asks(stage: Stage, clock: Clock) -> None:
    await writes(stage, "chào")
    settings = Settings.from_env(
        None, environment(stage.platform.config, stage.platform.media.base_url, stage.service.database.url, **SETTINGS)
    )

    async def told(settings: Settings, now: Callable[[], datetime]) -> str:
        return "\n".join((await main.examined(read(["doctor", "--offline"]), settings, now)).lines)

    assert f"zalobot {BOT} is asked what was written to it" in await told(settings, clock)
    broken = await told(replace(settings, zalo_bot_token="a-pages-token"), clock)
    assert "ZALO_BOT_TOKEN is no token of a bot" in broken
    later = clock() + LEASE + timedelta(seconds=1)
    assert f"Nobody asks what was written to zalobot {BOT}." in await told(settings, lambda: later)


async def test_without_a_bot_nobody_is_asked_and_nothing_is_pending(sqlite_url: str, clock: Clock) -> None:
    async with playing(sqlite_url, clock) as stage:
        assert stage.service.pending() == []
        assert await stage.read(rows.everyone) == []
        assert await stage.post(ZALO_BOT, b"{}", {}) == 404


async def test_a_stop_breaks_a_question_off_and_leaves_the_bot_to_others(sqlite_url: str, clock: Clock) -> None:
    async with simulated(clock) as platform:
        for words in ("một", "hai"):
            async with product(sqlite_url, clock, platform, SETTINGS) as stage:
                await writes(stage, words)
                stopping = asyncio.get_running_loop().time()
            assert asyncio.get_running_loop().time() - stopping < STOPS_WITHIN_S
        async with product(sqlite_url, clock, platform, SETTINGS) as stage:
            spoken = [words for author, words in await stage.lines(ZALO_BOT) if author == "customer"]
            assert spoken == ["một", "hai"]


class Process:
    """A process that does nothing but ask: its own connection, its own name."""

    def __init__(self, name: str, url: str, clock: Clock, platform: Platform) -> None:
        self.name, self.clock = name, clock
        self.database = Database(url, synchronous="OFF")
        self.stopping = asyncio.Event()
        self.told: asyncio.Task[None] | None = None
        given = environment(platform.config, platform.media.base_url, url, **SETTINGS)
        self.settings = Settings.from_env(None, given)

    async def run(self, stack: AsyncExitStack) -> None:
        """Begin to ask."""
        await self.database.open()
        channels = await stack.enter_async_context(main.reaching(self.settings))
        sealer = Sealer(self.settings.require_secret())
        living = Accounts(self.database, channels, apps_of(self.settings), sealer, self.clock, self.name)
        await living.seed()
        await living.reload()
        poller = Poller(self.database, channels, living, self.clock, self.name)
        self.told = asyncio.create_task(poller.work(self.stopping))

    async def dies(self) -> None:
        """It is gone between two statements: nothing is given back."""
        await self.database.close()
        assert self.told is not None
        self.told.cancel()
        with suppress(asyncio.CancelledError):
            await self.told

    async def stops(self) -> None:
        """It ends as it should."""
        self.stopping.set()
        assert self.told is not None
        await self.told
        await self.database.close()


@pytest.fixture
async def asked(database: Database, clock: Clock) -> AsyncIterator[tuple[Platform, Database]]:
    """The platforms, and a look into the database."""
    async with simulated(clock) as platform:
        yield platform, database


async def owner_of(database: Database) -> str:
    """Which process asks for the bot."""
    return (await database.read(rows.everyone))[0].lease_owner


async def says(platform: Platform, words: str) -> None:
    """Somebody writes, and it is kept."""
    speech.say_text(platform, platform.people.meet(ZALO_BOT, "lan", platform.now()), words)
    async with asyncio.timeout(PATIENCE_S):
        await platform.bot.heard()


async def test_of_two_processes_one_asks_and_the_other_takes_over_when_it_dies(
    asked: tuple[Platform, Database], clock: Clock
) -> None:
    platform, database = asked
    async with AsyncExitStack() as stack:
        first = Process("first", database.url, clock, platform)
        await first.run(stack)
        await says(platform, "một")
        second = Process("second", database.url, clock, platform)
        await second.run(stack)
        await asyncio.sleep(1.5)
        assert platform.bot.asking == 1 and await owner_of(database) == "first"
        await first.dies()
        speech.say_text(platform, platform.people.meet(ZALO_BOT, "lan", platform.now()), "hai")
        await asyncio.sleep(1.5)
        assert await owner_of(database) == "first" and len(platform.bot.updates) == 1
        clock.pass_by(seconds=LEASE.total_seconds() + 1)
        async with asyncio.timeout(PATIENCE_S):
            await platform.bot.heard()
        assert await owner_of(database) == "second"
        third = Process("third", database.url, clock, platform)
        await third.run(stack)
        await second.stops()
        await says(platform, "ba")
        assert await owner_of(database) == "third"
        await third.stops()
    kept = text("SELECT count(*) FROM inbox WHERE channel = :channel")
    count = await database.read(lambda session: session.connection().execute(kept, {"channel": ZALO_BOT}).scalar_one())
    assert count == 3
