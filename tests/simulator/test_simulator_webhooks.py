"""What the bot hears: every kind of webhook in the platform's shape, in order, and again when it was not taken."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.simulator.stage import Json, Stage, playing

AT = "1795150800000"


async def zalo_event(stage: Stage, **what: Any) -> Json:
    await stage.say("zalo", **what)
    return stage.heard[-1].body


async def messenger_event(stage: Stage, **what: Any) -> Json:
    await stage.say("messenger", **what)
    return stage.heard[-1].event


async def test_a_zalo_text(stage: Stage) -> None:
    said = await stage.say("zalo", text="Xin chào")
    config = stage.platform.config
    (webhook,) = stage.heard
    assert webhook.path == "/webhooks/zalo"
    assert webhook.headers["Content-Type"] == "application/json"
    body = webhook.body
    assert body.pop("user_id_by_app").isdigit()
    assert body == {
        "app_id": config.zalo_app_id,
        "sender": {"id": stage.contact("zalo").user_id},
        "recipient": {"id": config.zalo_oa_id},
        "event_name": "user_send_text",
        "message": {"text": "Xin chào", "msg_id": said["message_id"]},
        "timestamp": AT,
    }


async def test_a_messenger_text(stage: Stage) -> None:
    said = await stage.say("messenger", text="Xin chào")
    page = stage.platform.config.messenger_page_id
    (webhook,) = stage.heard
    assert webhook.path == "/webhooks/messenger"
    event = {
        "sender": {"id": stage.contact("messenger").user_id},
        "recipient": {"id": page},
        "timestamp": int(AT),
        "message": {"mid": said["message_id"], "text": "Xin chào"},
    }
    assert webhook.body == {"object": "page", "entry": [{"id": page, "time": int(AT), "messaging": [event]}]}


@pytest.mark.parametrize(
    ("what", "event", "payload"),
    [
        ({"image": "https://a.vn/a.jpg"}, "user_send_image", {"url", "thumbnail"}),
        ({"gif": "https://a.vn/a.gif"}, "user_send_gif", {"url", "thumbnail"}),
        ({"audio": "https://a.vn/a.amr"}, "user_send_audio", {"url"}),
        ({"video": "https://a.vn/a.mp4"}, "user_send_video", {"url", "thumbnail", "description"}),
        ({"file": "https://a.vn/a.pdf"}, "user_send_file", {"url", "size", "name", "checksum", "type"}),
        ({"sticker": True}, "user_send_sticker", {"url", "id"}),
        ({"location": {"latitude": 10.5, "longitude": 106.5}}, "user_send_location", {"coordinates"}),
    ],
)
async def test_zalo_media(stage: Stage, what: Json, event: str, payload: set[str]) -> None:
    body = await zalo_event(stage, **what)
    (attachment,) = body["message"]["attachments"]
    assert body["event_name"] == event
    assert attachment["type"] == event.removeprefix("user_send_")
    assert set(attachment["payload"]) == payload


@pytest.mark.parametrize(
    ("what", "kind", "payload"),
    [
        ({"image": "https://a.vn/a.jpg"}, "image", {"url"}),
        ({"gif": "https://a.vn/a.gif"}, "image", {"url"}),
        ({"audio": "https://a.vn/a.mp4"}, "audio", {"url"}),
        ({"file": "https://a.vn/a.pdf"}, "file", {"url"}),
        ({"sticker": True}, "sticker", {"url", "sticker_id"}),
        ({"location": True}, "location", {"coordinates"}),
    ],
)
async def test_messenger_media(stage: Stage, what: Json, kind: str, payload: set[str]) -> None:
    (attachment,) = (await messenger_event(stage, **what))["message"]["attachments"]
    assert (attachment["type"], set(attachment["payload"])) == (kind, payload)


async def test_a_picture_of_the_page_can_be_fetched_by_the_bot(stage: Stage) -> None:
    body = await zalo_event(stage, image="data:image/png;base64,iVBORw0KGgo=")
    async with stage.http.get(body["message"]["attachments"][0]["payload"]["url"]) as answer:
        assert await answer.read() == b"\x89PNG\r\n\x1a\n"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_zalo_button_comes_back_as_text(stage: Stage) -> None:
    button = {"title": "Xem điểm", "type": "oa.query.show", "payload": "#diem"}
    await stage.consult({"text": "Chọn:", "attachment": {"type": "template", "payload": {"buttons": [button]}}})
    by_title = await zalo_event(stage, button="Xem điểm")
    by_payload = await zalo_event(stage, button="#diem")
    for body in (by_title, by_payload):
        assert (body["event_name"], body["message"]["text"]) == ("user_send_text", "#diem")


@pytest.mark.parametrize(("kind", "shown"), [("oa.query.show", ["#diem"]), ("oa.query.hide", [])])
async def test_the_chat_shows_what_a_zalo_button_sends_unless_it_is_hidden(
    stage: Stage, kind: str, shown: list[str]
) -> None:
    button = {"title": "Xem điểm", "type": kind, "payload": "#diem"}
    await stage.consult({"text": "Chọn:", "attachment": {"type": "template", "payload": {"buttons": [button]}}})
    body = await zalo_event(stage, button="Xem điểm")
    assert (body["event_name"], body["message"]["text"]) == ("user_send_text", "#diem")
    assert [line.text for line in stage.contact("zalo").lines if line.side == "person"] == shown


async def test_a_link_tells_the_bot_nothing(stage: Stage) -> None:
    button = {"title": "Web", "type": "oa.open.url", "payload": {"url": "https://example.vn"}}
    await stage.consult({"text": "Chọn:", "attachment": {"type": "template", "payload": {"buttons": [button]}}})
    said = await stage.say("zalo", button="Web")
    assert (said["ok"], said["status"], said["opened"]) == (True, None, "https://example.vn")
    assert stage.heard == []


async def test_a_messenger_button_comes_back_as_postback(stage: Stage) -> None:
    button = {"type": "postback", "title": "Gặp nhân viên", "payload": "HELP"}
    payload = {"template_type": "button", "text": "Chọn:", "buttons": [button]}
    await stage.send({"attachment": {"type": "template", "payload": payload}})
    postback = (await messenger_event(stage, button="Gặp nhân viên"))["postback"]
    assert postback.pop("mid").startswith("m_")
    assert postback == {"title": "Gặp nhân viên", "payload": "HELP"}


async def test_a_quick_reply_comes_back_as_message_and_vanishes(stage: Stage) -> None:
    reply = {"content_type": "text", "title": "Size M", "payload": "PICK_M"}
    await stage.send({"text": "Size?", "quick_replies": [reply]})
    message = (await messenger_event(stage, button="Size M"))["message"]
    assert (message["text"], message["quick_reply"]) == ("Size M", {"payload": "PICK_M"})
    status, answer = await stage.post("/api/say", {"channel": "messenger", "person": "lan", "button": "Size M"})
    assert (status, answer["ok"]) == (400, False)


async def test_a_phone_is_shared_by_zalos_form(stage: Stage) -> None:
    card = {"title": "Tiệm", "subtitle": "Chia sẻ nhé", "image_url": "https://a.vn/a.png"}
    payload = {"template_type": "request_user_info", "elements": [card]}
    await stage.consult({"attachment": {"type": "template", "payload": payload}})
    body = await zalo_event(stage, button="Chia sẻ thông tin")
    assert body["event_name"] == "user_submit_info"
    assert (body["info"]["name"], body["info"]["phone"]) == ("Nguyễn Thị Lan", "84901234501")
    assert set(body["info"]["full_address"]) == {"user_city", "user_ward", "user_address"}


async def test_a_phone_is_shared_by_messengers_quick_reply(stage: Stage) -> None:
    await stage.send({"text": "Số của bạn?", "quick_replies": [{"content_type": "user_phone_number"}]})
    message = (await messenger_event(stage, phone=True))["message"]
    assert message["text"] == message["quick_reply"]["payload"] == "+84901234501"


async def test_following_and_unfollowing_zalo(stage: Stage) -> None:
    for path in ("/api/follow", "/api/unfollow"):
        await stage.post(path, {"channel": "zalo", "person": "minh"})
    follow, unfollow = (webhook.body for webhook in stage.heard)
    assert (follow["event_name"], unfollow["event_name"]) == ("follow", "unfollow")
    assert follow["follower"] == {"id": stage.contact("zalo", "minh").user_id}
    assert follow["oa_id"] == stage.platform.config.zalo_oa_id
    assert stage.contact("zalo", "minh").following is False


async def test_get_started_may_carry_the_ref_of_a_link(stage: Stage) -> None:
    await stage.post("/api/follow", {"channel": "messenger", "person": "minh", "ref": "qr_store_01"})
    postback = stage.heard[0].event["postback"]
    assert postback["payload"] == "GET_STARTED"
    assert postback["referral"] == {"ref": "qr_store_01", "source": "SHORTLINK", "type": "OPEN_THREAD"}


async def test_sends_are_echoed_and_delivered_in_order() -> None:
    async with playing(echoes=True, receipts=True) as stage:
        sent = (await stage.consult({"text": "Dạ"}))["data"]["message_id"]
        _, told = await stage.send({"text": "Dạ", "metadata": "outbox:1"})
        heard = await stage.quiet()
    zalo = [webhook.body for webhook in heard if webhook.path.endswith("zalo")]
    assert [body["event_name"] for body in zalo] == ["oa_send_text", "user_received_message"]
    assert zalo[0]["message"] == {"text": "Dạ", "msg_id": sent}
    assert "admin_id" not in zalo[0]["sender"]
    assert zalo[1]["message"] == {"msg_id": sent}
    echo, delivery = (webhook.event for webhook in heard if webhook.path.endswith("messenger"))
    assert echo["message"] == {
        "is_echo": True,
        "app_id": int(stage.platform.config.messenger_app_id),
        "mid": told["message_id"],
        "text": "Dạ",
        "metadata": "outbox:1",
    }
    assert echo["recipient"] == {"id": stage.contact("messenger").user_id}
    assert delivery["delivery"] == {"mids": [told["message_id"]], "watermark": int(AT)}


async def test_looking_at_the_chat_tells_what_was_seen() -> None:
    async with playing(receipts=True) as stage:
        first = (await stage.consult({"text": "Một"}))["data"]["message_id"]
        second = (await stage.consult({"text": "Hai"}))["data"]["message_id"]
        await stage.send({"text": "Ba"})
        for channel in ("zalo", "messenger"):
            await stage.post("/api/seen", {"channel": channel, "person": "lan"})
            await stage.post("/api/seen", {"channel": channel, "person": "lan"})
        heard = await stage.quiet()
    seen = [w.body for w in heard if w.path.endswith("zalo") and w.body["event_name"] == "user_seen_message"]
    assert [body["message"] for body in seen] == [{"msg_ids": [first, second]}]
    reads = [w.event["read"] for w in heard if w.path.endswith("messenger") and "read" in w.event]
    assert reads == [{"watermark": int(AT)}]


async def test_a_human_answer_on_zalo_names_the_admin(stage: Stage) -> None:
    said = await stage.post("/api/staff-says", {"channel": "zalo", "person": "lan", "text": "Em Thảo đây ạ"})
    (webhook,) = stage.heard
    assert webhook.body["event_name"] == "oa_send_text"
    assert webhook.body["sender"]["admin_id"].isdigit()
    assert webhook.body["message"] == {"text": "Em Thảo đây ạ", "msg_id": said[1]["message_id"]}


async def test_edits_unsends_and_reactions_on_messenger(stage: Stage) -> None:
    said = await stage.say("messenger", text="Size M")
    lan = {"channel": "messenger", "person": "lan"}
    _, sent = await stage.send({"text": "Dạ"})
    await stage.post("/api/edit", {**lan, "text": "Size L"})
    await stage.post("/api/react", {**lan, "icon": "love"})
    await stage.post("/api/react", {**lan, "icon": ""})
    await stage.post("/api/unsend", lan)
    edit, love, unlove, unsend = (webhook.event for webhook in stage.heard[1:])
    assert edit["message_edit"] == {"mid": said["message_id"], "text": "Size L", "num_edit": 1}
    assert love["reaction"] == {"reaction": "love", "emoji": "❤️", "action": "react", "mid": sent["message_id"]}
    assert unlove["reaction"]["action"] == "unreact"
    assert unsend["message"] == {"mid": said["message_id"], "is_deleted": True}


async def test_zalo_tells_of_reactions_but_not_of_edits(stage: Stage) -> None:
    sent = (await stage.consult({"text": "Dạ"}))["data"]["message_id"]
    lan = {"channel": "zalo", "person": "lan"}
    await stage.post("/api/react", {**lan, "icon": "/-heart"})
    (webhook,) = stage.heard
    assert webhook.body["event_name"] == "user_reacted_message"
    assert webhook.body["message"] == {"msg_id": sent, "react_icon": "/-heart"}
    status, answer = await stage.post("/api/edit", {**lan, "text": "x"})
    assert (status, answer["error"]) == (400, "channel: Zalo has no such event")


async def test_a_request_for_erasure_and_any_other_event_are_signed_too(stage: Stage) -> None:
    await stage.post("/api/withdraw", {"person": "lan"})
    body = {"event_name": "change_oa_daily_quota", "oaId": "1", "timestamp": AT}
    await stage.post("/api/webhook", {"channel": "zalo", "body": body})
    withdraw, quota = stage.heard
    assert withdraw.body["event_name"] == "user_withdraw"
    assert quota.body == body
    assert quota.headers["X-ZEvent-Signature"].startswith("mac=")


async def test_a_webhook_that_was_not_taken_comes_again_unchanged(stage: Stage) -> None:
    stage.answers[:] = [500, 503]
    said = await stage.say("zalo", text="Alo")
    assert (said["ok"], said["status"]) == (False, 500)
    heard = await stage.quiet()
    assert len(heard) == 3
    assert len({webhook.raw for webhook in heard}) == 1
    assert [webhook.headers.get("num_retry") for webhook in heard] == [None, "1", "2"]
    assert (stage.platform.courier.tally.delivered, stage.platform.courier.tally.failed) == (1, 2)
    assert stage.contact("zalo").lines[-1].tick == "delivered"


async def test_the_ladder_ends(stage: Stage) -> None:
    stage.answers[:] = [500] * 10
    await stage.say("messenger", text="Alo")
    assert len(await stage.quiet()) == 4
    tally = stage.platform.courier.tally
    assert (tally.given_up, tally.waiting, tally.delivered) == (1, 0, 0)


async def test_without_retries_a_webhook_is_posted_once() -> None:
    async with playing(retries=False) as stage:
        stage.answers[:] = [500]
        await stage.say("zalo", text="Alo")
        assert len(await stage.quiet()) == 1


async def test_no_bot_is_told_in_words_and_webhooks_wait_for_it() -> None:
    async with playing(retry_ladder_s=(0.05,)) as stage:
        url = stage.platform.courier.bot_url
        stage.platform.set_bot_url("http://127.0.0.1:9")
        said = await stage.say("zalo", text="Alo")
        assert (said["ok"], said["status"]) == (False, None)
        assert (await stage.get("/api/state"))[1]["bot_is_up"] is False
        stage.platform.set_bot_url(url)
        assert len(await stage.quiet()) == 1
        assert (await stage.get("/api/state"))[1]["bot_is_up"] is True


async def test_a_bot_that_does_not_answer_in_time_counts_as_silent() -> None:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with (
        playing(zalo_answer_s=0.05, retries=False) as stage,
        await asyncio.start_server(listen, "127.0.0.1", 0) as silent,
    ):
        port = silent.sockets[0].getsockname()[1]
        stage.platform.set_bot_url(f"http://127.0.0.1:{port}")
        assert (await stage.say("zalo", text="Alo"))["status"] is None
