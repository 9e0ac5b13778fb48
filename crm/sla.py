"""What is promised to who asks for help: targets, clocks in working time that pause, and what is due to be told."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from sqlmodel import Session

from crm.calendar import Calendar
from storage import sla as store
from storage.columns import new_id
from storage.sla import ClockRow, Looked
from storage.tickets import TicketRow

WARNED_FROM = 0.8
"""The part of a target after which its owner is warned."""


class Priority(StrEnum):
    """How urgent a ticket is, the most urgent first."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Kind(StrEnum):
    """What a clock measures: until somebody answers first, until they answer again, until the matter is done."""

    FIRST = "first"
    NEXT = "next"
    RESOLUTION = "resolution"


class Mark(StrEnum):
    """What is told of a clock: most of its time is used, or all of it."""

    WARNED = "warned"
    BREACHED = "breached"


@dataclass(frozen=True, slots=True)
class Targets:
    """How much working time there is for each."""

    first: timedelta
    next: timedelta
    resolution: timedelta

    def of(self, kind: Kind) -> timedelta:
        """The one for this kind of clock."""
        return {Kind.FIRST: self.first, Kind.NEXT: self.next, Kind.RESOLUTION: self.resolution}[kind]


def _targets(first: int, following: int, resolution: int) -> Targets:
    return Targets(timedelta(minutes=first), timedelta(minutes=following), timedelta(minutes=resolution))


PROMISED: Mapping[Priority, Targets] = MappingProxyType(
    {
        Priority.URGENT: _targets(15, 30, 4 * 60),
        Priority.HIGH: _targets(30, 60, 8 * 60),
        Priority.NORMAL: _targets(60, 120, 16 * 60),
        Priority.LOW: _targets(240, 480, 40 * 60),
    }
)
"""The targets where a shop says nothing else."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A shop's calendar and what it promises."""

    calendar: Calendar
    targets: Mapping[Priority, Targets]


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock as arithmetic: how much is promised, how much was used up before it last began to run."""

    target: timedelta
    used: timedelta = timedelta()
    running_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """Something to be told once: to the ticket's owner, then to a lead."""

    mark: Mark
    kind: Kind
    clock: Looked


def used(clock: Clock, at: datetime, calendar: Calendar) -> timedelta:
    """How much working time is used up by then."""
    if clock.running_since is None:
        return clock.used
    return clock.used + calendar.between(clock.running_since, at)


def paused(clock: Clock, at: datetime, calendar: Calendar) -> Clock:
    """It stands still from then on; changes nothing where it did already."""
    return replace(clock, used=used(clock, at, calendar), running_since=None)


def running(clock: Clock, at: datetime) -> Clock:
    """It runs from then on; changes nothing where it did already."""
    return clock if clock.running_since is not None else replace(clock, running_since=at)


def used_up(clock: Clock, share: float, calendar: Calendar) -> datetime | None:
    """When this part of the target is used up; None while the clock stands still."""
    if clock.running_since is None:
        return None
    return calendar.add(clock.running_since, max(timedelta(), clock.target * share - clock.used))


def read_targets(text: str) -> Mapping[Priority, Targets]:
    """`SLA_TARGETS`: `normal 1h/2h/16h; urgent 15m/30m/4h`, in working time; what is not named keeps its default.

    Raises ValueError with the part that is wrong.
    """
    found = dict(PROMISED)
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, _, spans = part.partition(" ")
        lengths = [_span(each.strip()) for each in spans.split("/")]
        if name not in set(Priority) or len(lengths) != 3 or not all(lengths):
            raise ValueError(f"{part!r} is not understood; write 'normal 1h/2h/16h': first answer, next answer, end")
        first, following, resolution = filter(None, lengths)
        found[Priority(name)] = Targets(first, following, resolution)
    return MappingProxyType(found)


def start(
    session: Session, ticket_id: int, kinds: Collection[Kind], priority: Priority, at: datetime, policy: Policy
) -> None:
    """Let clocks of these kinds begin."""
    rows = []
    for kind in kinds:
        clock = Clock(policy.targets[priority].of(kind), running_since=at)
        row = {"id": new_id(), "ticket_id": ticket_id, "kind": kind, "started_at": at, "ended_at": None}
        rows.append({**row, **_written(clock, None, None, policy.calendar)})
    store.add_many(session, rows)


def unclocked(session: Session, state: str, most: int) -> list[TicketRow]:
    """Tickets in this state to which nothing was ever promised, oldest first."""
    return store.unclocked(session, state, most)


def answered(session: Session, numbers: Collection[int], at: datetime, policy: Policy) -> None:
    """The brand answered: the clocks for an answer end, the others stand still until the customer writes."""
    _change(session, numbers, at, policy, ends=(Kind.FIRST, Kind.NEXT), pauses=(Kind.RESOLUTION,))


