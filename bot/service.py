"""A running bot: the database, the channels, the workers and the scheduler, started and stopped in order."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlmodel import Session

from bot import audience, holds, settling, upkeep
from bot.accounts import Accounts, App
from bot.broadcast_seeking import Seeking
from bot.broadcasting import Sender
from bot.broadcasts import Broadcasting
from bot.care import Care, Rules
from bot.catchup import Catchup
from bot.channels.abilities import Polled
from bot.channels.base import Channel, Keys
from bot.channels.zalobot.channel import bot_id
from bot.comments import Comments
from bot.drawing.artist import Artist
from bot.drawing.shelf import Shelf
from bot.followers import Followers
from bot.hearing import Listening
from bot.inbox import Desk, InboxWorker
from bot.jobs import JobWorker
from bot.labels import Labels
from bot.loop import work
from bot.outbox import OutboxWorker
from bot.photos import Photos
from bot.polling import Poller
from bot.ratings import Ratings
from bot.rewarded import Rewarded
from bot.rfm import Scoring
from bot.secrets import Sealer
from bot.settings import Settings
from bot.signs import Signs
from bot.silence import Silence
from bot.staff import desk as staff_desk
from bot.staff.counting import Counting
from bot.staff.estimating import Estimating
from bot.staff.exporting import Exporting
from bot.staff.finding import Finding
from bot.staff.measuring import Measuring
from bot.staff.picturing import Picturing
from bot.staff.receipts import Receipts
from bot.staff.reporting import Reporting
from bot.staff.tallying import Tallying
from bot.staff.waking import Waking
from bot.upkeep import Upkeep
from crm import hours, tickets, verdicts
from crm.budget import Budget
from crm.caps import Caps
from crm.lawful import LawfulHours
from crm.sla import Policy
from storage import accounts, inbox, jobs, outbox, polling
from storage.database import Database
from storage.queue import free_leases
from storage.work import Closed

log = logging.getLogger(__name__)

DRAIN_S = 7.0
JOBS_REST_S = 0.05
"""How long jobs rest before they look again: what they do comes together, and out of the way of answers."""
CLOCKS_AT_ONCE = 100

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Service:
    """What the doors need of a running bot."""

    database: Database
    accounts: Accounts
    channels: Mapping[str, Channel]
    keys: Callable[[str], Keys]
    artist: Artist
    shelf: Shelf

    def pending(self) -> list[str]:
        """The channels whose door lacks a key, so that nothing of theirs is kept."""
        doors = (name for name, channel in self.channels.items() if not isinstance(channel, Polled))
        return [name for name in doors if self.keys(name).pending]


def apps_of(settings: Settings) -> dict[str, App]:
    """Each channel's app and first account, as set."""
    return {
        "zalo": App(
            settings.zalo_app_id,
            settings.zalo_app_secret,
            settings.zalo_oa_id,
            settings.zalo_access_token,
            settings.zalo_refresh_token,
        ),
        "messenger": App(
            settings.messenger_app_id,
            settings.messenger_app_secret,
            settings.messenger_page_id,
            settings.messenger_page_token,
        ),
        "zalobot": App(account_id=bot_id(settings.zalo_bot_token), access_token=settings.zalo_bot_token),
    }


def shop_of(settings: Settings) -> dict[str, str]:
    """What the texts say of the shop."""
    return {
        "brand": settings.brand_name,
        "phone": settings.shop_phone,
        "address": settings.shop_address,
        "hours": settings.opening_hours,
        "per_week": str(settings.marketing_per_week),
    }


def policy_of(settings: Settings) -> Policy:
    """When the shop is open, and what it promises to who asks for help."""
    calendar = hours.calendar_of(settings.opening_hours, settings.holidays, settings.timezone)
    return Policy(calendar, settings.sla_targets)


def unasked_of(settings: Settings) -> verdicts.Policy:
    """The shop's rules for what nobody asked for: its caps, its hours, what texts say of it."""
    shop = {"ten": settings.brand_name, "sdt": settings.shop_phone, "dia_chi": settings.shop_address}
    caps = Caps(settings.marketing_per_day, settings.marketing_per_week)
    late = timedelta(hours=settings.broadcast_late_hours) or None
    return verdicts.Policy(caps, LawfulHours(settings.timezone, settings.quiet_hours), shop, late)


