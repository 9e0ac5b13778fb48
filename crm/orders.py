"""Orders: taken over from the POS in whatever order the news comes, and shown to those who placed them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from crm import customers, referrals, settlement
from crm.customers import Outcome
from crm.errors import NotFound
from storage import customers as people
from storage import orders as store
from storage.columns import new_id
from storage.orders import OrderRow as OrderRow

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Status(StrEnum):
    """How far an order is, in the order of their weight: of two news with one version the weightier stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    SHIPPING = "shipping"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"


_WEIGHTS = {status.value: weight for weight, status in enumerate(Status)}
_AFTER_DELIVERY = frozenset({Status.DELIVERED, Status.CANCELLED, Status.RETURNED})
_TOLD = frozenset({"customer_id", "status", "total", "items", "code", "note", "placed_at"})


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order; `price` is đồng for one. `sku` and `category` are what rules of points know it by."""

    name: str
    quantity: float
    price: int
    sku: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """What the POS says about an order: all of it, not only what changed. `version` grows with every change."""

    source: str
    external_id: str
    customer: str
    status: Status
    total: int
    version: int
    placed_at: datetime
    changed_at: datetime
    items: tuple[Item, ...] = ()
    code: str = ""
    note: str = ""


def version_at(moment: datetime) -> int:
    """The version of a POS that tells only when an order changed: microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def put(session: Session, news: News, now: datetime) -> Outcome:
    """Take over what the POS says, and settle the points. May be called any number of times, in any order.

    News with a smaller version than ours is stale. A customer whom the POS has not told us about yet becomes a stub.
    """
    before = store.find(session, news.source, news.external_id)
    if before and _is_older(news, before):
        return Outcome.STALE
    owner = customers.known(session, news.customer, now)
    people.lock(session, [owner, before.customer_id] if before else [owner])
    row = _row(news, owner)
    key = {"source": news.source, "external_id": news.external_id}
    delivered_at = news.changed_at if news.status == Status.DELIVERED else None
    new = {"id": new_id(), **key, **row, "delivered_at": delivered_at, "updated_at": now}
    outcome = Outcome.CREATED if store.add(session, new) else _change(session, news, row, now)
    if outcome in (Outcome.CREATED, Outcome.UPDATED):
        settlement.settle_order(session, find(session, news.source, news.external_id), now, before)
        if news.status == Status.DELIVERED:
            referrals.queue(session, owner, now)
    return outcome


def find(session: Session, source: str, external_id: str) -> OrderRow:
    """One order by what its source calls it. Raises NotFound."""
    order = store.find(session, source, external_id)
    if order is None:
        raise NotFound("Không có đơn hàng này.", "There is no such order.", field="external_id")
    return order


def recent(session: Session, customer_id: int, most: int = 3) -> list[OrderRow]:
    """A customer's last orders, newest first."""
    return store.recent(session, customer_id, most)


def by_code(session: Session, customer_id: int, code: str) -> OrderRow | None:
    """The customer's own order with this code, however they typed it; never somebody else's."""
    return store.by_code(session, customer_id, _code_key(code))


def with_code(session: Session, code: str, most: int = 5) -> list[OrderRow]:
    """Everybody's orders with this code, however it was typed, the newest first: for staff."""
    return store.with_code(session, _code_key(code), most)


def page(session: Session, after: int, most: int, customer_id: int | None = None) -> list[OrderRow]:
    """Orders with an id above `after`, of one customer or of all, by id."""
    return store.page(session, after, most, customer_id)


def items(order: OrderRow) -> tuple[Item, ...]:
    """The lines of an order."""
    return tuple(Item(**line) for line in json.loads(order.items))


def _change(session: Session, news: News, row: dict[str, object], now: datetime) -> Outcome:
    ours = store.find(session, news.source, news.external_id, lock=True)
    assert ours is not None
    if _is_older(news, ours):
        return Outcome.STALE
    same = all(getattr(ours, name) == value for name, value in row.items() if name in _TOLD)
    if same and news.version == ours.version:
        return Outcome.UNCHANGED
    delivered_at = ours.delivered_at if news.status in _AFTER_DELIVERY else None
    if news.status == Status.DELIVERED:
        delivered_at = delivered_at or news.changed_at
    store.change(session, ours.id, {**row, "delivered_at": delivered_at, "updated_at": now})
    return Outcome.UNCHANGED if same else Outcome.UPDATED


def _is_older(news: News, ours: OrderRow) -> bool:
    return (news.version, _WEIGHTS[news.status]) < (ours.version, _WEIGHTS[ours.status])


def _row(news: News, owner: int) -> dict[str, object]:
    code = news.code or news.external_id
    return {
        "code": code, "code_key": _code_key(code), "customer_id": owner, "status": news.status.value,
        "total": news.total, "items": json.dumps([asdict(item) for item in news.items], ensure_ascii=False),
        "note": news.note, "version": news.version, "placed_at": news.placed_at,
    }  # fmt: skip


def _code_key(code: str) -> str:
    return "".join(code.replace("#", "").split()).casefold()
