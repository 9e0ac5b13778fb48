"""What Facebook's app dashboard sends to try a webhook address; the door answers it and keeps nothing."""

from __future__ import annotations

import hmac
import json

from bot.channels.base import Keys
from bot.channels.examined import Probe
from bot.channels.messenger.webhook import CONSOLE_PAGE, SIGNATURE

ROOM = 1_200_000
"""So many bytes has the test event: more than nginx lets through unless it is told, less than the door takes."""
_JSON = {"Content-Type": "application/json"}


def probes(keys: Keys, nonce: str) -> tuple[Probe, ...]:
    """The handshake where there is a verify token, and the test event, which is signed as soon as there is a key."""
    found = []
    if keys.verify_token:
        query = {"hub.mode": "subscribe", "hub.verify_token": keys.verify_token, "hub.challenge": nonce}
        found.append(Probe("Facebook's handshake", "GET", query, {}, answer=nonce))
    update = {"sender": {"id": "0"}, "recipient": {"id": CONSOLE_PAGE}, "message": {"mid": "doctor", "text": "doctor"}}
    body = json.dumps({"object": "page", "entry": [{"id": CONSOLE_PAGE, "messaging": [update]}]}).encode().ljust(ROOM)
    if keys.pending:
        return (*found, Probe("Facebook's test event", "POST", {}, _JSON, body))
    headers = {**_JSON, SIGNATURE: f"sha256={hmac.digest(keys.secret.encode(), body, 'sha256').hex()}"}
    return (*found, Probe("a signed test event of Facebook's shape", "POST", {}, headers, body))
