"""Calls an address from outside, follows nothing, and tells by one word why it could not be reached."""

from __future__ import annotations

import asyncio
import io
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import aiohttp
from yarl import URL

TIMEOUT_S = 6.0
_ENOUGH = 4096


class Barrier(StrEnum):
    """What stands between us and an address."""

    ADDRESS = "address"
    NAME = "name"
    CERTIFICATE = "certificate"
    ENCRYPTION = "encryption"
    CONNECTION = "connection"
    TIME = "time"
    BROKEN_OFF = "broken off"


class Unreached(Exception):
    """No answer came. `detail` is what the system says of it, in a few words, with no query and no secret in it."""

    def __init__(self, barrier: Barrier, detail: str = "") -> None:
        super().__init__(f"{barrier}: {detail}")
        self.barrier, self.detail = barrier, detail


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers (names in small letters), the first part of the body, and how long it took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class Caller:
    """Calls on a session that belongs to others."""

    def __init__(self, session: aiohttp.ClientSession, timeout_s: float = TIMEOUT_S) -> None:
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def call(
        self, method: str, url: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """One request, in `TIMEOUT_S` at most. Raises Unreached where no answer came, and nothing else."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            address = URL(url).extend_query(query)
            async with self._session.request(
                method,
                address,
                headers=headers,
                data=io.BytesIO(body) if body else None,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                start = await response.content.read(_ENOUGH)
                names = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, names, start, loop.time() - began)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _unreached(error) from None


def _unreached(error: Exception) -> Unreached:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Unreached(Barrier.NAME)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        cause = error.certificate_error
        return Unreached(Barrier.CERTIFICATE, getattr(cause, "verify_message", "") or type(cause).__name__)
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return Unreached(Barrier.ENCRYPTION)
    if isinstance(error, TimeoutError):
        return Unreached(Barrier.TIME)
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        return Unreached(Barrier.CONNECTION, os.strerror(number).lower() if number else "")
    if isinstance(error, aiohttp.InvalidURL | ValueError):
        return Unreached(Barrier.ADDRESS)
    return Unreached(Barrier.BROKEN_OFF)
