"""A programme with rewards and a stamp card for tests, and customers who hold points in it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from crm import customers, ledger, programmes
from crm.ledger import Fact
from tests.crm.programme import FULL, ZONE

REWARDS = (
    FULL
    + """
[[rule]]
id = "cup"
vi = "1 tem mỗi ly"
en = "1 stamp a cup"
currency = "stamp:coffee"
each = 1
products = ["Cà phê"]

[[reward]]
code = "coffee"
vi = "Ly cà phê"
en = "A coffee"
points = 30

[[reward]]
code = "last"
vi = "Túi vải"
en = "A tote bag"
points = 10
stock = 1

[[reward]]
code = "off"
vi = "Giảm 20.000đ"
en = "20.000đ off"
points = 20
amount = 20000
per_person = 1
uses = 2
valid_days = 7

[[reward]]
code = "gold"
vi = "Quà hạng Vàng"
en = "A gift for Gold"
points = 5
tiers = ["gold"]

[[stamp_card]]
currency = "stamp:coffee"
vi = "Thẻ cà phê"
en = "Coffee card"
stamps = 9
reward = "coffee"
"""
)


def open_shop(session: Session, now: datetime, text: str = REWARDS) -> None:
    """Let this programme hold from now on."""
    programmes.load(session, text, ZONE, now)


def member(session: Session, name: str, points: int, now: datetime) -> int:
    """A customer who can spend so many points; the id."""
    customer = customers.known(session, name, now)
    ledger.earn(session, customer, points, Fact(key=f"gift:{name}", now=now))
    return customer
