"""Which handler answers: buttons, dialogs, intents, kinds of events, and conversations that staff hold."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlmodel import Session

from bot.channels.base import Channel
from bot.context import Context, Talk
from bot.router import Router, Routes
from bot.templates import Templates
from crm import conversations
from crm.conversations import State
from crm.events import (
    Address,
    ButtonPressed,
    ContactShared,
    Event,
    Followed,
    LocationShared,
    MediaReceived,
    TextReceived,
)
from storage.customers import Person
from tests.crm.people import POLICY

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
WHO = Address("zalo", "oa1", "u1")
Heard = list[tuple[str, str, str, dict[str, Any]]]


def person() -> Person:
    known = {"channel": "zalo", "account_id": "oa1", "user_id": "u1", "locale": "vi"}
    return Person._make(known.get(name) for name in Person._fields)


class Shop:
    """A few handlers that note what they were told: name, text, argument, data."""

    def __init__(self) -> None:
        self.heard: Heard = []
        router, self.other = Router("shop"), Router("other")
        router.intent("order.list")(router.button("orders")(self.note("orders")))
        router.intent("menu", while_held=True)(self.note("menu"))
        router.button("menu", while_held=True)(self.note("menu button"))
        router.intent("greeting")(self.note("greeting"))
        router.intent("yes")(self.note("nod"))
        router.intent("loyalty.balance", leaves_dialog=True)(self.note("balance"))
        router.on(Followed)(self.note("followed"))
        router.on(MediaReceived)(self.note("media"))
        router.on(LocationShared, ContactShared)(self.note("place"))
        router.fallback(self.note("fallback"))
        self.waits = self.note("describe")
        self.waits.__name__ = "describe"
        router.answer(self.waits)
        router.answer(self.picky)
        self.routes = Routes.of([router, self.other])

    def note(self, name: str) -> Any:
        def handler(ctx: Context) -> None:
            self.heard.append((name, ctx.text, ctx.argument, dict(ctx.data)))

        return handler

    def picky(self, ctx: Context) -> bool:
        self.heard.append(("picky", ctx.text, ctx.argument, dict(ctx.data)))
        return False

    def hears(self, event: Event, *lines: str, state: State | None = None) -> Context:
        """Let an event be handled; the context afterwards."""
        start = state or State()
        texts = lines or ((event.text,) if isinstance(event, TextReceived) else ())
        ctx = Context(
            event=event, text="\n".join(texts), session=Session(), now=NOW, default_locale="vi",
            talk=Talk(person(), start, start), channel=cast(Channel, None), templates=cast(Templates, None),
            answers=self.routes.names, policy=POLICY,
        )  # fmt: skip
        self.routes.handle(ctx, texts)
        return ctx

    @property
    def names(self) -> list[str]:
        return [name for name, *_ in self.heard]


@pytest.fixture
def shop() -> Shop:
    return Shop()


def text(words: str) -> TextReceived:
    return TextReceived(WHO, NOW, text=words)


def waiting(minutes: int = 5, dialog: str = "shop.describe", **data: Any) -> State:
    return conversations.asked(State(), dialog, json.dumps(data), NOW + timedelta(minutes=minutes))


def held() -> State:
    return conversations.hand_over(State(), NOW)


def test_a_text_goes_to_its_intent(shop: Shop) -> None:
    shop.hears(text("xem điểm"))
    assert shop.names == ["balance"]


def test_what_is_not_understood_goes_to_the_fallback(shop: Shop) -> None:
    shop.hears(text("hôm qua trăng tròn"))
    assert shop.names == ["fallback"]


def test_an_intent_without_a_handler_goes_to_the_fallback(shop: Shop) -> None:
    shop.hears(text("không ạ"))
    assert shop.names == ["fallback"]


@pytest.mark.parametrize(
    ("event", "name"),
    [(Followed(WHO, NOW), "followed"), (MediaReceived(WHO, NOW), "media"), (LocationShared(WHO, NOW), "place")],
)
def test_other_events_go_to_their_kind(shop: Shop, event: Event, name: str) -> None:
    shop.hears(event)
    assert shop.names == [name]


@pytest.mark.parametrize("event", [ButtonPressed(WHO, NOW, payload="kq:orders:12"), text("kq:orders:12")])
def test_a_button_brings_its_argument_and_no_text(shop: Shop, event: Event) -> None:
    shop.hears(event)
    assert shop.heard == [("orders", "", "12", {})]


@pytest.mark.parametrize("payload", ["kq:nothing", "kq:", "", "orders of another app", "kq:shop.describe"])
def test_a_forged_payload_goes_to_the_fallback(shop: Shop, payload: str) -> None:
    shop.hears(ButtonPressed(WHO, NOW, payload=payload))
    assert shop.names == ["fallback"]


def test_a_dialog_gets_what_it_waits_for_and_what_it_knew(shop: Shop) -> None:
    ctx = shop.hears(text("hộp bị móp"), state=waiting(said="áo"))
    assert shop.heard == [("describe", "hộp bị móp", "", {"said": "áo"})]
    assert ctx.conversation.dialog == ""


def test_a_dialog_gets_media_too(shop: Shop) -> None:
    shop.hears(MediaReceived(WHO, NOW), state=waiting())
    assert shop.names == ["describe"]


@pytest.mark.parametrize("event", [Followed(WHO, NOW), LocationShared(WHO, NOW), ContactShared(WHO, NOW)])
def test_a_dialog_goes_on_after_other_events(shop: Shop, event: Event) -> None:
    ctx = shop.hears(event, state=waiting())
    assert shop.names != ["describe"]
    assert ctx.conversation.dialog == "shop.describe"


def test_a_dialog_ends_in_time(shop: Shop) -> None:
    shop.hears(text("hôm qua trăng tròn"), state=waiting(minutes=0))
    assert shop.names == ["fallback"]


def test_a_button_ends_a_dialog_and_finds_what_it_knew(shop: Shop) -> None:
    ctx = shop.hears(ButtonPressed(WHO, NOW, payload="kq:orders"), state=waiting(said="áo"))
    assert shop.heard == [("orders", "", "", {"said": "áo"})]
    assert ctx.conversation.dialog == ""


def test_a_line_that_only_says_another_wish_leaves_a_dialog(shop: Shop) -> None:
    shop.hears(text("cho mình xem điểm với"), state=waiting())
    assert shop.names == ["balance"]


def test_a_line_that_says_more_stays_in_the_dialog(shop: Shop) -> None:
    shop.hears(text("hôm trước mình xem điểm thì thấy thiếu"), state=waiting())
    assert shop.names == ["describe"]


def test_an_intent_that_leaves_no_dialog_stays(shop: Shop) -> None:
    shop.hears(text("đơn hàng của tôi"), state=waiting())
    assert shop.names == ["describe"]


def test_what_a_dialog_does_not_take_is_handled_as_if_nothing_had_been_asked(shop: Shop) -> None:
    ctx = shop.hears(text("đơn hàng của tôi"), state=waiting(dialog="shop.picky"))
    assert shop.names == ["picky", "orders"]
    assert ctx.conversation.dialog == ""


def test_what_is_only_kept_waits_for_nothing(shop: Shop) -> None:
    shop.hears(text("đơn hàng của tôi"), state=waiting(dialog="kept", photos=["a"]))
    assert shop.heard == [("orders", "đơn hàng của tôi", "", {"photos": ["a"]})]


def test_the_bot_is_silent_while_staff_hold(shop: Shop) -> None:
    for event in (text("xem điểm"), text("kq:orders"), MediaReceived(WHO, NOW), Followed(WHO, NOW)):
        shop.hears(event, state=held())
    assert shop.names == []


def test_some_words_and_buttons_count_while_staff_hold(shop: Shop) -> None:
    shop.hears(text("menu"), state=held())
    shop.hears(ButtonPressed(WHO, NOW, payload="kq:menu"), state=held())
    assert shop.names == ["menu", "menu button"]


def test_a_mere_mention_does_not_count_while_staff_hold(shop: Shop) -> None:
    shop.hears(text("nhân viên ơi hướng dẫn sử dụng máy này kiểu gì"), state=held())
    assert shop.names == []


def test_lines_that_waited_together_are_answered_once_each_wish(shop: Shop) -> None:
    shop.hears(text("xem điểm"), "chào shop", "xem điểm", "xem diem", "đơn hàng của tôi")
    assert shop.names == ["balance", "orders"]


def test_small_talk_alone_is_answered_once(shop: Shop) -> None:
    shop.hears(text("hi"), "alo", "hi")
    assert shop.names == ["greeting"]


def test_a_wish_cut_into_lines_is_put_together(shop: Shop) -> None:
    shop.hears(text("điểm"), "cho mình xem", "với bao nhiêu", "điểm rồi")
    assert shop.names == ["balance"]


def test_a_nod_beside_other_lines_says_nothing(shop: Shop) -> None:
    shop.hears(text("ok"), "ok", "hôm qua trăng tròn")
    shop.hears(text("ok"), "xem điểm", "ok")
    shop.hears(text("ok"), "ok", "👍")
    assert shop.names == ["fallback", "balance", "nod"]


def test_presses_among_lines_are_presses_and_count_once(shop: Shop) -> None:
    shop.hears(text("kq:orders"), "kq:orders", "hôm qua trăng tròn", "kq:orders")
    assert shop.names == ["orders"]


def test_misses_end_where_the_bot_understands(shop: Shop) -> None:
    missed = replace(State(), misses=1)
    assert shop.hears(text("xem điểm"), state=missed).conversation.misses == 0
    assert shop.hears(ButtonPressed(WHO, NOW, payload="kq:orders"), state=missed).conversation.misses == 0
    assert shop.hears(text("hôm qua trăng tròn"), state=missed).conversation.misses == 1


def test_two_handlers_for_one_intent_are_refused(shop: Shop) -> None:
    first, second = Router("a"), Router("b")
    first.intent("menu")(shop.note("one"))
    second.intent("menu")(shop.note("two"))
    with pytest.raises(ValueError, match="menu"):
        Routes.of([first, second])


def test_two_names_may_share_one_handler(shop: Shop) -> None:
    router = Router("a")
    fn = shop.note("one")
    router.intent("order.status", "order.list")(fn)
    router.button("orders")(fn)
    assert Routes.of([router]).intents == {"order.status": fn, "order.list": fn}
