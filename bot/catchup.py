"""Reads from the platforms what was said while no door was open, through the inbox that webhooks go through."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import NamedTuple

from prometheus_client import Counter
from sqlmodel import Session

from bot.accounts import Accounts
from bot.calling import Removed, account_for
from bot.channels.base import Channel, Page, Raw, SendError, SendErrorKind
from bot.jobs import Later, Payload, Work
from crm.events import BrandSpoke, Event
from storage import accounts, alarms, catchup, customers, inbox, jobs, transcripts
from storage.catchup import Span
from storage.database import Database
from storage.inbox import Arrival
from storage.outbox import SENT

log = logging.getLogger(__name__)

FOUND = Counter("khachquen_catchup_events_total", "Events that no webhook had told, by channel", ["channel"])

ALARM = "catchup_refused"
WAITS = "catchup_waits"
RINGS_AFTER = timedelta(hours=1)
MARGIN = timedelta(minutes=2)
"""By how much a span is read too wide: clocks differ, and a webhook comes later than what it tells of."""
PACE = timedelta(seconds=2)
"""Between two calls: at most 30 a minute, of Zalo's 100 and under Messenger's two a second."""
BUSY_PACE = timedelta(seconds=10)
"""The same while many messages wait for their turn."""
BUSY = timedelta(seconds=3)
"""How far ahead an account's sends may be reserved until it counts as busy."""
PAUSE = timedelta(seconds=30)
HELD_PAUSE = timedelta(minutes=1)
SAME = timedelta(seconds=1)
SAME_SEND = timedelta(minutes=10)
"""How far apart the platform and we may tell the time of a customer's line, and of one of ours."""
LINES = 100
"""How many lines of a transcript are compared with what was read."""


class _Kept(NamedTuple):
    """How many events of a page were new, and when the next page may be read; None after the last."""

    found: int
    again: timedelta | None


