"""Zalo's door: verify a webhook over its raw bytes and say who it is for.

The signature is a plain SHA-256 over app id, raw body, timestamp and the OA secret key (not an HMAC, and not the app
secret): https://docs.zaloplatforms.com/docs/OA/webhook/tong-quan
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime

from bot.channels import parsed
from bot.channels.base import Keys, Raw, Received, Verdict
from bot.channels.text import clean
from bot.channels.zalo.envelope import Envelope, Json, NotUnderstood, identifier, items, mapping, moment, read

_MAC = re.compile(r"\s*(?:mac\s*=\s*)?([0-9a-f]{64})\s*", re.IGNORECASE | re.ASCII)
_TIMESTAMP = re.compile(rb'"timestamp"\s*:\s*"?([0-9]{1,20})\b')
CONSOLE_TEST_ID = "This is message id"
"""The constant `msg_id` that the developer console's test button posts, for parties that are not ours."""
_REACTIONS = frozenset({"user_reacted_message", "oa_reacted_message"})

_Parsed = Json | None


def receive(headers: Mapping[str, str], body: bytes, keys: Keys, now: datetime) -> Received:
    """Verify and split. Never raises.

    Redelivery may come over an hour late, so a timestamp's age refuses nothing: the inbox's unique key stops replay.
    """
    event = _parse(body)
    signature = headers.get("X-ZEvent-Signature", "")
    if keys.pending:
        return _receive_pending(body, event)
    if not signature and _is_probe(body, event):
        return Received(200, Verdict.PROBE)
    app_id = identifier(event.get("app_id")) if event else ""
    app_id = app_id or keys.app_id
    if not _is_genuine(signature, app_id, body, _timestamp(body, event), keys.secret):
        return Received(403, Verdict.BAD_SIGNATURE)
    if app_id != keys.app_id:
        return Received(403, Verdict.WRONG_APP)
    if event and _is_console_test(event):
        return Received(200, Verdict.CONSOLE_TEST)
    return _split(event or {}, body, keys, now)


def _receive_pending(body: bytes, event: _Parsed) -> Received:
    """The console shows the secret key only after the address answered: so answer its checks, and keep nothing."""
    if _is_probe(body, event):
        return Received(200, Verdict.PROBE)
    if event and _is_console_test(event):
        return Received(200, Verdict.CONSOLE_TEST)
    return Received(403, Verdict.PENDING)


def _split(event: Json, body: bytes, keys: Keys, now: datetime) -> Received:
    """A genuine body as its one raw event; buried where it is not understood or is for an OA that is not ours."""
    at = moment(event.get("timestamp"), now)
    try:
        envelope = read(event)
    except NotUnderstood:
        ours = min(keys.account_ids, default="")
        return Received(200, Verdict.NOT_UNDERSTOOD, buried=(Raw(ours, "?", _digest(body), at, body),))
    raw = _raw(envelope, event, body, at)
    if envelope.account_id not in keys.account_ids:
        return Received(200, Verdict.NOT_UNDERSTOOD, buried=(raw,))
    return Received(200, Verdict.ACCEPTED, raws=(raw,))


def raw_of(event: Json, body: bytes, now: datetime) -> Raw:
    """An event as the door keeps it; raises NotUnderstood."""
    return _raw(read(event), event, body, moment(event.get("timestamp"), now))


def _raw(envelope: Envelope, event: Json, body: bytes, at: datetime | None) -> Raw:
    return Raw(envelope.account_id, envelope.thread_key, _dedup_key(envelope, event, body), at, body)


def _parse(body: bytes) -> _Parsed:
    """The JSON object, or None for anything else."""
    try:
        value = parsed.load(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _is_probe(body: bytes, event: _Parsed) -> bool:
    """The console checks an address with a body that is empty or no event."""
    return not body.strip() or (event is not None and "event_name" not in event)


def _is_console_test(event: Json) -> bool:
    return mapping(event.get("message")).get("msg_id") == CONSOLE_TEST_ID


def _timestamp(body: bytes, event: _Parsed) -> bytes:
    """The body's own timestamp as it was signed; sought in the raw bytes where the body is not JSON."""
    if event is None:
        found = _TIMESTAMP.search(body)
        return found[1] if found else b""
    value = event.get("timestamp", "")
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return identifier(value).encode()


def _is_genuine(signature: str, app_id: str, body: bytes, timestamp: bytes, secret: str) -> bool:
    """Compare in constant time; tolerates a missing prefix, spaces and upper case in the header."""
    given = _MAC.fullmatch(signature)
    if not given:
        return False
    expected = hashlib.sha256(b"".join((app_id.encode(), body, timestamp, secret.encode()))).hexdigest()
    return hmac.compare_digest(expected, given[1].lower())


def _dedup_key(envelope: Envelope, event: Json, body: bytes) -> str:
    """Event name and message id (receipts reuse the id of what they speak about); else a hash: redelivery is exact."""
    message = mapping(event.get("message"))
    message_id = identifier(message.get("msg_id")) or identifier(event.get("msg_id"))
    if not message_id:
        ids = [identifier(item) for item in items(message.get("msg_ids"))]
        message_id = ids[0] if len(ids) == 1 else ""
    if not message_id:
        return _digest(body)
    if envelope.name in _REACTIONS:
        icon = clean(message.get("react_icon"))[:32]
        return f"{envelope.name}:{message_id}:{icon}:{identifier(event.get('timestamp'))}"
    return f"{envelope.name}:{message_id}"


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
