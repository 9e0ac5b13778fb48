"""Asks the platforms that post nothing to us what happened: one process for each account, and nothing is lost between.

What a platform told it may never tell again. So it is kept, through the accept that webhooks go through, before the
next question is asked; a question that is under way when the service stops is broken off.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from prometheus_client import Counter

from bot.accounts import Accounts
from bot.channels.abilities import Polled
from bot.channels.base import NOT_HEARD, Account, Channel, Raw, SendError, SendErrorKind, Subject
from bot.loop import wait
from bot.renewal import Held
from storage import alarms, inbox, polling
from storage.columns import NEVER
from storage.database import Database
from storage.doors import Key
from storage.faults import faultpoint
from storage.inbox import Arrival
from storage.work import Closed, Lane, Priority

log = logging.getLogger(__name__)

T = TypeVar("T")
POLLS = Counter("khachquen_polls_total", "Questions what happened, by channel and how they ended", ["channel", "end"])

LEASE = timedelta(seconds=90)
"""How long an account waits for another process where the one that asked for it died."""
RENEWED_BELOW = timedelta(seconds=60)
"""A question takes less: no lease runs out while one is under way."""
LOOK_S = 1.0
"""How often it is looked for accounts to ask for."""
SLOWEST_S = 60.0
RINGS_AFTER = timedelta(minutes=10)
"""How long an account cannot be asked before people are told, unless the platform itself says that they must act."""


@dataclass(slots=True)
class _Round:
    """What one process knows of an account that it asks for."""

    until: datetime = NEVER
    seen: dict[str, datetime] = field(default_factory=dict)
    failures: int = 0
    failing_since: datetime | None = None
    calm: bool = False


class Poller:
    """Finds the accounts that must be asked, and asks for each that no other process asks for."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        living: Accounts,
        clock: Callable[[], datetime],
        owner: str,
    ) -> None:
        self._database, self._accounts, self._clock, self._owner = database, living, clock, owner
        self._channels = {name: each for name, each in channels.items() if isinstance(each, Polled)}
        self._asking: dict[Key, asyncio.Task[None]] = {}
        self._lane: Lane[Arrival] = database.lane(
            "inbox.poll", inbox.accept, priority=Priority.ACCEPT, topic=inbox.TOPIC
        )

    async def work(self, stopping: asyncio.Event) -> None:
        """Ask until `stopping` is set; then what was told is kept, and other processes may ask at once."""
        try:
            while not stopping.is_set():
                try:
                    await self._accounts.freshen()
                except Closed:
                    return
                except Exception:
                    log.exception("the accounts to ask for could not be read; they are read again")
                else:
                    self._begin(stopping)
                await _pause(stopping, LOOK_S)
        except asyncio.CancelledError:
            for task in self._asking.values():
                task.cancel()
            raise
        finally:
            await asyncio.gather(*self._asking.values(), return_exceptions=True)

    def _begin(self, stopping: asyncio.Event) -> None:
        for name in self._channels:
            for account_id in self._accounts.ids(name):
                task = self._asking.get((name, account_id))
                if task is None or task.done():
                    self._asking[name, account_id] = asyncio.create_task(self._attend((name, account_id), stopping))

    async def _attend(self, key: Key, stopping: asyncio.Event) -> None:
        """Ask for one account as long as it is ours to ask for and has a token."""
        turn = _Round()
        try:
            while not stopping.is_set():
                account = await self._accounts.get(*key)
                wait = await self._ask(account, turn, stopping) if await self._is_ours(key, turn) else LOOK_S
                await _pause(stopping, wait)
        except (Held, Closed):
            pass
        except Exception:
            log.exception("an account could not be asked for; it is tried again", extra={"channel": key[0]})
        finally:
            if turn.until > NEVER:
                give_back = partial(polling.give_back, key=key, owner=self._owner, seen=turn.seen)
                with suppress(Closed):
                    await self._database.write(give_back, name="polling.give_back")

    async def _is_ours(self, key: Key, turn: _Round) -> bool:
        now = self._clock()
        if turn.until - now >= RENEWED_BELOW:
            return True
        if not await self._database.read(lambda session: polling.is_free(session, key, self._owner, now)):
            turn.until = NEVER
            return False
        until, seen = now + LEASE, turn.seen
        take = partial(polling.take, key=key, owner=self._owner, now=now, until=until, seen=seen)
        is_ours = await self._database.write(take, name="polling.take")
        turn.until = until if is_ours else NEVER
        return is_ours

    async def _ask(self, account: Account, turn: _Round, stopping: asyncio.Event) -> float:
        """One question, and what follows from its answer; how many seconds to wait before the next."""
        try:
            poll = self._channels[account.channel].poll(account, self._clock())
            told = await _unless_stopped(poll, stopping)
        except SendError as error:
            POLLS.labels(account.channel, error.kind.value).inc()
            return await self._failed(account, error, turn)
        if told is None:
            return 0.0
        POLLS.labels(account.channel, "told" if told else "nothing").inc()
        turn.seen["answered_at"] = self._clock()
        if told:
            faultpoint("poll.told")
            await self._keep(account.channel, told)
            turn.seen["heard_at"] = self._clock()
        if not turn.calm:
            solve = partial(alarms.solve, kind=NOT_HEARD, subject=_subject(account), now=self._clock())
            await self._database.write(solve, name="polling.solve")
        turn.failures, turn.failing_since, turn.calm = 0, None, True
        return 0.0

    async def _keep(self, channel: str, told: Sequence[Raw]) -> None:
        """Keep what was told: it may never be told again, so this is tried until it is done."""
        now = self._clock()
        arrivals = [
            Arrival(channel, raw.account_id, raw.thread_key, raw.dedup_key, raw.occurred_at, now, raw.body)
            for raw in told
        ]
        while True:
            try:
                await self._lane.put(arrivals)
            except Closed:
                raise
            except Exception:
                log.exception("what a platform told could not be kept; it is tried again", extra={"channel": channel})
                await asyncio.sleep(LOOK_S)
            else:
                return

    async def _failed(self, account: Account, error: SendError, turn: _Round) -> float:
        """Ring where a person must act; how many seconds to wait."""
        where = {"channel": account.channel, "account": account.account_id, "code": error.code}
        log.warning("an account could not be asked what happened", extra=where)
        if error.kind is SendErrorKind.AUTH:
            return 0.0 if await self._accounts.renew(account) else LOOK_S
        now = self._clock()
        turn.failures, turn.calm = turn.failures + 1, False
        turn.failing_since = turn.failing_since or now
        must_act = (error.kind, error.subject) == (SendErrorKind.PERMANENT, Subject.ACCOUNT)
        if must_act or now - turn.failing_since >= RINGS_AFTER:
            words = f"{error.words.en} ({error.code})"
            ring = partial(alarms.ring, kind=NOT_HEARD, subject=_subject(account), words=words, now=now)
            await self._database.write(ring, name="polling.ring")
        asked = error.retry_after.total_seconds() if error.retry_after else 0.0
        return max(asked, min(SLOWEST_S, 2.0 ** min(turn.failures, 6) / 2))


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    """Wait, but not longer than until the service stops."""
    if seconds:
        await wait(stopping, seconds)


async def _unless_stopped(asked: Awaitable[T], stopping: asyncio.Event) -> T | None:
    """What this comes to; None where the service stopped before that."""
    question = asyncio.ensure_future(asked)
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((question, stop), return_when=asyncio.FIRST_COMPLETED)
        if not question.done():
            question.cancel()
        return await question
    except asyncio.CancelledError:
        if not stopping.is_set():
            raise
        return None
    finally:
        stop.cancel()
        question.cancel()


def _subject(account: Account) -> str:
    return alarms.of_account(account.channel, account.account_id)
