"""Backups: whole and checked or not there at all; a restore replaces everything or nothing; a kill leaves no half."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import signal
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.alone import serving
from bot.sealing import OpeningReader, SealingWriter, Tampered
from bot.secrets import WrongKey
from crm.orders import Item, News, Status, put
from storage import backup, engines, migrate
from tests import forked, test_commands
from tests.demo import environment
from tests.storage.rows import message, person, queue, transaction
from tests.test_commands import NOW, SECRET, TOKEN, Line

alone, line = test_commands.alone, test_commands.line

PHONE = "+84901234599"
WORDS = "a passphrase of the owner"


@pytest.fixture
def lite(line: Line, alone: Path, sqlite_template: Path) -> Line:
    """A command line with a SQLite file at this version's schema."""
    shutil.copy(sqlite_template, alone / "new.db")
    return line


@pytest.fixture
def shop(lite: Line, alone: Path) -> Path:
    """A database with a customer, points and a token, in a folder of its own."""
    path = alone / "new.db"
    with transaction(f"sqlite:///{path}") as session:
        person(session)
        session.connection().execute(text("UPDATE customer SET phone = :phone, external_id = 'C1'"), {"phone": PHONE})
        put(session, news("A1", 120_000), NOW)
    lite("account", "add", "zalo", "77", "--from-stdin", stdin=f"{TOKEN}\nrefresh-{TOKEN}\n")
    return path


def news(code: str, total: int) -> News:
    """An order of the customer that was delivered."""
    return News("pos", code, "C1", Status.DELIVERED, total, 1, NOW, NOW, (Item("Trà sen", 1, total),), code)


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """What a query finds in a file."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def others(folder: Path) -> set[str]:
    """What lies in a folder apart from the database's own files."""
    return {path.name for path in folder.iterdir() if not path.name.startswith("new.db")}


# --- making one -----------------------------------------------------------------------------------------------------


def test_a_backup_holds_everything_and_says_what(lite: Line, shop: Path, alone: Path) -> None:
    told = lite("backup", "copy.tar.gz", "--json").json
    assert (told["tables"]["customer"], told["tables"]["sales_order"], told["revision"]) == (1, 1, migrate.head())
    assert (
        told["ledger"]["customers"] == 1
        and told["ledger"]["points"]
        == rows(shop, "SELECT sum(points) FROM ledger_entry WHERE currency = 'spend'")[0][0]
        > 0
    )
    assert (alone / "copy.tar.gz").stat().st_mode & 0o077 == 0
    assert others(alone) == {"copy.tar.gz"}
    with tarfile.open("copy.tar.gz") as tar:
        tar.extract("khachquen.db", "by-hand", filter="data")
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert rows(alone / "by-hand" / "khachquen.db", "SELECT phone FROM customer") == [(PHONE,)]
    assert manifest["census"]["tables"] == told["tables"]
    assert PHONE not in json.dumps(manifest)


def test_a_folder_gets_a_file_with_the_date_in_its_name(lite: Line, shop: Path, alone: Path) -> None:
    (alone / "copies").mkdir()
    told = lite("backup", "copies", "--encrypt", "--json").json
    assert [path.name for path in (alone / "copies").iterdir()] == [Path(told["file"]).name]
    assert told["file"].endswith("Z.tar.gz.sealed")


def test_nothing_is_overwritten_unless_told(lite: Line, shop: Path, alone: Path) -> None:
    (alone / "mine").write_text("mine")
    assert "add --force" in lite("backup", "mine").refused()
    assert (alone / "mine").read_text() == "mine"
    assert lite("backup", "mine", "--force").status == 0
    assert lite("backup", "mine", "--verify").status == 0


@pytest.mark.parametrize(
    ("target", "words"), [("nowhere/copy", "there is no folder nowhere"), ("nowhere/", "there is no folder nowhere")]
)
def test_a_folder_that_is_not_there_is_said(target: str, words: str, lite: Line) -> None:
    assert words in lite("backup", target).refused()


def test_a_missing_database_is_not_made_by_a_backup(line: Line, alone: Path) -> None:
    assert "there is no database" in line("backup", "copy").refused()
    assert list(alone.iterdir()) == []


@pytest.mark.parametrize("command", [["backup", "copy"], ["restore", "copy"]], ids=" ".join)
def test_postgresql_names_its_own_tools(command: list[str], line: Line) -> None:
    line.set(DATABASE_URL="postgresql+psycopg://user:hush@127.0.0.1:1/name")
    said = line(*command).refused()
    assert "pg_dump" in said and "pg_basebackup" in said and "docs/operator.md" in said and "hush" not in said


