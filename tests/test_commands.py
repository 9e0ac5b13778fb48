"""The command line: every command on a real database, for people and in JSON, and what it says when it cannot."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import main
from bot import demo
from bot.channels.messenger.errors import FAULTS, error
from bot.secrets import Sealer
from crm import keys, outbox, tickets
from storage import accounts, alarms, conversations, customers, inbox, jobs, marks, transcripts
from storage import outbox as outbox_rows
from storage.inbox import Arrival
from tests import forked
from tests.crm.people import POLICY
from tests.demo import MAIN, environment
from tests.storage.rows import ACCOUNT, message, person, queue, transaction

SECRET = "a secret key for tests only"
TOKEN = "access-token-that-nobody-may-see-9f3a"
NOBODY = "http://127.0.0.1:9"
"""An address at which no platform answers."""
NOW = datetime.now(UTC).replace(microsecond=0)
SLOW = '"slow write"'
"""What the log says of a busy computer, beside whatever is tested."""

EVERY = (
    ["serve"], ["web"], ["worker"], ["migrate"], ["backup"], ["restore"], ["move"], ["demo"], ["doctor"], ["waiting"],
    ["understand"], ["dead"], ["dead", "list"], ["dead", "replay"], ["ticket"], ["ticket", "list"], ["ticket", "show"],
    ["ticket", "answer"], ["ticket", "close"], ["ticket", "reopen"],
    ["ticket", "category"], ["ticket", "priority"], ["key"], ["key", "create"], ["key", "list"],
    ["key", "revoke"], ["staff"], ["staff", "add"], ["staff", "pair"], ["staff", "list"], ["staff", "role"],
    ["staff", "revoke"], ["staff", "pin"], ["cmd"], ["account"], ["account", "add"], ["account", "check"],
    ["account", "list"], ["account", "token"], ["account", "remove"], ["page"], ["page", "profile"], ["catchup"],
    ["cost"], ["template"], ["template", "list"], ["template", "sync"], ["template", "preview"],
)  # fmt: skip
BESIDE = (
    ["waiting"],
    ["dead", "list"],
    ["dead", "replay", "--all"],
    ["key", "list"],
    ["staff", "list"],
    ["account", "list"],
    ["template", "list"],
    ["cost"],
    ["serve"],
)


@dataclass(slots=True)
class Terminal:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed as JSON."""
        return json.loads(self.out)

    def refused(self) -> str:
        """The one sentence of a command that failed."""
        assert self.status == 1
        assert self.out == ""
        said = [line for line in self.err.splitlines() if SLOW not in line]
        assert len(said) == 1 and said[0].startswith("khachquen: "), self.err
        return said[0]


class Line:
    """The command line in this process, on one database, with these settings and no others."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys, self._monkeypatch = capsys, monkeypatch

    def set(self, **settings: str) -> None:
        """Change settings."""
        for name, value in settings.items():
            self._monkeypatch.setenv(name, value)

    def __call__(self, *arguments: str, stdin: str = "") -> Terminal:
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        self._capsys.readouterr()
        status = main.main(arguments)
        return Terminal(status, *self._capsys.readouterr())


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder without settings; afterwards logging is as it was."""
    root, interval = logging.getLogger(), sys.getswitchinterval()
    before = (root.handlers[:], root.level)
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name != "PATH":
            monkeypatch.delenv(name)
    yield tmp_path
    root.handlers[:], root.level = before
    sys.setswitchinterval(interval)


