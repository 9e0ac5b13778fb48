"""What customers hear about their points."""

from __future__ import annotations

from crm.orders import Status
from tests.chat import Chat
from tests.handlers import pos

NO_POINTS = "Bạn chưa có điểm nào. Mua hàng để bắt đầu tích điểm nhé!"
NOT_LINKED = (
    "Cuộc trò chuyện này chưa được liên kết nên mình chưa xem được điểm của bạn. "
    "Bạn liên kết số điện thoại đã dùng khi mua để mình tra giúp nhé."
)


async def test_who_is_not_linked_hears_so_and_how_to_link(each: Chat) -> None:
    await pos.tells_of_lan(each)
    await pos.tells_of_order(each, "DH1", status=Status.DELIVERED)
    assert await each.says("xem điểm") == [NOT_LINKED]
    assert each.offered == ["Liên kết số ĐT"]
    (answer,) = await each.presses("Liên kết số ĐT")
    assert "bấm nút chia sẻ số điện thoại" in answer


async def test_who_is_linked_and_has_no_points_hears_that(each: Chat) -> None:
    await pos.linked(each)
    assert await each.says("xem điểm") == [NO_POINTS]
    assert each.offered == ["Lịch sử điểm", "Đổi quà"]


async def test_points_come_with_a_delivered_order(each: Chat) -> None:
    await pos.linked(each)
    await pos.tells_of_order(each, "DH1", status=Status.DELIVERED, total=12_500_000)
    assert await each.says("mình có bao nhiêu điểm rồi ạ?") == ["Bạn đang có 1.250 điểm."]
    assert each.offered == ["Lịch sử điểm", "Đổi quà"]


async def test_an_order_on_its_way_has_earned_nothing(chat: Chat) -> None:
    await pos.linked(chat)
    await pos.tells_of_order(chat, "DH1", status=Status.SHIPPING)
    assert await chat.says("điểm của tôi") == [NO_POINTS]


async def test_hurried_words_without_accents_are_understood(chat: Chat) -> None:
    assert await chat.says("cho e xem diemmmm vs ak") == [NOT_LINKED]


async def test_the_menu_button_shows_points(each: Chat) -> None:
    await each.says("menu")
    assert await each.presses("Điểm của tôi") == [NOT_LINKED]


async def test_points_in_english(each: Chat) -> None:
    assert await each.says("how many points do I have?") == [
        "This chat is not linked yet, so I cannot see your points. "
        "Link the phone number you used when buying, and I can look."
    ]
    assert each.offered == ["Link phone number"]


async def test_offers_are_left_to_people(chat: Chat) -> None:
    (answer,) = await chat.says("shop có mã giảm giá không ạ")
    assert "chưa tra được ưu đãi" in answer
    assert "Gặp nhân viên" in chat.offered
