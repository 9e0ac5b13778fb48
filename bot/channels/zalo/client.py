"""HTTP to Zalo: one call, one answer read with distrust, every failure a `SendError`.

https://docs.zaloplatforms.com/docs/OA/phu-luc/ma-loi: failures come with HTTP 200, success is `error == 0` alone.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import aiohttp

from bot.channels import wire
from bot.channels.base import (
    Account,
    Attachment,
    Fault,
    Owner,
    SendError,
    SendErrorKind,
    Sent,
    TokenPair,
)
from bot.channels.patience import Patience
from bot.channels.text import clean
from bot.channels.zalo import heard, quotas
from bot.channels.zalo.answers import (
    NO_ANSWER,
    NOT_REACHED,
    Answer,
    accepted,
    code_of,
    life_of,
    line_moment,
    refused,
    unclear,
)  # fmt: skip
from bot.channels.zalo.business_errors import BUSINESS
from bot.channels.zalo.envelope import identifier, items, mapping
from bot.channels.zalo.errors import EXCHANGE_STRANGE, OA, OAUTH, OAUTH_STRANGE
from crm.allowances import Allowance

Json = dict[str, Any]

LINES = 10
"""The most lines that Zalo shows at once."""
_LONGEST_OA_ID = 64
TEMPLATES_A_PAGE = 100
_BOTH = {**BUSINESS, **OA}
_EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
_CLOCK_SKEW = timedelta(seconds=5)
_TO_CONNECT = 0.75
"""Most of a call's time may go into connecting; when it does, nothing was sent and we know it."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Where Zalo is; a simulator or a test stands elsewhere."""

    api: str = "https://openapi.zalo.me"
    oauth: str = "https://oauth.zaloapp.com"
    business: str = "https://business.openapi.zalo.me"


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
        self._connecting = aiohttp.ClientTimeout(total=None, connect=timeout * _TO_CONNECT)
        self._patience, self._long_patience = Patience(timeout), Patience(refresh_timeout)

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
        return mapping(accepted(await self._ask(self._followers_url, account, question), OA, acted=False).get("data"))

    async def label(self, account: Account, user_id: str, name: str, *, on: bool) -> None:
        """Put a label of the OA on a person, or take it off; may be called twice. The label is made at first use."""
        verb = "tagfollower" if on else "rmfollowerfromtag"
        await self._do(f"{self._label_url}/{verb}", account, {"user_id": _number(user_id), "tag_name": name})

    async def _do(self, url: str, account: Account, body: Json) -> None:
        """Something that comes to the same when done twice."""
        headers = {**self._headers(account), "Content-Type": "application/json"}
        data = wire.written(body)
        answer = await self._call("POST", url, headers, patience=self._patience, repeats=True, data=data)
        accepted(answer, OA, acted=False)

    async def templates(self, account: Account, offset: int) -> list[Json]:
        """A page of the list of the OA's templates, which says little of each."""
        question = {"offset": str(offset), "limit": str(TEMPLATES_A_PAGE)}
        answer = await self._look(self._templates_url, account, question)
        return [mapping(each) for each in items(answer.get("data"))]

    async def template(self, account: Account, template_id: str) -> Json:
        """All that Zalo tells of one template."""
        answer = await self._look(self._template_info_url, account, {"template_id": template_id})
        return mapping(answer.get("data"))

    async def _look(self, url: str, account: Account, params: Mapping[str, str]) -> Json:
        """A question to the business host, which takes plain parameters."""
        answer = await self._call("GET", url, self._headers(account), patience=self._patience, params=params)
        return accepted(answer, BUSINESS, acted=False)

    async def _post(self, url: str, account: Account, body: Json, faults: Mapping[int, Fault]) -> Sent:
        headers = {**self._headers(account), "Content-Type": "application/json"}
        data = wire.written(body)
        answer = await self._call("POST", url, headers, patience=self._patience, data=data)
        sent = mapping(accepted(answer, faults, acted=True).get("data"))
        message_id = identifier(sent.get("message_id")) or identifier(sent.get("msg_id"))
        if not message_id:
            raise SendError(SendErrorKind.UNKNOWN, "no-message-id", NO_ANSWER)
        quota = mapping(sent.get("quota"))
        return Sent(message_id, clean(quota.get("quota_type")), answer.usage, allowance=quotas.of_answer(quota))

    async def upload(self, account: Account, kind: str, attachment: Attachment) -> str:
        """Give Zalo a picture (`kind` image) or a `file` to hold for seven days; the id that a message names it by."""
        form = aiohttp.FormData()
        form.add_field("file", attachment.content, filename=attachment.name, content_type=attachment.content_type)
        url = f"{self._upload_url}/{kind}"
        answer = await self._call(
            "POST", url, self._headers(account), patience=self._long_patience, repeats=True, data=form
        )
        held = mapping(accepted(answer, OA, acted=False).get("data"))
        given = held.get("token" if kind == "file" else "attachment_id")
        remote_id = clean(given) or identifier(given)
        if not remote_id:
            raise unclear(answer, acted=False)
        return remote_id

    async def user_detail(self, account: Account, user_id: str) -> Json:
        """What Zalo shows of a person who interacted with the OA."""
        answer = await self._ask(self._detail_url, account, {"user_id": user_id})
        return mapping(accepted(answer, OA, acted=False).get("data"))

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
        data = wire.written(question)
        answer = await self._call("POST", self._quota_url, headers, patience=self._patience, repeats=True, data=data)
        return accepted(answer, OA, acted=False).get("data")

    async def official_account(self, account: Account) -> Json:
        """What Zalo shows of the OA itself."""
        answer = await self._call("GET", self._account_url, self._headers(account), patience=self._patience)
        return mapping(accepted(answer, OA, acted=False).get("data"))

    async def whose(self, account: Account) -> Owner:
        """The OA that the token belongs to; RETRY where the answer does not say which."""
        about = await self.official_account(account)
        account_id = identifier(about.get("oaid"))
        if not account_id or len(account_id) > _LONGEST_OA_ID:
            raise SendError(SendErrorKind.RETRY, "no-oa-id", NO_ANSWER)
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
        return [mapping(line) for line in items(accepted(answer, OA, acted=False).get("data"))]

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
        answer = await self._call("POST", self._token_url, headers, patience=self._long_patience, data=form)
        body = answer.body or {}
        access, renewed = body.get("access_token"), body.get("refresh_token")
        if isinstance(access, str) and isinstance(renewed, str) and access and renewed:
            return TokenPair(access, renewed, life_of(body.get("expires_in")))
        code = code_of(body.get("error"))
        if access or renewed:
            raise SendError(SendErrorKind.UNKNOWN, "half-a-pair", NO_ANSWER)
        if not (code or body.get("error_name") or answer.status == 401):
            raise unclear(answer, acted=True)
        raise refused(OAUTH.get(code or 0, strange), code, answer)

    def _headers(self, account: Account) -> dict[str, str]:
        """The token, and the proof that an app may demand: the token's HMAC with the app's secret."""
        headers = {"access_token": account.access_token}
        if self._prove and account.app_secret:
            headers["appsecret_proof"] = _proof(account.access_token, account.app_secret)
        return headers

    async def _ask(self, url: str, account: Account, question: Json) -> Answer:
        """A GET takes its one parameter as JSON."""
        params = {"data": wire.written(question).decode()}
        return await self._call("GET", url, self._headers(account), patience=self._patience, params=params)

    async def _call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        patience: Patience,
        repeats: bool = False,
        **content: Any,
    ) -> Answer:
        kind = SendErrorKind.RETRY if method == "GET" or repeats else SendErrorKind.UNKNOWN
        try:
            with patience:
                # An answer that is read to its end needs no closing, which would cost a tenth of the call.
                response = await self._session.request(
                    method, url, headers=headers, timeout=self._connecting, allow_redirects=False, **content
                )
                body, said = heard.body(await response.read()), response.headers
                return Answer(response.status, body, heard.wait(said), heard.usage(said))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise SendError(SendErrorKind.RETRY, "connect", NOT_REACHED, detail=type(error).__name__) from error
        except TimeoutError as error:
            raise SendError(kind, "timeout", NO_ANSWER) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SendError(kind, "disconnected", NO_ANSWER, detail=type(error).__name__) from error


def _number(user_id: str) -> int | str:
    """Zalo's older calls want a person's id as a number."""
    return int(user_id) if user_id.isdecimal() else user_id


@lru_cache(maxsize=256)
def _proof(token: str, app_secret: str) -> str:
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
