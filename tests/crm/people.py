"""People in a chat, as they are born before the POS knows them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from crm import calendar, ledger, sla
from crm.ledger import Fact
from crm.sla import Policy
from storage import customers
from storage.columns import new_id
from storage.customers import Person

POLICY = Policy(calendar.always_open(ZoneInfo("Asia/Ho_Chi_Minh")), sla.PROMISED)
"""A shop that is always there and promises what is usual."""


def born(session: Session, now: datetime, *, user_id: str = "u1", channel: str = "zalo") -> Person:
    """Somebody who wrote for the first time."""
    customer_id, identity_id = new_id(), new_id()
    customer = {"id": customer_id, "name": "Lan", "marketing": "", "created_at": now, "updated_at": now}
    identity = {
        "id": identity_id, "customer_id": customer_id, "channel": channel, "account_id": "oa1", "user_id": user_id,
        "name": "Lan", "avatar_url": "", "followed": False, "referral": "", "created_at": now,
    }  # fmt: skip
    conversation = {"id": identity_id, "holder": "bot", "misses": 0, "dialog": "", "dialog_data": "", "minute_count": 0}
    rest = {"email": "", "birthday": "", "locale": "", "external_version": 0}
    customers.add_many(session, [{**customer, **rest}], [identity], [conversation])
    return again(session, identity_id)


def give(session: Session, customer_id: int, points: int, now: datetime, source_key: str = "gift:1") -> None:
    """Points for a fact."""
    ledger.earn(session, customer_id, points, Fact(key=source_key, now=now, reason="gift"))


def again(session: Session, identity_id: int) -> Person:
    """The person as the database has them now."""
    person = customers.person(session, identity_id)
    assert person is not None
    return person
