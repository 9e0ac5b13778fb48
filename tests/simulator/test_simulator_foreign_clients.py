"""The simulator against client libraries that others wrote for the real platforms: all that these can do with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from facebook_business import api
from facebook_business.adobjects.page import Page
from facebook_business.adobjects.unifiedthread import UnifiedThread
from facebook_business.adobjects.user import User
from facebook_business.exceptions import FacebookRequestError
from zalo_sdk import ZaloException, ZaloOAAuthTokenExpiredException, ZaloOAException, oa, zns

from simulator.media import SAMPLE_PHOTO
from simulator.tokens import challenge_of
from tests.simulator.stage import Stage, playing

pytestmark = pytest.mark.conformance

DATA = {"customer_name": "Lan", "order_code": "DH-1"}


def url(stage: Stage, path: str) -> str:
    return str(stage.http._base_url).rstrip("/") + path


async def within(call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """A call of a client that waits for its answer, on a thread of its own."""
    return await asyncio.to_thread(call, *arguments, **named)


# --- zalo-sdk ------------------------------------------------------------------------------------------------------


def zalo(stage: Stage) -> oa.Client:
    """A client with the living pair of tokens."""
    config, tokens = stage.platform.config, stage.platform.zalo_tokens
    return oa.Client(
        config.zalo_app_id,
        config.zalo_app_secret,
        access_token=tokens.access,
        refresh_token=tokens.refresh,
        endpoint_prefix=url(stage, "/zalo"),
    )


def business(stage: Stage) -> zns.Client:
    token = stage.platform.zalo_tokens.access
    return zns.Client("", "", access_token=token, endpoint_prefix=url(stage, "/zalo-business"))


def lan(stage: Stage) -> oa.ZaloRecipient:
    return oa.ZaloRecipient(user_id=stage.contact("zalo").user_id)


async def refusal(call: Callable[..., Any], *arguments: Any, **named: Any) -> int:
    """The code with which a call is refused."""
    with pytest.raises(ZaloException) as refused:
        await within(call, *arguments, **named)
    code: int = refused.value._code
    return code


@pytest.fixture
def oauth(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client knows one OAuth host; its calls to it reach the simulator's."""
    post = requests.post

    def elsewhere(address: str, **content: Any) -> requests.Response:
        return post(address.replace("https://oauth.zaloapp.com", url(stage, "/zalo-oauth")), **content)

    monkeypatch.setattr(requests, "post", elsewhere)


async def test_zalo_sdk_sends_uploads_reads_and_tags(stage: Stage) -> None:
    client, recipient = zalo(stage), lan(stage)
    user_id = recipient.user_id

    def use() -> list[Any]:
        sent = client.send_message(recipient, oa.ZaloMessageBody(text="Chào"))
        uploaded = client.upload_file(b"%PDF", "file", "a.pdf", "application/pdf")
        file = oa.ZaloAttachment("file", {"token": uploaded["data"]["token"]})
        client.send_message(recipient, oa.ZaloMessageBody(attachment=file))
        action = oa.ZaloAction("/-heart", sent["data"]["message_id"])
        client.send_message(recipient, action=action, category="action")
        client.tag_follower(user_id, "VIP")
        detail = client.get_user_detail(user_id)
        quotas = client.get_zalo_oa_quotas("App", "cs", "sub_quota")
        users = client.get_list({"offset": 0, "count": 10})
        return [sent, detail, quotas, users, client.get_tags_of_oa()]

    sent, detail, quotas, users, tags = await within(use)
    assert sent["data"]["quota"] == {"quota_type": "reply"}
    assert detail["data"]["display_name"] == "Nguyễn Thị Lan"
    assert quotas["data"][0]["remain"] == 500
    assert users["data"]["users"] == [{"user_id": user_id}]
    assert tags["data"] == ["VIP"]
    await within(client.rm_follower_from_tag, user_id, "VIP")
    assert (await within(client.get_tags_of_oa))["data"] == []
    await within(client.tag_follower, user_id, "VIP")
    await within(client.rm_tag, "VIP")
    assert (await within(client.get_tags_of_oa))["data"] == []
    window = await within(client.get_zalo_user_quotas, user_id)
    assert int(window["data"]["last_interaction"]) > 0


