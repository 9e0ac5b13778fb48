"""What every change of a customer's points has in common: its fact, its bounds, what is due before it.

Whatever changes a customer's points holds that customer first; several are held in the order of their ids.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from crm import lots as choice
from crm.errors import Conflict, Invalid
from storage import balances, lots, loyalty, members, postings, reservations
from storage.balances import Holding
from storage.lots import FOREVER, Lot
from storage.loyalty import QUALIFY
from storage.postings import NewLot, Posting, Use

MOST = 1_000_000_000
"""The most points that one fact may move."""

_CURRENCY = re.compile(r"spend|qualify|stamp(:[a-z0-9_-]{1,24})?")


class Kind(StrEnum):
    """Why an entry was written."""

    EARN = "earn"
    RELEASE = "release"
    REDEEM = "redeem"
    REVERSE = "reverse"
    EXPIRE = "expire"
    ADJUST = "adjust"
    REINSTATE = "reinstate"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What happened. `key` stands for it in the database: the same key again changes nothing.

    `happened_at` where that was not now; `order_id` the order it is about; `programme` the version of the rules that
    decided; `actor` who did it, as in `staff:12`.
    """

    key: str
    now: datetime
    reason: str = ""
    happened_at: datetime | None = None
    order_id: int | None = None
    programme: int | None = None
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """From when new points can be spent (None: at once; FOREVER: nobody knows yet), and when they expire."""

    available_at: datetime | None = None
    expires_at: datetime = FOREVER


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of a fact: its entry, what the customer can spend now, and whether it had been told before."""

    entry_id: int
    points: int
    spendable: int
    repeated: bool = False


class NotEnough(Conflict):
    """The customer cannot spend so many points."""

    code = "not_enough"

    def __init__(self, asked: int, has: int) -> None:
        super().__init__(
            f"Không đủ điểm: cần {asked}, hiện dùng được {has}.",
            f"Not enough points: {asked} are needed, {has} can be spent.",
            field="points",
        )
        self.asked, self.has = asked, has


class KeyTaken(Conflict):
    """The key of a fact stands for another one already."""

    def __init__(self) -> None:
        super().__init__(
            "Mã giao dịch này đã dùng cho việc khác.", "This key was used for something else.", field="key"
        )  # fmt: skip


class Frozen(Conflict):
    """The customer's points are frozen."""

    code = "frozen"

    def __init__(self) -> None:
        super().__init__(
            "Tài khoản điểm đang tạm khóa. Bạn liên hệ cửa hàng để được hỗ trợ nhé.",
            "These points are frozen. Please contact the shop.",
            field="customer",
        )


def holding(session: Session, customer_id: int, currency: str) -> Holding:
    """What a customer holds, as written."""
    return balances.holding(session, customer_id, currency)


def refuse_frozen(session: Session, customer_id: int) -> None:
    """Raises Frozen."""
    if members.frozen_among(session, [customer_id]):
        raise Frozen


def repeated(session: Session, customer_id: int, currency: str, kind: str, points: int, key: str) -> Posted | None:
    """What came of this fact when it was told first; None where it is new. Raises KeyTaken where it is another's.

    The customer is held.
    """
    entry = loyalty.by_key(session, key)
    if entry is None:
        return None
    if (entry.customer_id, entry.currency, entry.kind, entry.points) != (customer_id, currency, kind, points):
        raise KeyTaken
    return Posted(entry.id, entry.points, holding(session, customer_id, currency).spendable, repeated=True)


def chosen(session: Session, customer_id: int, points: int, currency: str, now: datetime) -> list[Use]:
    """The lots that so many points would be spent from now. Raises NotEnough. The customer is held."""
    usable = choice.spendable(caught_up(session, customer_id, currency, now), now)
    uses, lacking = choice.take(usable, points)
    if lacking:
        raise NotEnough(points, points - lacking)
    return uses


def caught_up(session: Session, customer_id: int, currency: str, now: datetime) -> list[Lot]:
    """A customer's open lots, after all that is due by now was written: reservations ended, points released, expired.

    The customer is held.
    """
    for reservation in reservations.open_of(session, customer_id, currency):
        if reservation.expires_at <= now:
            let_go(session, reservation, reservations.LAPSED, now)
    found = lots.open_lots(session, customer_id, currency)
    due = choice.due(found, {customer_id: holding(session, customer_id, currency).debt}, now)
    if not due:
        return found
    postings.write(session, due)
    return lots.open_lots(session, customer_id, currency)


def let_go(session: Session, reservation: reservations.Reservation, state: str, now: datetime) -> None:
    """An open reservation ends without being spent. What came free expires if it is its time, else repays debts.

    The customer is held.
    """
    if not reservations.end(session, reservation.id, state):
        return
    held = reservations.lots_of(session, reservation.id)
    lots.move(session, {lot: (0, -points) for lot, points in held})
    change = {(reservation.customer_id, reservation.currency): Holding(held=-reservation.points)}
    balances.change(session, change)
    freed = lots.some(session, [lot for lot, _ in held])
    postings.write(session, choice.due(freed, {}, now))
    repay_free(session, reservation.customer_id, reservation.currency, now, f"reservation:{reservation.id}")


def repay_free(session: Session, customer_id: int, currency: str, now: datetime, key: str) -> None:
    """Nobody owes while they could pay."""
    debt = holding(session, customer_id, currency).debt
    if not debt:
        return
    usable = choice.spendable(lots.open_lots(session, customer_id, currency), now)
    if uses := choice.repay([(lot.id, lot.free) for lot in usable], debt):
        fact = Fact(key=f"repay:{key}", now=now)
        postings.write(session, [new(customer_id, currency, Kind.REVERSE, 0, fact, uses=tuple(uses))])


def new(
    customer_id: int,
    currency: str,
    kind: Kind,
    points: int,
    fact: Fact,
    *,
    key: str = "",
    order_id: int | None = None,
    happened_at: datetime | None = None,
    reverses: int | None = None,
    pending: int = 0,
    new_lots: tuple[NewLot, ...] = (),
    uses: tuple[Use, ...] = (),
) -> Posting:
    """One entry about a fact, with what comes with it."""
    return Posting(
        customer_id=customer_id, currency=currency, kind=kind, points=points, key=key or fact.key, at=fact.now,
        effective_at=happened_at or fact.happened_at or fact.now, reason=fact.reason,
        order_id=order_id or fact.order_id,
        reverses=reverses, programme=fact.programme, actor=fact.actor, pending=pending, new_lots=new_lots, uses=uses,
    )  # fmt: skip


def written(session: Session, entry: Posting) -> Posted:
    """Write an entry whose key is new. Raises KeyTaken where another customer's came first at the same moment."""
    entry_id = postings.write(session, [entry]).get(entry.key)
    if entry_id is None:
        raise KeyTaken
    return Posted(entry_id, entry.points, holding(session, entry.customer_id, entry.currency).spendable)


def check(points: int, currency: str, *, spends: bool = False) -> None:
    """Raises Invalid for what is no amount of a currency."""
    if type(points) is not int or not 0 < points <= MOST:
        raise Invalid(
            "points", f"Số điểm phải là số nguyên từ 1 đến {MOST}.", f"Points are a whole number from 1 to {MOST}."
        )
    if not _CURRENCY.fullmatch(currency) or (spends and currency == QUALIFY):
        raise Invalid("currency", "Loại điểm không hợp lệ.", "This is no currency that can be used here.")
