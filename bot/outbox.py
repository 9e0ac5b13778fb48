"""The worker that speaks: claims what may go, calls the channel, and writes down how it went."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial

from prometheus_client import Counter
from sqlmodel import Session

from bot import elsewhere
from bot.accounts import Accounts, Held, rung_for
from bot.channels.base import Account, Channel, Outgoing, SendError, SendErrorKind, Subject
from bot.effects import METADATA
from bot.pace import Paces
from bot.uploads import Uploads
from crm.events import Address
from crm.messages import Message, Purpose
from crm.reach import ReachFacts, reach
from storage import accounts, alarms, customers, doubt, engines, outbox
from storage.columns import NEVER
from storage.database import REFUSALS, Database
from storage.doubt import Unsettled
from storage.expiry import Queued
from storage.faults import faultpoint
from storage.outbox import SENDING, UNKNOWN, Due, Sent
from storage.queue import DEAD, MAX_ATTEMPTS, WAITING, retry_delay
from storage.work import TROUBLE, Closed, wake

log = logging.getLogger(__name__)

SENDS = Counter(
    "khachquen_sends_total", "Messages that ended, by channel, purpose and how", ["channel", "purpose", "end"]
)

LEASE = timedelta(seconds=20)
SLOTS = 128
BURST = 10
PAUSE = timedelta(minutes=1)
REFUSED_PAUSE = timedelta(minutes=15)
"""How long an account rests that is refused until a person mends it; longer than RINGS_AFTER, so it always rings."""
CALL = timedelta(seconds=9)
"""What one call may take: a claim with less time left is given back, so that no late worker sends."""
RENEWAL = timedelta(seconds=90)
"""How long a message stays ours while its account gets a new token or the platform a file: longer than either."""
RINGS_AFTER = timedelta(minutes=10)
REFUSED = "account_refused"
LOOKS_FOR = timedelta(days=1)
NEVER_AGAIN = datetime.max.replace(tzinfo=NEVER.tzinfo)

SETTLE_AFTER: Mapping[Purpose, timedelta] = {
    Purpose.REPLY: timedelta(seconds=30),
    Purpose.STAFF: timedelta(seconds=30),
    Purpose.TRANSACTION: timedelta(minutes=10),
}
"""How long to wait for an echo before a message of unknown outcome is looked for, and then sent once more."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is ours to send now, by this lane."""

    due: Due
    lane: str
    token: int
    until: datetime


_Turn = tuple[list[Claimed], list[tuple[Due, str]]]
"""What one turn claimed, and what it gave up and why."""


