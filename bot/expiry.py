"""Messages that wait for an account that does not send: what can never go out any more is given up, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import NamedTuple

from sqlmodel import Session

from bot.accounts import Accounts
from bot.channels.base import Channel
from bot.claims import facts, standings
from bot.holds import key_of
from bot.outcomes import ended
from bot.registry import Registry
from crm.consent import Standing
from crm.messages import template_in
from crm.reach import reach
from crm.templates import Key, Template
from storage import accounts, claims, expiry, outbox
from storage.database import Database
from storage.expiry import Place, Queued
from storage.work import Priority

ACCOUNT_REMOVED = "account_removed"
RANGE = 250
"""How many messages one transaction looks at."""


class _Looked(NamedTuple):
    """What one range came to: the place to go on from, None at the end; what was given up, and why."""

    place: Place | None
    given_up: list[tuple[str, str, str]]


async def expire(
    database: Database, channels: Mapping[str, Channel], living: Accounts, clock: Callable[[], datetime]
) -> None:
    """Judge what the outbox worker never claims: messages of accounts that are held, unreadable or gone.

    Costs one reading where every message that waits belongs to an account that sends.
    """
    await living.freshen()
    unreadable = frozenset(living.unreadable)
    if not await database.read(partial(_is_anything_stuck, unreadable=unreadable)):
        return
    place: Place | None = expiry.START
    templates = Registry()
    while place is not None:
        look = partial(_look, after=place, channels=channels, unreadable=unreadable, templates=templates, now=clock())
        place, given_up = await database.write(look, priority=Priority.BULK, name="outbox.expire")
        for channel, purpose, reason in given_up:
            ended(channel, purpose, reason).inc()


def _is_anything_stuck(session: Session, unreadable: frozenset[tuple[str, str]]) -> bool:
    sending = {key for key, pace in accounts.paces(session).items() if not pace.held} - unreadable
    return bool(expiry.waited_for(session) - sending)


def _look(
    session: Session,
    after: Place,
    channels: Mapping[str, Channel],
    unreadable: frozenset[tuple[str, str]],
    templates: Registry,
    now: datetime,
) -> _Looked:
    claims.lock(session)
    held = {key: pace.held for key, pace in accounts.paces(session).items()}
    rows = expiry.queued(session, after, RANGE)
    reasons: dict[int, str] = {}
    stand = standings(session, rows)
    for row in rows:
        key = row.channel, row.account_id
        if row.ready_at > now or (key in held and not held[key] and key not in unreadable):
            continue
        known = templates.known(session)
        if reason := _why_never(row, held.get(key, accounts.REMOVED), stand[row.id], channels, known, now):
            reasons[row.id] = reason
    outbox.give_up(session, reasons)
    given_up = [(row.channel, row.purpose, reasons[row.id]) for row in rows if row.id in reasons]
    return _Looked((rows[-1].priority, rows[-1].id) if rows else None, given_up)


def _why_never(
    row: Queued,
    held: str,
    standing: Standing,
    channels: Mapping[str, Channel],
    known: Mapping[Key, Template],
    now: datetime,
) -> str:
    """Why a message will not go out whatever becomes of its account; "" where it still may."""
    if held == accounts.REMOVED:
        return ACCOUNT_REMOVED
    use = template_in(row.body)
    template = known.get(key_of(row.channel, row.account_id, use)) if use else None
    if use and template is None:
        return ""
    answer = reach(channels[row.channel].rules, facts(row, now, standing, template.terms if template else None))
    return answer.refusal.value if answer.refusal else ""
