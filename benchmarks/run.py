"""`make bench`: interleaved rounds of the product and the two bare bots, and the report held against the goals."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import beside, postgres, report, systems
from benchmarks.figures import median
from benchmarks.measure import FailedError, measure
from benchmarks.report import DURABLE, PRODUCT, STORELESS, Rounds, at_least, goal
from benchmarks.systems import ROOT, System

FOLDER = ROOT / ".bench"
BARE: dict[str, System] = {STORELESS: systems.storeless, DURABLE: systems.durable}
MEMORY_MESSAGES = 50_000
BROADCAST = 100_000


class Bench:
    """What was asked for, and the raw figures of every section so far."""

    def __init__(self, rounds: int, seconds: float, bare_only: bool, points: tuple[int, int]) -> None:
        self.rounds = rounds
        self.seconds = seconds
        self.bare_only = bare_only
        self.points = points
        self.raw: dict[str, Rounds] = {}

    def candidates(self, product: System = systems.product) -> dict[str, System]:
        """Both bare bots, and the product unless only the bare bots are wanted."""
        return BARE if self.bare_only else {**BARE, PRODUCT: product}

    def interleaved(self, section: str, candidates: dict[str, System], *load: str) -> Rounds:
        """Measure each system once a round; every round begins with another one. Raises FailedError."""
        rounds: Rounds = {name: [] for name in candidates}
        for number in range(self.rounds):
            names = list(candidates)
            first = number % len(names)
            for name in names[first:] + names[:first]:
                print(f"… {section}, round {number + 1} of {self.rounds}: {name}", file=sys.stderr)
                arguments = [*load, "--seconds", str(self.seconds)]
                rounds[name] += measure(candidates[name], _folder(section, name, number), [arguments])
        self.raw[section] = rounds
        return rounds


def saturation(bench: Bench) -> Iterator[str]:
    """The main job: every message is verified, stored and replied to."""
    rounds = bench.interleaved("sat", bench.candidates(), "sat")
    yield from report.saturation(rounds)
    yield from at_least("replies (stretch 0.60)", 0.45, rounds, STORELESS)
    yield from at_least("replies", 0.55, rounds, DURABLE)
    if PRODUCT in rounds:
        resident = max(one.resident_mb for one in rounds[PRODUCT])
        yield goal(rounds, "resident memory ≤ 150 MB", resident, resident <= 150)


def answers(bench: Bench) -> Iterator[str]:
    """An ordinary hour, far from saturation."""
    rounds = bench.interleaved("rate", bench.candidates(), "rate", "--rate", "200")
    yield from report.answers(rounds)
    if PRODUCT in rounds:
        middle = median(report.against(rounds, STORELESS, report.p50))
        slow = median(report.against(rounds, STORELESS, report.p99))
        slow_ms = median([report.p99(one) for one in rounds[PRODUCT]])
        yield goal(rounds, f"p50 ≤ 4 × {STORELESS}", middle, middle <= 4)
        yield goal(rounds, f"p99 ≤ 5 × {STORELESS}, or 25 ms (here {slow_ms:.1f} ms)", slow, slow <= 5 or slow_ms <= 25)


def slow_sync(bench: Bench) -> Iterator[str]:
    """The main job on a slower disk, where every commit has its price."""
    shim = systems.build_shim(FOLDER)
    if shim is None:
        yield "skipped: the shim that slows the disk needs a C compiler (cc), and there is none"
        return
    candidates = {name: systems.slowed(system, shim) for name, system in bench.candidates().items()}
    rounds = bench.interleaved("sync", candidates, "sat")
    yield from report.saturation(rounds)
    yield from at_least("replies", 0.35, rounds, STORELESS)


def on_postgres(bench: Bench) -> Iterator[str]:
    """The main job on the other engine, whose server shares both cores."""
    if bench.bare_only:
        yield "skipped: only the product runs on PostgreSQL"
        return
    with postgres.server(FOLDER / "postgres") as new_database:
        candidates = {STORELESS: systems.storeless, PRODUCT: systems.product_on(new_database)}
        rounds = bench.interleaved("postgres", candidates, "sat")
    yield from report.saturation(rounds)
    yield from at_least("replies", 0.30, rounds, STORELESS)


def beside_work(work: str, bench: Bench) -> Iterator[str]:
    """Platforms must get their 200 whatever else the process does."""
    if bench.bare_only:
        yield "skipped: only the product has other work"
        return
    others = ["--others"] if work == beside.BROADCAST else []
    rounds = bench.interleaved(work, {PRODUCT: systems.product_beside(work)}, "rate", "--rate", "50", *others)
    yield from report.answers(rounds)
    if others:
        yield from report.overtaken(rounds)
    slow, worst = median([report.p99(one) for one in rounds[PRODUCT]]), report.worst(rounds[PRODUCT])
    yield goal(rounds, "p99 ≤ 100 ms", slow, slow <= 100)
    yield goal(rounds, "no answer over 1,000 ms", worst, worst <= 1000)


def memory(bench: Bench) -> Iterator[str]:
    """Memory is bounded, and does not grow with what has passed through."""
    if bench.bare_only:
        yield "skipped: the goal is the product's"
        return
    load = ["sat", "--messages", str(MEMORY_MESSAGES), "--warm-up", "0", "--seconds", "3600"]
    runs = measure(systems.product, _folder("memory", PRODUCT, 0), [load, load])
    rounds = bench.raw["memory"] = {PRODUCT: runs}
    before, after = (one.resident_mb for one in runs)
    yield f"{before:.1f} MB, then {after:.1f} MB; faults: {report.faults(runs)}"
    yield goal(rounds, "resident memory ≤ 150 MB", after, after <= 150)
    yield goal(rounds, "growth ≤ 5 MB", after - before, after - before <= 5)


def points_of_many(bench: Bench) -> Iterator[str]:
    """What one customer holds costs the same among ten thousand as among a million; time's work fits in between."""
    if bench.bare_only:
        yield "skipped: only the product keeps points"
        return
    rows = bench.points
    with tempfile.TemporaryDirectory(prefix="khachquen-points-") as folder:
        yield from _read_by(f"SQLite, {rows[0]:,} and {rows[1]:,} customers", _on_sqlite(folder, rows))
        seen = _points([f"sqlite:///{folder}/due.db", str(rows[1])])
    with postgres.server(FOLDER / "postgres") as new_database:
        given = [argument for each in rows for argument in (new_database(), str(each))]
        yield from _read_by(f"PostgreSQL, {rows[0]:,} and {rows[1]:,} customers", given)
    yield (
        f"{seen['rows']:,} lots expire and {seen['rows']:,} tiers are reviewed in {seen['seconds']:.0f} s, "
        f"{seen['per_second']:,} a second; other work waits {seen['worst_range_ms']} ms at most; "
        f"faults: {seen['faults']}"
    )
    yield f"{'ok' if seen['grown_mb'] <= 50 else 'MISSED'}  growth {seen['grown_mb']} MB ≤ 50 MB"


