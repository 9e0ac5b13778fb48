"""What an order earns as it is now: by itself, or after the others of its day and month where caps look at them."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

from crm import earning, membership, programmes
from crm.earning import ALL, Earlier, Evaluation, Line, Purchase
from crm.ledger import SPEND
from crm.programme import DEFAULT, Programme, midnight, midnight_after, month_of
from storage import customers as people
from storage import members, orders, refunds
from storage.orders import OrderRow
from storage.refunds import RefundRow

DELIVERED = "delivered"
_ON_ITS_WAY = ("pending", "confirmed", "shipping", DELIVERED)
_NAMES = ("sku", "name")
_A_MONTH = timedelta(days=32)
"""No shorter than any month."""

Wish = tuple[str, Fraction]
"""So much of what is named so, by its sku or its name, in small letters."""


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What an order earns now, under which programme, rule by rule; `earns` is False in a state that earns nothing."""

    programme: Programme
    purchase: Purchase
    evaluation: Evaluation
    earns: bool

    @property
    def due(self) -> dict[str, int]:
        """What the ledger is to hold of this order, by currency, without what qualifies for tiers."""
        return {currency: max(0, points) for currency, points in self.evaluation.points.items()} if self.earns else {}


@dataclass(frozen=True, slots=True)
class Span:
    """A day or a month whose orders earn together, and the programmes that held then: the last first, each with the
    moment from which it did."""

    since: datetime
    until: datetime
    zone: ZoneInfo
    held: tuple[tuple[datetime, Programme], ...]

    def programme(self, moment: datetime) -> Programme:
        """The one that held then."""
        return next((programme for since, programme in self.held if since <= moment), DEFAULT)


class _Buyer(NamedTuple):
    """What matters of who bought."""

    birthday: str
    first_order: int | None


def reckon(session: Session, order: OrderRow) -> Reckoning:
    """What an order earns as it is now; nothing is written."""
    if span := span_of(session, order.placed_at):
        return next(found for each, found in within(session, order.customer_id, span) if each.id == order.id)
    return by_itself(session, order)


def by_itself(session: Session, order: OrderRow) -> Reckoning:
    """The same of an order of which `span_of` says that it earns by itself."""
    programme, given_back = programmes.at(session, order.placed_at), refunds.of_order(session, order.id)
    return _reckoned(session, order, given_back, _buyer(session, order.customer_id), programme, earning.NOTHING)


def span_of(session: Session, at: datetime) -> Span | None:
    """The span around a moment whose orders caps look at together; None where each earns by itself.

    It is the month as soon as one of the programmes that hold in it has a cap for months, for that counts them all.
    """
    held = programmes.during(session, at - _A_MONTH, at + _A_MONTH)
    zone = next((programme for since, programme in held if since <= at), DEFAULT).zone
    day, month = at.astimezone(zone).date(), month_of(at, zone)
    if any(programme.caps_months for programme in _held_in(held, *month)):
        return Span(*month, zone, tuple(held))
    today = midnight(day, zone), midnight_after(day, zone)
    if any(programme.caps_days for programme in _held_in(held, *today)):
        return Span(*today, zone, tuple(held))
    return None


def within(session: Session, customer_id: int, span: Span) -> Iterator[tuple[OrderRow, Reckoning]]:
    """What a customer's orders of a span earn, in the order in which they were placed: caps look at those before.

    Reads as often for many orders as for few, but that tiers are looked up for each where rules ask for them.
    """
    given_back = refunds.of_placed(session, customer_id, span.since, span.until)
    buyer = _buyer(session, customer_id)
    day, in_day, in_span = None, Counter[str](), Counter[str]()
    for order in orders.placed(session, customer_id, span.since, span.until):
        day, before = order.placed_at.astimezone(span.zone).date(), day
        in_day = in_day if day == before else Counter()
        programme = span.programme(order.placed_at)
        earlier = Earlier(in_day, in_span)
        found = _reckoned(session, order, given_back.get(order.id, []), buyer, programme, earlier)
        brought = Counter({ALL: found.due.get(SPEND, 0)})
        if found.earns:
            brought.update({step.rule: step.points for step in found.evaluation.steps if step.points > 0})
        in_day, in_span = in_day + brought, in_span + brought
        yield order, found


def _held_in(held: Sequence[tuple[datetime, Programme]], since: datetime, until: datetime) -> Iterator[Programme]:
    for begins, programme in held:
        if begins < until:
            yield programme
        if begins <= since:
            return


def _reckoned(
    session: Session, order: OrderRow, given_back: Sequence[RefundRow], buyer: _Buyer, programme: Programme,
    earlier: Earlier,
) -> Reckoning:  # fmt: skip
    total, lines = left_of(order, given_back)
    purchase = Purchase(
        total=total,
        source=order.source,
        placed_at=order.placed_at,
        lines=lines,
        tier=membership.tier_at(session, order.customer_id, order.placed_at) if programme.asks_tiers else "",
        birthday=buyer.birthday,
        is_first=buyer.first_order == order.id,
    )
    evaluation = earning.evaluate(programme, purchase, earlier)
    return Reckoning(programme, purchase, evaluation, earns(order, programme, total))


def _buyer(session: Session, customer_id: int) -> _Buyer:
    member, profile = members.member(session, customer_id), people.profile(session, customer_id)
    return _Buyer(profile.birthday if profile else "", member.first_order_id if member else None)


def earns(order: OrderRow, programme: Programme, total: int) -> bool:
    """Whether an order of which so much is left earns in the state that it is in."""
    promised = _ON_ITS_WAY.index(programme.points.shown_from)
    return order.status in _ON_ITS_WAY[promised:] and total > 0


def left_of(order: OrderRow, given_back: Sequence[RefundRow]) -> tuple[int, list[Line]]:
    """What is left of an order after its refunds: đồng, and its lines."""
    items = json.loads(order.items)
    left, _ = _apportioned(items, wishes_of(given_back))
    lines = [
        Line(
            item["name"], item.get("sku", ""), item.get("category", ""), rest, item["price"],
        )
        for item, rest in zip(items, left, strict=True)
    ]  # fmt: skip
    return max(0, order.total - sum(refund.amount for refund in given_back)), lines


def wishes_of(given_back: Sequence[RefundRow]) -> list[Wish]:
    """The lines of refunds."""
    return [
        (line["item"].casefold(), Fraction(str(line["quantity"])))
        for refund in given_back
        for line in json.loads(refund.lines)
    ]


def lacking(items: Sequence[Mapping[str, Any]], wishes: Sequence[Wish]) -> Fraction:
    """How much of these wishes is more than the lines of an order have."""
    return sum((quantity for _, quantity in _apportioned(items, wishes)[1]), Fraction())


def _apportioned(items: Sequence[Mapping[str, Any]], wishes: Sequence[Wish]) -> tuple[list[Fraction], list[Wish]]:
    """What is left of each line once these wishes are taken from them, and what is left of the wishes.

    Skus come first, for several lines may have one name; the order of the wishes makes no difference.
    """
    places: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        for kind in _NAMES:
            places[kind, item.get(kind, "").casefold()].append(place)
    left = [Fraction(str(item["quantity"])) for item in items]
    rest = list(wishes)
    for kind in _NAMES:
        for number, (name, wanted) in enumerate(rest):
            for place in places.get((kind, name), ()):
                some = min(wanted, left[place])
                left[place] -= some
                wanted -= some
            rest[number] = (name, wanted)
    return left, rest
