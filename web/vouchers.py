"""Rewards and vouchers at the counter: taken for points; then checked, reserved, redeemed, released by their code."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field, StringConstraints
from sqlmodel import Session

from bot.drawing.shelf import NoPicture
from crm import customers, programmes, rewards, stamps, voucher_cards, vouchers
from crm.errors import CrmError
from crm.ledger import Fact
from crm.rewards import Offer
from crm.vouchers import Done, VoucherRow
from web.fields import ExternalId
from web.loyalty import Key, MemberParams, by_name
from web.operations import Call, Exact, Operation, Params
from web.problems import Refused

T = TypeVar("T")

VoucherCode = Annotated[
    str,
    StringConstraints(min_length=1, max_length=40),
    Field(description="As it is read or typed: with or without hyphens, in any case.", examples=["7K3M-W9QP-DXAB"]),
]


class TakeIn(Exact):
    """A reward that a customer takes for points."""

    customer: ExternalId
    reward: Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[a-z0-9_-]+$")]
    key: Key


class CodeIn(Exact):
    """A voucher; with `customer`, one that must be theirs."""

    code: VoucherCode
    customer: ExternalId | None = None


class UseIn(CodeIn):
    """A voucher and the sale that it is used for, which `key` stands for."""

    key: Key


class ReserveUseIn(UseIn):
    """The same; set aside for so many minutes, else for as long as the programme says."""

    minutes: Annotated[int, Field(ge=1, le=1440)] | None = None


class ReleaseIn(Exact):
    """A voucher and the sale that came to nothing."""

    code: VoucherCode
    key: Key


class CancelIn(Exact):
    """A voucher that was not used."""

    code: VoucherCode


class PictureIn(CodeIn):
    """A voucher, and the language of its picture."""

    locale: Literal["vi", "en"] = "vi"


class PictureOut(BaseModel):
    """A picture in base64."""

    content_type: str
    base64: str


class OfferOut(BaseModel):
    """A reward. `why`: `open`, `too_few_points`, `other_tier`, `sold_out` or `enough`; `left` null: not bounded."""

    reward: str
    vi: str
    en: str
    points: int
    left: int | None
    lacking: int
    why: str


class CatalogueOut(BaseModel):
    """What is offered to a customer now."""

    spendable: int
    rewards: list[OfferOut]


class VoucherOut(BaseModel):
    """A voucher. `state`: `usable`, `reserved`, `used`, `expired` or `cancelled`. The till takes off `amount` đồng or
    `percent`; where both are 0 the voucher is for the thing that it names."""

    code: str
    customer: str | None
    reward: str
    vi: str
    en: str
    state: str
    uses: int
    left: int
    amount: int
    percent: int
    expires_at: datetime


class StampsOut(BaseModel):
    """A stamp card: how many stamps count, of how many, and how many wait for an order."""

    card: str
    vi: str
    en: str
    stamps: int
    of: int
    waiting: int


class WalletOut(BaseModel):
    """A customer's vouchers that still count, the soonest expiring first, and their stamp cards."""

    vouchers: list[VoucherOut]
    stamp_cards: list[StampsOut]


class TakenOut(VoucherOut):
    """A voucher that was taken. `repeated`: this had been told before."""

    repeated: bool


class UseOut(BaseModel):
    """How a sale's use of a voucher stands: `reserved`, `redeemed` or `released`. `repeated`: told before."""

    state: str
    until: datetime | None
    repeated: bool
    voucher: VoucherOut


async def read_catalogue(call: Call[MemberParams, None]) -> CatalogueOut:
    """Read what a customer could take for points, the cheapest first, and why not."""

    def read(session: Session) -> CatalogueOut:
        customer = customers.find(session, call.params.external_id).id
        found = rewards.catalogue(session, customer, call.now)
        return CatalogueOut(spendable=found.spendable, rewards=[_offer(each) for each in found.offers])

    return await call.database.read(read)


async def read_wallet(call: Call[MemberParams, None]) -> WalletOut:
    """Read a customer's vouchers and stamp cards."""

    def read(session: Session) -> WalletOut:
        customer = customers.find(session, call.params.external_id).id
        cards = stamps.standings(session, customer, call.now)
        found = vouchers.of_customer(session, customer, call.now, 200)
        return WalletOut(
            vouchers=[_voucher(session, each, call.now) for each in found],
            stamp_cards=[
                StampsOut(
                    card=each.card.currency, vi=each.card.vi, en=each.card.en, stamps=each.stamps, of=each.card.stamps,
                    waiting=each.waiting,
                )
                for each in cards
            ],
        )  # fmt: skip

    return await call.database.read(read)


async def take(call: Call[Params, TakeIn]) -> TakenOut:
    """Take a reward for a customer's points: a voucher comes of it."""
    said = call.body

    def write(session: Session) -> TakenOut:
        customer = by_name(session, said.customer)
        voucher, repeated = rewards.take(session, customer, said.reward, _fact(said.key, call.now))
        return TakenOut(**_voucher(session, voucher, call.now).model_dump(), repeated=repeated)

    return await call.database.write(write)


async def check(call: Call[Params, CodeIn]) -> VoucherOut:
    """Look at a voucher. Changes nothing but the count of wrong codes."""
    said = call.body

    def look(session: Session, voucher_id: int) -> VoucherOut:
        voucher = vouchers.find(session, voucher_id, call.now)
        vouchers.refuse_others(voucher, _customer(session, said.customer))
        return _voucher(session, voucher, call.now)

    return await _with_code(call, said.code, look)


