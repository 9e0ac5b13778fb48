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
from crm import member_cards, voucher_cards
from crm.member_cards import MemberCard
from crm.messages import BORROWED
from crm.voucher_cards import VoucherCard
from crm.words import number
from storage import drawings, media
from storage.database import Database
from storage.media import Kept

LIVES = timedelta(days=30)
"""How long a picture is kept after it was drawn; the last day nobody begins to send it any more."""
_DESIGN = "1"
"""Another one with every change of how a card looks."""
_WORDS = {"vi": ("Thẻ thành viên", "Khách thân thiết", "điểm", "Hạng "), "en": ("Member card", "Member", "points", "")}
_OF_VOUCHERS = {"vi": ("Dùng đến hết", "lần"), "en": ("Good until the end of", "times")}
_VOUCHERS_LEVEL = 3
_NAMED: Mapping[str, Callable[[Session, str, datetime], MemberCard | VoucherCard | None]] = {
    member_cards.RECIPE: member_cards.named,
    voucher_cards.RECIPE: voucher_cards.named,
}
_NO_CARD = Words("There is no such member or voucher any more.", "Không còn thành viên hoặc voucher này.")
_UNDRAWN = Words(
    "The picture of this card or voucher could not be drawn; its words go out all the same.",
    "Chưa vẽ được ảnh thẻ hoặc voucher; phần chữ vẫn được gửi.",
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
        if not kept.startswith(tuple(_NAMED)):
            return kept
        return await self._found(kept) or await self._drawn(kept)

    async def picture(self, recipe: str) -> Kept:
        """The picture that a recipe names. Raises NoPicture."""
        media_id = await self.media_id(recipe)
        found = await self._database.read(partial(media.find, media_id=media_id))
        if found is None:
            raise NoPicture(_NO_CARD)
        return found

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
        named = next(each for begins, each in _NAMED.items() if recipe.startswith(begins))
        card = await self._database.read(lambda session: named(session, recipe, now))
        if card is None:
            raise NoPicture(_NO_CARD)
        if card.recipe != recipe and (known := await self._found(card.recipe)):
            return known
        try:
            picture = await self._artist.draw(self._lines(card))
        except Undrawn as error:
            raise NoPicture(_UNDRAWN, str(error)) from error

        def keep(session: Session) -> str:
            media_id = media.keep(session, Kept(f"{recipe.partition(':')[0]}.png", "image/png", picture), now)
            drawings.note(session, self._key(card.recipe), media_id, now)
            return media_id

        return await self._database.write(keep, name="drawings.keep")

    def _key(self, recipe: str) -> str:
        return hashlib.sha256("\x1f".join((recipe, self._brand, _DESIGN)).encode()).hexdigest()

    def _lines(self, card: MemberCard | VoucherCard) -> dict[str, str | int]:
        if isinstance(card, VoucherCard):
            until, times = _OF_VOUCHERS[card.locale]
            return {
                "title": "Voucher", "brand": self._brand, "name": card.name, "nameless": "Voucher",
                "tier": f"{until} {card.last}", "points": f"{card.uses} {times}" if card.uses > 1 else "",
                "code": card.code, "spelled": card.spelled, "level": _VOUCHERS_LEVEL,
            }  # fmt: skip
        title, nameless, points, tier = _WORDS[card.locale]
        return {
            "title": title, "brand": self._brand, "name": card.name, "nameless": nameless,
            "tier": f"{tier}{card.tier}" if card.tier else "", "points": f"{number(card.points, card.locale)} {points}",
            "code": card.code, "spelled": card.spelled, "level": card.level,
        }  # fmt: skip
