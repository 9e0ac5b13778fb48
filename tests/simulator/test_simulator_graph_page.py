"""Messenger beside sending: profiles, subscriptions, the Page's own profile, threads, conversations."""

from __future__ import annotations

from tests.simulator.stage import Stage, playing

INBOX = 263902037430900


async def test_a_profile_has_the_asked_fields_only(stage: Stage) -> None:
    psid = stage.contact("messenger").user_id
    _, answer = await stage.graph_get(psid, fields="first_name,last_name,profile_pic,shoe_size")
    picture = answer.pop("profile_pic")
    assert answer == {"first_name": "Lan", "last_name": "Nguyễn Thị", "id": psid}
    async with stage.http.get(picture) as drawn:
        assert drawn.content_type == "image/svg+xml"
    status, answer = await stage.graph_get("1")
    assert (status, answer["error"]["error_subcode"]) == (400, 2018001)


async def test_subscribing_replaces_the_fields_and_decides_what_is_told(stage: Stage) -> None:
    _, before = await stage.graph_get("me/subscribed_apps")
    assert "messages" in before["data"][0]["subscribed_fields"]
    page = stage.platform.config.messenger_page_id
    done = await stage.graph(f"{page}/subscribed_apps", {"subscribed_fields": "messaging_postbacks"})
    assert done == (200, {"success": True})
    _, after = await stage.graph_get("me/subscribed_apps")
    assert after["data"][0]["subscribed_fields"] == ["messaging_postbacks"]
    said = await stage.say("messenger", text="Có ai không?")
    assert (said["ok"], said["status"]) == (True, None)
    await stage.say("messenger", button="HELP")
    assert [webhook.event["postback"]["payload"] for webhook in stage.heard] == ["HELP"]
    status, _ = await stage.graph("me/subscribed_apps", {"subscribed_fields": "gossip"})
    assert status == 400
    await stage.graph("me/subscribed_apps", None, "DELETE")
    assert (await stage.graph_get("me/subscribed_apps"))[1] == {"data": []}


async def test_the_menu_needs_a_get_started_button(stage: Stage) -> None:
    item = {"type": "postback", "title": "Gặp nhân viên", "payload": "HELP"}
    menu = {"persistent_menu": [{"locale": "default", "call_to_actions": [item]}]}
    status, answer = await stage.graph("me/messenger_profile", menu)
    assert (status, answer["error"]["code"]) == (400, 100)
    done = await stage.graph("me/messenger_profile", {"get_started": {"payload": "START"}, **menu})
    assert done == (200, {"result": "success"})
    _, read = await stage.graph_get("me/messenger_profile", fields="get_started")
    assert read == {"data": [{"get_started": {"payload": "START"}}]}
    await stage.say("messenger", button="Gặp nhân viên")
    await stage.post("/api/follow", {"channel": "messenger", "person": "lan"})
    assert [webhook.event["postback"]["payload"] for webhook in stage.heard] == ["HELP", "START"]
    await stage.graph("me/messenger_profile", {"fields": ["persistent_menu"]}, "DELETE")
    assert stage.platform.page.profile == {"get_started": {"payload": "START"}}


async def test_a_token_is_explained_to_the_app_only(stage: Stage) -> None:
    config = stage.platform.config
    app_token = f"{config.messenger_app_id}|{config.messenger_app_secret}"
    ask = {"input_token": config.messenger_page_token, "access_token": app_token}
    _, good = await stage.get("/graph/v26.0/debug_token", ask)
    _, bad = await stage.get("/graph/v26.0/debug_token", {**ask, "input_token": "x"})
    assert (good["data"]["is_valid"], good["data"]["expires_at"]) == (True, 0)
    assert bad["data"]["is_valid"] is False