def _on_sqlite(folder: str, rows: Sequence[int]) -> list[str]:
    return [argument for each in rows for argument in (f"sqlite:///{folder}/{each}.db", str(each))]


def _read_by(title: str, given: Sequence[str]) -> Iterator[str]:
    yield title
    for kind, each in _points(given).items():
        word = "ok" if each["ratio"] <= 1.5 else "MISSED"
        spread = f"[{min(each['ratios'])}–{max(each['ratios'])}]"
        yield f"{word}  {kind}: {each['ms'][0]} ms and {each['ms'][1]} ms, {each['ratio']} {spread} ≤ 1.5"


def _points(given: Sequence[str]) -> dict[str, Any]:
    print(f"… points, {', '.join(given[1::2])} customers", file=sys.stderr)
    command = [sys.executable, "-m", "benchmarks.points", *given]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise FailedError(done.stderr[-2000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def broadcasts(bench: Bench) -> Iterator[str]:
    """A broadcast to a stub without a limit of its own, beside a bare client that posts the same bodies."""
    if bench.bare_only:
        yield "skipped: only the product sends broadcasts"
        return
    ratios: list[float] = []
    for number in range(bench.rounds):
        print(f"… broadcast, round {number + 1} of {bench.rounds}", file=sys.stderr)
        command = [sys.executable, "-m", "benchmarks.broadcast", str(BROADCAST)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise FailedError(done.stderr[-2000:])
        seen = json.loads(done.stdout.splitlines()[-1])
        ours, alone, met = seen["product"], seen["bare"], seen["met"]
        ratios.append(seen["ratio"])
        yield (
            f"{BROADCAST / ours['seconds']:,.0f} a second, bare {BROADCAST / alone['seconds']:,.0f}; {met['people']:,} "
            f"people, twice {met['twice']}, memory +{ours['grown_mb']:.0f} MB"
        )
        yield f"{'ok' if met['twice'] == 0 and met['people'] == BROADCAST else 'MISSED'}  everybody once"
        yield f"{'ok' if ours['grown_mb'] < 30 else 'MISSED'}  growth < 30 MB"
    middle = median(ratios)
    yield f"{'ok' if middle >= 0.45 else 'MISSED'}  of the bare client {middle:.2f} ≥ 0.45 (stretch 0.60)"


def many_segments(bench: Bench) -> Iterator[str]:
    """Whom a segment means is found about as fast as by the best query that we know by hand."""
    yield from _in_big_shop(bench, "segments", _one_segment)


def frozen_audience(bench: Bench) -> Iterator[str]:
    """Everybody becomes a recipient, range by range, so that whatever else waits goes in between."""
    yield from _in_big_shop(bench, "freezing", _one_audience)


def _in_big_shop(bench: Bench, module: str, told: Callable[[dict[str, Any]], str]) -> Iterator[str]:
    if bench.bare_only:
        yield "skipped: only the product has customers"
        return
    FOLDER.mkdir(exist_ok=True)
    rows = bench.points[1]
    with postgres.kept(FOLDER / "big-postgres", f"shop_{rows}") as url:
        for engine, where in (("SQLite", f"sqlite:///{FOLDER}/shop-{rows}.db"), ("PostgreSQL", url)):
            print(f"… {module}, {engine}, {rows:,} customers (made at first, which takes minutes)", file=sys.stderr)
            yield f"{engine}, {rows:,} customers"
            command = [sys.executable, "-m", f"benchmarks.{module}", where, str(rows)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if done.returncode:
                raise FailedError(done.stderr[-2000:])
            yield from (told(json.loads(line)) for line in done.stdout.splitlines())


def _one_segment(seen: dict[str, Any]) -> str:
    word = "ok" if seen["ratio"] <= 2 else "MISSED"
    return f"{word}  {seen['name']}: {seen['found']:,} in {seen['ours_ms']} ms, {seen['ratio']} ≤ 2"


def _one_audience(seen: dict[str, Any]) -> str:
    is_met = seen["ratio"] <= 2 and seen["longest_ms"] <= 20 and seen["grown_mb"] < 30
    return (
        f"{'ok' if is_met else 'MISSED'}  {seen['people']:,} in {seen['seconds']} s, {seen['ratio']} ≤ 2 of one plain "
        f"statement; {seen['ranges']:,} ranges, 99 % in {seen['p99_ms']} ms, the longest {seen['longest_ms']} ≤ 20; "
        f"growth {seen['grown_mb']} MB < 30 MB"
    )


Section = Callable[[Bench], Iterator[str]]
SECTIONS: dict[str, tuple[str, Section]] = {
    "sat": ("64 people wait for a reply at any moment: replies a second", saturation),
    "rate": ("200 webhooks a second in open loop: how long one waits for its 200", answers),
    "sync": ("Saturation on a disk whose every sync takes 2 ms longer", slow_sync),
    "postgres": ("Saturation with the product on PostgreSQL", on_postgres),
    **{
        work: (f"50 webhooks a second beside other work in the process: {work}", partial(beside_work, work))
        for work in beside.WORK
    },
    "broadcast": (f"A broadcast to {BROADCAST:,} people against a bare client", broadcasts),
    "segments": ("Segments among very many customers, beside queries by hand", many_segments),
    "freezing": ("The audience of a broadcast to very many customers", frozen_audience),
    "ledger": ("What one customer holds, among few and among very many", points_of_many),
    "memory": (f"Resident memory after {MEMORY_MESSAGES:,} messages, and after as many again", memory),
}


def main(argv: list[str] | None = None) -> int:
    """Run the wanted sections, print each as it ends, and keep the raw figures in `.bench/results.json`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (5)")
    parser.add_argument("--seconds", type=float, default=8.0, help="measured seconds of one run, after 2 s warm-up (8)")
    parser.add_argument("--only", nargs="+", choices=["bare", *SECTIONS], default=[], help="sections; bare: no product")
    parser.add_argument(
        "--points",
        nargs=2,
        type=int,
        default=(10_000, 1_000_000),
        metavar="N",
        help="few and very many customers (10000 1000000)",
    )
    options = parser.parse_args(argv)
    if "bare" not in options.only and not systems.INSTALLED.exists():
        parser.error("the product is measured as an owner has it, in .venv/installed: make .venv/installed/.ready")
    points = (options.points[0], options.points[1])
    bench = Bench(options.rounds, options.seconds, bare_only="bare" in options.only, points=points)
    wanted = [name for name in SECTIONS if name in options.only] or list(SECTIONS)
    failed = False
    for name in wanted:
        title, section = SECTIONS[name]
        print(f"\n{name}: {title}", flush=True)
        try:
            for line in section(bench):
                print(line, flush=True)
        except FailedError as error:
            failed = True
            print(f"failed: {error}", flush=True)
    FOLDER.mkdir(exist_ok=True)
    raw = {
        name: {who: [asdict(run) for run in runs] for who, runs in rounds.items()} for name, rounds in bench.raw.items()
    }
    (FOLDER / "results.json").write_text(json.dumps(raw, indent=1))
    return int(failed)


def _folder(section: str, name: str, number: int) -> Path:
    return FOLDER / "runs" / f"{section}-{name.replace(' ', '-')}-{number + 1}"


if __name__ == "__main__":
    raise SystemExit(main())
