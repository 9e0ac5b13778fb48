"""What the doctor reads from the database: its state, clock, tokens, accounts, events, queues, backups and alarms."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from bot.accounts import Accounts
from bot.channels.abilities import Polled
from bot.channels.base import Channel
from bot.checkup import GOOD, NOT_TOLD, REFUSED, Checkups, Look, in_words
from bot.commands import setup
from bot.commands.finding import MEND, NOTE, OK, Finding, awaited
from bot.commands.report import opened, shown
from bot.hearing import switched_off
from bot.secrets import Sealer, WrongKey
from bot.service import apps_of
from bot.settings import Settings
from crm import given_up
from storage import accounts, alarms, catchup, condition, engines, inbox, jobs, marks, migrate, outbox, polling
from storage.accounts import AccountView
from storage.database import Database

_MEGABYTE = 1024 * 1024
_LONG_LOG = 256 * _MEGABYTE
_INBOX_LATE = timedelta(minutes=1)
_QUEUE_LATE = timedelta(minutes=10)
_TOKEN_OLD = timedelta(hours=36)
_REFRESH_DAYS = {"zalo": 90}
"""How long a refresh token lives unused."""
_CLOCKS_APART = timedelta(seconds=5)
_LOOK_OLD = timedelta(hours=24)
_BACKUP_OLD = timedelta(hours=49)
_PLATFORMS_S = 20.0
_YEAR = 2026


async def look(
    settings: Settings, channels: Mapping[str, Channel], clock: Callable[[], datetime], *, live: bool
) -> list[Finding]:
    """Everything that the database tells; with `live`, also how the platforms find the accounts at this moment."""
    if await asyncio.to_thread(migrate.is_pending, settings.database_url):
        remedy = "Whoever runs the server does: khachquen migrate"
        return [Finding("database", MEND, "It is not there or not at this version's schema.", remedy)]
    async with opened(settings) as database:
        asked = live and len(settings.secret_key) >= 16
        told = await awaited("accounts", _asked(settings, database, channels, clock), _PLATFORMS_S) if asked else None
        read = partial(_looked_into, settings=settings, channels=channels, now=clock(), told=told)
        return await database.read(read)


def _looked_into(
    session: Session, settings: Settings, channels: Mapping[str, Channel], now: datetime, told: list[Finding] | None
) -> list[Finding]:
    found = [
        Finding("database", OK, f"It answers, at revision {migrate.head()}."),
        _log(settings),
        _clock(session, now),
        *_tokens(session, settings, now),
        *(_checkups(session, now) if told is None else told),
        *_polls(session, channels, now),
        *_events(session, channels, now),
        *_queues(session, now),
        *_reading(session, settings),
        *_backups(session, settings, now),
    ]
    return [*found, *_alarms(session, settings, {finding.words for finding in found})]


def _log(settings: Settings) -> Finding:
    size = engines.log_bytes(settings.database_url)
    words = f"Its write-ahead log holds {size // _MEGABYTE} MB."
    if size < _LONG_LOG:
        return Finding("database", OK, words)
    return Finding(
        "database", MEND, words, "Something reads without end: close other programs on the file, or restart."
    )


def _clock(session: Session, now: datetime) -> Finding:
    theirs, newest = condition.clock(session), condition.newest_event(session)
    remedy = "Whoever runs the server turns on time synchronisation (NTP)."
    if now.year < _YEAR or (newest is not None and newest - now > _CLOCKS_APART):
        return Finding("clock", MEND, "This computer's clock is behind what was already recorded.", remedy)
    if theirs is not None and abs(theirs - now) > _CLOCKS_APART:
        apart = int(abs(theirs - now).total_seconds())
        return Finding("clock", MEND, f"This computer and PostgreSQL's are {apart} s apart.", remedy)
    return Finding("clock", OK, "The clock agrees with what was recorded.")


def _tokens(session: Session, settings: Settings, now: datetime) -> Iterator[Finding]:
    sealer = Sealer(settings.secret_key) if len(settings.secret_key) >= 16 else None
    known = accounts.everyone(session)
    for view in known:
        yield _token(view, sealer, now)
    for channel, account_id, token in (
        ("zalo", settings.zalo_oa_id, settings.zalo_access_token or settings.zalo_refresh_token),
        ("messenger", settings.messenger_page_id, settings.messenger_page_token),
    ):
        if account_id and not token and not any(view.account_id == account_id for view in known):
            words = f"{channel} {account_id} has no token; nothing can be sent."
            yield Finding("tokens", MEND, words, setup.CONNECT[channel])
        connected = account_id or any(view.channel == channel and view.held != accounts.REMOVED for view in known)
        if not connected and setup.next_step(settings, channel) is None:
            yield Finding("tokens", MEND, f"No account is connected on {channel} yet.", setup.CONNECT[channel])


def _token(view: AccountView, sealer: Sealer | None, now: datetime) -> Finding:
    name = f"{view.channel} {view.account_id}"
    again = setup.again(view.channel, view.account_id)
    if view.held == "removed":
        return Finding("tokens", NOTE, f"{name} was removed.")
    if view.held:
        return Finding("tokens", MEND, f"{name} is held: {view.held}", f"Its messages wait. {again}")
    if not view.access_token:
        return Finding("tokens", MEND, f"{name} has no token; nothing can be sent.", again)
    try:
        if sealer:
            sealer.open(view.access_token)
    except WrongKey:
        remedy = "Put the former SECRET_KEY back (behind the new one, separated by a comma), or connect it again."
        return Finding("tokens", MEND, f"The token of {name} was sealed with another SECRET_KEY.", remedy)
    age = now - view.refreshed_at if view.refreshed_at else timedelta()
    words = f"The token of {name} is {int(age / timedelta(hours=1))} h old{_lasts(view, now)}."
    if view.channel == "zalo" and not view.refresh_token:
        return Finding("tokens", MEND, f"{name} has no refresh token and stops after a day.", again)
    if view.refresh_token and age > _TOKEN_OLD:
        return Finding("tokens", MEND, words, "A running service refreshes it twice a day: is khachquen serve running?")
    return Finding("tokens", OK, words)


async def _asked(
    settings: Settings, database: Database, channels: Mapping[str, Channel], clock: Callable[[], datetime]
) -> list[Finding]:
    """How the platforms find our accounts, asked now. No token is renewed: that is the running service's to do."""
    sealer, owner = Sealer(settings.require_secret()), f"doctor:{os.getpid()}"
    living = Accounts(database, channels, apps_of(settings), sealer, clock, owner)
    views = [view for view in await database.read(accounts.everyone) if view.access_token and not view.held]
    looks = await Checkups(database, channels, living, clock).look(views, renew=False)
    return [finding for each in looks for finding in _found(each)]


