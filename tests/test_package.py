"""The built package is whole: whoever installs it has every module, text, word list and file of the chat page."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.demo import BYTECODE

ROOT = Path(__file__).resolve().parent.parent
UV = Path(sys.executable).with_name("uv")
ROOMS = ("bot", "crm", "handlers", "message_templates", "simulator", "storage", "web")
LEFTOVERS = ("__pycache__", ".pyc")


def product() -> set[str]:
    """Every file that a running service or demo may open."""
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file()]
    names = {path.relative_to(ROOT).as_posix() for path in files}
    return {name for name in names if not any(each in name for each in LEFTOVERS)} | {"main.py"}


def test_the_package_is_told_to_hold_every_room_and_the_entry() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = told["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["only-include"]) == {*ROOMS, "main.py"}
    assert told["project"]["scripts"] == {"khachquen": "main:main"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout without a network, unpacked outside of it."""
    folder = tmp_path_factory.mktemp("wheel")
    if not UV.exists():
        pytest.skip("needs the uv that `make setup` puts beside this Python")
    command = [str(UV), "build", "--offline", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    if "hatchling was not found in the cache" in built.stderr:
        pytest.skip("hatchling is not in uv's cache, and there is no network in the tests")
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_every_file_of_the_product(installed: Path) -> None:
    held = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}
    assert product() - held == set()
    assert {name for name in held if ".dist-info/" not in name} - product() == set()


def test_it_works_outside_of_the_checkout(installed: Path, tmp_path: Path) -> None:
    """The schema is made and a text is understood by the installed files alone."""
    told = {
        "PATH": os.defpath,
        "PYTHONPATH": str(installed),
        "PYTHONPYCACHEPREFIX": str(BYTECODE),
        "DATABASE_URL": f"sqlite:///{tmp_path}/shop.db",
        "SECRET_KEY": "a secret key for tests only",
    }
    script = (
        "import sys, main; assert main.__file__.startswith(sys.argv.pop(1)), main.__file__; "
        "assert main.main(['migrate']) == 0; sys.exit(main.main(['understand', '--jsonl']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(installed)],
        cwd=tmp_path,
        env=told,
        input="xem điểm\n",
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"intent": "loyalty.balance"' in done.stdout
    assert (tmp_path / "shop.db").exists()