async def picture(call: Call[Params, PictureIn]) -> PictureOut:
    """Draw a voucher: what it is for, its last day, its code in letters and as a QR code."""
    said = call.body

    def name(session: Session, voucher_id: int) -> str:
        voucher = vouchers.find(session, voucher_id, call.now)
        vouchers.refuse_others(voucher, _customer(session, said.customer))
        return voucher_cards.card(session, voucher, said.locale, call.now).recipe

    recipe = await _with_code(call, said.code, name)
    try:
        drawn = await call.pictures(recipe)
    except NoPicture as error:
        raise Refused(503, error.words.en, headers={"Retry-After": "5"}) from error
    return PictureOut(content_type=drawn.content_type, base64=b64encode(drawn.content).decode())


async def reserve(call: Call[Params, ReserveUseIn]) -> UseOut:
    """Set a use of a voucher aside for a sale, so that no other sale has it meanwhile. Then redeem or release."""
    said = call.body

    def write(session: Session, voucher_id: int) -> UseOut:
        minutes = said.minutes or programmes.at(session, call.now).points.reserve_minutes
        until = call.now + timedelta(minutes=minutes)
        customer = _customer(session, said.customer)
        done = vouchers.reserve(session, voucher_id, _fact(said.key, call.now), until, customer)
        return _use(session, done, call.now)

    return await _with_code(call, said.code, write)


async def redeem(call: Call[Params, UseIn]) -> UseOut:
    """Let a voucher count for a sale, reserved before or not. Again, it answers the same."""
    said = call.body

    def write(session: Session, voucher_id: int) -> UseOut:
        customer = _customer(session, said.customer)
        return _use(session, vouchers.redeem(session, voucher_id, _fact(said.key, call.now), customer), call.now)

    return await _with_code(call, said.code, write)


async def release(call: Call[Params, ReleaseIn]) -> UseOut:
    """Let go of what a sale reserved or redeemed, because it came to nothing. Again, it answers the same."""
    said = call.body

    def write(session: Session, voucher_id: int) -> UseOut:
        return _use(session, vouchers.release(session, voucher_id, _fact(said.key, call.now)), call.now)

    return await _with_code(call, said.code, write)


async def cancel(call: Call[Params, CancelIn]) -> VoucherOut:
    """Take a voucher back that was not used, and give its points back. Again, it answers the same."""

    def write(session: Session, voucher_id: int) -> VoucherOut:
        fact = Fact(key=f"cancel:{voucher_id}", now=call.now, actor="api")
        return _voucher(session, rewards.give_back(session, voucher_id, fact), call.now)

    return await _with_code(call, call.body.code, write)


async def _with_code(call: Call[Params, Any], code: str, work: Callable[[Session, int], T]) -> T:
    """Do this with the voucher of a code; a wrong code is counted, though nothing else is done."""
    found = await call.database.write(partial(vouchers.resolve, code=code, asker=call.caller, now=call.now))
    if isinstance(found, CrmError):
        raise found
    return await call.database.write(lambda session: work(session, found))


def _fact(key: str, now: datetime) -> Fact:
    return Fact(key=f"pos:{key}", now=now, actor="api")


def _customer(session: Session, external_id: str | None) -> int | None:
    return by_name(session, external_id) if external_id is not None else None


def _offer(offer: Offer) -> OfferOut:
    reward = offer.reward
    return OfferOut(
        reward=reward.code, vi=reward.vi, en=reward.en, points=reward.points or 0, left=offer.left,
        lacking=offer.lacking, why=offer.why,
    )  # fmt: skip


def _voucher(session: Session, voucher: VoucherRow, now: datetime) -> VoucherOut:
    return VoucherOut(
        code=vouchers.shown(voucher.code), customer=customers.name_of(session, voucher.customer_id) or None,
        reward=voucher.reward, vi=voucher.vi, en=voucher.en, state=vouchers.state(voucher, now), uses=voucher.uses,
        left=voucher.left, amount=voucher.amount, percent=voucher.percent, expires_at=voucher.expires_at,
    )  # fmt: skip


def _use(session: Session, done: Done, now: datetime) -> UseOut:
    return UseOut(
        state=done.state, until=done.until, repeated=done.repeated, voucher=_voucher(session, done.voucher, now)
    )  # fmt: skip


_ONE = "/loyalty/customers/{external_id}"
OPERATIONS = (
    Operation("GET", f"{_ONE}/rewards", "listRewards", "Read what a customer could take for points", MemberParams,
              None, CatalogueOut, read_catalogue),
    Operation("GET", f"{_ONE}/vouchers", "listVouchers", "Read a customer's vouchers and stamp cards", MemberParams,
              None, WalletOut, read_wallet),
    Operation("POST", "/vouchers", "takeReward", "Take a reward for points", Params, TakeIn, TakenOut, take),
    Operation("POST", "/vouchers/check", "checkVoucher", "Look at a voucher", Params, CodeIn, VoucherOut, check),
    Operation("POST", "/vouchers/picture", "drawVoucher", "Draw a voucher with its QR code", Params, PictureIn,
              PictureOut, picture),
    Operation("POST", "/vouchers/reserve", "reserveVoucher", "Set a voucher aside for a sale", Params, ReserveUseIn,
              UseOut, reserve),
    Operation("POST", "/vouchers/redeem", "redeemVoucher", "Let a voucher count for a sale", Params, UseIn, UseOut,
              redeem),
    Operation("POST", "/vouchers/release", "releaseVoucher", "Let go of what a sale used", Params, ReleaseIn, UseOut,
              release),
    Operation("POST", "/vouchers/cancel", "cancelVoucher", "Take a voucher back and give its points back", Params,
              CancelIn, VoucherOut, cancel),
)  # fmt: skip
