"""Points: what a customer holds, how that came about and why, and what is asked about offers."""

from __future__ import annotations

from bot.context import Context
from bot.router import Router
from crm import loyalty, member_cards, orders
from crm.ledger import SPEND
from crm.orders import OrderRow

router = Router("loyalty")

_SHOWN = 8


@router.intent("loyalty.balance", leaves_dialog=True)
@router.button("points")
def show_balance(ctx: Context) -> None:
    """Tell the customer what they hold, what comes and goes next, and what is missing to the next tier."""
    if is_linked(ctx):
        ctx.reply("loyalty/balance", card=loyalty.card(ctx.session, ctx.customer.customer_id, ctx.now))


@router.intent("loyalty.history", leaves_dialog=True)
@router.button("history")
def show_history(ctx: Context) -> None:
    """Tell in plain words how the points came and went."""
    if is_linked(ctx):
        entries = loyalty.history(ctx.session, ctx.customer.customer_id, _SHOWN)
        ctx.reply("loyalty/history", lines=loyalty.told(ctx.session, entries, ctx.now))


@router.intent("loyalty.why", leaves_dialog=True)
@router.button("why")
def tell_why(ctx: Context) -> None:
    """Say rule by rule what an order earned: the one that is named, else the last one that moved points."""
    if not is_linked(ctx):
        return
    order = _asked(ctx)
    if order is None:
        ctx.reply("loyalty/no_why")
        return
    reckoning, entries = loyalty.explain(ctx.session, order)
    ctx.reply(
        "loyalty/why",
        order=order,
        total=reckoning.purchase.total,
        earns=reckoning.earns,
        steps=tuple(step for step in reckoning.evaluation.steps if step.currency == SPEND),
        points=sum(entry.points for entry in entries),
    )


@router.intent("loyalty.card", leaves_dialog=True)
def show_card(ctx: Context) -> None:
    """Show the member's card as a picture, and the same in words below it."""
    if is_linked(ctx):
        card = member_cards.card(ctx.session, ctx.customer.customer_id, ctx.locale, ctx.now)
        ctx.reply("loyalty/member_card", card=card)


@router.intent("loyalty.offers")
def tell_of_offers(ctx: Context) -> None:
    """Offers are not known here: say so, and name who knows."""
    ctx.reply("loyalty/offers")


def is_linked(ctx: Context) -> bool:
    """Whether this chat is a customer's of the shop; else it is told how to become so, and nothing else."""
    linked = ctx.customer.external_id is not None
    if not linked:
        ctx.reply("loyalty/not_linked")
    return linked


def _asked(ctx: Context) -> OrderRow | None:
    customer = ctx.customer.customer_id
    if "order_code" in ctx.slots:
        return orders.by_code(ctx.session, customer, ctx.slots["order_code"])
    return loyalty.last_order(ctx.session, customer)
