"""The worker that speaks: claims what may go, calls the channel, and writes down how it went."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, partial

from prometheus_client import Counter
from sqlmodel import Session

from bot import allowances, elsewhere, holds, registry, settling
from bot.accounts import Accounts, rung_for
from bot.allowances import Allowances
from bot.channels.base import Account, Channel, Outgoing, SendError, SendErrorKind, Subject
from bot.claims import BURST, Claimed, Claims, Turn
from bot.drawing.shelf import Shelf
from bot.effects import METADATA
from bot.pace import Paces
from bot.registry import Registry
from bot.renewal import Held
from bot.speakers import Speakers
from bot.staff import receipts
from bot.uploads import Uploads
from crm.allowances import Allowance
from crm.budget import Budget
from crm.events import Address
from crm.messages import Message, Purpose, template_in
from storage import accounts, alarms, customers, engines, outbox
from storage.allowances import Shut
from storage.database import REFUSALS, Database
from storage.faults import faultpoint
from storage.outbox import SENDING, UNKNOWN, Due, Sent
from storage.queue import DEAD, MAX_ATTEMPTS, WAITING, retry_delay
from storage.work import TROUBLE, Closed

log = logging.getLogger(__name__)

SENDS = Counter(
    "khachquen_sends_total", "Messages that ended, by channel, purpose and how", ["channel", "purpose", "end"]
)

SLOTS = 128
PAUSE = timedelta(minutes=1)
REFUSED_PAUSE = timedelta(minutes=15)
"""How long an account rests that is refused until a person mends it; longer than RINGS_AFTER, so it always rings."""
CALL = timedelta(seconds=9)
"""What one call may take: a claim with less time left is given back, so that no late worker sends."""
RENEWAL = timedelta(seconds=90)
"""How long a message stays ours while its account gets a new token or the platform a file: longer than either."""
RINGS_AFTER = timedelta(minutes=10)
REFUSED = "account_refused"


class OutboxWorker:
    """Keeps up to SLOTS sends in flight, one for each person, at each account's pace."""

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
    ) -> None:
        self._database, self._channels, self._accounts = database, channels, living
        self._paces, self._clock, self._owner = Paces(intervals), clock, owner
        self._registry, self._allowed = Registry(), Allowances()
        self._claims = Claims(channels, living, self._registry, self._paces, budget, self._allowed)
        self._uploads, self._speakers = Uploads(database, channels, shelf, clock), Speakers(database, channels, clock)
        self._flying: set[asyncio.Task[None]] = set()
        self._refusing: set[tuple[str, str]] = set()
        self._sent: list[Sent] = []
        self._staff_ask = False
        self._told: dict[tuple[str, str, str], Allowance] = {}
        self._topic = database.topic(outbox.TOPIC)

    async def recall(self) -> None:
        """Learn which accounts were refused before this process started."""
        self._refusing = await self._database.read(partial(rung_for, kind=REFUSED))

    async def once(self) -> bool:
        """Write down what was sent, claim what may go now, and start its sends; whether there were any."""
        free = SLOTS - len(self._flying)
        if not (self._sent or self._staff_ask) and free <= 0:
            return False
        sent, self._sent = self._sent, []
        staff_ask, self._staff_ask = self._staff_ask, False
        told = dict(self._told)
        try:
            claimed, refused, _ = await self._written(sent, free, staff_ask)
        except BaseException:
            self._sent, self._staff_ask = sent + self._sent, staff_ask or self._staff_ask
            raise
        self._told = {key: each for key, each in self._told.items() if each is not told.get(key)}
        if claimed:
            faultpoint("t4.committed")
        for due, reason in refused:
            ended(due.channel, due.purpose, reason).inc()
        for item in claimed:
            task = asyncio.create_task(self._send(item))
            self._flying.add(task)
            task.add_done_callback(self._flying.discard)
        return bool(claimed)

    async def drain(self, seconds: float) -> None:
        """Let what is in flight end and be written down; what is still out afterwards becomes unknown."""
        if self._flying:
            await asyncio.wait(self._flying, timeout=seconds)
        for task in list(self._flying):
            task.cancel()
        await asyncio.gather(*self._flying, return_exceptions=True)
        if self._sent:
            try:
                await self._note(self._sent)
            except REFUSALS:
                await self._note_apart(self._sent)

    async def _written(self, sent: list[Sent], free: int, staff_ask: bool) -> Turn:
        """One turn. Where the database refuses it, what was sent is noted one by one first, so that none jams all."""

        def turn(session: Session) -> Turn:
            return self._turn(session, sent, free, staff_ask)

        try:
            return await self._database.write(turn, name="outbox.turn")
        except REFUSALS:
            if not sent:
                raise
        await self._note_apart(sent)
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
                why = type(error).__name__
                log.error("a message was sent, but its id cannot be kept", extra={"outbox_id": first.id, "why": why})
                await self._note([first._replace(message_id="", quota="")])
            sent.pop(0)

    async def _note(self, sent: Sequence[Sent]) -> None:
        await self._database.write(lambda session: outbox.sent(session.connection(), sent), name="outbox.sent")

    def _turn(self, session: Session, sent: list[Sent], free: int, staff_ask: bool) -> Turn:
        """What staff sent ended, in this turn or before it (`staff_ask`): they are told, by a job of its own."""
        with engines.together(session.connection()):
            outbox.sent(session.connection(), sent)
            if sent:
                faultpoint("t5.written")
            now = self._clock()
            for (channel, account_id, _), allowance in list(self._told.items()):
                allowances.note(session, (channel, account_id), [allowance], now)
            turn = self._claims.make(session, self._owner, now, free) if free > 0 else Turn([], [], [])
        for each in turn.rings:
            alarms.ring(session, *each, now)
        if staff_ask or any(due.purpose == Purpose.STAFF for due, _ in turn.refused):
            receipts.ask(session, now)
        return turn

    async def _hear(self, item: Claimed, told: Allowance | None) -> None:
        """Keep what an answer tells of an allowance. What went out proves that its lane is open."""
        due, now = item.due, self._clock()
        account = (due.channel, due.account_id)
        if told is not None:
            self._told[(*account, told.name)] = told
        for lane in self._allowed.was_shut(account, item.lane, Purpose(due.purpose)):
            self._allowed.forget()
            await self._database.write(partial(allowances.reopen, lane=lane, now=now), name="outbox.reopened")

    async def _send(self, item: Claimed) -> None:
        due = item.due
        try:
            account = await self._accounts.get(due.channel, due.account_id)
            if self._clock() > item.until - CALL:
                await self._wait(item, timedelta(), "claimed too long ago to be sent", counted=False)
                return
            await self._call(item, account)
        except Held:
            await self._wait(item, timedelta(seconds=5), "the account is held", counted=False)
        except asyncio.CancelledError:
            await asyncio.shield(self._in_doubt(item, "the service stopped before the platform answered"))
            raise
        except Closed:
            return
        except TROUBLE as error:
            why = type(error).__name__
            log.warning("how a send went could not be written; it is looked for", extra={"id": due.id, "why": why})
        except Exception as error:
            log.exception("a send failed in our own code", extra={"outbox_id": due.id})
            await self._give_up(item, type(error).__name__)

    async def _call(self, item: Claimed, account: Account) -> None:
        due = item.due
        to = Address(due.channel, due.account_id, due.user_id)
        message = said = Message.loads(due.body)
        persona = ""
        try:
            if message.kept or message.speaker:
                await self._prolong(item)
            if message.kept:
                said = await self._uploads.ready(account, message)
            if message.speaker:
                persona = await self._speakers.persona(account, message.speaker)
            outgoing = Outgoing(to, said, item.lane, f"{METADATA}{due.id}", persona)
            answer = await self._channels[due.channel].send(account, outgoing)
        except SendError as error:
            if error.subject is Subject.UPLOAD and message.kept:
                await self._uploads.forget(account, message)
            if persona and (error.kind, error.subject) == (SendErrorKind.PERMANENT, Subject.MESSAGE):
                await self._speakers.refused(account, message.speaker)
                await self._wait(item, timedelta(), str(error)[:500], counted=True)
                return
            await self._failed(item, account, error)
            return
        faultpoint("t5.answered")
        charged = None if answer.cost == item.cost else answer.cost
        self._sent.append(Sent(due.id, answer.message_id, answer.quota, self._clock(), charged))
        self._staff_ask |= due.purpose == Purpose.STAFF
        self._topic.set()
        ended(due.channel, due.purpose, "sent").inc()
        await self._accepted(due)
        await self._hear(item, answer.allowance)
        rest = self._paces.hear((due.channel, due.account_id), answer.usage, self._clock())
        if rest:
            await self._rest(due, rest)

    async def _failed(self, item: Claimed, account: Account, error: SendError) -> None:
        kind, due = error.kind, item.due
        words = str(error)[:500]
        self._paces.hear((due.channel, due.account_id), error.usage, self._clock())
        ended(due.channel, due.purpose, kind.value).inc()
        if kind is SendErrorKind.UNKNOWN:
            await self._in_doubt(item, words)
        elif kind is SendErrorKind.AUTH:
            await self._prolong(item)
            renewed = await self._accounts.renew(account)
            await self._wait(item, retry_delay(due.attempts) if renewed else timedelta(), words, counted=renewed)
        elif kind is SendErrorKind.ELSEWHERE:
            await self._elsewhere(item, words, error.retry_after or PAUSE)
        elif error.subject is Subject.TEMPLATE:
            await self._template_stopped(item, error)
        elif self._may_be_the_template(item, error):
            await self._look_at_template(item, words)
        elif error.subject in (Subject.ALLOWANCE, Subject.PROMOTION):
            await self._allowance_spent(item, error)
        elif kind is SendErrorKind.SNOOZE or (kind, error.subject) == (SendErrorKind.PERMANENT, Subject.ACCOUNT):
            pause = error.retry_after or PAUSE
            if kind is SendErrorKind.PERMANENT:
                pause = max(pause, REFUSED_PAUSE)
            if error.subject is Subject.ACCOUNT:
                await self._pause(due, error, pause)
            await self._wait(item, pause, words, counted=False)
        elif kind is SendErrorKind.RETRY and due.attempts + 1 < MAX_ATTEMPTS:
            await self._wait(item, error.retry_after or retry_delay(due.attempts + 1), words, counted=True)
        else:
            await self._give_up(item, words, unreachable=kind is SendErrorKind.UNREACHABLE)
            in_window = template_in(due.body) is None
            if in_window and (kind, error.subject) == (SendErrorKind.PERMANENT, Subject.PERSON):
                await self._correct_window(due, account)

    async def _correct_window(self, due: Due, account: Account) -> None:
        """The platform would not let us write though we believed that we may: learn what it counts from."""
        believed = due.last_interaction_at
        try:
            told = await self._channels[due.channel].last_interaction(account, due.user_id)
        except SendError as error:
            log.info("a window could not be asked for", extra={"outbox_id": due.id, "code": error.code})
            return
        if told is not None and believed is not None and told < believed:
            correct = partial(customers.correct_window, identity_id=due.identity_id, believed=believed, told=told)
            await self._database.write(correct, name="outbox.window")

    async def _template_stopped(self, item: Claimed, error: SendError) -> None:
        """Let this message wait, and with it all that use its template, until the platform takes it again."""
        due, use = item.due, template_in(item.due.body)
        if use is None:
            await self._give_up(item, str(error)[:500])
            return
        key = holds.key_of(due.channel, due.account_id, use)
        why = str(error)[:300].rstrip(".")
        await self._database.write(partial(holds.stop, key=key, why=why, now=self._clock()), name="outbox.template")
        self._registry.forget()
        await self._wait(item, holds.LOOKS_AGAIN, holds.held(key, why), counted=False)

    async def _allowance_spent(self, item: Claimed, error: SendError) -> None:
        """Let this message wait, and with it what goes the same way. What is free goes on, or rings where it cannot."""
        due, now, pause = item.due, self._clock(), error.retry_after or PAUSE
        if self._channels[due.channel].rules.is_free(item.lane):
            await self._ring_refused(due, error, pause)
            await self._wait(item, pause, str(error)[:500], counted=False)
            return
        promotion = error.subject is Subject.PROMOTION
        why = str(error)[:300].rstrip(".")
        lane = Shut(due.channel, due.account_id, item.lane, promotion, why, now + pause)
        await self._database.write(partial(allowances.shut, lane=lane, now=now), name="outbox.shut")
        self._allowed.forget()
        await self._wait(item, pause, allowances.held(lane), counted=False)

    def _may_be_the_template(self, item: Claimed, error: SendError) -> bool:
        """Whether a message's first refusal may have its cause in its template."""
        refused = (error.kind, error.subject) == (SendErrorKind.PERMANENT, Subject.MESSAGE)
        return refused and not item.due.attempts and template_in(item.due.body) is not None

    async def _look_at_template(self, item: Claimed, words: str) -> None:
        """A refusal may mean that the template went, which not every platform says: look, and try once more."""
        due = item.due
        look = partial(registry.queue, channel=due.channel, account_id=due.account_id, now=self._clock())
        await self._database.write(look, name="outbox.template")
        self._registry.forget()
        await self._wait(item, PAUSE, words, counted=True)

    async def _prolong(self, item: Claimed) -> None:
        longer = partial(outbox.prolong, outbox_id=item.due.id, token=item.token, until=self._clock() + RENEWAL)
        await self._database.write(longer, name="outbox.prolong")

    async def _pause(self, due: Due, error: SendError, pause: timedelta) -> None:
        """Keep the whole account silent for a while; ring where waiting alone will not mend it."""
        await self._rest(due, pause)
        await self._ring_refused(due, error, pause)

    async def _ring_refused(self, due: Due, error: SendError, pause: timedelta) -> None:
        """Tell that messages of this account wait for long; the first that goes out again ends the alarm."""
        now = self._clock()
        if pause >= RINGS_AFTER:
            self._refusing.add((due.channel, due.account_id))
            subject = alarms.of_account(due.channel, due.account_id)
            ring = partial(alarms.ring, kind=REFUSED, subject=subject, words=error.words.en, now=now)
            await self._database.write(ring, name="outbox.refused")

    async def _rest(self, due: Due, pause: timedelta) -> None:
        now = self._clock()
        interval = self._paces.interval((due.channel, due.account_id), now)
        hold = partial(_hold_until, due=due, tat=now + pause + BURST * interval)
        await self._database.write(hold, name="outbox.pause")

    async def _accepted(self, due: Due) -> None:
        """A send went through: an account that was refused is mended."""
        account = (due.channel, due.account_id)
        if account in self._refusing:
            self._refusing.discard(account)
            solve = partial(alarms.solve, kind=REFUSED, subject=alarms.of_account(*account), now=self._clock())
            await self._database.write(solve, name="outbox.accepted")

    async def _wait(self, item: Claimed, after: timedelta, words: str, *, counted: bool) -> None:
        values = {"state": WAITING, "ready_at": self._clock() + after, "attempts": item.due.attempts + counted}
        await self._move(item, error=words, **values)

    async def _elsewhere(self, item: Claimed, words: str, pause: timedelta) -> None:
        now = self._clock()
        held = partial(elsewhere.held, due=item.due, token=item.token, words=words, again_at=now + pause, now=now)
        await self._database.write(held, name="outbox.elsewhere")

    async def _in_doubt(self, item: Claimed, words: str) -> None:
        wait = settling.SETTLE_AFTER.get(Purpose(item.due.purpose), timedelta(minutes=10))
        await self._move(item, state=UNKNOWN, ready_at=self._clock() + wait, error=words)

    async def _give_up(self, item: Claimed, words: str, *, unreachable: bool = False) -> None:
        await self._move(item, state=DEAD, error=words)
        if unreachable:
            row = {"id": item.due.identity_id, "unreachable_since": self._clock()}
            await self._database.write(lambda s: customers.set_identities(s, [row]), name="outbox.unreachable")

    async def _move(self, item: Claimed, **values: object) -> None:
        def move(session: Session) -> None:
            moved = outbox.move(session, item.due.id, SENDING, item.token, **values)
            if moved and values["state"] == DEAD and item.due.purpose == Purpose.STAFF:
                receipts.ask(session, self._clock())

        await self._database.write(move, name="outbox.move")


@cache
def ended(channel: str, purpose: str, end: str) -> Counter:
    """The counter of messages that ended so; count after the commit."""
    return SENDS.labels(channel, purpose, end)


def _hold_until(session: Session, due: Due, tat: datetime) -> None:
    row = accounts.find(session, due.channel, due.account_id)
    if row is not None:
        outbox.hold_pace(session, {row.id: tat})
