"""Sending on Zalo: what is accepted, what is refused with which code, and what it is charged to."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from aiohttp import FormData

from tests.simulator.stage import Json, Stage, playing

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


def button(title: str = "Xem", kind: str = "oa.query.show", payload: Any = "#xem") -> Json:
    return {"title": title, "type": kind, "payload": payload}


def with_buttons(*buttons: Json, text: str = "Bạn cần gì?") -> Json:
    return {"text": text, "attachment": {"type": "template", "payload": {"buttons": list(buttons)}}}


def media(**element: Any) -> Json:
    payload = {"template_type": "media", "elements": [element]}
    return {"text": "Mẫu mới", "attachment": {"type": "template", "payload": payload}}


def template(kind: str, *elements: Json, **more: Any) -> Json:
    return {"attachment": {"type": "template", "payload": {"template_type": kind, "elements": list(elements), **more}}}


INFO = {"title": "Tiệm", "subtitle": "Chia sẻ để tích điểm", "image_url": "https://example.vn/a.png"}
LINKS = [
    button("Web", "oa.open.url", {"url": "https://example.vn"}),
    button("Gọi", "oa.open.phone", {"phone_code": "84900000001"}),
    button("Nhắn", "oa.open.sms", {"phone_code": "84900000001", "content": "Chào"}),
    button("Ẩn", "oa.query.hide", "#an"),
]
ACCEPTED = {
    "text": ({"text": "Dạ, shop xin chào"}, "text"),
    "longest text": ({"text": "a" * 2000}, "text"),
    "image by url": (media(media_type="image", url="https://example.vn/a.jpg"), "image"),
    "gif": (media(media_type="gif", url="https://example.vn/a.gif", width=120, height=120), "gif"),
    "sticker": (media(media_type="sticker", attachment_id="1000"), "sticker"),
    "buttons of every type": (with_buttons(button(), *LINKS), "buttons"),
    "request for details": (template("request_user_info", INFO), "request_user_info"),
    "list": (template("list", {"title": "Mục 1", "subtitle": "Mô tả"}, buttons=[button()]), "list"),
}
REFUSED = {
    "no message": (None, -201),
    "empty text": ({"text": ""}, -201),
    "text as number": ({"text": 5}, -201),
    "text of 2,001": ({"text": "a" * 2001}, -210),
    "six buttons": (with_buttons(*[button()] * 6), -210),
    "no buttons": (with_buttons(), -201),
    "buttons without text": (with_buttons(button(), text=""), -201),
    "button without title": (with_buttons(button(title="")), -201),
    "button of another vendor": (with_buttons(button(kind="postback")), -201),
    "query payload as object": (with_buttons(button(payload={"a": 1})), -201),
    "query payload too long": (with_buttons(button(payload="a" * 1001)), -210),
    "link without url": (with_buttons(button(kind="oa.open.url", payload="https://example.vn")), -201),
    "image with both sources": (media(media_type="image", url="https://a.vn/a.jpg", attachment_id="x"), -201),
    "image with no source": (media(media_type="image"), -201),
    "unknown upload": (media(media_type="image", attachment_id="nope"), -201),
    "gif without size": (media(media_type="gif", url="https://example.vn/a.gif"), -201),
    "unknown media": (media(media_type="hologram", url="https://example.vn/a"), -201),
    "two requests for details": (template("request_user_info", INFO, INFO), -201),
    "title of 101": (template("request_user_info", {**INFO, "title": "a" * 101}), -210),
    "subtitle of 501": (template("request_user_info", {**INFO, "subtitle": "a" * 501}), -210),
    "unknown file": ({"attachment": {"type": "file", "payload": {"token": "nope"}}}, -201),
    "unknown attachment": ({"attachment": {"type": "card", "payload": {}}}, -233),
    "promotion": (template("promotion", INFO), -233),
    "quote of nothing": ({"text": "Dạ", "quote_message_id": "0f1e2d3c4b5a69788796"}, -201),
}


@pytest.mark.parametrize("case", ACCEPTED)
async def test_zalo_accepts(stage: Stage, case: str) -> None:
    message, kind = ACCEPTED[case]
    answer = await stage.consult(message)
    assert (answer["error"], answer["message"]) == (0, "Success")
    assert answer["data"]["user_id"] == stage.contact("zalo").user_id
    (call,) = stage.platform.journal
    assert (call.kind, call.person, call.message_id) == (kind, "lan", answer["data"]["message_id"])


@pytest.mark.parametrize("case", REFUSED)
async def test_zalo_refuses(stage: Stage, case: str) -> None:
    message, code = REFUSED[case]
    answer = await stage.consult(message)
    assert answer["error"] == code, answer
    assert "data" not in answer
    assert stage.platform.journal == []
    assert not stage.contact("zalo").lines
    assert stage.platform.refused[0]["error"] == answer


async def test_an_answer_has_the_documented_shape(stage: Stage) -> None:
    answer = await stage.consult({"text": "Chào"})
    data = answer["data"]
    assert set(answer) == {"data", "error", "message"}
    assert set(data) == {"message_id", "user_id", "sent_time", "quota"}
    assert data["quota"] == {"quota_type": "reply"}
    assert data["sent_time"] == "1795150800000"


async def test_an_unknown_user_is_an_invalid_parameter(stage: Stage) -> None:
    answer = await stage.zalo("v3.0/oa/message/cs", {"recipient": {"user_id": "1"}, "message": {"text": "Chào"}})
    assert answer["error"] == -201


async def test_someone_who_never_interacted_cannot_be_written_to(stage: Stage) -> None:
    assert (await stage.consult({"text": "Chào"}, "minh"))["error"] == -201


@pytest.mark.parametrize(
    ("hours", "charged"), [(46.9, "reply"), (47.1, "sub_quota"), (166.9, "sub_quota"), (167.1, None)]
)
async def test_the_window_decides_what_a_message_is_charged_to(stage: Stage, hours: float, charged: str | None) -> None:
    stage.later(hours=hours)
    answer = await stage.consult({"text": "Chào"})
    if charged is None:
        assert answer["error"] == -230
    else:
        assert answer["data"]["quota"]["quota_type"] == charged


async def test_a_new_message_opens_the_window_again(stage: Stage) -> None:
    stage.later(days=30)
    assert (await stage.consult({"text": "Chào"}))["error"] == -230
    await stage.say("zalo", text="Shop ơi")
    assert (await stage.consult({"text": "Chào"}))["data"]["quota"] == {"quota_type": "reply"}


async def test_a_follower_who_never_wrote_gets_a_welcome(stage: Stage) -> None:
    await stage.post("/api/follow", {"channel": "zalo", "person": "minh"})
    answer = await stage.consult({"text": "Chào"}, "minh")
    assert answer["data"]["quota"] == {"quota_type": "welcome_msg"}


async def test_the_package_counts_down_and_then_messages_are_billed() -> None:
    async with playing(zalo_sub_quota=1) as stage:
        stage.later(hours=60)
        first, second = await stage.consult({"text": "Một"}), await stage.consult({"text": "Hai"})
    assert first["data"]["quota"] == {
        "quota_type": "sub_quota", "remain": "0", "total": "1", "expired_date": "30/11/2026",
    }  # fmt: skip
    assert second["error"] == 0
    assert "quota" not in second["data"]


async def test_an_expired_package_sends_nothing() -> None:
    async with playing(zalo_package="expired") as stage:
        assert (await stage.consult({"text": "Chào"}))["error"] == -224


async def test_the_rate_of_a_minute_is_kept_and_told() -> None:
    async with playing(zalo_per_minute=2) as stage:
        token = stage.platform.zalo_tokens.access
        body = {"recipient": {"user_id": stage.contact("zalo").user_id}, "message": {"text": "Chào"}}
        seen = []
        for _ in range(3):
            async with stage.http.post("/zalo/v3.0/oa/message/cs", json=body, headers={"access_token": token}) as got:
                seen.append((got.headers["X-RateLimit-Remain"], (await got.json())["error"]))
        assert seen == [("1", 0), ("0", 0), ("0", -32)]
        stage.later(minutes=1)
        assert (await stage.consult({"text": "Chào"}))["error"] == 0


@pytest.mark.parametrize(("token", "code"), [("", -216), ("wrong", -216)])
async def test_a_wrong_token_is_refused(stage: Stage, token: str, code: int) -> None:
    _, answer = await stage.post("/zalo/v3.0/oa/message/cs", {}, access_token=token)
    assert answer["error"] == code


async def test_a_wrong_proof_is_refused_and_the_right_one_accepted(stage: Stage) -> None:
    token = stage.platform.zalo_tokens.access
    _, answer = await stage.get("/zalo/v2.0/oa/getoa", access_token=token, appsecret_proof="00")
    assert answer["error"] == -242


async def test_one_who_blocked_the_shop_cannot_be_written_to(stage: Stage) -> None:
    await stage.post("/api/block", {"channel": "zalo", "person": "lan"})
    assert (await stage.consult({"text": "Chào"}))["error"] == -244


async def test_a_quote_names_a_message_of_the_chat(stage: Stage) -> None:
    said = await stage.say("zalo", text="Còn hàng không?")
    answer = await stage.consult({"text": "Dạ còn", "quote_message_id": said["message_id"]})
    assert answer["error"] == 0


async def upload(stage: Stage, kind: str, content: bytes, name: str) -> Json:
    form = FormData()
    form.add_field("file", BytesIO(content), filename=name, content_type="application/octet-stream")
    headers = {"access_token": stage.platform.zalo_tokens.access}
    async with stage.http.post(f"/zalo/v2.0/oa/upload/{kind}", data=form, headers=headers) as answer:
        return await answer.json()


async def test_an_uploaded_picture_can_be_sent_for_seven_days(stage: Stage) -> None:
    uploaded = await upload(stage, "image", PNG, "a.png")
    message = media(media_type="image", attachment_id=uploaded["data"]["attachment_id"])
    assert (await stage.consult(message))["error"] == 0
    url = stage.contact("zalo").lines[-1].media
    async with stage.http.get(url) as answer:
        assert await answer.read() == PNG
    stage.later(days=6, hours=23)
    await stage.say("zalo", text="Alo")
    assert (await stage.consult(message))["error"] == 0
    stage.later(hours=1)
    assert (await stage.consult(message))["error"] == -100


async def test_an_uploaded_file_can_be_sent_by_its_token(stage: Stage) -> None:
    uploaded = await upload(stage, "file", b"%PDF-1.7", "bao-gia.pdf")
    message = {"attachment": {"type": "file", "payload": {"token": uploaded["data"]["token"]}}}
    assert (await stage.consult(message))["error"] == 0


@pytest.mark.parametrize(
    ("kind", "content", "name", "code"),
    [
        ("image", b"<svg/>", "a.png", -201),
        ("image", PNG + b"\0" * 1024 * 1024, "a.png", -210),
        ("gif", PNG, "a.gif", -201),
        ("file", b"MZ", "a.exe", -201),
        ("file", b"\0" * (5 * 1024 * 1024 + 1), "a.pdf", -210),
    ],
)
async def test_an_unfit_upload_is_refused(stage: Stage, kind: str, content: bytes, name: str, code: int) -> None:
    assert (await upload(stage, kind, content, name))["error"] == code


async def test_a_reaction_is_shown_and_journaled(stage: Stage) -> None:
    said = await stage.say("zalo", text="Cảm ơn shop")
    action = {"react_icon": "/-heart", "react_message_id": said["message_id"]}
    recipient = {"user_id": stage.contact("zalo").user_id}
    answer = await stage.zalo("v2.0/oa/message", {"recipient": recipient, "sender_action": action})
    assert answer["error"] == 0
    assert stage.contact("zalo").lines[-1].reaction == "/-heart"
    answer = await stage.zalo(
        "v2.0/oa/message", {"recipient": recipient, "sender_action": {**action, "react_icon": "😀"}}
    )
    assert answer["error"] == -201


async def test_an_anonymous_visitor_needs_both_ids(stage: Stage) -> None:
    both = {"anonymous_id": "anon-1", "conversation_id": "conv-1"}
    good = await stage.zalo("v2.0/oa/message", {"recipient": both, "message": {"text": "Chào"}})
    bad = await stage.zalo("v2.0/oa/message", {"recipient": {"anonymous_id": "anon-1"}, "message": {"text": "Chào"}})
    assert (good["error"], bad["error"]) == (0, -201)


async def test_closed_calls_stay_closed(stage: Stage) -> None:
    recipient = {"recipient": {"user_id": stage.contact("zalo").user_id}, "message": {"text": "Chào"}}
    answers = [
        await stage.zalo("v2.0/oa/message", recipient),
        await stage.zalo("v3.0/oa/message/transaction", recipient),
        await stage.zalo("v3.0/oa/message/promotion", recipient),
        await stage.zalo_get("v2.0/oa/getprofile", {"user_id": 1}),
    ]
    assert [answer["error"] for answer in answers] == [-240] * 4


async def test_a_template_by_user_id_needs_no_window(stage: Stage) -> None:
    stage.later(days=90)
    data = {"customer_name": "Lan", "order_code": "DH-1"}
    body = {"user_id": stage.contact("zalo").user_id, "template_id": "123456", "template_data": data}
    answer = await stage.zalo("v3.0/oa/message/template", body)
    assert answer["data"]["quota"]["quota_type"] == "purchase_quota"
    assert stage.platform.journal[-1].text == "Chào Lan, đơn DH-1 của bạn đã được xác nhận."


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"template_id": "9"}, -109),
        ({"template_id": "123457", "template_data": {"otp": "1"}}, -249),
        ({"template_data": {"customer_name": "Lan"}}, -1122),
        ({"template_data": {"customer_name": "Lan" * 20, "order_code": "1"}}, -1121),
        ({"template_data": []}, -1124),
        ({"user_id": "1"}, -201),
    ],
)
async def test_an_unfit_template_is_refused(stage: Stage, change: Json, code: int) -> None:
    data = {"customer_name": "Lan", "order_code": "DH-1"}
    body = {"user_id": stage.contact("zalo").user_id, "template_id": "123456", "template_data": data}
    assert (await stage.zalo("v3.0/oa/message/template", {**body, **change}))["error"] == code


@pytest.mark.parametrize("raw", [b"", b"[1]", b"{", b"[" * 100_000, b"\xff"])
async def test_a_broken_body_is_an_invalid_parameter(stage: Stage, raw: bytes) -> None:
    headers = {"access_token": stage.platform.zalo_tokens.access}
    async with stage.http.post("/zalo/v3.0/oa/message/cs", data=raw, headers=headers) as answer:
        assert (answer.status, (await answer.json())["error"]) == (200, -201)
