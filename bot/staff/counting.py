"""How a broadcast stands, as staff read it; where it is large it is counted beside the chat that asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlmodel import Session

from bot import failures
from bot.jobs import Payload, Work
from bot.staff import hearing, next_steps
from bot.staff.context import Office, StaffContext
from crm import broadcast_versions, broadcasts, staff, times, unsent
from crm.broadcasts import Report
from crm.content import Content
from crm.staff import Permission
from storage.broadcasts import BroadcastView
from storage.database import Database
from storage.recipients import FAILED, PENDING, SKIPPED

JOB = "staff.broadcast"
AT_ONCE = 5_000
"""So many people are counted while the chat waits."""
REASONS = 8


class Counting:
    """The job that counts, and tells in the chat in which it was asked for."""

    def __init__(self, database: Database, office: Office, clock: Callable[[], datetime]) -> None:
        self._database, self._office, self._clock = database, office, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.count}

    async def count(self, payload: Payload) -> None:
        """Count, and tell."""
        report = await self._database.read_long(partial(broadcasts.report, broadcast_id=payload["broadcast"]))
        tell = partial(_tell, office=self._office, payload=payload, report=report, now=self._clock())
        await self._database.write(tell, name=JOB)


def show(ctx: StaffContext, each: BroadcastView) -> None:
    """Say where it stands and what became of everybody, at once or a little later."""
    if ctx.chat is None or each.audience <= AT_ONCE:
        say(ctx, broadcasts.report(ctx.session, each.id))
        return
    payload = {"staff": ctx.member.id, "chat": ctx.chat.identity_id, "broadcast": each.id}
    ctx.later(JOB, f"{ctx.surface}:{each.id}", payload)
    ctx.reply("broadcast_counting", each=each)


def say(ctx: StaffContext, report: Report) -> None:
    """Where it stands and what became of everybody."""
    report = replace(report, broadcast=broadcast_versions.as_approved(ctx.session, report.broadcast))
    each, locale = report.broadcast, ctx.locale
    ctx.reply(
        "broadcast_one", each=each, said=Content.loads(each.content), state=report.state, why=_why(report, locale),
        told=broadcasts.told(report.state, locale), at=_moment(ctx, each.scheduled_at),
        people=[(unsent.state(name).of(locale), count) for name, count in report.people.items()],
        paused=failures.stopped(each).of(locale) if each.pause_reason else "",
        until=_moment(ctx, each.resumes_at), second=_second(ctx, each),
        steps=next_steps.steps(ctx, report), alone=ctx.office.sender.alone,
    )  # fmt: skip


def _why(report: Report, locale: str) -> list[tuple[str, str, int]]:
    """Why how many did not get it or wait, the most frequent reason first."""
    found = [
        (unsent.state(state).of(locale), failures.words(reason).of(locale), count)
        for (state, reason), count in report.reasons.items()
        if state in (PENDING, SKIPPED, FAILED)
    ]
    return sorted(found, key=lambda each: -each[2])[:REASONS]


def _second(ctx: StaffContext, each: BroadcastView) -> str:
    """The name of whoever agreed as the second person; "" where nobody of the staff did."""
    kind, _, number = each.approved_by.partition(":")
    return staff.find(ctx.session, int(number)).name if kind == "staff" else ""


def _moment(ctx: StaffContext, at: datetime | None) -> str:
    return times.told(at, ctx.office.zone, ctx.now, ctx.locale) if at else ""


def _tell(session: Session, office: Office, payload: Payload, report: Report, now: datetime) -> None:
    """Tell it, if the chat is still that of somebody who may see it."""
    ctx = hearing.told_later(session, office, payload, now, Permission.REPORT)
    if ctx is None:
        return
    say(ctx, report)
    hearing.tell(ctx)