@pytest.fixture
def line(alone: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Line:
    """A command line whose database is not there yet."""
    line = Line(capsys, monkeypatch)
    line.set(
        SECRET_KEY=SECRET, DATABASE_URL=f"sqlite:///{alone}/new.db", ZALO_API_URL=NOBODY, MESSENGER_GRAPH_URL=NOBODY
    )
    return line


@pytest.fixture
def khachquen(line: Line, database_url: str) -> Line:
    """A command line with a database at this version's schema, on each engine."""
    line.set(DATABASE_URL=database_url)
    return line


@pytest.fixture
def lite(line: Line, alone: Path, sqlite_template: Path) -> Line:
    """The same on SQLite alone, for what does not depend on the engine."""
    shutil.copy(sqlite_template, alone / "new.db")
    return line


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_every_command_explains_itself(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main([*command, "--help"])
    assert ended.value.code == 0
    assert f"usage: khachquen {' '.join(command)}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["serve", "--port", "0"],
        ["serve", "--port", "http"],
        ["dead"],
        ["dead", "replay", "x"],
        ["dead", "replay", str(1 << 63)],
        ["ticket", "close"],
        ["ticket", "close", "seven"],
        ["key", "create"],
        ["account", "add", "zalo", "1"],
        ["account", "add", "telegram", "1", "--from-stdin"],
        ["account", "add", "zalo", "1", "--access-token", TOKEN],
        ["account", "add", "zalo", "1", "--from-stdin", "--access-token-file", "x"],
        ["account", "add", "zalo", "--from-stdin"],
        ["account", "add", "zalo", "1", "2", "--from-stdin"],
        ["account", "add", "zalo", "--refresh-token-file", "x"],
        ["account", "add", "zalo", "--user-token-file", "x"],
        ["account", "add", "zalo", "1", "--from-stdin", "--no-wait"],
        ["account", "add", "messenger"],
        ["account", "add", "messenger", "1"],
        ["account", "add", "messenger", "--no-wait", "--user-token-file", "x"],
        ["account", "add", "messenger", "--user-token-file", "x", "--from-stdin"],
        ["account", "token", "zalo"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_explained_not_run(
    arguments: list[str], line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        line(*arguments)
    assert ended.value.code == 2
    assert "usage: khachquen" in capsys.readouterr().err


# --- the database is not as it should be ----------------------------------------------------------------------------


@pytest.mark.parametrize("command", BESIDE, ids=" ".join)
def test_a_missing_database_is_said_and_not_made(command: list[str], line: Line, alone: Path) -> None:
    assert "run khachquen migrate first" in line(*command).refused()
    assert list(alone.iterdir()) == []


def test_migrate_makes_the_schema_once(line: Line) -> None:
    first = line("migrate", "--json").json
    assert first["before"] is None
    assert line("migrate", "--json").json == {"before": first["after"], "after": first["after"], "copy": None}
    assert line("migrate").out == f"schema {first['after']}\n"
    assert line("key", "list").status == 0


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "DATABASE_URL cannot be read"),
        ("mysql://host/name", "use sqlite:///path or postgresql+psycopg://"),
        ("sqlite://", "DATABASE_URL must name a file"),
        ("postgresql+psycopg://user:hush@127.0.0.1:1/name", "PostgreSQL does not answer"),
        ("postgresql+psycopg://user:hush@nowhere.invalid/name", "PostgreSQL does not answer"),
    ],
)
def test_a_database_that_cannot_be_reached_is_said_in_words(url: str, words: str, line: Line) -> None:
    line.set(DATABASE_URL=url)
    said = line("waiting").refused()
    assert words in said
    assert "hush" not in said


def test_a_file_that_is_no_database_is_said_in_words(line: Line, alone: Path) -> None:
    (alone / "new.db").write_text("not a database, but long enough to look like one" * 50)
    assert "is not a SQLite database" in line("waiting").refused()
    assert "is not a SQLite database" in line("migrate").refused()


def test_a_path_that_is_no_folder_is_said_in_words(line: Line, alone: Path) -> None:
    (alone / "file").touch()
    line.set(DATABASE_URL=f"sqlite:///{alone}/file/new.db")
    assert str(alone / "file") in line("migrate").refused()


def test_a_busy_database_is_said_in_words(lite: Line, alone: Path) -> None:
    with closing(sqlite3.connect(alone / "new.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "the database is busy" in lite("key", "create", "kassa").refused()


@contextmanager
def _without_rights() -> Iterator[None]:
    """Root may write anywhere, so it becomes nobody for a while."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_folder_that_may_only_be_read_is_said_in_words(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    with TemporaryDirectory() as folder:
        monkeypatch.chdir(folder)
        line.set(DATABASE_URL=f"sqlite:///{folder}/shop.db")
        line("migrate")
        line("key", "list")
        Path(folder).chmod(0o555)
        Path(folder, "shop.db").chmod(0o444)
        with _without_rights():
            said = line("key", "create", "kassa").refused()
    assert "cannot be opened" in said or "may only be read" in said


def test_a_bad_setting_is_said_in_words(line: Line) -> None:
    line.set(PORT="many", LOCALE="fr")
    said = line("waiting").refused()
    assert "PORT:" in said
    assert "LOCALE: use vi or en" in said


# --- services -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["web", "worker"])
def test_half_a_service_on_sqlite_names_postgresql(command: str, lite: Line) -> None:
    assert "needs PostgreSQL" in lite(command).refused()


def test_serve_without_a_secret_key_does_not_start(lite: Line) -> None:
    lite.set(SECRET_KEY="")
    assert "SECRET_KEY is missing" in lite("serve").refused()


def test_a_port_in_use_is_said_in_words(lite: Line) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        said = lite("serve", "--port", str(other.getsockname()[1])).refused()
    assert "address already in use: choose another with --port" in said


def test_an_address_that_is_none_is_said_in_words(lite: Line) -> None:
    assert "HOST or --host must name an address" in lite("serve", "--host", "999.1.1.1").refused()


@contextmanager
def _serving(url: str, folder: Path, command: str, port: int, **more: str) -> Iterator[None]:
    settings = environment(DATABASE_URL=url, SECRET_KEY=SECRET, SQLITE_SYNCHRONOUS="OFF", **more)
    process = forked.khachquen(command, "--port", str(port), folder=folder, settings=settings, told=folder / "log.txt")
    try:
        while _status(f"http://127.0.0.1:{port}/healthz") != 200:
            assert process.is_alive(), (folder / "log.txt").read_text()
            time.sleep(0.02)
        yield
        process.terminate()
        process.join(10)
        assert process.exitcode == 0
    finally:
        process.kill()


def _status(address: str, key: str = "") -> int:
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {key}"} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def _pending(folder: Path) -> list[tuple[str, str]]:
    """The channels that a service's log calls pending, and how loudly."""
    lines = [line for line in (folder / "log.txt").read_text().splitlines() if "pending" in line]
    return [(line["level"], line["channel"]) for line in map(json.loads, lines)]


@pytest.mark.usefixtures("forks")
def test_a_pending_channel_is_named_once_in_the_log(lite: Line, alone: Path) -> None:
    url, port = f"sqlite:///{alone}/new.db", demo.free_port(23_000)
    with _serving(url, alone, "serve", port, ZALO_APP_ID="1", ZALO_OA_SECRET_KEY="a key"):
        assert _status(f"http://127.0.0.1:{port}/webhooks/messenger") == 403
    assert _pending(alone) == [("warning", "messenger")]


@pytest.mark.usefixtures("forks")
def test_commands_work_beside_a_running_service(khachquen: Line, database_url: str, alone: Path) -> None:
    port = demo.free_port(21_000)
    with _serving(database_url, alone, "serve", port):
        key = khachquen("key", "create", "POS", "--json").json["key"]
        assert _status(f"http://127.0.0.1:{port}/api/v1/customers", key) == 200
        assert khachquen("waiting").status == 0
        khachquen("key", "revoke", key.split("_")[1])
        assert _status(f"http://127.0.0.1:{port}/api/v1/customers", key) == 401


@pytest.mark.usefixtures("forks")
def test_a_second_service_on_the_same_file_ends_at_once_and_has_changed_nothing(lite: Line, alone: Path) -> None:
    url = f"sqlite:///{alone}/new.db"
    port = demo.free_port(23_000)
    (alone / "shortcut.db").symlink_to("new.db")
    with _serving(url, alone, "serve", port):
        with transaction(url) as session:
            being_sent = {"state": "sending", "lease_owner": "the first", "lease_until": NOW + timedelta(days=1)}
            queue(session, message(person(session), **being_sent))
        for name in ("new.db", "shortcut.db"):
            lite.set(DATABASE_URL=f"sqlite:///{name}")
            said = lite("serve", "--port", str(port)).refused()
            assert f"another khachquen serve is running on {alone}/new.db: stop that one first" in said
        assert lite("key", "create", "POS").status == 0
        with transaction(url) as session:
            assert outbox_rows.totals(session).unknown == 0
    with _serving(url, alone, "serve", port), transaction(url) as session:
        assert outbox_rows.totals(session).unknown == 1, "the next one takes over"


def test_a_service_whose_writer_dies_ends_for_its_supervisor_to_start_it_again(lite: Line, alone: Path) -> None:
    """The thread is ended from outside, as nothing of ours ends it."""
    script = """
import ctypes, sys, threading, time, main
def end_it():
    while not (found := [each for each in threading.enumerate() if each.name.startswith("writer")]):
        time.sleep(0.1)
    time.sleep(1)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(found[0].ident), ctypes.py_object(SystemExit))
threading.Thread(target=end_it, daemon=True).start()
sys.exit(main.main(["serve", "--port", sys.argv[1]]))
"""
    settings = environment(DATABASE_URL=f"sqlite:///{alone}/new.db", SECRET_KEY=SECRET, PYTHONPATH=str(MAIN.parent))
    ended = subprocess.run(
        [sys.executable, "-c", script, str(demo.free_port(24_000))],
        cwd=alone, env=settings, text=True, capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "a writer of the database died; all that waits for it fails" in ended.stderr
    assert "Traceback" not in ended.stderr.splitlines()[-1]
    assert ended.stderr.splitlines()[-1].startswith("khachquen: a writer of the database died")


@pytest.mark.usefixtures("forks")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_on_postgresql_the_two_halves_run_beside_each_other(database_url: str, alone: Path) -> None:
    port = demo.free_port(22_000)
    with _serving(database_url, alone, "web", port):
        assert _status(f"http://127.0.0.1:{port}/api/v1/customers") == 401
        (alone / "worker").mkdir()
        second = demo.free_port(port + 1)
        with _serving(database_url, alone / "worker", "worker", second):
            assert _status(f"http://127.0.0.1:{second}/readyz") == 200
            assert _status(f"http://127.0.0.1:{second}/webhooks/zalo") == 404
    assert (_pending(alone), _pending(alone / "worker")) == ([("warning", "zalo"), ("warning", "messenger")], [])


# --- key ------------------------------------------------------------------------------------------------------------


def test_a_key_is_made_listed_without_its_secret_and_revoked(khachquen: Line, database_url: str) -> None:
    key = khachquen("key", "create", "Máy bán hàng", "--json").json["key"]
    prefix = key.split("_")[1]
    with transaction(database_url) as session:
        assert keys.stands(session, key)
    (listed,) = khachquen("key", "list", "--json").json
    assert (listed["prefix"], listed["name"], listed["revoked_at"]) == (prefix, "Máy bán hàng", None)
    assert key.split("_", 2)[2] not in khachquen("key", "list").out
    assert khachquen("key", "revoke", prefix).status == 0
    with transaction(database_url) as session:
        assert not keys.stands(session, key)
    assert "revoked" in khachquen("key", "list").out
    assert prefix in khachquen("key", "revoke", prefix).refused()


def test_a_key_needs_a_name(lite: Line) -> None:
    assert "1 to 100 characters" in lite("key", "create", " ").refused()


def test_times_are_shown_in_the_shops_timezone(lite: Line) -> None:
    lite.set(TIMEZONE="Pacific/Kiritimati")
    lite("key", "create", "kassa")
    (listed,) = lite("key", "list", "--json").json
    made = datetime.fromisoformat(listed["created_at"])
    assert made.utcoffset() == timedelta(hours=14)
    assert f"{made:%d/%m/%Y %H:%M}" in lite("key", "list").out


# --- account --------------------------------------------------------------------------------------------------------


def test_an_account_is_added_from_files_and_its_token_is_never_shown(
    khachquen: Line, database_url: str, alone: Path
) -> None:
    (alone / "access").write_text(TOKEN + "\n")
    (alone / "refresh").write_text("refresh-token-1234567890\n")
    files = ("--access-token-file", str(alone / "access"), "--refresh-token-file", str(alone / "refresh"))
    said = [
        khachquen("account", "add", "zalo", "77", *files),
        khachquen("account", "token", "zalo", "77"),
        khachquen("account", "token", "zalo", "77", "--json"),
        khachquen("account", "list", "--json"),
    ]
    assert [each.status for each in said] == [0] * 4
    assert not any(TOKEN in each.out + each.err or "refresh-token" in each.out for each in said)
    assert said[2].json["access_token"] == "…9f3a"
    assert said[2].json["age_days"] == 0
    assert (said[3].json[0]["account_id"], said[3].json[0]["connected"]) == ("77", True)
    with transaction(database_url) as session:
        view = accounts.find(session, "zalo", "77")
        assert view is not None
        assert TOKEN not in view.access_token
        assert Sealer(SECRET).open(view.access_token) == TOKEN
        assert Sealer(SECRET).open(view.refresh_token) == "refresh-token-1234567890"


def test_new_tokens_from_standard_input_free_a_held_account(khachquen: Line, database_url: str) -> None:
    khachquen("account", "add", "messenger", "88", "--from-stdin", stdin="old-token-old-token\n")
    with transaction(database_url) as session:
        view = accounts.find(session, "messenger", "88")
        assert view is not None
        accounts.change(session, view.id, held="the token died")
        alarms.ring(session, "token_dead", "messenger:88", "Connect it again.", NOW)
    assert "held           the token died" in khachquen("account", "token", "messenger", "88").out
    khachquen("account", "add", "messenger", "88", "--from-stdin", stdin=f"{TOKEN}\nrefresh-token\n")
    with transaction(database_url) as session:
        view = accounts.find(session, "messenger", "88")
        assert view is not None
        assert view.held == ""
        assert alarms.unsolved(session) == []
        assert Sealer(SECRET).open(view.refresh_token) == "refresh-token"


def test_an_accounts_token_says_when_it_expires_where_the_platform_told(khachquen: Line, database_url: str) -> None:
    khachquen("account", "add", "zalo", "77", "--from-stdin", stdin=TOKEN)
    assert khachquen("account", "token", "zalo", "77", "--json").json["expires_at"] is None
    with transaction(database_url) as session:
        view = accounts.find(session, "zalo", "77")
        assert view is not None
        accounts.change(session, view.id, access_expires_at=datetime(2026, 11, 24, 4, 0, tzinfo=UTC))
    assert khachquen("account", "token", "zalo", "77", "--json").json["expires_at"] == "2026-11-24T11:00:00+07:00"
    assert "expires        24/11/2026 11:00" in khachquen("account", "token", "zalo", "77").out
    khachquen("account", "remove", "zalo", "77")
    assert khachquen("account", "token", "zalo", "77", "--json").json["expires_at"] is None


def test_a_removed_account_has_no_token_any_more(lite: Line) -> None:
    lite("account", "add", "zalo", "77", "--from-stdin", stdin=TOKEN)
    assert lite("account", "remove", "zalo", "77").status == 0
    assert lite("account", "token", "zalo", "77", "--json").json["access_token"] == ""
    lite.set(ZALO_OA_ID="77")
    assert "it stays removed until its tokens there are replaced" in lite("account", "remove", "zalo", "77").out


def test_a_removed_account_rings_no_more_and_says_what_becomes_of_its_messages(
    khachquen: Line, database_url: str
) -> None:
    khachquen("account", "add", "zalo", "77", "--from-stdin", stdin=TOKEN)
    with transaction(database_url) as session:
        alarms.ring(session, "token_dead", "zalo:77", "Connect it again.", NOW)
        alarms.ring(session, "token_dead", "zalo:78", "Connect it again.", NOW)
    assert "what waits to be sent is given up" in khachquen("account", "remove", "zalo", "77").out
    with transaction(database_url) as session:
        assert [alarm.subject for alarm in alarms.unsolved(session)] == ["zalo:78"]


def test_a_token_that_was_sealed_with_another_key_is_said_in_words(lite: Line) -> None:
    lite("account", "add", "zalo", "77", "--from-stdin", stdin=TOKEN)
    lite.set(SECRET_KEY="quite another secret key")
    assert "SECRET_KEY differs" in lite("account", "token", "zalo", "77").refused()


@pytest.mark.parametrize("stdin", ["", "\n\n", "short", "two words are no token"])
def test_what_is_no_token_is_not_kept(stdin: str, lite: Line) -> None:
    assert "no access token" in lite("account", "add", "zalo", "77", "--from-stdin", stdin=stdin).refused()
    assert lite("account", "list", "--json").json == []


def test_a_token_file_that_is_missing_is_named(lite: Line) -> None:
    assert "no-such-file" in lite("account", "add", "zalo", "77", "--access-token-file", "no-such-file").refused()


def test_accounts_that_cannot_be_are_refused(lite: Line) -> None:
    assert "no id" in lite("account", "add", "zalo", "a b", "--from-stdin", stdin=TOKEN).refused()
    assert "no account 78 is known" in lite("account", "token", "zalo", "78").refused()
    assert "no account 78 is known" in lite("account", "remove", "zalo", "78").refused()


APP = {"ZALO_APP_ID": "1", "ZALO_APP_SECRET": "s"}


def test_an_oa_is_connected_in_a_browser_only_where_the_way_back_is_safe(lite: Line) -> None:
    assert "ZALO_APP_ID and ZALO_APP_SECRET must be set first" in lite("account", "add", "zalo").refused()
    lite.set(**APP)
    assert "PUBLIC_URL must be set first" in lite("account", "add", "zalo").refused()
    for url in ("http://shop.example", "shop.example", "https://", "https://shop.example/?x=1", "ftp://localhost", "["):
        lite.set(PUBLIC_URL=url)
        assert "PUBLIC_URL must be an address such as" in lite("account", "add", "zalo").refused()
    for url in ("https://shop.example/", "https://shop.example/crm", "http://localhost:8080", "http://127.0.0.1:8080"):
        lite.set(PUBLIC_URL=url)
        told = lite("account", "add", "zalo", "--no-wait")
        assert told.status == 0
        assert f"{url.rstrip('/')}/connect/zalo must be saved" in told.out
        assert told.out.startswith("https://oauth.zaloapp.com/v4/oa/permission?app_id=1&redirect_uri=")


def test_the_address_for_the_browser_is_told_to_programs_without_waiting(khachquen: Line) -> None:
    khachquen.set(**APP, PUBLIC_URL="https://shop.example")
    told = khachquen("account", "add", "zalo", "--json").json
    assert told["callback"] == "https://shop.example/connect/zalo"
    assert "state=" in told["address"] and "code_challenge=" in told["address"]


def test_a_person_without_a_token_or_an_app_connects_no_page(lite: Line, alone: Path) -> None:
    lite.set(MESSENGER_APP_ID="1", MESSENGER_APP_SECRET="s")
    (alone / "empty").write_text("\n")
    (alone / "token").write_text(TOKEN)
    assert "no user token" in lite("account", "add", "messenger", "--user-token-file", "empty").refused()
    said = lite("account", "add", "messenger", "--user-token-file", "token").refused()
    assert "Facebook could not be asked for the Pages" in said and "Nothing was connected" in said
    assert lite("account", "list", "--json").json == []


# --- dead -----------------------------------------------------------------------------------------------------------


def _bury_event(url: str, key: str, body: bytes | None = b"{}") -> int:
    with transaction(url) as session:
        inbox.accept(session.connection(), [Arrival("zalo", "9", "1", key, NOW, NOW, body or b"", "not understood")])
        event = inbox.dead(session)[0].id
        if body is None:
            inbox.purge_bodies(session, NOW + timedelta(days=1), 0, 100)
        return event


def test_a_given_up_event_is_listed_and_replayed_once(khachquen: Line, database_url: str) -> None:
    event = _bury_event(database_url, "a")
    (listed,) = khachquen("dead", "list", "--json").json
    assert (listed["id"], listed["kind"], listed["error"]) == (event, "event", "not understood")
    assert str(event) in khachquen("dead", "list").out
    replayed = khachquen("dead", "replay", str(event), "--json")
    assert replayed.status == 0
    assert replayed.json["again"]["event"] == [event]
    assert khachquen("dead", "list").out == "Nothing was given up.\n"
    with transaction(database_url) as session:
        assert len(inbox.take(session, datetime.now(UTC), 10)) == 1
    again = khachquen("dead", "replay", str(event))
    assert again.status == 1
    assert f"{event}: nothing that was given up has this id" in again.out


def test_the_list_shows_to_its_end_why_a_message_was_given_up(khachquen: Line, database_url: str) -> None:
    longest = max((error(*code, 400, detail="A" * 40) for code in FAULTS), key=lambda error: len(str(error)))
    with transaction(database_url) as session:
        (reply,) = queue(session, message(person(session)))
        outbox_rows.give_up(session, {reply: str(longest)})
    assert khachquen("dead", "list").out.rstrip().endswith(str(longest))
    assert khachquen("dead", "list", "--json").json[0]["error"] == str(longest)


def test_replaying_all_leaves_what_cannot_or_must_not_be_replayed(khachquen: Line, database_url: str) -> None:
    gone, whole = _bury_event(database_url, "gone", None), _bury_event(database_url, "whole")
    with transaction(database_url) as session:
        care, reply = queue(
            session, message(person(session), purpose="care", priority=5), message(person(session, "2"))
        )
        outbox_rows.give_up(session, {care: "unknown", reply: "refused"})
    done = khachquen("dead", "replay", "--all")
    assert done.status == 1
    assert "2 will be tried again." in done.out
    assert f"event {gone} stays: its body is gone" in done.out
    assert f"message {care} stays: care and broadcasts may have gone out already: add --force" in done.out
    assert {row["id"] for row in khachquen("dead", "list", "--json").json} == {gone, care}
    forced = khachquen("dead", "replay", str(care), "--force", "--json")
    assert (forced.status, forced.json["again"]["message"]) == (0, [care])
    assert whole not in {row["id"] for row in khachquen("dead", "list", "--json").json}


def test_a_replay_must_be_told_of_what(lite: Line) -> None:
    assert "or say --all" in lite("dead", "replay").refused()
    assert "or say --all" in lite("dead", "replay", "1", "--all").refused()
    assert lite("dead", "replay", "--all").out == "Nothing is tried again.\n"


# --- waiting --------------------------------------------------------------------------------------------------------


def _waits(url: str, user_id: str, minutes: int, text: str, holder: str = "staff") -> None:
    with transaction(url) as session:
        identity = person(session, user_id)
        since = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=minutes)
        state = {"id": identity, "holder": holder, "handed_over_at": since, "waiting_since": since}
        conversations.set_conversations(session, [state])
        said = outbox.line(conversation_id=identity, author="customer", text=text, at=since)
        ours = outbox.line(conversation_id=identity, author="bot", text="Mình đã chuyển cho nhân viên.", at=since)
        transcripts.add_messages(session, [said, ours])


def test_who_waits_is_listed_the_longest_first(khachquen: Line, database_url: str) -> None:
    assert khachquen("waiting").out == "Nobody waits.\n"
    _waits(database_url, "1", 5, "alo shop")
    _waits(database_url, "2", 90, "đơn\ncủa tôi " + "rất lâu " * 40)
    first, second = khachquen("waiting", "--json").json
    assert (first["minutes"], second["minutes"]) == (90, 5)
    assert second["line"] == "alo shop"
    assert len(first["line"]) == 60
    assert first["line"].startswith("đơn của tôi rất lâu")
    waited = datetime.now(UTC) - datetime.fromisoformat(first["since"])
    assert timedelta(minutes=90) <= waited < timedelta(minutes=91)
    lines = khachquen("waiting").out.splitlines()
    assert lines[0].startswith("khách  zalo")
    assert "90 min" in lines[0]


def test_who_is_answered_elsewhere_is_listed_so(khachquen: Line, database_url: str) -> None:
    _waits(database_url, "1", 5, "alo shop", holder="elsewhere")
    (found,) = khachquen("waiting", "--json").json
    assert (found["held_by"], found["line"]) == ("elsewhere", "alo shop")
    assert "alo shop [handled elsewhere" in khachquen("waiting").out


# --- ticket ---------------------------------------------------------------------------------------------------------


def _asks_for_help(url: str, user_id: str, words: str) -> int:
    with transaction(url) as session:
        identity = person(session, user_id)
        found = customers.person(session, identity)
        assert found is not None
        number = tickets.open(session, found.customer_id, identity, words, NOW, POLICY)
        tickets.attach(session, number, "https://example.org/cup.jpg", f"m{user_id}", NOW)
        return number


def test_support_requests_are_listed_shown_and_ended(khachquen: Line, database_url: str) -> None:
    assert khachquen("ticket", "list").out == "No support request waits.\n"
    first = _asks_for_help(database_url, "1", "ly bị vỡ\nkhi giao " + "hu hu " * 40)
    second = _asks_for_help(database_url, "2", "giao thiếu món")
    assert [each["number"] for each in khachquen("ticket", "list", "--json").json] == [first, second]
    assert [each["number"] for each in khachquen("ticket", "list", "--json", "--most", "1").json] == [first]
    assert khachquen("ticket", "list").out.startswith(f"T{first}  khách")
    shown = khachquen("ticket", "show", f"T{first}").out
    assert "khi giao" in shown
    assert shown.endswith("photo not copied yet: https://example.org/cup.jpg\n")
    assert "it lacks: its cause" in khachquen("ticket", "close", str(first)).refused()
    assert khachquen("ticket", "close", str(first), "--cause", "gói hàng ẩu").out == f"T{first} is closed.\n"
    assert khachquen("ticket", "close", str(first)).out == f"T{first} is closed already.\n"
    assert "cause: gói hàng ẩu" in khachquen("ticket", "show", str(first)).out
    assert khachquen("ticket", "answer", str(second), "--json").json == {"ticket": second, "changed": True}
    assert khachquen("ticket", "list").out == "No support request waits.\n"
    assert khachquen("ticket", "reopen", f"#{first}").out == f"T{first} is open again.\n"
    assert [each["number"] for each in khachquen("ticket", "list", "--json").json] == [first]


def test_support_requests_are_sorted_and_corrected_by_one_key(khachquen: Line, database_url: str) -> None:
    first = _asks_for_help(database_url, "1", "ly bị vỡ")
    second = _asks_for_help(database_url, "2", "giao thiếu món")
    assert khachquen("ticket", "category", f"T{first}", "3").out == f"T{first} is about delivery.\n"
    assert "There is no category '9'; there are: 1 damaged" in khachquen("ticket", "category", "1", "9").refused()
    assert khachquen("ticket", "priority", str(second), "urgent").out == f"T{second} is of urgent priority.\n"
    by_due = khachquen("ticket", "list", "--by", "due", "--json").json
    assert [(each["number"], each["priority"], each["category"]) for each in by_due] == [
        (second, "urgent", "wrong"), (first, "normal", "delivery"),
    ]  # fmt: skip
    assert by_due[0]["answer_by"] < by_due[1]["answer_by"] < by_due[0]["end_by"]
    for option, value, number in (("--priority", "normal", first), ("--category", "2", second)):
        assert [each["number"] for each in khachquen("ticket", "list", option, value, "--json").json] == [number]
    assert "normal priority  delivery  answer by" in khachquen("ticket", "show", str(first)).out


def test_whose_request_was_answered_or_closed_is_no_longer_listed_as_waiting(
    khachquen: Line, database_url: str
) -> None:
    for number, action in enumerate(("answer", "close"), 1):
        ticket = _asks_for_help(database_url, str(number), "ly bị vỡ")
        with transaction(database_url) as session:
            found = tickets.find(session, ticket)
            conversations.set_conversations(session, [{"id": found.conversation_id, "waiting_since": NOW}])
        assert len(khachquen("waiting", "--json").json) == 1
        khachquen("ticket", action, str(ticket), *(["--cause", "rơi vỡ"] if action == "close" else []))
        assert khachquen("waiting").out == "Nobody waits.\n"


def test_a_support_request_that_is_not_there_is_said_so(khachquen: Line) -> None:
    for action in ("show", "answer", "close", "reopen"):
        assert "There is no ticket T7." in khachquen("ticket", action, "7").refused()


# --- understand -----------------------------------------------------------------------------------------------------


def test_each_text_is_understood_on_a_line_of_its_own(line: Line) -> None:
    found = [
        json.loads(each) for each in line("understand", "--jsonl", stdin="xem điểm\n\nđơn DH123 đâu\n").out.splitlines()
    ]
    assert [set(each) for each in found] == [{"text", "intent", "confidence", "slots"}] * 3
    assert [each["text"] for each in found] == ["xem điểm", "", "đơn DH123 đâu"]
    assert [each["intent"] for each in found] == ["loyalty.balance", "", "order.status"]
    assert found[2]["slots"] == {"order_code": "DH123"}
    assert line("understand", stdin="xem điểm").out == "1.00 loyalty.balance\n"


def test_texts_are_answered_as_they_come(alone: Path) -> None:
    with subprocess.Popen(
        [sys.executable, str(MAIN), "understand", "--jsonl"],
        cwd=alone, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        for text in ("xem điểm", "\ud83d\udc4d".encode("utf-16", "surrogatepass").decode("utf-16")):
            process.stdin.write(f"{text}\n".encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["text"] == text
        process.stdin.write(b"\xff\xfe broken\n")
        process.stdin.flush()
        assert "broken" in json.loads(process.stdout.readline())["text"]
        process.stdin.close()
        assert process.wait(10) == 0


# --- doctor ---------------------------------------------------------------------------------------------------------

WHOLE = {
    "PUBLIC_URL": "https://shop.example", "BRAND_NAME": "Mây Trưa", "ZALO_APP_ID": "1", "ZALO_APP_SECRET": "s",
    "ZALO_OA_ID": "77", "ZALO_OA_SECRET_KEY": "k", "ZALO_ACCESS_TOKEN": "t",
}  # fmt: skip


def _mend(line: Line) -> str:
    """What the doctor says must be mended, as one text."""
    told = line("doctor", "--offline", "--json")
    assert told.status == 1
    assert told.json["ok"] is False
    found = [f"{each['words']} {each['remedy']}" for each in told.json["findings"] if each["state"] == "mend"]
    assert found
    return "\n".join(found)


def test_the_doctor_finds_nothing_to_mend_in_a_healthy_shop(khachquen: Line) -> None:
    khachquen.set(**WHOLE)
    told = khachquen("doctor", "--offline", "--json")
    assert (told.status, told.json["ok"]) == (0, True), told.out
    areas = {each["area"] for each in told.json["findings"]}
    assert areas - {"backup"} == {"settings", "channels", "database", "clock", "queues", "disk"}
    assert "MEND" not in khachquen("doctor", "--offline").out


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ("", "OPENING_HOURS is not set"),
        ("giờ hành chính", "not understood: the shop counts as always open"),
        ("T2-T7 8:00-12:00 13:30-21:00; CN 9h-18h", "OPENING_HOURS is understood: 78 hours a week."),
    ],
)
def test_the_doctor_says_how_the_opening_hours_are_understood(lite: Line, hours: str, said: str) -> None:
    lite.set(**WHOLE, OPENING_HOURS=hours)
    told = lite("doctor", "--offline")
    assert (told.status, said in told.out) == (0, True), told.out


def test_the_doctor_looks_on_where_there_is_nothing_at_all(line: Line) -> None:
    line.set(SECRET_KEY="")
    said = _mend(line)
    assert "SECRET_KEY is missing" in said
    assert "ZALO_APP_ID is not set" in said
    assert "khachquen migrate" in said
    assert line("doctor", "--offline").out.startswith("MEND  ")


def test_the_doctor_names_the_next_thing_to_fetch(lite: Line) -> None:
    lite.set(**{**WHOLE, "ZALO_OA_SECRET_KEY": ""})
    said = _mend(lite)
    assert "ZALO_OA_SECRET_KEY is not set. Zalo shows this key only after it accepted the running address" in said
    assert "https://shop.example/webhooks/zalo" in said
    assert "messenger" not in said


def test_the_doctor_says_how_the_first_account_is_connected(lite: Line) -> None:
    keys = {"MESSENGER_APP_ID": "1", "MESSENGER_APP_SECRET": "s", "MESSENGER_VERIFY_TOKEN": "v"}
    lite.set(**{**WHOLE, "ZALO_OA_ID": "", "ZALO_ACCESS_TOKEN": ""}, **keys)
    said = _mend(lite)
    assert "No account is connected on zalo yet. Whoever runs the server does: khachquen account add zalo;" in said
    assert "khachquen account add messenger --user-token-file FILE" in said
    lite("account", "add", "zalo", "77", "--from-stdin", stdin=f"{TOKEN}\nrefresh-token\n")
    assert "on zalo yet" not in _mend(lite)


def test_the_doctor_says_why_the_database_cannot_be_reached(line: Line) -> None:
    line.set(DATABASE_URL="postgresql+psycopg://user:hush@127.0.0.1:1/name", **WHOLE)
    said = _mend(line)
    assert "PostgreSQL does not answer" in said
    assert "hush" not in said


def test_the_doctor_finds_what_was_given_up_what_waits_and_what_rings(khachquen: Line, database_url: str) -> None:
    khachquen.set(**WHOLE)
    _bury_event(database_url, "a")
    with transaction(database_url) as session:
        old = datetime.now(UTC) - timedelta(minutes=5)
        inbox.accept(session.connection(), [Arrival("zalo", "77", "1", "k", old, old, b"{}", "")])
        alarms.ring(session, "customer_waits", "1", "A customer waits.", NOW)
    said = _mend(khachquen)
    assert "1 rows were given up. khachquen dead list says why" in said
    assert "The oldest event waits for 5 min. Is khachquen serve running?" in said
    assert "A customer waits. (since " in said


def test_the_doctor_tells_of_messages_that_are_tried_in_vain(khachquen: Line, database_url: str) -> None:
    khachquen.set(**WHOLE)
    with transaction(database_url) as session:
        later, error = NOW + timedelta(hours=1), "connect: Zalo could not be reached: it is tried again by itself."
        for who in "12":
            queue(session, message(person(session, who), ready=later, attempts=3, error=error))
        queue(session, message(person(session, "3"), ready=later))
    said = _mend(khachquen)
    assert f"2 messages of zalo {ACCOUNT} could not be sent so far. They are tried again. {error}" in said


def test_catching_up_is_asked_for_and_told_of(khachquen: Line, database_url: str) -> None:
    khachquen.set(**WHOLE)
    for channel, account_id in (("zalo", "77"), ("messenger", "88")):
        khachquen("account", "add", channel, account_id, "--from-stdin", stdin=f"{TOKEN}\nrefresh-token\n")
    asked = khachquen("catchup", "zalo", "77", "--since", "90m", "--json").json
    assert [(each["channel"], each["account_id"]) for each in asked] == [("zalo", "77")]
    assert timedelta(minutes=89) < datetime.now(UTC) - datetime.fromisoformat(asked[0]["since"]) < timedelta(minutes=93)
    assert "The running service reads it now" in khachquen("catchup").out
    with transaction(database_url) as session:
        assert [job.kind for job in jobs.lease(session, "us", datetime.now(UTC), NOW, 9)] == ["catchup"] * 2
    said = khachquen("doctor", "--offline").out
    assert "What zalo 77 was told since" in said and "0 calls so far" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("zalo",), "name the account, too"), (("zalo", "99"), "no account 99 is connected on zalo"), ((), "no account")],
)
def test_catching_up_with_nobody_is_refused(lite: Line, arguments: tuple[str, ...], words: str) -> None:
    assert words in lite("catchup", *arguments).refused()


