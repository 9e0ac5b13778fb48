"""One measurement: start a system on its core, load it from the other, stop it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import figures, process
from benchmarks.figures import Figures
from benchmarks.systems import ROOT, Launch, Site, System

STOP_SECONDS = 20.0


class FailedError(Exception):
    """A system did not start or did not survive; says so in its own last words."""


def measure(system: System, folder: Path, loads: Sequence[Sequence[str]]) -> list[Figures]:
    """Load one fresh instance of a system, once for each argument list of `load.py`. Raises FailedError.

    The folder is emptied first, and removed at the end unless the system failed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    site = Site(*_free_ports(), folder)
    log = folder / "system.log"
    try:
        with _running(system(site), log) as pid:
            results = [_load(site, pid, arguments) for arguments in loads]
    except (OSError, subprocess.CalledProcessError) as error:
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) and error.stderr else ""
        raise FailedError("\n".join([str(error), said.strip(), *_last_lines(log)])) from error
    shutil.rmtree(folder)
    return results


def _load(site: Site, pid: int, arguments: Sequence[str]) -> Figures:
    where = ["--port", str(site.port), "--stub-port", str(site.stub_port), "--pid", str(pid)]
    command = [sys.executable, "-m", "benchmarks.load", *arguments, *where]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return figures.read(done.stdout)


@contextmanager
def _running(launch: Launch, log: Path) -> Iterator[int]:
    """Run a system on its core and yield its process id."""
    environment = {**os.environ, **launch.environment}
    core = process.cores()[1]
    if launch.before:
        subprocess.run(launch.before, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    with log.open("wb") as output:
        system = subprocess.Popen(
            launch.argv,
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
    try:
        yield system.pid
    finally:
        system.terminate()
        try:
            system.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            system.kill()
            system.wait()


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _last_lines(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
