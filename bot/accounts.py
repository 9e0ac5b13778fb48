"""The living tokens of every OA and Page: kept encrypted, refreshed by one process at a time, held when they died."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from bot.channels.base import Account, Channel, SendError, SendErrorKind, Subject
from bot.secrets import Sealer, fingerprint
from storage import accounts, alarms
from storage.accounts import AccountView
from storage.database import Database
from storage.faults import faultpoint

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
REFRESH_AFTER = timedelta(hours=12)
FRESH_FOR_S = 5.0
ALARM = "token_dead"


@dataclass(frozen=True, slots=True)
class App:
    """A channel's app: what every account of it shares, and the first account's pair from the settings."""

    app_id: str = ""
    app_secret: str = ""
    account_id: str = ""
    access_token: str = ""
    refresh_token: str = ""


class Held(Exception):
    """Nothing can be sent with this account until someone connects it again."""


class Accounts:
    """Answers "with which token do we call?"; at most one refresh at a time in all processes."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        apps: Mapping[str, App],
        sealer: Sealer,
        clock: Callable[[], datetime],
        owner: str,
    ) -> None:
        self._database, self._channels, self._apps = database, channels, apps
        self._sealer, self._clock, self._owner = sealer, clock, owner
        self._known: dict[tuple[str, str], Account] = {}
        self._ids: dict[str, frozenset[str]] = {}
        self._read_at = float("-inf")

    async def seed(self) -> None:
        """Take up the settings' accounts: a pair that differs from the last one seen here replaces the stored one."""
        now = self._clock()
        for channel, app in self._apps.items():
            if app.account_id:
                await self._database.write(partial(self._seed, channel=channel, app=app, now=now), name="accounts.seed")

    async def get(self, channel: str, account_id: str) -> Account:
        """The account with its living token; raises Held where there is none."""
        await self.freshen()
        account = self._known.get((channel, account_id))
        if account is None:
            raise Held(f"{channel} {account_id}")
        return account

    async def freshen(self) -> None:
        """Read all accounts again where the last reading is a few seconds old."""
        if asyncio.get_running_loop().time() - self._read_at > FRESH_FOR_S:
            await self.reload()

    def ids(self, channel: str) -> frozenset[str]:
        """The accounts of a channel that were known at the last reading, held ones too."""
        return self._ids.get(channel, frozenset())

    async def reload(self) -> None:
        """Read all accounts again."""
        views = await self._database.read(accounts.everyone)
        self._ids = {
            name: frozenset(v.account_id for v in views if v.channel == name and v.held != accounts.REMOVED)
            for name in self._channels
        }
        self._known = {
            (view.channel, view.account_id): self._opened(view) for view in views if view.access_token and not view.held
        }
        self._read_at = asyncio.get_running_loop().time()

    async def renew(self, stale: Account) -> bool:
        """Replace a token that the platform refused (or that grows old); False where the account had to be held.

        Of many callers one refreshes; the others wait for its outcome and use it.
        """
        view = await self._view(stale)
        if view is None:
            return False
        for _ in range(40):
            token = await self._lease(view)
            if token is not None:
                try:
                    return await self._renew(stale, view.id, token)
                finally:
                    await self.reload()
            await asyncio.sleep(0.5)
            view = await self._view(stale)
            if view is None or view.held:
                return False
            if self._sealer.open(view.access_token) != stale.access_token:
                await self.reload()
                return True
        return False

    async def _renew(self, stale: Account, account: int, token: int) -> bool:
        view = await self._view(stale)
        assert view is not None
        if self._sealer.open(view.access_token) != stale.access_token:
            await self._settle(account, token, refresh_pending_since=None)
            return True
        if not view.refresh_token:
            await self._hold(view, token, "the access token died and there is none to refresh it with")
            return False
        refresh_token = self._sealer.open(view.refresh_token)
        for last_try in (False, True):
            try:
                pair = await self._channels[view.channel].refresh(stale, refresh_token)
            except SendError as error:
                if error.kind is SendErrorKind.UNKNOWN and not last_try:
                    log.warning("the answer to a token refresh was lost; trying once more")
                    continue
                passes = error.kind is SendErrorKind.SNOOZE and error.subject is not Subject.ACCOUNT
                if error.kind is SendErrorKind.RETRY or passes:
                    await self._settle(account, token, refresh_pending_since=None)
                    return True
                await self._hold(view, token, error.words.en)
                return False
            faultpoint("token.refreshed")
            now = self._clock()
            await self._settle(
                account,
                token,
                access_token=self._sealer.seal(pair.access_token),
                refresh_token=self._sealer.seal(pair.refresh_token),
                access_expires_at=now + pair.expires_in,
                refreshed_at=now,
                refresh_pending_since=None,
                held="",
            )
            await self._database.write(partial(alarms.solve, kind=ALARM, subject=_subject(view), now=now))
            return True
        return False

    async def _view(self, account: Account) -> AccountView | None:
        return await self._database.read(lambda s: accounts.find(s, account.channel, account.account_id))

    async def _lease(self, view: AccountView) -> int | None:
        now = self._clock()
        return await self._database.write(
            lambda s: accounts.lease(s, view.id, self._owner, now, now + LEASE), name="accounts.lease"
        )

    async def _settle(self, account: int, token: int, **values: object) -> None:
        kept = await self._database.write(
            lambda s: accounts.settle_lease(s, account, token, **values), name="accounts.settle"
        )
        if not kept:
            log.error("the lease of a token refresh was lost before its outcome was written")

    async def _hold(self, view: AccountView, token: int, why: str) -> None:
        now = self._clock()

        def hold(session: Session) -> None:
            accounts.settle_lease(session, view.id, token, held=why[:200])
            words = f"{why} Connect the account again; its messages wait and are not lost."
            alarms.ring(session, ALARM, _subject(view), words, now)

        await self._database.write(hold, name="accounts.hold")
        log.error("an account is held", extra={"channel": view.channel, "account": view.account_id})

    def _opened(self, view: AccountView) -> Account:
        app = self._apps.get(view.channel, App())
        return Account(view.channel, view.account_id, self._sealer.open(view.access_token), app.app_id, app.app_secret)

    def _seed(self, session: Session, channel: str, app: App, now: datetime) -> None:
        accounts.add(session, channel, app.account_id, now)
        view = accounts.find(session, channel, app.account_id)
        mark = fingerprint(app.access_token, app.refresh_token)
        if view is not None and (app.access_token or app.refresh_token) and view.seed != mark:
            pair = self._sealer.seal(app.access_token), self._sealer.seal(app.refresh_token)
            connect(session, channel, app.account_id, pair, now, seed=mark)


def connect(
    session: Session, channel: str, account_id: str, sealed: tuple[str, str], now: datetime, **more: object
) -> None:
    """Take up an access and a refresh token, already sealed, as an account's living pair; it may send again."""
    accounts.add(session, channel, account_id, now)
    view = accounts.find(session, channel, account_id)
    assert view is not None
    access, refresh = sealed
    accounts.change(
        session, view.id, access_token=access, refresh_token=refresh, access_expires_at=None, refreshed_at=now,
        refresh_pending_since=None, held="", **more,
    )  # fmt: skip
    alarms.solve_all(session, _subject(view), now)


def is_old(view: AccountView, now: datetime) -> bool:
    """Whether a refreshable token should be replaced before it dies."""
    return (
        bool(view.refresh_token)
        and not view.held
        and (view.refreshed_at is None or now - view.refreshed_at >= REFRESH_AFTER)
    )


def _subject(view: AccountView) -> str:
    return f"{view.channel}:{view.account_id}"
