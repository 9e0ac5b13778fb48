"""What one run measured, and the ratios and tables made of many runs."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds; all zero when nothing was measured."""

    p50: float = 0.0
    p99: float = 0.0
    max: float = 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """One run of the generator against one system. Rates and costs are those of the window after the warm-up."""

    mode: str
    seconds: float
    sent: int
    replies_per_second: float
    acks_per_second: float
    bad_acks: int
    """Webhooks answered with something else than 200, or not at all."""
    lost: int
    """Webhooks whose reply never reached the stub."""
    extra_replies: int
    """Replies to people who waited for none."""
    others_per_second: float
    """Messages to people who never wrote: a broadcast's."""
    ack: Latency
    """From the moment a webhook should have left to its answer."""
    reply: Latency
    """From the same moment to the reply at the stub."""
    late: Latency
    """How late the generator itself was."""
    generator_share: float
    """Of one core; in open loop it spins before each send, so this is a limit only in closed loop."""
    system_us_per_message: float
    resident_mb: float


def latency(seconds: Sequence[float]) -> Latency:
    """Percentiles by nearest rank."""
    if not seconds:
        return Latency()
    ordered = sorted(seconds)
    ranks = [ordered[math.ceil(len(ordered) * share) - 1] for share in (0.50, 0.99)]
    return Latency(*(round(value * 1000, 3) for value in (*ranks, ordered[-1])))


def ratios(values: Sequence[float], base: Sequence[float]) -> list[float]:
    """Round by round, value over base; a round whose base is zero says nothing and is left out."""
    return [value / of for value, of in zip(values, base, strict=True) if of]


def median(values: Sequence[float]) -> float:
    """The median, or NaN of nothing."""
    return statistics.median(values) if values else float("nan")


def spread(values: Sequence[float], digits: int = 2) -> str:
    """`median [min–max]`, or a dash for nothing."""
    if not values:
        return "–"
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{median(values):.{digits}f} [{min(values):.{digits}f}–{max(values):.{digits}f}]"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A plain text table, the first column to the left and the others to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, ["-" * width for width in widths], *rows)
    )


def read(line: str) -> Figures:
    """The figures that `load.py` wrote as JSON."""
    fields: dict[str, Any] = json.loads(line)
    for name in ("ack", "reply", "late"):
        fields[name] = Latency(**fields[name])
    return Figures(**fields)
