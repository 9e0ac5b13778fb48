"""Orders: the last ones, or one by its code; only the asker's own."""

from __future__ import annotations

from bot.context import Context
from bot.router import Router
from crm import orders
from handlers.customer import support

router = Router("orders")


@router.intent("order.status", "order.list", leaves_dialog=True)
@router.button("orders")
def show_orders(ctx: Context) -> None:
    """Tell how far the customer's orders are."""
    code = ctx.slots.get("order_code", "")
    if code:
        _show_one(ctx, code)
        return
    recent = orders.recent(ctx.session, ctx.customer.customer_id)
    if recent:
        ctx.reply("orders/recent", orders=recent)
    else:
        ctx.reply("orders/none", linked=ctx.customer.external_id is not None)


def _show_one(ctx: Context, code: str) -> None:
    """Somebody else's order and one that does not exist are answered alike. `#12` may be the customer's ticket, too."""
    order = orders.by_code(ctx.session, ctx.customer.customer_id, code)
    if order is None and code.isdigit() and support.is_ticket(ctx, int(code)):
        support.show_tickets(ctx)
    elif order is None:
        ctx.reply("orders/not_found", code=code, linked=ctx.customer.external_id is not None)
    else:
        ctx.reply("orders/one", order=order, items=orders.items(order))
