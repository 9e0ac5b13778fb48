"""A programme of points for tests, as an owner writes it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from crm import programmes

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")

PLAIN = """
name = "Khách quen"

[points]
approve_above = 500

[[rule]]
id = "base"
vi = "1 điểm cho mỗi 10.000đ"
en = "1 point for every 10.000đ"
per = 10000
points = 1
"""

FULL = """
name = "Khách quen Mây Trưa"

[points]
wait_days = 7
shown_from = "confirmed"
expire_months = 12
expire_at_end_of = "month"
give_back_days = 30
approve_above = 500

[[rule]]
id = "base"
vi = "1 điểm cho mỗi 10.000đ"
en = "1 point for every 10.000đ"
per = 10000
points = 1

[[rule]]
id = "beans"
vi = "thêm 5 điểm mỗi gói cà phê hạt"
en = "5 points more for each bag of beans"
each = 5
categories = ["beans"]

[[rule]]
id = "gold"
vi = "hạng Vàng thêm 50%"
en = "Gold: 50% more"
percent = 50
tiers = ["gold"]

[[event]]
id = "first"
vi = "đơn đầu tiên"
en = "first order"
event = "first_order"
points = 20

[tiers]
window = "calendar_year"
downgrade = "one_down"
grace_days = 10

[[tier]]
code = "member"
vi = "Thành viên"
en = "Member"
at = 0

[[tier]]
code = "silver"
vi = "Bạc"
en = "Silver"
at = 2000000

[[tier]]
code = "gold"
vi = "Vàng"
en = "Gold"
at = 5000000
"""


def load(session: Session, text: str, now: datetime) -> int:
    """Let this programme hold from now on."""
    return programmes.load(session, text, ZONE, now)[0]
