"""Staff answer customers: three explicit ways, receipts that say the truth, second thoughts, and nothing by chance."""

from __future__ import annotations

import re
import unicodedata

import pytest

from crm import notices, staff
from crm.messages import Message
from crm.staff import Role
from simulator.people import MESSENGER, ZALO
from storage import conversations as stored
from storage import customers
from storage.conversations import Standing
from storage.customers import Person
from tests.chat import Chat
from tests.staff import PIN, order, pair

WAITS = "cho mình gặp nhân viên"


async def counter(chat: Chat, name: str = "Minh", person: str = "minh", role: Role = Role.AGENT) -> Chat:
    """A member of staff, and Lan who waits as their #1; the member's chat."""
    member = await pair(chat.of(person), name, role)
    await chat.says(WAITS)
    await member.says("/ds")
    return member


async def standing(chat: Chat) -> Standing:
    """Lan's conversation."""
    person = await who(chat)
    (found,) = await chat.does(lambda session: stored.some(session, [person.identity_id]))
    return found


async def who(chat: Chat) -> Person:
    """The person of this chat as the shop knows them."""
    contact = chat.contact
    people = await chat.does(lambda session: customers.people(session, [contact.user_id]))
    return next(iter(people.values()))


async def test_words_go_out_after_a_few_seconds_and_the_receipt_says_so(each: Chat) -> None:
    member = await counter(each)
    left = {ZALO: "(Zalo, còn 47 giờ)", MESSENGER: "(Messenger, còn 167 giờ)"}[each.channel]
    assert await member.says("/r 1 Chào bạn,\nđơn đang giao ạ 🙂") == [
        f"⏳ 6 giây nữa gửi Nguyễn Thị Lan #1 {left}. /huy để rút lại"
    ]
    assert each.heard[-1:] != ["Chào bạn,\nđơn đang giao ạ 🙂"]
    assert await each.passes(seconds=7) == ["Chào bạn,\nđơn đang giao ạ 🙂"]
    assert member.heard[-1] == f"✓ đã gửi Nguyễn Thị Lan #1 {left}"


async def test_after_an_answer_the_conversation_is_theirs_and_the_bot_is_silent(each: Chat) -> None:
    member = await counter(each)
    await member.says("/r 1 Chào bạn")
    await each.passes(seconds=7)
    now = await standing(each)
    assert (now.holder, now.waiting_since) == ("staff", None)
    assert await each.says("xem điểm") == []
    (mine,) = await member.says("/ds toi")
    assert mine.startswith("#1 Nguyễn Thị Lan") and "· Minh" in mine


async def test_a_message_can_be_taken_back_and_the_customer_waits_on(each: Chat) -> None:
    member = await counter(each)
    before = (await standing(each)).waiting_since
    await member.says("/r 1 Nhầm người rồi")
    assert await member.says("/huỷ") == ["✓ Đã rút lại, Nguyễn Thị Lan không nhận được gì."]
    assert await each.passes(seconds=60) == []
    assert (await standing(each)).waiting_since == before is not None
    (nothing,) = await member.says("/huy")
    assert nothing.startswith("✗ Không có tin nào đang chờ gửi.")


async def test_what_went_out_is_not_taken_back_and_that_is_said(each: Chat) -> None:
    member = await counter(each)
    await member.says("/r 1 Chào bạn")
    await each.passes(seconds=7)
    assert await member.says("/huy") == ["✗ Muộn rồi: tin cho Nguyễn Thị Lan đã gửi đi, không rút lại được."]
    each.clock.pass_by(minutes=3)
    (nothing,) = await member.says("/huy")
    assert nothing.startswith("✗ Không có tin nào đang chờ gửi.")


async def test_plain_words_go_to_whom_one_entered_until_one_leaves(each: Chat) -> None:
    member = await counter(each)
    (entered,) = await member.says("/vao 1")
    assert entered.startswith("→ Nguyễn Thị Lan #1 (") and f"‹ {WAITS}" in entered
    await member.says("Mình đây ạ")
    await member.says("Bạn cần gì?")
    assert await each.passes(seconds=7) == ["Mình đây ạ", "Bạn cần gì?"]
    assert await member.says("/ra") == ["✓ Đã ra khỏi Nguyễn Thị Lan. Chữ thường sẽ không gửi cho ai."]
    assert (await member.says("còn câu này"))[0].startswith("✗ Chưa gửi. Gửi cho ai?\n• /r 1 → Nguyễn Thị Lan")
    assert await each.passes(seconds=7) == []