class OutboxWorker:
    """Keeps up to SLOTS sends in flight, one for each person, at each account's pace."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        living: Accounts,
        intervals: Mapping[str, timedelta],
        clock: Callable[[], datetime],
        owner: str,
    ) -> None:
        self._database, self._channels, self._accounts = database, channels, living
        self._paces, self._clock, self._owner = Paces(intervals), clock, owner
        self._uploads = Uploads(database, channels, clock)
        self._flying: set[asyncio.Task[None]] = set()
        self._refusing: set[tuple[str, str]] = set()
        self._sent: list[Sent] = []
        self._topic = database.topic(outbox.TOPIC)

    async def recall(self) -> None:
        """Learn which accounts were refused before this process started."""
        self._refusing = await self._database.read(partial(rung_for, kind=REFUSED))

    async def once(self) -> bool:
        """Write down what was sent, claim what may go now, and start its sends; whether there were any."""
        sent, self._sent = self._sent, []
        free = SLOTS - len(self._flying)
        if not sent and free <= 0:
            return False
        try:
            claimed, refused = await self._written(sent, free)
        except BaseException:
            self._sent = sent + self._sent
            raise
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

    async def _written(self, sent: list[Sent], free: int) -> _Turn:
        """One turn. Where the database refuses it, what was sent is noted one by one first, so that none jams all."""

        def turn(session: Session) -> _Turn:
            return self._turn(session, sent, free)

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

    def _turn(self, session: Session, sent: list[Sent], free: int) -> _Turn:
        with engines.together(session.connection()):
            outbox.sent(session.connection(), sent)
            if sent:
                faultpoint("t5.written")
            return self._claim(session, free) if free > 0 else ([], [])

    def _claim(self, session: Session, free: int) -> _Turn:
        now = self._clock()
        outbox.lock_claims(session)
        room, tats = self._room(session, now, free)
        if not room:
            return [], []
        refused: list[tuple[Due, str]] = []
        claimed: list[Claimed] = []
        for due in self._due(session, room, now, free):
            key = (due.channel, due.account_id)
            if room.get(key, 0) <= 0:
                continue
            answer = reach(self._channels[due.channel].rules, facts(due, now))
            if answer.refusal is not None:
                refused.append((due, answer.refusal.value))
                continue
            room[key] -= 1
            row, tat = tats[key]
            tats[key] = (row, max(tat, now) + self._paces.interval(key, now))
            claimed.append(Claimed(due, answer.lane, due.lease_token + 1, now + LEASE))
        outbox.start(session, self._owner, now + LEASE, [(each.due.id, each.lane, each.token) for each in claimed])
        outbox.give_up(session, {due.id: reason for due, reason in refused})
        if refused:
            wake(session, outbox.TOPIC)
        if claimed:
            paced = {row: tat for key, (row, tat) in tats.items() if self._paces.interval(key, now)}
            outbox.hold_pace(session, paced)
        return claimed, refused

    def _due(self, session: Session, room: Mapping[tuple[str, str], int], now: datetime, free: int) -> list[Due]:
        """What may be claimed. The marketing of an account near its limit waits, and is not in the way of others'."""
        found = outbox.due(session, [account for _, account in room], now, free)
        strained = {key for key in room if self._paces.holds_marketing(key, now)}
        if not strained:
            return found
        may_go = [due for due in found if not _waits(due, strained)]
        if len(found) < free or len(may_go) == free:
            return may_go
        others = outbox.due(session, [account for channel, account in room.keys() - strained], now, free)
        known = {due.id for due in may_go}
        return [*may_go, *(due for due in others if due.id not in known and not _waits(due, strained))][:free]

    def _room(
        self, session: Session, now: datetime, free: int
    ) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], tuple[int, datetime]]]:
        """How many messages each account may send now, and how far its pace is reserved already."""
        room: dict[tuple[str, str], int] = {}
        tats: dict[tuple[str, str], tuple[int, datetime]] = {}
        unreadable = self._accounts.unreadable
        for key, (row, tat, held) in accounts.paces(session).items():
            if held or key in unreadable:
                continue
            interval = self._paces.interval(key, now)
            slots = free if not interval else int((now + BURST * interval - max(tat, now)) / interval)
            if key[0] in self._channels and slots > 0 and tat <= now + BURST * interval:
                room[key] = slots
                tats[key] = (row, tat)
        return room, tats

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
        try:
            if message.kept:
                await self._prolong(item)
                said = await self._uploads.ready(account, message)
            outgoing = Outgoing(to, said, item.lane, f"{METADATA}{due.id}")
            answer = await self._channels[due.channel].send(account, outgoing)
        except SendError as error:
            if error.subject is Subject.UPLOAD and message.kept:
                await self._uploads.forget(account, message)
            await self._failed(item, account, error)
            return
        faultpoint("t5.answered")
        self._sent.append(Sent(due.id, answer.message_id, answer.quota, self._clock()))
        self._topic.set()
        ended(due.channel, due.purpose, "sent").inc()
        await self._accepted(due)
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
            await self._accounts.renew(account)
            await self._wait(item, retry_delay(due.attempts), words, counted=True)
        elif kind is SendErrorKind.ELSEWHERE:
            await self._elsewhere(item, words, error.retry_after or PAUSE)
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

    async def _prolong(self, item: Claimed) -> None:
        longer = partial(outbox.prolong, outbox_id=item.due.id, token=item.token, until=self._clock() + RENEWAL)
        await self._database.write(longer, name="outbox.prolong")

    async def _pause(self, due: Due, error: SendError, pause: timedelta) -> None:
        """Keep the whole account silent for a while; ring where waiting alone will not mend it."""
        now = self._clock()
        await self._rest(due, pause)
        if pause >= RINGS_AFTER:
            self._refusing.add((due.channel, due.account_id))
            subject = f"{due.channel}:{due.account_id}"
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
            solve = partial(alarms.solve, kind=REFUSED, subject=":".join(account), now=self._clock())
            await self._database.write(solve, name="outbox.accepted")

    async def _wait(self, item: Claimed, after: timedelta, words: str, *, counted: bool) -> None:
        values = {"state": WAITING, "ready_at": self._clock() + after, "attempts": item.due.attempts + counted}
        await self._move(item, error=words, **values)

    async def _elsewhere(self, item: Claimed, words: str, pause: timedelta) -> None:
        now = self._clock()
        held = partial(elsewhere.held, due=item.due, token=item.token, words=words, again_at=now + pause, now=now)
        await self._database.write(held, name="outbox.elsewhere")

    async def _in_doubt(self, item: Claimed, words: str) -> None:
        wait = SETTLE_AFTER.get(Purpose(item.due.purpose), timedelta(minutes=10))
        await self._move(item, state=UNKNOWN, ready_at=self._clock() + wait, error=words)

    async def _give_up(self, item: Claimed, words: str, *, unreachable: bool = False) -> None:
        await self._move(item, state=DEAD, error=words)
        if unreachable:
            row = {"id": item.due.identity_id, "unreachable_since": self._clock()}
            await self._database.write(lambda s: customers.set_identities(s, [row]), name="outbox.unreachable")

    async def _move(self, item: Claimed, **values: object) -> None:
        def move(session: Session) -> bool:
            return outbox.move(session, item.due.id, SENDING, item.token, **values)

        await self._database.write(move, name="outbox.move")


