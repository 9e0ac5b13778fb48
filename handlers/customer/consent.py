"""Marketing: a customer ends or allows it in a few words, whoever holds the conversation."""

from __future__ import annotations

from bot.context import Context
from bot.router import PREFIX, Router
from crm import consent
from crm.events import Inbound

router = Router("consent")


@router.intent("consent.stop", while_held=True)
def stop(ctx: Context) -> None:
    """No more marketing from now on."""
    consent.stop(ctx.session, ctx.customer.customer_id, at=min(ctx.event.at, ctx.now), **_said(ctx))
    ctx.reply("consent/stopped")


@router.intent("consent.start", while_held=True)
@router.button("promotions", while_held=True)
def start(ctx: Context) -> None:
    """Marketing is welcome (again)."""
    consent.say(ctx.session, ctx.customer.customer_id, granted=True, at=min(ctx.event.at, ctx.now), **_said(ctx))
    ctx.reply("consent/started")


@router.intent("consent.offer")
def offer(ctx: Context) -> None:
    """A word that does not say what it is for is no consent yet: ask by a button."""
    ctx.reply("consent/offer")


def _said(ctx: Context) -> dict[str, str]:
    """Where it was said, in which words, in which message."""
    message_id = ctx.event.message_id if isinstance(ctx.event, Inbound) else ""
    return {
        "channel": ctx.customer.channel,
        "wording": ctx.text or f"{PREFIX}promotions",
        "message_id": message_id,
    }