async def test_only_the_last_twenty_messages_can_be_read(stage: Stage) -> None:
    first = await stage.say("messenger", text="tin 0")
    for number in range(1, 22):
        await stage.say("messenger", text=f"tin {number}")
    _, listed = await stage.graph_get("me/conversations", fields="participants,messages{id,message},is_owner")
    (thread,) = listed["data"]
    assert [entry["message"] for entry in thread["messages"]["data"]][:2] == ["tin 21", "tin 20"]
    assert len(thread["messages"]["data"]) == 20
    assert thread["participants"]["data"][0]["name"] == "Nguyễn Thị Lan"
    assert (await stage.graph_get(thread["id"], fields="messages"))[1]["messages"]["data"]
    _, old = await stage.graph_get(first["message_id"])
    assert old["error"]["code"] == 9000001
    newest = thread["messages"]["data"][0]["id"]
    assert (await stage.graph_get(newest))[1]["message"] == "tin 21"


async def test_the_inbox_takes_a_thread_and_the_bot_gets_it_back() -> None:
    async with playing(inbox_takes_threads=True) as stage:
        lan = {"id": stage.contact("messenger").user_id}
        await stage.post("/api/staff-says", {"channel": "messenger", "person": "lan", "text": "Mình là Thảo"})
        status, answer = await stage.send({"text": "Chào"})
        assert (status, answer["error"]["error_subcode"]) == (403, 2018300)
        _, owner = await stage.graph_get("me/thread_owner", recipient=lan["id"])
        assert owner["data"][0]["thread_owner"]["app_id"] == INBOX
        await stage.say("messenger", text="Cảm ơn Thảo")
        assert "standby" in stage.heard[-1].body["entry"][0]
        await stage.say("messenger", button="HELP")
        assert "payload" not in stage.heard[-1].event["postback"]
        done = await stage.graph("me/take_thread_control", {"recipient": lan})
        assert done == (200, {"success": True})
        assert (await stage.send({"text": "Chào"}))[0] == 200
    took = next(webhook.event for webhook in stage.heard if "take_thread_control" in webhook.event)
    assert took["take_thread_control"]["new_owner_app_id"] == INBOX


async def test_by_default_staff_and_bot_may_both_answer(stage: Stage) -> None:
    await stage.post("/api/staff-says", {"channel": "messenger", "person": "lan", "text": "Mình là Thảo"})
    assert (await stage.send({"text": "Chào"}))[0] == 200
    (echo,) = stage.heard
    assert echo.event["message"]["app_id"] == INBOX
    assert echo.event["message"]["text"] == "Mình là Thảo"


async def test_passing_a_thread_to_the_inbox_closes_it_for_the_bot(stage: Stage) -> None:
    lan = {"id": stage.contact("messenger").user_id}
    stranger = await stage.graph("me/pass_thread_control", {"recipient": lan, "target_app_id": "1"})
    assert stranger[0] == 400
    await stage.graph("me/pass_thread_control", {"recipient": lan, "target_app_id": INBOX})
    assert (await stage.send({"text": "Chào"}))[1]["error"]["error_subcode"] == 2018300
    await stage.post("/api/thread", {"person": "lan", "owner": "bot"})
    assert stage.heard[-1].event["pass_thread_control"]["previous_owner_app_id"] == INBOX
    assert (await stage.send({"text": "Chào"}))[0] == 200


async def test_a_send_can_pass_the_thread_with_it(stage: Stage) -> None:
    control = {"control_type": "pass", "app_id": str(INBOX)}
    assert (await stage.send({"text": "Mình chuyển bạn cho nhân viên nhé"}, thread_control=control))[0] == 200
    assert (await stage.send({"text": "Chào"}))[0] == 403


async def test_a_thread_quiet_for_a_day_belongs_to_nobody(stage: Stage) -> None:
    lan = stage.contact("messenger")
    await stage.post("/api/thread", {"person": "lan", "owner": "inbox"})
    stage.later(days=2)
    assert (await stage.graph_get("me/thread_owner", recipient=lan.user_id))[1] == {"data": []}
    await stage.say("messenger", text="Shop ơi")
    assert (await stage.send({"text": "Chào"}))[0] == 200


async def test_personas_are_made_and_listed(stage: Stage) -> None:
    new = {"name": "Thảo", "profile_picture_url": "https://shop.example.vn/t.jpg"}
    _, made = await stage.graph("me/personas", new)
    _, listed = await stage.graph_get("me/personas")
    assert [entry["id"] for entry in listed["data"]] == [made["id"]]
    assert (await stage.graph("me/personas", {"name": "a" * 51, "profile_picture_url": ""}))[0] == 400
