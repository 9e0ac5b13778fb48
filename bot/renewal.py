"""Trades a token that died, or grows old, for a new pair: one try at a time in all processes, and at a pace."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from bot.channels.base import Account, Channel, SendError, SendErrorKind, Subject, TokenPair
from bot.secrets import Sealer, WrongKey
from storage import accounts, alarms, jobs, outbox
from storage.accounts import AccountView
from storage.database import Database
from storage.faults import faultpoint
from storage.work import wake

log = logging.getLogger(__name__)

JOB = "token.renew"
LEASE = timedelta(seconds=60)
"""For one call, which takes 20 s at most, and for a database that is slow to write down what came of it."""
FIRST_REST, LONGEST_REST = timedelta(seconds=5), timedelta(minutes=1)
"""How long an account rests after a try that failed: half as long as its token is refused already, within these."""
LOOK = timedelta(seconds=1)
RINGS_AFTER = timedelta(minutes=10)
ALARM = "token_dead"
LATE = "token_late"
_VOID = "the account was connected again or removed, or the lease ran out, before a token refresh ended; it is void"


class Held(Exception):
    """Nothing can be sent with this account until someone connects it again."""


class Renewal:
    """Refreshes tokens. While a refused one cannot be renewed its account rests: nothing is sent with a dead token."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        sealer: Sealer,
        clock: Callable[[], datetime],
        owner: str,
    ) -> None:
        self._database, self._channels = database, channels
        self._sealer, self._clock, self._owner = sealer, clock, owner

    async def renew(self, stale: Account, *, refused: bool) -> bool:
        """Whether another token than this one can be called with now. Raises Held where it cannot be read."""
        for _ in range(40):
            view = await self._view(stale)
            if view is None or view.held:
                return False
            if opened(self._sealer, view, view.access_token) != stale.access_token:
                return True
            if view.rests_until(self._clock()) is not None:
                return False
            token = await self._lease(view, refused)
            if token is not None:
                return await self._refresh(stale, token, refused)
            await asyncio.sleep(0.5)
        return False

    async def _refresh(self, stale: Account, token: int, refused: bool) -> bool:
        """Under the lease: look once more, ask the platform, and write down what came of it."""
        view = await self._view(stale)
        assert view is not None
        try:
            living, refresh_token = (
                opened(self._sealer, view, each) for each in (view.access_token, view.refresh_token)
            )
        except Held:
            await self._settle(view, token, refresh_pending_since=None)
            raise
        if living != stale.access_token:
            await self._settle(view, token, refresh_pending_since=None)
            return True
        if not refresh_token:
            return not await self._hold(view, token, "the access token died and there is none to refresh it with")
        try:
            pair = await self._asked(stale, refresh_token, view, token)
        except SendError as error:
            passes = error.kind is SendErrorKind.SNOOZE and error.subject is not Subject.ACCOUNT
            if error.kind is not SendErrorKind.RETRY and not passes:
                return not await self._hold(view, token, error.words.en)
            if refused:
                await self._rest(view, token, error)
            else:
                await self._settle(view, token)
            return False
        faultpoint("token.refreshed")
        await self._keep(view, token, pair)
        return True

    async def _asked(self, stale: Account, refresh_token: str, view: AccountView, token: int) -> TokenPair:
        """The new pair. An answer that was lost is asked for once more, under a whole lease: the platform may not have
        heard us."""
        channel = self._channels[stale.channel]
        try:
            return await channel.refresh(stale, refresh_token)
        except SendError as error:
            if error.kind is not SendErrorKind.UNKNOWN or not await self._prolonged(view, token):
                raise
        log.warning("the answer to a token refresh was lost; trying once more")
        return await channel.refresh(stale, refresh_token)

    async def _prolonged(self, view: AccountView, token: int) -> bool:
        until = self._clock() + LEASE
        prolong = partial(
            accounts.settle_lease, account=view.id, token=token, lease_owner=self._owner, lease_until=until
        )
        return await self._database.write(prolong, name="accounts.prolong")

    async def _view(self, account: Account) -> AccountView | None:
        return await self._database.read(lambda s: accounts.find(s, account.channel, account.account_id))

    async def _lease(self, view: AccountView, refused: bool) -> int | None:
        now = self._clock()

        def lease(session: Session) -> int | None:
            token = accounts.lease(session, view, self._owner, now, now + LEASE, refused=refused)
            if token is not None and refused:
                queue(session, view, now)
            return token

        return await self._database.write(lease, name="accounts.lease")

    async def _keep(self, view: AccountView, token: int, pair: TokenPair) -> None:
        """The new pair is the living one, and what waited for it goes out."""
        now = self._clock()
        values = {
            "access_token": self._sealer.seal(pair.access_token),
            "refresh_token": self._sealer.seal(pair.refresh_token),
            "access_expires_at": now + pair.expires_in,
            "refreshed_at": now,
            "refresh_pending_since": None,
            "held": "",
        }

        def keep(session: Session) -> bool:
            kept = accounts.settle_lease(session, view.id, token, **values)
            if kept:
                for kind in (ALARM, LATE):
                    alarms.solve(session, kind, subject(view), now)
                wake(session, outbox.TOPIC)
            return kept

        _noted(await self._database.write(keep, name="accounts.renewed"))

    async def _rest(self, view: AccountView, token: int, error: SendError) -> None:
        """Let the account rest until the next try; ring where its messages wait for long already."""
        now = self._clock()
        refused_for = now - (view.refresh_pending_since or now)
        pause = max(error.retry_after or FIRST_REST, min(max(refused_for / 2, FIRST_REST), LONGEST_REST))

        def rest(session: Session) -> bool:
            kept = accounts.settle_lease(session, view.id, token, lease_until=now + pause)
            if kept and refused_for >= RINGS_AFTER:
                words = f"{error.words.en} The token is refused and is not renewed yet; messages wait and are not lost."
                alarms.ring(session, LATE, subject(view), words, now)
            return kept

        _noted(await self._database.write(rest, name="accounts.rest"))
        where = {"channel": view.channel, "account": view.account_id, "code": error.code}
        log.warning("a token could not be renewed; its account rests", extra=where)

    async def _settle(self, view: AccountView, token: int, **values: object) -> None:
        kept = await self._database.write(
            lambda session: accounts.settle_lease(session, view.id, token, **values), name="accounts.settle"
        )
        _noted(kept)

    async def _hold(self, view: AccountView, token: int, why: str) -> bool:
        """Let the account's messages wait, and ring; False where it was connected again or removed meanwhile."""
        now = self._clock()

        def hold(session: Session) -> bool:
            if not accounts.settle_lease(session, view.id, token, held=why[:200], refresh_pending_since=None):
                return False
            words = f"{why} Connect the account again; its messages wait and are not lost."
            alarms.ring(session, ALARM, subject(view), words, now)
            alarms.solve(session, LATE, subject(view), now)
            return True

        held = await self._database.write(hold, name="accounts.hold")
        _noted(held)
        if held:
            log.error("an account is held", extra={"channel": view.channel, "account": view.account_id})
        return held


def queue(session: Session, view: AccountView, now: datetime) -> None:
    """Let a refused token be renewed, again and again, until there is a new one."""
    payload = {"channel": view.channel, "account_id": view.account_id}
    jobs.add_many(session, [jobs.row(JOB, subject(view), payload, now)])


def opened(sealer: Sealer, view: AccountView, sealed: str) -> str:
    """What was sealed; raises Held where the key is another."""
    try:
        return sealer.open(sealed)
    except WrongKey:
        raise Held(f"{view.channel} {view.account_id}: its token cannot be read") from None


def subject(view: AccountView) -> str:
    """The subject of this account's alarms."""
    return alarms.of_account(view.channel, view.account_id)


def _noted(kept: bool) -> None:
    if not kept:
        log.warning(_VOID)