def test_a_copy_is_of_one_moment_and_holds_up_no_writer(sqlite_template: Path, tmp_path: Path) -> None:
    """Each step of the copy finds the file changed by another connection."""
    path, copy, written = tmp_path / "busy.db", tmp_path / "copy.db", 0
    shutil.copy(sqlite_template, path)
    url = f"sqlite:///{path}"
    with transaction(url) as session:
        session.connection().execute(text("CREATE TABLE filling (body BLOB)"))
        session.connection().execute(text("INSERT INTO filling VALUES (zeroblob(:size))"), [{"size": 4000}] * 4000)

    writer = sqlite3.connect(path, timeout=0, isolation_level=None)

    def write(_done: int, _whole: int) -> None:
        nonlocal written
        writer.execute("INSERT INTO filling VALUES ('late')")
        written += 1

    census = backup.copied(path, copy, write)
    assert written > 2
    assert backup.checked(copy) == census
    assert census.tables["filling"] == 4000
    assert rows(path, "SELECT count(*) FROM filling") == [(4000 + written,)]
    assert writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, "the log is free again"
    assert engines.log_bytes(url) == 0
    writer.close()


def test_a_copy_that_never_ends_is_given_up(sqlite_template: Path, tmp_path: Path) -> None:
    with pytest.raises(backup.TooSlow, match="faster disk"):
        backup.copied(sqlite_template, tmp_path / "copy.db", lambda _done, _whole: None, patience_s=-1)


