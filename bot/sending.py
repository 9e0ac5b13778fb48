"""One call to a platform: made ready, made, and its end dealt with."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from bot import unasked
from bot.accounts import Accounts
from bot.channels.base import Account, Channel, Outgoing, SendError, SendErrorKind, Sent, Subject
from bot.claims import Claimed
from bot.drawing.shelf import Shelf
from bot.marks import mark_of
from bot.outcomes import Outcomes
from bot.renewal import Held
from bot.speakers import Speakers
from bot.uploads import Uploads
from crm import recipients
from crm.events import Address
from crm.messages import Message
from storage import errors
from storage.database import Database
from storage.faults import faultpoint
from storage.work import TROUBLE, Closed

log = logging.getLogger(__name__)

FRESH = timedelta(milliseconds=500)
"""For how long after it was taken nobody is asked again who asked for nothing."""
CALL = timedelta(seconds=9)
"""What one call may take: a claim with less time left is given back, so that no late worker sends."""


class Sender:
    """Sends what was claimed; lives as long as the worker that claims."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        living: Accounts,
        outcomes: Outcomes,
        shelf: Shelf,
        clock: Callable[[], datetime],
        keep: Callable[[Claimed, Sent, datetime], None],
    ) -> None:
        """`keep` lets it be written down that the platform took a message, and when."""
        self._database, self._channels, self._accounts = database, channels, living
        self._outcomes, self._clock, self._keep = outcomes, clock, keep
        self._uploads, self._speakers = Uploads(database, channels, shelf, clock), Speakers(database, channels, clock)

    async def send(self, item: Claimed) -> None:
        """Make the call; whatever comes of it is written down. Raises nothing but what ends the process."""
        due = item.due
        try:
            account = self._accounts.known(due.channel, due.account_id)
            account = account or await self._accounts.get(due.channel, due.account_id)
            now = self._clock()
            if now > item.until - CALL:
                await self._outcomes.wait(item, timedelta(), unasked.LATE, counted=False)
                return
            await self._call(item, account, now)
        except Held:
            await self._outcomes.wait(item, timedelta(seconds=5), unasked.HELD, counted=False)
        except asyncio.CancelledError:
            await asyncio.shield(self._outcomes.in_doubt(item, "the service stopped before the platform answered"))
            raise
        except Closed:
            return
        except TROUBLE as error:
            why = errors.named(error)
            log.warning("how a send went could not be written; it is looked for", extra={"id": due.id, "why": why})
        except Exception as error:
            log.exception("a send failed in our own code", extra={"outbox_id": due.id})
            await self._outcomes.give_up(item, type(error).__name__)

    async def _changed_their_mind(self, item: Claimed) -> bool:
        may = partial(recipients.may_still_go, recipient_id=item.recipient, channel=item.due.channel)
        return not await self._database.read(may)

    async def _made_ready(self, item: Claimed, account: Account, message: Message) -> Outgoing:
        """What is sent, once the platform holds what it shows of ours, and knows who is shown as its writer."""
        due, said, persona = item.due, message, ""
        if message.kept or message.speaker:
            await self._outcomes.prolong(item)
        if message.kept:
            said = await self._uploads.ready(account, message)
        if message.speaker:
            persona = await self._speakers.persona(account, message.speaker)
        return Outgoing(Address(due.channel, due.account_id, due.user_id), said, item.lane, mark_of(due.id), persona)

    async def _call(self, item: Claimed, account: Account, now: datetime) -> None:
        due, outgoing = item.due, item.outgoing
        message = outgoing.message if outgoing else Message.loads(due.body)
        try:
            if outgoing is None:
                outgoing = await self._made_ready(item, account, message)
                now = self._clock()
            is_old = item.recipient and now - due.created_at >= FRESH
            if item.broadcast in self._outcomes.tripped or (is_old and await self._changed_their_mind(item)):
                await self._outcomes.wait(item, timedelta(), unasked.STALE, counted=False)
                return
            answer = await self._channels[due.channel].send(account, outgoing)
        except SendError as error:
            if error.subject is Subject.UPLOAD and message.kept:
                await self._uploads.forget(account, message)
            is_shown_as = outgoing is not None and outgoing.persona
            if is_shown_as and (error.kind, error.subject) == (SendErrorKind.PERMANENT, Subject.MESSAGE):
                await self._speakers.refused(account, message.speaker)
                await self._outcomes.wait(item, timedelta(), str(error)[:500], counted=True)
                return
            await self._outcomes.failed(item, account, error)
            return
        faultpoint("t5.answered")
        now = self._clock()
        self._keep(item, answer, now)
        if self._outcomes.accepted(item, answer):
            await self._outcomes.lift(item, answer, now)
