"""The wire to the Graph API: one call, its time limit, its answer read without trust, its failures as `SendError`."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from bot.channels import wire
from bot.channels.base import Account, Attachment, Fault, SendError, Usage, raised
from bot.channels.messenger import errors, faults
from bot.channels.messenger.envelope import record, records
from bot.channels.patience import Patience
from bot.channels.text import clean

Session = aiohttp.ClientSession
TIMEOUT = 8.0
"""Seconds that one call may take in all."""
UPLOAD_TIMES = 5
"""How many times as long a file may take."""
_LONGEST_WAIT = timedelta(hours=1)
_USAGE = "X-Business-Use-Case-Usage"
_APP_USAGE = "X-App-Usage"
_LIMITS = ("messenger", "pages")
_SPENT = ("call_count", "total_time", "total_cputime")
_USAGE_LASTS = timedelta(minutes=10)
_JSON = "application/json"
_TRACE = re.compile(r"[0-9A-Za-z_-]{1,40}")


class Graph:
    """Calls to one Graph API address over a session that belongs to others.

    With `prove` each call shows that we know the app's secret.
    """

    def __init__(self, session: Session, url: str, timeout: float = TIMEOUT, *, prove: bool = True) -> None:
        self._session, self._prove = session, prove
        self._url = url.rstrip("/")
        self._connecting = aiohttp.ClientTimeout(total=None, connect=timeout / 2)
        self._patience, self._upload_patience = Patience(timeout), Patience(timeout * UPLOAD_TIMES)

    async def post(self, account: Account, path: str, body: bytes) -> tuple[dict[str, Any], Usage | None]:
        """Do something once; the answer, and how near our limits are. UNKNOWN where it may have been done although no
        good answer came."""
        return await self._call("POST", self._address(account, path), body, faults.OUTCOME_LOST)

    async def upload(self, account: Account, path: str, fields: Mapping[str, str], file: Attachment) -> dict[str, Any]:
        """Give a file, as a form; may be called twice, so a lost answer is RETRY."""
        form = aiohttp.FormData()
        for name, value in fields.items():
            form.add_field(name, value)
        form.add_field("filedata", file.content, filename=file.name, content_type=file.content_type)
        url = self._address(account, path)
        data, _ = await self._call("POST", url, form, faults.READ_FAILED, self._upload_patience)
        return data

    async def get(self, account: Account, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Read something; may be called twice, so a lost answer is RETRY."""
        return await self.repeat("GET", account, path, query)

    async def repeat(
        self, method: str, account: Account, path: str, query: Mapping[str, str], body: bytes | None = None
    ) -> dict[str, Any]:
        """Do what comes to the same when done twice, so a lost answer is RETRY."""
        url = self._address(account, path, urlencode(query))
        data, _ = await self._call(method, url, body, faults.READ_FAILED)
        return data

    async def listed(self, account: Account, path: str, query: Mapping[str, str], sheets: int) -> list[dict[str, Any]]:
        """Everything of a list that comes in sheets, so many at the most; no address of an answer is followed."""
        found: list[dict[str, Any]] = []
        after = ""
        for _ in range(sheets):
            data = await self.get(account, path, {**query, **({"after": after} if after else {})})
            found += records(data.get("data"))
            paging = record(data.get("paging"))
            before, after = after, clean(record(paging.get("cursors")).get("after"))
            if not paging.get("next") or not after or after == before:
                break
        return found

    async def trade(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Trade a token: a GET that carries its credentials in the query. RETRY where the answer was lost."""
        url = URL(f"{self._url}/oauth/access_token?{urlencode(query)}", encoded=True)
        data, _ = await self._call("GET", url, None, faults.READ_FAILED)
        return data

    def _address(self, account: Account, path: str, query: str = "") -> URL:
        secret = account.app_secret if self._prove else ""
        return address(f"{self._url}/{path}?{query}", account.access_token, secret)

    async def _call(
        self,
        method: str,
        url: URL,
        body: bytes | aiohttp.FormData | None,
        lost: Fault,
        patience: Patience | None = None,
    ) -> tuple[dict[str, Any], Usage | None]:
        data = aiohttp.BytesPayload(body, content_type=_JSON) if isinstance(body, bytes) else body
        try:
            with patience or self._patience:
                # An answer that is read to its end needs no closing, which would cost a tenth of the call.
                response = await self._session.request(
                    method, url, data=data, timeout=self._connecting, allow_redirects=False
                )
                raw = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as failure:
            raise raised(faults.NOT_REACHED, "not_reached", detail=type(failure).__name__) from None
        except TimeoutError:
            raise raised(lost, "timeout") from None
        except (aiohttp.ClientError, OSError) as failure:
            raise raised(lost, "lost", detail=type(failure).__name__) from None
        usage = usage_of(response.headers.get(_APP_USAGE, ""), response.headers.get(_USAGE, ""))
        try:
            return answer(response.status, response.headers, raw, lost), usage
        except SendError as error:
            error.usage = usage
            raise


def edge(account: Account, name: str) -> str:
    """The path of what belongs to an account's Page."""
    return f"{_quoted(account.account_id)}/{name}"


@lru_cache(maxsize=256)
def _quoted(part: str) -> str:
    return quote(part, safe="")


@lru_cache(maxsize=1024)
def address(url: str, token: str, app_secret: str) -> URL:
    """Where a call goes, with the credentials in its query."""
    return URL(f"{url}&{credentials(token, app_secret)}".replace("?&", "?"), encoded=True)


@lru_cache(maxsize=256)
def credentials(token: str, app_secret: str) -> str:
    """The token, and the proof that we know the app's secret where we do, as a query (Graph API, "Secure Requests")."""
    query = {"access_token": token}
    if app_secret:
        query["appsecret_proof"] = hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
    return urlencode(query)


def answer(status: int, headers: Mapping[str, str], raw: bytes, lost: Fault) -> dict[str, Any]:
    """The JSON object of a good answer; `SendError` for all others. The content type is not looked at.

    An error in Graph's own words is judged by its code, whatever the status. Without such words: 429, and 503 with
    Retry-After, say that nothing was done, so RETRY; 401 is AUTH; the rest of 4xx and every redirect are PERMANENT;
    any other 5xx, and a 2xx that cannot be read, may hide a call that was carried out, so they are `lost`.
    """
    data = _object(raw)
    failure = data.get("error") if data is not None else None
    if 200 <= status < 300 and data is not None and failure is None:
        return data
    wait = _retry_after(headers)
    if isinstance(failure, dict):
        code, subcode = _number(failure.get("code")), _number(failure.get("error_subcode"))
        raise errors.error(code, subcode, status, wait or _regain(headers), _trace(failure.get("fbtrace_id")))
    name = f"http {status}"
    if status == 429 or (status == 503 and wait):
        raise raised(faults.BUSY, name, wait)
    if status == 401:
        raise raised(faults.RECONNECT, name)
    if 300 <= status < 500:
        raise raised(faults.REFUSED_UNREAD, name)
    raise raised(lost, name, wait)


@lru_cache(maxsize=256)
def usage_of(app: str, business: str) -> Usage | None:
    """How near the app's and the Page's limits are, by the two usage headers (Graph API, "Rate Limits"); None where
    neither says. The windows roll, so what was heard counts for ten minutes."""
    if not (app or business):
        return None
    groups = (_object(business.encode("utf-8", "replace")) or {}).values()
    rows = [row for group in groups for row in records(group) if row.get("type") in _LIMITS]
    minutes = max((_number(row.get("estimated_time_to_regain_access")) for row in rows), default=0)
    spent = [_percent(row.get(key)) for row in (*rows, _object(app.encode("utf-8", "replace")) or {}) for key in _SPENT]
    known = [percent for percent in spent if percent is not None]
    if not known:
        return None
    return Usage(max(known), _USAGE_LASTS, min(timedelta(minutes=min(minutes, 60)), _LONGEST_WAIT))


def _percent(value: Any) -> int | None:
    return int(value) if type(value) in (int, float) and 0 <= value < 10**6 else None


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        data = wire.read(raw)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _number(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return value if type(value) is int else 0


def _trace(value: Any) -> str:
    """The id that support at Meta asks for first; "" where it does not look like one."""
    return value if isinstance(value, str) and _TRACE.fullmatch(value) else ""


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    text = headers.get("Retry-After", "").strip()
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    return min(timedelta(seconds=seconds), _LONGEST_WAIT) if seconds else None


def _regain(headers: Mapping[str, str]) -> timedelta | None:
    """How long until a throttled Page may call again, by its usage header (Graph API, "Rate Limits")."""
    usage = _object(headers.get(_USAGE, "").encode("utf-8", "replace")) or {}
    rows = [row for group in usage.values() for row in records(group)]
    minutes = max((_number(row.get("estimated_time_to_regain_access")) for row in rows), default=0)
    return min(timedelta(minutes=min(minutes, 60)), _LONGEST_WAIT) if minutes > 0 else None
