"""What a process and its children cost, read from /proc, and the two cores of the benchmark."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cores() -> tuple[int, int]:
    """The core of the generator and the core of the system under test; one and the same on a single-core machine."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[min(1, len(allowed) - 1)]


def alive(pid: int) -> bool:
    """Whether a process still runs; one that has ended but was not waited for does not."""
    try:
        return _stat(pid)[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its descendants, the ended ones included; steps of 10 ms.

    Raises FileNotFoundError once the process is gone and was waited for.
    """
    return sum(int(field) for one in _tree(pid) for field in _stat(one)[11:15]) / _TICK


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and its living descendants; shared pages count in each of them."""
    return sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in _tree(pid)) * _PAGE


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the command's name, so that field 3 of proc(5) is index 0."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _tree(int(child))