async def test_an_entered_conversation_is_left_after_ten_quiet_minutes(each: Chat) -> None:
    member = await counter(each)
    await member.says("/vao 1")
    each.clock.pass_by(minutes=9)
    await member.says("một")
    await each.passes(minutes=9)
    await member.says("hai")
    await each.passes(minutes=10)
    assert (await member.says("ba"))[0].startswith("✗ Chưa gửi: bạn đã ra khỏi Nguyễn Thị Lan vì 10 phút không nhắn.")
    assert (await member.says("bốn"))[0].startswith("✗ Chưa gửi. Gửi cho ai?")
    assert [line.text for line in each.contact.lines if line.side != "person"][-2:] == ["một", "hai"]


async def test_a_quote_of_a_notice_answers_its_customer(each: Chat) -> None:
    member = await counter(each)
    await tell(each, "Minh", "[#{}] Lan hỏi")
    notice = member.contact.lines[-1]
    assert notice.text == "[#1] Lan hỏi"
    await member.says("Dạ có ạ", quoting=notice.message_id)
    assert await each.passes(seconds=7) == ["Dạ có ạ"]
    receipt = member.contact.lines[-1]
    assert receipt.text.startswith("✓ đã gửi")
    assert (await member.says("Bạn lấy màu nào?", quoting=receipt.message_id))[0].startswith("⏳")


async def test_a_quote_of_anything_else_answers_nobody(each: Chat) -> None:
    member = await counter(each)
    listed = member.contact.lines[-1]
    assert (await member.says("Dạ có ạ", quoting=listed.message_id))[0].startswith("✗ Chưa gửi.")
    await tell(each, "Minh", "[#{}] Lan hỏi")
    notice = member.contact.lines[-1]
    other = await pair(each.of("huong"), "Hương")
    assert (await other.says("Dạ có ạ", quoting=notice.message_id))[0].startswith("✗ Chưa gửi.")
    assert await each.passes(seconds=7) == []


async def test_a_quote_of_anything_else_goes_not_to_whom_one_entered_either(each: Chat) -> None:
    member = await counter(each)
    listed = member.contact.lines[-1]
    await member.says("/vao 1")
    assert (await member.says("khách này khó tính", quoting=listed.message_id))[0].startswith("✗ Chưa gửi.")
    (refused,) = await member.says("/dong", quoting=listed.message_id)
    assert refused.startswith("✗ Thiếu khách")
    assert await each.passes(seconds=7) == []
    assert (await standing(each)).waiting_since is not None
    assert (await member.says("Mình đây ạ"))[0].startswith("⏳")


async def test_a_reply_to_a_notice_fills_no_blank_of_a_reply_to_somebody_else(each: Chat) -> None:
    member = await counter(each)
    lead = await pair(each.of("tuan"), "Tuấn", Role.LEAD)
    await lead.says("/mausua ship Đơn tới sau [số ngày?] ngày ạ")
    await each.of("mai").says(WAITS)
    await tell(each.of("mai"), "Minh", "[#{}] Mai hỏi")
    notice = member.contact.lines[-1]
    assert (await member.says("/mau ship 1"))[0].startswith("Mẫu ship cho Nguyễn Thị Lan")
    (refused,) = await member.says("Mai ơi, khách kia khó tính quá", quoting=notice.message_id)
    assert refused.startswith("✗ Chưa gửi cho ai")
    assert (await member.says("3"))[0].startswith("⏳")
    assert await each.passes(seconds=7) == ["Đơn tới sau 3 ngày ạ"]


async def test_another_customers_notice_ends_an_entered_conversation(each: Chat) -> None:
    member = await counter(each)
    await each.of("mai").says(WAITS)
    await member.says("/vao 1")
    await tell(each.of("mai"), "Minh", "[#{}] Mai hỏi")
    assert (await member.says("cho Lan hay Mai?"))[0].startswith("✗ Chưa gửi.")
    assert await each.passes(seconds=7) == []


async def test_two_who_answer_are_told_of_each_other(each: Chat) -> None:
    first = await counter(each)
    second = await pair(each.of("huong"), "Hương")
    await second.says("/ds")
    await first.says("/r 1 Chào bạn")
    each.clock.pass_by(seconds=20)
    (asked,) = await second.says("/r 1 Chào chị")
    assert asked.startswith("Minh vừa trả lời Nguyễn Thị Lan 20 giây trước.\nMinh đang phụ trách Nguyễn Thị Lan.\n")
    assert "Vẫn gửi “Chào chị”?" in asked
    each.clock.pass_by(seconds=5)
    assert (await second.says("/ok " + asked.split("/ok ")[1][:4]))[0].startswith("⏳")
    heard = await each.passes(seconds=7)
    assert heard[-1] == "Chào chị"


