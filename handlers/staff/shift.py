"""Shifts: checking in, which opens the platform's window for notices, and leaving."""

from __future__ import annotations

from bot.staff import sending
from bot.staff.context import StaffContext
from bot.staff.kinds import When
from bot.staff.router import Group, StaffRouter
from crm import attendance, notices, replies, staff, times
from crm.errors import Conflict
from crm.staff import Permission

router = StaffRouter("shift")

LONGEST_H = 16


@router.command(
    "ca", "shift", "checkin", usage="/ca [giờ hết ca]", vi="vào ca, mở cửa sổ nhận thông báo", group=Group.SHIFT,
    may=Permission.LOOK_UP, examples=("/ca", "/ca 21h", "/ca 4 tiếng nữa"),
)  # fmt: skip
def check_in(ctx: StaffContext, until: When | None = None) -> None:
    """Begin your shift; what could not be told before is told now."""
    ends = until.at if until else ctx.now + staff.SHIFT
    if (ends - ctx.now).total_seconds() > LONGEST_H * 3600:
        raise Conflict(f"Một ca dài nhất {LONGEST_H} giờ.", f"A shift lasts {LONGEST_H} hours at most.")
    staff.begin_shift(ctx.session, ctx.member.id, ends)
    ctx.audit("shift.begin", "staff", ctx.member.id, ends.isoformat(timespec="minutes"))
    left = None
    if ctx.chat is not None:
        reach = replies.may_send(ctx.chat._replace(last_interaction_at=ctx.now),
                                 ctx.office.channels[ctx.chat.channel].rules, ctx.now, typed=False)  # fmt: skip
        left = sending.remaining(reach, ctx.now)
    ctx.reply(
        "on_shift",
        until=times.told(ends, ctx.office.zone, ctx.now, ctx.locale),
        channel=ctx.chat.channel if ctx.chat else "",
        left=left,
        held=notices.count_held(ctx.session, ctx.member.id),
        waiting=attendance.count(ctx.session, ctx.now),
    )


@router.command(
    "nghi", "nghỉ", "hetca", "off", usage="/nghi", vi="hết ca", group=Group.SHIFT, may=Permission.LOOK_UP
)  # fmt: skip
def check_out(ctx: StaffContext) -> None:
    """End your shift; says whom you still look after."""
    staff.end_shift(ctx.session, ctx.member.id)
    ctx.put(entered_id=None, entered_until=None)
    ctx.audit("shift.end", "staff", ctx.member.id)
    ctx.reply("off_shift", mine=[row.name for row in attendance.mine(ctx.session, ctx.member.id, 10)])
