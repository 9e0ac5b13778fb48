"""Pictures that messages name by a recipe: drawn or taken over before they are first sent, kept until they are old."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from bot.channels.base import Channel, SendError, SendErrorKind, Words
from bot.drawing.artist import Artist, Undrawn
from bot.drawing.borrowing import Borrower
from crm import member_cards
from crm.member_cards import RECIPE, MemberCard
from crm.messages import BORROWED
from crm.words import number
from storage import drawings, media
from storage.database import Database
from storage.media import Kept

LIVES = timedelta(days=30)
"""How long a picture is kept after it was drawn; the last day nobody begins to send it any more."""
_DESIGN = "1"
"""Another one with every change of how a card looks."""
_WORDS = {"vi": ("Thẻ thành viên", "Khách thân thiết", "điểm", "Hạng "), "en": ("Member card", "Member", "points", "")}
_NO_CARD = Words("There is no such member any more.", "Không còn thành viên này.")
_UNDRAWN = Words(
    "The picture of the member's card could not be drawn; its words go out all the same.",
    "Chưa vẽ được ảnh thẻ thành viên; phần chữ vẫn được gửi.",
)


class NoPicture(SendError):
    """A picture cannot be had; what else the message says can be sent all the same."""

    def __init__(self, words: Words, detail: str = "") -> None:
        super().__init__(SendErrorKind.PERMANENT, "card", words, detail=detail)


class Shelf:
    """Finds what was drawn already, and has the rest drawn."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        artist: Artist,
        brand: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._artist, self._brand, self._clock = database, artist, brand, clock
        self._borrower = Borrower(channels, artist)

    async def media_id(self, kept: str) -> str:
        """The id of what we keep: of the picture that a recipe names, or as it is.

        Raises NoPicture, or SendError for one that was to be taken over.
        """
        if kept.startswith(BORROWED):
            return await self._found(kept) or await self._borrowed(kept)
        if not kept.startswith(RECIPE):
            return kept
        return await self._found(kept) or await self._drawn(kept)

    async def _found(self, recipe: str) -> str:
        since = self._clock() - LIVES + timedelta(days=1)
        return await self._database.read(partial(drawings.find, recipe=self._key(recipe), since=since))

    async def _borrowed(self, recipe: str) -> str:
        taken, now = await self._borrower.taken(recipe), self._clock()

        def keep(session: Session) -> str:
            media_id = media.keep(session, taken, now)
            drawings.note(session, self._key(recipe), media_id, now)
            return media_id

        return await self._database.write(keep, name="drawings.borrow")

    async def _drawn(self, recipe: str) -> str:
        now = self._clock()
        card = await self._database.read(partial(member_cards.named, recipe=recipe, now=now))
        if card is None:
            raise NoPicture(_NO_CARD)
        if card.recipe != recipe and (known := await self._found(card.recipe)):
            return known
        try:
            picture = await self._artist.draw(self._lines(card))
        except Undrawn as error:
            raise NoPicture(_UNDRAWN, str(error)) from error

        def keep(session: Session) -> str:
            media_id = media.keep(session, Kept("the-thanh-vien.png", "image/png", picture), now)
            drawings.note(session, self._key(card.recipe), media_id, now)
            return media_id

        return await self._database.write(keep, name="drawings.keep")

    def _key(self, recipe: str) -> str:
        return hashlib.sha256("\x1f".join((recipe, self._brand, _DESIGN)).encode()).hexdigest()

    def _lines(self, card: MemberCard) -> dict[str, str | int]:
        title, nameless, points, tier = _WORDS[card.locale]
        return {
            "title": title, "brand": self._brand, "name": card.name, "nameless": nameless,
            "tier": f"{tier}{card.tier}" if card.tier else "", "points": f"{number(card.points, card.locale)} {points}",
            "code": card.code, "level": card.level,
        }  # fmt: skip
