"""Finding customers by what staff remember of them: a part of the name, the end of the number, an order's code."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from sqlmodel import Session

from crm import orders, phones
from crm.errors import Invalid
from storage import search as store
from storage.orders import OrderRow
from storage.search import Found

SHORTEST_TAIL = 3
CONSIDERED = 60
"""Of so many customers at most the best are shown."""
_NUMBER = re.compile(r"[+(]?[0-9][0-9 .()+-]*")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Finding(NamedTuple):
    """Whom a search found, the best first, orders with that very code, and whether there is more than is told."""

    customers: list[Found]
    orders: list[OrderRow]
    more: bool


def find(session: Session, text: str, most: int = 10) -> Finding:
    """Customers who are called so (any words of their names, their beginnings, without accents), whose number ends so,
    whom the POS calls so, or whose order has this code. Raises Invalid where there is too little to look for.

    The time that it takes does not grow with the number of customers.
    """
    given = store.words(text)
    if not given or max(map(len, given)) < 2:
        raise Invalid("text", "Gõ thêm vài chữ để tìm.", "Write a little more to look for.")
    placed = orders.with_code(session, text)
    ids = [order.customer_id for order in placed]
    ids += _by_number(session, text.strip())
    ids += store.beginning(session, store.start(given), CONSIDERED)
    if len(given) > 1 and len(set(ids)) < most:
        ids += store.with_all(session, given, CONSIDERED)
    found = sorted(store.details(session, dict.fromkeys(ids)), key=lambda each: _rank(each, given))
    return Finding(found[:most], placed, len(found) > most)


def _by_number(session: Session, text: str) -> list[int]:
    if not _NUMBER.fullmatch(text):
        return []
    digits = re.sub(r"\D", "", phones.normalise(text) or text)
    return store.beginning(session, store.tail(digits), CONSIDERED) if len(digits) >= SHORTEST_TAIL else []


def _rank(found: Found, given: list[str]) -> tuple[bool, float]:
    """Who is called exactly so comes first, then who wrote last."""
    at = found.last_interaction_at or _LONG_AGO
    return store.words(found.name) != given, -at.timestamp()
