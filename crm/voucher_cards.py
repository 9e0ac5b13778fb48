"""A voucher as a picture shows it, and the recipe that names the picture: the same words, the same recipe."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from datetime import datetime

from sqlmodel import Session

from crm import programmes, vouchers
from crm.vouchers import VoucherRow
from storage import vouchers as store

RECIPE = "voucher:"
"""How a recipe begins: `voucher:<language>:<voucher>:<version>`."""


@dataclass(frozen=True, slots=True)
class VoucherCard:
    """What is shown of a voucher: what it is for, its last day (DD/MM/YYYY), how often it counts, and its code."""

    voucher_id: int
    locale: str
    name: str
    last: str
    uses: int
    code: str

    @property
    def spelled(self) -> str:
        """The code as people read it out."""
        return vouchers.shown(self.code)

    @property
    def recipe(self) -> str:
        """Names the picture; another one as soon as anything shown on it is different."""
        version = hashlib.sha256("\x1f".join(map(str, astuple(self))).encode()).hexdigest()[:16]
        return f"{RECIPE}{self.locale}:{self.voucher_id}:{version}"


def card(session: Session, voucher: VoucherRow, locale: str, now: datetime) -> VoucherCard:
    """A voucher's picture in words."""
    last = voucher.last.astimezone(programmes.at(session, now).zone)
    return VoucherCard(voucher.id, locale, voucher.name(locale), f"{last:%d/%m/%Y}", voucher.uses, voucher.code)


def named(session: Session, recipe: str, now: datetime) -> VoucherCard | None:
    """The voucher that a recipe names, as it is now. Reads only."""
    _, locale, number, _ = recipe.split(":")
    voucher = store.one(session, int(number), now)
    return card(session, voucher, locale, now) if voucher else None
