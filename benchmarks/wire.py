"""HTTP/1.1 with keep-alive and nothing else: the webhook client and the stub of the Graph API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True, slots=True)
class Ticket:
    """One webhook on its way: who sent it, and when it should have left (seconds of the loop's clock)."""

    person: int
    intended: float


class Framed(asyncio.Protocol):
    """Cuts a byte stream into HTTP messages that carry a Content-Length, or no body."""

    def __init__(self) -> None:
        self._buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        while (head_end := buffer.find(b"\r\n\r\n") + 4) > 3:
            head = buffer[:head_end]
            end = head_end + _content_length(head)
            if len(buffer) < end:
                break
            self.message(head, buffer[head_end:end])
            buffer = buffer[end:]
        self._buffer = buffer

    def message(self, head: bytes, body: bytes) -> None:
        """One whole request or answer has come in."""
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        """Send bytes; nothing happens after the connection was lost."""
        if self.transport is not None:
            self.transport.write(data)


def _content_length(head: bytes) -> int:
    lowered = head.lower()
    if b"transfer-encoding: chunked" in lowered:
        raise ValueError("the benchmark's wire reads no chunked bodies")
    at = lowered.find(b"content-length:")
    return int(lowered[at + 15 : lowered.index(b"\r\n", at)]) if at >= 0 else 0


class WebhookConnection(Framed):
    """One of the platform's connections to the bot; it carries one webhook at a time."""

    def __init__(
        self,
        answered: Callable[[WebhookConnection, Ticket, int], None],
        lost: Callable[[WebhookConnection, Ticket | None], None],
    ) -> None:
        super().__init__()
        self._answered = answered
        self._lost = lost
        self._ticket: Ticket | None = None

    def send(self, request: bytes, ticket: Ticket) -> None:
        """Send a webhook; `answered` hears its HTTP status, or `lost` that it never came."""
        self._ticket = ticket
        self.write(request)

    def message(self, head: bytes, body: bytes) -> None:
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            self._answered(self, ticket, int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._lost(self, self._ticket)


class StubConnection(Framed):
    """One of the bot's connections to the platform: takes replies, and says `{}` to everything else."""

    def __init__(self, replied: Callable[[str], None]) -> None:
        super().__init__()
        self._replied = replied
        self._count = 0

    def message(self, head: bytes, body: bytes) -> None:
        target = head[: head.index(b"\r\n")].split(b" ")[1].partition(b"?")[0]
        call = json.loads(body) if head.startswith(b"POST") and target.endswith(b"/messages") else {}
        if "message" not in call:
            self.write(_ok(b"{}"))
            return
        recipient = call["recipient"]["id"]
        self._count += 1
        answer = f'{{"recipient_id":"{recipient}","message_id":"m_{id(self):x}{self._count}"}}'
        self.write(_ok(answer.encode()))
        self._replied(recipient)


def _ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
