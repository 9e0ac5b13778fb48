"""The worker that turns events into effects: takes threads, runs a batch as a bet, buries only what is poison."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import groupby
from operator import attrgetter

from prometheus_client import Counter
from sqlmodel import Session

from bot import effects, signs, strangers
from bot.accounts import Accounts
from bot.batch import Batch
from bot.channels.abilities import Sign, Signing
from bot.channels.base import Channel
from bot.claims import Slots
from bot.context import Context, Talk
from bot.hearing import Hearing
from bot.outbox import OutboxWorker
from bot.router import Routes
from bot.staff import hearing
from bot.staff.context import Office
from bot.staff.hearing import Heard
from bot.templates import Templates
from crm import conversations, staff
from crm.conversations import Reason, State
from crm.events import BrandSpoke, Event, Followed, Inbound, Labelled, TextReceived, UnknownEvent
from crm.sla import Policy
from storage import accounts, engines, errors, inbox
from storage.database import Database
from storage.faults import faultpoint
from storage.inbox import Held, Waiting
from storage.queue import retry_delay
from storage.work import TROUBLE

log = logging.getLogger(__name__)

EVENTS = Counter("khachquen_events_total", "Events handled, by channel and kind", ["channel", "kind"])
BURIED = Counter("khachquen_events_buried_total", "Events given up, by channel", ["channel"])

THREADS = 64
ATTEMPTS = 3

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Desk:
    """What handlers need beside an event: channels, routes, texts, the shop's language, the flood limit.

    `office` is what staff's commands need, `policy` when somebody is there and what is promised.
    """

    channels: Mapping[str, Channel]
    routes: Routes
    templates: Templates
    locale: str
    flood_per_minute: int
    office: Office
    policy: Policy


class InboxWorker:
    """Handles what is due, a batch at a time."""

    def __init__(self, database: Database, desk: Desk, living: Accounts, speaker: OutboxWorker, clock: Clock) -> None:
        self._database, self._desk, self._accounts, self._clock = database, desk, living, clock
        self._speaker = speaker
        self._hearing = Hearing(database, clock)
        self._staff_only = frozenset(name for name, channel in desk.channels.items() if channel.staff_only)

    async def once(self) -> bool:
        """Handle what is due, as one batch; whether more was due than one batch takes.

        A batch holds its threads' locks until it commits. If anything raises, all of it is undone and each thread's
        first event is handled by itself, so that only what raises is blamed.
        """
        await self._accounts.freshen()
        taken: list[Held] = []
        more = True
        with self._speaker.claiming_beside() as slots:
            try:
                more = await self._database.write(lambda session: self._run(session, taken, slots), name="inbox.batch")
            except TROUBLE:
                raise
            except Exception:
                if not taken:
                    raise
                slots.forget()
                for thread in taken:
                    await self._alone(thread)
            if taken:
                faultpoint("t3.committed")
        if taken:
            await self._hearing.keep()
        return more

    async def _alone(self, thread: Held) -> None:
        try:
            await self._database.write(
                lambda session: self._run(session, [], Slots(0, []), only=thread.id), name="inbox.alone"
            )
        except TROUBLE:
            raise
        except Exception as error:
            blame = partial(_blame, thread=thread, error=error, now=self._clock())
            await self._database.write(blame, name="inbox.blame")

    def _run(self, session: Session, taken: list[Held], slots: Slots, only: int | None = None) -> bool:
        now = self._clock()
        slots.forget()
        taken[:] = inbox.take(session, now, THREADS, only)
        if not taken:
            return False
        faultpoint("t2.taken")
        rows = inbox.waiting(session, [thread.id for thread in taken])[: None if only is None else 1]
        parsed, buried = self._parse(taken, rows, now, self._strange(session, taken))
        batch = Batch(session, now, self._desk.policy, self._staff_only)
        told = [event for events in parsed.values() for event in events]
        labelled = (each for event in told if isinstance(event, Labelled) for each in event.people)
        batch.load((event.address for event in told if event.address.user_id), labelled)
        done: list[int] = []
        wait_until: dict[int, datetime] = {}
        of_staff: list[tuple[Talk, list[Heard]]] = []
        for thread_id, group in groupby(rows, key=attrgetter("thread_id")):
            alive = [row for row in group if row.id in parsed]
            events = [event for row in alive for event in parsed[row.id]]
            talk = self._staff_talk(batch, events)
            if talk is not None:
                heard = [Heard(row.id, event) for row in alive for event in parsed[row.id]]
                of_staff.append((talk, self._set_apart(batch, talk, heard)))
                done.extend(row.id for row in alive)
                continue
            until = self._flood(batch, events, now)
            if until is not None:
                wait_until[thread_id] = until
                continue
            self._converse(batch, events)
            done.extend(row.id for row in alive)
        claim = None if of_staff else partial(self._speaker.claim, session, now, slots)
        with engines.together(session.connection()):
            batch.flush(claim)
            inbox.finish(session, done)
            inbox.bury(session, buried)
            inbox.release(session, taken, wait_until)
        batch.tick()
        for talk, heard in of_staff:
            inbox.forget_bodies(session, hearing.hear(session, self._desk.office, talk.person, heard, now))
        faultpoint("t3.written")
        return len(taken) == THREADS or len(rows) == inbox.PER_LEASE

    def _staff_talk(self, batch: Batch, events: Sequence[Event]) -> Talk | None:
        """The talk of a thread whose person belongs to staff."""
        first = next((event for event in events if event.address.user_id), None)
        talk = batch.talk(first.address) if first else None
        return talk if talk is not None and talk.person.staff_id is not None else None

    def _set_apart(self, batch: Batch, talk: Talk, heard: Sequence[Heard]) -> list[Heard]:
        """Apply what staff's events do by themselves; those that are for commands, after all else is written.

        Who plays a customer is answered like one.
        """
        if not hearing.plays_customer(batch.session, talk.person, batch.now):
            for each in heard:
                effects.apply(batch, each.event)
            return list(heard)
        ours = [each for each in heard if hearing.is_for_staff(each.event, self._desk.office)]
        member, talk.person = talk.person, talk.person._replace(staff_id=None)
        self._converse(batch, [each.event for each in heard if each not in ours])
        talk.person = member
        return ours

    def _strange(self, session: Session, held: Sequence[Held]) -> dict[int, str]:
        """Threads of accounts that are not there or not there any more, and why nothing of them can be handled.

        What is remembered of the accounts may be seconds old, so one that is missing there is looked up.
        """
        missing = [thread for thread in held if thread.account_id not in self._accounts.ids(thread.channel)]
        keys = {(thread.channel, thread.account_id) for thread in missing}
        gone = {key for key in keys if not accounts.is_connected(session, *key)}
        return {
            thread.id: f"{thread.channel} {thread.account_id} is not connected here"
            for thread in missing
            if (thread.channel, thread.account_id) in gone
        }

    def _parse(
        self, held: Sequence[Held], rows: Sequence[Waiting], now: datetime, strange: Mapping[int, str]
    ) -> tuple[dict[int, list[Event]], dict[int, str]]:
        names = {thread.id: thread.channel for thread in held}
        parsed: dict[int, list[Event]] = {}
        buried: dict[int, str] = {}
        for row in rows:
            channel = names[row.thread_id]
            if row.thread_id in strange:
                buried[row.id] = strange[row.thread_id]
                BURIED.labels(channel).inc()
                continue
            try:
                events = self._desk.channels[channel].parse(row.body, now)
            except Exception as error:
                buried[row.id] = f"not understood: {type(error).__name__}: {error}"
                BURIED.labels(channel).inc()
                continue
            unknown = [event for event in events if isinstance(event, UnknownEvent) and not event.known]
            if unknown and len(unknown) == len(events):
                buried[row.id] = f"unknown event: {unknown[0].name}"
            else:
                parsed[row.id] = events
            for event in events:
                kind = type(event).__name__
                _counted(channel, kind).inc()
                self._hearing.note((channel, event.address.account_id, kind))
        return parsed, buried

    def _flood(self, batch: Batch, events: Sequence[Event], now: datetime) -> datetime | None:
        """When a person who writes too fast is answered again: at the next minute, all lines together.

        Until then they see that theirs were read, where the channel can show that. Staff are told of them.
        """
        limit = self._desk.flood_per_minute
        lines = [event for event in events if isinstance(event, Inbound)]
        if not limit or not lines:
            return None
        talk = batch.talk(lines[0].address)
        if not talk.state.staff_holds and not conversations.lines_left(talk.state, now, limit):
            if isinstance(self._desk.channels[talk.person.channel], Signing):
                signs.ask(batch.session, talk.person, Sign.SEEN, now)
            talk.state = conversations.call_person(talk.state, now, Reason.FLOOD)
            return now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        talk.state = conversations.counted(talk.state, now, len(lines))
        return None

    def _converse(self, batch: Batch, events: Sequence[Event]) -> None:
        """Apply a thread's events in order and answer them; texts that waited together are answered once.

        What came before a line of the brand that is not ours was answered by somebody: it is too late to answer it.
        """
        together = bool(self._desk.flood_per_minute)
        told = [number for number, each in enumerate(events) if _is_told_by_others(batch, each)]
        spoken = max(told, default=-1)
        late = [each for number, each in enumerate(events) if number < spoken or _is_too_old(each, batch.now)]
        for is_text, group in groupby(events, key=lambda event: isinstance(event, TextReceived)):
            run = list(group)
            for event in run:
                effects.apply(batch, event)
                if not (is_text and together):
                    self._answer(batch, [event], late)
            if is_text and together:
                self._answer(batch, run, late)

    def _answer(self, batch: Batch, heard: Sequence[Event], late: Collection[Event]) -> None:
        """Let a handler answer what was said to us, not what is overheard while another app holds the conversation.

        What comes too late for an answer is left to a person. Where only staff write, nobody is answered as a customer.
        """
        if heard[0].address.channel in self._staff_only:
            self._answer_stranger(batch, [event for event in heard if event not in late])
            return
        run: Sequence[Event] = [event for event in heard if not (isinstance(event, Inbound) and event.elsewhere)]
        if late:
            missed = next((event for event in run if event in late and isinstance(event, Inbound)), None)
            if missed is not None:
                talk = batch.talk(missed.address)
                talk.state = conversations.call_person(talk.state, min(missed.at, batch.now), Reason.LATE)
            run = [event for event in run if event not in late]
        if not run:
            return
        event = run[-1]
        if not isinstance(event, Inbound | Followed) or not event.address.user_id:
            return
        talk = batch.talk(event.address)
        if self._paired(batch, talk, run):
            return
        if conversations.is_stale(talk.state, batch.now):
            talk.state = conversations.given_up(talk.state)
        if talk.person.is_vip and isinstance(event, Inbound):
            talk.state = conversations.call_person(talk.state, batch.now, Reason.VIP)
        lines = [each.text for each in run if isinstance(each, TextReceived)]
        self._desk.routes.handle(self._context(batch, talk, event, "\n".join(lines)), lines)

    def _paired(self, batch: Batch, talk: Talk, run: Sequence[Event]) -> bool:
        """Whether a line was a pairing code, so that this chat is a member of staff's from now on.

        One that is not valid is a customer's line like any other: nobody learns that there are codes.
        """
        for event in run:
            code = staff.pairing_in(event.text) if isinstance(event, TextReceived) else ""
            member = staff.pair(batch.session, talk.person, code, batch.now) if code else None
            if member is not None:
                talk.state = State()
                context = self._context(batch, talk, event, "")
                context.reload()
                context.reply("staff/paired", name=member.name, role=member.role)
                return True
        return False

    def _answer_stranger(self, batch: Batch, heard: Sequence[Event]) -> None:
        """Somebody whom nobody paired writes where only staff do; what they may have wanted is no customer's wish."""
        spoken = [event for event in heard if isinstance(event, Inbound)]
        if not spoken:
            return
        talk = batch.talk(spoken[-1].address)
        if not self._paired(batch, talk, spoken):
            strangers.answer(self._context(batch, talk, spoken[-1], ""))

    def _context(self, batch: Batch, talk: Talk, event: Event, text: str) -> Context:
        return Context(
            event=event,
            text=text,
            session=batch.session,
            now=batch.now,
            default_locale=self._desk.locale,
            talk=talk,
            channel=self._desk.channels[event.address.channel],
            templates=self._desk.templates,
            answers=self._desk.routes.names,
            policy=self._desk.policy,
        )


