"""The walks through moments: each one once and in order, in steps, by an index and never past where they may see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session

from crm import birthdays, customers, orders
from crm.orders import News, Status
from storage import moments
from storage.columns import new_id
from storage.moments import Happened, Walk
from tests.conftest import Clock
from tests.crm import people

START = (datetime.min.replace(tzinfo=Clock().now.tzinfo), 0)


def bought(session: Session, code: str, now: datetime, status: Status = Status.DELIVERED, **changes: Any) -> int:
    """An order of somebody's of which the POS tells now; its id."""
    told = {"source": "pos", "customer": "K1", "total": 10_000, "version": 1, "placed_at": now, "changed_at": now}
    orders.put(session, News(external_id=code, status=status, **(told | changes)), now)
    return orders.find(session, "pos", code).id


def walked(step: Callable[[Session, Walk], list[Happened]], session: Session, until: datetime) -> list[Happened]:
    """Everything that a walk in steps of two finds."""
    found: list[Happened] = []
    after = START
    while page := step(session, Walk(after, until, 2)):
        found += page
        after = page[-1].place
    return found


def test_orders_are_met_as_news_of_them_comes_however_old_their_delivery(session: Session, clock: Clock) -> None:
    first = bought(session, "D1", clock())
    bought(session, "D2", clock.pass_by(hours=1), Status.SHIPPING)
    late = bought(session, "D3", clock.pass_by(hours=1), changed_at=clock() - timedelta(days=3))
    bought(session, "D4", clock.pass_by(hours=1), Status.CANCELLED)
    found = walked(moments.delivered, session, clock())
    assert [(each.about, each.at) for each in found] == [
        (first, clock() - timedelta(hours=3)),
        (late, clock() - timedelta(days=3, hours=1)),
    ]
    assert len(walked(moments.placed, session, clock())) == 3
    assert walked(moments.delivered, session, clock() - timedelta(hours=2)) == found[:1]


def test_a_walk_goes_on_behind_its_place_among_rows_of_one_instant(session: Session, clock: Clock) -> None:
    ids = sorted(bought(session, f"D{number}", clock()) for number in range(5))
    assert [each.about for each in walked(moments.delivered, session, clock())] == ids


def test_people_are_met_once_they_came_and_staff_never(session: Session, clock: Clock) -> None:
    lan = people.born(session, clock(), user_id="lan")
    people.born(session, clock.pass_by(minutes=1), user_id="hoa")
    session.connection().exec_driver_sql("UPDATE identity SET staff_only = true WHERE user_id = 'hoa'")
    assert [each.customer_id for each in walked(moments.joined, session, clock())] == [lan.customer_id]


def test_birthdays_are_found_with_and_without_their_year(session: Session, clock: Clock) -> None:
    for number, born in enumerate(("1990-11-23", "--11-23", "1990-11-24", "", "2024-02-29"), 1):
        customers.put_customer(session, f"K{number}", now=clock(), name="Lan", birthday=born)
    names = {customers.find(session, f"K{number}").id: number for number in range(1, 6)}

    def on(month: int, day: int) -> set[int]:
        kept = birthdays.kept_on(clock().date().replace(month=month, day=day))
        first = moments.born_on(session, kept, Walk((clock(), 0), clock(), 1))
        rest = moments.born_on(session, kept, Walk(first[-1].place, clock(), 9)) if first else []
        return {names[each.customer_id] for each in [*first, *rest]}

    assert on(11, 23) == {1, 2}
    assert on(2, 28) == {5} and on(3, 1) == set()


def test_a_rhythm_counts_orders_that_stand(session: Session, clock: Clock) -> None:
    began = clock()
    bought(session, "D1", began)
    bought(session, "D2", clock.pass_by(days=10), Status.CANCELLED)
    bought(session, "D3", clock.pass_by(days=10), Status.PENDING)
    owner = customers.find(session, "K1").id
    assert moments.rhythms(session, [owner]) == {owner: (2, began, clock())}


@pytest.mark.parametrize("name", ["joined", "placed", "delivered", "tiers", "expiring", "born_on"])
def test_no_walk_reads_a_table_from_its_beginning(session: Session, clock: Clock, name: str) -> None:
    connection = session.connection()
    said: list[tuple[str, Any]] = []

    def listen(_c: Any, _cursor: Any, statement: str, parameters: Any, _x: Any, _m: bool) -> None:
        said.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", listen)
    walk = Walk((clock(), new_id()), clock() + timedelta(hours=1), 100)
    if name == "born_on":
        moments.born_on(session, birthdays.kept_on(clock().date()), walk)
    else:
        getattr(moments, name)(session, walk)
    event.remove(connection, "before_cursor_execute", listen)
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
    for statement, parameters in said:
        plan = [str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", parameters)]
        assert not [line for line in plan if line.startswith("SCAN") or "Seq Scan" in line], plan
        assert [line for line in plan if "Index Cond" in line or "USING" in line], plan


@pytest.mark.parametrize("name", ["joined", "placed", "delivered", "tiers", "expiring"])
def test_a_walk_begins_behind_its_very_place_among_rows_of_one_moment(
    session: Session, clock: Clock, name: str
) -> None:
    connection = session.connection()
    said: list[tuple[str, Any]] = []

    def listen(_c: Any, _cursor: Any, statement: str, parameters: Any, _x: Any, _m: bool) -> None:
        said.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", listen)
    getattr(moments, name)(session, Walk((clock(), new_id()), clock() + timedelta(hours=1), 100))
    event.remove(connection, "before_cursor_execute", listen)
    (statement, parameters), _ = said
    if connection.dialect.name == "sqlite":
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
        assert [line for line in plan if "=? AND id>?)" in line or "=? AND rowid>?)" in line], plan
    else:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]
        assert [line for line in plan if "Index Cond" in line and " = " in line and "(id > " in line], plan
