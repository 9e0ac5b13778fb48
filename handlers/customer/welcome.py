"""The first words, the menu, thanks, and the way back to it."""

from __future__ import annotations

from bot.context import Context
from bot.router import Router
from crm.events import Followed

router = Router("welcome")


@router.on(Followed)
@router.intent("greeting")
@router.button("GET_STARTED")
def welcome(ctx: Context) -> None:
    """Say who answers here and what it can do."""
    ctx.reply("welcome/hello", name=ctx.customer.customer_name)


@router.intent("menu", while_held=True)
@router.button("menu", while_held=True)
def show_menu(ctx: Context) -> None:
    """Show what the bot can do; also the customer's own way back from staff to the bot."""
    if ctx.conversation.staff_holds:
        ctx.hand_back()
    ctx.reply("welcome/menu")


@router.intent("thanks")
def thank_back(ctx: Context) -> None:
    """A friendly end."""
    ctx.reply("welcome/thanks")


@router.intent("cancel", leaves_dialog=True)
def leave(ctx: Context) -> None:
    """Nothing is asked any more."""
    ctx.reply("welcome/left")