@pytest.mark.parametrize("since", ["", "3", "0h", "h", "-1h", "8d", "3 h", "9999999d"])
def test_a_span_that_is_none_is_refused(lite: Line, since: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        lite("catchup", f"--since={since}")
    assert ended.value.code == 2
    assert "is no time such as" in capsys.readouterr().err


def test_the_doctor_warns_of_an_api_key_that_might_be_guessed(lite: Line) -> None:
    lite.set(**WHOLE, API_KEY="twenty-four letters now!")
    assert "API_KEY" not in lite("doctor", "--offline").out
    lite.set(**WHOLE, API_KEY="guessable")
    said = _mend(lite)
    assert "API_KEY is shorter than 24 characters" in said
    assert "guessable" not in said


def test_the_doctor_looks_at_every_token(lite: Line, alone: Path) -> None:
    lite.set(**WHOLE)
    lite("account", "add", "zalo", "77", "--from-stdin", stdin=TOKEN)
    lite("account", "add", "zalo", "78", "--from-stdin", stdin=f"{TOKEN}\nrefresh-token\n")
    lite("account", "add", "messenger", "88", "--from-stdin", stdin=TOKEN)
    with transaction(f"sqlite:///{alone}/new.db") as session:
        for view in accounts.everyone(session):
            accounts.change(session, view.id, refreshed_at=NOW - timedelta(days=3))
        held = accounts.find(session, "messenger", "88")
        assert held is not None
        accounts.change(session, held.id, held="the Page took the right away")
    said = _mend(lite)
    assert "zalo 77 has no refresh token" in said
    assert "The token of zalo 78 is 72 h old, can be renewed for 87 days." in said
    assert "messenger 88 is held: the Page took the right away" in said
    lite.set(SECRET_KEY="quite another secret key")
    assert "was sealed with another SECRET_KEY" in _mend(lite)


def test_the_doctor_tells_what_the_platforms_said_last_and_how_long_ago(lite: Line, alone: Path) -> None:
    lite("account", "add", "zalo", ACCOUNT, "--from-stdin", stdin=f"{TOKEN}\n{TOKEN}2\n")
    assert "Nobody asked yet" in lite("doctor", "--offline").out
    with transaction(f"sqlite:///{alone}/new.db") as session:
        view = accounts.find(session, "zalo", ACCOUNT)
        assert view is not None
        accounts.note_checkup(session, view, "Tiệm Lá", '{"verified": true}', NOW - timedelta(hours=30))
    found = [each for each in lite("doctor", "--offline", "--json").json["findings"] if each["area"] == "accounts"]
    assert [(each["state"], each["words"]) for each in found] == [("note", f"zalo {ACCOUNT} 30 h ago: verified: yes.")]
    assert f"khachquen account check zalo {ACCOUNT}" in found[0]["remedy"]
    listed = lite("account", "list", "--json").json[0]
    assert (listed["name"], listed["facts"]) == ("Tiệm Lá", {"verified": True})
    assert listed["checked_at"]


def test_the_doctor_knows_how_old_the_last_backup_is(lite: Line, alone: Path) -> None:
    assert "No backup was made of this database yet." in lite("doctor", "--offline").out
    assert lite("backup", str(alone / "one.tar.gz")).status == 0
    assert "The last backup is 0 h old." in lite("doctor", "--offline").out
    with transaction(f"sqlite:///{alone}/new.db") as session:
        marks.done(session, marks.BACKUP, NOW - timedelta(hours=60))
    found = [each for each in lite("doctor", "--offline", "--json").json["findings"] if each["area"] == "backup"]
    assert [(each["state"], each["words"]) for each in found] == [("note", "The last backup is 60 h old.")]


def test_an_account_that_is_not_there_cannot_be_checked(lite: Line) -> None:
    assert lite("account", "check").out == "No account is connected.\n"
    assert "account list" in lite("account", "check", "zalo", "404").refused()


def test_the_doctor_notices_a_clock_that_went_back(khachquen: Line, database_url: str) -> None:
    khachquen.set(**WHOLE)
    with transaction(database_url) as session:
        ahead = NOW + timedelta(hours=1)
        inbox.accept(session.connection(), [Arrival("zalo", "77", "1", "k", ahead, ahead, b"{}", "")])
    assert "clock is behind" in _mend(khachquen)


def test_staff_are_added_paired_changed_and_ended(khachquen: Line) -> None:
    added = khachquen("staff", "add", " Lê  Minh ", "--json").json
    assert added == {"name": "Lê Minh", "role": "agent"}
    assert "There is a le minh already" in khachquen("staff", "add", "le minh").refused()
    code = khachquen("staff", "pair", "minh", "--json").json["code"]
    assert re.fullmatch(r"NV-[2-9A-Z]{5}-[2-9A-Z]{5}", code)
    assert khachquen("staff", "role", "minh", "lead").out == "Lê Minh is lead now, was agent.\n"
    assert khachquen("staff", "pin", "minh", stdin="271828\n").status == 0
    assert "4 to 8 digits" in khachquen("staff", "pin", "minh", stdin="12\n").refused()
    (listed,) = khachquen("staff", "list", "--json").json
    assert (listed["name"], listed["role"], listed["pin"], listed["chats"]) == ("Lê Minh", "lead", True, [])
    assert khachquen("cmd", "--as", "minh", "/ds").out == "Không có ai.\n"
    assert khachquen("cmd", "--as", "minh", "-", stdin="/ds\n").out == "Không có ai.\n"
    unknown = khachquen("cmd", "--as", "minh", "/xyz", "--json")
    assert (unknown.status, unknown.json["ok"]) == (1, False)
    assert khachquen("staff", "revoke", "minh").status == 0
    assert "no member of staff" in khachquen("cmd", "--as", "minh", "/ds").refused()
    assert "revoked" in khachquen("staff", "list").out
