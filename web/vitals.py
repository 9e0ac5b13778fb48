"""Reads how the service does, for the probes: queues, tokens, alarms, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlmodel import Session

from bot.service import Service
from crm import given_up
from storage import accounts, alarms, catchup, engines, inbox, jobs, marks, migrate, outbox
from web.health import Health

STOPPING = "the service is stopping"
PENDING = "the database has another schema than this version; run: khachquen migrate"


async def read(service: Service, clock: Callable[[], datetime], is_stopping: Callable[[], bool]) -> Health:
    """The state of health now. Raises whatever the database raises: a probe that fails is an answer, too."""
    now = clock()
    wal, free = engines.log_bytes(service.database.url), engines.free_bytes(service.database.url)
    pending = service.pending()
    return await service.database.read(lambda session: _health(session, now, wal, free, pending, is_stopping()))


def _health(
    session: Session, now: datetime, wal: int, free: int | None, pending: Iterable[str], stopping: bool
) -> Health:
    totals, backed_up = outbox.totals(session), marks.last(session, marks.BACKUP)
    reasons = [words for words, holds in ((STOPPING, stopping), (PENDING, not migrate.fits(session))) if holds]
    return Health(
        ready=not reasons,
        reasons=tuple(reasons),
        inbox_age_s=_age(inbox.oldest_waiting(session), now),
        outbox_age_s=_age(totals.oldest, now),
        job_age_s=_age(jobs.oldest_waiting(session), now),
        dead=given_up.count(session),
        unknown=totals.unknown,
        wal_bytes=wal,
        disk_free_bytes=free,
        backup_age_s=_age(backed_up, now) if backed_up else None,
        token_age_days={
            f"{each.channel}:{each.account_id}": round((now - each.refreshed_at).total_seconds() / 86_400, 2)
            for each in accounts.everyone(session)
            if each.refreshed_at is not None
        },
        pending_channels=tuple(pending),
        catching_up=tuple(
            f"{span.channel}:{span.account_id} since {span.since.isoformat(timespec='seconds')}: {span.found} found"
            for span in catchup.under_way(session)
        ),
        alarms=tuple(f"{each.kind} {each.subject}: {each.words}" for each in alarms.unsolved(session)),
    )


def _age(since: datetime | None, now: datetime) -> float:
    return round(max(0.0, (now - since).total_seconds()), 3) if since else 0.0
