"""A look at an OA: whether it is verified, how long its package is paid for, and what is left of its quotas."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.channels.base import Account, Checkup, SendError, SendErrorKind, Trouble
from bot.channels.text import clean
from bot.channels.zalo.client import Client
from bot.channels.zalo.quotas import BEYOND_FREE, day
from crm.allowances import Allowance

log = logging.getLogger(__name__)

PACKAGE_ENDS = "package_ends"
NOT_VERIFIED = "oa_not_verified"
ENDS_SOON = timedelta(days=14)
_PACKAGE_OVER, _UNVERIFIED = "-224", "-221"


async def check_up(client: Client, account: Account, now: datetime) -> Checkup:
    """The OA's name, verification, package and quotas. AUTH: the token is no longer valid."""
    seen = await _about(client, account, now)
    if seen.troubles and not seen.name:
        return seen
    asked = (*(client.quotas(account, kind) for kind in BEYOND_FREE), client.template_quotas(account))
    told = tuple(each for some in await asyncio.gather(*map(_if_told, asked)) for each in some)
    facts = {**seen.facts, "quotas": "; ".join(each.words for each in told)}
    return replace(seen, facts=facts, allowances=told)


async def _if_told(asked: Awaitable[tuple[Allowance, ...]]) -> tuple[Allowance, ...]:
    """Many an OA has no right to some quota; then there is nothing to know of it."""
    try:
        return await asked
    except SendError as error:
        if error.kind is SendErrorKind.AUTH:
            raise
        log.info("a quota was not told", extra={"code": error.code})
        return ()


async def _about(client: Client, account: Account, now: datetime) -> Checkup:
    """What the OA itself says ("getoa")."""
    try:
        told = await client.official_account(account)
    except SendError as error:
        if error.code == _PACKAGE_OVER:
            return Checkup("", {"package": "refused"}, frozenset({PACKAGE_ENDS}), (_ended("The OA's package"),))
        if error.code == _UNVERIFIED:
            return Checkup("", {"verified": False}, frozenset({NOT_VERIFIED}), (_unverified(),))
        raise
    package, last_day = clean(told.get("package_name")), day(told.get("package_valid_through_date"))
    facts: dict[str, Any] = {"verified": told.get("is_verified") is not False, "package": package}
    troubles = [] if facts["verified"] else [_unverified()]
    if last_day is not None:
        facts["package_until"] = f"{last_day:%Y-%m-%d}"
        ends = last_day + timedelta(days=1)
        name = f"The OA's package {package}".rstrip()
        if now >= ends:
            troubles.append(_ended(name))
        elif ends - now <= ENDS_SOON:
            troubles.append(Trouble(PACKAGE_ENDS, f"{name} is paid for until {last_day:%d/%m/%Y}. {_PAY}"))
    return Checkup(clean(told.get("name")).strip(), facts, frozenset({NOT_VERIFIED, PACKAGE_ENDS}), tuple(troubles))


_PAY = "The OA's owner renews it at oa.zalo.me: without a package Zalo takes no message from us."


def _ended(name: str) -> Trouble:
    return Trouble(PACKAGE_ENDS, f"{name} has ended. {_PAY}")


def _unverified() -> Trouble:
    words = "The OA is not verified any more, so Zalo may refuse its messages: its owner verifies it at oa.zalo.me."
    return Trouble(NOT_VERIFIED, words)