def test_a_database_that_is_damaged_is_not_taken_for_a_backup(lite: Line, shop: Path, alone: Path) -> None:
    with closing(sqlite3.connect(shop, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("DELETE FROM customer")
    assert "point at rows that are not there" in lite("backup", "copy").refused()
    assert others(alone) == set()


# --- sealing --------------------------------------------------------------------------------------------------------


def test_a_sealed_backup_shows_nothing_and_opens_with_the_key_alone(lite: Line, shop: Path, alone: Path) -> None:
    assert lite("backup", "sealed", "--encrypt").status == 0
    assert b"manifest" not in (alone / "sealed").read_bytes()
    assert lite("backup", "sealed", "--verify").status == 0
    lite.set(SECRET_KEY="a quite different secret key")
    assert "sealed with another key" in lite("backup", "sealed", "--verify").refused()
    lite.set(SECRET_KEY=f"a quite different secret key,{SECRET}")
    assert lite("backup", "sealed", "--verify").status == 0


def test_a_passphrase_seals_without_the_secret_key(lite: Line, shop: Path, alone: Path) -> None:
    (alone / "words").write_text(f"{WORDS}\n")
    (alone / "short").write_text("short\n")
    assert lite("backup", "sealed", "--passphrase-file", "words").status == 0
    lite.set(SECRET_KEY="")
    assert "name its --passphrase-file" in lite("backup", "sealed", "--verify").refused()
    assert lite("backup", "sealed", "--verify", "--passphrase-file", "words").status == 0
    assert "shorter than 12" in lite("backup", "other", "--passphrase-file", "short").refused()


def _sealed(plain: bytes) -> bytes:
    sink = io.BytesIO()
    with SealingWriter(sink, WORDS) as writer:
        writer.write(plain)
    return sink.getvalue()


def _read(sealed: bytes, words: str = WORDS) -> bytes:
    return io.BufferedReader(OpeningReader(io.BytesIO(sealed), [words])).read()


PIECE = 1024 * 1024


@pytest.mark.parametrize("length", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE])
def test_a_file_of_any_length_is_sealed_and_opened(length: int) -> None:
    plain = os.urandom(length)
    assert _read(_sealed(plain)) == plain


def test_a_sealed_file_that_was_cut_or_changed_anywhere_is_refused() -> None:
    sealed = _sealed(os.urandom(2 * PIECE + 100))
    head, whole = len(sealed) - 2 * PIECE - 100 - 3 * 16, PIECE + 16
    pieces = [sealed[head : head + whole], sealed[head + whole : head + 2 * whole], sealed[head + 2 * whole :]]
    cut = [sealed[:end] for end in (0, 5, head, head + 1, head + whole, head + 2 * whole, len(sealed) - 1)]
    mixed = [
        sealed[:head] + b"".join(order)
        for order in (pieces[1:], pieces[::2], [pieces[1], pieces[0], pieces[2]], [*pieces, pieces[2]])
    ]
    changed = [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in (2, head + 7, len(sealed) - 1)]
    for broken in (*cut, *mixed, *changed):
        with pytest.raises(Tampered):
            _read(broken)
    with pytest.raises(WrongKey):
        _read(sealed, "another passphrase")


# --- restoring ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sealed", [[], ["--encrypt"]], ids=["plain", "sealed"])
def test_a_restore_brings_back_what_was_there_and_keeps_what_it_replaces(
    lite: Line, shop: Path, alone: Path, sealed: list[str]
) -> None:
    lite("backup", "copy", *sealed)
    with transaction(f"sqlite:///{shop}") as session:
        put(session, news("A2", 999_000), NOW)
    told = lite("restore", "copy", "--force", "--json").json
    assert rows(shop, "SELECT code FROM sales_order") == [("A1",)]
    assert rows(Path(told["kept"]), "SELECT code FROM sales_order ORDER BY code") == [("A1",), ("A2",)]
    assert shop.stat().st_mode & 0o077 == 0
    assert others(alone) == {"copy", Path(told["kept"]).name}
    assert lite("doctor", "--offline", "--json").json["findings"]


def test_a_restore_says_which_tokens_may_be_dead(lite: Line, shop: Path) -> None:
    lite("backup", "copy")
    said = lite("restore", "copy", "--force").out
    assert "The tokens of zalo 77 are those of " in said and "khachquen account add zalo 77" in said
    assert TOKEN not in said


def test_a_restore_on_an_empty_machine_makes_the_folder(lite: Line, shop: Path, alone: Path) -> None:
    lite("backup", "copy")
    lite.set(DATABASE_URL=f"sqlite:///{alone}/far/away/shop.db")
    assert lite("restore", "copy", "--json").json["kept"] is None
    assert rows(alone / "far" / "away" / "shop.db", "SELECT phone FROM customer") == [(PHONE,)]


def _nothing_changed(lite: Line, shop: Path, alone: Path, do: Callable[[], str]) -> str:
    before, files = shop.read_bytes(), others(alone)
    said = do()
    assert shop.read_bytes() == before
    assert others(alone) == files
    return said


def test_a_restore_does_not_replace_a_database_unless_told(lite: Line, shop: Path, alone: Path) -> None:
    lite("backup", "copy")
    assert "add --force to replace it" in _nothing_changed(lite, shop, alone, lambda: lite("restore", "copy").refused())


def test_a_restore_waits_for_the_service_to_be_stopped(lite: Line, shop: Path, alone: Path) -> None:
    lite("backup", "copy")
    with serving(f"sqlite:///{shop}"):
        said = _nothing_changed(lite, shop, alone, lambda: lite("restore", "copy", "--force").refused())
    assert "khachquen serve is running on" in said and "stop it first" in said


def test_a_restore_does_not_replace_what_another_command_has_open(lite: Line, shop: Path, alone: Path) -> None:
    lite("backup", "copy")
    with closing(sqlite3.connect(shop)) as other:
        other.execute("SELECT count(*) FROM customer").fetchone()
        said = lite("restore", "copy", "--force").refused()
    assert "the database is busy" in said
    assert others(alone) == {"copy"}


def _cut(packed: bytes) -> bytes:
    return packed[: len(packed) // 2]


def _flipped(packed: bytes) -> bytes:
    middle = len(packed) // 2
    return packed[:middle] + bytes([packed[middle] ^ 255]) + packed[middle + 1 :]


def _longer(packed: bytes) -> bytes:
    return packed + b"more"


def _edited(packed: bytes) -> bytes:
    """Its points are others, and everything is packed as it should be."""
    plain = gzip.decompress(packed)
    return gzip.compress(plain.replace(b'"points": ', b'"points":1'))


def _empty(_packed: bytes) -> bytes:
    return gzip.compress(b"")


CHANGES = [_cut, _flipped, _longer, _empty, lambda _: b"", lambda _: b"notes " * 99]


@pytest.mark.parametrize(
    ("change", "sealed"),
    [(_edited, []), *((change, sealed) for change in CHANGES for sealed in ([], ["--encrypt"]))],
)
def test_a_file_that_is_not_a_whole_backup_changes_nothing(
    lite: Line, shop: Path, alone: Path, change: Callable[[bytes], bytes], sealed: list[str]
) -> None:
    lite("backup", "copy", *sealed)
    (alone / "copy").write_bytes(change((alone / "copy").read_bytes()))
    assert "copy " in lite("backup", "copy", "--verify").refused()
    said = _nothing_changed(lite, shop, alone, lambda: lite("restore", "copy", "--force").refused())
    assert any(words in said for words in ("damaged", "is no backup", "another key"))


def test_a_backup_of_a_newer_version_is_refused(lite: Line, shop: Path, alone: Path) -> None:
    with transaction(f"sqlite:///{shop}") as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '9999'"))
    lite("backup", "copy")
    said = _nothing_changed(lite, shop, alone, lambda: lite("restore", "copy", "--force").refused())
    assert "newer version (schema 9999)" in said


def test_a_backup_of_an_older_version_says_to_migrate(line: Line, alone: Path) -> None:
    migrate.upgrade(f"sqlite:///{alone}/new.db", "0002")
    assert line("backup", "copy").status == 0
    assert "run khachquen migrate before you start" in line("restore", "copy", "--force").out
    assert line("waiting").status == 1
    assert line("migrate").status == 0
    assert line("waiting").status == 0


def test_a_damaged_database_is_replaced_and_kept_with_its_log(lite: Line, shop: Path, alone: Path) -> None:
    """Its log must not be taken for the new one's."""
    lite("backup", "copy")
    broken, log = b"this is no database any more" * 300, b"what was written last" * 50
    shop.write_bytes(broken)
    shop.with_name("new.db-wal").write_bytes(log)
    kept = Path(lite("restore", "copy", "--force", "--json").json["kept"])
    assert kept.read_bytes() == broken
    assert kept.with_name(f"{kept.name}-wal").read_bytes() == log
    assert not shop.with_name("new.db-wal").exists()
    assert rows(shop, "SELECT phone FROM customer") == [(PHONE,)]


def test_what_was_due_when_the_backup_was_made_is_in_doubt_afterwards(lite: Line, shop: Path) -> None:
    """It may have gone out since: the next start settles it as it settles what a crash left."""
    with transaction(f"sqlite:///{shop}") as session:
        who = person(session, "2")
        queue(session, message(who, ready=NOW - timedelta(hours=1)), message(who, ready=NOW + timedelta(days=900)))
    lite("backup", "copy")
    told = lite("restore", "copy", "--force", "--json").json
    assert told["in_doubt"] == 1
    assert rows(shop, "SELECT state FROM outbox ORDER BY ready_at") == [("sending",), ("waiting",)]


# --- kill -9 --------------------------------------------------------------------------------------------------------


def _killed(folder: Path, point: str, *command: str) -> None:
    settings = environment(DATABASE_URL=f"sqlite:///{folder}/new.db", SECRET_KEY=SECRET, FAULT=f"{point}:kill")
    process = forked.khachquen(*command, folder=folder, settings=settings)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.usefixtures("forks")
@pytest.mark.parametrize("point", ["backup.copied", "backup.packed", "backup.checked"])
def test_a_backup_that_is_killed_leaves_no_file_and_the_next_one_clears_up(
    lite: Line, shop: Path, alone: Path, point: str
) -> None:
    _killed(alone, point, "backup", "copy", "--encrypt")
    assert not (alone / "copy").exists()
    assert others(alone)
    assert lite("backup", "copy", "--encrypt").status == 0
    assert others(alone) == {"copy"}


@pytest.mark.usefixtures("forks")
@pytest.mark.parametrize(
    ("point", "codes"),
    [("restore.checked", ["A1", "A2"]), ("restore.kept", ["A1", "A2"]), ("restore.switched", ["A1"])],
)
def test_a_restore_that_is_killed_leaves_the_old_database_or_the_new_one_whole(
    lite: Line, shop: Path, alone: Path, point: str, codes: list[str]
) -> None:
    lite("backup", "copy")
    with transaction(f"sqlite:///{shop}") as session:
        put(session, news("A2", 999_000), NOW)
    _killed(alone, point, "restore", "copy", "--force")
    assert rows(shop, "PRAGMA integrity_check") == [("ok",)]
    assert [code for (code,) in rows(shop, "SELECT code FROM sales_order ORDER BY code")] == codes
    assert lite("doctor", "--offline", "--json").json["findings"]
    assert lite("restore", "copy", "--force").status == 0
    assert rows(shop, "SELECT code FROM sales_order") == [("A1",)]
    assert not [name for name in others(alone) if name.startswith(".khachquen")]
