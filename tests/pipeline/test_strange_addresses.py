"""Addresses, headers and bodies that hold no text: every public door answers clearly, and none fails."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.conftest import Clock
from tests.pipeline.stage import Stage, playing

KEY = "kq_" + "a" * 40
STRANGE = [b"%00", b"a%00b", b"%ED%A0%80", b"%FF", b"\xff", b"\xed\xa0\x80"]
ADDRESSES = [
    b"/%s", b"/?a=%s", b"/healthz?a=%s", b"/readyz?a=%s", b"/metrics?a=%s", b"/zalo_verifier%s.html",
    b"/connect/zalo?state=%s&code=c", b"/connect/zalo?state=s&code=%s", b"/connect/zalo?state=s&code=c&oa_id=%s",
    b"/connect/zalo?state=s&error=%s", b"/webhooks/zalo?a=%s",
    b"/webhooks/messenger?hub.mode=subscribe&hub.verify_token=%s&hub.challenge=1",
    b"/api/v1/customers/%s", b"/api/v1/customers?phone=%s", b"/api/v1/customers/%s/points", b"/api/v1/orders/%s",
]  # fmt: skip
HEADERS = [
    b"Authorization: Bearer \xff", b"Authorization: \xff", b"X-Hub-Signature-256: sha256=\xff",
    b"X-ZEvent-Signature: mac=\xff", b"Content-Type: application/json; charset=\xff", b"X-Forwarded-For: \xff",
]  # fmt: skip


async def answer(stage: Stage, method: bytes, address: bytes, header: bytes, body: bytes = b"") -> int:
    """The status that such a request gets; 400 where the connection is closed without one."""
    where = urlsplit(stage.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    head = b"%s %s HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n%s\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % (method, address, header, len(body)) + body)
    said = await reader.read()
    writer.close()
    return int(said.split(b" ", 2)[1]) if said else 400


@pytest.mark.parametrize("key", [KEY, ""], ids=["with a key", "without"])
async def test_no_door_fails_over_what_is_no_text(database_url: str, clock: Clock, key: str) -> None:
    async with playing(database_url, clock, settings={"API_KEY": key} if key else None) as stage:
        mine = f"Authorization: Bearer {KEY}".encode()
        for strange in STRANGE:
            for address in ADDRESSES:
                assert await answer(stage, b"GET", address % strange, mine) < 500, (address, strange)
        for header in HEADERS:
            for address in (b"/webhooks/zalo", b"/webhooks/messenger", b"/api/v1/customers/C1"):
                method = b"PUT" if b"api" in address else b"POST"
                assert await answer(stage, method, address, header, b'{"name":"Lan"}') < 500, (address, header)
