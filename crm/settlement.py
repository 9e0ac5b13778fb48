"""What an order has earned: the ledger is made to hold it, whatever news of the order came in which order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from crm import ledger, membership, posting, programmes, reckoning, stamps
from crm.ledger import FOREVER, QUALIFY, Entry, Fact, Kind, Terms
from crm.programme import Programme
from crm.reckoning import Reckoning, Span
from storage import lots, members, orders, refunds
from storage import loyalty as store
from storage.orders import OrderRow

_LOOKED_AT = 50


def settle_order(session: Session, order: OrderRow, now: datetime, before: OrderRow | None = None) -> None:
    """Make the ledger hold what this order has earned in the state it is in now; `before` is what it was.

    Its points are promised from the status that the programme says, and wait until some days after delivery; returned
    or cancelled it earns nothing; a refund, a changed total or another customer moves the difference alone. Where caps
    look at a day or a month, the others of its span, and of the one that it was moved from, are settled, too. Whatever
    order the news came in, the sums end the same. The caller holds the order's row and its customers.
    """
    written = store.of_order(session, order.id)
    without_first = _claim_first(session, order, written)
    others = {entry.customer_id for entry in written} | ({before.customer_id} if before else set())
    owners = [order.customer_id, *sorted(others - {order.customer_id})]
    span = reckoning.span_of(session, order.placed_at)
    if span is None:
        _settle(session, order, reckoning.by_itself(session, order), written, now)
    spans = [span] if span else []
    if before is not None and not _is_in(span, before.placed_at):
        left = reckoning.span_of(session, before.placed_at)
        spans += [left] if left else []
    for each in spans:
        for customer_id in owners:
            _settle_span(session, customer_id, each, order, now)
    for customer_id in without_first:
        if following := _first_that_brings(session, customer_id):
            settle_order(session, following, now)


def _is_in(span: Span | None, moment: datetime) -> bool:
    return span is not None and span.since <= moment < span.until


def _settle_span(session: Session, customer_id: int, span: Span, order: OrderRow, now: datetime) -> None:
    """Settle this order, where it is one of them, and those to whom it leaves more or less than they have."""
    sums = store.of_placed(session, customer_id, (Kind.EARN, Kind.REVERSE), span.since, span.until)
    for each, found in reckoning.within(session, customer_id, span):
        held = sums.get(each.id, {})
        if each.id == order.id or any(held.get(name, 0) != found.due.get(name, 0) for name in {*held, *found.due}):
            _settle(session, each, found, store.of_order(session, each.id), now)


def _settle(session: Session, order: OrderRow, found: Reckoning, written: Sequence[Entry], now: datetime) -> None:
    due = {(order.customer_id, currency): points for currency, points in found.due.items()}
    if order.status == reckoning.DELIVERED:
        due[order.customer_id, QUALIFY] = found.purchase.total
    earned = _earned(written)
    terms = _terms(order, found.programme)
    if order.status != reckoning.DELIVERED and any(not lot.pending and lot.remaining for lot in _lots(session, order)):
        _post(session, order, {key: -points for key, points in earned.items()}, terms, found.programme.version, now)
        earned = {}
    _retime(session, order, terms, now)
    changes = {key: due.get(key, 0) - earned.get(key, 0) for key in {*earned, *due}}
    _post(session, order, changes, terms, found.programme.version, now)
    for customer_id in sorted({customer for (customer, currency), points in changes.items() if currency == QUALIFY}):
        membership.requalify(session, customer_id, now)
    stamps.fill(session, order.customer_id, now)


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
    total = reckoning.left_of(order, refunds.of_order(session, order.id))[0]
    return reckoning.earns(order, programmes.at(session, order.placed_at), total)


def _earned(written: Sequence[Entry]) -> dict[tuple[int, str], int]:
    earned: defaultdict[tuple[int, str], int] = defaultdict(int)
    for entry in written:
        if entry.kind in (Kind.EARN, Kind.REVERSE):
            earned[entry.customer_id, entry.currency] += entry.points
    return dict(earned)


def _terms(order: OrderRow, programme: Programme) -> Terms:
    if order.status != reckoning.DELIVERED or order.delivered_at is None:
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
    programme: int | None,
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
            happened_at=own_day, programme=programme,
        )  # fmt: skip
        if points > 0:
            ledger.earn(session, customer_id, points, fact, currency, terms)
        else:
            ledger.take_back(session, customer_id, -points, fact, currency)
        count += 1