def sender_of(settings: Settings, channels: Mapping[str, Channel]) -> Sender:
    """The shop as one that writes to many."""
    return Sender(
        channels, unasked_of(settings), Budget(settings.monthly_send_budget, settings.timezone),
        settings.broadcast_alone, settings.timezone, settings.locale,
    )  # fmt: skip


def keys_of(settings: Settings) -> dict[str, Keys]:
    """What each channel's door verifies with; pending where a key is missing."""
    return {
        "zalo": Keys(settings.zalo_app_id, settings.zalo_oa_secret_key, "", frozenset({settings.zalo_oa_id} - {""})),
        "messenger": Keys(
            settings.messenger_app_id or settings.messenger_page_id,
            settings.messenger_app_secret,
            settings.messenger_verify_token,
            frozenset({settings.messenger_page_id} - {""}),
        ),
        "zalobot": Keys(),
    }


def intervals_of(settings: Settings) -> dict[str, timedelta]:
    """The least time between two sends of one account, by channel; zero where there is no limit of ours."""
    return {
        "zalo": timedelta(minutes=1) / settings.zalo_sends_per_minute
        if settings.zalo_sends_per_minute
        else timedelta(),
        "messenger": timedelta(seconds=1) / settings.messenger_sends_per_second
        if settings.messenger_sends_per_second
        else timedelta(),
    }


