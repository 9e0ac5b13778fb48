"""Support requests: opened by saying what happened, with photos before, meanwhile or soon after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.context import Context
from bot.router import Router
from bot.understanding import SURE, understand
from crm import tickets
from crm.events import MediaKind, MediaReceived

router = Router("support")

Photos = Sequence[Mapping[str, str]]

DESCRIBE_WITHIN = timedelta(hours=2)
PHOTOS_WITHIN = timedelta(minutes=30)
MOST_PHOTOS = 10
SHOWN = 5

_SAYS_NOTHING = frozenset({"greeting", "thanks", "yes"})


@router.intent("support.open")
@router.button("support")
def open_support(ctx: Context) -> None:
    """Ask what happened; words that follow a photo say it already."""
    photos: Photos = ctx.data.get("photos", ())
    words = _words(ctx)
    if photos and words:
        open_ticket(ctx, words, photos)
    else:
        _ask(ctx, "support/what_happened", words, photos)


@router.answer
def describe(ctx: Context) -> None:
    """Open the request with what the customer says; photos are collected until there are words."""
    said, photos = ctx.data.get("said", ""), [*ctx.data.get("photos", ()), *photos_of(ctx)][:MOST_PHOTOS]
    words = _words(ctx)
    meaning = understand(words)
    if meaning.intent == "no" and meaning.confidence >= SURE:
        ctx.reply("welcome/left")
    elif not words or (meaning.intent in _SAYS_NOTHING and meaning.confidence >= SURE):
        _ask(ctx, "support/photo_kept" if photos_of(ctx) else "support/what_happened", said, photos)
    else:
        open_ticket(ctx, "\n".join(filter(None, (said, words))), photos)


@router.intent("support.status")
@router.button("tickets")
def show_tickets(ctx: Context) -> None:
    """Tell where the customer's own requests stand."""
    mine = tickets.of_customer(ctx.session, ctx.customer.customer_id, SHOWN)
    ctx.reply("support/status", tickets=mine) if mine else ctx.reply("support/none")


def is_ticket(ctx: Context, number: int) -> bool:
    """Whether one of the customer's latest requests has this number."""
    return any(ticket.id == number for ticket in tickets.of_customer(ctx.session, ctx.customer.customer_id, SHOWN))


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


def _ask(ctx: Context, template: str, said: str, photos: Photos) -> None:
    ctx.ask(template, then=describe, within=DESCRIBE_WITHIN, data={"said": said, "photos": list(photos)})


def _attach(ctx: Context, number: int, photos: Photos) -> None:
    for photo in photos:
        tickets.attach(ctx.session, number, photo["url"], photo["message_id"], ctx.now)


def _words(ctx: Context) -> str:
    """What the customer wrote, with or without a picture; "" for a pressed button."""
    return (ctx.event.text if isinstance(ctx.event, MediaReceived) else ctx.text).strip()
