"""The bytes and signatures of webhooks, against vectors worked out independently."""

from __future__ import annotations

import hashlib
import hmac
import json

from simulator.proof import appsecret_proof
from simulator.tokens import challenge_of
from simulator.webhooks_out import messenger_bytes, messenger_signature, zalo_bytes, zalo_mac
from tests.simulator.stage import Stage

ZALO_BODY = (
    '{"app_id":"1234567890123456789","sender":{"id":"3456789012345678901"},"user_id_by_app":"4567890123456789012",'
    '"recipient":{"id":"2345678901234567890"},"event_name":"user_send_text",'
    '"message":{"text":"Xin chào","msg_id":"a1b2c3d4e5f60718293a"},"timestamp":"1763798400123"}'
).encode()
MESSENGER_BODY = (
    b'{"object":"page","entry":[{"id":"108842917645330","time":1795340412901,"messaging":[{"sender":'
    b'{"id":"7412580369147258"},"recipient":{"id":"108842917645330"},"timestamp":1795340412345,"message":'
    b'{"mid":"m_vector_1","text":"\\u00e1o thun \\u0111\\u1eb9p \\ud83d\\ude0d https:\\/\\/example.com"}}]}]}'
)


def test_the_zalo_mac_is_a_plain_hash_of_app_id_body_timestamp_and_key() -> None:
    mac = zalo_mac("1234567890123456789", ZALO_BODY, "1763798400123", "oa-secret-for-tests")
    assert mac == "mac=95b5a9c64c04265494ebe9f6b676484f1a0835bf0eaa01d36b69f9f30acce0ce"


def test_a_zalo_body_is_compact_utf8() -> None:
    assert zalo_bytes(json.loads(ZALO_BODY)) == ZALO_BODY


def test_a_messenger_body_escapes_letters_and_slashes_as_meta_does() -> None:
    assert messenger_bytes(json.loads(MESSENGER_BODY)) == MESSENGER_BODY


def test_the_messenger_signature_is_over_the_escaped_bytes() -> None:
    expected = "sha256=86dd906ba6c490be390056841c0f95c8013d53f138881896ca718002d864227f"
    assert messenger_signature(MESSENGER_BODY, "made-up-app-secret") == expected


def test_appsecret_proofs_match_both_vectors() -> None:
    facebook = appsecret_proof("made-up-app-secret", "EAAmadeUpToken")
    zalo = appsecret_proof("app-secret-for-tests", "access-token-for-tests")
    assert facebook == "76192b67ccd3a52128f33b78853b61c86d843e79d46887045c7938553e5ca59a"
    assert zalo == "7196be12396e82d498574863aab45f32c0f0c84c6d6d4038d19a0d78120bdf44"


def test_the_pkce_challenge_matches_its_vector() -> None:
    challenge = challenge_of("0123456789abcdefghijklmnopqrstuvwxyzABCDEFG")
    assert challenge == "g0tuZ6q412zO9IRkeAUs8HN6MQeXPsGce37J3Rsc8wQ"


async def test_a_zalo_webhook_carries_the_mac_of_its_own_bytes(stage: Stage) -> None:
    await stage.say("zalo", text="đẹp quá")
    (webhook,) = stage.heard
    config = stage.platform.config
    signed = config.zalo_app_id.encode() + webhook.raw + webhook.body["timestamp"].encode()
    expected = hashlib.sha256(signed + config.zalo_oa_secret_key.encode()).hexdigest()
    assert webhook.headers["X-ZEvent-Signature"] == f"mac={expected}"


async def test_a_messenger_webhook_carries_the_signature_of_its_own_bytes(stage: Stage) -> None:
    await stage.say("messenger", text="đẹp quá / 😍")
    (webhook,) = stage.heard
    secret = stage.platform.config.messenger_app_secret.encode()
    expected = hmac.new(secret, webhook.raw, hashlib.sha256).hexdigest()
    assert webhook.headers["X-Hub-Signature-256"] == f"sha256={expected}"
    assert b"\\u0111\\u1eb9p" in webhook.raw
    assert b"\\/" in webhook.raw
    assert webhook.event["message"]["text"] == "đẹp quá / 😍"
