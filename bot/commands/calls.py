"""What a command works with that calls the platforms themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.accounts import Accounts
from bot.channels.base import Channel
from storage.database import Database


@dataclass(frozen=True, slots=True)
class Calls:
    """The database, the channels and the accounts' living tokens."""

    database: Database
    channels: Mapping[str, Channel]
    accounts: Accounts
