"""What the bot did not understand: maybe a receipt's code, or a bare no; first the menu, then a person."""

from __future__ import annotations

from datetime import timedelta

from bot.context import Context
from bot.router import Router
from bot.understanding import understand
from crm.conversations import MISSES_BEFORE_PERSON, Reason
from handlers.customer import consent, link, person, referral

router = Router("fallback")

OFFER_WITHIN = timedelta(hours=2)


@router.fallback
def not_understood(ctx: Context) -> None:
    """It may be a receipt's code, or answer an advertisement. Else admit it, offer the menu; the second time in a row,
    call a person."""
    if link.takes_code(ctx) or referral.takes_code(ctx) or consent.takes_bare_stop(ctx):
        ctx.understood()
    elif ctx.missed() >= MISSES_BEFORE_PERSON or ctx.data.get("offered"):
        ctx.call_person(Reason.MISSED)
        ctx.ask("fallback/person", then=take_offer, within=OFFER_WITHIN, data={"offered": True})
    else:
        ctx.reply("fallback/menu")


@router.answer
def take_offer(ctx: Context) -> bool:
    """A yes calls a person, a no leaves it there; everything else does not answer the offer."""
    intent = understand(ctx.text).intent
    if intent == "yes":
        person.call_person(ctx)
    elif intent == "no":
        ctx.content()
        ctx.reply("welcome/left")
    else:
        return False
    return True