def _found(look: Look) -> Iterator[Finding]:
    name = f"{look.channel} {look.account_id}" + (f" ({look.name})" if look.name else "")
    if look.state == GOOD:
        yield Finding("accounts", OK, f"{name}: {in_words(look.facts)}.")
    for trouble in look.troubles:
        yield Finding("accounts", MEND, trouble.words, f"This is about {name}.")
    if look.mended:
        yield Finding("accounts", NOTE, f"{name} was mended: {look.mended}.")
    if look.state == REFUSED:
        renews = "A running service renews it within minutes: is khachquen serve running? Else: "
        remedy = (renews if look.channel in _REFRESH_DAYS else "") + setup.again(look.channel, look.account_id)
        yield Finding("accounts", MEND, f"The token of {name} is refused: {look.words}", remedy)
    if look.state == NOT_TOLD:
        yield Finding("accounts", NOTE, f"{name} could not be asked about: {look.words}")


def _polls(session: Session, channels: Mapping[str, Channel], now: datetime) -> Iterator[Finding]:
    """Accounts whose platform posts nothing to us: whether somebody asks it what happened."""
    polls = {(poll.channel, poll.account_id): poll for poll in polling.everyone(session)}
    for view in accounts.everyone(session):
        if not isinstance(channels.get(view.channel), Polled) or view.held or not view.access_token:
            continue
        name, poll = f"{view.channel} {view.account_id}", polls.get((view.channel, view.account_id))
        if poll is None or poll.lease_until < now:
            words = f"Nobody asks what was written to {name}."
            yield Finding("accounts", MEND, words, "Is khachquen serve (or worker) running?")
        else:
            heard = f"{int((now - poll.heard_at) / timedelta(hours=1))} h ago" if poll.heard_at else "never"
            yield Finding("accounts", OK, f"{name} is asked what was written to it; last heard: {heard}.")


