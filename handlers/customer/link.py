"""Linking: the person in the chat and the customer of the POS become one, by a shared number or a printed code."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.context import Context
from bot.router import SMALL_TALK, Router
from bot.understanding import SURE, Understanding, phone_in, understand
from crm import customers, loyalty, phones
from crm.customers import Join
from crm.events import ContactShared
from handlers.customer import support

router = Router("link")

CODE_WITHIN = timedelta(minutes=30)

_NO_OTHER_WISH = SMALL_TALK | {"", "yes", "no", "unclear", "loyalty.link", "loyalty.no_code"}


@router.intent("loyalty.link")
@router.button("link")
def start(ctx: Context) -> None:
    """Ask for the platform's own number, or for the code on a receipt, unless it stands there already."""
    code = customers.code_in(ctx.text)
    if code:
        _join_by_code(ctx, code, wishes_else=False)
    else:
        ctx.ask("link/how", then=enter_code, within=CODE_WITHIN)


@router.intent("loyalty.unlink")
def tell_who_unlinks(ctx: Context) -> None:
    """Ending a link is for people: say so, and offer one."""
    ctx.reply("link/unlink", linked=ctx.customer.external_id is not None)


def takes_code(ctx: Context) -> bool:
    """Join by a receipt's code that nobody asked for; False where the words hold none.

    Words are often eight letters long, so a code without a digit counts only alone, as does one that looks like an
    order's. If that stands for nobody, it is an order's to who is linked already.
    """
    code, meaning = customers.code_in(ctx.text), understand(ctx.text)
    is_alone = meaning.is_code_alone or len(ctx.text.split()) == 1
    if not code or not (is_alone or (not meaning.slots and any(map(str.isdigit, code)))):
        return False
    return _join_by_code(ctx, code, wishes_else=bool(meaning.slots) and ctx.customer.external_id is not None)


@router.answer
def enter_code(ctx: Context) -> bool:
    """Join by the code, wherever in the words it stands; a typed phone number proves nothing and is not taken.

    Another wish is no code, and is answered instead; so is what is not understood for the second time.
    """
    words = support.words_of(ctx)
    meaning = understand(words)
    wishes = _wishes_else(meaning)
    code = customers.code_in(words)
    if not code and meaning.is_code_alone and ctx.customer.external_id is None:
        code = next(filter(customers.looks_like_code, (words, meaning.slots["order_code"])), "")
    if code:
        return _join_by_code(ctx, code, wishes)
    if not wishes and _is_phone(words):
        _ask(ctx, "link/typed_phone")
        return True
    if not wishes and ctx.customer.external_id is None and customers.looks_like_code(words):
        return _join_by_code(ctx, words, wishes)
    if wishes or meaning.slots:
        return False
    return _ask_again(ctx, meaning)


@router.on(ContactShared, while_held=True)
def join_by_phone(ctx: Context) -> None:
    """Join by the number that the platform handed over; one typed into a form is taken no more than one in a line."""
    assert isinstance(ctx.event, ContactShared)
    if ctx.event.typed:
        if not ctx.conversation.staff_holds:
            ctx.ask("link/typed_phone", then=enter_code, within=CODE_WITHIN)
        return
    ctx.remember()
    phone = phones.normalise(ctx.event.phone)
    if phone is None:
        ctx.reply("link/bad_phone")
    else:
        _tell(ctx, customers.join_by_phone(ctx.session, ctx.customer, phone, ctx.now))


def _wishes_else(meaning: Understanding) -> bool:
    """Whether something else is wanted; a code alone may be an order's or the one that was asked for."""
    return not meaning.is_code_alone and meaning.intent not in _NO_OTHER_WISH


def _is_phone(words: str) -> bool:
    return any(map(phones.normalise, (words, phone_in(words))))


def _join_by_code(ctx: Context, code: str, wishes_else: bool) -> bool:
    join = customers.join_by_code(ctx.session, ctx.customer, code, ctx.now)
    if join is not Join.NO_MATCH:
        _tell(ctx, join)
    elif wishes_else:
        return False
    else:
        _ask(ctx, "link/wrong_code")
    return True


def _ask_again(ctx: Context, meaning: Understanding) -> bool:
    """Say what is awaited; of several photos in a row only the first is answered, and confusion only once."""
    before, photos = ctx.data.get("photos", []), support.photos_of(ctx)
    if meaning.intent == "no" and meaning.confidence >= SURE:
        ctx.reply("welcome/left")
    elif meaning.intent == "loyalty.link":
        start(ctx)
    elif meaning.intent == "loyalty.no_code":
        _ask(ctx, "link/no_code")
    elif photos:
        together = [*before, *photos][: support.MOST_PHOTOS]
        if before:
            ctx.expect(enter_code, CODE_WITHIN, {**ctx.data, "photos": together})
        else:
            _ask(ctx, "link/photo", photos=together)
    elif ctx.data.get("missed"):
        return False
    else:
        _ask(ctx, "link/not_a_code", missed=True)
    return True


def _ask(ctx: Context, template: str, **data: Any) -> None:
    ctx.ask(template, then=enter_code, within=CODE_WITHIN, data={**ctx.data, **data})


def _tell(ctx: Context, join: Join) -> None:
    language = ctx.locale
    ctx.reload()
    ctx.speaks(language)
    match join:
        case Join.JOINED | Join.ALREADY:
            balance = loyalty.card(ctx.session, ctx.customer.customer_id, ctx.now).spendable
            ctx.reply("link/linked", new=join is Join.JOINED, balance=balance)
        case Join.NO_MATCH:
            ctx.reply("link/no_match")
        case Join.OTHER_NUMBER:
            ctx.reply("link/other_number")
        case Join.AMBIGUOUS | Join.REFUSED:
            ctx.reply("link/for_staff")
