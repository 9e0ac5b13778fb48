"""The living tokens of every OA and Page: kept encrypted, refreshed by one process at a time, held when they died."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from bot.channels.base import Account, Channel, SendError, SendErrorKind, Subject
from bot.secrets import Sealer, WrongKey, fingerprint
from storage import accounts, alarms, outbox
from storage.accounts import AccountView
from storage.database import Database
from storage.faults import faultpoint

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
REFRESH_AFTER = timedelta(hours=12)
FRESH_FOR_S = 5.0
ALARM = "token_dead"
UNREADABLE = "token_unreadable"
_SEALED = (
    "The token of this account was sealed with another SECRET_KEY than the one that runs here. If the key was just "
    "changed, restart the service; else put the former key behind the new one, separated by a comma, or connect the "
    "account again. Its messages wait and are not lost."
)
_VOID = "the account was connected again or removed, or the lease ran out, before a token refresh ended; it is void"

Key = tuple[str, str]
"""A channel, and the id of an OA or Page on it."""


@dataclass(frozen=True, slots=True)
class App:
    """A channel's app: what every account of it shares, and the first account's pair from the settings."""

    app_id: str = ""
    app_secret: str = field(default="", repr=False)
    account_id: str = ""
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)


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
        self._known: dict[Key, Account] = {}
        self._ids: dict[str, frozenset[str]] = {}
        self._unreadable: dict[Key, str] = {}
        self._rung: dict[Key, str] = {}
        self._read_at = float("-inf")

    async def seed(self) -> None:
        """Take up the settings' accounts: a pair that differs from the last one seen here replaces the stored one."""
        now = self._clock()
        self._rung = dict.fromkeys(await self._database.read(partial(rung_for, kind=UNREADABLE)), "")
        for channel, app in self._apps.items():
            if app.account_id:
                await self._database.write(partial(self._seed, channel=channel, app=app, now=now), name="accounts.seed")

    @property
    def unreadable(self) -> Collection[Key]:
        """The accounts whose stored token our key could not open at the last reading."""
        return self._unreadable

    async def get(self, channel: str, account_id: str) -> Account:
        """The account with its living token; raises Held where there is none that can be read."""
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
        known: dict[Key, Account] = {}
        unreadable: dict[Key, str] = {}
        for view in views:
            if view.access_token and not view.held:
                try:
                    known[view.channel, view.account_id] = self._account(view)
                except Held:
                    unreadable[view.channel, view.account_id] = view.access_token
        self._known, self._unreadable = known, unreadable
        self._read_at = asyncio.get_running_loop().time()
        if unreadable != self._rung:
            await self._ring(unreadable)

    async def renew(self, stale: Account) -> bool:
        """Replace a token that the platform refused (or that grows old); False where the account had to be held.

        Of many callers one refreshes; the others wait for its outcome and use it. Raises Held where another token was
        stored meanwhile that cannot be read.
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
            if self._opened(view, view.access_token) != stale.access_token:
                await self.reload()
                return True
        return False

    async def _renew(self, stale: Account, account: int, token: int) -> bool:
        view = await self._view(stale)
        assert view is not None
        try:
            living, refresh_token = self._opened(view, view.access_token), self._opened(view, view.refresh_token)
        except Held:
            await self._settle(account, token, refresh_pending_since=None)
            raise
        if living != stale.access_token:
            await self._settle(account, token, refresh_pending_since=None)
            return True
        if not refresh_token:
            return not await self._hold(view, token, "the access token died and there is none to refresh it with")
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
                return not await self._hold(view, token, error.words.en)
            faultpoint("token.refreshed")
            now = self._clock()
            kept = await self._settle(
                account,
                token,
                access_token=self._sealer.seal(pair.access_token),
                refresh_token=self._sealer.seal(pair.refresh_token),
                access_expires_at=now + pair.expires_in,
                refreshed_at=now,
                refresh_pending_since=None,
                held="",
            )
            if kept:
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

    async def _settle(self, account: int, token: int, **values: object) -> bool:
        kept = await self._database.write(
            lambda s: accounts.settle_lease(s, account, token, **values), name="accounts.settle"
        )
        if not kept:
            log.warning(_VOID)
        return kept

    async def _hold(self, view: AccountView, token: int, why: str) -> bool:
        """Let the account's messages wait, and ring; False where it was connected again or removed meanwhile."""
        now = self._clock()

        def hold(session: Session) -> bool:
            if not accounts.settle_lease(session, view.id, token, held=why[:200]):
                return False
            words = f"{why} Connect the account again; its messages wait and are not lost."
            alarms.ring(session, ALARM, _subject(view), words, now)
            return True

        held = await self._database.write(hold, name="accounts.hold")
        if held:
            log.error("an account is held", extra={"channel": view.channel, "account": view.account_id})
        else:
            log.warning(_VOID)
        return held

    async def _ring(self, unreadable: dict[Key, str]) -> None:
        """Ring for the accounts whose token cannot be opened, and note which of the former ones are mended."""
        before, now = self._rung, self._clock()

        def ring(session: Session) -> None:
            alarms.ring_many(session, UNREADABLE, [alarms.of_account(*key) for key in unreadable], _SEALED, now)
            alarms.solve_many(
                session, UNREADABLE, [alarms.of_account(*key) for key in before.keys() - unreadable.keys()], now
            )

        await self._database.write(ring, name="accounts.unreadable")
        for key, sealed in unreadable.items():
            if before.get(key) != sealed:
                log.error("a stored token cannot be opened", extra={"channel": key[0], "account": key[1]})
        self._rung = unreadable

    def _account(self, view: AccountView) -> Account:
        app = self._apps.get(view.channel, App())
        token = self._opened(view, view.access_token)
        return Account(
            view.channel, view.account_id, token, app.app_id, app.app_secret, answers_comments=bool(view.comment_reply)
        )

    def _opened(self, view: AccountView, sealed: str) -> str:
        """What was sealed; raises Held where the key is another."""
        try:
            return self._sealer.open(sealed)
        except WrongKey:
            raise Held(f"{view.channel} {view.account_id}: its token cannot be read") from None

    def _seed(self, session: Session, channel: str, app: App, now: datetime) -> None:
        accounts.add(session, channel, app.account_id, now)
        view = accounts.find(session, channel, app.account_id)
        mark = fingerprint(app.access_token, app.refresh_token)
        if view is not None and (app.access_token or app.refresh_token) and view.seed != mark:
            pair = self._sealer.seal(app.access_token), self._sealer.seal(app.refresh_token)
            connect(session, channel, app.account_id, pair, now, seed=mark)


