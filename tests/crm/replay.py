"""The ledger worked out anew from nothing, entry by entry, with what must hold after each of them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from storage.balances import PointBalance
from storage.lots import LotUse, PointLot
from storage.loyalty import QUALIFY, LedgerEntry
from storage.reservations import HeldLot, PointReservation

SPENDS = ("redeem", "adjust")


def rows(session: Session, table: Any) -> list[dict[str, Any]]:
    """All rows of a table, in the order in which they were written."""
    first = next(iter(table.__table__.primary_key.columns))
    return [dict(row) for row in session.connection().execute(select(table.__table__).order_by(first)).mappings()]


def replay(session: Session) -> None:
    """Raises AssertionError where what is stored is not what its entries make, or a lot was ever used wrongly."""
    lots = {lot["id"]: lot for lot in rows(session, PointLot)}
    born, used = defaultdict(list), defaultdict(list)
    for lot in lots.values():
        born[lot["entry_id"]].append(lot)
    for use in rows(session, LotUse):
        used[use["entry_id"]].append(use)
    asked = {each["entry_id"]: each["created_at"] for each in rows(session, PointReservation)}
    left: dict[int, int] = {}
    balance: defaultdict[tuple[int, str], int] = defaultdict(int)
    pending, debt = balance.copy(), balance.copy()
    for entry in rows(session, LedgerEntry):
        owner = entry["customer_id"], entry["currency"]
        balance[owner] += entry["points"]
        pending[owner] += entry["pending"]
        left |= {lot["id"]: lot["points"] for lot in born[entry["id"]]}
        for use in used[entry["id"]]:
            if use["lot_id"] is None:
                debt[owner] -= use["points"]
                continue
            lot = lots[use["lot_id"]]
            left[lot["id"]] += use["points"]
            assert 0 <= left[lot["id"]] <= lot["points"], "no lot below zero, and none above what it brought"
            if use["points"] < 0 and entry["kind"] in SPENDS:
                spent = asked.get(entry["id"], entry["at"])
                assert lot["available_at"] <= spent < lot["expires_at"], "no lot used outside its time"
        if entry["kind"] == "reinstate":
            back = {use["lot_id"]: -use["points"] for use in used[entry["reverses"]]}
            given = [use for use in used[entry["id"]] if use["points"] > 0 and use["lot_id"] is not None]
            assert all(back[use["lot_id"]] == use["points"] for use in given), "the very lots"
        assert debt[owner] >= 0 and pending[owner] >= 0
        if entry["currency"] != QUALIFY:
            mine = sum(
                points for lot, points in left.items() if (lots[lot]["customer_id"], lots[lot]["currency"]) == owner
            )
            assert balance[owner] == mine - debt[owner]
    assert left == {lot["id"]: lot["remaining"] for lot in lots.values()}
    open_ones = {each["id"] for each in rows(session, PointReservation) if each["state"] == "open"}
    held: defaultdict[tuple[int, str], int] = defaultdict(int)
    for each in rows(session, HeldLot):
        if each["reservation_id"] in open_ones:
            lot = lots[each["lot_id"]]
            held[lot["customer_id"], lot["currency"]] += each["points"]
    for row in rows(session, PointBalance):
        owner = row["customer_id"], row["currency"]
        stored = row["balance"], row["pending"], row["held"], row["debt"]
        assert stored == (balance[owner], pending[owner], held[owner], debt[owner])
