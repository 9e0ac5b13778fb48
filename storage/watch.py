"""Threads that watch the other processes on the same database, and keep SQLite's log short."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container
from contextlib import closing, suppress
from typing import Any

from sqlalchemy import Engine

from storage import engines, errors

log = logging.getLogger(__name__)

LOOKS_EVERY_S = 0.2
LOOKS_TO_A_CHECKPOINT = 5
CHANNEL = "khachquen"
"""Of PostgreSQL's notices; each names a topic."""

ClosedWithin = Callable[[float], bool]
"""Waits so many seconds; whether the database is closed by then."""


def sqlite(
    engine: Engine, url: str, closed_within: ClosedWithin, wake: Callable[..., None], long_log: Callable[[], None]
) -> None:
    """Wake all topics on other processes' commits (a counter of SQLite's), and move the log into the file at times.

    Woken, too, where commits may have been missed. `long_log` is called where the log has grown so long that the
    writer should fold it.
    """
    while not closed_within(0):
        try:
            with closing(engine.raw_connection()) as connection:
                connection.detach()
                _look(connection.cursor(), url, closed_within, wake, long_log)
        except Exception as error:
            log.warning("the file cannot be watched; polling goes on", extra={"why": errors.named(error)})
            closed_within(1)


def _look(
    cursor: Any, url: str, closed_within: ClosedWithin, wake: Callable[..., None], long_log: Callable[[], None]
) -> None:
    version, looks = _version(cursor), 0
    wake()
    while not closed_within(LOOKS_EVERY_S):
        current = _version(cursor)
        if current != version:
            wake()
        version, looks = current, looks + 1
        if looks % LOOKS_TO_A_CHECKPOINT == 0 and _checkpointed(url):
            long_log()


def _version(cursor: Any) -> Any:
    return cursor.execute("PRAGMA data_version").fetchone()


def _checkpointed(url: str) -> bool:
    try:
        return engines.checkpoint(url)
    except Exception as error:
        log.warning("the log could not be moved into the file", extra={"why": errors.named(error)})
        return False


def postgresql(engine: Engine, closed_within: ClosedWithin, wake: Callable[..., None], own: Container[int]) -> None:
    """Wake a topic on other processes' notices, or all where some may have been missed.

    `own` holds the backends that write for this process, which wakes itself. LISTEN needs the driver's own connection.
    """
    while not closed_within(0):
        try:
            with engine.connect() as connection:
                connection = connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.exec_driver_sql(f"LISTEN {CHANNEL}")
                wake()
                driver: Any = connection.connection.driver_connection
                while not closed_within(0):
                    for notice in driver.notifies(timeout=LOOKS_EVERY_S, stop_after=1):
                        if notice.pid not in own:
                            wake(notice.payload)
                connection.exec_driver_sql("UNLISTEN *")
        except Exception as error:
            log.warning("notices of other processes do not arrive; polling goes on", extra={"why": errors.named(error)})
            closed_within(1)


def rouse(engine: Engine) -> None:
    """Let PostgreSQL's watcher of a closed database end at once; if that fails, it ends with its look."""
    with suppress(Exception), engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(f"NOTIFY {CHANNEL}")
