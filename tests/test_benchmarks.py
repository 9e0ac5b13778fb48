"""The benchmarks' generator and bare bots keep their own promises, in a run of 200 messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import systems
from benchmarks.figures import Figures, Latency, latency, ratios
from benchmarks.measure import FailedError, measure
from benchmarks.report import goal
from benchmarks.systems import Launch, Site, System

MESSAGES = ["sat", "--messages", "200", "--warm-up", "0", "--seconds", "60"]


@pytest.mark.parametrize("system", [systems.storeless, systems.durable])
def test_every_message_is_answered_and_replied_to_once(system: System, tmp_path: Path) -> None:
    [figures] = measure(system, tmp_path / "run", [MESSAGES])
    assert (figures.sent, figures.bad_acks, figures.lost, figures.extra_replies) == (200, 0, 0, 0)
    assert figures.replies_per_second > 0
    assert 0 < figures.ack.p50 <= figures.ack.p99 <= figures.ack.max
    assert figures.system_us_per_message > 0
    assert figures.resident_mb > 0


def test_a_system_that_ends_at_once_is_reported_in_its_own_words(tmp_path: Path) -> None:
    def broken(site: Site) -> Launch:
        launch = systems.storeless(site)
        return Launch([*launch.argv, "--no-such-option"])

    with pytest.raises(FailedError, match="no-such-option"):
        measure(broken, tmp_path / "run", [MESSAGES])


@pytest.mark.parametrize(
    ("values", "base", "expected"),
    [([2.0, 3.0], [4.0, 2.0], [0.5, 1.5]), ([2.0, 3.0], [0.0, 2.0], [1.5]), ([], [], [])],
)
def test_a_ratio_belongs_to_its_round(values: Sequence[float], base: Sequence[float], expected: list[float]) -> None:
    assert ratios(values, base) == expected


def test_percentiles_are_in_milliseconds() -> None:
    figures = latency([second / 1000 for second in range(100, 0, -1)])
    assert (figures.p50, figures.p99, figures.max) == (50.0, 99.0, 100.0)


def test_a_figure_with_faults_meets_no_goal() -> None:
    none = Latency()
    sound = Figures("rate", 1.0, 1, 1.0, 1.0, 0, 0, 0, 0.0, none, none, none, 0.1, 1.0, 1.0)
    lossy = replace(sound, lost=1)
    assert goal({"product": [sound]}, "p99 ≤ 100 ms", 0.0, True).endswith(": met")
    assert "no result" in goal({"product": [sound, lossy]}, "p99 ≤ 100 ms", 0.0, True)
