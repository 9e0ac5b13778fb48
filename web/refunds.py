"""Refunds in the API: what the POS gave back of an order; its points follow."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from crm import orders, refunds
from crm.refunds import Refund, RefundLine, RefundRow
from web.customers import OutcomeOut
from web.fields import Dong, ExternalId, Moment, Name, Note, Quantity
from web.operations import Call, Exact, Operation
from web.orders import OrderParams


class RefundParams(OrderParams):
    """Which refund of which order."""

    refund_id: ExternalId


class RefundLineIn(Exact):
    """So much of a line."""

    item: Annotated[Name, Field(description="The line's sku, or its name.")]
    quantity: Quantity


class RefundIn(Exact):
    """What was given back. Without `amount` it is what the lines cost."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"refunded_at": "2026-11-05T10:00:00+07:00", "lines": [{"item": "Trà sen", "quantity": 1}]},
                {"refunded_at": "2026-11-05T10:00:00+07:00", "amount": 50_000, "customer": "KH9001"},
            ]
        }
    )

    refunded_at: Moment
    amount: Dong | None = None
    lines: Annotated[tuple[RefundLineIn, ...], Field(max_length=refunds.MOST)] = ()
    customer: Annotated[
        ExternalId | None, Field(description="If given, the order must be this customer's.")
    ] = None  # fmt: skip
    reason: Note | None = None


class RefundOut(BaseModel):
    """A refund as known now."""

    refund_id: str
    amount: int
    lines: list[RefundLineIn]
    reason: str
    refunded_at: datetime


class RefundsOut(BaseModel):
    """All refunds of an order, and what is left of its total."""

    refunds: list[RefundOut]
    left: int


async def put(call: Call[RefundParams, RefundIn]) -> OutcomeOut:
    """Tell of a refund, whole or in part. May be sent again; it cannot be changed afterwards."""
    params, said = call.params, call.body
    refund = Refund(
        refunded_at=said.refunded_at, amount=said.amount, customer=said.customer or "", reason=said.reason or "",
        lines=tuple(RefundLine(line.item, line.quantity) for line in said.lines),
    )  # fmt: skip
    outcome = await call.database.write(
        lambda s: refunds.put(s, params.source, params.external_id, params.refund_id, refund, call.now)
    )
    return OutcomeOut(outcome=outcome)


async def every(call: Call[OrderParams, None]) -> RefundsOut:
    """List the refunds of an order."""

    def read(session: Session) -> RefundsOut:
        order = orders.find(session, call.params.source, call.params.external_id)
        found = refunds.of_order(session, order.id)
        left = max(0, order.total - sum(refund.amount for refund in found))
        return RefundsOut(refunds=[_shown(refund) for refund in found], left=left)

    return await call.database.read(read)


def _shown(refund: RefundRow) -> RefundOut:
    lines = [RefundLineIn(**line) for line in json.loads(refund.lines)]
    return RefundOut(
        refund_id=refund.external_id, amount=refund.amount, lines=lines, reason=refund.reason,
        refunded_at=refund.refunded_at,
    )  # fmt: skip


_ALL = "/orders/{source}/{external_id}/refunds"
OPERATIONS = (
    Operation("GET", _ALL, "listRefunds", "List the refunds of an order", OrderParams, None, RefundsOut, every),
    Operation("PUT", f"{_ALL}/{{refund_id}}", "putRefund", "Tell of a refund", RefundParams, RefundIn, OutcomeOut, put),
)
