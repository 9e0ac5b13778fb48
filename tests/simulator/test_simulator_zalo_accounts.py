"""Zalo beside messages: tokens, users, tags, conversations, quotas and the business host."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from simulator.tokens import challenge_of
from tests.simulator.stage import Json, Stage, playing


async def token_call(stage: Stage, secret: str | None = None, **form: str) -> Json:
    config = stage.platform.config
    headers = {"secret_key": config.zalo_app_secret if secret is None else secret}
    form = {"app_id": config.zalo_app_id, **form}
    async with stage.http.post("/zalo-oauth/v4/oa/access_token", data=form, headers=headers) as answer:
        assert answer.status == 200
        return await answer.json()


async def refresh(stage: Stage, token: str) -> Json:
    return await token_call(stage, grant_type="refresh_token", refresh_token=token)


async def test_a_refresh_kills_the_old_pair_at_once(stage: Stage) -> None:
    old_access, old_refresh = stage.platform.zalo_tokens.access, stage.platform.zalo_tokens.refresh
    pair = await refresh(stage, old_refresh)
    assert set(pair) == {"access_token", "refresh_token", "expires_in"}
    assert pair["expires_in"] == "90000"
    _, with_old = await stage.get("/zalo/v2.0/oa/getoa", access_token=old_access)
    _, with_new = await stage.get("/zalo/v2.0/oa/getoa", access_token=pair["access_token"])
    assert (with_old["error"], with_new["error"]) == (-220, 0)
    again = await refresh(stage, old_refresh)
    assert again["error"] == -14020
    assert set(again) == {"error", "error_name", "error_reason", "error_description", "ref_doc"}
    assert (await refresh(stage, pair["refresh_token"]))["expires_in"] == "90000"


async def test_tokens_grow_old(stage: Stage) -> None:
    first_refresh = stage.platform.zalo_tokens.refresh
    token = {"access_token": stage.platform.zalo_tokens.access}
    stage.later(hours=24, minutes=59)
    assert (await stage.get("/zalo/v2.0/oa/getoa", **token))[1]["error"] == 0
    stage.later(minutes=1)
    assert (await stage.get("/zalo/v2.0/oa/getoa", **token))[1]["error"] == -216
    stage.later(days=90)
    assert (await refresh(stage, first_refresh))["error"] == -14020


async def test_a_wrong_app_or_secret_is_refused(stage: Stage) -> None:
    token = stage.platform.zalo_tokens.refresh
    form = {"grant_type": "refresh_token", "refresh_token": token}
    assert (await token_call(stage, secret="wrong", **form))["error"] == -14004
    assert (await token_call(stage, **form, app_id="1"))["error"] == -14002
    assert (await token_call(stage, grant_type="password"))["error"] == -14005
    assert stage.platform.zalo_tokens.refresh == token


async def consent(stage: Stage, **more: str) -> Any:
    query = {"app_id": stage.platform.config.zalo_app_id, "redirect_uri": "https://bot.example/back?x=1", **more}
    return await stage.http.get("/zalo-oauth/v4/oa/permission", params=query, allow_redirects=False)


async def test_a_code_is_exchanged_once_and_only_with_its_verifier(stage: Stage) -> None:
    verifier = "v" * 43

    async def code() -> str:
        answer = await consent(stage, code_challenge=challenge_of(verifier), state="s1")
        assert answer.status == 302
        back = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert back["state"] == ["s1"]
        assert back["x"] == ["1"]
        assert back["oa_id"] == [stage.platform.config.zalo_oa_id]
        return back["code"][0]

    first, second = await code(), await code()
    wrong = await token_call(stage, grant_type="authorization_code", code=first, code_verifier="w" * 43)
    assert wrong["error"] < 0
    right = await token_call(stage, grant_type="authorization_code", code=second, code_verifier=verifier)
    assert right["access_token"] == stage.platform.zalo_tokens.access
    again = await token_call(stage, grant_type="authorization_code", code=second, code_verifier=verifier)
    assert again["error"] < 0


async def test_people_see_a_consent_page_that_cannot_be_injected(stage: Stage) -> None:
    query = {"app_id": stage.platform.config.zalo_app_id, "redirect_uri": 'https://bot.example/"><script>'}
    headers = {"Accept": "text/html"}
    async with stage.http.get("/zalo-oauth/v4/oa/permission", params=query, headers=headers) as answer:
        page = await answer.text()
    assert 'id="allow"' in page
    assert "<script>" not in page


async def test_a_callback_must_be_the_saved_one() -> None:
    async with playing(zalo_callback_url="https://bot.example/saved") as stage:
        assert (await (await consent(stage)).json())["error"] == -14003
        answer = await consent(stage, redirect_uri="javascript:alert(1)")
        assert (await answer.json())["error"] == -14003


async def test_detail_shows_what_the_person_shared_only_after_they_did(stage: Stage) -> None:
    user_id = stage.contact("zalo").user_id
    before = (await stage.zalo_get("v3.0/oa/user/detail", {"user_id": user_id}))["data"]
    assert before["display_name"] == "Nguyễn Thị Lan"
    assert before["user_last_interaction_date"] == "20/11/2026"
    assert before["user_is_follower"] is True
    assert "shared_info" not in before
    await stage.say("zalo", phone=True)
    after = (await stage.zalo_get("v3.0/oa/user/detail", {"user_id": user_id}))["data"]
    assert after["shared_info"]["phone"] == "84901234501"


async def test_detail_of_a_stranger_is_an_invalid_parameter(stage: Stage) -> None:
    assert (await stage.zalo_get("v3.0/oa/user/detail", {"user_id": "1"}))["error"] == -201
    assert (await stage.zalo_get("v3.0/oa/user/detail"))["error"] == -201


async def test_the_list_of_users_filters_and_pages(stage: Stage) -> None:
    await stage.say("zalo", person="minh", text="Chào")
    ask = {"offset": 0, "count": 50}
    everyone = (await stage.zalo_get("v3.0/oa/user/getlist", ask))["data"]
    followers = (await stage.zalo_get("v3.0/oa/user/getlist", {**ask, "is_follower": "true"}))["data"]
    second = (await stage.zalo_get("v3.0/oa/user/getlist", {"offset": 1, "count": 1}))["data"]
    assert (everyone["total"], followers["total"], second["count"]) == (2, 1, 1)
    assert followers["users"] == [{"user_id": stage.contact("zalo").user_id}]
    assert (await stage.zalo_get("v3.0/oa/user/getlist", {"offset": 0, "count": 51}))["error"] == -210
    assert (await stage.zalo_get("v3.0/oa/user/getlist", {"offset": 9952, "count": 1}))["error"] == -210


async def test_tags_are_put_on_and_taken_off(stage: Stage) -> None:
    who = {"user_id": int(stage.contact("zalo").user_id), "tag_name": "VIP"}
    assert (await stage.zalo("v2.0/oa/tag/tagfollower", who))["error"] == 0
    assert (await stage.zalo_get("v2.0/oa/tag/gettagsofoa"))["data"] == ["VIP"]
    assert (await stage.zalo("v2.0/oa/tag/rmfollowerfromtag", who))["error"] == 0
    assert (await stage.zalo_get("v2.0/oa/tag/gettagsofoa"))["data"] == []


async def test_update_and_forget(stage: Stage) -> None:
    user_id = stage.contact("zalo").user_id
    shared = {"name": "Lan", "phone": "84901234501"}
    body = {"user_id": user_id, "shared_info": shared, "user_alias": "Chị Lan", "user_external_id": "crm-1"}
    assert (await stage.zalo("v3.0/oa/user/update", body))["error"] == 0
    detail = (await stage.zalo_get("v3.0/oa/user/detail", {"user_id": user_id}))["data"]
    assert (detail["user_alias"], detail["user_external_id"]) == ("Chị Lan", "crm-1")
    await stage.zalo("v2.0/oa/deletefollowerinfo", {"user_id": user_id})
    assert "shared_info" not in (await stage.zalo_get("v3.0/oa/user/detail", {"user_id": user_id}))["data"]


async def test_a_conversation_is_read_newest_first_ten_at_a_time(stage: Stage) -> None:
    for number in range(12):
        await stage.say("zalo", text=f"tin {number}")
    sent = (await stage.consult({"text": "Dạ"}))["data"]
    ask = {"user_id": int(stage.contact("zalo").user_id), "offset": 0, "count": 10}
    found = (await stage.zalo_get("v2.0/oa/conversation", ask))["data"]
    assert len(found) == 10
    assert (found[0]["src"], found[0]["message"], found[0]["message_id"]) == (0, "Dạ", sent["message_id"])
    assert (found[1]["src"], found[1]["message"]) == (1, "tin 11")
    assert found[0]["time"] == 1795150800000
    assert (await stage.zalo_get("v2.0/oa/conversation", {**ask, "count": 11}))["error"] == -210
    recent = (await stage.zalo_get("v2.0/oa/listrecentchat", {"offset": 0, "count": 10}))["data"]
    assert [entry["message"] for entry in recent] == ["Dạ"]


async def test_the_oa_tells_who_it_is(stage: Stage) -> None:
    data = (await stage.zalo_get("v2.0/oa/getoa"))["data"]
    assert data["oaid"] == stage.platform.config.zalo_oa_id
    assert data["is_verified"] is True
    assert data["num_follower"] == 1


async def test_quotas_of_a_person_and_of_the_oa(stage: Stage) -> None:
    user_id = stage.contact("zalo").user_id
    person = (await stage.zalo("v3.0/oa/quota/message", {"user_id": user_id}))["data"]
    assert person["last_interaction"] == "1795147200000"
    package = await stage.zalo("v3.0/oa/quota/message", {"quota_owner": "OA", "product_type": "cs"})
    assert (package["data"][0]["total"], package["data"][0]["remain"]) == (500, 500)
    assert (await stage.zalo("v3.0/oa/quota/message", {}))["error"] == -201


async def business(stage: Stage, path: str, body: Json | None = None, **params: str) -> Json:
    headers = {"access_token": stage.platform.zalo_tokens.access}
    if body is None:
        status, answer = await stage.get(f"/zalo-business/{path}", params, **headers)
    else:
        status, answer = await stage.post(f"/zalo-business/{path}", body, **headers)
    assert status == 200
    return answer


ORDER = {"template_id": "123456", "template_data": {"customer_name": "Lan", "order_code": "DH-1"}}


async def test_a_template_goes_to_a_phone_and_its_receipt_names_the_tracking_id() -> None:
    async with playing(receipts=True) as stage:
        answer = await business(stage, "message/template", {"phone": "0901234501", "tracking_id": "o-1", **ORDER})
        data = answer["data"]
        assert data["quota"] == {"dailyQuota": "500", "remainingQuota": "499"}
        (receipt,) = await stage.quiet()
        assert receipt.body["recipient"] == {"id": "84901234501"}
        assert receipt.body["message"]["tracking_id"] == "o-1"
        assert receipt.body["message"]["msg_id"] == data["msg_id"]
        status = await business(stage, "message/status", message_id=data["msg_id"])
        assert status["data"]["status"] == 1
        assert stage.contact("zalo").lines[-1].text == "Chào Lan, đơn DH-1 của bạn đã được xác nhận."


async def test_a_template_goes_to_a_hashed_phone(stage: Stage) -> None:
    hashed = hashlib.sha256(b"84901234501").hexdigest()
    assert (await business(stage, "message/template/hashphone", {"hash_phone": hashed, **ORDER}))["error"] == 0
    assert (await business(stage, "message/template/hashphone", {"hash_phone": "00", **ORDER}))["error"] == -118


@pytest.mark.parametrize(
    ("change", "code"),
    [({"phone": "123"}, -108), ({"template_id": "9"}, -109), ({"tracking_id": "a" * 49}, -132)],
)
async def test_an_unfit_phone_template_is_refused(stage: Stage, change: Json, code: int) -> None:
    assert (await business(stage, "message/template", {"phone": "84901234501", **ORDER, **change}))["error"] == code


async def test_the_business_host_has_its_own_token_error(stage: Stage) -> None:
    _, answer = await stage.post("/zalo-business/message/template", ORDER, access_token="wrong")
    assert answer["error"] == -124


async def test_templates_and_quota_are_listed(stage: Stage) -> None:
    listed = await business(stage, "template/all", offset="0", limit="100", status="1")
    assert [entry["templateId"] for entry in listed["data"]] == [123456, 123457]
    assert (await business(stage, "template/all", status="3"))["data"] == []
    info = (await business(stage, "template/info/v2", template_id="123456"))["data"]
    assert [param["name"] for param in info["listParams"]] == ["customer_name", "order_code"]
    assert (await business(stage, "message/quota"))["data"]["remainingQuota"] == 500
    assert (await business(stage, "quality"))["data"]["oaCurrentQuality"] == "HIGH"


async def test_a_spent_daily_quota_refuses() -> None:
    async with playing(zbs_daily_quota=0) as stage:
        assert (await business(stage, "message/template", {"phone": "84901234501", **ORDER}))["error"] == -115


async def test_a_template_changes_its_state_and_the_bot_is_told() -> None:
    async with playing() as stage:
        told = {"channel": "zalo", "id": "123456", "status": "DISABLE", "quality": "LOW"}
        assert await stage.post("/api/template", told) == (200, {"ok": True, "statuses": [200, 200]})
        events = [heard.body for heard in await stage.until(2)]
        assert [event["event_name"] for event in events] == ["change_template_status", "change_template_quality"]
        assert events[0]["status"] == {"prev_status": "ENABLE", "new_status": "DISABLE"}
        answer = await business(stage, "message/template", {"phone": "0901234501", **ORDER})
        assert answer["error"] == -146
        await stage.post("/api/template", {"channel": "zalo", "id": "123456", "gone": True})
        answer = await business(stage, "message/template", {"phone": "0901234501", **ORDER})
        assert answer["error"] == -109
        assert (await stage.post("/api/template", {"channel": "zalo", "id": "123456"}))[0] == 400
        assert (await stage.post("/api/template", {"channel": "messenger", "id": "order"}))[0] == 400