def _is_told_by_others(batch: Batch, event: Event) -> bool:
    return isinstance(event, BrandSpoke) and effects.is_of_others(batch, event)


def _is_too_old(event: Event, now: datetime) -> bool:
    return isinstance(event, Inbound | Followed) and conversations.is_too_old(event.at, now)


@cache
def _counted(channel: str, kind: str) -> Counter:
    return EVENTS.labels(channel, kind)


def _blame(session: Session, thread: Held, error: Exception, now: datetime) -> None:
    """Count the failure against the thread's first event; the third time it is buried, and the rest goes on."""
    if not inbox.take(session, now, 1, thread.id):
        return
    rows = inbox.waiting(session, [thread.id])
    wait_until: dict[int, datetime] = {}
    if rows:
        first = rows[0]
        words = errors.told(error)
        if first.attempts + 1 >= ATTEMPTS:
            log.error("an event was buried", exc_info=error, extra={"event_id": first.id})
            BURIED.labels(thread.channel).inc()
            inbox.bury(session, {first.id: words})
        else:
            log.warning("an event failed", exc_info=error, extra={"event_id": first.id})
            wait_until[thread.id] = now + retry_delay(first.attempts + 1)
            inbox.failed(session, first.id, first.attempts + 1, words, wait_until[thread.id])
    inbox.release(session, [thread], wait_until)
