"""Templates as the platforms tell of them, in our words; and the JSON of a message that uses one."""

from __future__ import annotations

from typing import Any

import pytest

from bot.channels.base import Outgoing
from bot.channels.messenger import templates as utility
from bot.channels.zalo import templates as zbs
from crm.events import Address
from crm.messages import Message, TemplateUse
from crm.templates import Kind, Parameter, Status, Tag, Template

INFO: dict[str, Any] = {
    "templateId": 123456, "templateName": "Xac nhan don", "status": "ENABLE",
    "listParams": [
        {"name": "order_code", "require": True, "type": "STRING", "maxLength": 30, "minLength": 0},
        {"name": "amount", "require": False, "type": "NUMBER", "maxLength": "20"},
        {"type": "STRING"}, "no parameter",
    ],
    "previewUrl": "https://account.example/znspreview/demo", "templateQuality": "HIGH", "templateTag": "TRANSACTION",
    "price_sdt": "800", "price_uid": "560", "price": "800",
}  # fmt: skip
UTILITY: dict[str, Any] = {
    "id": "104595129340398", "name": "order_delivery", "language": "vi", "status": "APPROVED", "category": "UTILITY",
    "components": [
        {"type": "HEADER", "format": "TEXT", "text": "Cập nhật {{order_type}}"},
        {"type": "BODY", "text": "Đơn #{{order_id}} đang được giao. Cảm ơn {{customer_name}} nhé!"},
        {"type": "BUTTONS", "buttons": [
            {"type": "POSTBACK", "text": "Theo dõi", "payload": "order_{{1}}"},
            {"type": "PHONE_NUMBER", "text": "Gọi"},
            {"type": "URL", "text": "Xem", "url": "https://shop.vn/{{1}}"},
        ]},
    ],
}  # fmt: skip


def test_a_zbs_template_in_our_words() -> None:
    assert zbs.template("oa", INFO) == Template(
        "zalo", "oa", "123456", name="Xac nhan don", status=Status.APPROVED, quality="high", tag=Tag.TRANSACTION,
        parameters=(
            Parameter("order_code", max_length=30),
            Parameter("amount", required=False, max_length=20, kind=Kind.NUMBER),
        ),
        price_phone=800, price_user=560, preview_url="https://account.example/znspreview/demo",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("ENABLE", Status.APPROVED), ("PENDING_REVIEW", Status.PENDING), ("REJECT", Status.REJECTED),
        ("DISABLE", Status.DISABLED), ("DELETE", Status.DELETED), ("NEW", Status.UNKNOWN), (None, Status.UNKNOWN),
    ],
)  # fmt: skip
def test_zalo_words_for_a_state(word: object, status: Status) -> None:
    assert zbs.status_of(word) is status


@pytest.mark.parametrize("info", [{}, {"templateId": None}, {"templateId": {"a": 1}}, {"templateName": "x"}])
def test_what_is_no_template_is_left_out(info: dict[str, Any]) -> None:
    assert zbs.template("oa", info) is None


def test_a_tag_that_we_do_not_know_is_told_apart() -> None:
    told = zbs.template("oa", {**INFO, "templateTag": "FOLLOW_UP", "templateQuality": "UNDEFINED", "price_uid": ""})
    assert told and (told.tag, told.quality, told.price_user) == (Tag.OTHER, "", 800)


def test_a_utility_template_in_our_words() -> None:
    told = utility.template("page", UTILITY)
    assert told and (told.template_id, told.language, told.platform_id) == ("order_delivery", "vi", "104595129340398")
    assert (told.status, told.tag) == (Status.APPROVED, Tag.TRANSACTION)
    assert [(each.name, each.kind) for each in told.parameters] == [
        ("header:order_type", Kind.TEXT), ("order_id", Kind.TEXT), ("customer_name", Kind.TEXT),
        ("payload:1", Kind.TEXT), ("url:3", Kind.LINK),
    ]  # fmt: skip
    assert told.text.startswith("Cập nhật {{header:order_type}}\nĐơn #{{order_id}}")


@pytest.mark.parametrize("change", [{"name": ""}, {"language": None}, {"name": "n" * 513}, {"language": "v" * 17}])
def test_a_utility_template_without_a_name_of_its_own_is_left_out(change: dict[str, Any]) -> None:
    assert utility.template("page", {**UTILITY, **change}) is None


def test_a_utility_template_with_its_values() -> None:
    values = (
        ("customer_name", "An"), ("header:order_type", "đơn hàng"), ("order_id", "7"), ("payload:1", "7"),
        ("url:3", "https://shop.vn/7"),
    )  # fmt: skip
    assert utility.content(TemplateUse("order_delivery", "vi", values)) == {
        "name": "order_delivery",
        "language": {"code": "vi"},
        "components": [
            {"type": "header", "parameters": [{"type": "text", "text": "đơn hàng", "parameter_name": "order_type"}]},
            {"type": "body", "parameters": [
                {"type": "text", "text": "An", "parameter_name": "customer_name"},
                {"type": "text", "text": "7", "parameter_name": "order_id"},
            ]},
            {"type": "buttons", "parameters": [
                {"type": "POSTBACK", "payload": "7"}, {"type": "URL", "url": "https://shop.vn/7"},
            ]},
        ],
    }  # fmt: skip


def test_numbered_values_stand_in_their_order() -> None:
    values = tuple((str(number), f"v{number}") for number in (10, 2, 1))
    (part,) = utility.content(TemplateUse("t", "vi", values))["components"]
    assert [each["text"] for each in part["parameters"]] == ["v1", "v2", "v10"]
    assert "components" not in utility.content(TemplateUse("t", "vi"))


def test_a_zbs_template_to_a_person_and_to_a_phone() -> None:
    use = TemplateUse("123456", values=(("order_code", "DH-1\0"),))
    told = {"template_id": "123456", "template_data": {"order_code": "DH-1"}}
    to = Outgoing(Address("zalo", "oa", "987"), Message(template=use), "template_uid", "kq:1234567890123456789")
    assert zbs.to_user(to, use) == {"user_id": "987", **told}
    phone = Outgoing(Address("zalo", "oa", "+84901234567"), Message(template=use), "template_phone", to.metadata)
    body = zbs.to_phone(phone, use)
    assert body == {"phone": "84901234567", **told, "tracking_id": "kq-1234567890123456789"}
    assert len(body["tracking_id"]) <= zbs.TRACKING_LIMIT
