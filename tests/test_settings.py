"""Settings: read from the environment over a file over defaults, refused in words, never shown."""

from __future__ import annotations

from dataclasses import Field, fields
from pathlib import Path

import pytest
from dotenv import dotenv_values

from bot.settings import BadSetting, Settings

EXAMPLE = Path(__file__).resolve().parent.parent / ".env.example"


def test_the_example_names_every_setting_and_no_other() -> None:
    assert sorted(dotenv_values(EXAMPLE)) == sorted(field.name.upper() for field in fields(Settings))


def test_the_example_shows_the_defaults() -> None:
    assert Settings.from_env(EXAMPLE, {}) == Settings()


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


def test_secrets_never_show_in_a_repr() -> None:
    hidden = [field.name for field in fields(Settings) if not field.repr]
    given = Settings.from_env(None, {name.upper(): f"planted-{name}" for name in hidden})
    assert given.secret_key == "planted-secret_key"
    assert "planted" not in repr(given)


@pytest.mark.parametrize("field", fields(Settings), ids=lambda field: field.name)
def test_whatever_sounds_secret_is_hidden(field: Field[object]) -> None:
    sounds_secret = any(word in field.name for word in ("secret", "token", "key", "database_url"))
    assert field.repr is not sounds_secret
