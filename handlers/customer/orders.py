"""Orders: the last ones, or one by its code; only the asker's own."""

from __future__ import annotations

from bot.context import Context
from bot.router import Router
from crm import orders
from crm.orders import OrderRow
from handlers.customer import link, referral, support

router = Router("orders")


@router.intent("order.status", "order.list", leaves_dialog=True)
@router.button("orders")
def show_orders(ctx: Context) -> None:
    """Tell how far the customer's orders are."""
    if "order_code" in ctx.slots:
        _show_one(ctx, ctx.slots["order_code"], ctx.slots.get("order_number", ""))
        return
    recent = orders.recent(ctx.session, ctx.customer.customer_id)
    if recent:
        ctx.reply("orders/recent", orders=recent)
    else:
        ctx.reply("orders/none", linked=ctx.customer.external_id is not None)


def _show_one(ctx: Context, code: str, number: str) -> None:
    """Somebody else's order and one that does not exist are answered alike.

    `#12` and `T12` may be the customer's ticket, too, and what looks like an order's code the one on their receipt.
    """
    order = _own(ctx, code) or (_own(ctx, number) if number else None)
    if order is not None:
        ctx.reply("orders/one", order=order, items=orders.items(order))
    elif not (support.show_ticket(ctx, code) or link.takes_code(ctx) or referral.takes_code(ctx)):
        ctx.reply("orders/not_found", code=code, linked=ctx.customer.external_id is not None)


def _own(ctx: Context, code: str) -> OrderRow | None:
    return orders.by_code(ctx.session, ctx.customer.customer_id, code)
