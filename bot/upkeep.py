"""The jobs that keep the house in order: lost leases, unknown sends, old tokens, waiting customers, old bodies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection
from sqlmodel import Session

from bot import accounts, outbox
from bot.accounts import Accounts, Held
from bot.batch import PROFILE_JOB
from bot.channels.base import Channel, Profile, SendError
from bot.jobs import Later, Payload, Work
from crm import conversations
from crm.messages import Message
from storage import accounts as account_rows
from storage import alarms, customers, inbox, jobs, transcripts
from storage import conversations as conversation_rows
from storage import outbox as outbox_rows
from storage.database import Database
from storage.work import Priority

log = logging.getLogger(__name__)

WAITING_ALARM = "customer_waits"
LOOKS = 8
"""How many sends of unknown outcome one sweep looks for, at once, within its lease; the next looks for more."""
EVERY: Mapping[str, timedelta] = {
    "outbox.sweep": timedelta(seconds=5),
    "conversations.watch": timedelta(minutes=1),
    "tokens.refresh": timedelta(minutes=10),
    "bodies.purge": timedelta(hours=6),
}
"""What the scheduler enqueues, and how often; the unique key of a job makes many schedulers one."""


class Upkeep:
    """The kinds of jobs, by name."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        living: Accounts,
        clock: Callable[[], datetime],
        body_days: int,
    ) -> None:
        self._database, self._channels, self._accounts = database, channels, living
        self._clock, self._body_days = clock, body_days
        self._profiles = database.lane("profile.keep", _keep_profiles)

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {
            PROFILE_JOB: self.fetch_profile,
            "outbox.sweep": self.sweep,
            "conversations.watch": self.watch,
            "tokens.refresh": self.refresh_tokens,
            "bodies.purge": self.purge_bodies,
        }

    async def fetch_profile(self, payload: Payload) -> None:
        """Ask the platform for a new person's name and picture."""
        channel = payload["channel"]
        try:
            account = await self._accounts.get(channel, payload["account_id"])
        except Held:
            raise Later(timedelta(minutes=10)) from None
        profile = await self._channels[channel].profile(account, payload["user_id"])
        await self._profiles.put([(int(payload["identity"]), profile, self._clock())])

    async def sweep(self, payload: Payload) -> None:
        """Free what lost senders held, and settle the sends whose outcome is unknown."""
        now = self._clock()
        await self._database.write(lambda session: outbox.sweep(session, now), name="outbox.sweep")
        doubtful = await self._database.read(lambda session: outbox_rows.unsettled(session, now, LOOKS))
        await asyncio.gather(*(self._settle(item) for item in doubtful))
        if len(doubtful) == LOOKS:
            raise Later(timedelta())

    async def _settle(self, item: outbox_rows.Unsettled) -> None:
        found = await self._look_for(item)
        decide = partial(outbox.settle, item=item, found=found, now=self._clock())
        how = await self._database.write(decide, name="outbox.settle")
        log.info("a send of unknown outcome was settled", extra={"outbox_id": item.id, "how": how})

    async def _look_for(self, item: outbox_rows.Unsettled) -> str | None:
        """The platform's id of the message, "" where it is not there, None where that cannot be told."""
        text = Message.loads(item.body).text
        if not text:
            return None
        try:
            account = await self._accounts.get(item.channel, item.account_id)
            found = await self._channels[item.channel].find_sent(account, item.user_id, text, item.created_at)
        except (Held, SendError) as error:
            log.info("a send could not be looked for", extra={"outbox_id": item.id, "why": type(error).__name__})
            return None
        if found is None:
            return ""
        ours = partial(transcripts.is_ours, conversation_id=item.identity_id, message_id=found)
        return None if await self._database.read(ours) else found

    async def watch(self, payload: Payload) -> None:
        """Ring for customers who wait for a person too long; hand back what staff left."""
        now = self._clock()
        held = await self._database.read(conversation_rows.held)
        await self._database.write(partial(_watch, held=held, now=now), name="conversations.watch")

    async def refresh_tokens(self, payload: Payload) -> None:
        """Replace tokens before they grow old."""
        now = self._clock()
        for view in await self._database.read(account_rows.everyone):
            if accounts.is_old(view, now):
                try:
                    await self._accounts.renew(await self._accounts.get(view.channel, view.account_id))
                except Held:
                    continue

    async def purge_bodies(self, payload: Payload) -> None:
        """Forget raw bodies after the days that the settings leave them."""
        before = self._clock() - timedelta(days=self._body_days)

        def step(session: Session, cursor: int, size: int) -> int | None:
            return inbox.purge_bodies(session, before, cursor, size)

        await self._database.bulk(step, 0)


async def enqueue(database: Database, kind: str, now: datetime) -> None:
    """Let a kind of upkeep be done once, by whoever comes first."""
    await database.write(lambda session: _enqueue(session, kind, now), priority=Priority.WORK, name="upkeep.enqueue")


def _enqueue(session: Session, kind: str, now: datetime) -> None:
    jobs.add_many(session, [jobs.row(kind, "", {}, now)])


def _keep_profiles(connection: Connection, found: Sequence[tuple[int, Profile, datetime]]) -> None:
    customers.lock_owners(connection, [identity for identity, _, _ in found])
    for identity, profile, now in sorted(found, key=lambda each: each[0]):
        seen = {"name": profile.name, "avatar_url": profile.avatar_url, "followed": profile.followed}
        values = {key: value for key, value in seen.items() if value not in ("", None)}
        customers.keep_profile(connection, identity, now, values)


def _watch(session: Session, held: list[conversation_rows.HeldConversation], now: datetime) -> None:
    for each in held:
        person = customers.person(session, each.id)
        if person is None:
            continue
        state = conversations.state_of(person)
        if conversations.is_stale(state, now):
            state = conversations.given_up(state)
            conversation_rows.set_conversations(session, [conversations.row_of(each.id, state)])
        if state.waiting_since and now - state.waiting_since >= conversations.ALARM_AFTER:
            words = "A customer waits for a person for over 15 minutes: khachquen waiting lists who."
            alarms.ring(session, WAITING_ALARM, str(each.id), words, now)
        else:
            alarms.solve(session, WAITING_ALARM, str(each.id), now)
