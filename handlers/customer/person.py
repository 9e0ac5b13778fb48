"""People of the brand: how a customer gets to talk with one, and what only they can do."""

from __future__ import annotations

from bot.context import Context
from bot.router import Router
from storage import conversations

router = Router("person")


@router.intent("person", leaves_dialog=True)
@router.button("person")
def call_person(ctx: Context) -> None:
    """Hand over, and tell truthfully who will answer and when."""
    ctx.hand_over()
    away = ctx.away()
    ahead = 0 if away else conversations.waiting_before(ctx.session, ctx.conversation.waiting_since or ctx.now)
    ctx.reply("person/handed_over", away=away, ahead=ahead)


@router.intent("order.buy")
def tell_who_sells(ctx: Context) -> None:
    """Products, prices and new orders are for people: say so, and offer one."""
    ctx.reply("person/to_order")
