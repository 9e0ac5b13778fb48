"""A customer's own data: the wish to be forgotten is noted and acknowledged."""

from __future__ import annotations

from bot.context import Context
from bot.router import Router
from crm import consent

router = Router("privacy")


@router.intent("data.erase", leaves_dialog=True)
def ask_erasure(ctx: Context) -> None:
    """Note the request, and say by when it is answered and done (Decree 356/2025: 2 working days, 20 days)."""
    first = consent.request_erasure(ctx.session, ctx.customer.customer_id, ctx.customer.identity_id, ctx.now)
    ctx.reply("privacy/erasure", first=first)
