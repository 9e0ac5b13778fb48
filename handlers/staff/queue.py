"""The queue: who waits for a person, and who looks after whom."""

from __future__ import annotations

from collections.abc import Sequence

from bot.staff.context import StaffContext
from bot.staff.router import Group, StaffRouter
from crm import attendance, numbers, words
from crm.errors import Invalid
from crm.staff import Permission
from storage.attendance import Attended

router = StaffRouter("queue")

SHOWN = 10


@router.command(
    "ds", "danh sách", "danhsach", "waiting", "cho", "chờ", usage="/ds [toi | het]",
    vi="ai đang chờ; toi: khách của bạn; het: mọi cuộc bot đang im", group=Group.QUEUE, may=Permission.LOOK_UP,
    examples=("/ds", "/ds toi"),
)  # fmt: skip
def show_list(ctx: StaffContext, which: str = "") -> None:
    """Who waits, the longest first; `toi`: those you look after; `het`: all in which the bot is silent."""
    match words.plain(which):
        case "":
            rows, all_of = attendance.waiting(ctx.session, ctx.now, SHOWN), attendance.count(ctx.session, ctx.now)
        case "toi" | "mine" | "me":
            rows = attendance.mine(ctx.session, ctx.member.id, SHOWN)
            all_of = len(rows)
        case "het" | "all" | "tat":
            rows = attendance.held(ctx.session, SHOWN)
            all_of = len(rows)
        case _:
            raise Invalid("which", f"“{which}”: dùng /ds, /ds toi hoặc /ds het.", f"“{which}”: /ds, /ds toi, /ds het.")
    show(ctx, rows, all_of)


def show(ctx: StaffContext, rows: Sequence[Attended], all_of: int) -> None:
    """List these under short numbers."""
    bound = ctx.numbers(numbers.CONVERSATION, [row.id for row in rows])
    names = attendance.names(ctx.session, {row.assigned_to for row in rows if row.assigned_to})
    listed = [
        (number, row, attendance.minutes(row, ctx.now), names.get(row.assigned_to or 0, ""))
        for number, row in zip(bound, rows, strict=True)
    ]
    ctx.reply("list", rows=listed, more=max(0, all_of - len(rows)))
