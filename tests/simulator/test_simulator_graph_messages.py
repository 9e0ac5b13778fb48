"""Sending on Messenger: what is accepted, what is refused with which code, and when."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import FormData

from simulator.proof import appsecret_proof
from tests.simulator.stage import Json, Stage, playing


def attached(kind: str, **payload: Any) -> Json:
    return {"attachment": {"type": kind, "payload": payload}}


def template(kind: str, **payload: Any) -> Json:
    return attached("template", template_type=kind, **payload)


def quick(title: str = "M", payload: str = "PICK_M", content_type: str = "text") -> Json:
    return {"content_type": content_type, "title": title, "payload": payload}


def postback(title: str = "Gặp nhân viên", payload: str = "HELP") -> Json:
    return {"type": "postback", "title": title, "payload": payload}


LINK = {"type": "web_url", "title": "Xem shop", "url": "https://shop.example.vn/"}
CALL = {"type": "phone_number", "title": "Gọi shop", "payload": "+84900000123"}
CARD = {"title": "Áo thun", "subtitle": "199.000 ₫", "buttons": [LINK, postback()]}
SHARE = [{"content_type": "user_phone_number"}, {"content_type": "user_email"}]
RECEIPT = {
    "recipient_name": "Lan", "order_number": "1", "currency": "VND", "payment_method": "COD",
    "summary": {"total_cost": 199000},
}  # fmt: skip
ACCEPTED = {
    "text": ({"text": "Dạ còn size M ạ", "metadata": "outbox:1"}, "text"),
    "longest text": ({"text": "a" * 1999}, "text"),
    "quick replies": ({"text": "Chọn size:", "quick_replies": [quick()] * 11 + SHARE}, "text"),
    "image by url": (attached("image", url="https://shop.example.vn/a.jpg"), "image"),
    "sticker": ({"sticker_id": 369239263222822}, "sticker"),
    "buttons": (template("button", text="Bạn cần gì?", buttons=[LINK, postback(), CALL]), "buttons"),
    "cards": (template("generic", elements=[CARD] * 10), "cards"),
    "media": (template("media", elements=[{"media_type": "image", "url": "https://www.facebook.com/p/1"}]), "media"),
    "receipt": (template("receipt", **RECEIPT), "receipt"),
    "coupon": (template("coupon", title="Giảm 10%", coupon_code="MAY10"), "coupon"),
}
REFUSED = {
    "no message": None,
    "empty text": {"text": " "},
    "text of 2,000": {"text": "a" * 2000},
    "text and attachment": {"text": "a", **attached("image", url="https://a.vn/a.jpg")},
    "14 quick replies": {"text": "a", "quick_replies": [quick()] * 14},
    "quick reply title of 21": {"text": "a", "quick_replies": [quick("a" * 21)]},
    "quick reply payload of 1,001": {"text": "a", "quick_replies": [quick(payload="a" * 1001)]},
    "quick reply for a place": {"text": "a", "quick_replies": [quick(content_type="location")]},
    "metadata of 1,000": {"text": "a", "metadata": "a" * 1000},
    "attachment of no kind": attached("card", url="https://a.vn/a"),
    "four buttons": template("button", text="a", buttons=[LINK] * 4),
    "no buttons": template("button", text="a", buttons=[]),
    "button text of 641": template("button", text="a" * 641, buttons=[LINK]),
    "button title of 21": template("button", text="a", buttons=[postback("a" * 21)]),
    "button without url": template("button", text="a", buttons=[{"type": "web_url", "title": "a"}]),
    "eleven cards": template("generic", elements=[CARD] * 11),
    "card of a title only": template("generic", elements=[{"title": "a"}]),
    "card title of 81": template("generic", elements=[{**CARD, "title": "a" * 81}]),
    "media of another host": template("media", elements=[{"media_type": "image", "url": "https://a.vn/a.jpg"}]),
    "media nobody holds": template("media", elements=[{"media_type": "image", "attachment_id": "1"}]),
    "receipt without total": template("receipt", **{**RECEIPT, "summary": {}}),
    "coupon without code": template("coupon", title="a"),
    "template of no kind": template("transaction_order"),
}


@pytest.mark.parametrize("case", ACCEPTED)
async def test_messenger_accepts(stage: Stage, case: str) -> None:
    message, kind = ACCEPTED[case]
    status, answer = await stage.send(message)
    assert status == 200, answer
    assert set(answer) == {"recipient_id", "message_id"}
    assert answer["recipient_id"] == stage.contact("messenger").user_id
    (call,) = stage.platform.journal
    assert (call.kind, call.person, call.message_id) == (kind, "lan", answer["message_id"])


@pytest.mark.parametrize("case", REFUSED)
async def test_messenger_refuses(stage: Stage, case: str) -> None:
    status, answer = await stage.send(REFUSED[case])
    assert status == 400
    assert set(answer) == {"error"}
    assert answer["error"]["code"] == 100
    assert answer["error"]["type"] == "OAuthException"
    assert answer["error"]["fbtrace_id"]
    assert stage.platform.journal == []


async def test_an_answer_has_no_trace_of_the_other_vendor(stage: Stage) -> None:
    _, answer = await stage.send({"text": "Chào"})
    assert not {"error", "message", "data"} & set(answer)


def outcome(status: int, answer: Json) -> tuple[int, int]:
    """Code and subcode, (0, 0) for success."""
    error = answer.get("error", {})
    assert (status == 200) is not bool(error)
    return error.get("code", 0), error.get("error_subcode", 0)


OUTSIDE = (10, 2018278)
DEAD = (100, 1893061)
HUMAN = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}


@pytest.mark.parametrize(
    ("hours", "params", "expected"),
    [
        (22.9, {"messaging_type": "RESPONSE"}, (0, 0)),
        (23.1, {"messaging_type": "RESPONSE"}, OUTSIDE),
        (23.1, {"messaging_type": "UPDATE"}, OUTSIDE),
        (23.1, {"messaging_type": None}, OUTSIDE),
        (166.9, HUMAN, (0, 0)),
        (167.1, HUMAN, OUTSIDE),
        (1, {"messaging_type": "MESSAGE_TAG", "tag": "ACCOUNT_UPDATE"}, DEAD),
        (1, {"messaging_type": "MESSAGE_TAG", "tag": "CONFIRMED_EVENT_UPDATE"}, DEAD),
        (1, {"messaging_type": "MESSAGE_TAG", "tag": "POST_PURCHASE_UPDATE"}, DEAD),
        (1, {"messaging_type": "MESSAGE_TAG", "tag": "WEEKLY_SALE"}, (100, 0)),
        (1, {"messaging_type": "MESSAGE_TAG"}, (100, 0)),
        (1, {"messaging_type": "SPAM"}, (100, 0)),
        (1, {"messaging_type": "UTILITY"}, (100, 0)),
    ],
)
async def test_windows_and_tags(stage: Stage, hours: float, params: Json, expected: tuple[int, int]) -> None:
    stage.later(hours=hours)
    assert outcome(*await stage.send({"text": "Chào"}, **params)) == expected


async def test_unknown_and_unmet_people_are_no_users(stage: Stage) -> None:
    unmet = await stage.send({"text": "Chào"}, "minh")
    body = {"recipient": {"id": "1"}, "message": {"text": "Chào"}}
    unknown = await stage.graph("me/messages", body)
    assert (outcome(*unmet), outcome(*unknown)) == ((100, 2018001), (100, 2018001))


async def test_one_who_blocked_the_page_is_not_available(stage: Stage) -> None:
    await stage.post("/api/block", {"channel": "messenger", "person": "lan"})
    assert outcome(*await stage.send({"text": "Chào"})) == (551, 1545041)


async def test_another_page_or_no_recipient_is_refused(stage: Stage) -> None:
    lan = {"id": stage.contact("messenger").user_id}
    other = await stage.graph("999/messages", {"recipient": lan, "message": {"text": "Chào"}})
    nobody = await stage.graph("me/messages", {"message": {"text": "Chào"}})
    assert (outcome(*other), outcome(*nobody)) == ((100, 33), (100, 0))


async def test_the_token_may_stand_in_query_body_or_header(stage: Stage) -> None:
    token = stage.platform.config.messenger_page_token
    body = {"recipient": {"id": stage.contact("messenger").user_id}, "message": {"text": "Chào"}}
    page = stage.platform.config.messenger_page_id
    in_body = await stage.post(f"/graph/v21.0/{page}/messages", {**body, "access_token": token})
    in_header = await stage.post("/graph/v6.0/me/messages", body, Authorization=f"Bearer {token}")
    assert [in_body[0], in_header[0]] == [200, 200]
    assert all("access_token" not in call.request for call in stage.platform.journal)
    missing = await stage.post("/graph/v26.0/me/messages", body)
    wrong = await stage.post("/graph/v26.0/me/messages", {**body, "access_token": "EAAwrong"})
    assert (missing[1]["error"]["code"], wrong[1]["error"]["code"]) == (2500, 190)
    stage.platform.page_token_valid = False
    assert outcome(*await stage.send({"text": "Chào"})) == (190, 460)


async def test_a_proof_is_checked_and_may_be_required() -> None:
    async with playing(require_appsecret_proof=True) as stage:
        config = stage.platform.config
        without = await stage.send({"text": "Chào"})
        wrong = await stage.send({"text": "Chào"}, appsecret_proof="00")
        proof = appsecret_proof(config.messenger_app_secret, config.messenger_page_token)
        right = await stage.send({"text": "Chào"}, appsecret_proof=proof)
    assert (outcome(*without), outcome(*wrong), outcome(*right)) == ((100, 0), (100, 0), (0, 0))


async def test_form_bodies_carry_json_fields(stage: Stage) -> None:
    form = {
        "access_token": stage.platform.config.messenger_page_token,
        "recipient": json.dumps({"id": stage.contact("messenger").user_id}),
        "message": json.dumps({"text": "Chào {bạn}"}),
    }
    async with stage.http.post("/graph/v26.0/me/messages", data=form) as answer:
        assert answer.status == 200
    assert stage.platform.journal[0].request["message"] == {"text": "Chào {bạn}"}


async def test_a_file_can_come_with_the_call(stage: Stage) -> None:
    form = FormData()
    form.add_field("recipient", json.dumps({"id": stage.contact("messenger").user_id}))
    form.add_field("message", json.dumps(attached("image", is_reusable=True)))
    form.add_field("filedata", b"\xff\xd8\xff", filename="a.jpg", content_type="image/jpeg")
    params = {"access_token": stage.platform.config.messenger_page_token}
    async with stage.http.post("/graph/v26.0/me/messages", params=params, data=form) as answer:
        told = await answer.json()
    assert set(told) == {"recipient_id", "message_id", "attachment_id"}
    async with stage.http.get(stage.contact("messenger").lines[-1].media) as answer:
        assert await answer.read() == b"\xff\xd8\xff"


async def test_a_saved_attachment_lives_ninety_days(stage: Stage) -> None:
    message = attached("image", url="https://shop.example.vn/a.jpg", is_reusable=True)
    _, saved = await stage.graph("me/message_attachments", {"message": message})
    again = attached("image", attachment_id=saved["attachment_id"])
    assert outcome(*await stage.send(again)) == (0, 0)
    stage.later(days=91)
    await stage.say("messenger", text="Alo")
    assert outcome(*await stage.send(again)) == (100, 2018074)
    assert outcome(*await stage.send(attached("image", url="ftp://a"))) == (100, 2018008)


async def test_actions_are_journaled_and_never_mixed_with_messages(stage: Stage) -> None:
    lan = {"id": stage.contact("messenger").user_id}
    typing = await stage.graph("me/messages", {"recipient": lan, "sender_action": "typing_on"})
    assert typing == (200, {"recipient_id": lan["id"]})
    mixed = await stage.graph(
        "me/messages", {"recipient": lan, "sender_action": "typing_on", "message": {"text": "Chào"}}
    )
    dance = await stage.graph("me/messages", {"recipient": lan, "sender_action": "dance"})
    assert (outcome(*mixed), outcome(*dance)) == ((100, 2018014), (100, 0))


async def test_the_page_can_react_to_a_message(stage: Stage) -> None:
    said = await stage.say("messenger", text="Cảm ơn")
    payload = {"message_id": said["message_id"], "reaction": "😊"}
    body = {"recipient": {"id": stage.contact("messenger").user_id}, "sender_action": "react", "payload": payload}
    assert (await stage.graph("me/messages", body))[0] == 200
    assert stage.contact("messenger").lines[-1].reaction == "😊"
    await stage.graph("me/messages", {**body, "sender_action": "unreact"})
    assert stage.contact("messenger").lines[-1].reaction == ""


async def test_a_utility_template_goes_out_at_any_time_once_it_is_approved(stage: Stage) -> None:
    stage.later(days=60)
    parts = [{"type": "BODY", "text": "Đơn của bạn {{1}} nhé.", "example": {"body_text": [["đã giao"]]}}]
    sent = {
        "template": {
            "name": "order_update", "language": {"code": "vi"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "đã giao"}]}],
        }
    }  # fmt: skip
    assert outcome(*await stage.send(sent, messaging_type="UTILITY")) == (100, 0)
    new = {"name": "order_update", "language": "vi", "category": "UTILITY", "components": parts}
    _, made = await stage.graph("me/message_templates", new)
    assert made["status"] == "APPROVED"
    assert outcome(*await stage.send(sent, messaging_type="UTILITY")) == (0, 0)
    assert stage.contact("messenger").lines[-1].text == "Đơn của bạn đã giao nhé."
    assert outcome(*await stage.send(sent)) == (100, 0)


@pytest.mark.parametrize(
    ("part", "subcode"),
    [
        ({"type": "BODY", "text": "{{1}} là đơn của bạn", "example": {}}, 0),
        ({"type": "BODY", "text": "Đơn của bạn {{1}}", "example": {"a": 1}}, 0),
        ({"type": "BODY", "text": "Đơn {{1}} đã giao"}, 0),
        ({"type": "BODY", "text": "Đơn đã giao", "buttons": [{"type": "QUICK_REPLY"}]}, 2018416),
    ],
)
async def test_an_unfit_utility_template_is_refused(stage: Stage, part: Json, subcode: int) -> None:
    new = {"name": "order_update", "language": "vi", "category": "UTILITY", "components": [part]}
    assert outcome(*await stage.graph("me/message_templates", new)) == (100, subcode)


async def test_the_rate_of_a_second_is_kept() -> None:
    async with playing(messenger_per_second=1) as stage:
        first, second = await stage.send({"text": "Một"}), await stage.send({"text": "Hai"})
        stage.later(seconds=1)
        third = await stage.send({"text": "Ba"})
    assert [outcome(*first)[0], outcome(*second)[0], outcome(*third)[0]] == [0, 80006, 0]


async def test_usage_headers_come_with_every_answer(stage: Stage) -> None:
    params = {"access_token": stage.platform.config.messenger_page_token}
    async with stage.http.get("/graph/v26.0/me", params=params) as answer:
        assert set(json.loads(answer.headers["X-App-Usage"])) == {"call_count", "total_time", "total_cputime"}
        (use,) = json.loads(answer.headers["X-Business-Use-Case-Usage"])[stage.platform.config.messenger_page_id]
    assert use["type"] == "messenger"


async def test_a_comment_gets_one_private_reply_within_a_week_and_tells_whom_it_reached(stage: Stage) -> None:
    stage.platform.page.fields.add("feed")
    _, said = await stage.post("/api/comment", {"person": "lan", "text": "Giá bao nhiêu?"})
    told = stage.heard[-1].body["entry"][0]["changes"][0]["value"]
    assert (told["item"], told["verb"], told["comment_id"]) == ("comment", "add", said["message_id"])
    assert told["from"]["id"] != stage.contact("messenger").user_id
    reply = {"recipient": {"comment_id": told["comment_id"]}, "message": {"text": "199.000 ₫ ạ"}}
    status, answer = await stage.graph("me/messages", reply)
    assert (status, answer["recipient_id"]) == (200, stage.contact("messenger").user_id)
    assert stage.contact("messenger").lines[-1].text == "199.000 ₫ ạ"
    assert outcome(*await stage.graph("me/messages", reply))[0] == 10900
    _, late = await stage.post("/api/comment", {"person": "minh", "text": "Còn không?"})
    stage.later(days=8)
    reply["recipient"]["comment_id"] = late["message_id"]
    assert outcome(*await stage.graph("me/messages", reply)) == (10, 2018278)
    reply["recipient"]["comment_id"] = "1_2"
    assert outcome(*await stage.graph("me/messages", reply)) == (100, 33)


@pytest.mark.parametrize("raw", [b"[1]", b"{", b"[" * 100_000, b"\xff"])
async def test_a_broken_body_is_a_bad_parameter(stage: Stage, raw: bytes) -> None:
    params = {"access_token": stage.platform.config.messenger_page_token}
    headers = {"Content-Type": "application/json"}
    async with stage.http.post("/graph/v26.0/me/messages", params=params, data=raw, headers=headers) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, 100)
