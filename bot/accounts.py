"""The living tokens of every OA and Page, kept encrypted; accounts that are connected and that are removed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count

from sqlmodel import Session

from bot.channels.base import Account, Channel
from bot.renewal import Held, Renewal, opened
from bot.renewal import subject as _subject
from bot.secrets import Sealer, fingerprint
from storage import accounts, alarms, outbox
from storage.accounts import AccountView
from storage.database import Database

log = logging.getLogger(__name__)

REFRESH_AFTER = timedelta(hours=12)
FRESH_FOR_S = 5.0
UNREADABLE = "token_unreadable"
_SEALED = (
    "The token of this account was sealed with another SECRET_KEY than the one that runs here. If the key was just "
    "changed, restart the service; else put the former key behind the new one, separated by a comma, or connect the "
    "account again. Its messages wait and are not lost."
)

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


class Accounts:
    """Answers "with which token do we call?"."""

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
        self._sealer, self._clock = sealer, clock
        self._renewal = Renewal(database, channels, sealer, clock, owner)
        self._known: dict[Key, Account] = {}
        self._ids: dict[str, frozenset[str]] = {}
        self._unreadable: dict[Key, str] = {}
        self._resting: dict[Key, datetime] = {}
        self._rung: dict[Key, str] = {}
        self._read_at = float("-inf")
        self._readings, self._newest = count(), -1
        self._reading = asyncio.Lock()

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
        if self._is_old():
            await self.freshen()
        account = self._known.get((channel, account_id))
        if account is None:
            raise Held(f"{channel} {account_id}")
        return account

    def known(self, channel: str, account_id: str) -> Account | None:
        """The account where the last reading knows it and is not old: without a wait."""
        return None if self._is_old() else self._known.get((channel, account_id))

    async def freshen(self) -> None:
        """Read all accounts again where the last reading is a few seconds old; of many who ask at once, one reads."""
        if self._is_old():
            async with self._reading:
                if self._is_old():
                    await self.reload()

    def _is_old(self) -> bool:
        return time.monotonic() - self._read_at > FRESH_FOR_S

    def ids(self, channel: str) -> frozenset[str]:
        """The accounts of a channel that were known at the last reading, held ones too."""
        return self._ids.get(channel, frozenset())

    async def reload(self) -> None:
        """Read all accounts again. A slow reading tells nothing where one that began after it has ended before."""
        number = next(self._readings)
        views = await self._database.read(accounts.everyone)
        if number < self._newest:
            return
        self._newest = number
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
        now = self._clock()
        resting = {(view.channel, view.account_id): view.rests_until(now) for view in views}
        self._resting = {key: until for key, until in resting.items() if until is not None}
        self._read_at = time.monotonic()
        if unreadable != self._rung:
            await self._ring(unreadable)

    async def renew(self, stale: Account, *, refused: bool = True) -> bool:
        """Replace a token that the platform refused, or that grows old; whether another one can be called with now.

        Of many callers one refreshes, the others use what came of it. Where a refused token cannot be renewed now, the
        account rests until it is tried again. Raises Held where another token was stored meanwhile that cannot be read.
        """
        try:
            return await self._renewal.renew(stale, refused=refused)
        finally:
            await self.reload()

    def rests(self, channel: str, account_id: str) -> bool:
        """Whether the platform refused the account's token, and a new one is waited for, as at the last reading."""
        until = self._resting.get((channel, account_id))
        return until is not None and until > self._clock()

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
        token = opened(self._sealer, view, view.access_token)
        return Account(
            view.channel, view.account_id, token, app.app_id, app.app_secret, answers_comments=bool(view.comment_reply)
        )

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
        and view.refresh_pending_since is None
        and (view.refreshed_at is None or now - view.refreshed_at >= REFRESH_AFTER)
    )
