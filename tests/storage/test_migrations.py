"""Migrations: from nothing and from every earlier schema to this one, whole or not at all, and nothing lost."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Boolean, Column, Connection, Float, Integer, LargeBinary, Table, func, inspect, select, text
from sqlalchemy import column as column_clause
from sqlalchemy import table as table_clause
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from storage import alarms, engines, ledger_check, migrate, tables
from tests import forked
from tests.postgresql import NOTHING, Server

ROOT = Path(__file__).resolve().parents[2]
MIGRATIONS = ROOT / "storage" / "migrations"
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with nothing in it, not even a schema."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: Server = request.getfixturevalue("postgresql")
    with server.made(NOTHING) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def made_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with this version's schema, which may be changed."""
    if request.param == "sqlite":
        path = tmp_path / "made.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Server = request.getfixturevalue("postgresql")
    with server.made() as url:
        yield url


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection in a transaction that is committed."""
    engine = engines.writer(url, "OFF")
    try:
        with engine.connect() as connection, connection.begin():
            yield connection
    finally:
        engine.dispose()


def revisions() -> list[str]:
    """All revisions, the first one first."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def test_the_names_of_the_files_tell_the_revisions_in_their_order() -> None:
    files = sorted(path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py"))
    assert revisions() == files
    assert migrate.head() == files[-1]


def test_a_service_does_without_the_tool_that_migrates() -> None:
    script = "import sys, main; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=60).returncode == 0


def names(connection: Connection) -> set[str]:
    """The tables that are there, by the engine's own catalogue."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        if connection.dialect.name == "sqlite"
        else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    return {row[0] for row in connection.execute(text(query))}


def a_value(column: Column[Any], number: int) -> Any:
    """Something that a column takes."""
    if isinstance(column.type, UTCDateTime):
        return NOW
    if isinstance(column.type, LargeBinary):
        return str(number).encode()
    if isinstance(column.type, Integer | Boolean | Float):
        return column.type.python_type(number)
    return str(number)


def fill(connection: Connection) -> dict[str, int]:
    """One row in every table that the models know and the database has, parents first; rows by table.

    Defaults of columns that the database does not have yet are left out.
    """
    there = names(connection)
    keys: dict[str, Any] = {}
    for number, table in enumerate(SQLModel.metadata.sorted_tables, 1):
        if table.name not in there:
            continue
        row = {}
        known = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for column in (column for column in table.columns if column.name in known):
            target = next(iter(column.foreign_keys), None)
            if target is None:
                row[column.name] = a_value(column, number)
            elif target.column.table is not table:
                row[column.name] = keys[target.column.table.name]
        old = table_clause(table.name, *(column_clause(name, table.c[name].type) for name in row))
        connection.execute(old.insert(), [row])
        keys[table.name] = row[next(iter(table.primary_key.columns)).name]
    return counts(connection)


def counts(connection: Connection) -> dict[str, int]:
    """How many rows every table of ours has."""
    there = names(connection)
    known = [table for table in SQLModel.metadata.sorted_tables if table.name in there]
    return {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in known}


def test_a_fresh_database_gets_the_schema_of_this_version(empty_url: str) -> None:
    assert migrate.is_pending(empty_url)
    done = migrate.upgrade(empty_url)
    assert (done.before, done.after, done.copy) == (None, migrate.head(), None)
    assert not migrate.is_pending(empty_url)
    assert migrate.upgrade(empty_url).before == migrate.head()


def test_the_migrated_schema_is_the_schema_of_the_models(empty_url: str) -> None:
    assert tables.NOUNS
    migrate.upgrade(empty_url)
    with connected(empty_url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_a_first_schema_that_has_the_later_indexes_already_is_upgraded_too(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0001")
    with connected(empty_url) as connection:
        connection.execute(text("CREATE INDEX ix_inbox_body ON inbox (id) WHERE body IS NOT NULL"))
    migrate.upgrade(empty_url)
    assert not migrate.is_pending(empty_url)


def test_profile_jobs_of_the_first_schema_learn_whom_to_ask_about(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0001")
    with connected(empty_url) as connection:
        fill(connection)
        whom = connection.execute(text("SELECT id, channel, account_id, user_id FROM identity")).mappings().one()
        old = {"payload": json.dumps({"identity": whom["id"]})}
        connection.execute(text("UPDATE job SET kind = 'profile.fetch', payload = :payload"), old)
    migrate.upgrade(empty_url)
    with connected(empty_url) as connection:
        payload = json.loads(connection.execute(text("SELECT payload FROM job")).scalar_one())
    asked = {key: whom[key] for key in ("channel", "account_id", "user_id")}
    assert payload == {"identity": whom["id"], **asked}


OLD_POINTS = (
    ("C1", "earn", 30, "o1"), ("C1", "reverse", -10, "o1"), ("C1", "earn", 5, "o2"), ("C1", "reverse", -25, "o1"),
    ("C2", "adjust", 7, None), ("C2", "adjust", -7, None), ("C2", "earn", 2, "o3"), ("C2", "reverse", -4, "o3"),
    ("C2", "earn", 1, "o4"),
)  # fmt: skip
"""Customer, kind, points, order, oldest first: what was taken back is more than there was, twice."""


def test_points_of_before_are_found_in_lots_and_count_towards_tiers(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0012")
    with connected(empty_url) as connection:
        _keep_old_points(connection)
    migrate.upgrade(empty_url)
    with connected(empty_url) as connection, Session(bind=connection) as session:
        assert ledger_check.faults(session) == []
        held = {row[0]: tuple(row[1:]) for row in connection.execute(text(HELD))}
        assert held == {"C1": (0, 0, 0), "C2": (-1, 1, 0)}
        rows = connection.execute(text("SELECT effective_at = at FROM ledger_entry WHERE currency = 'spend'"))
        assert all(row[0] for row in rows)
        qualified = connection.execute(text(QUALIFIED)).all()
        assert [tuple(row) for row in qualified] == [("o1", 300_000, 300_000)]
        with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
            session.connection().execute(text("UPDATE ledger_entry SET points = 5"))


HELD = """
SELECT c.external_id, b.balance, b.debt,
       (SELECT coalesce(sum(remaining), 0) FROM point_lot l WHERE l.customer_id = c.id)
FROM point_balance b JOIN customer c ON c.id = b.customer_id WHERE b.currency = 'spend'
"""
QUALIFIED = """
SELECT o.external_id, e.points, b.balance FROM ledger_entry e JOIN sales_order o ON o.id = e.order_id
JOIN point_balance b ON b.customer_id = e.customer_id AND b.currency = 'qualify'
WHERE e.currency = 'qualify' AND e.effective_at = o.delivered_at
"""


def _keep_old_points(connection: Connection) -> None:
    """Customers, orders and entries as the twelfth schema kept them."""
    customers = {"C1": 1, "C2": 2}
    orders = {"o1": ("C1", "delivered"), "o2": ("C1", "shipping"), "o3": ("C2", "returned"), "o4": ("C2", "pending")}
    for name, number in customers.items():
        row = {"id": number, "external_id": name, "created_at": NOW, "updated_at": NOW}
        connection.execute(SQLModel.metadata.tables["customer"].insert(), [row])
    for number, (name, (owner, status)) in enumerate(orders.items(), 1):
        row = {
            "id": number, "source": "pos", "external_id": name, "code": name, "code_key": name, "status": status,
            "customer_id": customers[owner], "total": 300_000, "items": "[]", "note": "", "version": 1,
            "placed_at": NOW - timedelta(days=3), "delivered_at": NOW - timedelta(days=1), "updated_at": NOW,
        }  # fmt: skip
        connection.execute(_as_it_was("sales_order", row).insert(), [row])
    for number, (owner, kind, points, order) in enumerate(OLD_POINTS, 1):
        row = {
            "customer_id": customers[owner], "kind": kind, "points": points, "reason": "", "source_key": str(number),
            "order_id": list(orders).index(order) + 1 if order else None, "at": NOW + timedelta(minutes=number),
        }  # fmt: skip
        connection.execute(_as_it_was("ledger_entry", row).insert(), [row])


def _as_it_was(name: str, row: dict[str, Any]) -> Any:
    table = SQLModel.metadata.tables[name]
    return table_clause(name, *(column_clause(key, table.c[key].type) for key in row))


SAID = ((True, "zalo", 1), (True, "messenger", 2), (False, "zalo", 2))
"""Granted, where, hour."""


def test_words_of_consent_of_before_stand_where_they_were_said_and_a_no_stands_everywhere(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0031")
    with connected(empty_url) as connection:
        customer = fill(connection) and connection.execute(text("SELECT id FROM customer")).scalar_one()
        for granted, channel, hour in SAID:
            row = {"customer_id": customer, "purpose": "marketing", "granted": granted, "channel": channel,
                   "wording": "", "message_id": "", "at": NOW + timedelta(hours=hour)}  # fmt: skip
            connection.execute(_as_it_was("consent_entry", row).insert(), [row])
    migrate.upgrade(empty_url)
    with connected(empty_url) as connection:
        rows = connection.execute(text("SELECT channel, granted FROM consent_standing WHERE purpose = 'marketing'"))
        assert {(channel, bool(granted)) for channel, granted in rows} == {("zalo", 1), ("messenger", 1), ("", 0)}


def test_a_file_that_was_loaded_twice_at_once_keeps_both_batches_to_be_taken_back(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0039")
    with connected(empty_url) as connection:
        for number, undone_at in enumerate((NOW, None, None), 1):
            row = {"id": number, "digest": "same", "name": "old.csv", "rows": 1, "points": 5, "actor": "",
                   "created_at": NOW, "undone_at": undone_at}  # fmt: skip
            connection.execute(_as_it_was("point_batch", row).insert(), [row])
    migrate.upgrade(empty_url)
    with connected(empty_url) as connection:
        rows = connection.execute(text("SELECT id, digest FROM point_batch ORDER BY id"))
        assert [tuple(row) for row in rows] == [(1, "same"), (2, "2"), (3, "same")]


def test_an_alarm_of_a_stopped_broadcast_ends_under_the_name_that_nothing_ends_any_more(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0044")
    with connected(empty_url) as connection:
        for kind in ("broadcast_errors", "token_dead"):
            row = {"kind": kind, "subject": "7", "words": "", "since": NOW}
            connection.execute(_as_it_was("alarm", row).insert(), [row])
    migrate.upgrade(empty_url)
    with connected(empty_url) as connection, Session(bind=connection) as session:
        assert [each.kind for each in alarms.unsolved(session)] == ["token_dead"]


def test_every_revision_keeps_every_row(empty_url: str) -> None:
    first, *rest = revisions()
    migrate.upgrade(empty_url, first)
    with connected(empty_url) as connection:
        before = fill(connection)
    assert before and set(before.values()) == {1}
    for revision in rest:
        migrate.upgrade(empty_url, revision)
        with connected(empty_url) as connection:
            after = counts(connection)
        assert {table: after[table] for table in before if table in after} == before, revision
    with connected(empty_url) as connection:
        assert migrate.current(connection) == migrate.head()


def test_every_table_of_this_version_can_be_filled(made_url: str) -> None:
    with connected(made_url) as connection:
        assert fill(connection) == {table.name: 1 for table in SQLModel.metadata.sorted_tables}


def test_a_database_of_a_newer_version_is_refused_and_left_alone(made_url: str) -> None:
    with connected(made_url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert migrate.is_pending(made_url)
    with pytest.raises(migrate.NewerSchema, match="9999"):
        migrate.upgrade(made_url)
    with connected(made_url) as connection:
        assert migrate.current(connection) == "9999"


def test_a_copy_of_the_file_is_kept_before_anything_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    trial = planted(tmp_path, monkeypatch, "op.create_table('more', sa.Column('id', sa.Integer))")
    migrate.upgrade(url, trial.before)
    with connected(url) as connection:
        before = fill(connection)
    done = migrate.upgrade(url)
    assert done.copy is not None and done.copy.exists()
    assert done.copy.stat().st_mode & 0o077 == 0, "nobody else may read the customers"
    with connected(f"sqlite:///{done.copy}") as connection:
        assert counts(connection) == before
        assert "more" not in names(connection)
    with connected(url) as connection:
        assert "more" in names(connection)


class Trial:
    """A revision after the last one, in a copy of the folder of migrations."""

    def __init__(self, folder: Path, before: str) -> None:
        self.folder, self.before = folder, before


def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *steps: str) -> Trial:
    """Adds a revision 9000 that does these steps, here and in processes that are started with `FOLDER`."""
    folder, before = tmp_path / "migrations", migrate.head()
    (folder / "versions").mkdir(parents=True)
    for source in [*MIGRATIONS.glob("*.py"), *MIGRATIONS.glob("versions/*.py"), *MIGRATIONS.glob("*.mako")]:
        (folder / source.relative_to(MIGRATIONS)).write_bytes(source.read_bytes())
    body = "\n    ".join(steps)
    (folder / "versions" / "9000_trial.py").write_text(
        f"import os, signal\nimport sqlalchemy as sa\nfrom alembic import op\nrevision = '9000'\n"
        f"down_revision = {before!r}\n\ndef upgrade():\n    {body}\n"
    )
    monkeypatch.setattr(migrate, "_HERE", folder)
    return Trial(folder, before)


MOVE = (
    "op.create_table('more', sa.Column('id', sa.Integer, primary_key=True))",
    "op.execute('INSERT INTO more (id) VALUES (1)')",
    "op.execute('UPDATE customer SET name = name')",
    "op.create_table('even_more', sa.Column('id', sa.Integer, primary_key=True))",
)


@pytest.mark.usefixtures("forks")
@pytest.mark.parametrize("step", range(len(MOVE) + 1))
def test_a_migration_that_is_killed_at_any_step_leaves_the_old_schema_whole(
    made_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    kill = "os.environ.get('KILL') and os.kill(os.getpid(), signal.SIGKILL)"
    trial = planted(tmp_path, monkeypatch, *MOVE[:step], kill, *MOVE[step:])
    with connected(made_url) as connection:
        before = fill(connection)
    killed = forked.upgrade(made_url, trial.folder, KILL="1")
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    with connected(made_url) as connection:
        assert migrate.current(connection) == trial.before
        assert counts(connection) == before
        assert not {"more", "even_more"} & names(connection)
    assert migrate.is_pending(made_url)
    migrate.upgrade(made_url)
    with connected(made_url) as connection:
        assert {"more", "even_more"} <= names(connection)
        assert counts(connection) == before


def test_a_migration_that_would_leave_rows_pointing_nowhere_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    trial = planted(tmp_path, monkeypatch, "op.execute('DELETE FROM customer')")
    migrate.upgrade(url, trial.before)
    with connected(url) as connection:
        before = fill(connection)
    with pytest.raises(migrate.BrokenReferences, match="point nowhere"):
        migrate.upgrade(url)
    with connected(url) as connection:
        assert migrate.current(connection) == trial.before
        assert counts(connection) == before


def test_foreign_keys_hold_while_the_product_runs(session: Session) -> None:
    customer: Table = SQLModel.metadata.tables["customer"]
    fill(session.connection())
    with pytest.raises(DBAPIError, match=re.compile("foreign key", re.IGNORECASE)):
        session.connection().execute(customer.delete())


@pytest.mark.parametrize("statement", ["UPDATE ledger_entry SET points = 5", "DELETE FROM ledger_entry"])
def test_the_ledger_can_only_grow(session: Session, statement: str) -> None:
    fill(session.connection())
    with pytest.raises(DBAPIError, match="append-only"):
        session.connection().execute(text(statement))


@pytest.mark.usefixtures("forks")
def test_two_upgrades_at_once_are_one(empty_url: str) -> None:
    """Two containers start together."""
    both = [forked.upgrade(empty_url) for _ in range(2)]
    for each in both:
        each.join(60)
    assert [each.exitcode for each in both] == [0, 0]
    assert not migrate.is_pending(empty_url)


def test_an_upgrade_waits_for_another_that_has_just_made_the_file(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        ends = threading.Timer(engines.BUSY_S + 0.5, lambda: other.execute("ROLLBACK"))
        ends.start()
        migrate.upgrade(f"sqlite:///{path}")
        ends.join()
    assert not migrate.is_pending(f"sqlite:///{path}")


def test_a_file_that_is_no_database_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("this is no database at all, only some notes " * 50)
    with pytest.raises(DBAPIError, match="not a database"):
        migrate.upgrade(f"sqlite:///{path}")
    with pytest.raises(sqlite3.DatabaseError), closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT 1 FROM sqlite_master")
