"""A look at an OA: whether it is verified, and how long its package is paid for."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from bot.channels.base import Account, Checkup, SendError, Trouble
from bot.channels.text import clean
from bot.channels.zalo.client import Client

PACKAGE_ENDS = "package_ends"
NOT_VERIFIED = "oa_not_verified"
ENDS_SOON = timedelta(days=14)
_VIETNAM = timezone(timedelta(hours=7))
_PACKAGE_OVER, _UNVERIFIED = "-224", "-221"


async def check_up(client: Client, account: Account, now: datetime) -> Checkup:
    """The OA's name, verification and package (OA API, "getoa"). AUTH: the token is no longer valid."""
    try:
        told = await client.official_account(account)
    except SendError as error:
        if error.code == _PACKAGE_OVER:
            return Checkup("", {"package": "refused"}, frozenset({PACKAGE_ENDS}), (_ended("The OA's package"),))
        if error.code == _UNVERIFIED:
            return Checkup("", {"verified": False}, frozenset({NOT_VERIFIED}), (_unverified(),))
        raise
    package, last_day = clean(told.get("package_name")), _day(told.get("package_valid_through_date"))
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


def _day(text: Any) -> datetime | None:
    """The first minute of a day in Vietnam, written dd/mm/yyyy."""
    try:
        return datetime.strptime(clean(text), "%d/%m/%Y").replace(tzinfo=_VIETNAM)
    except ValueError:
        return None
