"""Reports of a day or a week, in the chat."""

from __future__ import annotations

from datetime import timedelta

from bot.staff import reporting
from bot.staff.context import StaffContext
from bot.staff.kinds import Text
from bot.staff.router import Group, StaffRouter
from crm import reports, words
from crm.errors import Invalid
from crm.reports import Span
from crm.staff import Permission

router = StaffRouter("reports")

PEOPLE = 7
"""So many members of staff are shown."""
_SPANS = {
    "": (Span.DAY, 0), "ngay": (Span.DAY, 0), "hom nay": (Span.DAY, 0), "today": (Span.DAY, 0),
    "hom qua": (Span.DAY, 1), "yesterday": (Span.DAY, 1), "tuan": (Span.WEEK, 0), "tuan nay": (Span.WEEK, 0),
    "week": (Span.WEEK, 0), "tuan truoc": (Span.WEEK, 1), "last week": (Span.WEEK, 1),
}  # fmt: skip


@router.command(
    "bc", "baocao", "report", usage="/bc [hôm qua | tuần | tuần trước]", vi="báo cáo ngày hoặc tuần",
    group=Group.SYSTEM, may=Permission.REPORT, examples=("/bc", "/bc hôm qua", "/bc tuần"),
)  # fmt: skip
def show_report(ctx: StaffContext, which: Text | None = None) -> None:
    """Show the figures of today, of yesterday, of this week or the last."""
    found = _SPANS.get(words.plain(which or ""))
    if found is None:
        raise Invalid("which", "Dùng /bc, /bc hôm qua, /bc tuần hoặc /bc tuần trước.",
                      "Use /bc, /bc yesterday, /bc week or /bc last week.")  # fmt: skip
    report = reports.of(ctx.session, *found, ctx.now, ctx.office.zone, ctx.office.policy.calendar)
    last, more = report.end - timedelta(days=1), len(report.staff) - PEOPLE
    comes = more > 0 and ctx.chat is not None and ctx.office.channels[ctx.chat.channel].tables == reporting.KIND
    if comes and ctx.chat is not None:
        span, back = found
        payload = {"span": span, "back": back, "asked_at": ctx.now.isoformat(), "chat": ctx.chat.identity_id}
        ctx.later(reporting.JOB, f"{ctx.surface}:{span}:{back}", payload)
    ctx.reply("report", report=report, last=last, staff=report.staff[:PEOPLE], more=more, comes=comes)
