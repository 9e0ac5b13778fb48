"""People of the brand: how a customer gets to talk with one, and what only they can do."""

from __future__ import annotations

from bot.context import Context
from bot.router import Router
from bot.understanding import understand
from crm import attendance
from crm.calls import TYPED_WITHIN
from crm.conversations import Reason
from storage.conversations import STAFF

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


@router.held
def tell_opening(ctx: Context) -> None:
    """Who writes to staff while the shop is closed hears once when it opens; not where staff wrote a moment ago."""
    state = ctx.conversation
    is_ours = state.holder == STAFF and state.waiting_since is not None
    is_typed = state.last_staff_at is not None and ctx.now - state.last_staff_at < TYPED_WITHIN
    if not is_ours or is_typed or understand(ctx.text).intent == "thanks":
        return
    away = ctx.away()
    if away:
        ctx.reply("person/away", away=away)


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
