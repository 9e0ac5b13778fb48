"""The worker that speaks: claims what may go, calls the channel, and writes down how it went."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlmodel import Session

from bot import allowances, unasked
from bot.accounts import Accounts
from bot.allowances import Allowances
from bot.channels.base import Channel
from bot.channels.base import Sent as Answer
from bot.claims import Claimed, Claims, Slots, Turn
from bot.context import Talk
from bot.crew import LEAST, Crew
from bot.drawing.shelf import Shelf
from bot.loop import landed
from bot.outcomes import Outcomes, ended
from bot.pace import Paces
from bot.registry import Registry
from bot.sending import Sender
from bot.staff import receipts
from crm.allowances import Allowance
from crm.budget import Budget
from crm.messages import Purpose
from crm.recipients import Source
from crm.verdicts import Policy
from storage import alarms, engines, errors, outbox, recipients
from storage.database import REFUSALS, Database
from storage.faults import faultpoint
from storage.outbox import Sent
from storage.work import TROUBLE

log = logging.getLogger(__name__)

SLOTS = 128
AT_ONCE = SLOTS // 2
"""How many messages one transaction may claim that somebody waits for: turns and batches of events do at the same
time."""
BATCH = 512
"""How many that nobody asked for are taken, and written down, together: each turn has its price, however few it is for.
"""
SHORT = BATCH // 8
"""How many while others are answered, who wait for such a turn to end."""
QUIET_S = 1.0
"""For how long nobody was answered where turns are long."""
SPARE = 2 * LEAST
"""How many go out while the next ones are taken."""
ROOMY = 32
"""Where there is room for fewer, none are taken."""
IDLE_S = 0.25
"""How long nobody is looked for who asked for nothing after nobody was found, unless something may have changed that:
most shops send them on few days."""
NOTED_WITHIN_S = 0.05
"""How long a message that went out may wait to be written down, so that others are written with it."""


class OutboxWorker:
    """Keeps up to SLOTS sends in flight, one for each person, at each account's pace; what nobody asked for beside
    them."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        living: Accounts,
        intervals: Mapping[str, timedelta],
        budget: Budget,
        shelf: Shelf,
        clock: Callable[[], datetime],
        owner: str,
        policy: Policy,
        care: Source | None = None,
    ) -> None:
        self._database, self._channels, self._accounts = database, channels, living
        self._paces, self._clock, self._owner = Paces(intervals), clock, owner
        self._registry, self._allowed = Registry(), Allowances()
        self._claims = Claims(channels, living, self._registry, self._paces, budget, self._allowed, policy, care)
        self._outcomes = Outcomes(database, channels, living, self._paces, self._registry, self._allowed, clock)
        self._sender = Sender(database, channels, living, self._outcomes, shelf, clock, self._keep)
        self._flying: set[asyncio.Task[None]] = set()
        self._crew = Crew(self._sender.send)
        self._promised = 0
        self._sent: list[Sent] = []
        self._will_note: asyncio.TimerHandle | None = None
        self._batch, self._answered_at = BATCH, float("-inf")
        self._nobody_since = float("-inf")
        self._looks_again: asyncio.TimerHandle | None = None
        self._staff_ask = False
        self._told: dict[tuple[str, str, str], Allowance] = {}
        self._topic, self._somebody = database.topic(outbox.TOPIC), database.topic(recipients.TOPIC)

    async def recall(self) -> None:
        """Learn which accounts were refused before this process started."""
        await self._outcomes.recall()

    async def once(self) -> bool:
        """Write down what was sent, claim what may go now, and start its sends; whether to look again at once.

        What nobody asked for waits until many of it can be written down and taken together.
        """
        with self.claiming() as slots:
            if not (slots.sent or self._staff_ask) and slots.free <= 0:
                return False
            slots.unasked = self._unasked_room()
            if slots.unasked and slots.free > 0:
                self._somebody.clear()
            staff_ask, self._staff_ask = self._staff_ask, False
            told = dict(self._told)
            try:
                turn = await self._written(slots, staff_ask)
            except BaseException:
                self._staff_ask |= staff_ask
                raise
            slots.claimed, slots.noted = turn.claimed, len(slots.sent)
            self._told = {key: each for key, each in self._told.items() if each is not told.get(key)}
            for due, reason in turn.refused:
                ended(due.channel, due.purpose, reason).inc()
        if turn.refills is not None:
            self._look_within(turn.refills.total_seconds())
        return turn.goes_on or any(not item.recipient for item in turn.claimed)

    @contextmanager
    def claiming(self) -> Iterator[Slots]:
        """Keep slots for one transaction; what it claimed is sent when the block ends, unless it raises.

        It may write down what was sent; what it leaves is for the next one.
        """
        slots = Slots(min(AT_ONCE, SLOTS - len(self._flying) - self._promised), self._sent)
        self._sent = []
        promised = slots.free
        self._promised += promised
        try:
            yield slots
        except BaseException:
            slots.forget()
            raise
        finally:
            self._promised -= promised
            left = slots.sent[slots.noted :]
            if left:
                self._sent = left + self._sent
                if self._will_note is None:
                    self._topic.set()
        if slots.claimed:
            faultpoint("t4.committed")
        asked = [item for item in slots.claimed if not item.recipient]
        if self._outcomes.tripped:
            self._outcomes.tripped.difference_update([item.broadcast for item in slots.claimed])
        if asked:
            self._answered_at = time.monotonic()
        self._flying.update([asyncio.create_task(self._fly(item)) for item in asked])
        self._crew.add([item for item in slots.claimed if item.recipient] if asked else slots.claimed)

    @contextmanager
    def claiming_beside(self) -> Iterator[Slots]:
        """The same for a transaction that does more than this.

        On PostgreSQL, where several processes claim, there is nothing for it: it holds customers and must not wait for
        who claims, and meanwhile turns go on with every slot and with what was sent.
        """
        if not self._database.is_sqlite:
            yield Slots(0, [])
            return
        with self.claiming() as slots:
            yield slots

    def claim(self, session: Session, now: datetime, slots: Slots, talks: Sequence[Talk]) -> None:
        """Claim, in the transaction that queues them, replies that may go at once."""
        if slots.free > 0:
            self._claims.at_once(session, self._owner, now, slots, talks)

    def _unasked_room(self) -> int:
        """How many may be taken now that nobody asked for."""
        now = time.monotonic()
        self._batch = BATCH if now - self._answered_at >= QUIET_S else SHORT
        room = min(self._batch, self._batch + SPARE - len(self._crew))
        if room < (self._batch if self._crew.is_behind else ROOMY):
            return 0
        rested = now - self._nobody_since
        if rested >= IDLE_S or self._somebody.is_set():
            return room
        self._look_within(IDLE_S - rested)
        return 0

    def _look_within(self, seconds: float) -> None:
        loop, before = asyncio.get_running_loop(), self._looks_again
        if before is not None:
            if before.when() <= loop.time() + seconds:
                return
            before.cancel()
        self._looks_again = loop.call_later(seconds, self._look_again)

    def _look_again(self) -> None:
        self._looks_again = None
        self._topic.set()

    def _note_soon(self) -> None:
        """Let what was sent be written down: soon, by a turn of its own, unless other work does it before."""
        if self._will_note is None:
            self._will_note = asyncio.get_running_loop().call_later(NOTED_WITHIN_S, self._note_now)

    def _note_now(self) -> None:
        if self._will_note is not None:
            self._will_note.cancel()
            self._will_note = None
        if self._sent:
            self._topic.set()

    async def drain(self, seconds: float) -> None:
        """Let what is in flight end and be written down; what is still out afterwards becomes unknown."""
        try:
            await self._outcomes.give_back(self._crew.take_back(), unasked.LATE)
        except TROUBLE as error:
            log.warning("what was not called for could not be given back", extra={"why": errors.named(error)})
        await asyncio.gather(self._crew.drain(seconds), landed(self._flying, seconds))
        if self._sent:
            try:
                await self._note(self._sent)
            except REFUSALS:
                await self._note_apart(self._sent)

    async def _written(self, slots: Slots, staff_ask: bool) -> Turn:
        """One turn. Where the database refuses it, what was sent is noted one by one first, so that none jams all."""

        def turn(session: Session) -> Turn:
            return self._turn(session, slots, staff_ask)

        try:
            return await self._database.write(turn, name="outbox.turn")
        except REFUSALS:
            if not slots.sent:
                raise
        await self._note_apart(slots.sent)
        return await self._database.write(turn, name="outbox.turn")

    async def _note_apart(self, sent: list[Sent]) -> None:
        """Note each of these by itself, and take it from the list.

        One that is refused as it is keeps no id: it did go out, and must not go out again.
        """
        while sent:
            first = sent[0]
            try:
                await self._note([first])
            except REFUSALS as error:
                why = errors.named(error)
                log.error("a message was sent, but its id cannot be kept", extra={"outbox_id": first.id, "why": why})
                await self._note([first._replace(message_id="", quota="")])
            sent.pop(0)

    async def _note(self, sent: Sequence[Sent]) -> None:
        await self._database.write(lambda session: outbox.sent(session.connection(), sent), name="outbox.sent")

    def _turn(self, session: Session, slots: Slots, staff_ask: bool) -> Turn:
        """What staff sent ended, in this turn or before it (`staff_ask`): they are told, by a job of its own."""
        turn, look, sent = Turn([], [], []), None, slots.sent
        with engines.together(session.connection()):
            outbox.sent(session.connection(), sent)
            if sent:
                faultpoint("t5.written")
            now = self._clock()
            for (channel, account_id, _), allowance in list(self._told.items()):
                allowances.note(session, (channel, account_id), [allowance], now)
            if slots.free > 0:
                turn, look = self._claims.make(session, self._owner, now, slots.free, slots.unasked)
        if look is not None and slots.unasked:
            looked = self._claims.unasked(session, turn, look, self._owner, now, slots.unasked)
            self._nobody_since = float("-inf") if looked.anybody else time.monotonic()
            turn = turn._replace(goes_on=looked.goes_on)
        if look is not None and turn.claimed:
            turn = turn._replace(refills=look.refills)
        for each in turn.rings:
            alarms.ring(session, *each, now)
        if staff_ask or any(due.purpose == Purpose.STAFF for due, _ in turn.refused):
            receipts.ask(session, now)
        return turn

    async def _fly(self, item: Claimed) -> None:
        try:
            await self._sender.send(item)
        finally:
            if task := asyncio.current_task():
                self._flying.discard(task)

    def _keep(self, item: Claimed, answer: Answer, now: datetime) -> None:
        """Let it be written down that the platform took a message."""
        due, is_asked = item.due, not item.recipient
        charged = None if answer.cost == item.cost else answer.cost
        self._sent.append(Sent(due.id, answer.message_id, answer.quota, now, charged, not is_asked))
        if answer.allowance is not None:
            self._told[(due.channel, due.account_id, answer.allowance.name)] = answer.allowance
        ended(due.channel, due.purpose, "sent").inc()
        if is_asked:
            self._staff_ask |= due.purpose == Purpose.STAFF
        if self._staff_ask or (not is_asked and (len(self._sent) >= self._batch or len(self._crew) == 1)):
            self._note_now()
        elif is_asked or not self._crew.is_behind:
            self._note_soon()
