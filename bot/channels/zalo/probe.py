"""What Zalo's developer console posts to try a webhook address; the door answers it and keeps nothing."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from bot.channels.base import Keys
from bot.channels.examined import Probe
from bot.channels.zalo.webhook import CONSOLE_TEST_ID

ROOM = 1_200_000
"""So many bytes has the test event: more than nginx lets through unless it is told, less than the door takes."""
_JSON = {"Content-Type": "application/json"}
_AGAIN = {"num_retry": "1"}
"""Zalo counts its redeliveries in it; some proxies drop names with an underscore."""


def probes(keys: Keys, now: datetime) -> tuple[Probe, ...]:
    """The check with an empty body, and the test event, which is signed as soon as there is a key."""
    check = Probe("Zalo's check of the address", "POST", {}, _JSON)
    timestamp = str(int(now.timestamp() * 1000))
    event = {
        "app_id": keys.app_id, "event_name": "user_send_text", "timestamp": timestamp,
        "sender": {"id": "0"}, "recipient": {"id": "0"}, "message": {"msg_id": CONSOLE_TEST_ID, "text": "doctor"},
    }  # fmt: skip
    body = json.dumps(event).encode().ljust(ROOM)
    if keys.pending:
        return check, Probe("Zalo's test event", "POST", {}, _JSON, body, also=_AGAIN)
    signed = b"".join((keys.app_id.encode(), body, timestamp.encode(), keys.secret.encode()))
    headers = {**_JSON, "X-ZEvent-Signature": f"mac={hashlib.sha256(signed).hexdigest()}"}
    return check, Probe("a signed test event of Zalo's shape", "POST", {}, headers, body, also=_AGAIN)
