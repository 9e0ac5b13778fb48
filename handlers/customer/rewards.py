"""Rewards in the chat: what can be taken for points, taking it after a look at what it costs, vouchers, stamp cards."""

from __future__ import annotations

import secrets
from datetime import timedelta

from bot.context import Context
from bot.router import Router
from bot.understanding import understand
from crm import loyalty, rewards, stamps, voucher_cards, vouchers, words
from crm.errors import CrmError
from crm.ledger import Fact
from crm.rewards import Why
from crm.vouchers import VoucherRow
from handlers.customer.loyalty import is_linked

router = Router("rewards")

WITHIN = timedelta(minutes=30)

_SHOWN = 10
_LONGEST_WISH = 16


@router.intent("rewards.show", leaves_dialog=True)
@router.button("rewards")
def show_catalogue(ctx: Context) -> None:
    """List the rewards with their prices; a number or a button chooses one."""
    if not is_linked(ctx):
        return
    found = rewards.catalogue(ctx.session, ctx.customer.customer_id, ctx.now)
    offers = found.offers[:_SHOWN]
    if not offers:
        ctx.reply("rewards/nothing")
        return
    codes = [offer.reward.code for offer in offers]
    open_ones = tuple((n, offer.reward.code) for n, offer in enumerate(offers, 1) if offer.why is Why.OPEN)[:3]
    ctx.ask(
        "rewards/catalogue", then=choose, within=WITHIN, data={"codes": codes}, points=found.spendable,
        frozen=found.frozen, offers=offers, open_ones=open_ones,
    )  # fmt: skip


@router.answer
def choose(ctx: Context) -> bool:
    """A number of the list; what else is said is no choice."""
    said, codes = ctx.text.strip().removeprefix("#"), ctx.data["codes"]
    if not (said.isascii() and said.isdecimal() and len(said) < 3 and 0 < int(said) <= len(codes)):
        return False
    _preview(ctx, codes[int(said) - 1])
    return True


@router.button("reward")
def preview(ctx: Context) -> None:
    """Show what a reward costs and leaves, and ask whether to take it."""
    if is_linked(ctx):
        _preview(ctx, ctx.argument)


@router.answer
def confirm(ctx: Context) -> bool:
    """A yes takes what was shown, a no leaves it; everything else does not answer the question."""
    intent = understand(ctx.text).intent
    if intent == "yes" or words.plain(ctx.text) in ("doi", "doi ngay", "doi luon", "redeem", "take it"):
        _take(ctx, ctx.data["wish"])
    elif intent == "no":
        ctx.reply("rewards/left")
    else:
        return False
    return True


@router.button("take")
def take(ctx: Context) -> None:
    """Take what was shown. However often the button is pressed, once."""
    if is_linked(ctx):
        _take(ctx, ctx.argument)


@router.intent("rewards.mine", leaves_dialog=True)
@router.button("vouchers")
def show_vouchers(ctx: Context) -> None:
    """Tell the customer's vouchers that still count, with their codes; one alone as a picture, too."""
    if is_linked(ctx):
        found = vouchers.of_customer(ctx.session, ctx.customer.customer_id, ctx.now)
        cards = [voucher_cards.card(ctx.session, each, ctx.locale, ctx.now) for each in found]
        ctx.reply("rewards/mine", vouchers=tuple(zip(found, cards, strict=True)))


@router.button("voucher")
def show_voucher(ctx: Context) -> None:
    """Show one of the customer's vouchers as a picture, with its code below."""
    if is_linked(ctx):
        found = vouchers.of_customer(ctx.session, ctx.customer.customer_id, ctx.now)
        one = next((each for each in found if str(each.id) == ctx.argument), None)
        if one is None:
            show_vouchers(ctx)
        else:
            _show_voucher(ctx, one, "rewards/voucher")


@router.intent("rewards.stamps", leaves_dialog=True)
@router.button("stamps")
def show_stamps(ctx: Context) -> None:
    """Tell how many stamps the customer's cards have, and how many are missing."""
    if is_linked(ctx):
        ctx.reply("rewards/stamps", cards=tuple(stamps.standings(ctx.session, ctx.customer.customer_id, ctx.now)))


def _preview(ctx: Context, code: str) -> None:
    customer = ctx.customer.customer_id
    try:
        offer = rewards.offer(ctx.session, customer, code, ctx.now)
    except CrmError as error:
        ctx.reply("rewards/refused", words=error.words(ctx.locale))
        return
    card = loyalty.card(ctx.session, customer, ctx.now)
    if offer.why is not Why.OPEN or card.frozen:
        ctx.reply("rewards/not_now", offer=offer, frozen=card.frozen)
        return
    wish = f"{code}:{offer.reward.points}:{secrets.token_hex(4)}"
    ctx.ask(
        "rewards/preview", then=confirm, within=WITHIN, data={"wish": wish}, offer=offer, wish=wish,
        left=card.spendable - (offer.reward.points or 0),
    )  # fmt: skip


def _take(ctx: Context, wish: str) -> None:
    """Take a wish, `reward:price:mark`; the mark tells one wish from another, however often it is sent."""
    code, _, rest = wish.partition(":")
    price, _, mark = rest.partition(":")
    if not (price.isascii() and price.isdecimal() and len(price) < 12 and 0 < len(mark) <= _LONGEST_WISH):
        show_catalogue(ctx)
        return
    fact = Fact(key=f"chat:{ctx.customer.identity_id}:{mark}", now=ctx.now, actor="customer")
    try:
        voucher, _ = rewards.take(ctx.session, ctx.customer.customer_id, code, fact, int(price))
    except CrmError as error:
        ctx.reply("rewards/refused", words=error.words(ctx.locale))
        return
    _show_voucher(ctx, voucher, "rewards/taken")


def _show_voucher(ctx: Context, voucher: VoucherRow, template: str) -> None:
    """A voucher with its picture."""
    ctx.reply(template, voucher=voucher, card=voucher_cards.card(ctx.session, voucher, ctx.locale, ctx.now))
