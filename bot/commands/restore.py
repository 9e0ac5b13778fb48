"""`khachquen restore`: puts the database of a backup in the place of the one that is there, which is kept."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bot import archive
from bot.alone import unserved
from bot.archive import Opened
from bot.commands.backup import POSTGRESQL, Tell, opening_words, percent, taken_at
from bot.commands.report import Refused, Report, opened
from bot.settings import Settings
from storage import accounts, backup, doubt, engines, migrate
from storage.accounts import AccountView
from storage.backup import Holder
from storage.faults import faultpoint


def run(arguments: Namespace, settings: Settings, now: datetime, tell: Tell) -> Report:
    """Look the backup through, keep the old database aside, and switch by one rename. Raises Refused."""
    if arguments.by_hand:
        return asyncio.run(_by_hand(settings, now))
    if not engines.is_sqlite(settings.database_url):
        raise Refused(POSTGRESQL)
    file, path = Path(arguments.file), engines.sqlite_path(settings.database_url)
    if not file.is_file():
        raise Refused(f"there is no file {file}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path = path.resolve()
    with unserved(settings.database_url):
        _refuse_to_replace(path, arguments.force)
        with archive.working(path.parent) as folder:
            found = archive.opened(file, folder, opening_words(arguments, settings), percent(tell, "checking"))
            _refuse_foreign(found, file)
            holders = backup.holders(found.database)
            doubted = backup.doubt(found.database, now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"))
            faultpoint("restore.checked")
            _refuse_to_replace(path, arguments.force)
            aside = path.with_name(f"{path.stem}-before-restore-{now.astimezone(UTC):%Y%m%dT%H%M%S-%fZ}{path.suffix}")
            kept = aside if backup.switched(found.database, path, aside) else None
    return _told(found, path, kept, holders, doubted, settings)


async def _by_hand(settings: Settings, now: datetime) -> Report:
    """Let no message go out again blindly from a database that other tools put in place; before anything is started."""
    async with opened(settings) as database:
        doubted = await database.write(partial(doubt.restored, now=now), name="restore.doubt")
        views = await database.read(accounts.everyone)
    holders = [_holder(view) for view in views if view.refresh_token]
    lines = [_doubtful(doubted) if doubted else "No message waited then.", *map(_token, holders)]
    return Report({"in_doubt": doubted, "tokens": [holder._asdict() for holder in holders]}, lines)


def _holder(view: AccountView) -> Holder:
    refreshed_at = view.refreshed_at.isoformat(" ") if view.refreshed_at else ""
    return Holder(view.channel, view.account_id, refreshed_at)


def _refuse_to_replace(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise Refused(
            f"{path} is there already: add --force to replace it (it is kept beside under a dated name); "
            "nothing was changed"
        )


def _refuse_foreign(found: Opened, file: Path) -> None:
    revision = found.manifest.census.revision
    if not revision:
        raise Refused(f"{file} holds a database without a schema of khachquen; nothing was changed")
    if not migrate.knows(revision):
        raise Refused(
            f"{file} is of a newer version (schema {revision}), which this one does not know: install the newer "
            "version; nothing was changed"
        )


def _told(
    found: Opened, path: Path, kept: Path | None, holders: list[Holder], doubted: int, settings: Settings
) -> Report:
    manifest = found.manifest
    pending = manifest.census.revision != migrate.head()
    lines = [
        f"{path} is as it was on {taken_at(manifest, settings)}: {sum(manifest.census.tables.values())} rows, "
        f"{manifest.census.points} points held by {manifest.census.holders} customers.",
        *([f"The database from before is kept: {kept}"] if kept else []),
        *([f"It is at schema {manifest.census.revision}: run khachquen migrate before you start."] if pending else []),
        *([_doubtful(doubted)] if doubted else []),
        *(_token(holder) for holder in holders),
    ]
    data = {
        "file": str(path), "kept": str(kept) if kept else None, "taken_at": manifest.taken_at,
        "revision": manifest.census.revision, "migrate": pending, "in_doubt": doubted,
        "tokens": [holder._asdict() for holder in holders],
    }  # fmt: skip
    return Report(data, lines)


def _doubtful(count: int) -> str:
    return (
        f"{count} messages waited then and may have gone out since: answers are looked for and, if not found, sent "
        "once more; marketing is not sent again."
    )


def _token(holder: Holder) -> str:
    """A refresh token works once: what was refreshed after the backup killed the pair in it."""
    since = f" of {holder.refreshed_at[:16]} UTC" if holder.refreshed_at else ""
    return (
        f"The tokens of {holder.channel} {holder.account_id} are those{since}. If they were refreshed since, they are "
        f"dead, and an admin connects it again: khachquen account add {holder.channel} {holder.account_id} …"
    )
