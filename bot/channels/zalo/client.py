"""HTTP to Zalo: one call, one answer read with distrust, every failure a `SendError`.

https://docs.zaloplatforms.com/docs/OA/phu-luc/ma-loi: failures come with HTTP 200, success is `error == 0` alone.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from bot.channels.base import (
    Account,
    Attachment,
    Fault,
    Owner,
    SendError,
    SendErrorKind,
    Sent,
    Subject,
    TokenPair,
    Usage,
    Words,
    raised,
)
from bot.channels.text import clean
from bot.channels.zalo import heard, quotas
from bot.channels.zalo.business_errors import BUSINESS
from bot.channels.zalo.envelope import identifier, items, mapping
from bot.channels.zalo.errors import EXCHANGE_STRANGE, OA, OAUTH, OAUTH_STRANGE, STRANGE, UNAUTHORIZED
from crm.allowances import Allowance

Json = dict[str, Any]

LINES = 10
"""The most lines that Zalo shows at once."""
_LONGEST_OA_ID = 64
_TEMPLATES_A_PAGE = 100
_MOST_TEMPLATES = 10_000
_NO_SUCH_TEMPLATE = "-109"
_BOTH = {**BUSINESS, **OA}
_TOKEN_LIFE = timedelta(hours=25)
_EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
_CLOCK_SKEW = timedelta(seconds=5)

_NOT_REACHED = Words(
    "Zalo could not be reached: it is tried again by itself.", "Không kết nối được tới Zalo: hệ thống sẽ tự thử lại."
)
_BUSY = Words("Zalo is busy: it is tried again by itself.", "Zalo đang bận: hệ thống sẽ tự thử lại.")
_NO_ANSWER = Words(
    "Zalo's answer was lost or cannot be read, so it may have acted: the service finds out before it tries again.",
    "Không nhận được trả lời rõ ràng của Zalo nên có thể đã gửi: hệ thống sẽ kiểm tra trước khi gửi lại.",
)


@dataclass(frozen=True, slots=True)
class Urls:
    """Where Zalo is; a simulator or a test stands elsewhere."""

    api: str = "https://openapi.zalo.me"
    oauth: str = "https://oauth.zaloapp.com"
    business: str = "https://business.openapi.zalo.me"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back: HTTP status, JSON object (None where there is none), the wait that was asked for, and usage."""

    status: int
    body: Json | None
    retry_after: timedelta | None
    usage: Usage | None = None


