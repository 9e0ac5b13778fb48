"""Linking: the person in the chat and the customer of the POS become one, by a shared number or a printed code."""

from __future__ import annotations

from datetime import timedelta

from bot.context import Context
from bot.router import SMALL_TALK, Router
from bot.understanding import SURE, understand
from crm import customers, loyalty, phones
from crm.customers import Join
from crm.events import ContactShared

router = Router("link")

CODE_WITHIN = timedelta(minutes=30)
CODE_LENGTH = 8

_NO_WISH = SMALL_TALK | {"yes", "no"}


@router.intent("loyalty.link")
@router.button("link")
def start(ctx: Context) -> None:
    """Ask for the platform's own number, or for the code on a receipt."""
    ctx.ask("link/how", then=enter_code, within=CODE_WITHIN)


@router.answer
def enter_code(ctx: Context) -> bool:
    """Join by the code; a typed phone number proves nothing and is not taken, and another wish is not a code."""
    if phones.normalise(ctx.text):
        ctx.ask("link/typed_phone", then=enter_code, within=CODE_WITHIN)
    elif sum(letter.isalnum() for letter in ctx.text) == CODE_LENGTH:
        join = customers.join_by_code(ctx.session, ctx.customer, ctx.text, ctx.now)
        if join is Join.NO_MATCH:
            ctx.ask("link/wrong_code", then=enter_code, within=CODE_WITHIN)
        else:
            _tell(ctx, join)
    else:
        meaning = understand(ctx.text)
        if meaning.intent == "no" and meaning.confidence >= SURE:
            ctx.reply("welcome/left")
        elif meaning.intent and meaning.intent not in _NO_WISH:
            return False
        else:
            ctx.ask("link/not_a_code", then=enter_code, within=CODE_WITHIN)
    return True


@router.on(ContactShared, while_held=True)
def join_by_phone(ctx: Context) -> None:
    """Join by the number that the platform handed over."""
    assert isinstance(ctx.event, ContactShared)
    ctx.remember()
    phone = phones.normalise(ctx.event.phone)
    if phone is None:
        ctx.reply("link/bad_phone")
    else:
        _tell(ctx, customers.join_by_phone(ctx.session, ctx.customer, phone, ctx.now))


def _tell(ctx: Context, join: Join) -> None:
    language = ctx.locale
    ctx.reload()
    ctx.speaks(language)
    match join:
        case Join.JOINED | Join.ALREADY:
            balance = loyalty.balance(ctx.session, ctx.customer.customer_id)
            ctx.reply("link/linked", new=join is Join.JOINED, balance=balance)
        case Join.NO_MATCH:
            ctx.reply("link/no_match")
        case Join.AMBIGUOUS | Join.REFUSED:
            ctx.reply("link/for_staff")