class Catchup:
    """The jobs that read one account's span, a page a run, and go on where they stopped, and that watch over it."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        living: Accounts,
        intervals: Mapping[str, timedelta],
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._channels, self._accounts = database, channels, living
        self._intervals, self._clock = intervals, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {catchup.JOB: self.step, "catchup.watch": self.watch}

    async def watch(self, payload: Payload) -> None:
        """End the readings whose job was given up, and ring for those that wait for long."""
        now = self._clock()
        await self._database.write(partial(_watch, now=now), name="catchup.watch")

    async def step(self, payload: Payload) -> None:
        """Read one page and keep what is new; raises Later while more is to be read."""
        channel, account_id = payload["channel"], payload["account_id"]
        span = await self._database.read(lambda session: catchup.find(session, channel, account_id))
        if span is None or span.ended_at is not None:
            return
        page = await self._page(span)
        if page is None:
            return
        kept = await self._database.write(partial(self._keep, span=span, page=page), name="catchup.keep")
        FOUND.labels(channel).inc(kept.found)
        if kept.again is not None:
            raise Later(kept.again)
        log.info("caught up", extra={"channel": channel, "account": account_id, "found": span.found + kept.found})

    async def _page(self, span: Span) -> Page | None:
        """The next page; None where there will be none. Raises Later where it has to wait."""
        try:
            async with account_for(self._accounts, span.channel, span.account_id, pause=HELD_PAUSE) as account:
                return await self._channels[span.channel].recent(account, span.since, span.until, span.cursor)
        except Removed:
            await self._trouble(span, "the account was removed", ended=True)
            return None
        except Later:
            await self._trouble(span, "the account is held, or waits for a new token")
            raise
        except SendError as error:
            if error.kind in (SendErrorKind.PERMANENT, SendErrorKind.UNREACHABLE):
                await self._refused(span, error)
                return None
            await self._trouble(span, str(error))
            raise Later(max(error.retry_after or PAUSE, PACE)) from None

    async def _trouble(self, span: Span, words: str, *, ended: bool = False) -> None:
        ended_at = self._clock() if ended else None
        note = partial(catchup.advance, span=span, trouble=words[:500], ended_at=ended_at)
        await self._database.write(note, name="catchup.trouble")

    async def _refused(self, span: Span, error: SendError) -> None:
        """End it, and ring: a person has to look through the platform's own inbox."""
        end = partial(_give_up, span=span, why=str(error), now=self._clock())
        await self._database.write(end, name="catchup.refused")

    def _keep(self, session: Session, span: Span, page: Page) -> _Kept:
        """Keep what is new and note how far we are, in one transaction."""
        now = self._clock()
        fresh = self._new(session, span.channel, page.raws, now)
        arrivals = [
            (
                Arrival(span.channel, raw.account_id, raw.thread_key, raw.dedup_key, raw.occurred_at, now, raw.body),
                raw.also,
            )
            for raw in fresh
        ]
        found = inbox.accept_read(session, arrivals)
        pace = self._paced(session, span, page.calls, now)
        values = {"cursor": page.cursor, "calls": span.calls + page.calls, "found": span.found + found, "trouble": ""}
        ended = {} if page.cursor else {"ended_at": now}
        current = catchup.advance(session, span, **values, **ended)
        if not current or page.cursor:
            return _Kept(found, pace)
        alarms.solve(session, ALARM, _subject(span), now)
        alarms.solve(session, WAITS, _subject(span), now)
        return _Kept(found, None)

    def _paced(self, session: Session, span: Span, calls: int, now: datetime) -> timedelta:
        """Take these calls off what the account may send, and say when the next may be made."""
        interval = self._intervals.get(span.channel, timedelta())
        known = accounts.paces(session).get((span.channel, span.account_id))
        if known is None or not interval:
            return PACE * calls
        accounts.hold_pace(session, {known.id: max(known.tat, now) + calls * interval})
        return (BUSY_PACE if known.tat - now > BUSY else PACE) * calls

    def _new(self, session: Session, channel: str, raws: Sequence[Raw], now: datetime) -> list[Raw]:
        """Those that the transcripts do not show yet."""
        people = customers.people(session, sorted({raw.thread_key for raw in raws})) if raws else {}
        fresh: list[Raw] = []
        for key, group in groupby(raws, key=lambda raw: (channel, raw.account_id, raw.thread_key)):
            told = [(raw, event) for raw in group for event in self._channels[channel].parse(raw.body, now)]
            lines = transcripts.latest(session, people[key].identity_id, LINES) if key in people else []
            by_id = {line.message_id for line in lines} - {""}
            read = {getattr(event, "message_id", "") for _, event in told}
            others = [line for line in lines if line.message_id not in read]
            fresh += [
                raw
                for raw, event in told
                if getattr(event, "message_id", "") not in by_id
                and not any(_says_the_same(line, event) for line in others)
            ]
        return fresh


def _give_up(session: Session, span: Span, why: str, now: datetime) -> None:
    """End a reading, and ring: a person has to look through the platform's own inbox."""
    words = (
        f"What customers wrote while we were away could not be read from the platform. {why} Look through its "
        "own inbox by hand, or mend this and run: khachquen catchup"
    )
    if catchup.advance(session, span, ended_at=now, trouble=why[:500]):
        alarms.ring(session, ALARM, _subject(span), words, now)


def _watch(session: Session, now: datetime) -> None:
    """Give up what nobody reads any more; ring for what waits, and end the alarms of what goes on."""
    late: dict[str, str] = {}
    for span in catchup.under_way(session):
        if not jobs.waits(session, catchup.JOB, _subject(span)):
            _give_up(session, span, "It failed again and again: khachquen dead list says how.", now)
        elif span.trouble and now - span.asked_at >= RINGS_AFTER:
            late[_subject(span)] = span.trouble
    for subject, trouble in late.items():
        words = (
            f"What customers wrote while we were away waits to be read from the platform: {trouble}. It goes on by "
            "itself once that is mended; until then look through the platform's own inbox."
        )
        alarms.ring(session, WAITS, subject, words, now)
    alarms.solve_many(session, WAITS, alarms.subjects(session, WAITS) - late.keys(), now)


def _subject(span: Span) -> str:
    return alarms.of_account(span.channel, span.account_id)


def _says_the_same(line: transcripts.Line, event: Event) -> bool:
    """Whether a line has the same words at the same time: should the platform tell another id than its webhook did."""
    words = getattr(event, "text", "")
    if not words or words != line.text:
        return False
    apart = abs(line.at - event.at)
    if isinstance(event, BrandSpoke):
        return line.state == SENT and apart <= SAME_SEND
    return line.author == "customer" and apart < SAME
