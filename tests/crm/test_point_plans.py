"""What a card reads is found by index, so that others' points cost nothing; sums need no look at the entries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session

from crm import customers, due, ledger, loyalty, membership
from crm.ledger import Fact, Terms
from storage import adjustments, members
from storage.columns import NEVER
from tests.conftest import Clock
from tests.crm.rewards import member, open_shop


def test_a_card_is_read_by_index_alone(session: Session, clock: Clock) -> None:
    open_shop(session, clock())
    lan = member(session, "lan", 50, clock())
    ledger.earn(session, lan, 100_000, Fact(key="bought", now=clock()), "qualify")
    connection = session.connection()
    asked: list[tuple[str, Any]] = []

    def noted(conn: object, cursor: object, statement: str, values: Any, context: object, many: bool) -> None:
        asked.append((statement, values))

    event.listen(connection, "before_cursor_execute", noted)
    loyalty.card(session, lan, clock())
    event.remove(connection, "before_cursor_execute", noted)
    explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    plans = {
        statement: " ".join(str(row[-1]) for row in connection.exec_driver_sql(explain + statement, values))
        for statement, values in asked
    }
    assert len(asked) <= 6
    for statement, plan in plans.items():
        assert "SCAN" not in plan.replace("Index Scan", "").replace("Index Only Scan", ""), statement
        assert "Seq Scan" not in plan, statement
    if connection.dialect.name == "sqlite":
        sums = [plan for statement, plan in plans.items() if "sum(" in statement]
        assert sums and all("COVERING INDEX ix_ledger_entry_effective" in plan for plan in sums)


def test_what_was_done_by_hand_that_day_is_found_by_index(session: Session, clock: Clock) -> None:
    asked: list[tuple[str, Any]] = []

    def noted(conn: object, cursor: object, statement: str, values: Any, context: object, many: bool) -> None:
        asked.append((statement, values))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", noted)
    adjustments.by_hand(session, clock())
    event.remove(connection, "before_cursor_execute", noted)
    explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    ((statement, values),) = asked
    plan = connection.exec_driver_sql(explain + statement, values).all()
    assert "ix_ledger_entry_by_hand" in " ".join(str(row[-1]) for row in plan)


@pytest.mark.parametrize(
    "work, index", [(due.expire, "ix_point_lot_expiring"), (membership.review, "ix_loyalty_member_review")]
)
def test_what_is_due_at_one_moment_is_read_once_however_small_the_ranges(
    session: Session, clock: Clock, work: Any, index: str
) -> None:
    if session.get_bind().dialect.name == "sqlite":
        pytest.skip("SQLite's indexes forget a row as soon as it is changed")
    open_shop(session, clock())
    people, soon = 60, clock() + timedelta(days=1)
    for number in range(people):
        customer = customers.known(session, f"C{number}", clock())
        ledger.earn(session, customer, 5, Fact(key=f"gift {number}", now=clock()), terms=Terms(expires_at=soon))
        tier = {"tier": "gold", "tier_since": clock(), "window_from": clock(), "review_at": soon}
        members.set_tiers(session, [{"customer_id": customer, **tier}])
    read = f"SELECT pg_stat_get_xact_tuples_returned('{index}'::regclass)"
    before = session.connection().exec_driver_sql(read).scalar_one()
    cursor, ranges = (NEVER, 0), 0
    while cursor is not None:
        cursor, ranges = work(session, cursor, 3, soon), ranges + 1
    assert ranges >= people // 3
    assert session.connection().exec_driver_sql(read).scalar_one() - before < 4 * people
