"""Where the fifths of the customers who bought begin, day by day: by last order, number of orders, money spent."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import case, func, select
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, insert, moment
from storage.customers import Customer
from storage.orders import SalesOrder
from storage.segment_facts import GONE
from storage.segment_plan import SERVED

PLACES = (2, 3, 4, 5)


class FifthRow(SQLModel, table=True):
    """At the end of a day in the brand's time zone: the most that is below a fifth (2–5; the 5th is the best).

    Whoever has more than this is in that fifth or above it, so equals are together, in the lower one.
    """

    __tablename__ = "fifth"

    day: str = Field(primary_key=True, max_length=10)
    place: int = Field(primary_key=True)
    last_at: datetime = moment()
    orders: int
    spent: int = Field(sa_type=BigInt)


class Fifth(NamedTuple):
    """What must be exceeded to be in this fifth (`place`) or a better one."""

    place: int
    last_at: datetime
    orders: int
    spent: int


_fifth = FifthRow.__table__  # type: ignore[attr-defined]
_order = SalesOrder.__table__  # type: ignore[attr-defined]
_customer = Customer.__table__  # type: ignore[attr-defined]


def worked_out(session: Session, until: datetime) -> list[Fifth]:
    """The fifths of all customers by their orders before a moment that came to something; none where nobody bought.

    Reads every order once. Divided as by `NTILE`: where they are no multiple of five the lower fifths have one more.
    """
    own = (
        select(
            func.max(_order.c.placed_at).label("last_at"), func.count().label("orders"),
            func.sum(_order.c.total).label("spent"),
        )
        .join(_customer, _customer.c.id == _order.c.customer_id)
        .where(*SERVED, _order.c.status.not_in(GONE), _order.c.placed_at < until)
        .group_by(_order.c.customer_id)
        .subquery()
    )  # fmt: skip
    values = (own.c.last_at, own.c.orders, own.c.spent)
    placed = select(
        *values, *(func.ntile(5).over(order_by=value).label(f"by_{value.name}") for value in values)
    ).subquery()
    most_below = [
        func.max(case((placed.c[f"by_{value.name}"] < place, placed.c[value.name])))
        for place in PLACES
        for value in values
    ]
    row = session.connection().execute(select(*most_below)).one()
    if row[0] is None:
        return []
    return [Fifth(place, *row[3 * number : 3 * number + 3]) for number, place in enumerate(PLACES)]


def keep(session: Session, day: str, found: Collection[Fifth]) -> None:
    """Keep the fifths of a day; those that are kept already stay."""
    rows = [{"day": day, **each._asdict()} for each in found]
    session.connection().execute(insert(session.get_bind().dialect.name, _fifth).on_conflict_do_nothing(), rows)


def latest(session: Session, day: str) -> tuple[str, list[Fifth]]:
    """The newest fifths of this day or before it, and whose day they are; ("", []) for none."""
    newest = select(func.max(_fifth.c.day)).where(_fifth.c.day <= day).scalar_subquery()
    columns = (_fifth.c.day, *(_fifth.c[name] for name in Fifth._fields))
    rows = session.connection().execute(select(*columns).where(_fifth.c.day == newest).order_by(_fifth.c.place)).all()
    return (rows[0].day if rows else ""), [Fifth._make(row[1:]) for row in rows]
