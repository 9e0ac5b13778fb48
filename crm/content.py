"""What a broadcast or a care rule says: a text with gaps, a picture, buttons, and a template for each channel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from crm import links, wording
from crm.errors import Conflict, Invalid
from crm.messages import KEPT, Button, ButtonKind, Message, Purpose, TemplateUse
from crm.wording import Values, Wording

KNOWN = ("khach.ten", "khach.diem", "shop.ten", "shop.sdt", "shop.dia_chi")
"""What may stand in a text."""
KNOWN_TO_CARE = (
    "don.ma", "don.tong", "don.ngay", "san_pham.ten", "hang.ten", "diem.so", "diem.ngay",
)  # fmt: skip
"""What may stand in the texts of care rules beside, by their moments."""
LABEL = "[QC] "
OPT_OUT = {
    "vi": "Không muốn nhận tin quảng cáo nữa, bạn nhắn: DỪNG",
    "en": "To get no more advertising, reply: STOP",
}
"""What the law wants with every advertisement: what it is, and how to end it."""
MOST_BUTTONS = 3
_SHOP = {"ten": "x", "sdt": "x", "dia_chi": "x"}
_NOBODIES: tuple[Values, ...] = tuple({"khach": {"ten": "", "diem": points}, "shop": _SHOP} for points in (0, 10**9))
"""People of whom nothing is known, without points and with many."""
_LONG: Values = {
    "khach": {"ten": "x" * 60, "diem": 10**9}, "shop": dict.fromkeys(_SHOP, "x" * 100),
    "don": {"ma": "x" * 40, "tong": 10**12, "ngay": "x" * 10}, "san_pham": {"ten": "x" * 100},
    "hang": {"ten": "x" * 40}, "diem": {"so": 10**9, "ngay": "x" * 10},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ByTemplate:
    """The template that says it where no window is open; its values are texts with gaps, too.

    `to_phone`: it may go to a customer's phone number, where the account knows no id of theirs.
    """

    channel: str
    account_id: str
    template_id: str
    language: str = ""
    values: tuple[tuple[str, str], ...] = ()
    to_phone: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """`text` has gaps such as `{{ khach.ten or "bạn" }}`; `picture` is a web address, or `media:<id>` of what we keep.

    Without a text it goes by templates alone.
    """

    text: str = ""
    picture: str = ""
    buttons: tuple[Button, ...] = ()
    templates: tuple[ByTemplate, ...] = ()
    language: str = "vi"

    def dumps(self) -> str:
        """JSON for the database."""
        return json.dumps({key: value for key, value in asdict(self).items() if value}, ensure_ascii=False)

    @staticmethod
    @lru_cache(maxsize=64)
    def loads(text: str) -> Content:
        """The content that `dumps` wrote."""
        data = json.loads(text)
        return Content(
            data.get("text", ""),
            data.get("picture", ""),
            tuple(Button(each["title"], each["value"], ButtonKind(each["kind"])) for each in data.get("buttons", ())),
            tuple(_by_template(each) for each in data.get("templates", ())),
            data.get("language", "vi"),
        )


def check(content: Content) -> None:
    """Raises Invalid, in words, where something could go wrong for anybody, such as one whose name is not known."""
    if not (content.text or content.templates):
        raise Invalid("text", "Thiếu nội dung: cần một văn bản hoặc một mẫu tin.", "There is no text and no template.")
    if len(content.buttons) > MOST_BUTTONS:
        raise Invalid("buttons", f"Tối đa {MOST_BUTTONS} nút.", f"{MOST_BUTTONS} buttons at most.")
    for button in content.buttons:
        if button.kind is ButtonKind.URL and not links.is_link(button.value):
            raise _no_link("buttons", f"Nút “{button.title}”", f"The button “{button.title}”", button.value)
    if content.picture and not (content.picture.startswith(KEPT) or links.is_link(content.picture)):
        raise _no_link("picture", "Ảnh", "The picture", content.picture)
    if content.language not in OPT_OUT:
        raise Invalid("language", "Ngôn ngữ: vi hoặc en.", "The language is vi or en.")
    if any(each.to_phone and not each.account_id for each in content.templates):
        raise Invalid(
            "templates", "Mẫu tin gửi tới số điện thoại cần ghi rõ tài khoản.",
            "A template that goes to phone numbers names its account.",
        )  # fmt: skip
    for text in filter(None, (content.text, *(value for each in content.templates for _, value in each.values))):
        _check(text)


def _no_link(field: str, vi: str, en: str, address: str) -> Invalid:
    shown = address[:60]
    return Invalid(
        field, f"{vi} cần một địa chỉ https:// đầy đủ, như https://shop.vn/tet, không phải “{shown}”.",
        f"{en} needs a whole https:// address, such as https://shop.vn/tet, not “{shown}”.",
    )  # fmt: skip


def text(content: Content, purpose: Purpose, values: Values) -> str:
    """What one person reads, with what the law wants of an advertisement. Raises Conflict where that is nothing."""
    written = wording.write(_read(content.text), values, ()) if content.text else ""
    return f"{LABEL}{written}\n\n{OPT_OUT[content.language]}" if purpose is Purpose.BROADCAST else written


def message(content: Content, text: str) -> Message:
    """These words with the picture and the buttons."""
    return Message(text=text, picture=content.picture, buttons=content.buttons)


def longest(content: Content, purpose: Purpose) -> Message:
    """The message as somebody with a very long name would get it."""
    return message(content, text(content, purpose, _LONG))


def use(by: ByTemplate, values: Values) -> TemplateUse:
    """The template as one person gets it. Raises Conflict where a value cannot be written."""
    written = tuple((name, wording.write(_read(text), values, ())) for name, text in sorted(by.values))
    return TemplateUse(by.template_id, by.language, written)


def names(content: Content) -> frozenset[str]:
    """What must be known of a person."""
    texts = filter(None, (content.text, *(value for each in content.templates for _, value in each.values)))
    return frozenset(name for text in texts for name in _read(text).names)


def values_of(called: str, points: int, shop: Mapping[str, str]) -> Values:
    """What is known of one person and of the shop."""
    return {"khach": {"ten": called, "diem": points}, "shop": shop}


@lru_cache(maxsize=256)
def _read(text: str) -> Wording:
    return wording.read(text, (*KNOWN, *KNOWN_TO_CARE))


def _check(text: str) -> None:
    found = wording.read(text, KNOWN)
    if found.blanks:
        raise Invalid("text", "Không dùng chỗ trống [..?] ở đây.", "Blanks [..?] cannot be used here.")
    try:
        for values in _NOBODIES:
            wording.write(found, values, ())
    except Conflict:
        raise Invalid(
            "text",
            'Có khách chưa có tên: viết {{ khach.ten or "bạn" }} để luôn có chữ thay thế.',
            'Some people have no name here: write {{ khach.ten or "bạn" }}, so that there is always a word.',
        ) from None


def _by_template(data: Mapping[str, Any]) -> ByTemplate:
    values = tuple((name, text) for name, text in data.get("values", ()))
    return ByTemplate(
        data["channel"], data["account_id"], data["template_id"], data["language"], values, data["to_phone"]
    )
