"""Looking things up: orders by their code or their customer, tickets, the points of somebody."""

from __future__ import annotations

from bot.staff.context import StaffContext
from bot.staff.grammar import first_word
from bot.staff.kinds import KINDS, CustomerRef, Text, TicketRef, customer
from bot.staff.router import Group, StaffRouter
from crm import orders, tickets
from crm.errors import CrmError, NotFound
from crm.staff import Permission
from storage import customers

router = StaffRouter("lookup")

SHOWN = 5


@router.command(
    "don", "đơn", "order", usage="/don <mã đơn | khách>", vi="tra đơn theo mã, hoặc các đơn gần đây của khách",
    group=Group.CUSTOMER, may=Permission.LOOK_UP, examples=("/don MT1006", "/don 12", "/don 0901234501"),
)  # fmt: skip
def show_orders(ctx: StaffContext, which: Text | None = None) -> None:
    """Look up an order by its code, or a customer's last ones."""
    code, rest = first_word(which or "")
    found = orders.with_code(ctx.session, which) if which else []
    if found:
        rows = [(order, orders.items(order), customer(ctx, order.customer_id).name) for order in found[:SHOWN]]
        ctx.reply("orders_by_code", rows=rows)
        return
    whose = _whose(ctx, code if not rest else "")
    if whose is None:
        named = which or ""
        raise NotFound(f"Không có đơn hay khách “{named}”.", f"No order and no customer is “{named}”.")
    ctx.reply("orders", name=whose.name, orders=orders.recent(ctx.session, whose.id, SHOWN))


def _whose(ctx: StaffContext, word: str) -> CustomerRef | None:
    kind = KINDS[CustomerRef]
    assert kind.implied is not None
    if not word:
        implied: CustomerRef | None = kind.implied(ctx)
        return implied
    try:
        found: CustomerRef = kind.read(ctx, word)[0]
    except CrmError:
        return None
    return found


@router.command(
    "phieu", "phiếu", "ticket", "tickets", usage="/phieu [T12]", vi="phiếu đang chờ, hoặc một phiếu",
    group=Group.TICKET, may=Permission.LOOK_UP, examples=("/phieu", "/phieu T12"),
)  # fmt: skip
def show_tickets(ctx: StaffContext, ticket: TicketRef | None = None) -> None:
    """List the tickets that wait for us, or show one."""
    if ticket is None:
        rows = [(row, customer(ctx, row.customer_id).name) for row in tickets.waiting(ctx.session, SHOWN * 2)]
        ctx.reply("tickets", rows=rows)
        return
    (number,) = ctx.numbers("conversation", [ticket.row.conversation_id])
    known = customers.person(ctx.session, ticket.row.conversation_id)
    ctx.reply(
        "ticket",
        row=ticket.row,
        name=customer(ctx, ticket.row.customer_id).name,
        channel=known.channel if known else "",
        photos=len(tickets.photos(ctx.session, ticket.id)),
        number=number,
    )
