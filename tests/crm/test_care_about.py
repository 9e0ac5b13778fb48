"""What a care message is about is told in words, whatever moment it follows."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from crm import care_about, orders
from tests.conftest import Clock
from tests.crm.test_orders import NEWS


@pytest.mark.parametrize(
    ("subject", "vi", "en"),
    [
        ("customer:7", "lần đầu nhắn hoặc quan tâm", "their first message or follow"),
        ("birthday:7:2027", "sinh nhật năm 2027", "the birthday in 2027"),
        ("points:7:2027-03-01", "điểm dùng tới 01/03/2027", "points to be used until 01/03/2027"),
        ("tier:9", "lên hạng", "a higher tier"),
        ("sent:9", "tin trước đó", "the message before"),
        ("order:9", "một đơn không còn nữa", "an order that is gone"),
    ],
)
def test_no_key_is_read_by_people(session: Session, subject: str, vi: str, en: str) -> None:
    found = care_about.words(session, subject)
    assert (found.vi, found.en) == (vi, en)


def test_an_order_is_called_by_its_code(session: Session, clock: Clock) -> None:
    orders.put(session, NEWS, clock())
    number = orders.find(session, "pos", "A1").id
    assert care_about.words(session, f"order:{number}").vi == "đơn #DH 001"
    assert care_about.words(session, f"order:{number}:coffee").en == "the order #DH 001 (coffee)"
