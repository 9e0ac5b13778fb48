"""What an order has earned: the ledger is made to hold it, whatever news of the order came in which order."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from crm import earning, ledger, membership, posting, programmes, stamps
from crm.earning import Earlier, Evaluation, Line, Purchase
from crm.ledger import FOREVER, QUALIFY, SPEND, Entry, Fact, Kind, Terms
from crm.programme import Programme, month_of
from storage import customers as people
from storage import lots, members, orders, refunds
from storage import loyalty as store
from storage.orders import OrderRow
from storage.refunds import RefundRow

DELIVERED = "delivered"
_LOOKED_AT = 50
_MOST_A_MONTH = 1000
_NAMES = ("sku", "name")
_ON_ITS_WAY = ("pending", "confirmed", "shipping", DELIVERED)

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


def settle_order(session: Session, order: OrderRow, now: datetime) -> None:
    """Make the ledger hold what this order has earned in the state it is in now.

    Its points are promised from the status that the programme says, and wait until some days after delivery; returned
    or cancelled it earns nothing; a refund, a changed total or another customer moves the difference alone. Whatever
    order the news came in, the sums end the same. The caller holds the order's row and its customers.
    """
    written = store.of_order(session, order.id)
    without_first = _claim_first(session, order, written)
    _settle(session, order, reckon(session, order), written, now)
    for customer_id in sorted({order.customer_id, *(entry.customer_id for entry in written)}):
        _settle_others(session, customer_id, order, now)
    for customer_id in without_first:
        if following := _first_that_brings(session, customer_id):
            settle_order(session, following, now)


def _settle(session: Session, order: OrderRow, reckoning: Reckoning, written: Sequence[Entry], now: datetime) -> None:
    due = {(order.customer_id, currency): points for currency, points in reckoning.due.items()}
    if order.status == DELIVERED:
        due[order.customer_id, QUALIFY] = reckoning.purchase.total
    earned = _earned(written)
    terms = _terms(order, reckoning.programme)
    if order.status != DELIVERED and any(not lot.pending and lot.remaining for lot in _lots(session, order)):
        _post(session, order, {key: -points for key, points in earned.items()}, terms, reckoning, now)
        earned = {}
    _retime(session, order, terms, now)
    changes = {key: due.get(key, 0) - earned.get(key, 0) for key in {*earned, *due}}
    _post(session, order, changes, terms, reckoning, now)
    for customer_id in sorted({customer for (customer, currency), points in changes.items() if currency == QUALIFY}):
        membership.requalify(session, customer_id, now)
    stamps.fill(session, order.customer_id, now)


def _settle_others(session: Session, customer_id: int, order: OrderRow, now: datetime) -> None:
    """Where caps look at a day or a month, what this order earns leaves more or less to the others of its month."""
    programme = programmes.at(session, order.placed_at)
    if not programme.points.caps_spans:
        return
    for other, reckoning in list(_month(session, customer_id, order.placed_at, programme.zone)):
        written = store.of_order(session, other.id)
        if _earned(written).get((customer_id, SPEND), 0) != reckoning.due.get(SPEND, 0):
            _settle(session, other, reckoning, written, now)


def reckon(session: Session, order: OrderRow) -> Reckoning:
    """What an order earns as it is now; nothing is written."""
    programme = programmes.at(session, order.placed_at)
    if programme.points.caps_spans:
        for each, reckoning in _month(session, order.customer_id, order.placed_at, programme.zone):
            if each.id == order.id:
                return reckoning
    return _reckoned(session, order, programme, earning.NOTHING)


def _month(session: Session, customer_id: int, at: datetime, zone: ZoneInfo) -> Iterator[tuple[OrderRow, Reckoning]]:
    """What a customer's orders of a month earn, in the order in which they were placed: caps look at those before."""
    day, in_day, in_month = None, 0, 0
    for order in orders.placed(session, customer_id, *month_of(at, zone), _MOST_A_MONTH):
        day, before = order.placed_at.astimezone(zone).date(), day
        in_day = in_day if day == before else 0
        programme = programmes.at(session, order.placed_at)
        reckoning = _reckoned(session, order, programme, Earlier(in_day, in_month))
        points = reckoning.due.get(SPEND, 0)
        in_day, in_month = in_day + points, in_month + points
        yield order, reckoning


