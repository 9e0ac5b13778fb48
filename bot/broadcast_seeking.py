"""The job that looks for those of a broadcast who go another way than the one that is shut for those before them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from bot.accounts import Accounts
from bot.allowances import Allowances
from bot.broadcasting import Sender
from bot.jobs import Payload, Work
from bot.looks import Look, Room
from bot.marketing import Gate
from bot.pace import Paces
from bot.registry import Registry
from crm import broadcast_rests, broadcasts, content, recipients
from crm.content import Content
from crm.previews import Unsent
from crm.verdicts import Batch, Taken
from storage import accounts, recipient_order
from storage import recipients as store
from storage.broadcasts import RUNNING
from storage.database import Database

AT_ONCE = 200
"""So many people are looked at by one short read."""
_ENDLESS = 1 << 60


class Seeking:
    """Looks at everybody who is due as sending would, and brings those forward who could go now."""

    def __init__(self, database: Database, sender: Sender, living: Accounts, clock: Callable[[], datetime]) -> None:
        self._database, self._sender, self._living, self._clock = database, sender, living, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {broadcast_rests.SEEK: self.seek}

    async def seek(self, payload: Payload) -> None:
        """Look at all, some at a time; may be broken off anywhere, and begins anew then."""
        broadcast, now = int(payload["broadcast"]), self._clock()
        looking = await self._database.read_long(
            partial(_Looking, sender=self._sender, broadcast_id=broadcast, now=now, without=self._living.unreadable)
        )
        while (found := await self._database.read_long(looking.step)) is not None:
            if not found:
                continue
            forward = partial(
                broadcast_rests.goes_another_way, broadcast_id=broadcast, recipient_ids=found, now=self._clock()
            )
            if not await self._database.write(forward, name=broadcast_rests.SEEK):
                return


class _Looking:
    """What is under way of it; each step is a short read of its own."""

    def __init__(
        self,
        session: Session,
        sender: Sender,
        broadcast_id: int,
        now: datetime,
        without: Collection[tuple[str, str]],
    ) -> None:
        self._broadcast, self._policy, self._now, self._after = broadcast_id, sender.policy, now, 0
        self._said = Content.loads(broadcasts.get(session, broadcast_id).content)
        allowed = Allowances()
        allowed.read(session)
        self._room = {
            key: Room(pace.id, _ENDLESS, now, timedelta())
            for key, pace in accounts.paces(session).items()
            if not (pace.held or pace.refused_since or key in without) and key[0] in sender.channels
        }
        self._look = Look(session, Registry(), sender.budget, allowed, self._room, now, [])
        self._gate = Gate(sender.channels, Paces({}), self._look, now)

    def step(self, session: Session) -> list[int] | None:
        """Which of the next ones can go now; None where nobody is left, no account sends, or it is stopped."""
        found = broadcasts.get(session, self._broadcast)
        if not self._room or not (found.state == RUNNING or broadcast_rests.is_resting(found)):
            return None
        seen = store.audience(session, self._broadcast, self._after, AT_ONCE)
        if not seen:
            return None
        rows = recipient_order.due_between(session, self._broadcast, self._now, self._after, seen[-1])
        self._after = seen[-1]
        if not rows:
            return []
        self._look.go_on(session)
        taken = Taken()
        look = Unsent(session, self._gate, self._policy, self._now, rows, taken)
        values = recipients.values(session, content.names(self._said), rows, look.places, self._policy.shop)
        look.judge(Batch(self._broadcast, self._said, rows, values))
        return [each.recipient.id for each in taken.ready]
