"""The wire to Zalo's Bot API: one call, its time limit, its answer read without trust, its failures as `SendError`.

https://docs.zaloplatforms.com/docs/BOT: POST with JSON to `<host>/bot<token>/<method>`; the answer is `ok` with
`result`, or `description` with `error_code`. The token stands in the address, so no address and no words of an answer
or of the HTTP library are ever kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import aiohttp
from yarl import URL

from bot.channels import wire
from bot.channels.base import Account, Fault, raised
from bot.channels.zalo.envelope import mapping
from bot.channels.zalobot import errors

Json = dict[str, Any]

TIMEOUT = 8.0
WAIT = 30
"""Seconds that Zalo waits for something to tell: its own default."""
_PATIENCE = 10.0
"""Seconds that the answer may come later than that."""
_NOTHING_CAME = 408
_TOKEN = re.compile(r"[0-9A-Za-z_:.-]{8,256}")


class Client:
    """Calls to the Bot API over a session that belongs to others."""

    def __init__(self, session: aiohttp.ClientSession, url: str, timeout: float = TIMEOUT, wait: int = WAIT) -> None:
        self._session, self._url, self._wait = session, url.rstrip("/"), wait
        self._timeout = aiohttp.ClientTimeout(total=timeout, connect=timeout / 2)
        self._patience = aiohttp.ClientTimeout(total=wait + _PATIENCE, connect=timeout / 2)

    async def send(self, account: Account, method: str, body: Json) -> Json:
        """Do something once; UNKNOWN where it may have been done although no good answer came."""
        status, answer = await self._call(account, method, body, self._timeout, errors.OUTCOME_LOST)
        return mapping(_accepted(status, answer, errors.SENDING, errors.OUTCOME_LOST))

    async def ask(self, account: Account, method: str) -> Json:
        """Read something."""
        status, answer = await self._call(account, method, {}, self._timeout, errors.READ_FAILED)
        return mapping(_accepted(status, answer, errors.ASKING, errors.READ_FAILED))

    async def updates(self, account: Account) -> list[Json]:
        """What happened next, after a while if need be; Zalo tells one thing at a time, and none of them twice."""
        body = {"timeout": str(self._wait)}
        status, answer = await self._call(account, "getUpdates", body, self._patience, errors.READ_FAILED)
        if not _is_good(status, answer) and _code(status, answer) == _NOTHING_CAME:
            return []
        result = _accepted(status, answer, errors.ASKING, errors.READ_FAILED)
        told = result if isinstance(result, list) else [result]
        return [update for update in map(mapping, told) if update]

    async def _call(
        self, account: Account, method: str, body: Json, limits: aiohttp.ClientTimeout, lost: Fault
    ) -> tuple[int, Json | None]:
        if not _TOKEN.fullmatch(account.access_token):
            raise raised(errors.TOKEN, "token")
        url = URL(f"{self._url}/bot{account.access_token}/{method}", encoded=True)
        try:
            async with self._session.post(url, json=body, timeout=limits, allow_redirects=False) as response:
                return response.status, _object(await response.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as failure:
            raise raised(errors.NOT_REACHED, "not_reached", detail=type(failure).__name__) from None
        except TimeoutError:
            raise raised(lost, "timeout") from None
        except (aiohttp.ClientError, OSError) as failure:
            raise raised(lost, "lost", detail=type(failure).__name__) from None


def _accepted(status: int, answer: Json | None, faults: Mapping[int, Fault], lost: Fault) -> Any:
    """The result of a good answer; `SendError` for all others.

    An error in Zalo's own words is judged by its code, whatever the status; without such words the status is the code.
    What is no answer of the Bot API's, or of trouble behind it, may hide a call that was carried out.
    """
    if _is_good(status, answer) and answer is not None:
        return answer.get("result")
    code = _code(status, answer)
    unclear = code >= 500 or code < 400
    raise raised(faults.get(code) or (lost if unclear else errors.NOT_TAKEN), str(code))


def _is_good(status: int, answer: Json | None) -> bool:
    return 200 <= status < 300 and answer is not None and answer.get("ok") is True


def _code(status: int, answer: Json | None) -> int:
    """Seen both as a number and as text."""
    code = (answer or {}).get("error_code")
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) < 6:
        code = int(code)
    return code if type(code) is int and code else status


def _object(raw: bytes) -> Json | None:
    try:
        data = wire.read(raw)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
