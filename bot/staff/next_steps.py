"""What the one who asks can do next with a broadcast, in the order in which it makes sense."""

from __future__ import annotations

from bot.staff.context import StaffContext
from crm import broadcasts
from crm.broadcast_states import has_begun
from crm.broadcasts import Report
from crm.staff import Permission
from storage.broadcasts import DRAFT, PAUSED, RUNNING, SCHEDULED, BroadcastView


def steps(ctx: StaffContext, report: Report) -> tuple[str, ...]:
    """Names of steps, as the template `broadcast_one` words them; nothing that would be refused."""
    each = report.broadcast
    if report.state == DRAFT:
        return (*_before(ctx, each), *(("schedule",) if each.tested_at and ctx.may(Permission.BROADCAST) else ()))
    if report.state == PAUSED:
        return _at_rest(ctx, each)
    return {SCHEDULED: ("unschedule",), RUNNING: ("pause",)}.get(report.state, ())


def _before(ctx: StaffContext, each: BroadcastView) -> tuple[str, ...]:
    tests = "test" if ctx.may(Permission.WRITE_BROADCASTS) else "untested"
    first = () if each.tested_at else (tests,)
    return (*first, "preview", *(("approve",) if _may_be_second(ctx, each) else ()))


def _at_rest(ctx: StaffContext, each: BroadcastView) -> tuple[str, ...]:
    if not ctx.may(Permission.BROADCAST):
        return ()
    if not broadcasts.waits_for_second(each, ctx.office.sender.alone):
        return ("resume", *(() if has_begun(each) else ("reschedule",)), "cancel")
    return ("agree" if _may_be_second(ctx, each) else "waits", "cancel")


def _may_be_second(ctx: StaffContext, each: BroadcastView) -> bool:
    """Whether a second person may be wanted, and they may be the one."""
    writers = ("", each.created_by)
    is_open = bool(ctx.office.sender.alone) and each.approved_by in writers
    return is_open and ctx.may(Permission.BROADCAST) and each.created_by != f"staff:{ctx.member.id}"
