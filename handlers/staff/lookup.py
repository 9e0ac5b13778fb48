"""Looking orders up: by their code, or a customer's last ones."""

from __future__ import annotations

from bot.staff.context import StaffContext
from bot.staff.grammar import first_word
from bot.staff.kinds import KINDS, CustomerRef, Text, customer
from bot.staff.router import Group, StaffRouter
from crm import orders
from crm.errors import CrmError, NotFound
from crm.staff import Permission

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
