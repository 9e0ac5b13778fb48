"""The simulator against client libraries that others wrote for the real platforms."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from facebook_business import api
from facebook_business.adobjects.page import Page
from facebook_business.exceptions import FacebookRequestError
from zalo_sdk import ZaloOAException, oa, zns

from tests.simulator.stage import Stage


def url(stage: Stage, path: str) -> str:
    return str(stage.http._base_url).rstrip("/") + path


async def test_zalo_sdk_sends_uploads_reads_and_tags(stage: Stage) -> None:
    config = stage.platform.config
    client = oa.Client(
        config.zalo_app_id,
        config.zalo_app_secret,
        access_token=stage.platform.zalo_tokens.access,
        endpoint_prefix=url(stage, "/zalo"),
    )
    user_id = stage.contact("zalo").user_id
    recipient = oa.ZaloRecipient(user_id=user_id)

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

    sent, detail, quotas, users, tags = await asyncio.to_thread(use)
    assert sent["data"]["quota"] == {"quota_type": "reply"}
    assert detail["data"]["display_name"] == "Nguyễn Thị Lan"
    assert quotas["data"][0]["remain"] == 500
    assert users["data"]["users"] == [{"user_id": user_id}]
    assert tags["data"] == ["VIP"]
    client.access_token = "wrong"
    with pytest.raises(ZaloOAException):
        await asyncio.to_thread(client.get_tags_of_oa)


async def test_zalo_sdk_sends_a_template_to_a_phone(stage: Stage) -> None:
    token, prefix = stage.platform.zalo_tokens.access, url(stage, "/zalo-business")
    client = zns.Client("", "", access_token=token, endpoint_prefix=prefix)
    data = {"customer_name": "Lan", "order_code": "DH-1"}
    sent = await asyncio.to_thread(client.send_zns_message, "84901234501", "123456", data, "order-1")
    listed = await asyncio.to_thread(client.get_template_list, 0, 10)
    assert sent["data"]["quota"]["remainingQuota"] == "499"
    assert [template["templateName"] for template in listed["data"]] == ["Xác nhận đơn hàng", "Mã xác thực"]


async def test_metas_own_client_sends_and_reads_errors(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    config = stage.platform.config
    monkeypatch.setattr(api.FacebookSession, "GRAPH", url(stage, "/graph"))
    session = api.FacebookSession(config.messenger_app_id, config.messenger_app_secret, config.messenger_page_token)
    page = Page(config.messenger_page_id, api=api.FacebookAdsApi(session))
    lan = stage.contact("messenger").user_id
    calls: list[tuple[str, dict[str, Any]]] = [
        ("create_message", {"recipient": {"id": lan}, "message": {"text": "Chào"}, "messaging_type": "RESPONSE"}),
        ("create_subscribed_app", {"subscribed_fields": ["messages", "messaging_postbacks"]}),
        ("create_persona", {"name": "Thảo", "profile_picture_url": "https://shop.example.vn/t.jpg"}),
    ]
    for name, params in calls:
        await asyncio.to_thread(getattr(page, name), params=params)
    assert [call.kind for call in stage.platform.journal] == ["text", "subscribe", "persona"]
    assert stage.platform.page.fields == {"messages", "messaging_postbacks"}
    stage.later(days=2)
    with pytest.raises(FacebookRequestError) as refused:
        await asyncio.to_thread(page.create_message, params=calls[0][1])
    assert (refused.value.api_error_code(), refused.value.api_error_subcode()) == (10, 2018278)
