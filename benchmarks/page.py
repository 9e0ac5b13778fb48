"""The one Page of the benchmarks: its keys, its thousand people, and the webhooks they cause."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time

PAGE_ID = "108800000000001"
PAGE_TOKEN = "bench-page-token"
APP_ID = "208800000000001"
APP_SECRET = "bench-app-secret"
VERIFY_TOKEN = "bench-verify-token"
WEBHOOK_PATH = "/webhooks/messenger"
READY_PATH = "/readyz"
GRAPH_PATH = "/v26.0"
PEOPLE = 1_000
GREETING = "xin chào"

_FIRST_PSID = 7_400_000_000_000_000
_RUN = secrets.token_hex(6)


def psid(person: int) -> str:
    """The Messenger id of a person, who is numbered from 0."""
    return str(_FIRST_PSID + person)


def person(recipient_id: str) -> int | None:
    """The number of the person a reply is addressed to; None for somebody else."""
    number = int(recipient_id) - _FIRST_PSID if recipient_id.isdigit() else -1
    return number if 0 <= number < PEOPLE else None


def webhook(number: int, person: int) -> bytes:
    """The body of the webhook for a person's greeting; its mid is unique by number, in this process and beyond it."""
    at = int(time.time() * 1000)
    message = {
        "sender": {"id": psid(person)},
        "recipient": {"id": PAGE_ID},
        "timestamp": at,
        "message": {"mid": f"m_{_RUN}{number:010d}", "text": GREETING},
    }
    envelope = {"object": "page", "entry": [{"id": PAGE_ID, "time": at, "messaging": [message]}]}
    return json.dumps(envelope, separators=(",", ":")).encode()


def signature(body: bytes) -> str:
    """The value of X-Hub-Signature-256 for a body."""
    return "sha256=" + hmac.digest(APP_SECRET.encode(), body, hashlib.sha256).hex()


def request(number: int, person: int) -> bytes:
    """The whole signed HTTP request for `webhook(number, person)`."""
    body = webhook(number, person)
    head = (
        f"POST {WEBHOOK_PATH} HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        "Accept: */*\r\n"
        "User-Agent: facebookexternalua\r\n"
        f"X-Hub-Signature-256: {signature(body)}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