def closed(session: Session, numbers: Collection[int], at: datetime, policy: Policy) -> None:
    """The matter is done: all clocks end."""
    _change(session, numbers, at, policy, ends=tuple(Kind))


def waits_again(session: Session, ticket_id: int, priority: Priority, at: datetime, policy: Policy) -> None:
    """The customer waits for us again: a clock for the next answer begins, and that for the end goes on."""
    clocks = store.of_tickets(session, [ticket_id], ended=True)
    last = next((row for row in reversed(clocks) if row.kind == Kind.RESOLUTION), None)
    if last is None:
        start(session, ticket_id, (Kind.NEXT, Kind.RESOLUTION), priority, at, policy)
        return
    clock = running(_clock_of(last), at)
    store.set_many(session, [_row(last, clock, policy.calendar) | {"ended_at": None}])
    if not any(row.kind in (Kind.FIRST, Kind.NEXT) and row.ended_at is None for row in clocks):
        start(session, ticket_id, (Kind.NEXT,), priority, at, policy)


def retarget(session: Session, ticket_id: int, priority: Priority, now: datetime, policy: Policy) -> None:
    """The ticket is of another priority: its clocks have other targets, and what was used stays used.

    What was told of the old target and is not true of the new one is told again when it is.
    """
    changed = []
    for row in store.of_tickets(session, [ticket_id]):
        clock = replace(_clock_of(row), target=policy.targets[priority].of(Kind(row.kind)))
        spent = used(clock, now, policy.calendar)
        warned_at = row.warned_at if spent >= clock.target * WARNED_FROM else None
        breached_at = row.breached_at if spent >= clock.target else None
        changed.append({"id": row.id, **_written(clock, warned_at, breached_at, policy.calendar)})
    store.set_many(session, changed)


def promises(session: Session, numbers: Collection[int]) -> dict[int, datetime]:
    """By when each of these tickets was promised an answer; those that wait for none are left out."""
    rows = store.of_tickets(session, numbers)
    return {row.ticket_id: row.due_at for row in rows if row.kind != Kind.RESOLUTION and row.due_at is not None}


def ends(session: Session, numbers: Collection[int]) -> dict[int, datetime]:
    """By when each of these tickets has to be done; those whose clock stands still are left out."""
    rows = store.of_tickets(session, numbers)
    return {row.ticket_id: row.due_at for row in rows if row.kind == Kind.RESOLUTION and row.due_at is not None}


def due(session: Session, now: datetime, most: int = 100) -> list[Due]:
    """What is to be told by now, the most urgent first: once when 80 % of a target is used, and once when all is.

    What nobody looked at for so long that it is late already is told as late alone. Whoever tells it calls `mark`.
    """
    return [
        Due(Mark.BREACHED if row.due_at <= now else Mark.WARNED, Kind(row.kind), row)
        for row in store.to_look_at(session, now, most)
    ]


def mark(session: Session, told: Due, now: datetime) -> bool:
    """Note that this was told; False where somebody else did so, or where the clock stopped or moved meanwhile."""
    row = told.clock
    if told.mark is Mark.BREACHED:
        values = {"breached_at": now, "look_at": None}
    else:
        values = {"warned_at": now, "look_at": row.due_at}
    return store.mark(session, row.id, row.look_at, values)


def _change(
    session: Session,
    numbers: Collection[int],
    at: datetime,
    policy: Policy,
    *,
    ends: Collection[Kind],
    pauses: Collection[Kind] = (),
) -> None:
    changed = [
        _row(row, paused(_clock_of(row), at, policy.calendar), policy.calendar)
        | {"ended_at": at if row.kind in ends else None}
        for row in store.of_tickets(session, numbers)
        if row.kind in ends or row.kind in pauses
    ]
    store.set_many(session, changed)


def _clock_of(row: ClockRow) -> Clock:
    return Clock(timedelta(seconds=row.target_s), timedelta(seconds=row.used_s), row.running_since)


def _row(row: ClockRow, clock: Clock, calendar: Calendar) -> dict[str, object]:
    return {"id": row.id, **_written(clock, row.warned_at, row.breached_at, calendar)}


def _written(
    clock: Clock, warned_at: datetime | None, breached_at: datetime | None, calendar: Calendar
) -> dict[str, object]:
    """The clock's columns, with the next moment to be told of."""
    warn, late = used_up(clock, WARNED_FROM, calendar), used_up(clock, 1, calendar)
    return {
        "target_s": round(clock.target.total_seconds()), "used_s": int(clock.used.total_seconds()),
        "running_since": clock.running_since, "warn_at": warn, "due_at": late, "warned_at": warned_at,
        "breached_at": breached_at, "look_at": None if breached_at else late if warned_at else warn,
    }  # fmt: skip


def _span(written: str) -> timedelta | None:
    found = re.fullmatch(r"([1-9][0-9]{0,4})(m|h)", written)
    return timedelta(minutes=int(found[1]) * {"m": 1, "h": 60}[found[2]]) if found else None
