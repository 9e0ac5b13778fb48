"""The state of health as others may see it: its fields, and the gauges that follow them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan

from prometheus_client import Gauge


@dataclass(frozen=True, slots=True)
class Health:
    """How the service does now. Ages are seconds of the oldest row that waits, 0 where none does; None: not known."""

    ready: bool
    reasons: tuple[str, ...] = ()
    inbox_age_s: float = 0.0
    outbox_age_s: float = 0.0
    job_age_s: float = 0.0
    dead: int = 0
    unknown: int = 0
    wal_bytes: int = 0
    disk_free_bytes: int | None = None
    backup_age_s: float | None = None
    token_age_days: Mapping[str, float] = field(default_factory=dict)
    pending_channels: tuple[str, ...] = ()
    catching_up: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()


_READY = Gauge("khachquen_ready", "1 where the service takes and does its work, else 0")
_QUEUE_AGE = Gauge("khachquen_queue_age_seconds", "Age of the oldest row that waits, by queue", ["queue"])
_DEAD = Gauge("khachquen_dead_rows", "Rows that were given up and wait for a person")
_UNKNOWN = Gauge("khachquen_unknown_sends", "Messages whose sending has an unknown end")
_WAL = Gauge("khachquen_wal_bytes", "Size of SQLite's write-ahead log")
_DISK = Gauge("khachquen_disk_free_bytes", "Room on the disk of the data; not a number where that is not known")
_BACKUP = Gauge("khachquen_backup_age_seconds", "Age of the last backup; not a number where none is known")
_TOKEN_AGE = Gauge("khachquen_token_age_days", "Days since an account's token was refreshed", ["account"])
_ALARMS = Gauge("khachquen_alarms", "Alarms that nobody solved yet")
_CATCHING_UP = Gauge("khachquen_catching_up", "Accounts whose conversations are being read again")
_PENDING = Gauge("khachquen_pending_channels", "Channels that lack a key")


def show(health: Health) -> None:
    """Set the gauges."""
    _READY.set(health.ready)
    for queue, age in (("inbox", health.inbox_age_s), ("outbox", health.outbox_age_s), ("job", health.job_age_s)):
        _QUEUE_AGE.labels(queue).set(age)
    _DEAD.set(health.dead)
    _UNKNOWN.set(health.unknown)
    _WAL.set(health.wal_bytes)
    _DISK.set(nan if health.disk_free_bytes is None else health.disk_free_bytes)
    _BACKUP.set(nan if health.backup_age_s is None else health.backup_age_s)
    _TOKEN_AGE.clear()
    for account, days in health.token_age_days.items():
        _TOKEN_AGE.labels(account).set(days)
    _ALARMS.set(len(health.alarms))
    _CATCHING_UP.set(len(health.catching_up))
    _PENDING.set(len(health.pending_channels))