class Client:
    """Calls of one shared session. `timeout` and `refresh_timeout` are total seconds of one call. With `prove` each
    call shows that we know the app's secret.

    An unclear outcome is UNKNOWN where the call may have changed something, and RETRY where it only asked. A
    connection that was never made is always RETRY.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        urls: Urls,
        *,
        timeout: float = 8.0,
        refresh_timeout: float = 20.0,
        prove: bool = True,
    ) -> None:
        api, oauth, business = (url.rstrip("/") for url in (urls.api, urls.oauth, urls.business))
        self._session, self._prove = session, prove
        self._send_url = f"{api}/v3.0/oa/message/cs"
        self._template_url = f"{api}/v3.0/oa/message/template"
        self._phone_template_url = f"{business}/message/template"
        self._templates_url = f"{business}/template/all"
        self._template_info_url = f"{business}/template/info/v2"
        self._quota_url = f"{api}/v3.0/oa/quota/message"
        self._template_quota_url = f"{business}/message/quota"
        self._detail_url = f"{api}/v3.0/oa/user/detail"
        self._conversation_url = f"{api}/v2.0/oa/conversation"
        self._old_message_url = f"{api}/v2.0/oa/message"
        self._followers_url = f"{api}/v3.0/oa/user/getlist"
        self._label_url = f"{api}/v2.0/oa/tag"
        self._upload_url = f"{api}/v2.0/oa/upload"
        self._account_url = f"{api}/v2.0/oa/getoa"
        self._recent_url = f"{api}/v2.0/oa/listrecentchat"
        self._token_url = f"{oauth}/v4/oa/access_token"
        self._timeout = _limits(timeout)
        self._refresh_timeout = _limits(refresh_timeout)

    async def send(self, account: Account, body: Json) -> Sent:
        """Post one consultation message; not to be called twice for one message, as Zalo knows no idempotency key."""
        return await self._post(self._send_url, account, body, OA)

    async def send_template(self, account: Account, body: Json) -> Sent:
        """Post one template to a person's id on the OA host, which uses the codes of both hosts; not twice, either."""
        return await self._post(self._template_url, account, body, _BOTH)

    async def send_template_to_phone(self, account: Account, body: Json) -> Sent:
        """Post one template to a phone number; not twice: Zalo does not promise to heed `tracking_id`."""
        return await self._post(self._phone_template_url, account, body, BUSINESS)

    async def react(self, account: Account, body: Json) -> None:
        """Put a reaction on a message, or take it off; may be called twice."""
        await self._do(self._old_message_url, account, body)

    async def followers(self, account: Account, question: Json) -> Json:
        """A page of the ids of those who follow the OA."""
        return mapping(_accepted(await self._ask(self._followers_url, account, question), OA, acted=False).get("data"))

    async def label(self, account: Account, user_id: str, name: str, *, on: bool) -> None:
        """Put a label of the OA on a person, or take it off; may be called twice. The label is made at first use."""
        verb = "tagfollower" if on else "rmfollowerfromtag"
        await self._do(f"{self._label_url}/{verb}", account, {"user_id": _number(user_id), "tag_name": name})

    async def _do(self, url: str, account: Account, body: Json) -> None:
        """Something that comes to the same when done twice."""
        headers = {**self._headers(account), "Content-Type": "application/json"}
        data = json.dumps(body, separators=(",", ":")).encode()
        answer = await self._call("POST", url, headers, limits=self._timeout, repeats=True, data=data)
        _accepted(answer, OA, acted=False)

    async def templates(self, account: Account) -> list[Json]:
        """Everything that Zalo tells of each of the OA's templates: its list, page by page, and a look at each."""
        found: list[Json] = []
        for offset in range(0, _MOST_TEMPLATES, _TEMPLATES_A_PAGE):
            question = {"offset": str(offset), "limit": str(_TEMPLATES_A_PAGE)}
            page = items((await self._look(self._templates_url, account, question)).get("data"))
            for each in map(mapping, page):
                if template_id := identifier(each.get("templateId")):
                    found += await self._template(account, template_id)
            if len(page) < _TEMPLATES_A_PAGE:
                break
        return found

    async def _template(self, account: Account, template_id: str) -> list[Json]:
        """One template; none where it went between the list and the look."""
        try:
            body = await self._look(self._template_info_url, account, {"template_id": template_id})
        except SendError as error:
            if error.code == _NO_SUCH_TEMPLATE:
                return []
            raise
        return [mapping(body.get("data"))]

    async def _look(self, url: str, account: Account, params: Mapping[str, str]) -> Json:
        """A question to the business host, which takes plain parameters."""
        answer = await self._call("GET", url, self._headers(account), limits=self._timeout, params=params)
        return _accepted(answer, BUSINESS, acted=False)

    async def _post(self, url: str, account: Account, body: Json, faults: Mapping[int, Fault]) -> Sent:
        headers = {**self._headers(account), "Content-Type": "application/json"}
        data = json.dumps(body, separators=(",", ":")).encode()
        answer = await self._call("POST", url, headers, limits=self._timeout, data=data)
        sent = mapping(_accepted(answer, faults, acted=True).get("data"))
        message_id = identifier(sent.get("message_id")) or identifier(sent.get("msg_id"))
        if not message_id:
            raise SendError(SendErrorKind.UNKNOWN, "no-message-id", _NO_ANSWER)
        quota = mapping(sent.get("quota"))
        return Sent(message_id, clean(quota.get("quota_type")), answer.usage, allowance=quotas.of_answer(quota))

    async def upload(self, account: Account, kind: str, attachment: Attachment) -> str:
        """Give Zalo a picture (`kind` image) or a `file` to hold for seven days; the id that a message names it by."""
        form = aiohttp.FormData()
        form.add_field("file", attachment.content, filename=attachment.name, content_type=attachment.content_type)
        url = f"{self._upload_url}/{kind}"
        answer = await self._call(
            "POST", url, self._headers(account), limits=self._refresh_timeout, repeats=True, data=form
        )
        held = mapping(_accepted(answer, OA, acted=False).get("data"))
        given = held.get("token" if kind == "file" else "attachment_id")
        remote_id = clean(given) or identifier(given)
        if not remote_id:
            raise _unclear(answer, acted=False)
        return remote_id

    async def user_detail(self, account: Account, user_id: str) -> Json:
        """What Zalo shows of a person who interacted with the OA."""
        answer = await self._ask(self._detail_url, account, {"user_id": user_id})
        return mapping(_accepted(answer, OA, acted=False).get("data"))

    async def last_interaction(self, account: Account, user_id: str) -> datetime | None:
        """When Zalo last saw the person do something that counts; None where it does not say."""
        told = line_moment(mapping(await self._quota(account, {"user_id": user_id})).get("last_interaction"))
        return told if told and told >= _EARLIEST else None

    async def quotas(self, account: Account, quota_type: str) -> tuple[Allowance, ...]:
        """What is left of the OA's quotas of this kind for consultation messages."""
        question = {"quota_owner": "OA", "product_type": "cs", "quota_type": quota_type}
        return quotas.of_assets(map(mapping, items(await self._quota(account, question))))

    async def template_quotas(self, account: Account) -> tuple[Allowance, ...]:
        """How many templates the OA may still send to phone numbers."""
        return quotas.of_templates(mapping((await self._look(self._template_quota_url, account, {})).get("data")))

    async def _quota(self, account: Account, question: Json) -> Any:
        headers = {**self._headers(account), "Content-Type": "application/json"}
        data = json.dumps(question, separators=(",", ":")).encode()
        answer = await self._call("POST", self._quota_url, headers, limits=self._timeout, repeats=True, data=data)
        return _accepted(answer, OA, acted=False).get("data")

    async def official_account(self, account: Account) -> Json:
        """What Zalo shows of the OA itself."""
        answer = await self._call("GET", self._account_url, self._headers(account), limits=self._timeout)
        return mapping(_accepted(answer, OA, acted=False).get("data"))

    async def whose(self, account: Account) -> Owner:
        """The OA that the token belongs to; RETRY where the answer does not say which."""
        about = await self.official_account(account)
        account_id = identifier(about.get("oaid"))
        if not account_id or len(account_id) > _LONGEST_OA_ID:
            raise SendError(SendErrorKind.RETRY, "no-oa-id", _NO_ANSWER)
        return Owner(account_id, " ".join(clean(about.get("name")).split()))

    async def find_sent(self, account: Account, user_id: str, text: str, since: datetime) -> str | None:
        """The oldest of our last ten lines to this person with this text, sent since then; its message id."""
        lines = await self.conversation(account, user_id, 0)
        wanted, earliest = clean(text).strip(), since - _CLOCK_SKEW
        ours = [
            (at, identifier(line.get("message_id")))
            for line in lines
            if line.get("src") == 0 and clean(line.get("message")).strip() == wanted
            if (at := line_moment(line.get("time"))) and at >= earliest
        ]
        return (min(ours)[1] or None) if ours and wanted else None

    async def conversation(self, account: Account, user_id: str, offset: int) -> list[Json]:
        """Ten lines of one conversation at most, newest first, after so many newer ones."""
        return await self._lines(
            self._conversation_url, account, {"user_id": _number(user_id), "offset": offset, "count": LINES}
        )

    async def recent_chats(self, account: Account, offset: int) -> list[Json]:
        """Ten of the newest lines of all conversations at most, newest first, after so many newer ones."""
        return await self._lines(self._recent_url, account, {"offset": offset, "count": LINES})

    async def _lines(self, url: str, account: Account, question: Json) -> list[Json]:
        answer = await self._ask(url, account, question)
        return [mapping(line) for line in items(_accepted(answer, OA, acted=False).get("data"))]

    async def refresh(self, account: Account, refresh_token: str) -> TokenPair:
        """Trade a single-use refresh token for a new pair."""
        form = {"refresh_token": refresh_token, "app_id": account.app_id, "grant_type": "refresh_token"}
        return await self._pair(account, form, OAUTH_STRANGE)

    async def exchange(self, app: Account, code: str, verifier: str) -> TokenPair:
        """Trade a single-use code for the first pair."""
        form = {"code": code, "app_id": app.app_id, "grant_type": "authorization_code", "code_verifier": verifier}
        return await self._pair(app, form, EXCHANGE_STRANGE)

    async def _pair(self, app: Account, form: Mapping[str, str], strange: Fault) -> TokenPair:
        """Success is two non-empty strings, whatever else the answer says."""
        headers = {"secret_key": app.app_secret}
        answer = await self._call("POST", self._token_url, headers, limits=self._refresh_timeout, data=form)
        body = answer.body or {}
        access, renewed = body.get("access_token"), body.get("refresh_token")
        if isinstance(access, str) and isinstance(renewed, str) and access and renewed:
            return TokenPair(access, renewed, _life(body.get("expires_in")))
        code = _code(body.get("error"))
        if access or renewed:
            raise SendError(SendErrorKind.UNKNOWN, "half-a-pair", _NO_ANSWER)
        if not (code or body.get("error_name") or answer.status == 401):
            raise _unclear(answer, acted=True)
        raise _error(OAUTH.get(code or 0, strange), code, answer)

    def _headers(self, account: Account) -> dict[str, str]:
        """The token, and the proof that an app may demand: the token's HMAC with the app's secret."""
        headers = {"access_token": account.access_token}
        if self._prove and account.app_secret:
            key, token = account.app_secret.encode(), account.access_token.encode()
            headers["appsecret_proof"] = hmac.new(key, token, hashlib.sha256).hexdigest()
        return headers

    async def _ask(self, url: str, account: Account, question: Json) -> _Answer:
        """A GET takes its one parameter as JSON."""
        params = {"data": json.dumps(question, separators=(",", ":"))}
        return await self._call("GET", url, self._headers(account), limits=self._timeout, params=params)

    async def _call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        limits: aiohttp.ClientTimeout,
        repeats: bool = False,
        **content: Any,
    ) -> _Answer:
        unclear = SendErrorKind.RETRY if method == "GET" or repeats else SendErrorKind.UNKNOWN
        try:
            async with self._session.request(
                method, url, headers=headers, timeout=limits, allow_redirects=False, **content
            ) as response:
                body, said = heard.body(await response.read()), response.headers
                return _Answer(response.status, body, heard.wait(said), heard.usage(said))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise SendError(SendErrorKind.RETRY, "connect", _NOT_REACHED, detail=type(error).__name__) from error
        except TimeoutError as error:
            raise SendError(unclear, "timeout", _NO_ANSWER) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SendError(unclear, "disconnected", _NO_ANSWER, detail=type(error).__name__) from error