async def test_zalo_sdk_sends_every_kind_of_message(stage: Stage) -> None:
    client, recipient = zalo(stage), lan(stage)
    first = await within(client.send_message, recipient, oa.ZaloMessageBody(text="Chào"))
    photo = await within(client.upload_file, SAMPLE_PHOTO.read_bytes(), "image", "a.jpg", "image/jpeg")
    image = {"media_type": "image", "attachment_id": photo["data"]["attachment_id"]}
    press = {"title": "Xem", "type": "oa.query.show", "payload": "xem"}
    form = {"title": "Tên bạn", "subtitle": "Cho shop biết nhé", "image_url": "https://shop.example.vn/b.png"}
    row = {"title": "Áo", "subtitle": "Lụa", "image_url": "https://shop.example.vn/a.jpg"}
    payloads = [
        {"template_type": "media", "elements": [image]},
        {"template_type": "media", "elements": [{"media_type": "sticker", "attachment_id": "2100"}]},
        {"template_type": "request_user_info", "elements": [form]},
        {"template_type": "list", "elements": [row], "buttons": [press]},
        {"buttons": [press]},
    ]
    quoting = oa.ZaloMessageBody(text="Dạ", quote_message_id=first["data"]["message_id"])
    bodies = [quoting, *(oa.ZaloMessageBody(text="Mời", attachment=oa.ZaloAttachment("template", p)) for p in payloads)]
    for body in bodies:
        await within(client.send_message, recipient, body)
    kinds = [call.kind for call in stage.platform.journal if call.message_id]
    assert kinds == ["text", "text", "image", "sticker", "request_user_info", "list", "buttons"]


async def test_zalo_sdk_reads_every_refusal_as_a_code_that_it_knows(stage: Stage) -> None:
    client, recipient = zalo(stage), lan(stage)
    hello = oa.ZaloMessageBody(text="Chào")
    assert await refusal(client.send_message, recipient, oa.ZaloMessageBody(text="a" * 2001)) == -210
    assert await refusal(client.send_message, oa.ZaloRecipient(user_id="9"), hello) == -201
    assert await refusal(client.send_message, recipient, hello, category="transaction") == -240
    assert await refusal(client.send_message, recipient, hello, category="media") == -240
    assert await refusal(client.get_profile, recipient.user_id) == -240
    assert await refusal(client.get_followers, {"offset": 0, "count": 5}) == -240
    stage.contact("zalo").blocked = True
    assert await refusal(client.send_message, recipient, hello) == -244
    stage.contact("zalo").blocked = False
    stage.platform.zalo_package = "expired"
    assert await refusal(client.get_tags_of_oa) == -224
    stage.platform.zalo_package = "growth"
    client.access_token = "wrong"
    assert await refusal(client.get_tags_of_oa) == -216
    stage.later(days=8)
    client.access_token = stage.token()
    assert await refusal(client.send_message, recipient, hello) == -230
    known = ZaloOAException.ERROR_CODE_TO_STR
    assert {-210, -201, -224, -216, -230} <= set(known)


async def test_zalo_sdk_meets_the_limit_of_calls_in_a_minute() -> None:
    async with playing(zalo_per_minute=2) as stage:
        client = zalo(stage)
        for _ in range(2):
            await within(client.get_tags_of_oa)
        assert await refusal(client.get_tags_of_oa) == -32
        stage.later(minutes=1)
        await within(client.get_tags_of_oa)


@pytest.mark.usefixtures("oauth")
async def test_zalo_sdk_renews_its_tokens_once(stage: Stage) -> None:
    client = zalo(stage)
    former = client.refresh_token
    stage.later(hours=26)
    with pytest.raises(ZaloOAAuthTokenExpiredException):
        await within(client.get_tags_of_oa)
    access, refresh, _ = await within(client.refresh_acccess_token)
    assert (access, refresh) == (stage.platform.zalo_tokens.access, stage.platform.zalo_tokens.refresh)
    await within(client.get_tags_of_oa)
    client.refresh_token = former
    assert await refusal(client.refresh_acccess_token) == -14020


@pytest.mark.usefixtures("oauth")
async def test_zalo_sdk_trades_a_code_with_its_verifier(stage: Stage) -> None:
    client, verifier = zalo(stage), "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
    asked = client.request_authoriation_code_url("https://shop.example.vn/back", challenge_of(verifier), "s1")
    address = asked.replace("https://oauth.zaloapp.com", url(stage, "/zalo-oauth"))
    answer = await within(requests.get, address, allow_redirects=False)
    back = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (back["state"], back["oa_id"]) == (["s1"], [stage.platform.config.zalo_oa_id])
    await within(client.get_access_token_from_authorization_code, back["code"][0], verifier)
    assert client.access_token == stage.platform.zalo_tokens.access
    assert await refusal(client.get_access_token_from_authorization_code, back["code"][0], verifier) < -14000


