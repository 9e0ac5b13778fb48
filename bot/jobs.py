"""The worker for everything that is neither an event nor a message: one function a kind of job."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.channels.base import SendError, SendErrorKind
from storage import jobs
from storage.database import Database
from storage.jobs import Taken
from storage.queue import MAX_ATTEMPTS, retry_delay
from storage.work import Closed, Priority

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
AT_ONCE = 32

Payload = Mapping[str, Any]
Work = Callable[[Payload], Awaitable[None]]


class Later(Exception):
    """Raised by a job that is to be done again after a while, without counting as a failure."""

    def __init__(self, after: timedelta) -> None:
        super().__init__(str(after))
        self.after = after


class JobWorker:
    """Runs due jobs, a few at once; a failed one is tried again, later and later, and then given up."""

    def __init__(
        self, database: Database, kinds: Mapping[str, Work], clock: Callable[[], datetime], owner: str
    ) -> None:
        self._database, self._kinds, self._clock, self._owner = database, kinds, clock, owner

    async def once(self) -> bool:
        """Do the jobs that are due; whether more may be."""
        now = self._clock()
        lease = partial(jobs.lease, owner=self._owner, now=now, until=now + LEASE, most=AT_ONCE)
        taken = await self._database.write(lease, priority=Priority.WORK, name="jobs.lease")
        done = await asyncio.gather(*(self._do(job) for job in taken))
        finished = [job for job, is_done in zip(taken, done, strict=True) if is_done]
        if finished:
            await self._database.write(partial(jobs.finish, done=finished), name="jobs.finish")
        return len(taken) == AT_ONCE or len(finished) < len(taken)

    async def _do(self, job: Taken) -> bool:
        try:
            await self._kinds[job.kind](json.loads(job.payload))
        except Later as later:
            await self._put_back(job, later.after, counted=False)
        except Closed:
            raise
        except SendError as error:
            if error.kind in (SendErrorKind.RETRY, SendErrorKind.SNOOZE, SendErrorKind.UNKNOWN, SendErrorKind.AUTH):
                await self._again(job, error)
            else:
                await self._database.write(partial(jobs.bury, job=job, error=str(error)), name="jobs.bury")
        except Exception as error:
            log.exception("a job failed", extra={"job": job.kind, "job_id": job.id})
            await self._again(job, error)
        else:
            return True
        return False

    async def _again(self, job: Taken, error: Exception) -> None:
        if job.attempts + 1 >= MAX_ATTEMPTS:
            await self._database.write(partial(jobs.bury, job=job, error=str(error)), name="jobs.bury")
            return
        after = getattr(error, "retry_after", None) or retry_delay(job.attempts + 1)
        await self._put_back(job, after, error=f"{type(error).__name__}: {error}")

    async def _put_back(self, job: Taken, after: timedelta, *, error: str = "", counted: bool = True) -> None:
        back = partial(jobs.put_back, job=job, ready_at=self._clock() + after, error=error, counted=counted)
        await self._database.write(back, name="jobs.put_back")
