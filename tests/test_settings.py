"""Settings: read from the environment over a file over defaults, refused in words, never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import Field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dotenv import dotenv_values

from bot.settings import BadSetting, Settings

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / ".env.example"
ROOMS = ("bot", "crm", "handlers", "storage", "web", "main.py")


def test_the_example_names_every_setting_and_no_other() -> None:
    assert sorted(dotenv_values(EXAMPLE)) == sorted(field.name.upper() for field in fields(Settings))


def test_the_example_shows_the_defaults() -> None:
    assert Settings.from_env(EXAMPLE, {}) == Settings()


def test_the_example_and_the_docs_call_unused_what_nothing_reads() -> None:
    sources = [path for room in ROOMS for path in [ROOT / room, *(ROOT / room).rglob("*.py")] if path.is_file()]
    code = "\n".join(path.read_text("utf-8") for path in sources if path.name != "settings.py")
    unread = {each.name.upper() for each in fields(Settings) if not re.search(rf"\.{each.name}\b", code)}
    assert set(called_unused()) == unread
    told = re.findall(
        r"^\| (.+?) \|.*nothing uses it yet", (ROOT / "docs/settings.md").read_text("utf-8"), re.MULTILINE
    )
    assert set(re.findall(r"`(\w+)`", " ".join(told))) == unread


def called_unused() -> Iterator[str]:
    """The settings under a comment of the example that says so."""
    comment = ""
    for line in EXAMPLE.read_text("utf-8").splitlines():
        if line.startswith("#"):
            comment += line
        elif "not used yet" in comment and "=" in line:
            yield line.partition("=")[0]
            comment = ""
        else:
            comment = ""


def test_the_environment_goes_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("PORT=9000\nBRAND_NAME=Tiệm Mộc\n", "utf-8")
    settings = Settings.from_env(file, {"PORT": "9001"})
    assert (settings.port, settings.brand_name, settings.host) == (9001, "Tiệm Mộc", "127.0.0.1")


def test_an_empty_or_blank_value_means_the_default() -> None:
    assert Settings.from_env(None, {"PORT": "", "LOCALE": "  "}) == Settings()


def test_a_missing_file_is_no_problem(tmp_path: Path) -> None:
    assert Settings.from_env(tmp_path / "none", {}) == Settings()


def test_all_problems_are_told_at_once() -> None:
    given = {"PORT": "eighty", "TIMEZONE": "Asia/Nowhere", "LOCALE": "fr", "RAW_BODY_DAYS": "-1"}
    with pytest.raises(BadSetting) as refused:
        Settings.from_env(None, given)
    assert all(name in str(refused.value) for name in given)


@pytest.mark.parametrize("key", ["", "short", "fifteen letters"])
def test_a_missing_or_short_secret_key_is_refused(key: str) -> None:
    with pytest.raises(BadSetting, match="SECRET_KEY"):
        Settings(secret_key=key).require_secret()


def test_a_long_enough_secret_key_is_taken() -> None:
    assert Settings(secret_key="sixteen letters!").require_secret() == "sixteen letters!"


@pytest.mark.parametrize(("port", "why"), [("abc", "is not a whole number"), ("-1", "is not a"), ("70000", "no port")])
def test_a_port_that_is_none_is_said_in_words(port: str, why: str) -> None:
    with pytest.raises(BadSetting, match=f"PORT: '{port}' .*{why}"):
        Settings.from_env(None, {"PORT": port})


@pytest.mark.parametrize("name", ["RAW_BODY_DAYS", "BROADCAST_LATE_HOURS"])
def test_a_time_beyond_the_calendar_is_refused_and_the_longest_is_within_it(name: str) -> None:
    with pytest.raises(BadSetting, match=f"{name}: .* is too long"):
        Settings.from_env(None, {name: "999999999999"})
    longest = getattr(Settings.from_env(None, {name: "100000"}), name.lower())
    assert datetime.now(UTC) - timedelta(days=longest) < datetime.now(UTC)


def test_secrets_never_show_in_a_repr() -> None:
    hidden = [field.name for field in fields(Settings) if not field.repr]
    given = Settings.from_env(None, {name.upper(): f"planted for the test: {name}" for name in hidden})
    assert given.secret_key == "planted for the test: secret_key"
    assert "planted" not in repr(given)


@pytest.mark.parametrize("field", fields(Settings), ids=lambda field: field.name)
def test_whatever_sounds_secret_is_hidden(field: Field[object]) -> None:
    sounds_secret = any(word in field.name for word in ("secret", "token", "key", "database_url"))
    assert field.repr is not sounds_secret