def rung_for(session: Session, kind: str) -> set[Key]:
    """The accounts that an alarm of this kind is open for."""
    parts = (subject.partition(":") for subject in alarms.subjects(session, kind))
    return {(channel, account_id) for channel, _, account_id in parts}


def connect(
    session: Session, channel: str, account_id: str, sealed: tuple[str, str], now: datetime, **more: object
) -> None:
    """Take up an access and a refresh token, already sealed, as an account's living pair; what waits is sent.

    A refresh of the former pair that is under way is void.
    """
    accounts.add(session, channel, account_id, now)
    view = accounts.find(session, channel, account_id)
    assert view is not None
    accounts.connect(session, view.id, sealed, now, **more)
    outbox.hurry(session, channel, account_id, now)
    alarms.solve_all(session, _subject(view), now)


def disconnect(session: Session, view: AccountView, now: datetime) -> None:
    """Forget an account's tokens: nothing is sent with it any more, and nothing about it has to be mended."""
    accounts.remove(session, view.id)
    alarms.solve_all(session, _subject(view), now)


def is_old(view: AccountView, now: datetime) -> bool:
    """Whether a refreshable token should be replaced before it dies."""
    return (
        bool(view.refresh_token)
        and not view.held
        and (view.refreshed_at is None or now - view.refreshed_at >= REFRESH_AFTER)
    )


def _subject(view: AccountView) -> str:
    return alarms.of_account(view.channel, view.account_id)
