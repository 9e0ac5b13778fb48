"""How a send ended, written down: what a refusal means for the message, its template, its account, its person."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from prometheus_client import Counter
from sqlmodel import Session

from bot import allowances, breaker, elsewhere, holds, registry, settling, unasked
from bot.accounts import Accounts, rung_for
from bot.allowances import Allowances
from bot.breaker import Breaker, End
from bot.channels.base import Account, Channel, SendError, SendErrorKind, Sent, Subject
from bot.claims import Claimed
from bot.pace import BURST, Paces
from bot.registry import Registry
from bot.staff import receipts
from crm.messages import Purpose, template_in
from storage import accounts, alarms, customers, outbox
from storage.allowances import Shut
from storage.claims import Due
from storage.database import Database
from storage.outbox import SENDING, UNKNOWN
from storage.queue import DEAD, MAX_ATTEMPTS, WAITING, retry_delay

log = logging.getLogger(__name__)

SENDS = Counter(
    "khachquen_sends_total", "Messages that ended, by channel, purpose and how", ["channel", "purpose", "end"]
)

PAUSE = timedelta(minutes=1)
REFUSED_PAUSE = timedelta(minutes=15)
"""How long an account rests that is refused until a person mends it; longer than RINGS_AFTER, so it always rings."""
RENEWAL = timedelta(seconds=90)
"""How long a message stays ours while its account gets a new token or the platform a file: longer than either."""
RINGS_AFTER = timedelta(minutes=10)
REFUSED = "account_refused"


class Outcomes:
    """Writes how sends ended; lives as long as the worker that sends."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        living: Accounts,
        paces: Paces,
        registry: Registry,
        allowed: Allowances,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._channels, self._accounts, self._clock = database, channels, living, clock
        self._paces, self._registry, self._allowed = paces, registry, allowed
        self._refusing: set[tuple[str, str]] = set()
        self.tripped: set[int] = set()
        """Broadcasts that were stopped here: who of them was taken before is not called any more."""
        self._breaker = Breaker()

    async def recall(self) -> None:
        """Learn which accounts were refused before this process started."""
        self._refusing = await self._database.read(partial(rung_for, kind=REFUSED))

    async def failed(self, item: Claimed, account: Account, error: SendError) -> None:
        """The platform refused, or nobody knows: decide by what kind of error it is and whom it concerns."""
        kind, due = error.kind, item.due
        words = str(error)[:500]
        self._paces.hear((due.channel, due.account_id), error.usage, self._clock())
        ended(due.channel, due.purpose, kind.value).inc()
        if kind is SendErrorKind.UNKNOWN:
            await self.in_doubt(item, words)
        elif kind is SendErrorKind.AUTH:
            await self.prolong(item)
            renewed = await self._accounts.renew(account)
            await self.wait(item, retry_delay(due.attempts) if renewed else timedelta(), words, counted=renewed)
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
            await self.wait(item, pause, words, counted=False)
        elif kind is SendErrorKind.RETRY and due.attempts + 1 < MAX_ATTEMPTS:
            await self.wait(item, error.retry_after or retry_delay(due.attempts + 1), words, counted=True)
            await self._not_taken(item, words)
        else:
            await self.give_up(item, words, unreachable=kind is SendErrorKind.UNREACHABLE)
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
            await self.give_up(item, str(error)[:500])
            return
        key = holds.key_of(due.channel, due.account_id, use)
        why = str(error)[:300].rstrip(".")
        await self._database.write(partial(holds.stop, key=key, why=why, now=self._clock()), name="outbox.template")
        self._registry.forget()
        await self.wait(item, holds.LOOKS_AGAIN, holds.held(key, why), counted=False)

    async def _allowance_spent(self, item: Claimed, error: SendError) -> None:
        """Let this message wait, and with it what goes the same way. What is free goes on, or rings where it cannot."""
        due, now, pause = item.due, self._clock(), error.retry_after or PAUSE
        if self._channels[due.channel].rules.is_free(item.lane):
            await self._ring_refused(due, error, pause)
            await self.wait(item, pause, str(error)[:500], counted=False)
            return
        promotion = error.subject is Subject.PROMOTION
        why = str(error)[:300].rstrip(".")
        lane = Shut(due.channel, due.account_id, item.lane, promotion, why, now + pause)
        await self._database.write(partial(allowances.shut, lane=lane, now=now), name="outbox.shut")
        self._allowed.forget()
        await self.wait(item, pause, allowances.held(lane), counted=False)

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
        await self.wait(item, PAUSE, words, counted=True)

    async def prolong(self, item: Claimed) -> None:
        """Keep a message ours for longer than its claim, for what is done before it is sent."""
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
        """Keep the whole account silent for a while."""
        now = self._clock()
        interval = self._paces.interval((due.channel, due.account_id), now)
        hold = partial(_hold_until, due=due, tat=now + pause + BURST * interval)
        await self._database.write(hold, name="outbox.pause")

    def accepted(self, item: Claimed, answer: Sent) -> bool:
        """A send went through; whether that is news, for `lift`: something stood against its account or its lane, or
        the answer tells of the platform's limits."""
        due = item.due
        account = (due.channel, due.account_id)
        if item.broadcast:
            self._breaker.went(item.broadcast)
        return (
            answer.usage is not None
            or account in self._refusing
            or bool(self._allowed.was_shut(account, item.lane, due.purpose))
        )

    async def lift(self, item: Claimed, answer: Sent, now: datetime) -> None:
        """What stood against an accepted message's account or its lane is over, and what the answer tells of the
        platform's limits is kept."""
        account = (item.due.channel, item.due.account_id)
        if account in self._refusing:
            self._refusing.discard(account)
            solve = partial(alarms.solve, kind=REFUSED, subject=alarms.of_account(*account), now=now)
            await self._database.write(solve, name="outbox.accepted")
        for lane in self._allowed.was_shut(account, item.lane, item.due.purpose):
            self._allowed.forget()
            await self._database.write(partial(allowances.reopen, lane=lane, now=now), name="outbox.reopened")
        rest = self._paces.hear(account, answer.usage, now)
        if rest:
            await self._rest(item.due, rest)

    async def wait(self, item: Claimed, after: timedelta, words: str, *, counted: bool) -> None:
        """Try again after a while; `counted` tries are those that failed."""
        again_at, attempts = self._clock() + after, item.due.attempts + counted
        await self._move(item, error=words, state=WAITING, ready_at=again_at, attempts=attempts)

    async def give_back(self, items: Sequence[Claimed], words: str) -> None:
        """Let these wait again for whom no call was begun; they are nobody's but recipients'."""
        now = self._clock()

        def back(session: Session) -> None:
            for item in items:
                unasked.moved(session, item, {"error": words, "state": WAITING, "ready_at": now}, now)

        if items:
            await self._database.write(back, name="outbox.give_back")

    async def _elsewhere(self, item: Claimed, words: str, pause: timedelta) -> None:
        now = self._clock()
        held = partial(elsewhere.held, item=item, words=words, again_at=now + pause, now=now)
        await self._database.write(held, name="outbox.elsewhere")

    async def in_doubt(self, item: Claimed, words: str) -> None:
        """The platform may have it: it is looked for after a while."""
        wait = settling.LOOK_AFTER[Purpose(item.due.purpose)]
        if await self._move(item, state=UNKNOWN, ready_at=self._clock() + wait, error=words):
            await self._failed_of_broadcast(item, words)

    async def give_up(self, item: Claimed, words: str, *, unreachable: bool = False) -> None:
        """It will not go out; with `unreachable` nothing will, until the person writes again."""
        if await self._move(item, unreachable=unreachable, state=DEAD, error=words):
            await self._failed_of_broadcast(item, words)

    async def _failed_of_broadcast(self, item: Claimed, words: str) -> None:
        """Too many failures of one broadcast stop it; not those that are noted after their claim was over, when it was
        this process that stood still."""
        counts = item.broadcast and self._clock() <= item.until
        failed = self._breaker.trips(item.broadcast, End.FAILED) if counts else 0
        if failed:
            self.tripped.add(item.broadcast)
            stop = partial(breaker.stop, broadcast=item.broadcast, failed=failed, why=words, now=self._clock())
            await self._database.write(stop, name="broadcast.errors")

    async def _not_taken(self, item: Claimed, words: str) -> None:
        """Where a platform takes none of a broadcast just now, the broadcast rests: all others would fail as well, and
        nobody has more than so many tries."""
        failed = self._breaker.trips(item.broadcast, End.NOT_TAKEN) if item.broadcast else 0
        if failed:
            self.tripped.add(item.broadcast)
            now = self._clock()
            until = now + self._breaker.rest(item.broadcast)
            rest = partial(breaker.rest, broadcast=item.broadcast, failed=failed, why=words, now=now, until=until)
            await self._database.write(rest, name="broadcast.not_taken")

    async def _move(self, item: Claimed, *, unreachable: bool = False, **values: Any) -> bool:
        """Write it down; False where it is not ours any more: an echo, or who sweeps after the lease, was faster."""

        def move(session: Session) -> bool:
            if unreachable:
                customers.lock_owners(session.connection(), [item.due.identity_id])
            if item.recipient:
                moved = unasked.moved(session, item, values, self._clock())
            else:
                moved = outbox.move(session, item.due.id, SENDING, item.token, **values)
            if moved and unreachable:
                row = {"id": item.due.identity_id, "unreachable_since": self._clock()}
                customers.set_identities(session, [row])
            if moved and values["state"] == DEAD and item.due.purpose == Purpose.STAFF:
                receipts.ask(session, self._clock())
            return moved

        return await self._database.write(move, name="outbox.move")


@cache
def ended(channel: str, purpose: str, end: str) -> Counter:
    """The counter of messages that ended so; count after the commit."""
    return SENDS.labels(channel, purpose, end)


def _hold_until(session: Session, due: Due, tat: datetime) -> None:
    row = accounts.find(session, due.channel, due.account_id)
    if row is not None:
        accounts.hold_pace(session, {row.id: tat})