async def test_a_code_works_once_in_its_time_and_only_for_what_was_shown(each: Chat) -> None:
    first = await counter(each)
    second = await pair(each.of("huong"), "Hương")
    await second.says("/ds")
    await first.says("/r 1 Chào bạn")
    (asked,) = await second.says("/r 1 Chào chị")
    code = asked.split("/ok ")[1][:4]
    assert (await first.says(f"/ok {code}"))[0].startswith("✗ Không có mã")
    each.clock.pass_by(seconds=10)
    await first.says("/r 1 Bạn chờ nhé")
    (again,) = await second.says(f"/ok {code}")
    assert again.startswith("Đã có thay đổi từ lần xem trước; bản mới:\nMinh vừa trả lời Nguyễn Thị Lan 0 giây trước.")
    assert (await second.says(f"/ok {code}"))[0].startswith(f"✗ Mã {code} đã dùng rồi.")
    each.clock.pass_by(minutes=6)
    assert "đã hết hạn" in (await second.says("/ok " + again.split("/ok ")[1][:4]))[0]


async def test_what_the_platform_would_refuse_is_refused_at_once(each: Chat) -> None:
    member = await counter(each)
    each.clock.pass_by(days=7)
    await member.says("/ds")
    (answer,) = await member.says("/r 1 Chào bạn")
    assert answer.startswith("✗ Không gửi cho Nguyễn Thị Lan: khách không nhắn đã quá hạn nền tảng cho phép")
    assert await each.passes(seconds=7) == []


async def test_a_send_that_failed_is_pushed_and_the_customer_waits_on(chat: Chat) -> None:
    member = await counter(chat)
    before = (await standing(chat)).waiting_since
    await member.says("/r 1 Chào bạn")
    chat.contact.blocked = True
    await chat.passes(seconds=7)
    assert member.heard[-1].startswith("✗ không gửi được cho Nguyễn Thị Lan #1:")
    assert (await standing(chat)).waiting_since == before


async def test_nothing_that_was_said_in_two_lines_reached_them_so_they_wait_on(chat: Chat) -> None:
    member = await counter(chat)
    before = (await standing(chat)).waiting_since
    await member.says("/r 1 Chào bạn")
    chat.clock.pass_by(seconds=1)
    await member.says("/r 1 Đơn đang giao ạ")
    chat.contact.blocked = True
    for seconds in (5.5, 1.5):
        await chat.passes(seconds=seconds)
        assert member.heard[-1].startswith("✗ không gửi được")
    assert (await standing(chat)).waiting_since == before is not None


async def test_two_lines_that_were_taken_back_leave_the_customer_waiting(each: Chat) -> None:
    member = await counter(each)
    before = (await standing(each)).waiting_since
    for line in ("/r 1 Chào bạn", "/r 1 Nhầm người rồi"):
        await member.says(line)
        each.clock.pass_by(seconds=1)
    await member.says("/huy")
    assert (await standing(each)).waiting_since is None, "the first line is still to go out"
    await member.says("/huy")
    assert (await standing(each)).waiting_since == before is not None
    assert await each.passes(seconds=60) == []


async def test_who_got_the_first_of_two_lines_does_not_wait_for_the_second(each: Chat) -> None:
    member = await counter(each)
    await member.says("/r 1 Chào bạn")
    each.clock.pass_by(seconds=3)
    await member.says("/r 1 Nhầm người rồi")
    await each.passes(seconds=3)
    await member.says("/huy")
    assert await each.passes(seconds=60) == []
    assert (await standing(each)).waiting_since is None


async def test_a_colleague_is_named_whole_where_a_word_is_several_peoples(chat: Chat) -> None:
    member = await counter(chat, "Minh Tú")
    await pair(chat.of("huong"), "Lan Anh")
    await pair(chat.of("tuan"), "Minh Anh")
    (told,) = await member.says("/giao 1 @minh")
    assert re.fullmatch(
        r"✗ “minh” có thể là: Minh Tú \(agent, \w+, \d+\), Minh Anh \(agent, \w+, \d+\). Ghi đủ họ tên hoặc mã.", told
    )
    assert (await member.says("/giao 1 @minh anh"))[0].startswith("✓")


async def test_a_line_of_a_macro_means_nobody_whom_it_does_not_name(chat: Chat) -> None:
    member = await counter(chat)
    lead = await pair(chat.of("tuan"), "Tuấn", Role.LEAD)
    await lead.says("/macrosua xong /dong")
    await chat.of("mai").says(WAITS)
    await member.says("/ds")
    await member.says("/vao 2")
    (refused,) = await member.says("/macro xong 1")
    assert refused.startswith("✗ Chưa làm gì, vì dòng 1 (/dong) không chạy được:\n✗ Thiếu khách")


