"""People of the brand: how a customer gets to talk with one, and what only they can do."""

from __future__ import annotations

from bot.context import Context
from bot.router import Router
from crm import attendance
from crm.conversations import Reason

router = Router("person")


@router.intent("person", leaves_dialog=True)
@router.button("person")
def call_person(ctx: Context) -> None:
    """Hand over, and tell truthfully who will answer and when."""
    _hand_over(ctx, "person/handed_over", Reason.ASKED)


@router.angry
def calm(ctx: Context) -> None:
    """Who is angry talks to a person."""
    _hand_over(ctx, "person/angry", Reason.ANGRY)


@router.blocked
def refuse(ctx: Context) -> None:
    """Say once, politely, that nobody answers here; what is written is kept all the same."""
    if ctx.missed() == 1:
        ctx.reply("person/blocked")


def _hand_over(ctx: Context, template: str, reason: Reason) -> None:
    ctx.hand_over(reason)
    away = ctx.away()
    mine, since = ctx.customer.identity_id, ctx.conversation.waiting_since or ctx.now
    ahead = 0 if away else attendance.ahead(ctx.session, mine, since, ctx.now)
    ctx.reply(template, away=away, ahead=ahead)


@router.intent("order.buy")
def tell_who_sells(ctx: Context) -> None:
    """Products, prices and new orders are for people: say so, and offer one."""
    ctx.reply("person/to_order")
