"""Marketing and care: a customer ends or allows them in a few words or by a button, whoever holds the conversation."""

from __future__ import annotations

from datetime import timedelta

from bot.context import Context
from bot.phrases import BOOK
from bot.router import PREFIX, Router
from bot.spelling import words
from crm import consent, terms
from crm.consent import CARE, MARKETING, Standing, Terms, Way
from crm.content import OPT_OUT
from crm.events import Inbound
from crm.messages import Purpose

router = Router("consent")

ADVERTISED = timedelta(days=30)
"""For how long somebody may answer an advertisement that is the last they heard."""
_STOP, *_ = words("dừng")
_BUTTONS = {MARKETING: "promotions", CARE: "care"}


@router.intent("consent.stop", while_held=True)
def stop(ctx: Context) -> None:
    """No more marketing and care from now on."""
    consent.stop(
        ctx.session, ctx.customer.customer_id, at=min(ctx.event.at, ctx.now), channel=ctx.customer.channel,
        wording=ctx.text, message_id=_message_id(ctx),
    )  # fmt: skip
    ctx.reply("consent/stopped")


def takes_bare_stop(ctx: Context) -> bool:
    """Whether "dung", which may mean "right" or "use" as well, ends an advertisement: it answers one that asks for it.

    So does "dùng", which is "dừng" with a letter missed.
    """
    said = [word for word in words(ctx.text) if not BOOK.is_small(word)]
    if len(said) != 1 or not said[0].may_mean(_STOP):
        return False
    asked = ctx.last_reply(ADVERTISED)
    if asked is None or not asked.text.endswith(tuple(OPT_OUT.values())):
        return False
    stop(ctx)
    return True


@router.intent("consent.start", while_held=True)
@router.button("promotions", while_held=True)
def start(ctx: Context) -> None:
    """Marketing is welcome (again). Whether care is, which they took back, too, is asked by a button of its own."""
    _agree(ctx, MARKETING)
    if _care(ctx) is Standing.WITHDRAWN:
        _ask(ctx, CARE, "consent/started")
    else:
        ctx.reply("consent/started")


@router.button("care", while_held=True)
def start_care(ctx: Context) -> None:
    """Messages of care are welcome (again)."""
    _agree(ctx, CARE)
    ctx.reply("consent/care_started")


@router.intent("consent.offer")
def offer(ctx: Context) -> None:
    """A word that does not say what it is for is no consent yet: ask by a button."""
    _ask(ctx, MARKETING)


def _ask(ctx: Context, purpose: str, template: str = "consent/offer") -> None:
    """Say what they would get, and keep the very words: their yes will name them."""
    said = terms.offer(purpose, ctx.locale, int(ctx.templates.shop.get("per_week", 0)))._asdict()
    values = {"purpose": purpose, **said}
    text = ctx.templates.render(template, ctx.locale, ctx.customer.channel, {**values, "press": ""}).text
    version = consent.offered(ctx.session, Terms("", purpose, ctx.locale, text, **said, since=ctx.now))
    ctx.reply(template, **values, press=f"{PREFIX}{_BUTTONS[purpose]}:{version}")


def _agree(ctx: Context, purpose: str) -> None:
    is_press = not ctx.text
    consent.say(
        ctx.session, ctx.customer.customer_id, granted=True, at=min(ctx.event.at, ctx.now), purpose=purpose,
        channel=ctx.customer.channel, way=Way.BUTTON if is_press else Way.WORD,
        terms=consent.known_terms(ctx.session, ctx.argument) if is_press else None,
        wording=ctx.text or f"{PREFIX}{_BUTTONS[purpose]}", message_id=_message_id(ctx),
    )  # fmt: skip


def _care(ctx: Context) -> Standing:
    customer_id = ctx.customer.customer_id
    return consent.standing(ctx.session, [customer_id], Purpose.CARE, ctx.customer.channel)[customer_id]


def _message_id(ctx: Context) -> str:
    return ctx.event.message_id if isinstance(ctx.event, Inbound) else ""
