"""Every text that customers read: in both languages, complete, short enough, and polite to everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from bot.router import PREFIX, Routes
from bot.templates import FOLDER, LOCALES, Templates
from crm.messages import Button, ButtonKind, Message
from crm.orders import Item, Status
from crm.referrals import Offer, Word
from crm.tickets import State
from crm.words import money, number
from handlers import ROUTERS
from handlers.customer.support import Standing
from storage.orders import OrderRow
from tests.bot import points, rewards

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
FULL_SHOP = {"brand": "Tiệm Mây", "phone": "02838220000", "address": "12 Lê Lợi, Quận 1", "hours": "8h–21h"}
EMPTY_SHOP = dict.fromkeys(FULL_SHOP, "")
LONGEST_TEXT = 2000
LONGEST_TITLE = 20
MOST_BUTTONS = 5
FOR_STAFF = "staff/"


def order(status: Status, code: str = "DH1024") -> OrderRow:
    return OrderRow(1, "pos", code, code, 1, status.value, 250_000, "[]", "", 1, AT, AT, AT)


ORDERS = [order(status) for status in Status]
LONG_NAMES = tuple(Item("Áo khoác dài tay " * 20, 2.5, 1000) for _ in range(40))
TICKETS = [
    Standing(12, state.value, "ly vỡ\nđổi giúp " * 60, AT, by, is_late)
    for state in State
    for by, is_late in (("", False), ("17:00 hôm nay", False), ("9:00 hôm nay", True))
]

WAITS = [("", 0), ("", 3), ("8:00 ngày mai", 0)]
PROMISES = [("", ""), ("", "17:00 hôm nay"), ("8:00 ngày mai", "10:00 ngày mai")]

OFFERED = {
    "content": "ưu đãi và quà",
    "method": "tin nhắn ở đây",
    "form": "chữ, hình và nút bấm",
    "frequency": "tối đa 3 tin mỗi tuần",
}

Examples = list[dict[str, Any]]

EXAMPLES: dict[str, Examples] = {
    "consent/care_started": [{}],
    "consent/offer": [
        {"purpose": purpose, "press": press, **OFFERED}
        for purpose, press in (("marketing", "kq:promotions:1"), ("care", "kq:care:1"))
    ],
    "consent/started": [{}, {"press": "kq:care:1", **OFFERED}],
    "consent/stopped": [{}],
    "fallback/menu": [{}],
    "fallback/person": [{}],
    "link/bad_phone": [{}],
    "link/for_staff": [{}],
    "link/how": [{}],
    "link/linked": [{"new": new, "balance": balance} for new in (True, False) for balance in (0, 1, 1250)],
    "link/no_match": [{}],
    "link/no_code": [{}],
    "link/not_a_code": [{}],
    "link/other_number": [{}],
    "link/photo": [{}],
    "link/typed_phone": [{}],
    "link/unlink": [{"linked": linked} for linked in (True, False)],
    "link/wrong_code": [{}],
    "loyalty/balance": [{"card": card} for card in points.CARDS],
    "loyalty/history": [{"lines": lines} for lines in ((), points.LINES)],
    "loyalty/member_card": [{"card": card} for card in points.MEMBER_CARDS],
    "loyalty/no_why": [{}],
    "loyalty/not_linked": [{}],
    "loyalty/offers": [{}],
    "loyalty/why": [
        {"order": each, "total": 400_000, "earns": earns, "steps": points.STEPS if earns else (), "points": 75}
        for each in ORDERS
        for earns in (True, False)
    ],
    "media/kept": [{"kind": kind} for kind in ("audio", "video", "file", "image", "link", "share", "other")],
    "media/photo": [{}],
    "media/place": [{}],
    "media/sticker": [{}],
    "orders/none": [{"linked": linked} for linked in (True, False)],
    "orders/not_found": [{"code": "DH1024", "linked": linked} for linked in (True, False)],
    "orders/one": [{"order": each, "items": items} for each in ORDERS for items in ((), LONG_NAMES)],
    "orders/recent": [{"orders": ORDERS[:1]}, {"orders": ORDERS[:3]}, {"orders": ORDERS}],
    "page/before_first_word": [{}],
    "person/angry": [{"away": away, "ahead": ahead} for away, ahead in WAITS],
    "person/away": [{"away": away} for away, _ in WAITS if away],
    "person/blocked": [{}],
    "person/handed_over": [{"away": away, "ahead": ahead} for away, ahead in WAITS],
    "person/still_waiting": [{"ahead": ahead} for ahead in (0, 3)],
    "person/to_order": [{}],
    "privacy/confirm": [{}],
    "privacy/erasure": [{"first": first} for first in (True, False)],
    "privacy/kept": [{"withdrawn": withdrawn} for withdrawn in (True, False)],
    "privacy/noted": [{"kind": kind, "first": first} for kind in ("see", "correct") for first in (True, False)],
    "privacy/withdrawn": [{}],
    "ratings/ask": [{"number": 12}],
    "ratings/given": [{"low": low, "number": 12} for low in (True, False)],
    "ratings/kept": [{}],
    "referral/came": [
        {"word": word.value, "points": each, "linked": linked}
        for word in Word
        if word is not Word.UNKNOWN
        for each in (0, 30)
        for linked in (False, True)
    ],
    "referral/how": [{}],
    "referral/invite": [
        {"offer": Offer(*offer), "code": "K7QWM2X", "link": link, "knows_code": "ref" in link, "brought": brought}
        for offer in ((50, 30), (50, 0), (0, 30))
        for link in ("", "https://zalo.me/1", "https://m.me/1?ref=gt-K7QWM2X")
        for brought in (0, 1, 2)
    ],
    "referral/none": [{}],
    "referral/not_linked": [{}],
    "referral/rewarded": [{"points": points, "friend": friend} for points in (1, 50) for friend in (False, True)],
    "referral/unknown": [{}],
    "rewards/catalogue": [
        {"points": 1250, "frozen": frozen, "offers": rewards.OFFERS, "open_ones": ((1, "coffee"), (2, "tote"))}
        for frozen in (False, True)
    ],
    "rewards/left": [{}],
    "rewards/mine": [{"vouchers": some} for some in ((), rewards.VOUCHERS[:1], rewards.VOUCHERS)],
    "rewards/not_now": [{"offer": offer, "frozen": frozen} for offer in rewards.OFFERS for frozen in (False, True)],
    "rewards/nothing": [{}],
    "rewards/preview": [{"offer": offer, "left": 20, "wish": "coffee:30:0f0f0f0f"} for offer in rewards.OFFERS],
    "rewards/refused": [{"words": "Quà này đã hết."}],
    "rewards/stamps": [{"cards": cards} for cards in ((), rewards.CARDS)],
    "rewards/taken": [{"voucher": voucher, "card": card} for voucher, card in rewards.VOUCHERS],
    "rewards/voucher": [{"voucher": voucher, "card": card} for voucher, card in rewards.VOUCHERS],
    "shop/about": [{"asked": asked} for asked in ("hours", "address", "")],
    "support/none": [{}],
    "support/not_found": [{"number": "12"}],
    "support/opened": [
        {"number": 12, "photos": photos, "order": order, "away": away, "by": by}
        for photos in (0, 1, 3)
        for order in ("", "DH1024")
        for away, by in PROMISES
    ],
    "support/photo_attached": [{"number": 12}],
    "support/photo_kept": [{}],
    "support/reopened": [{"number": 12, "away": away, "by": by} for away, by in PROMISES],
    "support/status": [{"tickets": TICKETS, "again": 0}, {"tickets": TICKETS[:1], "again": 12}],
    "support/tell_more": [{}],
    "support/still_open": [{}],
    "support/what_happened": [{}],
    "welcome/goodbye": [{}],
    "welcome/hello": [{"name": name} for name in ("", "Lan")],
    "welcome/language": [{}],
    "welcome/left": [{}],
    "welcome/menu": [{}],
    "welcome/ready": [{}],
    "welcome/thanks": [{}],
}
"""Values for every template, so that none is ever missing one at run time."""

CASES = [(name, values) for name, examples in EXAMPLES.items() for values in examples]
BY_NAME = pytest.mark.parametrize(("name", "examples"), EXAMPLES.items(), ids=list(EXAMPLES))


def names(locale: str) -> set[str]:
    """All templates of a language; those that begin with an underscore are parts of others."""
    files = (FOLDER / locale).rglob("*.j2")
    return {str(path.relative_to(FOLDER / locale).with_suffix("")) for path in files if path.name[0] != "_"}


@pytest.fixture(scope="module", params=[FULL_SHOP, EMPTY_SHOP], ids=["full shop", "empty shop"])
def templates(request: pytest.FixtureRequest) -> Templates:
    return Templates(ZoneInfo("Asia/Ho_Chi_Minh"), request.param)


def said(templates: Templates, name: str, values: dict[str, Any]) -> Iterator[Message]:
    for locale in LOCALES:
        for channel in ("zalo", "messenger"):
            yield templates.render(name, locale, channel, values)


def all_said(templates: Templates, name: str, examples: Examples) -> Iterator[Message]:
    for values in examples:
        yield from said(templates, name, values)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_template_is_tried(locale: str) -> None:
    """What staff read is tried by the transcripts of their commands."""
    assert {name for name in names(locale) if not name.startswith(FOR_STAFF)} == set(EXAMPLES)


def test_staff_read_the_same_in_both_languages() -> None:
    assert names("vi") == names("en")


@BY_NAME
def test_every_template_says_something_that_fits(templates: Templates, name: str, examples: Examples) -> None:
    for message in all_said(templates, name, examples):
        assert 0 < len(message.text) <= LONGEST_TEXT, message
        assert "\n\n\n" not in message.text, message
        assert not re.search(r"[{}]|  ", message.text), message.text
        assert len(message.buttons) <= MOST_BUTTONS, message
        assert all(0 < len(button.title) <= LONGEST_TITLE for button in message.buttons), message


@BY_NAME
def test_both_languages_offer_the_same(templates: Templates, name: str, examples: Examples) -> None:
    for values in examples:
        messages = said(templates, name, values)
        offers = {tuple((each.value, each.kind) for each in message.buttons) for message in messages}
        assert len(offers) == 1, values


@BY_NAME
def test_every_button_is_answered(templates: Templates, name: str, examples: Examples) -> None:
    known = Routes.of(ROUTERS).buttons
    for message in all_said(templates, name, examples):
        for button in message.buttons:
            assert button.kind is ButtonKind.SHARE_PHONE or button.value.removeprefix(PREFIX).partition(":")[0] in known


def test_every_button_that_is_answered_stands_in_a_template_or_is_the_platforms_own(templates: Templates) -> None:
    values = [
        button.value for name, each in CASES for message in said(templates, name, each) for button in message.buttons
    ]
    offered = {value.removeprefix(PREFIX).partition(":")[0] for value in values if value.startswith(PREFIX)}
    assert set(Routes.of(ROUTERS).buttons) == offered | {"GET_STARTED"}


def test_nobody_is_called_older_or_younger() -> None:
    for path in (FOLDER / "vi").rglob("*.j2"):
        assert not re.search(r"\b(anh|chị|em|cô|(?<!ghi )chú)\b", path.read_text(encoding="utf-8").lower()), path


def test_the_balance_of_nothing_is_told_in_these_words(templates: Templates) -> None:
    message = templates.render("loyalty/balance", "vi", "zalo", {"card": points.NOTHING})
    assert message.text == "Bạn chưa có điểm nào. Mua hàng để bắt đầu tích điểm nhé!"


def test_nobody_who_is_not_linked_is_told_that_they_have_no_points(templates: Templates) -> None:
    message = templates.render("loyalty/not_linked", "vi", "zalo", {})
    assert message.text.startswith("Cuộc trò chuyện này chưa được liên kết nên mình chưa xem được điểm của bạn.")
    assert message.buttons == (Button("Liên kết số ĐT", "kq:link"),)


def test_a_missing_value_is_an_error(templates: Templates) -> None:
    with pytest.raises(UndefinedError):
        templates.render("loyalty/balance", "vi", "zalo", {})


def test_a_missing_template_is_an_error(templates: Templates) -> None:
    with pytest.raises(TemplateNotFound):
        templates.render("no/such", "vi", "zalo", {})


def test_a_channel_may_have_words_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "vi" / "x").mkdir(parents=True)
    (tmp_path / "vi" / "x" / "y.j2").write_text("cho mọi kênh")
    (tmp_path / "vi" / "x" / "y.zalo.j2").write_text("cho Zalo")
    templates = Templates(ZoneInfo("UTC"), EMPTY_SHOP, tmp_path)
    assert templates.render("x/y", "vi", "zalo", {}).text == "cho Zalo"
    assert templates.render("x/y", "vi", "messenger", {}).text == "cho mọi kênh"


def test_an_unknown_language_is_answered_in_vietnamese(templates: Templates) -> None:
    assert templates.render("welcome/thanks", "fr", "zalo", {}) == templates.render("welcome/thanks", "vi", "zalo", {})


def test_words_of_customers_are_never_run_as_a_template(templates: Templates) -> None:
    message = templates.render("welcome/hello", "vi", "zalo", {"name": "{{ 7 * 7 }}{{ button('x', 'y') }}"})
    assert "{{ 7 * 7 }}" in message.text
    assert "x" not in [button.title for button in message.buttons]


@pytest.mark.parametrize(("amount", "words"), [(0, "0đ"), (999, "999đ"), (1_250_000, "1.250.000đ")])
def test_money_is_written_as_people_write_it(amount: int, words: str) -> None:
    assert money(amount) == words


def test_numbers_are_grouped_by_language() -> None:
    assert (number(1250), number(1250, "en"), number(12)) == ("1.250", "1,250", "12")


def test_days_are_the_days_of_the_shop(templates: Templates) -> None:
    late = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
    placed = order(Status.PENDING)._replace(placed_at=late)
    assert "đặt ngày 23/11/2026" in templates.render("orders/one", "vi", "zalo", {"order": placed, "items": ()}).text
