"""Statements for the hot streams: compiled once, handed to the driver with many rows, past SQLAlchemy's costs.

On SQLite every step of a statement lets go of the interpreter's lock and fights for it again, so many rows share one
step, going in and coming out. On PostgreSQL the driver sends rows in a pipeline, in their order, which keeps locks in
order, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnClause,
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    LargeBinary,
    Select,
    Table,
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
Reader = Callable[[Any], Any]

_REMEMBERED = 2048
_MOST_ROWS = 16
"""In one statement: more would save few steps, and every number of rows is a program that SQLite keeps ready."""
_binders: dict[tuple[str, str], Reader | None] = {}


def inserting(table: Table, keys: Sequence[str], finish: Callable[[Insert], Insert] | None = None) -> Hot:
    """Insert rows of these keys; `finish` may add what happens on conflict."""

    def build(dialect: str) -> Executable:
        row = {key: bindparam(key, type_=table.c[key].type, required=True) for key in keys}
        statement = insert(dialect, table).values(row)
        return finish(statement) if finish else statement

    return Hot(build)


def updating(
    table: Table, keys: Sequence[str], *conditions: ColumnElement[bool], constants: Mapping[str, Any] | None = None
) -> Hot:
    """Update rows by `id`: each its own values of these keys, all the same constants, where the conditions hold."""

    def build(dialect: str) -> Executable:
        named = [column(key, table.c[key].type) for key in ("id", *keys)]
        row = tuple(_given(dialect, each) for each in named)
        given = values(*named, name="given").data([row]).cte("given")
        changed = {key: given.c[key] for key in keys} | dict(constants or {})
        return update(table).where(table.c.id == given.c.id, *conditions).values(changed)

    return Hot(build)


def _given(dialect: str, each: ColumnClause[Any]) -> ColumnElement[Any]:
    """A value of a row. PostgreSQL takes a NULL for text unless told otherwise; its driver does not tell of bytes."""
    value = bindparam(each.name, type_=each.type, required=True)
    return cast(value, each.type) if dialect != "sqlite" and isinstance(each.type, LargeBinary) else value


@dataclass(slots=True)
class _Prepared:
    """A statement for one row: its text around the row's placeholders, and where its values come from."""

    head: str
    group: str
    tail: str
    row: list[tuple[str, Reader | None]]
    constants: list[Any]
    texts: dict[int, str] = field(default_factory=dict)

    def text(self, rows: int) -> str:
        """The statement for so many rows."""
        found = self.texts.get(rows)
        if found is None:
            found = self.texts[rows] = self.head + ", ".join([self.group] * rows) + self.tail
        return found

    def bind(self, rows: Sequence[Row]) -> tuple[Any, ...]:
        """All values in the order of the placeholders."""
        given = [row[key] if read is None else read(row[key]) for row in rows for key, read in self.row]
        return (*given, *self.constants)


class Hot:
    """One statement over many rows, which all have the same keys."""

    def __init__(self, build: Callable[[str], Executable]) -> None:
        self._build = build
        self._sqlite: _Prepared | None = None
        self._named: tuple[str, Callable[[Row], dict[str, Any]]] | None = None

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Execute for all rows, in their order."""
        if not rows:
            return
        if connection.dialect.name != "sqlite":
            sql, bind = self._named or self._prepare_named(connection.dialect)
            connection.exec_driver_sql(sql, [bind(row) for row in rows])
            return
        ready = self._sqlite or self._prepare_sqlite(connection.dialect)
        for start in range(0, len(rows), _MOST_ROWS):
            some = rows[start : start + _MOST_ROWS]
            engines.driver(connection).execute(ready.text(len(some)), ready.bind(some))

    def _prepare_sqlite(self, dialect: Dialect) -> _Prepared:
        compiled = _compiled(self._build("sqlite"), dialect)
        parts = [compiled.binds[name] for name in compiled.positiontup or ()]
        row = [(part.key, _binder(part.type, dialect)) for part in parts if part.required]
        constants = [_bound(part.type, dialect, part.value) for part in parts if not part.required]
        group = "(" + ", ".join("?" * len(row)) + ")"
        head, found, tail = str(compiled).partition(group)
        assert found and all(part.required for part in parts[: len(row)]), str(compiled)
        self._sqlite = _Prepared(head, group, tail, row, constants)
        return self._sqlite

    def _prepare_named(self, dialect: Dialect) -> tuple[str, Callable[[Row], dict[str, Any]]]:
        compiled = _compiled(self._build(dialect.name), dialect)
        row = [(name, part.key, _binder(part.type, dialect)) for name, part in compiled.binds.items() if part.required]
        constants = {
            name: _bound(part.type, dialect, part.value) for name, part in compiled.binds.items() if not part.required
        }

        def bind(given: Row) -> dict[str, Any]:
            return constants | {name: given[key] if read is None else read(given[key]) for name, key, read in row}

        self._named = (str(compiled), bind)
        return self._named


class Fetch:
    """A query whose rows come in one step. Parameters keep their names; those in `lists` take many values."""

    def __init__(self, build: Callable[[Callable[[str], Any]], Select[Any]]) -> None:
        """`build(among)` makes the query; `among("ids")` stands for the values of a list in `.in_(…)`."""
        self._build = build
        self._ready: dict[str, tuple[Any, list[Reader | None]]] = {}

    def rows(self, connection: Connection, **given: Any) -> list[Sequence[Any]]:
        """The rows, each as a sequence of Python values in the query's order of columns."""
        if connection.dialect.name != "sqlite":
            statement, _ = self._ready.get("other") or self._prepare_other()
            return list(connection.execute(statement, given).all())
        sql, readers = self._ready.get("sqlite") or self._prepare_sqlite(connection.dialect)
        text, parts = sql
        bound = tuple([_packed(given[key], read) if key else constant for key, constant, read in parts])
        packed = engines.driver(connection).execute(text, bound).fetchone()[0]
        return [
            [cell if read is None or cell is None else read(cell) for cell, read in zip(row, readers, strict=True)]
            for row in json.loads(packed)
        ]

    def _prepare_other(self) -> tuple[Any, list[Reader | None]]:
        statement = self._build(lambda name: bindparam(name, expanding=True))
        self._ready["other"] = (statement, [])
        return self._ready["other"]

    def _prepare_sqlite(self, dialect: Dialect) -> tuple[Any, list[Reader | None]]:
        def among(name: str) -> Any:
            each = func.json_each(bindparam(name, required=True)).table_valued("value")
            return select(each.c.value)

        inner = self._build(among).subquery("found")
        cells = [func.hex(each) if isinstance(each.type, LargeBinary) else each for each in inner.c]
        statement = select(func.json_group_array(func.json_array(*cells))).select_from(inner)
        compiled = _compiled(statement, dialect)
        parts = [
            (part.key, None, _binder(part.type, dialect))
            if part.required
            else ("", _bound(part.type, dialect, part.effective_value), None)
            for part in (compiled.binds[name] for name in compiled.positiontup or ())
        ]
        self._ready["sqlite"] = ((str(compiled), parts), [_reader(each.type) for each in inner.c])
        return self._ready["sqlite"]


def _compiled(statement: Executable, dialect: Dialect) -> SQLCompiler:
    return statement.compile(dialect=dialect)  # type: ignore[attr-defined,no-any-return]


def _packed(value: Any, read: Reader | None) -> Any:
    return json.dumps(value) if isinstance(value, list) else _read(value, read)


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
