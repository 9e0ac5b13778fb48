"""The first words, the menu and the way back to it, the language, thanks, nods and goodbyes."""

from __future__ import annotations

from datetime import timedelta

from bot.context import Context
from bot.router import Router
from bot.spelling import words
from bot.understanding import understand
from crm.events import Followed
from handlers.customer import referral, support

router = Router("welcome")

ANSWERED_FOR = timedelta(hours=1)


@router.on(Followed)
@router.intent("greeting")
@router.button("GET_STARTED")
def welcome(ctx: Context) -> None:
    """Say who answers here and what it can do; to who came by a friend's link, what that brings."""
    origin = getattr(ctx.event, "origin", None)
    if origin is not None:
        referral.greet(ctx, origin.ref)
    ctx.reply("welcome/hello", name=ctx.customer.customer_name)


@router.intent("menu", while_held=True)
@router.button("menu", while_held=True)
def show_menu(ctx: Context) -> None:
    """Show what the bot can do; also the customer's own way back from staff to the bot."""
    if ctx.conversation.is_blocked:
        return
    if ctx.conversation.staff_holds:
        ctx.hand_back()
    ctx.reply("welcome/menu")


@router.intent("thanks")
def thank_back(ctx: Context) -> None:
    """A friendly end; a heart after the bot's last word needs none, nor does who is done sending photos."""
    shade = understand(ctx.text).shade
    is_done = _keep_photos(ctx) and shade == "done"
    if not is_done and (words(ctx.text) or not _has_last_word(ctx)):
        ctx.reply("welcome/goodbye" if shade == "goodbye" else "welcome/thanks")


@router.intent("yes")
def nod(ctx: Context) -> None:
    """An "ok" to the bot's last word needs no answer; one that may mean more gets a short one."""
    _keep_photos(ctx)
    if not _has_last_word(ctx):
        ctx.reply("welcome/ready")


@router.intent("language.english")
def speak_english(ctx: Context) -> None:
    """Answer in English from now on."""
    ctx.speaks("en")
    ctx.reply("welcome/language")


@router.intent("language.vietnamese")
def speak_vietnamese(ctx: Context) -> None:
    """Answer in Vietnamese from now on."""
    ctx.speaks("vi")
    ctx.reply("welcome/language")


@router.intent("cancel", leaves_dialog=True)
def leave(ctx: Context) -> None:
    """Nothing is asked any more, and what was told is dropped."""
    ctx.data = {}
    ctx.reply("welcome/left")


def _keep_photos(ctx: Context) -> bool:
    """Remember the photos that were just sent for longer; whether there are any."""
    photos = ctx.data.get("photos")
    if photos:
        ctx.keep({"photos": photos}, support.PHOTOS_WITHIN)
    return bool(photos)


def _has_last_word(ctx: Context) -> bool:
    """Whether the bot spoke last, a moment ago, and neither asked nor offered anything."""
    last = ctx.last_reply(ANSWERED_FOR)
    return last is not None and not last.buttons and not last.text.endswith("?")
