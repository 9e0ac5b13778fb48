"""Points as customers and staff see them: what somebody holds, what comes and goes next, and how that came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from crm import ledger, membership, programmes, reckoning, stamps, vouchers
from crm.errors import Conflict
from crm.gifts import EVENT
from crm.ledger import FOREVER, SPEND, Entry, Fact, Kind, Posted
from crm.programme import midnight_after
from crm.reckoning import Reckoning
from crm.tiers import Standing
from storage import lots, members, orders, reservations
from storage import loyalty as store
from storage.orders import OrderRow

_MOMENT = timedelta(microseconds=1)
_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Coming:
    """Points that change at a moment: that can be spent from then on, or are gone then. `at` None: nobody knows yet."""

    points: int
    at: datetime | None

    @property
    def last(self) -> datetime | None:
        """The last moment before; its day is the last one on which points that expire can be spent."""
        return self.at - _MOMENT if self.at else None


@dataclass(frozen=True, slots=True)
class Told:
    """An entry as customers hear of it: of which order, for which event or which reward, in both languages."""

    kind: str
    points: int
    at: datetime
    reason: str
    order: str = ""
    event_vi: str = ""
    event_en: str = ""
    reward_vi: str = ""
    reward_en: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """All that a member's card says. `expiring` are those that go next, within the days that the programme warns."""

    balance: int
    spendable: int
    held: int
    debt: int
    waiting: tuple[Coming, ...]
    expiring: Coming | None
    standing: Standing
    frozen: bool


def balance(session: Session, customer_id: int) -> int:
    """The points that a customer holds, with those that wait and less those that they owe."""
    return ledger.holding(session, customer_id).balance


def card(session: Session, customer_id: int, now: datetime) -> Card:
    """What a customer holds at this moment, whatever of it is still to be written down."""
    held = ledger.holding(session, customer_id)
    programme, member = programmes.at(session, now), members.member(session, customer_id)
    found = lots.open_lots(session, customer_id, SPEND) if held != (0, 0, 0, 0) else []
    lapsed = reservations.lapsed_of(session, customer_id, SPEND, now) if held.held else {}
    found = [lot._replace(held=lot.held - lapsed.get(lot.id, 0)) for lot in found]
    waiting = [lot for lot in found if lot.pending and lot.available_at > now]
    ready = sum(lot.free for lot in found if lot.pending and lot.available_at <= now < lot.expires_at)
    over = [lot for lot in found if lot.expires_at <= now and lot not in waiting]
    freed = sum(lapsed.values())
    gone = sum(lot.free for lot in over if not lot.pending)
    repaid = min(ready + sum(lapsed.get(lot.id, 0) for lot in found if lot not in over), held.debt)
    return Card(
        balance=held.balance - sum(lot.free for lot in over),
        spendable=max(0, held.spendable + freed - gone + ready - repaid),
        held=held.held - freed,
        debt=held.debt - repaid,
        waiting=_waiting(waiting),
        expiring=_expiring(found, now, timedelta(days=programme.points.warn_days)),
        standing=membership.standing_of(session, customer_id, member, programme, now),
        frozen=member is not None and member.frozen_at is not None,
    )


def history(session: Session, customer_id: int, most: int = 10, before: int | None = None) -> list[Entry]:
    """A customer's last entries that changed how many points they hold, newest first; `before` that entry's id."""
    found: list[Entry] = []
    while len(found) < most:
        some = store.latest(session, customer_id, most, before=before)
        found += [entry for entry in some if entry.points]
        if len(some) < most:
            break
        before = some[-1].id
    return found[:most]


def told(session: Session, entries: Sequence[Entry], now: datetime) -> tuple[Told, ...]:
    """These entries in a form for customers."""
    found = orders.some(session, {entry.order_id for entry in entries if entry.order_id is not None})
    return tuple(_told(session, entry, found, now) for entry in entries)


def last_order(session: Session, customer_id: int) -> OrderRow | None:
    """The order that last moved points of a customer."""
    for entry in history(session, customer_id, _LOOKED_AT):
        order = orders.one(session, entry.order_id) if entry.order_id is not None else None
        if order is not None and order.customer_id == customer_id:
            return order
    return None


def explain(session: Session, order: OrderRow) -> tuple[Reckoning, list[Entry]]:
    """Which rules fired for an order as it is now, which did not and why; and what the ledger holds of it."""
    written = (entry for entry in store.of_order(session, order.id) if entry.points and entry.currency == SPEND)
    return reckoning.reckon(session, order), [entry for entry in written if entry.kind in (Kind.EARN, Kind.REVERSE)]


def unfreeze(session: Session, customer_id: int, now: datetime) -> None:
    """These points can be spent again, and stamp cards that became full meanwhile become vouchers."""
    ledger.unfreeze(session, customer_id)
    stamps.fill(session, customer_id, now)


def give_back(session: Session, entry_id: int, fact: Fact) -> Posted:
    """Undo a redemption; what would be gone too soon lives as long as the programme says. Raises NotFound."""
    programme = programmes.at(session, fact.now)
    last = (fact.now + timedelta(days=programme.points.give_back_days)).astimezone(programme.zone).date()
    return ledger.reinstate(session, entry_id, fact, midnight_after(last, programme.zone))


def undo(session: Session, entry_id: int, fact: Fact) -> Posted:
    """The same for points that were spent at the counter. Raises Conflict for those that a voucher was had for."""
    entry = store.one(session, entry_id)
    if entry is not None and vouchers.paid_by(session, entry, fact.now) is not None:
        raise Conflict(
            "Điểm này đã đổi lấy voucher: hãy hủy voucher.",
            "A voucher was had for these points: cancel the voucher, which gives them back.",
            field="redemption",
        )
    return give_back(session, entry_id, fact)


def _told(session: Session, entry: Entry, found: Mapping[int, OrderRow], now: datetime) -> Told:
    order = found.get(entry.order_id) if entry.order_id is not None else None
    code = f"#{order.code.removeprefix('#')}" if order else ""
    plain = Told(entry.kind, entry.points, entry.effective_at, entry.reason, code)
    if entry.source_key.startswith(vouchers.PAID):
        voucher = vouchers.paid_by(session, entry, now)
        return replace(plain, reward_vi=voucher.vi, reward_en=voucher.en) if voucher else plain
    if not entry.source_key.startswith(EVENT):
        return plain
    programme = programmes.of(session, entry.programme)
    rule = next((rule for rule in programme.events if rule.id == entry.reason), None)
    return replace(plain, event_vi=rule.vi, event_en=rule.en) if rule else plain


def _waiting(found: list[lots.Lot]) -> tuple[Coming, ...]:
    by_moment: dict[datetime, int] = {}
    for lot in found:
        by_moment[lot.available_at] = by_moment.get(lot.available_at, 0) + lot.remaining
    return tuple(Coming(points, at if at < FOREVER else None) for at, points in sorted(by_moment.items()))


def _expiring(found: Sequence[lots.Lot], now: datetime, span: timedelta) -> Coming | None:
    """What goes first within this span, together with all that goes at the same moment."""
    usable = [lot for lot in found if lot.free and now < lot.expires_at <= now + span and lot.available_at <= now]
    if not usable:
        return None
    at = min(lot.expires_at for lot in usable)
    return Coming(sum(lot.free for lot in usable if lot.expires_at == at), at)
