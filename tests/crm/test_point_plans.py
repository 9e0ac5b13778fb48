"""What a card reads is found by index, so that others' points cost nothing; sums need no look at the entries."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlmodel import Session

from crm import ledger, loyalty
from crm.ledger import Fact
from storage import adjustments
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
