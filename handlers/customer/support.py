"""Support requests: opened by saying what happened, with photos before, meanwhile or soon after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.context import Context
from bot.router import Router
from bot.understanding import SURE, tells, understand
from crm import tickets
from crm.events import MediaKind, MediaReceived

router = Router("support")

Photos = Sequence[Mapping[str, str]]

DESCRIBE_WITHIN = timedelta(hours=2)
PHOTOS_WITHIN = timedelta(minutes=30)
MOST_PHOTOS = 10
SHOWN = 5
LOOKED_AT = 100

_SAYS_NOTHING = frozenset({"greeting", "thanks", "yes", "unclear"})
_SAYS_NO_MORE = frozenset({"thanks", "yes", "no"})
_DESCRIBES = frozenset({"support.open", "loyalty.no_code"})


@router.intent("support.open")
@router.button("support")
def open_support(ctx: Context) -> None:
    """Ask what happened. Words that say it already are kept, and with a photo they are enough."""
    photos: Photos = ctx.data.get("photos", ())
    words = words_of(ctx)
    if photos and tells(words):
        open_ticket(ctx, words, photos)
    else:
        _ask(ctx, _question(words), words, photos)


@router.answer
def describe(ctx: Context) -> bool:
    """Open the request with what the customer says; photos are collected until there are words.

    Who said before what is wrong needs no more than a photo, or a word that there is no more. A line that only says
    another wish is no description; words under a photo always are one.
    """
    said, photos = ctx.data.get("said", ""), [*ctx.data.get("photos", ()), *photos_of(ctx)][:MOST_PHOTOS]
    words = words_of(ctx)
    meaning = understand(words)
    is_sure = meaning.confidence >= SURE
    says_no_more = photos_of(ctx) if not words else meaning.intent in _SAYS_NO_MORE and is_sure
    if tells(said) and says_no_more:
        open_ticket(ctx, said, photos)
    elif meaning.intent == "no" and is_sure:
        ctx.reply("welcome/left")
    elif not words or (meaning.intent in _SAYS_NOTHING and is_sure):
        _ask(ctx, "support/photo_kept" if photos_of(ctx) else _question(said), said, photos)
    elif is_sure and ctx.text and meaning.intent not in _DESCRIBES:
        return False
    else:
        open_ticket(ctx, "\n".join(filter(None, (said, words))), photos)
    return True


@router.resumes(describe)
def keep_what_was_told(ctx: Context) -> None:
    """What somebody complained about is not lost by another wish in between."""
    said = ctx.data.get("said", "")
    if tells(said):
        _ask(ctx, "support/still_open", said, ctx.data.get("photos", ()))


@router.intent("support.status")
def show_tickets(ctx: Context) -> None:
    """Tell where the customer's own requests stand, or the one whose number they say."""
    number = ctx.slots.get("ticket", "")
    mine = () if number else tickets.of_customer(ctx.session, ctx.customer.customer_id, SHOWN)
    if mine:
        ctx.reply("support/status", tickets=mine)
    elif not number:
        ctx.reply("support/none")
    elif not show_ticket(ctx, number):
        ctx.reply("support/not_found", number=int(number))


def show_ticket(ctx: Context, number: str) -> bool:
    """Tell where one of the customer's own requests stands; False where none has this number."""
    if not number.isdigit():
        return False
    mine = tickets.of_customer(ctx.session, ctx.customer.customer_id, LOOKED_AT)
    found = [ticket for ticket in mine if ticket.id == int(number)]
    if found:
        ctx.reply("support/status", tickets=found)
    return bool(found)


def open_ticket(ctx: Context, words: str, photos: Photos) -> None:
    """Start a request, put the photos to it, and tell its number."""
    number = tickets.open(ctx.session, ctx.customer.customer_id, ctx.customer.identity_id, words, ctx.now)
    _attach(ctx, number, photos)
    ctx.call_person()
    ctx.reply("support/opened", number=number, photos=len(photos))


def attach_to_latest(ctx: Context, photos: Photos) -> int | None:
    """Put photos to the request that the customer opened a moment ago; its number, None where there is none."""
    latest = tickets.latest(ctx.session, ctx.customer.customer_id)
    if latest is None or ctx.now - latest.created_at > PHOTOS_WITHIN:
        return None
    _attach(ctx, latest.id, photos)
    return latest.id


def photos_of(ctx: Context) -> Photos:
    """The pictures of this event, as a dialog remembers them."""
    event = ctx.event
    if not isinstance(event, MediaReceived):
        return ()
    return [
        {"url": media.url, "message_id": event.message_id}
        for media in event.media
        if media.kind is MediaKind.IMAGE and media.url
    ]


def words_of(ctx: Context) -> str:
    """What the customer wrote, with or without a picture; "" for a pressed button."""
    return (ctx.event.text if isinstance(ctx.event, MediaReceived) else ctx.text).strip()


def _question(said: str) -> str:
    return "support/tell_more" if tells(said) else "support/what_happened"


def _ask(ctx: Context, template: str, said: str, photos: Photos) -> None:
    ctx.ask(template, then=describe, within=DESCRIBE_WITHIN, data={"said": said, "photos": list(photos)})


def _attach(ctx: Context, number: int, photos: Photos) -> None:
    for photo in photos:
        tickets.attach(ctx.session, number, photo["url"], photo["message_id"], ctx.now)
