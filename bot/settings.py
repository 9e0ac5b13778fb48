"""Everything that is set from outside, read once from the environment and `.env`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values

from crm import calls, hours, lawful, sla
from crm.calls import Ladder
from crm.hours import FreeDays
from crm.lawful import Span
from crm.sla import Priority, Targets

Network = IPv4Network | IPv6Network

_MAKE_ONE = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))' and put it into .env"
_LONGEST_SPAN = 100_000
"""In days or hours: what is far longer leaves the calendar."""


class BadSetting(ValueError):
    """A setting is missing or makes no sense; the words say which and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One field a setting, in lower case. Secrets never show in `repr`."""

    database_url: str = field(default="sqlite:///data/khachquen.db", repr=False)
    secret_key: str = field(default="", repr=False)
    zalo_app_id: str = ""
    zalo_app_secret: str = field(default="", repr=False)
    zalo_oa_id: str = ""
    zalo_oa_secret_key: str = field(default="", repr=False)
    zalo_access_token: str = field(default="", repr=False)
    zalo_refresh_token: str = field(default="", repr=False)
    zalo_site_verification: str = ""
    zalo_app_proof: bool = True
    zalo_api_url: str = "https://openapi.zalo.me"
    zalo_oauth_url: str = "https://oauth.zaloapp.com"
    zalo_business_api_url: str = "https://business.openapi.zalo.me"
    zalo_bot_token: str = field(default="", repr=False)
    zalo_bot_api_url: str = "https://bot-api.zaloplatforms.com"
    messenger_page_id: str = ""
    messenger_page_token: str = field(default="", repr=False)
    messenger_app_id: str = ""
    messenger_app_secret: str = field(default="", repr=False)
    messenger_verify_token: str = field(default="", repr=False)
    messenger_app_proof: bool = True
    messenger_graph_url: str = "https://graph.facebook.com/v26.0"
    api_key: str = field(default="", repr=False)
    public_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    trusted_proxies: tuple[Network, ...] = ()
    data_dir: Path = Path("data")
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Ho_Chi_Minh"))
    locale: str = "vi"
    brand_name: str = ""
    shop_phone: str = ""
    shop_address: str = ""
    opening_hours: str = ""
    holidays: FreeDays = (True, ())
    sla_targets: Mapping[Priority, Targets] = field(default_factory=lambda: sla.PROMISED)
    escalation_minutes: Ladder = field(default_factory=Ladder)
    zalo_sends_per_minute: int = 100
    messenger_sends_per_second: int = 35
    flood_per_minute: int = 30
    sqlite_synchronous: str = "FULL"
    raw_body_days: int = 30
    monthly_send_budget: int | None = None
    quiet_hours: Span | None = (21 * 60, 8 * 60)
    marketing_per_day: int = 1
    marketing_per_week: int = 3
    broadcast_alone: int = 500
    broadcast_late_hours: int = 3
    fault: str = ""

    @staticmethod
    def from_env(env_file: Path | None = Path(".env"), environment: Mapping[str, str] | None = None) -> Settings:
        """The environment over the file over the defaults; raises BadSetting with every problem in one message."""
        given: dict[str, str] = {}
        if env_file is not None and env_file.exists():
            given.update({key: value for key, value in dotenv_values(env_file).items() if value is not None})
        given.update(os.environ if environment is None else environment)
        values: dict[str, Any] = {}
        problems: list[str] = []
        for item in fields(Settings):
            raw = given.get(item.name.upper(), "").strip()
            if raw:
                try:
                    values[item.name] = _READERS.get(item.name, str)(raw)
                except (ValueError, ZoneInfoNotFoundError) as error:
                    problems.append(f"{item.name.upper()}: {error}")
        settings = Settings(**values)
        if settings.locale not in ("vi", "en"):
            problems.append("LOCALE: use vi or en")
        if problems:
            raise BadSetting("; ".join(problems))
        return settings

    def require_secret(self) -> str:
        """The secret key; BadSetting where there is none or it is short."""
        if len(self.secret_key) < 16:
            raise BadSetting(
                f"SECRET_KEY is missing or shorter than 16 characters. It encrypts tokens at rest. {_MAKE_ONE}"
            )
        return self.secret_key


def _whole(raw: str) -> int:
    if not (raw.isascii() and raw.isdecimal()):
        raise ValueError(f"{raw!r} is not a whole number, 0 or more")
    return int(raw)


def _span(raw: str) -> int:
    value = _whole(raw)
    if value > _LONGEST_SPAN:
        raise ValueError(f"{raw!r} is too long; use at most {_LONGEST_SPAN}")
    return value


def _switch(raw: str) -> bool:
    if raw.lower() not in ("on", "off"):
        raise ValueError(f"{raw!r} is neither on nor off")
    return raw.lower() == "on"


def port(raw: str) -> int:
    """A port number; raises ValueError."""
    value = _whole(raw)
    if not 0 < value < 65_536:
        raise ValueError(f"{raw!r} is no port; use 1 to 65535")
    return value


def _networks(raw: str) -> tuple[Network, ...]:
    return tuple(ip_network(part.strip(), strict=False) for part in raw.split(",") if part.strip())


_READERS: dict[str, Any] = {
    "zalo_app_proof": _switch,
    "messenger_app_proof": _switch,
    "port": port,
    "trusted_proxies": _networks,
    "data_dir": Path,
    "timezone": ZoneInfo,
    "holidays": hours.free_days,
    "escalation_minutes": calls.read_ladder,
    "sla_targets": sla.read_targets,
    "zalo_sends_per_minute": _whole,
    "messenger_sends_per_second": _whole,
    "flood_per_minute": _whole,
    "raw_body_days": _span,
    "monthly_send_budget": _whole,
    "quiet_hours": lawful.read_quiet,
    "marketing_per_day": _whole,
    "marketing_per_week": _whole,
    "broadcast_alone": _whole,
    "broadcast_late_hours": _span,
}
