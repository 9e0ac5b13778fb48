"""The account that a job calls the platform with: it waits while there is no living token, and sees to a new one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.accounts import Accounts
from bot.channels.base import Account, SendError, SendErrorKind
from bot.jobs import Later
from bot.renewal import Held

HELD_PAUSE = timedelta(minutes=10)
RENEWAL_PAUSE = timedelta(seconds=30)


class Removed(Exception):
    """The account is not ours any more: there is nothing to do with it."""


@asynccontextmanager
async def account_for(
    living: Accounts, channel: str, account_id: str, *, pause: timedelta = HELD_PAUSE
) -> AsyncIterator[Account]:
    """The account, for the calls of this block.

    Raises Removed where it was taken away, and Later (after `pause`) while it is held. A token that the platform
    refuses in this block is renewed: then the refusal is raised on, for another try of the job that is counted; while
    it cannot be renewed, Later is raised instead.
    """
    try:
        account = await living.get(channel, account_id)
    except Held:
        if account_id not in living.ids(channel):
            raise Removed(f"{channel} {account_id}") from None
        raise Later(pause) from None
    if living.rests(channel, account_id):
        raise Later(RENEWAL_PAUSE)
    try:
        yield account
    except SendError as error:
        if error.kind is not SendErrorKind.AUTH:
            raise
        try:
            renewed = await living.renew(account)
        except Held:
            raise Later(pause) from None
        if not renewed:
            raise Later(RENEWAL_PAUSE) from None
        raise
