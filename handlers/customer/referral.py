"""Bringing friends: a member's code and link, and the first words of who comes by one."""

from __future__ import annotations

from datetime import timedelta

from bot.context import Context
from bot.router import Router
from bot.understanding import understand
from crm import referrals
from crm.referrals import REF, Word
from handlers.customer import support

router = Router("referral")

CODE_WITHIN = timedelta(minutes=30)


@router.intent("referral.invite", leaves_dialog=True)
def invite(ctx: Context) -> None:
    """Give a member their code and link; a friend's code that stands in the words is taken instead."""
    if takes_code(ctx):
        return
    offer = referrals.offer(ctx.session, ctx.now)
    if offer is None:
        ctx.reply("referral/none")
    elif ctx.customer.external_id is None:
        ctx.reply("referral/not_linked")
    else:
        code = referrals.code_of(ctx.session, ctx.customer.customer_id)
        link = ctx.channel.invitation(ctx.customer.account_id, f"{REF}{code}")
        brought = referrals.brought(ctx.session, ctx.customer.customer_id)
        ctx.reply("referral/invite", offer=offer, code=code, link=link, knows_code=code in link, brought=brought)


@router.intent("referral.enter")
def enter(ctx: Context) -> None:
    """Take a friend's code, or ask for it."""
    if not takes_code(ctx):
        ctx.ask("referral/how", then=enter_code, within=CODE_WITHIN)


@router.answer
def enter_code(ctx: Context) -> bool:
    """Take the code wherever in the words it stands; another wish is no code, and nor is what is wrong twice."""
    said = support.words_of(ctx)
    if _accepts(ctx, referrals.code_in(said)):
        return True
    meaning = understand(said)
    if (meaning.intent and not meaning.is_code_alone) or ctx.data.get("missed"):
        return False
    ctx.ask("referral/unknown", then=enter_code, within=CODE_WITHIN, data={"missed": True})
    return True


def greet(ctx: Context, ref: str) -> None:
    """Say what came of a friend's link; nothing where it is none."""
    _accepts(ctx, referrals.code_of_ref(ref))


def takes_code(ctx: Context) -> bool:
    """Take a friend's code that nobody asked for; False where the words hold none."""
    return _accepts(ctx, referrals.code_in(ctx.text))


def _accepts(ctx: Context, code: str) -> bool:
    if not code:
        return False
    word = referrals.accept(ctx.session, ctx.customer.customer_id, code, ctx.now)
    if word is Word.UNKNOWN:
        return False
    offer = referrals.offer(ctx.session, ctx.now)
    linked = ctx.customer.external_id is not None
    ctx.reply("referral/came", word=word.value, points=offer.friend if offer else 0, linked=linked)
    return True
