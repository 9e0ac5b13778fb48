"""Where each fact about a customer is kept: in a column of theirs, or in rows that are theirs."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, not_, or_, select

from storage.balances import PointBalance
from storage.consent import ConsentStanding
from storage.customers import Customer, Identity
from storage.fields import CustomerField
from storage.lots import PointLot
from storage.loyalty import SPEND, STAMP
from storage.members import LoyaltyMember
from storage.orders import SalesOrder
from storage.segment_tree import About, Fact
from storage.tags import TagRow
from storage.tickets import Ticket
from storage.vouchers import REDEEMED, Voucher, VoucherUse

GONE = ("cancelled", "returned")
"""The states of orders that came to nothing."""

_customer = Customer.__table__  # type: ignore[attr-defined]
_identity = Identity.__table__  # type: ignore[attr-defined]
_tag = TagRow.__table__  # type: ignore[attr-defined]
_field = CustomerField.__table__  # type: ignore[attr-defined]
_said = ConsentStanding.__table__  # type: ignore[attr-defined]
_no = _said.alias("no")
_order = SalesOrder.__table__  # type: ignore[attr-defined]
_balance = PointBalance.__table__  # type: ignore[attr-defined]
_lot = PointLot.__table__  # type: ignore[attr-defined]
_member = LoyaltyMember.__table__  # type: ignore[attr-defined]
_ticket = Ticket.__table__  # type: ignore[attr-defined]
_voucher = Voucher.__table__  # type: ignore[attr-defined]
_use = VoucherUse.__table__  # type: ignore[attr-defined]

_COMPARED: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">": operator.gt,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of customers: whoever has one of them, or whose rows together are as `having` says, is meant.

    `is_none`: whoever has none of them.
    """

    owner: ColumnElement[int]
    where: tuple[ColumnElement[bool], ...]
    having: ColumnElement[bool] | None = None
    is_none: bool = False

    def owners(self) -> Select[int]:
        """The customers who have such rows."""
        rows = select(self.owner).where(*self.where)
        return rows if self.having is None else rows.group_by(self.owner).having(self.having)

    def of(self, customer_id: ColumnElement[int]) -> ColumnElement[bool]:
        """Whether this customer is meant."""
        rows = select(literal(1)).where(self.owner == customer_id, *self.where)
        if self.having is not None:
            rows = rows.group_by(self.owner).having(self.having)
        has = exists(rows.correlate(_customer))
        return not_(has) if self.is_none else has


Source = Rows | ColumnElement[bool]


def found(fact: Fact) -> Source:
    """Where to look for this fact. A column's condition is never unknown."""
    return _SOURCES[fact.about](fact)


def _tagged(fact: Fact) -> Source:
    return Rows(_tag.c.customer_id, (_tag.c.folded.in_(fact.words),) if fact.words else ())


def _filled(fact: Fact) -> Source:
    own = (_field.c.customer_id, _field.c.field_id == fact.key)
    if not fact.op:
        return Rows(own[0], (own[1],))
    compare = _COMPARED[fact.op]
    value = compare(_field.c.value, fact.words[0]) if fact.words else compare(_field.c.number, fact.number)
    return Rows(own[0], (own[1], value))


def _birthday(fact: Fact) -> Source:
    if not fact.words:
        return _is_filled(_customer.c.birthday)
    length = 2 if fact.about is About.BIRTH_MONTH else 5
    day: ColumnElement[str] = func.substr(_customer.c.birthday, func.length(_customer.c.birthday) - 4, length)
    return and_(_is_filled(_customer.c.birthday), day.in_(fact.words))


def _agreed(fact: Fact) -> Source:
    """A yes to the purpose `op` that holds on one of the channels `words`: no later no covers it there."""
    later = (_no.c.customer_id == _said.c.customer_id, _no.c.purpose == _said.c.purpose, _no.c.at >= _said.c.at)
    taken_back = (*later, not_(_no.c.granted))
    is_taken_back = exists().where(*taken_back, _no.c.channel.in_(("", _said.c.channel)))
    channels_of_no = select(func.count()).where(*taken_back, _no.c.channel.in_(fact.words)).scalar_subquery()
    holds = or_(_said.c.channel != "", channels_of_no < len(fact.words))
    return Rows(_said.c.customer_id, (*_about(fact, "", *fact.words), _said.c.granted, not_(is_taken_back), holds))


def _refused(fact: Fact) -> Source:
    """A no to the purpose `op`, about one of the channels `words` (none: any)."""
    return Rows(_said.c.customer_id, (*_about(fact, *fact.words), not_(_said.c.granted)))


def _about(fact: Fact, *channels: str) -> Sequence[ColumnElement[bool]]:
    on = (_said.c.channel.in_(channels),) if channels else ()
    return (_said.c.purpose == fact.op, *on)


def _created(fact: Fact) -> Source:
    return and_(*_span(_customer.c.created_at, fact))


def _ordered(fact: Fact) -> Source:
    """An order that came to something, or one in these states."""
    state = _order.c.status.in_(fact.words) if fact.words else _order.c.status.not_in(GONE)
    return Rows(_order.c.customer_id, (state, *_span(_order.c.placed_at, fact)))