def _checkups(session: Session, now: datetime) -> Iterator[Finding]:
    """What the platforms said of the accounts at the last look."""
    for view in accounts.everyone(session):
        if view.held or not view.access_token:
            continue
        name = f"{view.channel} {view.account_id}"
        ask = f"A running service looks every six hours; at once: khachquen account check {name}"
        if view.checked_at is None:
            yield Finding("accounts", NOTE, f"Nobody asked yet how {name} stands.", ask)
            continue
        age = now - view.checked_at
        words = f"{name} {int(age / timedelta(hours=1))} h ago: {in_words(json.loads(view.facts or '{}'))}."
        yield Finding("accounts", NOTE if age > _LOOK_OLD else OK, words, ask if age > _LOOK_OLD else "")


def _events(session: Session, channels: Mapping[str, Channel], now: datetime) -> Iterator[Finding]:
    for off in switched_off(session, channels, now):
        yield Finding("events", MEND if off.switch.must else NOTE, off.words, off.switch.words)


def _backups(session: Session, settings: Settings, now: datetime) -> Iterator[Finding]:
    """Only `khachquen backup` notes when it was done; PostgreSQL's own tools do not."""
    if not engines.is_sqlite(settings.database_url):
        return
    last = marks.last(session, marks.BACKUP)
    remedy = "Whoever runs the server lets one be made every night: khachquen backup DIR"
    if last is None:
        yield Finding("backup", NOTE, "No backup was made of this database yet.", remedy)
    else:
        old = now - last > _BACKUP_OLD
        words = f"The last backup is {int((now - last) / timedelta(hours=1))} h old."
        yield Finding("backup", NOTE if old else OK, words, remedy if old else "")


def _lasts(view: AccountView, now: datetime) -> str:
    """How long a token and its refresh token still live, where that is known."""
    parts = []
    if view.access_expires_at is not None:
        hours = int((view.access_expires_at - now) / timedelta(hours=1))
        parts.append(f"lives {hours} h more" if hours > 0 else "is due to be renewed")
    if view.refresh_token and view.refreshed_at and view.channel in _REFRESH_DAYS:
        days = _REFRESH_DAYS[view.channel] - (now - view.refreshed_at).days
        parts.append(f"can be renewed for {max(days, 0)} days")
    return "".join(f", {part}" for part in parts)


def _queues(session: Session, now: datetime) -> Iterator[Finding]:
    totals = outbox.totals(session)
    for name, since, late in (
        ("event", inbox.oldest_waiting(session), _INBOX_LATE),
        ("message", totals.oldest, _QUEUE_LATE),
        ("job", jobs.oldest_waiting(session), _QUEUE_LATE),
    ):
        age = max(now - since, timedelta()) if since else timedelta()
        if age > late:
            words = f"The oldest {name} waits for {int(age.total_seconds() // 60)} min."
            yield Finding("queues", MEND, words, "Is khachquen serve running? Its log says what holds it up.")
        else:
            yield Finding("queues", OK, f"No {name} waits too long.")
    for each in outbox.struggling(session):
        words = f"{each.messages} messages of {each.channel} {each.account_id} could not be sent so far."
        yield Finding("queues", MEND if each.attempts else NOTE, words, f"They are tried again. {each.error}")
    dead = given_up.count(session)
    if dead:
        remedy = "khachquen dead list says why; khachquen dead replay tries again once the cause is mended."
        yield Finding("queues", MEND, f"{dead} rows were given up.", remedy)
    if totals.unknown:
        yield Finding("queues", NOTE, f"{totals.unknown} sends have an unknown end; they are being looked into.")


def _reading(session: Session, settings: Settings) -> Iterator[Finding]:
    for span in catchup.under_way(session):
        words = (
            f"What {span.channel} {span.account_id} was told since {shown(span.since, settings.timezone)} is being "
            f"read again: {span.calls} calls so far, {span.found} new events."
        )
        yield Finding("catchup", NOTE, words, f"It waits: {span.trouble}" if span.trouble else "")


def _alarms(session: Session, settings: Settings, told: Collection[str]) -> list[Finding]:
    """The alarms whose words do not stand in another finding already."""
    return [
        Finding("alarms", MEND, f"{alarm.words} (since {shown(alarm.since, settings.timezone)})")
        for alarm in alarms.unsolved(session)
        if not any(alarm.words.startswith(words) for words in told)
    ]
