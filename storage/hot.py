"""Statements for the hot streams: compiled once, many rows in one step, past most of SQLAlchemy's costs.

On SQLite every step of a statement lets go of the interpreter's lock and fights for it again; on PostgreSQL every
statement is a round trip. So many rows share one step, going in and coming out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain, count
from operator import itemgetter
from typing import Any

from pydantic_core import from_json
from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnClause,
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    LargeBinary,
    Select,
    String,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine
from sqlmodel.sql.sqltypes import UTCDateTime

from storage import engines
from storage.columns import insert

Row = Mapping[str, Any]
Rows = Sequence[Row] | Sequence[tuple[Any, ...]]
"""Rows of one kind with their values by name: mappings, or NamedTuples, which cost less. More names do no harm."""
Reader = Callable[[Any], Any]
Among = Callable[[ColumnElement[Any], str], ColumnElement[bool]]
"""Whether a column is among the values of a list that the query is given under this name."""

_REMEMBERED = 2048
_GROUP = re.compile(r"(?<=VALUES )\((?:[^()]|\([^()]*\))*\)")
_PLACES = re.compile(r"%[s%]")
_MOST_ROWS = 16
_LARGE = (256, 64, 32)
"""In one statement. On SQLite every number of rows is a program that it keeps ready, so there are few numbers above the
most."""
_binders: dict[tuple[str, str], Reader | None] = {}


def inserting(
    table: Table,
    keys: Sequence[str],
    finish: Callable[[Insert], Executable] | None = None,
    alike: Mapping[str, ColumnElement[Any]] | None = None,
) -> Hot:
    """Insert rows of these keys, in their order; `finish` may add what happens on conflict and what is returned.

    `alike` is what the statement itself says of other columns, in all rows the same.
    """

    def build(dialect: str) -> Executable:
        row = {key: bindparam(key, type_=table.c[key].type, required=True) for key in keys}
        statement = insert(dialect, table).values(row | dict(alike or {}))
        return finish(statement) if finish else statement

    return Hot(build)


def updating(
    table: Table,
    keys: Sequence[str],
    *conditions: ColumnElement[bool],
    constants: Mapping[str, Any] | None = None,
    by: str | tuple[str, ...] = "id",
    adds: Sequence[str] = (),
) -> Hot:
    """Update rows by a key: each its own values of these keys, all the same constants, where the conditions hold.

    To the columns `adds` a row's value is added. On PostgreSQL the rows are locked in no order: whoever may meet others
    there must hold them, or what owns them.
    """

    found_by = (by,) if isinstance(by, str) else by

    def build(dialect: str) -> Executable:
        named = [column(key, table.c[key].type) for key in (*found_by, *keys, *adds)]
        row = tuple(_given(dialect, each) for each in named)
        given = values(*named, name="given").data([row]).cte("given")
        changed = {key: given.c[key] for key in keys} | {key: table.c[key] + given.c[key] for key in adds}
        same = (table.c[key] == given.c[key] for key in found_by)
        return update(table).where(*same, *conditions).values(changed | dict(constants or {}))

    return Hot(build)


def _given(dialect: str, each: ColumnClause[Any]) -> ColumnElement[Any]:
    """A value of a row. PostgreSQL takes a NULL for text unless told otherwise; its driver does not tell of bytes."""
    value = bindparam(each.name, type_=each.type, required=True)
    return cast(value, each.type) if dialect != "sqlite" and isinstance(each.type, LargeBinary) else value


@dataclass(slots=True)
class _Prepared:
    """A statement for one row: its text around the row's placeholders, the names of its values, and which of them are
    bound by a reader."""

    head: str
    group: str
    tail: str
    keys: Sequence[str]
    readers: list[tuple[int, Reader]]
    constants: list[Any]
    written: Callable[[str], str]
    texts: dict[int, str] = field(default_factory=dict)
    picks: dict[type, Callable[[Any], Any]] = field(default_factory=dict)

    def text(self, rows: int) -> str:
        """The statement for so many rows."""
        found = self.texts.get(rows)
        if found is None:
            found = self.texts[rows] = self.written(self.head + ", ".join([self.group] * rows) + self.tail)
        return found

    def bind(self, rows: Rows) -> tuple[Any, ...]:
        """All values in the order of the placeholders."""
        kind, width = type(rows[0]), len(self.keys)
        pick = self.picks.get(kind)
        if pick is None:
            pick = self.picks[kind] = _picking(self.keys, kind)
        given = list(chain.from_iterable(map(pick, rows)))
        for place, read in self.readers:
            given[place::width] = map(read, given[place::width])
        return (*given, *self.constants)


class Hot:
    """One statement over many rows, which all have the same keys."""

    def __init__(self, build: Callable[[str], Executable]) -> None:
        self._build = build
        self._ready: dict[str, _Prepared] = {}

    def run(self, connection: Connection, rows: Rows) -> None:
        """Execute for all rows, in their order."""
        for _ in self._shares_run(connection, rows):
            pass

    def returned(self, connection: Connection, rows: Rows) -> list[tuple[Any, ...]]:
        """Execute for all rows, in their order; what the statement returns, as the driver gives it."""
        return [row for cursor in self._shares_run(connection, rows) for row in cursor.fetchall()]

    def _shares_run(self, connection: Connection, rows: Rows) -> Iterator[Any]:
        if not rows:
            return
        ready = self._ready.get(connection.dialect.name) or self._prepare(connection.dialect)
        for some in _shares(rows, on_sqlite=connection.dialect.name == "sqlite"):
            yield engines.execute(connection, ready.text(len(some)), ready.bind(some))

    def _prepare(self, dialect: Dialect) -> _Prepared:
        text, written, parts = _compiled(self._build(dialect.name), dialect)
        keys = [part.key for part in parts if part.required]
        binders = [(place, _binder(part.type, dialect)) for place, part in enumerate(parts) if part.required]
        readers = [(place, read) for place, read in binders if read is not None]
        constants = [_bound(part.type, dialect, part.effective_value) for part in parts if not part.required]
        found = _GROUP.search(text)
        assert found and all(part.required for part in parts[: len(keys)]), text
        head, tail = text[: found.start()], text[found.end() :]
        ready = _Prepared(head, found[0], tail, keys, readers, constants, written)
        self._ready[dialect.name] = ready
        return ready


def _picking(keys: Sequence[str], kind: type) -> Callable[[Any], Any]:
    """How the values of these keys are taken from a row of this kind."""
    names = getattr(kind, "_fields", None)
    found = [names.index(key) for key in keys] if names else keys
    if len(found) > 1:
        return itemgetter(*found)
    (place,) = found
    return lambda row: (row[place],)


def _shares(rows: Rows, *, on_sqlite: bool) -> Iterator[Rows]:
    """Cut into shares that have a program ready: SQLite keeps one for every small number of rows, PostgreSQL some."""
    start = 0
    while start < len(rows):
        left = len(rows) - start
        if on_sqlite:
            share = left if left <= _MOST_ROWS else next((each for each in _LARGE if each <= left), _MOST_ROWS)
        else:
            share = 1 << (min(left, _MOST_ROWS).bit_length() - 1)
        yield rows[start : start + share]
        start += share


@dataclass(frozen=True, slots=True)
class _Query:
    """A query's text, where its values come from, and how cells are read that JSON does not give as they are."""

    text: str
    parts: list[tuple[str, Reader | None, Any]]
    readers: list[tuple[int, Reader]]

    def bind(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """All values in the order of the placeholders."""
        return tuple([_read(given[key], read) if key else constant for key, read, constant in self.parts])


class Fetch:
    """A query whose rows come in one step. Parameters keep their names; lists are told apart by `among`."""

    def __init__(self, build: Callable[[Among], Select[Any]]) -> None:
        """`build(among)` makes the query; `among(column, "ids")` holds where the column is in the list `ids`."""
        self._build = build
        self._ready: dict[str, _Query] = {}

    def rows(self, connection: Connection, **given: Any) -> Sequence[Sequence[Any]]:
        """The rows, each as a sequence of Python values in the query's order of columns."""
        if connection.dialect.name != "sqlite":
            rows: list[tuple[Any, ...]] = self._on_postgresql(connection, given).fetchall()
            return rows
        query = self._ready.get("sqlite") or self._prepare_sqlite(connection.dialect)
        packed = engines.execute(connection, query.text, query.bind(given)).fetchone()[0]
        found: list[list[Any]] = from_json(packed)
        for row in found:
            for place, read in query.readers:
                cell = row[place]
                if cell is not None:
                    row[place] = read(cell)
        return found

    def lock(self, connection: Connection, **given: Any) -> None:
        """Run a query `FOR UPDATE` for its locks alone, without waiting for rows; on SQLite there are none."""
        if connection.dialect.name != "sqlite":
            self._on_postgresql(connection, given)

    def _on_postgresql(self, connection: Connection, given: Mapping[str, Any]) -> Any:
        query = self._ready.get("postgresql") or self._prepare_postgresql(connection.dialect)
        return engines.execute(connection, query.text, query.bind(given))

    def _prepare_postgresql(self, dialect: Dialect) -> _Query:
        def among(where: ColumnElement[Any], name: str) -> ColumnElement[bool]:
            kind = Text() if isinstance(where.type, String) else where.type
            return where == func.any(bindparam(name, type_=ARRAY(kind), required=True))

        return self._prepare(self._build(among), dialect, [])

    def _prepare_sqlite(self, dialect: Dialect) -> _Query:
        def among(where: ColumnElement[Any], name: str) -> ColumnElement[bool]:
            each = func.json_each(bindparam(name, type_=_Listed(), required=True)).table_valued("value")
            return where.in_(select(each.c.value))

        inner = self._build(among).subquery("found")
        cells = [func.hex(each) if isinstance(each.type, LargeBinary) else each for each in inner.c]
        statement = select(func.json_group_array(func.json_array(*cells))).select_from(inner)
        readers = [(place, _reader(each.type)) for place, each in enumerate(inner.c)]
        return self._prepare(statement, dialect, [(place, read) for place, read in readers if read is not None])

    def _prepare(self, statement: Select[Any], dialect: Dialect, readers: list[tuple[int, Reader]]) -> _Query:
        text, written, bound = _compiled(statement, dialect)
        parts = [
            (part.key, _list_binder(part.type, dialect), None)
            if part.required
            else ("", None, _bound(part.type, dialect, part.effective_value))
            for part in bound
        ]
        query = self._ready[dialect.name] = _Query(written(text), parts, readers)
        return query


class _Listed(Text):
    """A list, as SQLite takes it: written as JSON."""


def _list_binder(kind: TypeEngine[Any], dialect: Dialect) -> Reader | None:
    if isinstance(kind, _Listed):
        return json.dumps
    return None if isinstance(kind, ARRAY) else _binder(kind, dialect)


def _compiled(statement: Executable, dialect: Dialect) -> tuple[str, Callable[[str], str], list[Any]]:
    """The statement with placeholders by position, how such a text is written at last, and what stands at each."""
    positional = dialect if dialect.positional else type(dialect)(paramstyle="format")  # type: ignore[call-arg]
    compiled: SQLCompiler = statement.compile(dialect=positional)  # type: ignore[attr-defined]
    written = str if positional is dialect else _numbered
    return str(compiled), written, [compiled.binds[name] for name in compiled.positiontup or ()]


def _numbered(text: str) -> str:
    """`%s` as `$1`, `$2`, …: what PostgreSQL itself reads, so that its driver need not look for placeholders."""
    numbers = count(1)
    return _PLACES.sub(lambda found: "%" if found[0] == "%%" else f"${next(numbers)}", text)


def _read(value: Any, read: Reader | None) -> Any:
    return value if read is None else read(value)


def _bound(kind: TypeEngine[Any], dialect: Dialect, value: Any) -> Any:
    return _read(value, _binder(kind, dialect))


def _binder(kind: TypeEngine[Any], dialect: Dialect) -> Reader | None:
    """How values of a column type are bound; values that come again, as times do, are bound once."""
    key = (dialect.name, repr(kind))
    if key not in _binders:
        processor = kind.dialect_impl(dialect).bind_processor(dialect)
        _binders[key] = lru_cache(_REMEMBERED)(processor) if processor else None
    return _binders[key]


def _reader(kind: TypeEngine[Any]) -> Reader | None:
    """How a value of a column type comes out of JSON."""
    if isinstance(kind, UTCDateTime):
        return _moment
    if isinstance(kind, LargeBinary):
        return bytes.fromhex
    return bool if isinstance(kind, Boolean) else None


@lru_cache(_REMEMBERED)
def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
