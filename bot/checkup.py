"""The check-up of accounts: what the platforms say of each is kept, and rings where a person must mend something."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlmodel import Session

from bot import allowances
from bot.accounts import Accounts
from bot.channels.base import Channel, Checkup, SendError, SendErrorKind, Trouble
from bot.renewal import Held
from bot.together import all_ended
from crm.reach import Rules
from storage import accounts, alarms
from storage.accounts import AccountView
from storage.database import Database

log = logging.getLogger(__name__)

EVERY = timedelta(hours=6)
"""How long a look at an account is good for."""
AGES = "refresh_token_ages"
AGES_AFTER = timedelta(days=80)
"""A refresh token that nobody used for this long is near its end: Zalo's live for three months."""
_AGED = (
    "The refresh token of this account was not used for 80 days and ends after 90: a running service uses it twice a "
    "day, so see in the log why it cannot, or let the account's admin connect it again."
)

GOOD, TROUBLE, HELD, REFUSED, NOT_TOLD = "good", "trouble", "held", "refused", "not_told"


@dataclass(frozen=True, slots=True)
class Look:
    """How one account was found: good, in trouble, held (nothing can be asked with its token), refused or not told."""

    channel: str
    account_id: str
    state: str
    name: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    troubles: tuple[Trouble, ...] = ()
    mended: str = ""
    words: str = ""


class Checkups:
    """Looks at accounts and keeps what it saw. A platform that cannot be reached rings nothing and changes nothing."""

    def __init__(
        self, database: Database, channels: Mapping[str, Channel], living: Accounts, clock: Callable[[], datetime]
    ) -> None:
        self._database, self._channels, self._accounts, self._clock = database, channels, living, clock

    async def due(self) -> list[AccountView]:
        """The connected accounts that nobody looked at for a while."""
        now = self._clock()
        views = await self._database.read(accounts.everyone)
        return [
            view
            for view in views
            if view.access_token and not view.held and (view.checked_at is None or now - view.checked_at >= EVERY)
        ]

    async def look(self, views: list[AccountView], *, renew: bool = True) -> list[Look]:
        """Look at these accounts, at once, and note what was seen; one that fails in our own code stops no other.

        Without `renew` no token is renewed, so that a look may be broken off at any moment.
        """
        await self._mind_refresh_tokens()
        return await all_ended(self._look(view.channel, view.account_id, renew) for view in views)

    async def _look(self, channel: str, account_id: str, renew: bool) -> Look:
        try:
            seen = await self._asked(channel, account_id, renew)
        except Held:
            words = "nothing can be asked with its token: khachquen doctor says why"
            return Look(channel, account_id, HELD, words=words)
        except SendError as error:
            log.info("an account could not be looked at", extra={"channel": channel, "why": error.code})
            state = REFUSED if error.kind is SendErrorKind.AUTH else NOT_TOLD
            return Look(channel, account_id, state, words=str(error))
        rules = self._channels[channel].rules
        keep = partial(_keep, channel=channel, account_id=account_id, seen=seen, rules=rules, now=self._clock())
        await self._database.write(keep, name="accounts.checked")
        if seen.mended:
            log.warning("an account was mended", extra={"channel": channel, "account": account_id, "how": seen.mended})
        state = TROUBLE if seen.troubles else GOOD
        return Look(channel, account_id, state, seen.name, seen.facts, seen.troubles, seen.mended)

    async def _asked(self, channel: str, account_id: str, renew: bool) -> Checkup:
        """What the platform says; with `renew`, a token that it refuses is renewed first. Raises Held, SendError."""
        account = await self._accounts.get(channel, account_id)
        try:
            return await self._channels[channel].check_up(account, self._clock())
        except SendError as error:
            if error.kind is not SendErrorKind.AUTH or not renew:
                raise
            renewed = await self._accounts.renew(account)
            account = await self._accounts.get(channel, account_id)
            if not renewed:
                raise
        return await self._channels[channel].check_up(account, self._clock())

    async def _mind_refresh_tokens(self) -> None:
        """Ring for refresh tokens that nobody used for too long, and end the alarms of those that were used."""
        now = self._clock()

        def aged(session: Session) -> set[str]:
            return {
                alarms.of_account(view.channel, view.account_id)
                for view in accounts.everyone(session)
                if _is_aged(view, now)
            }

        def note(session: Session) -> None:
            old = aged(session)
            alarms.ring_many(session, AGES, old, _AGED, now)
            alarms.solve_many(session, AGES, alarms.subjects(session, AGES) - old, now)

        if await self._database.read(lambda session: aged(session) != alarms.subjects(session, AGES)):
            await self._database.write(note, name="accounts.ages")


def _is_aged(view: AccountView, now: datetime) -> bool:
    return (
        bool(view.refresh_token)
        and not view.held
        and view.refreshed_at is not None
        and now - view.refreshed_at >= AGES_AFTER
    )


def _keep(session: Session, channel: str, account_id: str, seen: Checkup, rules: Rules, now: datetime) -> None:
    """Note what was seen; ring for what is wrong and end the alarms of what is mended."""
    view = accounts.find(session, channel, account_id)
    if view is None or view.held == accounts.REMOVED:
        return
    accounts.note_checkup(session, view, seen.name or view.name, json.dumps(seen.facts, ensure_ascii=False), now)
    allowances.keep(session, (channel, account_id), seen.allowances, rules, now)
    subject = alarms.of_account(channel, account_id)
    for trouble in seen.troubles:
        alarms.ring(session, trouble.kind, subject, trouble.words, now)
    for kind in sorted(seen.judged - {trouble.kind for trouble in seen.troubles}):
        alarms.solve(session, kind, subject, now)


def in_words(facts: Mapping[str, Any]) -> str:
    """What was seen, on one line."""
    return ", ".join(f"{key.replace('_', ' ')}: {_shown(value)}" for key, value in facts.items() if value != "")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
