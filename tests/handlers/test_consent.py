"""Marketing ends with one word, everywhere and at once; what sounds like it does not end it."""

from __future__ import annotations

from functools import partial

import pytest
from sqlmodel import Session

from crm import consent
from crm.consent import CARE, MARKETING, Terms, Way
from crm.messages import Purpose
from storage import consent as store
from storage import customers
from storage.consent import Consent
from tests.chat import Chat
from tests.handlers.test_staff_broadcasts import ticks
from tests.pipeline.test_broadcasts import _scheduled


async def entries(chat: Chat, purpose: str = MARKETING) -> list[Consent]:
    """What was said to this purpose, oldest first."""

    def read(session: Session) -> list[tuple[object, ...]]:
        found = customers.people(session, [chat.contact.user_id])
        (person,) = found.values()
        return [tuple(entry) for entry in consent.entries(session, person.customer_id)]

    said = [Consent(*entry) for entry in await chat.does(read)]  # type: ignore[arg-type]
    return [entry for entry in said if entry.purpose == purpose]


@pytest.mark.parametrize(
    "word",
    [
        "dừng", "DỪNG", "stop", "Stop.", "từ chối", "hủy nhận tin", "đừng gửi tin quảng cáo nữa", "ngưng",
        "ngừng nhận quảng cáo", "ngung nhan quang cao", "dừng quảng cáo", "dung quang cao", "dừng nhận quảng cáo",
        "tắt quảng cáo", "đừng làm phiền", "unsubscribe",
    ],
)  # fmt: skip
async def test_one_word_ends_marketing_and_care(chat: Chat, word: str) -> None:
    await chat.says(word)
    assert len(chat.heard) == 1
    for purpose in (MARKETING, CARE):
        (entry,) = await entries(chat, purpose)
        assert (entry.granted, entry.channel, entry.covers, entry.wording) == (False, "zalo", "", word)


@pytest.mark.parametrize(
    "word",
    [
        "hủy đơn", "đúng", "dùng sao vậy", "đừng hủy nhận tin", "hủy nhận tin là sao", "đừng gửi hàng nữa",
        "đừng gửi đơn này nữa", "dung gui hang nua",
    ],
)  # fmt: skip
async def test_what_sounds_like_it_ends_nothing(chat: Chat, word: str) -> None:
    await chat.says(word)
    assert await entries(chat) == []


async def advertised(chat: Chat) -> None:
    """They agree to news, and a broadcast is the last that they hear."""
    await chat.says("bắt đầu nhận tin")
    await chat.does(partial(_scheduled, text="Tết vui", purpose=Purpose.BROADCAST, clock=chat.clock))
    await ticks(chat)
    assert chat.contact.lines[-1].text.startswith("[QC] Tết vui")


@pytest.mark.parametrize("word", ["dung", "DUNG", "Dung nha shop", "dùng"])
async def test_the_word_that_an_advertisement_asks_for_ends_it_without_its_accents(chat: Chat, word: str) -> None:
    await advertised(chat)
    (answer,) = await chat.says(word)
    assert answer.startswith("Mình đã ghi nhận: bạn sẽ không nhận tin quảng cáo")
    assert [entry.granted for entry in await entries(chat)] == [True, False]


@pytest.mark.parametrize("line", ["đúng", "dung roi", "Dũng", "dung sao vay"])
async def test_what_only_sounds_like_that_word_ends_nothing_after_an_advertisement_either(
    chat: Chat, line: str
) -> None:
    await advertised(chat)
    await chat.says(line)
    assert [entry.granted for entry in await entries(chat)] == [True]


async def test_the_bare_word_ends_nothing_where_something_else_was_said_last(chat: Chat) -> None:
    await advertised(chat)
    await chat.says("xem điểm")
    await chat.says("dung")
    assert [entry.granted for entry in await entries(chat)] == [True]


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


@pytest.mark.parametrize(
    "word", ["nhận quảng cáo", "nhan quang cao", "nhận qc", "đăng ký nhận tin", "cho mình nhận khuyến mãi"]
)
async def test_a_yes_in_ones_own_words_is_kept(each: Chat, word: str) -> None:
    (answer,) = await each.says(word)
    assert "bạn đồng ý nhận tin ưu đãi" in answer
    (entry,) = await entries(each)
    assert (entry.granted, entry.way, entry.wording) == (True, Way.WORD, word)


@pytest.mark.parametrize("word", ["nhận quảng cáo?", "bật lại thông báo không", "đăng ký nhận thông báo"])
async def test_a_question_about_messages_is_no_yes_but_has_a_button(each: Chat, word: str) -> None:
    await each.says(word)
    assert await entries(each) == []
    assert len(each.offered) == 1


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


@pytest.mark.parametrize("word", ["ngừng nhận quảng cáo", "ngưng", "dừng quảng cáo", "dừng nhận quảng cáo", "stop"])
async def test_the_word_counts_where_a_code_was_asked_for(chat: Chat, word: str) -> None:
    await chat.presses("kq:link")
    (answer,) = await chat.says(word)
    assert answer.startswith(("Mình đã ghi nhận: bạn sẽ không nhận", "Noted: you will get no more"))
    assert [entry.granted for entry in await entries(chat)] == [False]


@pytest.mark.parametrize("word", ["start", "bắt đầu", "Start"])
async def test_start_opens_the_menu_and_allows_nothing(each: Chat, word: str) -> None:
    await each.says("dừng")
    each.clock.pass_by(minutes=1)
    await each.says(word)
    assert "Điểm của tôi" in each.offered or "My points" in each.offered
    assert [entry.granted for entry in await entries(each)] == [False]


@pytest.mark.parametrize("word", ["subscribe", "opt in", "sign me up"])
async def test_a_word_that_names_no_messages_is_asked_about_first(each: Chat, word: str) -> None:
    (question,) = await each.says(word)
    assert "Tiệm Mây" in question
    assert await entries(each) == []
    (button,) = each.offered
    (answer,) = await each.presses(button)
    assert "đồng ý nhận tin ưu đãi" in answer or "you agree to get promotions" in answer
    (entry,) = await entries(each)
    assert (entry.granted, entry.way, entry.covers) == (True, Way.BUTTON, each.contact.channel)
    told = await each.does(lambda s: tuple(store.terms(s, [entry.terms or ""])[entry.terms or ""]))
    assert Terms(*told).text == question


async def test_care_that_was_ended_has_a_button_of_its_own(each: Chat) -> None:
    await each.says("dừng")
    each.clock.pass_by(minutes=1)
    await each.says("bắt đầu nhận tin")
    assert [entry.granted for entry in await entries(each, CARE)] == [False], "a yes to marketing is none to care"
    (button,) = each.offered
    each.clock.pass_by(minutes=1)
    (answer,) = await each.presses(button)
    assert "tin chăm sóc" in answer or "friendly notes" in answer
    assert [entry.granted for entry in await entries(each, CARE)] == [False, True]
    each.clock.pass_by(minutes=1)
    await each.says("bắt đầu nhận tin")
    assert each.offered == [], "there is nothing left to ask"


async def test_the_words_of_the_confirmation_bring_marketing_back(each: Chat) -> None:
    for word, back in (("dừng", "bắt đầu nhận tin"), ("please stop sending me ads", "start messages")):
        (answer,) = await each.says(word)
        assert back in answer
        each.clock.pass_by(minutes=1)
        await each.says(back)
        assert (await entries(each))[-1].granted
        each.clock.pass_by(minutes=1)


async def test_stop_in_english(chat: Chat) -> None:
    (answer,) = await chat.says("please stop sending me promotions")
    assert answer.startswith("Noted: you will get no more promotions")
