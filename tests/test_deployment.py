"""The files to run it with are true: settings, commands, limits, paths and images that they name exist and agree."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.commands.arguments import parser
from bot.settings import Settings
from handlers.webhooks import MAX_BODY

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "docs" / "deploy"
COMPOSED = ("compose.yaml", "compose.postgresql.yaml")
UNITS = sorted(path.name for path in DEPLOY.glob("*.service"))
FILES = ["Dockerfile", ".dockerignore", *COMPOSED, *sorted(path.name for path in DEPLOY.iterdir())]
SETTINGS = {field.name.upper() for field in fields(Settings)}
SECRETS = {field.name.upper() for field in fields(Settings) if not field.repr} - {"DATABASE_URL"}
STOPS_WITHIN_S = 10

Json = dict[str, Any]


def text_of(name: str) -> str:
    path = ROOT / name
    return (path if path.exists() else DEPLOY / name).read_text("utf-8")


def composed(name: str) -> Json:
    found: Json = yaml.safe_load(text_of(name))
    return found


def ours(name: str) -> dict[str, Json]:
    """The services that run our own image."""
    return {each: spec for each, spec in composed(name)["services"].items() if spec["image"] == "khachquen:local"}


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def of_unit(name: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", text_of(name), re.MULTILINE)


def test_the_backup_of_every_night_finds_the_settings_of_the_service() -> None:
    page = (ROOT / "docs" / "operator.md").read_text("utf-8")
    (folder,) = of_unit("khachquen.service", "WorkingDirectory")
    assert (
        f"\nWorkingDirectory={folder}\n" in page
        and f"cd {folder} && nice /opt/khachquen/.venv/bin/khachquen backup" in page
    )
    assert of_unit("khachquen.service", "User") == re.findall(r"^User=(.*)$", page, re.MULTILINE)


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_told_of_in_both_languages(name: str) -> None:
    for page in ("install.md", "cai-dat.vi.md"):
        assert name in (ROOT / "docs" / page).read_text("utf-8")


@pytest.mark.parametrize("page", ["install.md", "upgrade.md", "cai-dat.vi.md"])
def test_the_short_name_of_the_guides_is_used_with_commands_that_exist(page: str) -> None:
    used = re.findall(r"\bkq ([a-z]+)\b", (ROOT / "docs" / page).read_text("utf-8"))
    assert used
    for words in used:
        parser().parse_args([words])


# --- containers ----------------------------------------------------------------------------------------------------


def test_the_image_stands_on_pinned_bases_and_locked_dependencies() -> None:
    text = text_of("Dockerfile")
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", base) for base in bases)
    assert "--require-hashes" in text and "requirements.lock" in text


def test_the_image_runs_without_rights_says_how_it_is_and_holds_no_secret() -> None:
    last = text_of("Dockerfile").rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (\w+)$", last, re.MULTILINE) == ["khachquen"]
    assert re.search(r"^HEALTHCHECK .*\\\n.*/healthz", last, re.MULTILINE)
    named = set(re.findall(r"([A-Z_]+)=", "".join(re.findall(r"^ENV (.*)$", last, re.MULTILINE))))
    assert not named & SECRETS
    assert {"HOST", "PORT", "DATABASE_URL", "DATA_DIR"} <= named


def test_what_the_image_copies_exists_and_reaches_the_builder() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+)$", text_of("Dockerfile"), re.MULTILINE)
    sources = [source for line in copied for source in line.split()[:-1]]
    allowed = [line[1:] for line in text_of(".dockerignore").splitlines() if line.startswith("!")]
    assert sorted(sources) == sorted(allowed)
    assert all((ROOT / source).exists() for source in sources)
    assert "*" in text_of(".dockerignore").splitlines()


def test_the_image_holds_what_the_package_holds() -> None:
    told = re.search(r"^only-include = (\[.*\])$", (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert told
    copied = set(re.findall(r"^COPY (\w+) /app/\1$", text_of("Dockerfile"), re.MULTILINE)) | {"main.py"}
    assert copied == set(yaml.safe_load(told[1]))


@pytest.mark.parametrize("name", COMPOSED)
def test_the_services_name_settings_and_commands_that_exist(name: str) -> None:
    services = ours(name)
    assert "migrate" in services
    for spec in services.values():
        assert set(spec["environment"]) <= SETTINGS
        assert not set(spec["environment"]) & SECRETS
        assert spec["env_file"] == ".env"
        parser().parse_args(spec["command"])


@pytest.mark.parametrize("name", COMPOSED)
def test_only_what_is_set_is_filled_in(name: str) -> None:
    assert set(re.findall(r"\$\{(\w+)", text_of(name))) <= SETTINGS | {"POSTGRES_PASSWORD"}


@pytest.mark.parametrize("name", COMPOSED)
def test_the_schema_is_made_first_and_stopping_has_its_time(name: str) -> None:
    for each, spec in ours(name).items():
        if each == "migrate":
            assert (spec["command"], spec["restart"]) == (["migrate"], "no")
            continue
        assert spec["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert seconds(spec["stop_grace_period"]) > STOPS_WITHIN_S


@pytest.mark.parametrize("name", COMPOSED)
def test_images_are_pinned_and_volumes_networks_and_files_are_there(name: str) -> None:
    found = composed(name)
    for spec in found["services"].values():
        assert spec["image"] == "khachquen:local" or re.fullmatch(r"[a-z]+:\d+\.\d+.*", spec["image"])
        for volume in spec.get("volumes", ()):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in found["volumes"]
        assert set(spec["networks"]) <= set(found["networks"])
    subnet = found["networks"]["inside"]["ipam"]["config"][0]["subnet"]
    assert {spec["environment"]["TRUSTED_PROXIES"] for spec in ours(name).values()} == {subnet}


def test_on_sqlite_there_is_one_service_and_its_file_is_on_the_volume() -> None:
    services = ours("compose.yaml")
    assert sorted(services) == ["app", "migrate"]
    assert composed("compose.yaml")["services"]["caddy"]["environment"]["UPSTREAM"] == "app:8080"
    for spec in services.values():
        assert spec["environment"]["DATABASE_URL"] == "sqlite:////data/khachquen.db"
        assert spec["volumes"] == ["data:/data"]


def test_on_postgresql_there_are_two_of_each_and_the_proxy_asks_every_door() -> None:
    found = composed("compose.postgresql.yaml")["services"]
    commands = [spec["command"][0] for spec in ours("compose.postgresql.yaml").values()]
    assert sorted(commands) == ["migrate", "web", "web", "worker", "worker"]
    doors = [each for each, spec in ours("compose.postgresql.yaml").items() if spec["command"] == ["web"]]
    assert found["caddy"]["environment"]["UPSTREAM"].split() == [f"{door}:8080" for door in doors]


# --- systemd -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", UNITS)
def test_the_commands_of_a_unit_exist(name: str) -> None:
    commands = [*of_unit(name, "ExecStartPre"), *of_unit(name, "ExecStart")]
    assert commands
    for command in commands:
        program, *words = shlex.split(command.replace("%i", "8081"))
        assert program == "/opt/khachquen/.venv/bin/khachquen"
        parser().parse_args(words)


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_confined_keeps_its_state_and_has_time_to_stop(name: str) -> None:
    text = text_of(name)
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "UMask=0077"):
        assert f"\n{line}\n" in text
    assert of_unit(name, "User") == ["khachquen"]
    assert of_unit(name, "StateDirectory") == ["khachquen"]
    assert of_unit(name, "Restart") == ["always"]
    assert int(of_unit(name, "TimeoutStopSec")[0]) > STOPS_WITHIN_S
    assert not re.search("|".join(sorted(SECRETS)), text)


def test_only_the_one_process_on_sqlite_makes_the_schema_itself() -> None:
    making = [name for name in UNITS if any("migrate" in command for command in of_unit(name, "ExecStartPre"))]
    assert making == ["khachquen.service"]
    assert {name for name in UNITS if "%i" in text_of(name)} == {"khachquen-web@.service", "khachquen-worker@.service"}


# --- proxies -------------------------------------------------------------------------------------------------------


def test_the_proxies_take_bodies_as_large_as_the_service_does() -> None:
    assert MAX_BODY == 4 * 1024 * 1024
    assert re.findall(r"max_size (\S+)", text_of("Caddyfile")) == ["4MiB"]
    assert re.findall(r"client_max_body_size (\S+);", text_of("nginx.conf")) == ["4m"]


def test_the_proxies_hide_state_and_figures() -> None:
    assert "@private path /readyz /metrics" in text_of("Caddyfile")
    for path in ("/readyz", "/metrics"):
        assert re.search(rf"location = {path} {{\s+return 403;", text_of("nginx.conf"))


def test_the_proxies_write_the_callers_address_and_pass_every_header() -> None:
    nginx = text_of("nginx.conf")
    assert "underscores_in_headers on;" in nginx
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in nginx
    assert "X-Forwarded-For" not in re.sub(r"#.*", "", text_of("Caddyfile")), "Caddy writes it by itself"
    assert nginx.count("{") == nginx.count("}")


def test_the_proxies_know_the_addresses_of_the_settings() -> None:
    given = Settings()
    here = f"{given.host}:{given.port}"
    assert f"{{$UPSTREAM:{here}}}" in text_of("Caddyfile")
    assert f"server {here};" in text_of("nginx.conf")
    named = set(re.findall(r"\{\$(\w+)", text_of("Caddyfile")))
    assert named == {"PUBLIC_URL", "UPSTREAM"}
    assert all(named <= set(composed(name)["services"]["caddy"]["environment"]) for name in COMPOSED)


def test_no_secret_and_nothing_of_the_owner_goes_into_the_image() -> None:
    patterns = [line for line in text_of(".dockerignore").splitlines() if line.startswith("!")]
    for name in (".env", "data/khachquen.db", ".git/config", "requirements-dev.lock"):
        assert not any(fnmatch(name, pattern[1:]) or name.startswith(f"{pattern[1:]}/") for pattern in patterns)
