"""Reads who follows an account, a part a job: they become known, but have said nothing, and no window opens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from bot.accounts import Accounts
from bot.batch import Batch, profile_job
from bot.calling import Removed, account_for
from bot.channels.abilities import Followers as Part
from bot.channels.abilities import Following
from bot.channels.base import Channel
from bot.jobs import Payload, Work
from crm.events import Address
from crm.sla import Policy
from storage import accounts, jobs, whereabouts
from storage.database import Database

log = logging.getLogger(__name__)

JOB = "followers.read"
APART = timedelta(seconds=3)
"""Between two calls, those for names and pictures included: 20 a minute, of the 100 that Zalo grants the least."""


class Followers:
    """The job that reads one part and asks for the next; each part is kept together with the wish for the next one."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        living: Accounts,
        policy: Policy,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._channels, self._accounts = database, channels, living
        self._policy, self._clock = policy, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.step}

    async def step(self, payload: Payload) -> None:
        """Read one part and keep whom it names. Raises Later, SendError."""
        channel, account_id = payload["channel"], payload["account_id"]
        platform = self._channels[channel]
        if not isinstance(platform, Following):
            return
        try:
            async with account_for(self._accounts, channel, account_id) as account:
                part = await platform.followers(account, payload["cursor"], self._clock())
        except Removed:
            return
        whose = {"channel": channel, "account_id": account_id, "part": part}
        keep = partial(_keep, **whose, policy=self._policy, now=self._clock())
        new = await self._database.write(keep, name="followers.keep")
        log.info("followers were read", extra={"channel": channel, "account": account_id, "new": new})


def queue(session: Session, channel: str, account_id: str, now: datetime, cursor: str = "") -> None:
    """Let an account's followers be read, from the first part or from a later one."""
    _queue(session, channel, account_id, cursor, now, now)


def _queue(session: Session, channel: str, account_id: str, cursor: str, now: datetime, at: datetime) -> None:
    payload = {"channel": channel, "account_id": account_id, "cursor": cursor}
    jobs.add_many(session, [jobs.row(JOB, f"{channel}:{account_id}:{cursor}", payload, now, at)])


def _keep(session: Session, channel: str, account_id: str, part: Part, policy: Policy, now: datetime) -> int:
    """Make known whom the part names; how many are new. Where labels are shared, everyone's are looked at."""
    addresses = [Address(channel, account_id, each) for each in dict.fromkeys(part.user_ids)]
    batch = Batch(session, now, policy, frozenset(), apart=APART)
    new = batch.load(addresses)
    people = [batch.talk(each).person for each in addresses]
    whereabouts.follow_many(session, [each.identity_id for each in people])
    view = accounts.find(session, channel, account_id)
    looked_at = new
    if view is not None and view.shares_labels:
        looked_at = len(people)
        jobs.add_many(
            session,
            [
                profile_job(each.identity_id, address, now, now + number * APART)
                for number, (each, address) in enumerate(zip(people, addresses, strict=True))
            ],
        )
    if part.cursor:
        _queue(session, channel, account_id, part.cursor, now, now + max(looked_at, 1) * APART)
    return new
