"""Points by hand in the API: given or taken with a reason, above a limit only by two; and points that are frozen."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints
from sqlmodel import Session

from crm import adjustments, audit, customers, ledger, loyalty, staff
from crm.adjustments import Adjustment
from crm.ledger import MOST, Fact
from web.fields import ExternalId, Name, RowId, row_id
from web.loyalty import CardOut, Key, MemberParams, by_name, card_of
from web.operations import Call, Exact, Operation, Params

SURFACE = "api"

By = Annotated[Name, Field(description="Who does it, by name: kept with the points, and the second must be another.")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class AdjustIn(Exact):
    """Points to give (above 0) or to take (below)."""

    customer: ExternalId
    points: Annotated[int, Field(ge=-MOST, le=MOST)]
    reason: Reason
    by: By
    key: Key


class AdjustmentParams(Params):
    """Which adjustment."""

    adjustment: RowId


class FreezeIn(Exact):
    """Why, and who does it."""

    reason: Reason
    by: By


class FreeIn(Exact):
    """Who does it."""

    by: By


class AdjustmentOut(BaseModel):
    """How an adjustment stands: `written`, or it is above the limit and `waiting`, `approved` or `refused`.

    `adjustment` is its number where it needs a second person, `spendable` what the customer can spend now.
    """

    state: str
    adjustment: str | None
    points: int
    spendable: int
    decided_at: datetime | None


async def adjust(call: Call[Params, AdjustIn]) -> AdjustmentOut:
    """Give or take points by hand. Where what a person did that day goes above the programme's limit, it waits until a
    second one agrees, in their chat or on the command line; a key of the API cannot be both."""
    said = call.body

    def write(session: Session) -> AdjustmentOut:
        customer = by_name(session, said.customer)
        actor = staff.actor(session, said.by, SURFACE)
        fact = Fact(key=said.key, now=call.now, reason=said.reason, actor=actor)
        done = adjustments.adjust(session, customer, said.points, fact)
        waits = f" #{done.waiting.id}" if done.waiting else ""
        if not done.repeated:
            action = "points.ask" if done.waiting else "points"
            _note(session, action, actor, customer, f"{said.points:+d}{waits}", call.now)
        if done.waiting is not None:
            return _asked(session, done.waiting, call.now)
        now_spendable = loyalty.card(session, customer, call.now).spendable
        return AdjustmentOut(
            state="written", adjustment=None, points=said.points, spendable=now_spendable, decided_at=None
        )

    return await call.database.write(write)


async def read_adjustment(call: Call[AdjustmentParams, None]) -> AdjustmentOut:
    """Read how an adjustment that needed a second person stands."""
    number = row_id(call.params.adjustment)
    return await call.database.read(lambda session: _asked(session, adjustments.find(session, number), call.now))


async def freeze(call: Call[MemberParams, FreezeIn]) -> CardOut:
    """Let a customer's points and vouchers not be used any more. They are still earned, taken back and expire."""
    said = call.body

    def write(session: Session) -> CardOut:
        customer = customers.find(session, call.params.external_id).id
        ledger.freeze(session, customer, said.reason, call.now)
        _note(session, "points.freeze", staff.actor(session, said.by, SURFACE), customer, "", call.now)
        return card_of(session, call.params.external_id, call.now)

    return await call.database.write(write)


async def unfreeze(call: Call[MemberParams, FreeIn]) -> CardOut:
    """Let a customer's points be used again."""
    said = call.body

    def write(session: Session) -> CardOut:
        customer = customers.find(session, call.params.external_id).id
        loyalty.unfreeze(session, customer, call.now)
        _note(session, "points.unfreeze", staff.actor(session, said.by, SURFACE), customer, "", call.now)
        return card_of(session, call.params.external_id, call.now)

    return await call.database.write(write)


def _note(session: Session, action: str, actor: str, customer: int, details: str, now: datetime) -> None:
    audit.by(session, actor, SURFACE, action, now, subject="customer", subject_id=customer, details=details)


def _asked(session: Session, found: Adjustment, now: datetime) -> AdjustmentOut:
    return AdjustmentOut(
        state=found.state, adjustment=str(found.id), points=found.points,
        spendable=loyalty.card(session, found.customer_id, now).spendable, decided_at=found.decided_at,
    )  # fmt: skip


_ONE = "/loyalty/customers/{external_id}"
OPERATIONS = (
    Operation("POST", "/loyalty/adjustments", "adjustPoints", "Give or take points by hand", Params, AdjustIn,
              AdjustmentOut, adjust),
    Operation("GET", "/loyalty/adjustments/{adjustment}", "getAdjustment", "Read how an adjustment stands",
              AdjustmentParams, None, AdjustmentOut, read_adjustment),
    Operation("POST", f"{_ONE}/freeze", "freezePoints", "Let points not be used any more", MemberParams, FreezeIn,
              CardOut, freeze),
    Operation("POST", f"{_ONE}/unfreeze", "unfreezePoints", "Let points be used again", MemberParams, FreeIn, CardOut,
              unfreeze),
)  # fmt: skip
