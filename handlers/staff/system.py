"""The state of the system, as those who run the shop's chat may need it."""

from __future__ import annotations

from bot.staff.context import StaffContext
from bot.staff.router import Group, StaffRouter
from crm import attendance, given_up, staff
from crm.staff import Permission
from storage import accounts, alarms, inbox, outbox

router = StaffRouter("system")


@router.command(
    "he", "hệ", "hethong", "status", usage="/he", vi="hệ thống: hàng đợi, cảnh báo, kênh, ai đang trong ca",
    group=Group.SYSTEM, may=Permission.WATCH,
)  # fmt: skip
def show_state(ctx: StaffContext) -> None:
    """Show queues, alarms, accounts and who is on shift."""
    totals = outbox.totals(ctx.session)
    ctx.reply(
        "system",
        inbox_since=inbox.oldest_waiting(ctx.session),
        outgoing=totals.waiting,
        unknown=totals.unknown,
        dead=given_up.count(ctx.session),
        waiting=attendance.count(ctx.session, ctx.now),
        alarms=[each.kind for each in alarms.unsolved(ctx.session)],
        held=[f"{each.channel} {each.account_id}" for each in accounts.everyone(ctx.session) if each.held],
        on_shift=[each.name for each in staff.active(ctx.session) if staff.is_on_shift(each, ctx.now)],
    )
