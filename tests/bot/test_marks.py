"""The marks by which our sends are known when a platform gives them back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import Outgoing
from bot.channels.zalo import templates
from bot.marks import in_echo, in_receipt, mark_of, marked
from crm.events import Address
from crm.messages import Message, TemplateUse

IDS = st.integers(min_value=1, max_value=(1 << 63) - 1)


@given(IDS)
def test_an_echo_names_the_send_whose_mark_it_gives_back(outbox_id: int) -> None:
    mark = mark_of(outbox_id)
    assert in_echo(mark)
    assert marked(mark) == outbox_id


@given(IDS)
def test_a_receipt_of_a_template_to_a_number_names_its_send(outbox_id: int) -> None:
    use = TemplateUse("7895417a7d3f9461cd2e")
    to = Address("zalo", "oa", "+84901234567#1")
    outgoing = Outgoing(to, Message(template=use), "template_phone", mark_of(outbox_id))
    tracking_id = templates.to_phone(outgoing, use)["tracking_id"]
    assert in_receipt(tracking_id)
    assert marked(tracking_id) == outbox_id


@pytest.mark.parametrize(
    "mark", ["kq:", "kq:comment", "kq:-1", "kq:²", "kq:٣", "kq:9223372036854775808", "kq:" + "1" * 99]
)
def test_a_mark_that_names_no_send_of_ours_names_none(mark: str) -> None:
    assert marked(mark) == 0