@asynccontextmanager
async def running(
    settings: Settings, channels: Mapping[str, Channel], desk: Desk, clock: Clock, *, worker: bool
) -> AsyncIterator[Service]:
    """Open the database and, with `worker`, work until the block ends; then finish what is in flight."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{os.urandom(3).hex()}"
    database = Database(settings.database_url, synchronous=settings.sqlite_synchronous)
    await database.open()
    try:
        living = Accounts(database, channels, apps_of(settings), Sealer(settings.require_secret()), clock, owner)
        await living.seed()
        await living.reload()
        own = keys_of(settings)

        @lru_cache(maxsize=len(own))
        def with_ids(channel: str, ids: frozenset[str]) -> Keys:
            return replace(own[channel], account_ids=own[channel].account_ids | ids)

        def keys(channel: str) -> Keys:
            return with_ids(channel, living.ids(channel))

        artist = Artist()
        shelf = Shelf(database, channels, artist, settings.brand_name, clock)
        service = Service(database, living, channels, keys, artist, shelf)
        try:
            if not worker:
                yield service
                return
            if database.is_sqlite:
                await database.write(partial(_take_over, now=clock(), owner=owner), name="service.take_over")
            async with _working(settings, service, desk, clock, owner):
                yield service
        finally:
            await artist.close()
    finally:
        await database.close()


def _take_over(session: Session, now: datetime, owner: str) -> None:
    """The only process on this file starts: whatever an earlier one held is free, what it was sending is unknown."""
    settling.sweep(session, now, owner)
    free_leases(session, jobs.Job, owner)
    free_leases(session, accounts.AccountRow, owner)
    free_leases(session, polling.PollRow, owner)


@asynccontextmanager
async def _working(settings: Settings, service: Service, desk: Desk, clock: Clock, owner: str) -> AsyncIterator[None]:
    database, channels, living = service.database, service.channels, service.accounts
    budget = Budget(settings.monthly_send_budget, settings.timezone)
    chores = Upkeep(database, channels, living, clock, settings.raw_body_days, budget, desk.policy.calendar)
    pace, artist, shelf, rules = intervals_of(settings), service.artist, service.shelf, unasked_of(settings)
    frame = audience.as_of(clock(), settings.timezone, settings.locale)
    care = Rules(frame, rules.shop)
    outbox_worker = OutboxWorker(database, channels, living, pace, budget, shelf, clock, owner, rules, care)
    inbox_worker = InboxWorker(database, desk, living, outbox_worker, clock)
    catchup = Catchup(database, channels, living, pace, clock)
    kinds = {**chores.kinds(), **catchup.kinds(), **Silence(database, clock).kinds()}
    kinds |= Seeking(database, sender_of(settings, channels), living, clock).kinds()
    kinds |= Broadcasting(database, rules, frame, settings.broadcast_alone, clock).kinds()
    kinds |= Care(database, rules.hours, clock).kinds() | Scoring(database, settings.timezone, clock).kinds()
    kinds |= Ratings(database, desk, clock).kinds()
    kinds |= Rewarded(database, desk, clock).kinds()
    kinds |= Photos(database, channels, clock).kinds() | Waking(database, desk.office, clock).kinds()
    kinds |= Listening(database, channels, clock).kinds()
    kinds |= Receipts(database, desk.office, clock).kinds() | Signs(channels, living, clock).kinds()
    kinds |= Finding(database, desk.office, clock).kinds()
    kinds |= Estimating(database, desk.office, clock).kinds()
    kinds |= Counting(database, desk.office, clock).kinds() | Measuring(database, desk.office, clock).kinds()
    kinds |= Tallying(database, desk.office, clock).kinds()
    kinds |= Exporting(database, desk.office, artist, clock).kinds()
    kinds |= Reporting(database, desk.office, artist, clock).kinds()
    kinds |= Picturing(database, channels, desk.office, artist, clock).kinds()
    kinds |= Comments(database, channels, living, clock).kinds()
    kinds |= Followers(database, channels, living, desk.policy, clock).kinds()
    kinds |= Labels(database, channels, living, clock).kinds()
    looking = staff_desk.Desk(desk.office, desk.policy, settings.escalation_minutes)
    kinds |= staff_desk.Looking(database, looking, clock).kinds()
    job_worker = JobWorker(database, kinds, clock, owner)
    poller = Poller(database, channels, living, clock, owner)
    await outbox_worker.recall()
    await database.write(partial(holds.lift_budget, budget=budget, now=clock()), name="service.lift_budget")
    await _give_clocks(database, desk.policy, clock)
    stopping = asyncio.Event()
    tasks = [
        asyncio.create_task(work(inbox_worker.once, database.topic(inbox.TOPIC), stopping, 0.5)),
        asyncio.create_task(work(outbox_worker.once, database.topic(outbox.TOPIC), stopping, 0.5)),
        asyncio.create_task(work(job_worker.once, database.topic(jobs.TOPIC), stopping, 1.0, JOBS_REST_S)),
        asyncio.create_task(poller.work(stopping)),
    ]
    scheduler = _scheduler(database, clock)
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)
        stopping.set()
        for topic in (inbox.TOPIC, outbox.TOPIC, jobs.TOPIC):
            database.topic(topic).set()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DRAIN_S
        await _end(tasks, DRAIN_S / 2)
        left = max(1.0, deadline - loop.time())
        try:
            await asyncio.gather(outbox_worker.drain(left), job_worker.drain(left))
        except Closed:
            log.exception("how the last sends went could not be written; they are looked for after the next start")


async def _give_clocks(database: Database, policy: Policy, clock: Clock) -> None:
    """Requests that were opened before there were promises get theirs."""
    give = partial(tickets.give_clocks, policy=policy, most=CLOCKS_AT_ONCE)
    while await database.write(partial(give, now=clock()), name="tickets.give_clocks") == CLOCKS_AT_ONCE:
        pass


def _scheduler(database: Database, clock: Clock) -> AsyncIOScheduler:
    scheduler = AsyncIOScheduler(job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": 60})
    for kind, every in upkeep.EVERY.items():
        first = {"next_run_time": datetime.now(UTC) + upkeep.FIRST[kind]} if kind in upkeep.FIRST else {}
        scheduler.add_job(_tick, "interval", seconds=every.total_seconds(), args=[database, kind, clock], **first)
    return scheduler


async def _tick(database: Database, kind: str, clock: Clock) -> None:
    try:
        await upkeep.enqueue(database, kind, clock())
    except Exception:
        log.exception("a tick could not be queued", extra={"kind": kind})


async def _end(tasks: Sequence[asyncio.Task[None]], seconds: float) -> None:
    """Let the workers finish what they are at; what does not end in time is cancelled and its lease runs out."""
    _, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
