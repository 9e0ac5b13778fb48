"""The worker for everything that is neither an event nor a message: one function a kind of job."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlmodel import Session

from bot.channels.base import SendError, SendErrorKind
from bot.loop import landed
from storage import errors, jobs
from storage.database import Database
from storage.jobs import Taken
from storage.queue import MAX_ATTEMPTS, retry_delay
from storage.work import TROUBLE, Closed, Priority

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


@dataclass(frozen=True, slots=True)
class _Turn:
    """What one look at the queue does there."""

    owner: str
    now: datetime
    until: datetime
    finished: Sequence[Taken]
    prolonged: Sequence[Taken]
    free: int

    def take(self, session: Session) -> list[Taken]:
        """Write it, and take what is due."""
        if self.finished:
            jobs.finish(session, self.finished)
        if self.prolonged:
            jobs.prolong(session, self.prolonged, self.until)
        return jobs.lease(session, self.owner, self.now, self.until, self.free) if self.free > 0 else []


class JobWorker:
    """Keeps up to AT_ONCE jobs under way; a failed one is tried again, later and later, and then given up."""

    def __init__(
        self, database: Database, kinds: Mapping[str, Work], clock: Callable[[], datetime], owner: str
    ) -> None:
        self._database, self._kinds, self._clock, self._owner = database, kinds, clock, owner
        self._flying: dict[asyncio.Task[None], Taken] = {}
        self._finished: list[Taken] = []
        self._leased_until = clock()
        self._topic = database.topic(jobs.TOPIC)

    async def once(self) -> bool:
        """Note which jobs ended, keep those under way ours, and start what is due; whether more may be.

        None waits for another: each ends by itself, and wakes this worker.
        """
        now, free = self._clock(), AT_ONCE - len(self._flying)
        finished, self._finished = self._finished, []
        prolonged = list(self._flying.values()) if self._leased_until < now + LEASE / 2 else []
        if not finished and not prolonged and free <= 0:
            return False
        turn = _Turn(self._owner, now, now + LEASE, finished, prolonged, free)
        try:
            taken = await self._database.write(turn.take, priority=Priority.WORK, name="jobs.turn")
        except BaseException:
            self._finished = finished + self._finished
            raise
        if prolonged or not self._flying:
            self._leased_until = now + LEASE
        for job in taken:
            task = asyncio.create_task(self._run(job))
            self._flying[task] = job
            task.add_done_callback(self._landed)
        return 0 < free == len(taken)

    async def drain(self, seconds: float) -> None:
        """Let what is under way end and be noted; what is not done by then is done again after its lease."""
        await landed(self._flying, seconds)
        if self._finished:
            await self._database.write(partial(jobs.finish, done=self._finished), name="jobs.finish")

    def _landed(self, task: asyncio.Task[None]) -> None:
        del self._flying[task]
        self._topic.set()

    async def _run(self, job: Taken) -> None:
        try:
            if await self._do(job):
                self._finished.append(job)
        except Closed:
            return
        except TROUBLE as error:
            why = errors.named(error)
            log.warning("how a job went could not be written; it is done again", extra={"job": job.kind, "why": why})

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
            words = str(error) if isinstance(error, SendError) else errors.told(error)
            await self._database.write(partial(jobs.bury, job=job, error=words), name="jobs.bury")
            return
        after = getattr(error, "retry_after", None) or retry_delay(job.attempts + 1)
        await self._put_back(job, after, error=errors.told(error))

    async def _put_back(self, job: Taken, after: timedelta, *, error: str = "", counted: bool = True) -> None:
        back = partial(jobs.put_back, job=job, ready_at=self._clock() + after, error=error, counted=counted)
        await self._database.write(back, name="jobs.put_back")
