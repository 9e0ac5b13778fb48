"""Takes a picture over from a platform's own hosts: no other host, no detour, no more bytes than allowed."""

from __future__ import annotations

from datetime import timedelta

import aiohttp
from yarl import URL

from bot.channels.base import Fault, SendErrorKind, Subject, Words, raised

MOST_BYTES = 10 * 1024 * 1024
TIMEOUT_S = 20.0

_FOREIGN = Fault(
    SendErrorKind.PERMANENT,
    Subject.UPLOAD,
    Words("The picture's address is not one of the platform's own.", "Địa chỉ ảnh không thuộc nền tảng."),
)
_GONE = Fault(
    SendErrorKind.PERMANENT,
    Subject.UPLOAD,
    Words("The platform no longer gives the picture.", "Nền tảng không còn giữ ảnh này."),
)
_TOO_LARGE = Fault(
    SendErrorKind.PERMANENT,
    Subject.UPLOAD,
    Words("The picture is larger than 10 MB.", "Ảnh lớn hơn 10 MB."),
)
_LATER = Fault(
    SendErrorKind.RETRY,
    Subject.UPLOAD,
    Words("The picture could not be fetched just now.", "Chưa tải được ảnh."),
    timedelta(minutes=1),
)


class Pictures:
    """Fetches over a session that belongs to others. `hosts` are the platform's domains for media, with all below them.

    `own` is the address of the platform's API as it is set: a platform that is played on this machine keeps its media
    there, too.
    """

    def __init__(self, session: aiohttp.ClientSession, hosts: tuple[str, ...], own: str) -> None:
        self._session, self._hosts, self._own = session, hosts, URL(own).origin()
        self._timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)

    async def fetch(self, address: str) -> bytes:
        """The bytes at this address. Raises SendError: RETRY where it may come later, PERMANENT where it never will."""
        url = self._allowed(address)
        try:
            async with self._session.get(url, timeout=self._timeout, allow_redirects=False) as response:
                if response.status >= 500 or response.status == 429:
                    raise raised(_LATER, str(response.status))
                if response.status != 200:
                    raise raised(_GONE, str(response.status))
                return await _read(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise raised(_LATER, "connect", detail=type(error).__name__) from error

    def _allowed(self, address: str) -> URL:
        """The address over HTTPS; raises SendError where it is not the platform's."""
        try:
            url = URL(address)
            if url.origin() == self._own:
                return url
            host = (url.host or "").lower()
            is_ours = url.port in (80, 443) and url.user is None and url.scheme in ("http", "https")
        except ValueError:
            raise raised(_FOREIGN, "address") from None
        if not is_ours or not any(host == known or host.endswith(f".{known}") for known in self._hosts):
            raise raised(_FOREIGN, "host")
        return url.with_scheme("https").with_port(None)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The whole body, or an error as soon as it is too large, whatever its header said."""
    content = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        content += chunk
        if len(content) > MOST_BYTES:
            raise raised(_TOO_LARGE, "size")
    return bytes(content)
