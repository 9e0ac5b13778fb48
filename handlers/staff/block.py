"""Blocking: nobody answers somebody who only disturbs, and nobody is told of them, until it is undone."""

from __future__ import annotations

from bot.staff.context import StaffContext
from bot.staff.kinds import ConversationRef
from bot.staff.router import Group, StaffRouter
from crm import attendance
from crm.staff import Permission

router = StaffRouter("block")


@router.command(
    "chan", "chặn", "block", usage="/chan <khách>", vi="chặn người quấy rối: không ai trả lời, không ai bị báo",
    group=Group.QUEUE, may=Permission.ANSWER, examples=("/chan 12",),
)  # fmt: skip
def block(ctx: StaffContext, customer: ConversationRef) -> None:
    """Answer this customer no more, after a preview that `/ok` confirms."""
    if not ctx.confirmed("block_preview", name=customer.name, about=str(customer.id)):
        return
    attendance.block(ctx.session, customer.id, ctx.now)
    if ctx.desk.entered_id == customer.id:
        ctx.put(entered_id=None, entered_until=None)
    ctx.audit("block", "conversation", customer.id)
    ctx.reply("blocked", name=customer.name)


@router.command(
    "bochan", "bỏ chặn", "bỏchặn", "unblock", usage="/bochan <khách>", vi="bỏ chặn, bot trả lời lại",
    group=Group.QUEUE, may=Permission.ANSWER, examples=("/bochan 12",),
)  # fmt: skip
def unblock(ctx: StaffContext, customer: ConversationRef) -> None:
    """Let the bot answer this customer again."""
    changed = attendance.unblock(ctx.session, customer.id)
    ctx.audit("unblock", "conversation", customer.id)
    ctx.reply("unblocked", name=customer.name, changed=changed)
