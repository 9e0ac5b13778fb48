"""A customer's own data: the wish to be forgotten, and its withdrawal, whoever holds the conversation."""

from __future__ import annotations

from datetime import timedelta

from bot.context import Context
from bot.router import Router
from bot.understanding import understand
from crm import consent

router = Router("privacy")

CONFIRM_WITHIN = timedelta(minutes=30)


@router.intent("data.erase", while_held=True)
def ask_erasure(ctx: Context) -> None:
    """Ask once whether it is meant; beside staff, and where it was said before, note it."""
    said_before = "erase" in ctx.data or consent.awaits_erasure(ctx.session, ctx.customer.customer_id)
    if said_before or ctx.conversation.staff_holds:
        note_erasure(ctx)
    else:
        ctx.ask("privacy/confirm", then=confirm_erasure, within=CONFIRM_WITHIN, data={"erase": True})


@router.answer
def confirm_erasure(ctx: Context) -> bool:
    """A yes notes the request, a no leaves it there; everything else does not answer the question."""
    intent = understand(ctx.text).intent
    if intent in ("yes", "data.confirm"):
        note_erasure(ctx)
    elif intent == "no":
        ctx.reply("privacy/kept", withdrawn=False)
    else:
        return False
    return True


@router.button("erase", while_held=True)
def note_erasure(ctx: Context) -> None:
    """Note the request, and say by when it is answered and done (Decree 356/2025: 2 working days, 20 days)."""
    first = consent.request_erasure(ctx.session, ctx.customer.customer_id, ctx.customer.identity_id, ctx.now)
    ctx.reply("privacy/erasure", first=first)


@router.intent("data.keep", while_held=True)
def keep_data(ctx: Context) -> None:
    """Withdraw the request, if one is open."""
    withdrawn = consent.withdraw_erasure(ctx.session, ctx.customer.customer_id)
    ctx.reply("privacy/kept", withdrawn=withdrawn)