def _reckoned(session: Session, order: OrderRow, programme: Programme, earlier: Earlier) -> Reckoning:
    purchase = _purchase(session, order)
    evaluation = earning.evaluate(programme, purchase, earlier)
    return Reckoning(programme, purchase, evaluation, _earns(order, programme, purchase.total))


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


def _purchase(session: Session, order: OrderRow) -> Purchase:
    total, lines = left_of(order, refunds.of_order(session, order.id))
    member = members.member(session, order.customer_id)
    profile = people.profile(session, order.customer_id)
    return Purchase(
        total=total,
        source=order.source,
        placed_at=order.placed_at,
        lines=lines,
        tier=membership.tier_at(session, order.customer_id, order.placed_at),
        birthday=profile.birthday if profile else "",
        is_first=member is not None and member.first_order_id == order.id,
    )


def _earns(order: OrderRow, programme: Programme, total: int) -> bool:
    promised = _ON_ITS_WAY.index(programme.points.shown_from)
    return order.status in _ON_ITS_WAY[promised:] and total > 0


def _claim_first(session: Session, order: OrderRow, written: Sequence[Entry]) -> list[int]:
    """A customer's first order that earns counts as such, until it earns nothing any more or is somebody else's; then
    those are named who have no first order now."""
    brings = _brings(session, order)
    losers = {entry.customer_id for entry in written} - ({order.customer_id} if brings else set())
    freed = members.free_first(session, order.id, losers)
    member = members.member(session, order.customer_id)
    if brings and (member is None or member.first_order_id is None):
        first = _first_that_brings(session, order.customer_id)
        if first is None or (order.placed_at, order.id) <= (first.placed_at, first.id):
            members.join(session, [order.customer_id], order.placed_at)
            members.claim_first(session, order.customer_id, order.id)
    return freed


def _first_that_brings(session: Session, customer_id: int) -> OrderRow | None:
    """A customer's first delivered order of which something is left."""
    found = orders.delivered(session, customer_id, _LOOKED_AT)
    return next((order for order in found if _brings(session, order)), None)


def _brings(session: Session, order: OrderRow) -> bool:
    total = left_of(order, refunds.of_order(session, order.id))[0]
    return _earns(order, programmes.at(session, order.placed_at), total)


def _earned(written: Sequence[Entry]) -> dict[tuple[int, str], int]:
    earned: defaultdict[tuple[int, str], int] = defaultdict(int)
    for entry in written:
        if entry.kind in (Kind.EARN, Kind.REVERSE):
            earned[entry.customer_id, entry.currency] += entry.points
    return dict(earned)


def _terms(order: OrderRow, programme: Programme) -> Terms:
    if order.status != DELIVERED or order.delivered_at is None:
        return Terms(FOREVER, FOREVER)
    available_at = order.delivered_at + timedelta(days=programme.points.wait_days)
    return Terms(available_at, programme.expires_at(available_at))


def _lots(session: Session, order: OrderRow) -> list[ledger.Lot]:
    return [lot for lot in lots.of_order(session, order.id) if lot.customer_id == order.customer_id]


def _retime(session: Session, order: OrderRow, terms: Terms, now: datetime) -> None:
    """The order's points that wait follow its state."""
    assert terms.available_at is not None
    waiting = [lot for lot in _lots(session, order) if lot.pending and lot.available_at != terms.available_at]
    lots.retime(session, [lot.id for lot in waiting], terms.available_at, terms.expires_at)
    if terms.available_at <= now:
        for currency in sorted({lot.currency for lot in waiting}):
            posting.caught_up(session, order.customer_id, currency, now)


def _post(
    session: Session,
    order: OrderRow,
    changes: dict[tuple[int, str], int],
    terms: Terms,
    reckoning: Reckoning,
    now: datetime,
) -> None:
    written = store.of_order(session, order.id)
    count = len(written)
    for (customer_id, currency), points in sorted(changes.items()):
        if points == 0:
            continue
        before = [entry for entry in written if (entry.customer_id, entry.currency) == (customer_id, currency)]
        own_day = before[-1].effective_at if points < 0 and before else order.delivered_at or order.placed_at
        fact = Fact(
            key=f"order:{order.id}:{count}", now=now, reason=f"#{order.code}", order_id=order.id,
            happened_at=own_day, programme=reckoning.programme.version,
        )  # fmt: skip
        if points > 0:
            ledger.earn(session, customer_id, points, fact, currency, terms)
        else:
            ledger.take_back(session, customer_id, -points, fact, currency)
        count += 1