def _waits(due: Due, strained: Collection[tuple[str, str]]) -> bool:
    return (due.channel, due.account_id) in strained and Purpose(due.purpose).is_marketing


@cache
def ended(channel: str, purpose: str, end: str) -> Counter:
    """The counter of messages that ended so; count after the commit."""
    return SENDS.labels(channel, purpose, end)


def _hold_until(session: Session, due: Due, tat: datetime) -> None:
    row = accounts.find(session, due.channel, due.account_id)
    if row is not None:
        accounts.change(session, row.id, send_tat=tat)


def sweep(session: Session, now: datetime, owner: str | None = None) -> int:
    """What lost senders were at is unknown from now on; with `owner`, what every other sender was at."""
    return doubt.sweep(session, now, {purpose.value: now + wait for purpose, wait in SETTLE_AFTER.items()}, owner)


def settle(session: Session, item: Unsettled, found: str | None, now: datetime) -> str:
    """Decide about a message of unknown outcome once it was looked for: sent, once more, or never; says which.

    `found` is the platform's id of it, "" where the platform does not have it, None where that cannot be told.
    """
    if found:
        outbox.sent(session.connection(), [Sent(item.id, found, "", now)])
        return "sent"
    purpose = Purpose(item.purpose)
    known_absent = found is not None
    if purpose in SETTLE_AFTER and not item.resent and (known_absent or purpose is not Purpose.TRANSACTION):
        outbox.move(session, item.id, UNKNOWN, item.lease_token, state=WAITING, ready_at=now, resent=True)
        return "again"
    look_again = purpose is Purpose.TRANSACTION and not known_absent and now - item.created_at < LOOKS_FOR
    ready_at = now + SETTLE_AFTER[purpose] if look_again else NEVER_AGAIN
    outbox.move(session, item.id, UNKNOWN, item.lease_token, state=UNKNOWN, ready_at=ready_at)
    return UNKNOWN


def facts(due: Due | Queued, now: datetime) -> ReachFacts:
    """What `reach` must know about a message that waits."""
    return ReachFacts(
        purpose=Purpose(due.purpose),
        last_interaction_at=due.last_interaction_at,
        now=now,
        typed_by_person=due.typed_by_person,
        consented=due.marketing == "granted",
        opted_out=due.marketing == "withdrawn",
        unreachable=due.unreachable_since is not None,
    )
