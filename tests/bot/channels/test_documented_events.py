"""Every documented webhook is let in at the door and becomes the right kind of event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.channels.base import Keys, Verdict
from bot.channels.messenger import parse as messenger_parse
from bot.channels.messenger import webhook as messenger_webhook
from bot.channels.zalo import webhook as zalo_webhook
from bot.channels.zalo.parse import parse as zalo_parse
from crm.events import (
    AllowanceChanged,
    ButtonPressed,
    Commented,
    ConsentWithdrawn,
    ContactShared,
    Event,
    Followed,
    GrantLost,
    GroupChanged,
    GroupSpoke,
    Labelled,
    LocationShared,
    MediaReceived,
    MessageDelivered,
    MessageEdited,
    MessageSeen,
    OwnEcho,
    Reacted,
    Referred,
    StaffEcho,
    TemplateChanged,
    TextReceived,
    ThreadPassed,
    Unfollowed,
    UnknownEvent,
)
from tests.payloads import messenger, messenger_documented, zalo, zalo_documented

NOW = datetime.fromtimestamp(zalo.AT_MS / 1000, UTC) + timedelta(hours=1)
ZALO_KEYS = Keys(app_id=zalo.APP_ID, secret=zalo.SECRET, account_ids=frozenset({zalo.OA}))

Kind = type[Event]

ZALO: dict[str, Kind | None] = {
    "user_send_text": TextReceived,
    "user_send_text_quote": TextReceived,
    "user_send_image": MediaReceived,
    "user_send_gif": MediaReceived,
    "user_send_link": MediaReceived,
    "user_send_audio": MediaReceived,
    "user_send_video": MediaReceived,
    "user_send_sticker": MediaReceived,
    "user_send_location": LocationShared,
    "user_send_file": MediaReceived,
    "user_send_business_card": MediaReceived,
    "user_submit_info": ContactShared,
    "user_submit_info_legacy": ContactShared,
    "user_reacted_message": Reacted,
    "user_received_message": MessageDelivered,
    "user_received_message_zbs_phone": MessageDelivered,
    "user_seen_message": MessageSeen,
    "user_click_chatnow": Followed,
    "user_withdraw": ConsentWithdrawn,
    "follow": Followed,
    "unfollow": Unfollowed,
    "oa_send_text": OwnEcho,
    "oa_send_text_by_admin": StaffEcho,
    "oa_send_image": OwnEcho,
    "oa_send_gif": OwnEcho,
    "oa_send_file": OwnEcho,
    "oa_send_sticker": OwnEcho,
    "oa_send_list": OwnEcho,
    "oa_reacted_message": UnknownEvent,
    "console_test_user_send_text": None,
    "update_user_info": UnknownEvent,
    "add_user_to_tag": Labelled,
    "remove_user_from_tag": Labelled,
    "remove_tag": Labelled,
    "anonymous_send_text": UnknownEvent,
    "oa_send_anonymous_text": UnknownEvent,
    "create_group": GroupChanged,
    "user_join_group": GroupChanged,
    "user_request_join_group": GroupChanged,
    "accept_request_join_group": GroupChanged,
    "reject_request_join_group": GroupChanged,
    "add_group_admin": GroupChanged,
    "remove_group_admin": GroupChanged,
    "update_group_info": GroupChanged,
    "user_out_group": GroupChanged,
    "delete_group": GroupChanged,
    "user_send_group_text": GroupSpoke,
    "oa_send_group_text": GroupSpoke,
    "oa_send_consent": UnknownEvent,
    "user_reply_consent": UnknownEvent,
    "user_call_oa": UnknownEvent,
    "oa_call_user": UnknownEvent,
    "widget_interaction_accepted": UnknownEvent,
    "widget_failed_to_sync_user_external_id": UnknownEvent,
    "extension_purchased": UnknownEvent,
    "user_feedback": UnknownEvent,
    "user_click_response_button": UnknownEvent,
    "change_template_status": TemplateChanged,
    "change_template_quality": TemplateChanged,
    "change_oa_daily_quota": AllowanceChanged,
}
"""What each becomes; None: it is answered and not kept."""

MESSENGER: dict[str, tuple[Kind, ...]] = {
    "message_text": (TextReceived,),
    "message_quick_reply": (ButtonPressed,),
    "message_quick_reply_phone": (ContactShared,),
    "message_reply_to": (TextReceived,),
    "message_image": (MediaReceived,),
    "message_two_images": (MediaReceived,),
    "message_audio": (MediaReceived,),
    "message_video": (MediaReceived,),
    "message_file": (MediaReceived,),
    "message_sticker": (MediaReceived,),
    "message_sticker_legacy": (MediaReceived,),
    "message_sticker_transition": (MediaReceived,),
    "message_fallback": (MediaReceived,),
    "message_fallback_legacy_null_payload": (MediaReceived,),
    "message_reel": (MediaReceived,),
    "message_post": (MediaReceived,),
    "message_product_template": (MediaReceived,),
    "message_appointment_booking": (MediaReceived,),
    "message_location_legacy": (LocationShared,),
    "message_commands": (TextReceived,),
    "message_ads_referral": (TextReceived,),
    "message_referral_product": (TextReceived,),
    "message_lead_summary": (TextReceived,),
    "message_edit": (MessageEdited,),
    "batch_two_entries": (TextReceived, TextReceived),
    "echo_text": (OwnEcho,),
    "echo_from_page_inbox": (StaffEcho,),
    "echo_image": (OwnEcho,),
    "echo_template_button": (OwnEcho,),
    "echo_fallback": (OwnEcho,),
    "echo_reply_to": (OwnEcho,),
    "echo_standby_media_template": (StaffEcho,),
    "standby_message": (TextReceived,),
    "postback": (ButtonPressed,),
    "postback_get_started_referral": (ButtonPressed,),
    "postback_standby_no_payload": (ButtonPressed,),
    "postback_user_ref_field_value": (UnknownEvent,),
    "delivery": (MessageDelivered,),
    "delivery_watermark_only": (MessageDelivered,),
    "read": (MessageSeen,),
    "reaction_react": (Reacted,),
    "reaction_unreact": (Reacted,),
    "referral_shortlink": (Referred,),
    "referral_ads": (Referred,),
    "referral_lead_complete": (Referred,),
    "optin_notification_messages": (UnknownEvent,),
    "optin_notification_stop": (ConsentWithdrawn,),
    "optin_one_time_legacy": (UnknownEvent,),
    "optin_send_to_messenger": (UnknownEvent,),
    "optin_checkbox_user_ref": (UnknownEvent,),
    "account_linking_linked": (UnknownEvent,),
    "account_linking_unlinked": (UnknownEvent,),
    "pass_thread_control": (ThreadPassed,),
    "take_thread_control": (ThreadPassed,),
    "request_thread_control": (UnknownEvent,),
    "app_roles": (UnknownEvent,),
    "policy_enforcement": (GrantLost,),
    "messaging_feedback": (UnknownEvent,),
    "response_feedback": (UnknownEvent,),
    "game_play": (UnknownEvent,),
    "send_cart_order": (UnknownEvent,),
    "coupon_revealed": (UnknownEvent,),
    "customer_information": (ContactShared,),
    "instant_form_submit": (UnknownEvent,),
    "inbox_labels": (UnknownEvent,),
    "feed_comment_add": (Commented,),
    "feed_comment_with_post": (Commented,),
    "marketing_message_clicks": (UnknownEvent,),
    "marketing_message_deliveries": (UnknownEvent,),
    "marketing_message_delivery_failed": (UnknownEvent,),
    "marketing_message_echoes": (UnknownEvent,),
    "marketing_message_reads": (UnknownEvent,),
}
"""What each becomes, in order."""


def test_the_tables_and_the_samples_are_the_same() -> None:
    assert set(ZALO) == set(zalo_documented.EVENTS)
    assert set(MESSENGER) == set(messenger_documented.EVENTS)


@pytest.mark.parametrize("name", ZALO)
def test_zalos_event_is_let_in_and_understood(name: str) -> None:
    body = zalo.dumped(zalo_documented.EVENTS[name])
    received = zalo_webhook.receive(zalo.signed(body), body, ZALO_KEYS, NOW)
    kind = ZALO[name]
    assert received.status == 200 and not received.buried
    if kind is None:
        assert (received.verdict, received.raws) == (Verdict.CONSOLE_TEST, ())
        return
    assert received.verdict is Verdict.ACCEPTED
    (raw,) = received.raws
    (event,) = zalo_parse(raw.body, NOW)
    assert type(event) is kind
    assert event.address.account_id == raw.account_id == zalo.OA
    assert event.at == raw.occurred_at or name == "user_received_message_zbs_phone"
    assert not isinstance(event, UnknownEvent) or event.known


@pytest.mark.parametrize("name", MESSENGER)
def test_messengers_update_is_let_in_and_understood(name: str) -> None:
    body = messenger_documented.EVENTS[name]
    received = messenger_webhook.receive(messenger.signed(body), body, messenger.KEYS, NOW)
    assert (received.status, received.verdict, received.buried) == (200, Verdict.ACCEPTED, ())
    events = [event for raw in received.raws for event in messenger_parse.parse(raw.body, NOW)]
    assert tuple(map(type, events)) == MESSENGER[name]
    assert [event.address.account_id for event in events] == [raw.account_id for raw in received.raws]
    assert all(event.known for event in events if isinstance(event, UnknownEvent))


def test_metas_handshake_is_answered_for_the_right_token_only() -> None:
    asked = messenger_documented.HANDSHAKE
    assert messenger_webhook.challenge(asked, messenger.KEYS) == "1158201444"
    assert messenger_webhook.challenge({**asked, "hub.verify_token": "guess"}, messenger.KEYS) is None
