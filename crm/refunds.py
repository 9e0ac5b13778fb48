"""Refunds: what was given back of an order, whole or in part; its points follow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from fractions import Fraction

from sqlmodel import Session

from crm import customers, orders, reckoning, settlement
from crm.customers import Outcome
from crm.errors import Conflict, Invalid
from storage import customers as people
from storage import orders as order_rows
from storage import refunds as store
from storage.columns import new_id
from storage.orders import OrderRow
from storage.refunds import RefundRow as RefundRow

MOST = 500


@dataclass(frozen=True, slots=True)
class RefundLine:
    """So much of a line was given back; `item` is its sku or its name."""

    item: str
    quantity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """What the POS says about a refund. Without `amount` it is what the lines cost; `customer` is checked if given."""

    refunded_at: datetime
    amount: int | None = None
    lines: tuple[RefundLine, ...] = ()
    customer: str = ""
    reason: str = ""


def put(session: Session, source: str, external_id: str, name: str, refund: Refund, now: datetime) -> Outcome:
    """Note a refund of an order and settle its points. The same one again changes nothing.

    Raises NotFound for an order that we do not know, Invalid for another customer's, for a line that it does not have
    and for more than was bought, Conflict where another refund has this name.
    """
    found = orders.find(session, source, external_id)
    people.lock(session, [found.customer_id])
    order = order_rows.find(session, source, external_id, lock=True)
    assert order is not None
    if refund.customer and customers.external_ids(session, [order.customer_id])[order.customer_id] != refund.customer:
        raise Invalid("customer", "Đơn này của khách khác.", "This order is another customer's.")
    known = store.of_order(session, order.id)
    row = _row(order, name, refund, now)
    if same := next((each for each in known if each.external_id == name), None):
        if (same.amount, same.lines) != (row["amount"], row["lines"]):
            raise Conflict("Mã hoàn tiền này đã dùng.", "Another refund of this order has this id.", field="refund_id")
        return Outcome.UNCHANGED
    _refuse_too_much(order, known, refund, int(str(row["amount"])))
    store.add(session, row)
    settlement.settle_order(session, order, now)
    return Outcome.CREATED


def of_order(session: Session, order_id: int) -> list[RefundRow]:
    """An order's refunds, by name."""
    return store.of_order(session, order_id)


def _row(order: OrderRow, name: str, refund: Refund, now: datetime) -> dict[str, object]:
    amount = refund.amount
    if amount is None:
        amount = _cost(order, refund.lines)
    return {
        "id": new_id(), "order_id": order.id, "external_id": name, "amount": amount,
        "lines": json.dumps([asdict(line) for line in refund.lines], ensure_ascii=False), "reason": refund.reason,
        "refunded_at": refund.refunded_at, "created_at": now,
    }  # fmt: skip


def _cost(order: OrderRow, lines: Sequence[RefundLine]) -> int:
    """What these lines cost in the order, at the price of the first line that is so named."""
    prices: dict[str, int] = {}
    for item in orders.items(order):
        for key in (item.sku, item.name):
            prices.setdefault(key.casefold(), item.price)
    return int(sum(Fraction(str(line.quantity)) * prices.get(line.item.casefold(), 0) for line in lines))


def _refuse_too_much(order: OrderRow, known: Sequence[RefundRow], refund: Refund, amount: int) -> None:
    """Raises Invalid, naming what is at fault."""
    items = json.loads(order.items)
    names = {item.get(kind, "").casefold() for item in items for kind in ("sku", "name")} - {""}
    wishes = [(wanted.item.casefold(), Fraction(str(wanted.quantity))) for wanted in refund.lines]
    for number, (name, _) in enumerate(wishes):
        if name not in names:
            raise Invalid(f"lines.{number}.item", "Đơn không có món này.", "The order has no such item.")
    earlier = reckoning.wishes_of(known)
    lacking = reckoning.lacking(items, earlier)
    if reckoning.lacking(items, [*earlier, *wishes]) > lacking:
        upto = range(1, len(wishes) + 1)
        number = next(n for n in upto if reckoning.lacking(items, [*earlier, *wishes[:n]]) > lacking) - 1
        raise Invalid(f"lines.{number}.quantity", "Hoàn nhiều hơn đã mua.", "More would be refunded than was bought.")
    left = order.total - sum(each.amount for each in known)
    if not 0 < amount <= left:
        field = "amount" if refund.amount is not None or not refund.lines else "lines"
        raise Invalid(
            field,
            f"Số tiền hoàn phải từ 1 đến {left}đ.",
            f"A refund of this order is from 1 to {left}đ, not {amount}đ.",
        )
