"""Marketing ends with one word, everywhere and at once; what sounds like it does not end it."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from crm import consent
from storage import customers
from storage.consent import Consent
from tests.chat import Chat


async def entries(chat: Chat) -> list[Consent]:
    def read(session: Session) -> list[tuple[object, ...]]:
        found = customers.people(session, [chat.contact.user_id])
        (person,) = found.values()
        return [tuple(entry) for entry in consent.entries(session, person.customer_id)]

    return [Consent(*entry) for entry in await chat.does(read)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "word", ["dừng", "DỪNG", "stop", "Stop.", "từ chối", "hủy nhận tin", "đừng gửi tin quảng cáo nữa"]
)
async def test_one_word_ends_marketing(chat: Chat, word: str) -> None:
    await chat.says(word)
    assert len(chat.heard) == 1
    (entry,) = await entries(chat)
    assert (entry.purpose, entry.granted, entry.channel, entry.wording) == ("marketing", False, "zalo", word)


@pytest.mark.parametrize("word", ["hủy đơn", "đúng", "dùng sao vậy", "đừng hủy nhận tin", "hủy nhận tin là sao"])
async def test_what_sounds_like_it_ends_nothing(chat: Chat, word: str) -> None:
    await chat.says(word)
    assert await entries(chat) == []


async def test_the_end_is_confirmed_once(each: Chat) -> None:
    (answer,) = await each.says("dừng")
    assert answer.startswith("Mình đã ghi nhận: bạn sẽ không nhận tin quảng cáo từ Tiệm Mây nữa.")
    assert len(await entries(each)) == 1


async def test_marketing_can_begin_again(each: Chat) -> None:
    await each.says("dừng")
    each.clock.pass_by(minutes=1)
    (answer,) = await each.says("bắt đầu nhận tin")
    assert "bạn đồng ý nhận tin ưu đãi" in answer
    assert [entry.granted for entry in await entries(each)] == [False, True]


async def test_the_word_counts_while_staff_hold_the_conversation(each: Chat) -> None:
    await each.presses("kq:person")
    (answer,) = await each.says("dừng")
    assert "không nhận tin quảng cáo" in answer
    assert [entry.granted for entry in await entries(each)] == [False]
    assert await each.says("xem điểm") == [], "staff hold it still"


async def test_the_word_counts_inside_a_dialog(chat: Chat) -> None:
    await chat.says("khiếu nại")
    (answer,) = await chat.says("dừng")
    assert "không nhận tin quảng cáo" in answer


async def test_stop_in_english(chat: Chat) -> None:
    (answer,) = await chat.says("please stop sending me promotions")
    assert answer.startswith("Noted: you will get no more promotions")
