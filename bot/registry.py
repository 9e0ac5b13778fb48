"""The registry of message templates: brought up to date from the platforms, and read by the workers now and then."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from bot.accounts import Accounts
from bot.calling import Removed, account_for
from bot.channels.base import Account, Channel, SendError, SendErrorKind
from bot.jobs import Later
from crm import templates
from crm.templates import Key, Synced, Template
from storage import accounts, jobs
from storage.database import Database

log = logging.getLogger(__name__)

SYNC = "templates.sync"
FRESH_FOR_S = 5.0
AGAIN = timedelta(minutes=10)
"""When the platform is asked again that could not be reached."""


class Registry:
    """What is known of all templates, at most a few seconds old; read only when somebody asks."""

    def __init__(self) -> None:
        self._known: Mapping[Key, Template] = {}
        self._read_at = float("-inf")

    def known(self, session: Session) -> Mapping[Key, Template]:
        """All templates by what messages call them, read again where the last reading is a few seconds old."""
        now = time.monotonic()
        if now - self._read_at > FRESH_FOR_S:
            self._known = {each.key: each for each in templates.everyone(session)}
            self._read_at = now
        return self._known

    def forget(self) -> None:
        """Something changed just now: read again at the next question."""
        self._read_at = float("-inf")


async def sync(database: Database, channel: Channel, account: Account, clock: Callable[[], datetime]) -> Synced:
    """Take over the platform's whole list of one account. Raises SendError, and then nothing is changed."""
    found = await channel.templates(account)
    return await database.write(partial(_keep, account=account, found=found, now=clock()), name="templates.keep")


async def sync_later(
    database: Database,
    channels: Mapping[str, Channel],
    living: Accounts,
    channel: str,
    account_id: str,
    clock: Callable[[], datetime],
) -> None:
    """`sync` as a job: what the platform refuses is asked again with the next turn. Raises Later.

    Many an account uses no templates and has no right to them: that is nothing to ring for.
    """
    try:
        async with account_for(living, channel, account_id, pause=AGAIN) as account:
            synced = await sync(database, channels[channel], account, clock)
    except Removed:
        return
    except SendError as error:
        log.info("templates could not be read", extra={"channel": channel, "account": account_id, "code": error.code})
        if error.kind in (SendErrorKind.AUTH, SendErrorKind.RETRY, SendErrorKind.SNOOZE, SendErrorKind.UNKNOWN):
            raise Later(error.retry_after or AGAIN) from None
    else:
        log.info("templates were read", extra={"channel": channel, "account": account_id, "known": synced.known})


def queue(session: Session, channel: str, account_id: str, now: datetime, after: timedelta = timedelta()) -> None:
    """Let one account's templates be read anew; what is to be done later does not put off what is due earlier."""
    payload = {"channel": channel, "account_id": account_id}
    subject = f"{channel}:{account_id}:{int(after.total_seconds())}"
    jobs.add_many(session, [jobs.row(SYNC, subject, payload, now, now + after)])


def queue_all(session: Session, now: datetime) -> None:
    """Let the templates of every account that sends be read anew."""
    for view in accounts.everyone(session):
        if view.access_token and not view.held:
            queue(session, view.channel, view.account_id, now)


def _keep(session: Session, account: Account, found: Sequence[Template], now: datetime) -> Synced:
    return templates.keep(session, account.channel, account.account_id, found, now)
