"""Support requests in the chat: those that wait, one in full, what it is about, how urgent it is."""

from __future__ import annotations

from bot.staff.context import StaffContext
from bot.staff.kinds import TicketRef, customer
from bot.staff.router import Group, StaffRouter
from crm import ratings, sla, tickets
from crm.categories import TABLE, Category
from crm.sla import Priority
from crm.staff import Permission
from storage import customers

router = StaffRouter("tickets")

SHOWN = 10


@router.command(
    "phieu", "phiếu", "ticket", "tickets", usage="/phieu [T12]", vi="phiếu đang chờ, hoặc một phiếu",
    group=Group.TICKET, may=Permission.LOOK_UP, examples=("/phieu", "/phieu T12"),
)  # fmt: skip
def show_tickets(ctx: StaffContext, ticket: TicketRef | None = None) -> None:
    """List the tickets that wait for us, or show one."""
    if ticket is None:
        rows = [(row, customer(ctx, row.customer_id).name) for row in tickets.waiting(ctx.session, SHOWN)]
        ctx.reply("tickets", rows=rows)
        return
    (number,) = ctx.numbers("conversation", [ticket.row.conversation_id])
    known = customers.person(ctx.session, ticket.row.conversation_id)
    ctx.reply(
        "ticket",
        row=ticket.row,
        about=TABLE[Category(ticket.row.category)],
        name=customer(ctx, ticket.row.customer_id).name,
        channel=known.channel if known else "",
        photos=len(tickets.photos(ctx.session, ticket.id)),
        answer_by=sla.promises(ctx.session, [ticket.id]).get(ticket.id),
        end_by=sla.ends(ctx.session, [ticket.id]).get(ticket.id),
        rating=ratings.find(ctx.session, ticket.id),
        number=number,
        now=ctx.now,
    )


@router.command(
    "loai", "loại", "category", usage="/loai <T12> [1–8]", vi="phiếu nói về việc gì: xem hoặc sửa bằng một phím",
    group=Group.TICKET, may=Permission.ANSWER, examples=("/loai T12", "/loai T12 3"),
)  # fmt: skip
def set_category(ctx: StaffContext, ticket: TicketRef, category: Category | None = None) -> None:
    """Show or correct what a ticket is about, by one key."""
    if category is None:
        about = TABLE[Category(ticket.row.category)]
        ctx.reply("ticket_categories", number=ticket.id, about=about, table=list(TABLE.values()))
        return
    changed = tickets.correct_category(ctx.session, ticket.id, category)
    ctx.audit("ticket.category", "ticket", ticket.id, category)
    ctx.reply("ticket_about", number=ticket.id, about=TABLE[category], changed=changed)


@router.command(
    "uutien", "ưu tiên", "ưutiên", "priority", usage="/uutien <T12> <gấp | cao | thường | thấp>",
    vi="phiếu gấp tới đâu, hẹn đổi theo", group=Group.TICKET, may=Permission.ANSWER, examples=("/uutien T12 gấp",),
)  # fmt: skip
def set_priority(ctx: StaffContext, ticket: TicketRef, priority: Priority) -> None:
    """Say how urgent a ticket is; its promises move with it."""
    changed = tickets.set_priority(ctx.session, ticket.id, priority, ctx.now, ctx.office.policy)
    ctx.audit("ticket.priority", "ticket", ticket.id, priority)
    by = sla.promises(ctx.session, [ticket.id]).get(ticket.id)
    ctx.reply("ticket_priority", number=ticket.id, priority=priority, changed=changed, by=by)