async def test_zalo_sdk_sends_a_template_to_a_phone(stage: Stage) -> None:
    client = business(stage)
    sent = await within(client.send_zns_message, "84901234501", "123456", DATA, "order-1")
    listed = await within(client.get_template_list, 0, 10)
    assert sent["data"]["quota"]["remainingQuota"] == "499"
    assert [template["templateName"] for template in listed["data"]] == ["Xác nhận đơn hàng", "Mã xác thực"]
    assert (await within(client.get_template_list, 0, 10, zns.ZNSTemplateStatus.Reject))["data"] == []


async def test_zalo_sdk_reads_the_refusals_of_templates(stage: Stage) -> None:
    client = business(stage)
    assert await refusal(client.send_zns_message, "12", "123456", DATA) == -108
    assert await refusal(client.send_zns_message, "84901234501", "9", DATA) == -109
    assert await refusal(client.send_zns_message, "84901234501", "123456", {}) == -1122
    stage.platform.zbs_quota_left = 0
    assert await refusal(client.send_zns_message, "84901234501", "123456", DATA) == -115
    stage.later(hours=26)
    with pytest.raises(ZaloOAAuthTokenExpiredException):
        await within(client.get_template_list, 0, 10)


# --- facebook-business ---------------------------------------------------------------------------------------------


