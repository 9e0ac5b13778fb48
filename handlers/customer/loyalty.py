"""Points, and what is asked about offers."""

from __future__ import annotations

from bot.context import Context
from bot.router import Router
from crm import loyalty

router = Router("loyalty")


@router.intent("loyalty.balance", leaves_dialog=True)
@router.button("points")
def show_balance(ctx: Context) -> None:
    """Tell the customer what they hold, and how to link where the shop does not know them here yet."""
    ctx.reply(
        "loyalty/balance",
        balance=loyalty.balance(ctx.session, ctx.customer.customer_id),
        linked=ctx.customer.external_id is not None,
    )


@router.intent("loyalty.offers")
def tell_of_offers(ctx: Context) -> None:
    """Offers are not known here: say so, and name who knows."""
    ctx.reply("loyalty/offers")
