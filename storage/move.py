"""The move of a SQLite database into an empty PostgreSQL: all rows in one transaction, then compared on both sides."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, Integer, Table, func, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from storage import engines, tables
from storage.faults import faultpoint
from storage.fitting import Figures, Note, cleaned, decoded, fault_of, figures, is_text

_BATCH = 1000
_LOCKED = "55P03"

assert tables.NOUNS

Progress = Callable[[int, int], None]
"""Called with how many of how many rows are done; what it raises ends the move."""


class Unmoved(RuntimeError):
    """The move was undone, and the target holds no row of it; the words say why."""


class Survey(NamedTuple):
    """What is to be moved: each table's figures as they must be afterwards, what is changed, and what does not fit."""

    tables: Mapping[str, Figures]
    changes: Sequence[Note]
    misfits: Sequence[Note]

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(each.rows for each in self.tables.values())


@contextmanager
def held(url: str) -> Iterator[Connection]:
    """The SQLite database as it is now; other processes may read it, and write it when the block has ended."""
    engine = engines.writer(url, "FULL")
    try:
        with engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.text_factory = decoded
            connection.execute(select(1))
            yield connection
    finally:
        engine.dispose()


def surveyed(source: Connection, progress: Progress) -> Survey:
    """Read everything once, and change nothing. Raises Unmoved where a value cannot even be read."""
    changes: list[Note] = []
    misfits: list[Note] = []
    whole = sum(source.execute(select(func.count()).select_from(table)).scalar_one() for table in _ordered())
    found: dict[str, Figures] = {}
    done = 0
    for table in _ordered():
        rows = _cleaned(source, table, changes, misfits)
        found[table.name] = figures(table, _counted(rows, done, whole, progress))
        done += found[table.name].rows
    return Survey(found, changes, misfits)


def received(session: Session, source: Connection, survey: Survey, progress: Progress) -> dict[str, Figures]:
    """Copy every row into this empty database, and compare: the figures of every table, as read back from here.

    Does nothing but raise Unmoved where the database holds rows, is worked with, or holds other rows afterwards than
    the survey says.
    """
    target = session.connection()
    _refuse_unfit(target)
    done = 0
    for table in _ordered():
        _copy(target, table, _counted(_cleaned(source, table, [], []), done, survey.rows, progress))
        done += survey.tables[table.name].rows
    faultpoint("move.copied")
    target.exec_driver_sql("SET LOCAL enable_seqscan = on")
    found = {table.name: figures(table, _rows(target, table)) for table in _ordered()}
    different = sorted(name for name, each in found.items() if each != survey.tables[name])
    if different:
        raise Unmoved(
            f"the target does not hold in {', '.join(different)} what the source holds; all of it was taken back"
        )
    for table in _ordered():
        _count_on(target, table)
    target.exec_driver_sql("ANALYZE")
    return found


def _ordered() -> Sequence[Table]:
    """Every table, those first that others point at."""
    return SQLModel.metadata.sorted_tables


def _refuse_unfit(target: Connection) -> None:
    """Keep all others from writing until the end, and look whether anything is there."""
    encoding = target.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        raise Unmoved(f"the target database is encoded in {encoding}: make one with ENCODING 'UTF8'")
    names = ", ".join(_named(target, table) for table in _ordered())
    try:
        target.exec_driver_sql(f"LOCK TABLE {names} IN EXCLUSIVE MODE")
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") != _LOCKED:
            raise
        raise Unmoved("somebody works with the target: stop every khachquen on it first; nothing was moved") from error
    there = {table.name: target.execute(select(func.count()).select_from(table)).scalar_one() for table in _ordered()}
    filled = ", ".join(f"{name} {rows}" for name, rows in there.items() if rows)
    if filled:
        raise Unmoved(f"the target holds rows already ({filled}): name an empty database; nothing was moved")


def _rows(connection: Connection, table: Table) -> Iterator[Sequence[Any]]:
    yield from connection.execute(select(table), execution_options={"stream_results": True, "yield_per": _BATCH})


def _cleaned(source: Connection, table: Table, changes: list[Note], misfits: list[Note]) -> Iterator[Sequence[Any]]:
    """The rows as PostgreSQL is to hold them; notes what was changed and what does not fit."""
    columns = list(enumerate(table.columns))
    texts = [place for place, column in columns if is_text(column)]
    faults = [(place, fault_of(column)) for place, column in columns]
    keys = [place for place, column in columns if column.primary_key]
    row: Sequence[Any] = ()
    try:
        for row in _rows(source, table):
            values = list(row)
            for place in texts:
                if isinstance(values[place], str):
                    values[place], what = cleaned(values[place])
                    if what:
                        changes.append(_note(table, row, keys, place, what))
            for place, fault in faults:
                if values[place] is not None and (what := fault(values[place])):
                    misfits.append(_note(table, row, keys, place, what))
            yield values
    except (ValueError, TypeError) as error:
        last = "-".join(str(row[key]) for key in keys) if row else "the beginning"
        raise Unmoved(f"a value in {table.name} behind {last} cannot be read: mend or remove that row") from error


def _note(table: Table, row: Sequence[Any], keys: Sequence[int], place: int, what: str) -> Note:
    name = list(table.columns)[place].name
    return Note(table.name, "-".join(cleaned(str(row[key]))[0] for key in keys), name, what)


def _counted(rows: Iterator[Sequence[Any]], before: int, whole: int, progress: Progress) -> Iterator[Sequence[Any]]:
    done = before
    while batch := list(islice(rows, _BATCH)):
        yield from batch
        done += len(batch)
        progress(done, whole)


def _copy(target: Connection, table: Table, rows: Iterator[Sequence[Any]]) -> None:
    driver: Any = target.connection.driver_connection
    dbapi: Any = target.dialect.loaded_dbapi
    names = ", ".join(target.dialect.identifier_preparer.format_column(column) for column in table.columns)
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {_named(target, table)} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    except dbapi.Error as error:
        why = error.diag.message_primary or type(error).__name__
        raise Unmoved(f"PostgreSQL did not take the rows of {table.name}: {why}; all was taken back") from error


def _count_on(target: Connection, table: Table) -> None:
    """Let the next row get a number behind those that came."""
    for column in table.primary_key.columns:
        if not isinstance(column.type, Integer):
            continue
        sequence = target.execute(select(func.pg_get_serial_sequence(_named(target, table), column.name))).scalar_one()
        last = target.execute(select(func.max(column))).scalar_one() if sequence else None
        if last is not None:
            target.execute(select(func.setval(sequence, max(1, last))))


def _named(target: Connection, table: Table) -> str:
    return target.dialect.identifier_preparer.format_table(table)