@pytest.mark.parametrize("line", ["\u200b/gc 1 khách khó tính", "\ufeff /gc 1 khách khó tính", "／gc 1 khách khó tính"])
async def test_a_command_behind_what_nobody_sees_is_no_word_to_a_customer(chat: Chat, line: str) -> None:
    member = await counter(chat)
    await member.says("/vao 1")
    assert (await member.says(line))[0].startswith("✓")
    assert await chat.passes(seconds=7) == []


async def test_who_still_waits_is_closed_only_when_that_is_meant(each: Chat) -> None:
    member = await counter(each)
    (asked,) = await member.says("/dong 1")
    assert asked.startswith(f"Nguyễn Thị Lan còn chờ trả lời: “{WAITS}”.\nVẫn đóng?")
    assert (await standing(each)).waiting_since is not None
    await member.says("/r 1 Chào bạn")
    await each.passes(seconds=7)
    each.clock.pass_by(minutes=5)
    await each.says("cảm ơn shop nha")
    assert (await member.says("/dong 1"))[0].startswith("✓ Đã đóng: Nguyễn Thị Lan."), "thanks want no answer"
    each.clock.pass_by(minutes=5)
    await member.says("/giu 1")
    await each.says("còn màu đỏ không?")
    (asked,) = await member.says("/dong 1")
    await each.says("alo?")
    (again,) = await member.says("/ok " + asked.split("/ok ")[1][:4])
    assert again.startswith("Đã có thay đổi từ lần xem trước") and "“alo?”" in again
    assert (await member.says("/ok " + again.split("/ok ")[1][:4]))[0].startswith("✓ Đã đóng")


async def test_numbers_mean_something_to_their_owner_only(each: Chat) -> None:
    await counter(each)
    other = await pair(each.of("huong"), "Hương")
    (answer,) = await other.says("/r 1 Chào bạn")
    assert answer.startswith("✗ #1 không còn trong danh sách của bạn.")
    assert await each.passes(seconds=7) == []


async def test_the_command_line_sends_too(chat: Chat) -> None:
    await counter(chat)
    await order(chat, "Minh", "/ds")
    assert (await order(chat, "Minh", "/r 1 Chào từ máy tính"))[0].startswith("⏳")
    assert await order(chat, "Minh", "/huy") == ["✓ Đã rút lại, Nguyễn Thị Lan không nhận được gì."]
    assert (await order(chat, "Minh", "/r 1 Chào lần nữa"))[0].startswith("⏳")
    assert await chat.passes(seconds=7) == ["Chào lần nữa"]


@pytest.mark.parametrize(
    "words",
    [
        "“trích dẫn” 'và' \"nháy\"",
        "dòng một\n\n  dòng ba",
        "tie\u0302\u0301ng Vie\u0323\u0302t rời dấu",
        "/ds giữa dòng 🙂",
    ],
)
async def test_words_survive_as_they_were_typed(chat: Chat, words: str) -> None:
    member = await counter(chat)
    await member.says(f"/r 1 {words}")
    assert await chat.passes(seconds=7) == [unicodedata.normalize("NFC", words)]


async def tell(chat: Chat, name: str, words: str) -> None:
    """Tell a member of staff about this chat's conversation, and let it be sent."""
    person = await who(chat)
    member = await chat.does(lambda session: staff.named(session, name))

    def say(number: int) -> Message:
        return Message(words.format(number))

    def write(session: object) -> int:
        return notices.tell(session, member.id, "test", say, chat.clock(), conversation_id=person.identity_id)  # type: ignore[arg-type]

    await chat.does(write)
    await chat.passes(seconds=0)


async def test_a_command_without_its_mark_reaches_nobody_before_that_is_meant(each: Chat) -> None:
    member = await counter(each)
    (asked,) = await member.says("ds")
    assert asked.startswith("✗ Chưa gửi. Ý bạn là lệnh /ds [toi | het]? Gửi cho ai?")
    await member.says("/vao 1")
    for words in ("ra", "Giữ 1", "r 1 chào"):
        (asked,) = await member.says(words)
        assert f"Vẫn gửi “{words}” cho Nguyễn Thị Lan?" in asked
    assert await each.passes(seconds=7) == []
    await member.says("/ok " + asked.rsplit("/ok ", 1)[1][:4])
    assert await each.passes(seconds=7) == ["r 1 chào"]
    for words in ("ok bạn", "giữ 2 cái cho bạn rồi ạ"):
        assert (await member.says(words))[0].startswith("⏳"), words


async def test_ordinary_words_are_no_wrong_pin(chat: Chat) -> None:
    member = await pair(chat.of("minh"), "Minh")
    for _ in range(6):
        await member.says("/pin")
        assert await member.says("để mình nhớ lại") == ["✗ Đó không phải PIN, nên chưa làm gì. Gõ lại lệnh khi cần."]
    await member.says("/pin")
    assert "PIN mới" in (await member.says(PIN))[0]
