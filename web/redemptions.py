"""Points spent at the counter, in one step or in two: quoted, set aside, spent or let go, and given back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, Field
from sqlmodel import Session

from crm import customers, ledger, loyalty, programmes, reservations
from crm.ledger import MOST, Fact, Posted
from crm.reservations import Reservation
from web.fields import ExternalId, Note, RowId, row_id
from web.loyalty import Key, by_name
from web.operations import Call, Exact, Operation, Params

Points = Annotated[int, Field(ge=1, le=MOST, description="A whole number of points.")]


class ReservationParams(Params):
    """Which reservation."""

    reservation: RowId


class RedemptionParams(Params):
    """Which redemption."""

    redemption: RowId


class SpendIn(Exact):
    """So many points of a customer."""

    customer: ExternalId
    points: Points


class ReserveIn(SpendIn):
    """Points to set aside; without `minutes` for as long as the programme says."""

    key: Key
    minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    reason: Note | None = None


class RedeemIn(SpendIn):
    """Points to spend at once."""

    key: Key
    reason: Note | None = None


class QuoteOut(BaseModel):
    """What spending so much would leave; nothing is changed."""

    points: int
    spendable: int
    possible: bool
    left: int
    lacking: int


class ReservationOut(BaseModel):
    """Points set aside: `open`, `committed`, `cancelled` or `lapsed`."""

    id: str
    customer: str
    points: int
    state: str
    expires_at: datetime
    redemption: str | None


class RedemptionOut(BaseModel):
    """Points that were spent or given back. `repeated`: this had been told before."""

    id: str
    points: int
    spendable: int
    repeated: bool


async def quote(call: Call[Params, SpendIn]) -> QuoteOut:
    """Ask whether so many points can be spent, and what would be left. Changes nothing."""
    said = call.body

    def read(session: Session) -> QuoteOut:
        held = loyalty.card(session, customers.find(session, said.customer).id, call.now)
        able = 0 if held.frozen else held.spendable
        return QuoteOut(
            points=said.points, spendable=able, possible=said.points <= able, left=max(0, able - said.points),
            lacking=max(0, said.points - able),
        )  # fmt: skip

    return await call.database.read(read)


async def reserve(call: Call[Params, ReserveIn]) -> ReservationOut:
    """Set points aside, so that nobody spends them meanwhile and they do not expire. Then commit or cancel."""
    said = call.body

    def write(session: Session) -> ReservationOut:
        customer = by_name(session, said.customer)
        minutes = said.minutes or programmes.at(session, call.now).points.reserve_minutes
        fact = Fact(key=f"pos:{said.key}", now=call.now, reason=said.reason or "", actor="api")
        until = call.now + timedelta(minutes=minutes)
        return _reservation(session, reservations.reserve(session, customer, said.points, fact, until))

    return await call.database.write(write)


async def read_reservation(call: Call[ReservationParams, None]) -> ReservationOut:
    """Read a reservation."""
    number = row_id(call.params.reservation)
    return await call.database.read(lambda session: _reservation(session, reservations.find(session, number)))


async def commit(call: Call[ReservationParams, None]) -> RedemptionOut:
    """Spend what was set aside. Again, it answers the same."""
    number = row_id(call.params.reservation)
    return await call.database.write(
        lambda session: _redemption(reservations.spend(session, number, call.now, "api"))
    )  # fmt: skip


async def cancel(call: Call[ReservationParams, None]) -> ReservationOut:
    """Let go of what was set aside. Again, it answers the same."""
    number = row_id(call.params.reservation)
    return await call.database.write(
        lambda session: _reservation(session, reservations.cancel(session, number, call.now))
    )  # fmt: skip


async def redeem(call: Call[Params, RedeemIn]) -> RedemptionOut:
    """Spend points in one step."""
    said = call.body

    def write(session: Session) -> RedemptionOut:
        fact = Fact(key=f"pos:{said.key}", now=call.now, reason=said.reason or "", actor="api")
        return _redemption(ledger.redeem(session, by_name(session, said.customer), said.points, fact))

    return await call.database.write(write)


async def undo(call: Call[RedemptionParams, None]) -> RedemptionOut:
    """Give back what was spent: the very points, with their expiry. Again, it answers the same.

    What was spent on a voucher comes back by `cancelVoucher` alone.
    """
    number = row_id(call.params.redemption)
    fact = Fact(key=f"undo:{number}", now=call.now, actor="api")
    return await call.database.write(lambda session: _redemption(loyalty.undo(session, number, fact)))


def _reservation(session: Session, found: Reservation) -> ReservationOut:
    return ReservationOut(
        id=str(found.id), customer=customers.name_of(session, found.customer_id), points=found.points,
        state=found.state, expires_at=found.expires_at,
        redemption=str(found.entry_id) if found.entry_id is not None else None,
    )  # fmt: skip


def _redemption(done: Posted) -> RedemptionOut:
    return RedemptionOut(
        id=str(done.entry_id), points=done.points, spendable=done.spendable, repeated=done.repeated
    )  # fmt: skip


_RESERVATION = "/loyalty/reservations/{reservation}"
OPERATIONS = (
    Operation("POST", "/loyalty/quotes", "quotePoints", "Ask what spending would leave", Params, SpendIn, QuoteOut,
              quote),
    Operation("POST", "/loyalty/reservations", "reservePoints", "Set points aside", Params, ReserveIn, ReservationOut,
              reserve),
    Operation("GET", _RESERVATION, "getReservation", "Read a reservation", ReservationParams, None, ReservationOut,
              read_reservation),
    Operation("POST", f"{_RESERVATION}/commit", "commitReservation", "Spend what was set aside", ReservationParams,
              None, RedemptionOut, commit),
    Operation("POST", f"{_RESERVATION}/cancel", "cancelReservation", "Let go of what was set aside", ReservationParams,
              None, ReservationOut, cancel),
    Operation("POST", "/loyalty/redemptions", "redeemPoints", "Spend points", Params, RedeemIn, RedemptionOut, redeem),
    Operation("POST", "/loyalty/redemptions/{redemption}/cancel", "undoRedemption", "Give back what was spent",
              RedemptionParams, None, RedemptionOut, undo),
)  # fmt: skip
