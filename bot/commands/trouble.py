"""What may go wrong outside of us, in one sentence that says what to do."""

from __future__ import annotations

import errno
import socket
import sqlite3

from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from bot.channels.base import SendError
from bot.commands.report import Refused
from bot.secrets import WrongKey
from bot.settings import BadSetting
from crm.errors import CrmError
from storage import backup, engines, migrate, move

_SAY_IT_THEMSELVES = (
    Refused,
    BadSetting,
    WrongKey,
    CrmError,
    SendError,
    engines.BadUrl,
    migrate.NewerSchema,
    migrate.BrokenReferences,
    backup.Damaged,
    backup.TooSlow,
    move.Unmoved,
)
_SQLITE = {
    "locked": "the database is busy: another process holds it; try again in a moment",
    "unable to open": "the database file cannot be opened: check that its folder exists and may be written",
    "readonly": "the database file may only be read: check who owns the file and its folder",
    "not a database": "the file that DATABASE_URL names is not a SQLite database",
    "malformed": "the database file is damaged: stop the service and restore the last backup (khachquen restore)",
    "full": "the disk is full: make room, then start again",
}
_OUTSIDE = frozenset(
    {
        errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOSPC,
        errno.EADDRNOTAVAIL,
    }
)  # fmt: skip


def words_of(error: BaseException) -> str | None:
    """The sentence for an error whose cause lies outside of the program; None where it is a bug."""
    if isinstance(error, _SAY_IT_THEMSELVES):
        return str(error)
    if isinstance(error, ArgumentError | NoSuchModuleError):
        return "DATABASE_URL cannot be read; use sqlite:///path or postgresql+psycopg://user:password@host/name"
    if isinstance(error, DBAPIError):
        return _words_of_database(error.orig)
    if isinstance(error, sqlite3.Error):
        return _words_of_database(error)
    if isinstance(error, OSError):
        return _words_of_system(error)
    return None


def _words_of_database(error: BaseException | None) -> str | None:
    said = str(error)
    if isinstance(error, sqlite3.Error):
        return next((words for sign, words in _SQLITE.items() if sign in said), None)
    if type(error).__name__ == "OperationalError" and getattr(error, "sqlstate", "") is None:
        return f"PostgreSQL does not answer: {' '.join(said.split())}"
    return None


def _words_of_system(error: OSError) -> str | None:
    if error.errno == errno.EADDRINUSE:
        return f"{error.strerror}: choose another with --port or PORT"
    if isinstance(error, socket.gaierror):
        return f"{error.strerror}: HOST or --host must name an address of this computer"
    if error.errno in _OUTSIDE:
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    return None