def _bought(fact: Fact) -> Source:
    """A line with this code or name, found in the lines as they are kept: JSON, whose own quotes are never bare."""
    texts = [f'"{key}": {json.dumps(word, ensure_ascii=False)}' for key in ("sku", "name") for word in fact.words]
    has = or_(*(func.replace(_order.c["items"], text, "") != _order.c["items"] for text in texts))
    return Rows(_order.c.customer_id, (_order.c.status.not_in(GONE), *_span(_order.c.placed_at, fact), has))


def _orders(fact: Fact) -> Source:
    return _summed(fact, func.count())


def _spent(fact: Fact) -> Source:
    return _summed(fact, func.sum(_order.c.total))


def _summed(fact: Fact, value: ColumnElement[Any]) -> Source:
    where = (_order.c.status.not_in(GONE), *_span(_order.c.placed_at, fact))
    return _compared(_order.c.customer_id, where, value, fact, together=True)


def _points(fact: Fact) -> Source:
    value = _balance.c.balance + _balance.c.debt - _balance.c.pending - _balance.c.held
    return _compared(_balance.c.customer_id, (_balance.c.currency == SPEND,), value, fact)


def _stamps(fact: Fact) -> Source:
    """The stamps of the fullest card."""
    value = func.max(_balance.c.balance - _balance.c.pending - _balance.c.held)
    where = (_balance.c.currency >= STAMP, _balance.c.currency < STAMP + "~")
    return _compared(_balance.c.customer_id, where, value, fact, together=True)


def _expiring(fact: Fact) -> Source:
    """What can be spent and will be gone within the span."""
    usable = (_lot.c.currency == SPEND, _lot.c.remaining > 0, _lot.c.available_at <= fact.since)
    where = (*usable, *_span(_lot.c.expires_at, fact))
    value = func.sum(_lot.c.remaining - _lot.c.held)
    return _compared(_lot.c.customer_id, where, value, fact, together=True)


def _voucher_left(fact: Fact) -> Source:
    redeemed = select(func.count()).where(_use.c.voucher_id == _voucher.c.id, _use.c.state == REDEEMED)
    left = redeemed.correlate(_voucher).scalar_subquery() < _voucher.c.uses
    return Rows(_voucher.c.customer_id, (_voucher.c.cancelled_at.is_(None), _voucher.c.expires_at > fact.since, left))


def _in_tier(fact: Fact) -> Source:
    return Rows(_member.c.customer_id, (_member.c.tier.in_(fact.words),))


def _tickets(fact: Fact) -> Source:
    where = (_ticket.c.state.in_(fact.words),)
    return _compared(_ticket.c.customer_id, where, func.count(), fact, together=True)


def _wrote(fact: Fact) -> Source:
    at = _identity.c.last_interaction_at
    return Rows(_identity.c.customer_id, (at.is_not(None), *_span(at, fact)))


def _on_channel(fact: Fact) -> Source:
    """With `op` "reach": where they can be written to, if they wrote since."""
    where: list[ColumnElement[bool]] = [_identity.c.channel.in_(fact.words)]
    if fact.op == REACH:
        where += [_identity.c.unreachable_since.is_(None), _identity.c.last_interaction_at.is_not(None)]
        where += _span(_identity.c.last_interaction_at, fact)
    return Rows(_identity.c.customer_id, tuple(where))


REACH = "reach"

_SOURCES: Mapping[About, Callable[[Fact], Source]] = {
    About.TAG: _tagged,
    About.FIELD: _filled,
    About.NAME: lambda fact: _is_filled(_customer.c.name),
    About.PHONE: lambda fact: _is_filled(func.coalesce(_customer.c.phone, "")),
    About.EMAIL: lambda fact: _is_filled(_customer.c.email),
    About.LOCALE: lambda fact: _customer.c.locale.in_(fact.words),
    About.AGREED: _agreed,
    About.REFUSED: _refused,
    About.BIRTHDAY: _birthday,
    About.BIRTH_MONTH: _birthday,
    About.CREATED: _created,
    About.ORDERED: _ordered,
    About.ORDERS: _orders,
    About.BOUGHT: _bought,
    About.SPENT: _spent,
    About.POINTS: _points,
    About.EXPIRING: _expiring,
    About.STAMPS: _stamps,
    About.VOUCHER: _voucher_left,
    About.TIER: _in_tier,
    About.TICKETS: _tickets,
    About.WROTE: _wrote,
    About.CHANNEL: _on_channel,
}


def _is_filled(column: ColumnElement[str]) -> ColumnElement[bool]:
    return column != ""


def _span(at: ColumnElement[datetime], fact: Fact) -> Sequence[ColumnElement[bool]]:
    bounds = []
    if fact.since is not None:
        bounds.append(at >= fact.since)
    if fact.until is not None:
        bounds.append(at < fact.until)
    return bounds


def _compared(
    owner: ColumnElement[int],
    where: tuple[ColumnElement[bool], ...],
    value: ColumnElement[Any],
    fact: Fact,
    *,
    together: bool = False,
) -> Rows:
    """A number of each customer compared; who has no rows has 0. `together`: it is made of all of one's rows."""
    is_none = bool(_COMPARED[fact.op](0, fact.number))
    told = not_(_COMPARED[fact.op](value, fact.number)) if is_none else _COMPARED[fact.op](value, fact.number)
    if together:
        return Rows(owner, where, told, is_none)
    return Rows(owner, (*where, told), None, is_none)
