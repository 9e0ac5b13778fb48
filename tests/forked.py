"""Processes of the product, forked from one that has imported it already: they are there at once."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path

import main
from storage import migrate

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__, "storage.migrations.run", "tests.trials.tills"])


def ready() -> None:
    """Start what is forked, in the folder and the environment of now."""
    forkserver.ensure_running()


def forked(work: Callable[..., object], *arguments: object) -> BaseProcess:
    """A process that does this and ends; it is killed where it outlives ours."""
    process = FORKS.Process(target=work, args=arguments, daemon=True)
    process.start()
    return process


async def ended(process: BaseProcess) -> None:
    """Wait for a process's end without holding up the loop."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process.sentinel, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(process.sentinel)


def khachquen(*arguments: str, folder: Path, settings: Mapping[str, str], told: Path | str = os.devnull) -> BaseProcess:
    """A command in this folder, with these settings and no others; its errors and log go to the file `told`."""
    return forked(_command, arguments, str(folder), dict(settings), str(told))


def _command(arguments: tuple[str, ...], folder: str, settings: Mapping[str, str], told: str) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(settings)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    os.dup2(os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), sys.stderr.fileno())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main.main(arguments))


def upgrade(url: str, folder: Path | None = None, **environment: str) -> BaseProcess:
    """A process that migrates a database, perhaps by the revisions of another folder."""
    return forked(_upgrade, url, folder, environment)


def _upgrade(url: str, folder: Path | None, environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    if folder is not None:
        migrate._HERE = folder
    migrate.upgrade(url)
