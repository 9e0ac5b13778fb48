"""The job that answers public comments privately, with the words that the shop set for the account."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from bot.accounts import Accounts
from bot.calling import Removed, account_for
from bot.channels.abilities import Commentable
from bot.channels.base import Channel, SendError, SendErrorKind, Subject
from bot.jobs import Later, Payload, Work
from crm.comments import is_too_late
from crm.events import Commented
from storage import alarms, comments, jobs
from storage.database import Database

log = logging.getLogger(__name__)

JOB = "comment.answer"
ALARM = "comments_refused"
MARK = "kq:comment"
"""What an answer's echo gives back, so that it is known for ours."""
AGAIN = timedelta(minutes=10)
LATE, OFF, REMOVED = "too late to be answered", "answering was switched off", "the account was removed"


def queue(session: Session, event: Commented, due: datetime, now: datetime) -> None:
    """Let a comment be answered then."""
    key = (event.address.channel, event.address.account_id, event.comment_id)
    payload = dict(zip(("channel", "account_id", "comment_id"), key, strict=True))
    jobs.add_many(session, [jobs.row(JOB, ":".join(key), payload, now, due)])


class Comments:
    """Answers each comment by one call. The platform takes one answer only, so a lost one may be tried again."""

    def __init__(
        self, database: Database, channels: Mapping[str, Channel], living: Accounts, clock: Callable[[], datetime]
    ) -> None:
        self._database, self._channels, self._accounts, self._clock = database, channels, living, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.answer}

    async def answer(self, payload: Payload) -> None:
        """Answer one, unless it was answered, words were taken away, or it is too late."""
        key = (payload["channel"], payload["account_id"], payload["comment_id"])
        found = await self._database.read(lambda session: comments.waiting(session, *key))
        if found is None:
            return
        if not found.words or is_too_late(found.at, self._clock()):
            await self._end(key, comments.GIVEN_UP, LATE if found.words else OFF)
            return
        channel = self._channels[key[0]]
        assert isinstance(channel, Commentable)
        try:
            async with account_for(self._accounts, *key[:2]) as account:
                await channel.answer_comment(account, key[2], found.words, MARK)
        except Removed:
            await self._end(key, comments.GIVEN_UP, REMOVED)
        except SendError as error:
            await self._failed(key, error)
        else:
            await self._end(key, comments.ANSWERED, "")

    async def _failed(self, key: tuple[str, str, str], error: SendError) -> None:
        match error.kind:
            case SendErrorKind.RETRY | SendErrorKind.UNKNOWN | SendErrorKind.AUTH:
                raise error
            case SendErrorKind.SNOOZE:
                raise Later(error.retry_after or AGAIN)
        log.info("a comment was not answered", extra={"channel": key[0], "code": error.code})
        await self._end(key, comments.GIVEN_UP, str(error), error if error.subject is Subject.ACCOUNT else None)

    async def _end(self, key: tuple[str, str, str], state: str, words: str, trouble: SendError | None = None) -> None:
        end = partial(_end, key=key, state=state, words=words, trouble=trouble, now=self._clock())
        await self._database.write(end, name="comments.end")


def _end(
    session: Session, key: tuple[str, str, str], state: str, words: str, trouble: SendError | None, now: datetime
) -> None:
    """Note how it ended; ring where the whole account may not answer, until one is answered again."""
    comments.end(session, *key, state=state, error=words, now=now)
    subject = alarms.of_account(*key[:2])
    if trouble is not None:
        alarms.ring(session, ALARM, subject, f"Comments are not answered. {trouble.words.en}", now)
    elif state == comments.ANSWERED:
        alarms.solve(session, ALARM, subject, now)
