"""Keeps an import, a till or a new follow from bringing an erased person back into marketing, without keeping who."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from storage import suppression as store
from storage.customers import Person


def remember(session: Session, secret_key: str, marks: Iterable[str], now: datetime) -> None:
    """Keep these marks as hashes by the first key of `secret_key`: the database alone tells nobody whose they are."""
    store.add(session, [_digest(secret_key.split(",")[0], mark) for mark in marks], now)


def is_remembered(session: Session, secret_key: str, marks: Iterable[str]) -> bool:
    """Whether any of these marks was kept, under the key of now or a former one."""
    keys = [key for key in secret_key.split(",") if key]
    digests = {_digest(key, mark) for mark in marks for key in keys}
    return bool(digests) and store.holds(session, digests)


def marks(phone: str | None, chats: Iterable[Person]) -> set[str]:
    """What a person is known by again: their number, and their id on each account."""
    found = {f"phone:{phone}"} if phone else set()
    return found | {f"chat:{each.channel}:{each.account_id}:{each.user_id}" for each in chats}


def _digest(key: str, mark: str) -> str:
    return hmac.new(key.encode(), f"khachquen:suppression:{mark}".encode(), hashlib.sha256).hexdigest()
