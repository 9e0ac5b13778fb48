"""Kinds of columns and ids that every table shares, and the names of constraints."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import BigInteger, Integer, LargeBinary, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""The lease of a row that nobody holds."""

_EPOCH_MS = 1_704_067_200_000
_PROCESS_BITS = 12
_COUNT_BITS = 10

BigInt = BigInteger().with_variant(Integer(), "sqlite")


def serial() -> Any:
    """A primary key that the database counts up."""
    return Field(default=None, primary_key=True, sa_type=BigInt)


def given_id() -> Any:
    """A primary key from `new_id`, known before the row is written."""
    return Field(primary_key=True, sa_type=BigInt, sa_column_kwargs={"autoincrement": False})


def reference(target: str, *, index: bool = False, nullable: bool = False, unique: bool = False) -> Any:
    """A foreign key; deleting what it points at is an error."""
    default: Any = None if nullable else ...
    return Field(default=default, foreign_key=target, sa_type=BigInt, index=index, nullable=nullable, unique=unique)


def part_of_key(target: str) -> Any:
    """A foreign key that is a part of the primary key."""
    return Field(foreign_key=target, sa_type=BigInt, primary_key=True, sa_column_kwargs={"autoincrement": False})


def moment(*, index: bool = False, nullable: bool = False) -> Any:
    """An aware UTC time."""
    default: Any = None if nullable else ...
    return Field(default=default, sa_type=UTCDateTime, index=index, nullable=nullable)


def blob(*, nullable: bool = False) -> Any:
    """Bytes as they are."""
    default: Any = None if nullable else ...
    return Field(default=default, sa_type=LargeBinary, nullable=nullable)


class _Ids:
    """Counts up within a millisecond and never goes back, whatever the clock does."""

    def __init__(self) -> None:
        self.be_another_process()

    def be_another_process(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._process = int.from_bytes(os.urandom(2), "big") % (1 << _PROCESS_BITS)

    def next(self) -> int:
        with self._lock:
            floor = (time.time_ns() // 1_000_000 - _EPOCH_MS) << _COUNT_BITS
            self._last = max(self._last + 1, floor)
            return self._last << _PROCESS_BITS | self._process


_ids = _Ids()
os.register_at_fork(after_in_child=_ids.be_another_process)


def new_id() -> int:
    """A 63-bit id that grows with time and is unique across processes: rows can point at each other before a write."""
    return _ids.next()


def id_at(at: datetime) -> int:
    """The smallest id that `new_id` may give at this moment: rows of a time are found by their ids."""
    return (int(at.timestamp() * 1000) - _EPOCH_MS) << (_PROCESS_BITS + _COUNT_BITS)


def hashed(*parts: str) -> bytes:
    """16 bytes that stand for these parts: a unique key that keeps nothing readable."""
    return hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


@lru_cache(maxsize=4096)
def hashed_id(*parts: str) -> int:
    """A 63-bit id that stands for these parts."""
    return int.from_bytes(hashed(*parts)[:8], "big") >> 1


def insert(dialect: str, table: Table) -> postgresql.Insert:
    """An insert that knows `on_conflict_…`; both engines' own have the same methods."""
    return cast("postgresql.Insert", sqlite.insert(table)) if dialect == "sqlite" else postgresql.insert(table)
