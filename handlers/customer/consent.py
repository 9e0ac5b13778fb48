"""Marketing: a customer ends or allows it in one word, whoever holds the conversation."""

from __future__ import annotations

from bot.context import Context
from bot.router import Router
from crm import consent
from crm.events import Inbound

router = Router("consent")


@router.intent("consent.stop", while_held=True)
@router.button("stop", while_held=True)
def stop(ctx: Context) -> None:
    """No more marketing from now on."""
    _note(ctx, granted=False)
    ctx.reply("consent/stopped")


@router.intent("consent.start", while_held=True)
@router.button("start", while_held=True)
def start(ctx: Context) -> None:
    """Marketing is welcome (again)."""
    _note(ctx, granted=True)
    ctx.reply("consent/started")


def _note(ctx: Context, *, granted: bool) -> None:
    consent.say(
        ctx.session,
        ctx.customer.customer_id,
        granted=granted,
        at=min(ctx.event.at, ctx.now),
        channel=ctx.customer.channel,
        wording=ctx.text or "button",
        message_id=ctx.event.message_id if isinstance(ctx.event, Inbound) else "",
    )
