"""Connecting an account in a browser: the consent that is asked for, and what becomes of the answer."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from sqlmodel import Session

from bot.accounts import connect
from bot.channels.abilities import Consenting
from bot.channels.base import Account, Consent, Owner, SendError, SendErrorKind, TokenPair, Words
from bot.channels.text import shortened
from bot.secrets import Sealer, WrongKey
from storage import grants
from storage.database import Database
from storage.faults import faultpoint
from storage.grants import GrantView

log = logging.getLogger(__name__)

LIFE = timedelta(minutes=30)
"""How long an address may be answered."""
KEPT = timedelta(days=1)
LOOKS = 3
PAUSE_S = 0.5
_LONGEST_NAME = 200
_VERIFIER = string.ascii_letters + string.digits
_UNCLEAR = (SendErrorKind.RETRY, SendErrorKind.UNKNOWN)

_AGAIN = "Begin again: khachquen account add {channel}"
_AGAIN_VI = "Hãy bắt đầu lại: khachquen account add {channel}"
UNKNOWN = Words(
    "This address was not made by this service, or a part of it is missing. Nothing was changed.",
    "Địa chỉ này không do hệ thống tạo ra hoặc bị thiếu một phần. Chưa có gì thay đổi.",
)
EXPIRED = Words(
    "This address has expired. Nothing was changed.",
    "Địa chỉ này đã hết hạn. Chưa có gì thay đổi.",
)
USED = Words(
    "This address was used before; it works once. khachquen account list shows what is connected.",
    "Địa chỉ này đã được dùng, mỗi địa chỉ chỉ dùng một lần. Lệnh khachquen account list cho biết đã kết nối gì.",
)
REFUSED = Words(
    "The platform says that access was not granted ({error}). Nothing was changed.",
    "Nền tảng báo quyền truy cập chưa được cấp ({error}). Chưa có gì thay đổi.",
)
LOST = Words(
    "The platform could not be reached, or its answer was lost. Nothing was connected.",
    "Không kết nối được tới nền tảng hoặc không nhận được trả lời. Chưa kết nối được.",
)
SEALED = Words(
    "SECRET_KEY was changed since this address was made. Nothing was connected.",
    "SECRET_KEY đã đổi từ khi tạo địa chỉ này. Chưa kết nối được.",
)
SWAPPED = Words(
    "The account that agreed is {found}, but the browser came back for {said}: swapped. Nothing was connected.",
    "Tài khoản đã cấp quyền là {found}, nhưng trình duyệt báo {said}: không khớp. Chưa kết nối được.",
)
CONNECTED = Words(
    "{name} is connected. You may close this page.",
    "Đã kết nối {name}. Bạn có thể đóng trang này.",
)


class Asked(NamedTuple):
    """A request that waits for somebody's browser."""

    request: int
    address: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a callback; `owner` is the account that is connected now, None where none is."""

    words: Words
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class Grants:
    """Consents on one channel. `app` is an account without an id: only its channel and its app count."""

    database: Database
    channel: Consenting
    app: Account
    sealer: Sealer
    clock: Callable[[], datetime]

    async def ask(self, callback: str) -> Asked:
        """Make an address that an account's admin opens, good for once and for `LIFE`."""
        state = secrets.token_urlsafe(32)
        verifier = "".join(secrets.choice(_VERIFIER) for _ in range(43))
        now = self.clock()
        until, sealed = now + LIFE, self.sealer.seal(verifier)

        def keep(session: Session) -> int:
            grants.forget(session, now - KEPT)
            return grants.add(session, self.app.channel, digest(state), sealed, now, until)

        request = await self.database.write(keep, name="grants.ask")
        return Asked(request, self.channel.consent_address(self.app, callback, verifier, state), until)

    async def settle(self, consent: Consent) -> Outcome:
        """Connect the account whose admin agreed. Of many callbacks with one state, one has an effect."""
        find = partial(grants.find_by_state, channel=self.app.channel, state=digest(consent.state))
        view = await self.database.read(find)
        if view is None or not (consent.code or consent.error):
            return self._again(UNKNOWN)
        now = self.clock()
        if view.used_at is not None:
            return self._again(USED)
        if not await self.database.write(partial(grants.use, request=view.id, now=now), name="grants.use"):
            return self._again(EXPIRED if view.expires_at <= now else USED)
        faultpoint("grant.used")
        if consent.error:
            return await self._failed(view, _filled(REFUSED, error=consent.error), consent.error)
        try:
            return await self._connected(view, consent)
        except WrongKey:
            return await self._failed(view, SEALED, "wrong-key")
        except SendError as error:
            return await self._failed(view, LOST if error.kind in _UNCLEAR else error.words, error.code)

    async def _connected(self, view: GrantView, consent: Consent) -> Outcome:
        pair = await self._exchanged(consent.code, self.sealer.open(view.verifier))
        owner = await self._whose(pair)
        if consent.account_id and consent.account_id != owner.account_id:
            words = _filled(SWAPPED, found=owner.account_id, said=consent.account_id)
            return await self._failed(view, words, "swapped")
        faultpoint("grant.exchanged")
        now, name = self.clock(), shortened(owner.name, _LONGEST_NAME)
        sealed = self.sealer.seal(pair.access_token), self.sealer.seal(pair.refresh_token)
        more: dict[str, object] = {"access_expires_at": now + pair.expires_in} | ({"name": name} if name else {})

        def keep(session: Session) -> None:
            connect(session, self.app.channel, owner.account_id, sealed, now, **more)
            grants.settle(session, view.id, now, account_id=owner.account_id, name=name)

        await self.database.write(keep, name="grants.connect")
        log.info("an account was connected", extra={"channel": self.app.channel, "account": owner.account_id})
        return Outcome(_filled(CONNECTED, name=name or owner.account_id), owner)

    async def _exchanged(self, code: str, verifier: str) -> TokenPair:
        """The first pair; one more try where it is not known whether the platform heard the first."""
        try:
            return await self.channel.exchange(self.app, code, verifier)
        except SendError as error:
            if error.kind not in _UNCLEAR:
                raise
        log.warning("the answer to the exchange of a code was lost; trying once more")
        return await self.channel.exchange(self.app, code, verifier)

    async def _whose(self, pair: TokenPair) -> Owner:
        """Whom the pair belongs to. A former pair of theirs is dead by now, so it is worth asking again."""
        app = self.app
        account = Account(app.channel, "", pair.access_token, app.app_id, app.app_secret)
        for _ in range(LOOKS - 1):
            try:
                return await self.channel.whose(account)
            except SendError as error:
                if error.kind not in _UNCLEAR:
                    raise
            await asyncio.sleep(PAUSE_S)
        return await self.channel.whose(account)

    async def _failed(self, view: GrantView, words: Words, code: str) -> Outcome:
        now = self.clock()
        end = partial(grants.settle, request=view.id, now=now, failure=words.en)
        await self.database.write(end, name="grants.fail")
        log.warning("a consent connected no account", extra={"channel": self.app.channel, "code": code})
        return self._again(words)

    def _again(self, words: Words) -> Outcome:
        name = self.app.channel
        return Outcome(
            Words(f"{words.en} {_AGAIN.format(channel=name)}", f"{words.vi} {_AGAIN_VI.format(channel=name)}")
        )


def digest(state: str) -> str:
    """What is kept of a state: who reads the database cannot answer in somebody's place."""
    return hashlib.sha256(b"khachquen:state:" + state.encode("utf-8", "replace")).hexdigest()


def _filled(words: Words, **values: str) -> Words:
    return Words(words.en.format(**values), words.vi.format(**values))
