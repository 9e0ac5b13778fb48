"""What the bot did not understand: first the menu, then a person."""

from __future__ import annotations

from bot.context import Context
from bot.router import Router
from crm.conversations import MISSES_BEFORE_PERSON

router = Router("fallback")


@router.fallback
def not_understood(ctx: Context) -> None:
    """Admit it, and offer the menu; from the second time in a row on, a person."""
    ctx.reply("fallback/person" if ctx.missed() >= MISSES_BEFORE_PERSON else "fallback/menu")
