"""Signs that somebody reads or writes. Each is a call that counts against the limits, so they go out only where an
answer is slow to come, never with every message."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlmodel import Session

from bot.accounts import Accounts
from bot.channels.abilities import Sign, Signing
from bot.channels.base import Channel, SendError
from bot.jobs import Payload, Work
from bot.renewal import Held
from storage import jobs
from storage.customers import Person

log = logging.getLogger(__name__)

JOB = "sign.show"
LASTS = timedelta(seconds=30)
"""A sign that could not be shown by then says nothing true any more."""


def ask(session: Session, person: Person, sign: Sign, now: datetime) -> None:
    """Let a person see a sign soon; several at once are one."""
    told = {"channel": person.channel, "account_id": person.account_id, "user_id": person.user_id}
    payload = {**told, "sign": sign.value, "asked_at": now.isoformat()}
    jobs.add_many(session, [jobs.row(JOB, f"{person.identity_id}:{sign.value}", payload, now)])


class Signs:
    """The job that shows them."""

    def __init__(self, channels: Mapping[str, Channel], living: Accounts, clock: Callable[[], datetime]) -> None:
        self._channels, self._accounts, self._clock = channels, living, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.show}

    async def show(self, payload: Payload) -> None:
        """Show one; what is late, refused or unknown to the channel is let go."""
        channel = self._channels[payload["channel"]]
        is_late = self._clock() - datetime.fromisoformat(payload["asked_at"]) > LASTS
        if is_late or not isinstance(channel, Signing):
            return
        try:
            account = await self._accounts.get(payload["channel"], payload["account_id"])
            await channel.sign(account, payload["user_id"], Sign(payload["sign"]))
        except (Held, SendError) as error:
            log.info("a sign was not shown", extra={"channel": payload["channel"], "why": type(error).__name__})
