"""`khachquen doctor`: looks at everything that may keep the service from working, and says who can mend it and how."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlmodel import Session

from bot.checkup import in_words
from bot.commands import setup
from bot.commands.report import Report, opened, shown
from bot.commands.trouble import words_of
from bot.secrets import Sealer, WrongKey
from bot.settings import Settings
from crm import hours
from storage import accounts, alarms, catchup, condition, engines, inbox, jobs, migrate, outbox
from storage.accounts import AccountView

OK = "ok"
NOTE = "note"
MEND = "mend"

_MEGABYTE = 1024 * 1024
_LITTLE_SPACE = 1024 * _MEGABYTE
_NO_SPACE = 200 * _MEGABYTE
_LONG_LOG = 256 * _MEGABYTE
_INBOX_LATE = timedelta(minutes=1)
_QUEUE_LATE = timedelta(minutes=10)
_TOKEN_OLD = timedelta(hours=36)
_SHORT_KEY = 24
_CLOCKS_APART = timedelta(seconds=5)
_LOOK_OLD = timedelta(hours=24)
_YEAR = 2026


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `state` is ok, note (no harm yet) or mend; `remedy` says who does what."""

    area: str
    state: str
    words: str
    remedy: str = ""


async def run(settings: Settings, now: datetime) -> Report:
    """Look at everything; not ok where something must be mended."""
    found = [*_settings(settings), *_channels(settings), _disk(settings), *await _database(settings, now)]
    found.sort(key=lambda finding: (MEND, NOTE, OK).index(finding.state))
    ok = all(finding.state != MEND for finding in found)
    lines = [
        f"{finding.state.upper() if finding.state == MEND else finding.state:<4}  {finding.area:<9}  "
        + f"{finding.words} {finding.remedy}".rstrip()
        for finding in found
    ]
    return Report({"ok": ok, "findings": [asdict(finding) for finding in found]}, lines, ok)


def _settings(settings: Settings) -> Iterator[Finding]:
    if len(settings.secret_key) < 16:
        yield Finding(
            "settings", MEND, "SECRET_KEY is missing or shorter than 16 characters; without it nothing starts.",
            "Whoever installs this makes one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )  # fmt: skip
    else:
        yield Finding("settings", OK, "SECRET_KEY is set.")
    if settings.api_key and len(settings.api_key) < _SHORT_KEY:
        words = f"API_KEY is shorter than {_SHORT_KEY} characters and might be guessed."
        remedy = "Whoever runs the server makes another: khachquen key create NAME"
        yield Finding("settings", MEND, words, remedy)
    if not settings.public_url:
        yield Finding("settings", NOTE, "PUBLIC_URL is not set.", "Set it to the address that the platforms call.")
    if not settings.brand_name:
        yield Finding("settings", NOTE, "BRAND_NAME is not set; the bot calls itself the shop's assistant.")
    yield _hours(settings)


def _hours(settings: Settings) -> Finding:
    """How the opening hours were understood."""
    if not settings.opening_hours:
        words = "OPENING_HOURS is not set: the shop counts as always open, and customers are told no time of an answer."
        return Finding("settings", NOTE, words, "Set it, for example: OPENING_HOURS=T2-T7 8:00-21:00; CN 9:00-18:00")
    week = hours.opening_hours(settings.opening_hours)
    if week is None:
        words = "OPENING_HOURS is shown to customers, but not understood: the shop counts as always open."
        return Finding("settings", NOTE, words, "Write it like: T2-T7 8:00-12:00 13:30-21:00; CN 9:00-18:00")
    open_for = sum(end - start for shifts in week for start, end in shifts)
    return Finding("settings", OK, f"OPENING_HOURS is understood: {open_for // 60} hours a week.")


def _channels(settings: Settings) -> Iterator[Finding]:
    steps = {name: setup.next_step(settings, name) for name in setup.CHANNELS}
    used = [name for name in setup.CHANNELS if setup.is_begun(settings, name)]
    for name, step in steps.items():
        if step is None:
            yield Finding("channels", OK, f"{name} has all its keys.")
        else:
            state = MEND if name in used or not used else NOTE
            yield Finding("channels", state, f"{name} is pending: {step.missing} is not set.", step.remedy)


def _disk(settings: Settings) -> Finding:
    place = settings.data_dir
    if engines.is_sqlite(settings.database_url):
        place = engines.sqlite_path(settings.database_url).parent
    free = shutil.disk_usage(_there(place)).free
    words = f"{free // _MEGABYTE} MB are free on the disk of the data."
    if free >= _LITTLE_SPACE:
        return Finding("disk", OK, words)
    remedy = "Whoever runs the server makes room: without any, no message can be kept."
    return Finding("disk", MEND if free < _NO_SPACE else NOTE, words, remedy)


def _there(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    whole = path.resolve()
    return next(folder for folder in (whole, *whole.parents) if folder.exists())


async def _database(settings: Settings, now: datetime) -> list[Finding]:
    try:
        if migrate.is_pending(settings.database_url):
            remedy = "Whoever runs the server does: khachquen migrate"
            return [Finding("database", MEND, "It is not there or not at this version's schema.", remedy)]
        async with opened(settings) as database:
            return await database.read(partial(_looked_into, settings=settings, now=now))
    except Exception as error:
        words = words_of(error)
        if words is None:
            raise
        return [Finding("database", MEND, f"{words[0].upper()}{words[1:]}.", "Whoever runs the server mends this.")]


def _looked_into(session: Session, settings: Settings, now: datetime) -> list[Finding]:
    return [
        Finding("database", OK, f"It answers, at revision {migrate.head()}."),
        _log(settings),
        _clock(session, now),
        *_tokens(session, settings, now),
        *_checkups(session, now),
        *_queues(session, now),
        *_reading(session, settings),
        *_alarms(session, settings),
    ]


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
    words = f"The token of {name} is {int(age / timedelta(hours=1))} h old."
    if view.channel == "zalo" and not view.refresh_token:
        return Finding("tokens", MEND, f"{name} has no refresh token and stops after a day.", again)
    if view.refresh_token and age > _TOKEN_OLD:
        return Finding("tokens", MEND, words, "A running service refreshes it twice a day: is khachquen serve running?")
    return Finding("tokens", OK, words)


def _checkups(session: Session, now: datetime) -> Iterator[Finding]:
    """What the platforms said of the accounts at the last look; the doctor itself asks nobody."""
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
        yield Finding("queues", MEND, words, f"They are tried again. {each.error}")
    dead = inbox.dead_count(session) + totals.dead + jobs.dead_count(session)
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


def _alarms(session: Session, settings: Settings) -> Sequence[Finding]:
    return [
        Finding("alarms", MEND, f"{alarm.words} (since {shown(alarm.since, settings.timezone)})")
        for alarm in alarms.unsolved(session)
    ]
