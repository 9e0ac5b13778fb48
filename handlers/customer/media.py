"""What comes beside words: pictures, stickers, voices, files, places; each gets an honest answer."""

from __future__ import annotations

from bot.context import Context
from bot.router import Router
from bot.understanding import understand
from crm.events import LocationShared, MediaKind, MediaReceived
from handlers.customer import support

router = Router("media")


@router.on(MediaReceived, while_held=True)
def keep_media(ctx: Context) -> None:
    """Say that it was kept and what can be done with it; beside staff, put photos to the request in silence."""
    assert isinstance(ctx.event, MediaReceived)
    photos = support.photos_of(ctx)
    if ctx.conversation.staff_holds:
        support.attach_to_latest(ctx, photos)
        return
    kinds = {media.kind for media in ctx.event.media}
    if photos:
        _photos(ctx, ctx.event.text, photos)
    elif kinds == {MediaKind.STICKER}:
        ctx.reply("media/sticker")
    else:
        ctx.reply("media/kept", kind=min(kinds).value)


@router.on(LocationShared)
def keep_place(ctx: Context) -> None:
    """Say that the place was kept."""
    ctx.reply("media/place")


def _photos(ctx: Context, caption: str, photos: support.Photos) -> None:
    """Photos belong to the request just opened, or to the one that their caption tells of; else a request is offered.

    Of several photos in a row only the first is answered.
    """
    number = support.attach_to_latest(ctx, photos)
    if number is not None:
        ctx.reply("support/photo_attached", number=number)
        return
    before: support.Photos = ctx.data.get("photos", ())
    together = [*before, *photos][: support.MOST_PHOTOS]
    if understand(caption).intent == "support.open":
        support.open_ticket(ctx, caption.strip(), together)
        return
    if not before:
        ctx.reply("media/photo")
    ctx.keep({"photos": together}, support.PHOTOS_WITHIN)