def _number(user_id: str) -> int | str:
    """Zalo's older calls want a person's id as a number."""
    return int(user_id) if user_id.isdecimal() else user_id


def _limits(total: float) -> aiohttp.ClientTimeout:
    """Most of the time may go into connecting; when it does, nothing was sent and we know it."""
    return aiohttp.ClientTimeout(total=total, connect=total * 0.75)


def _accepted(answer: _Answer, faults: Mapping[int, Fault], *, acted: bool) -> Json:
    """The body of an answer that says `error: 0`; else raises what its code, or its lack, means."""
    code = _code(answer.body.get("error")) if answer.body else None
    if answer.body is None or code is None:
        raise _unclear(answer, acted=acted)
    if code != 0:
        raise _error(faults.get(code, UNAUTHORIZED if answer.status == 401 else STRANGE), code, answer)
    return answer.body


def _unclear(answer: _Answer, *, acted: bool) -> SendError:
    """An answer without Zalo's envelope: something on the way spoke, or the body was cut.

    401 is a bad token. 429, and 503 that names a wait, were refused before Zalo saw them, as were redirects and other
    4xx. Any other 5xx may hide a message that went out, and so may a success that cannot be read.
    """
    status = answer.status
    code = f"http-{status}"
    if status == 401:
        return _error(UNAUTHORIZED, None, answer)
    if status == 429 or (status == 503 and answer.retry_after is not None):
        return SendError(SendErrorKind.RETRY, code, _BUSY, retry_after=answer.retry_after, subject=Subject.ACCOUNT)
    if 300 <= status < 500 or not acted:
        return SendError(SendErrorKind.RETRY, code, _BUSY, retry_after=answer.retry_after)
    return SendError(SendErrorKind.UNKNOWN, code, _NO_ANSWER, retry_after=answer.retry_after)


def _error(fault: Fault, code: int | None, answer: _Answer) -> SendError:
    name = f"http-{answer.status}" if code is None else str(code)
    error = raised(fault, name, answer.retry_after)
    error.usage = answer.usage
    return error


def _code(value: object) -> int | None:
    """The error number, which some answers hold as text."""
    if isinstance(value, str) and len(value) <= 12:
        try:
            return int(value)
        except ValueError:
            return None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def line_moment(value: object) -> datetime | None:
    """Epoch milliseconds, as a conversation's lines hold them; None for anything else."""
    digits = identifier(value)
    return datetime.fromtimestamp(int(digits) / 1000, UTC) if digits.isdecimal() and len(digits) <= 14 else None


def _life(value: object) -> timedelta:
    """Seconds, mostly as text; the documented 25 hours where it is missing or absurd."""
    seconds = _code(value)
    return timedelta(seconds=seconds) if seconds is not None and 0 < seconds <= 10**7 else _TOKEN_LIFE