@pytest.fixture
def page(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Page:
    """The Page as Meta's own client sees it, with proof of the app's secret."""
    config = stage.platform.config
    monkeypatch.setattr(api.FacebookSession, "GRAPH", url(stage, "/graph"))
    session = api.FacebookSession(config.messenger_app_id, config.messenger_app_secret, config.messenger_page_token)
    return Page(config.messenger_page_id, api=api.FacebookAdsApi(session))


def hello(stage: Stage, **message: Any) -> dict[str, Any]:
    psid = stage.contact("messenger").user_id
    return {"recipient": {"id": psid}, "message": message or {"text": "Chào"}, "messaging_type": "RESPONSE"}


async def graph_refusal(call: Callable[..., Any], **named: Any) -> tuple[int, int | None]:
    """Code and subcode with which a call is refused."""
    with pytest.raises(FacebookRequestError) as refused:
        await within(call, **named)
    return refused.value.api_error_code(), refused.value.api_error_subcode()


@pytest.mark.filterwarnings("ignore:value of tag might not be compatible")  # it takes a tag for an object
async def test_metas_own_client_sends_and_reads_errors(stage: Stage, page: Page) -> None:
    await within(page.create_message, params=hello(stage))
    await within(page.create_subscribed_app, params={"subscribed_fields": ["messages", "messaging_postbacks"]})
    picture = "https://shop.example.vn/t.jpg"
    made = await within(page.create_persona, params={"name": "Thảo", "profile_picture_url": picture})
    assert [call.kind for call in stage.platform.journal] == ["text", "subscribe", "persona"]
    assert stage.platform.page.fields == {"messages", "messaging_postbacks"}
    (persona,) = await within(page.get_personas)
    assert (persona["id"], persona["name"]) == (made["id"], "Thảo")
    (app,) = await within(page.get_subscribed_apps)
    assert app["id"] == stage.platform.config.messenger_app_id
    await within(page.delete_subscribed_apps)
    assert stage.platform.page.fields == set()
    stage.later(days=2)
    assert await graph_refusal(page.create_message, params=hello(stage)) == (10, 2018278)
    tagged = {**hello(stage), "messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    await within(page.create_message, params=tagged)
    assert await graph_refusal(page.create_message, params={**tagged, "tag": "ACCOUNT_UPDATE"}) == (100, 1893061)
    stage.contact("messenger").blocked = True
    assert await graph_refusal(page.create_message, params=tagged) == (551, 1545041)


async def test_metas_own_client_keeps_a_medium_and_sends_it(stage: Stage, page: Page) -> None:
    payload = {"url": "https://shop.example.vn/a.jpg", "is_reusable": True}
    medium = {"attachment": {"type": "image", "payload": payload}}
    kept = await within(page.create_message_attachment, params={"message": medium})
    again = {"type": "image", "payload": {"attachment_id": kept["attachment_id"]}}
    await within(page.create_message, params=hello(stage, attachment=again))
    assert [call.kind for call in stage.platform.journal] == ["upload", "image"]
    unknown = {"type": "image", "payload": {"attachment_id": "1"}}
    assert await graph_refusal(page.create_message, params=hello(stage, attachment=unknown)) == (100, 2018074)


async def test_metas_own_client_sets_up_the_page(stage: Stage, page: Page) -> None:
    start = {"payload": "GET_STARTED"}
    await within(page.create_messenger_profile, params={"get_started": start})
    (known,) = await within(page.get_messenger_profile, params={"fields": "get_started"})
    assert dict(known["get_started"]) == start
    await within(page.delete_messenger_profile, params={"fields": ["GET_STARTED"]})
    assert stage.platform.page.profile == {}


async def test_metas_own_client_makes_and_sends_a_utility_template(stage: Stage, page: Page) -> None:
    body = {"type": "BODY", "text": "Đơn {{1}} đang giao.", "example": {"body_text": [["DH-1"]]}}
    wanted = {"name": "dang_giao", "language": "vi", "category": "UTILITY", "components": [body]}
    made = await within(page.create_message_template, params=wanted)
    assert made["status"] == "APPROVED"
    (listed,) = await within(page.get_message_templates, params={"name": "dang_giao"})
    assert listed["id"] == made["id"]
    filled = {"type": "body", "parameters": [{"type": "text", "text": "DH-7"}]}
    template = {"name": "dang_giao", "language": {"code": "vi"}, "components": [filled]}
    stage.later(days=30)
    await within(page.create_message, params={**hello(stage, template=template), "messaging_type": "UTILITY"})
    assert stage.platform.journal[-1].text == "Đơn DH-7 đang giao."
    await within(page.delete_message_templates, params={"name": "dang_giao"})
    assert stage.platform.page.templates == []


async def test_metas_own_client_reads_people_and_conversations(stage: Stage, page: Page) -> None:
    await stage.say("messenger", text="Còn hàng không?")
    await within(page.create_message, params=hello(stage))
    psid = stage.contact("messenger").user_id
    found = await within(page.get_conversations, params={"user_id": psid, "fields": "messages,participants"})
    (thread,) = found
    assert [line["message"] for line in thread["messages"]["data"]] == ["Chào", "Còn hàng không?"]
    again = await within(UnifiedThread(thread["id"], api=page.get_api()).api_get, fields=["is_owner"])
    assert again["is_owner"] is True
    person = await within(User(psid, api=page.get_api()).api_get, fields=["first_name", "name"])
    assert (person["first_name"], person["name"]) == ("Lan", "Nguyễn Thị Lan")


async def test_metas_own_client_passes_and_takes_a_thread(stage: Stage, page: Page) -> None:
    stage.platform.config = replace(stage.platform.config, inbox_takes_threads=True)
    recipient = {"id": stage.contact("messenger").user_id}
    await within(page.create_pass_thread_control, params={"recipient": recipient, "target_app_id": 263902037430900})
    assert stage.contact("messenger").inbox_owns
    assert await graph_refusal(page.create_message, params=hello(stage)) == (10, 2018300)
    (owner,) = await within(page.get_thread_owner, params={"recipient": recipient["id"]})
    assert owner["thread_owner"]["app_id"] == 263902037430900
    for call in (page.create_request_thread_control, page.create_take_thread_control):
        await within(call, params={"recipient": recipient})
    await within(page.create_extend_thread_control, params={"recipient": recipient, "duration": 3600})
    await within(page.create_message, params=hello(stage))
    await within(page.create_release_thread_control, params={"recipient": recipient})


async def test_metas_own_client_learns_that_its_token_is_dead_and_that_it_calls_too_often(
    stage: Stage, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.platform.page_token_valid = False
    assert await graph_refusal(page.create_message, params=hello(stage)) == (190, 460)
    async with playing(messenger_per_second=1) as other:
        monkeypatch.setattr(api.FacebookSession, "GRAPH", url(other, "/graph"))
        await within(page.create_message, params=hello(other))
        assert await graph_refusal(page.create_message, params=hello(other)) == (80006, None)
