"""The shop itself: when it is open, where it is, how to call it."""

from __future__ import annotations

from bot.context import Context
from bot.router import Router

router = Router("shop")


@router.intent("shop.hours", leaves_dialog=True)
def tell_hours(ctx: Context) -> None:
    """When the shop is open."""
    ctx.reply("shop/about", asked="hours")


@router.intent("shop.address", leaves_dialog=True)
def tell_address(ctx: Context) -> None:
    """Where the shop is, and how to call it."""
    ctx.reply("shop/about", asked="address")


@router.button("shop")
def tell_all(ctx: Context) -> None:
    """Everything that the shop says about itself."""
    ctx.reply("shop/about", asked="")
