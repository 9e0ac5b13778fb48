"""What Zalo answered, read with distrust: an answer in its envelope, or a `SendError` that says what its lack means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.channels.base import Fault, SendError, SendErrorKind, Subject, Usage, Words, raised
from bot.channels.zalo.envelope import identifier
from bot.channels.zalo.errors import STRANGE, UNAUTHORIZED

Json = dict[str, Any]

_TOKEN_LIFE = timedelta(hours=25)

NOT_REACHED = Words(
    "Zalo could not be reached: it is tried again by itself.", "Không kết nối được tới Zalo: hệ thống sẽ tự thử lại."
)
_BUSY = Words("Zalo is busy: it is tried again by itself.", "Zalo đang bận: hệ thống sẽ tự thử lại.")
NO_ANSWER = Words(
    "Zalo's answer was lost or cannot be read, so it may have acted: the service finds out before it tries again.",
    "Không nhận được trả lời rõ ràng của Zalo nên có thể đã gửi: hệ thống sẽ kiểm tra trước khi gửi lại.",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: HTTP status, JSON object (None where there is none), the wait that was asked for, and usage."""

    status: int
    body: Json | None
    retry_after: timedelta | None
    usage: Usage | None = None


def accepted(answer: Answer, faults: Mapping[int, Fault], *, acted: bool) -> Json:
    """The body of an answer that says `error: 0`; else raises what its code, or its lack, means."""
    code = code_of(answer.body.get("error")) if answer.body else None
    if answer.body is None or code is None:
        raise unclear(answer, acted=acted)
    if code != 0:
        raise refused(faults.get(code, UNAUTHORIZED if answer.status == 401 else STRANGE), code, answer)
    return answer.body


def unclear(answer: Answer, *, acted: bool) -> SendError:
    """An answer without Zalo's envelope: something on the way spoke, or the body was cut.

    401 is a bad token. 429, and 503 that names a wait, were refused before Zalo saw them, as were redirects and other
    4xx. Any other 5xx may hide a message that went out, and so may a success that cannot be read.
    """
    status = answer.status
    code = f"http-{status}"
    if status == 401:
        return refused(UNAUTHORIZED, None, answer)
    if status == 429 or (status == 503 and answer.retry_after is not None):
        return SendError(SendErrorKind.RETRY, code, _BUSY, retry_after=answer.retry_after, subject=Subject.ACCOUNT)
    if 300 <= status < 500 or not acted:
        return SendError(SendErrorKind.RETRY, code, _BUSY, retry_after=answer.retry_after)
    return SendError(SendErrorKind.UNKNOWN, code, NO_ANSWER, retry_after=answer.retry_after)


def refused(fault: Fault, code: int | None, answer: Answer) -> SendError:
    """The error that a code stands for, with the wait and the usage of the answer."""
    name = f"http-{answer.status}" if code is None else str(code)
    error = raised(fault, name, answer.retry_after)
    error.usage = answer.usage
    return error


def code_of(value: object) -> int | None:
    """The error number, which some answers hold as text."""
    if isinstance(value, str) and len(value) <= 12:
        try:
            return int(value)
        except ValueError:
            return None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def line_moment(value: object) -> datetime | None:
    """Epoch milliseconds, as a conversation's lines hold them; None for anything else."""
    digits = identifier(value)
    return datetime.fromtimestamp(int(digits) / 1000, UTC) if digits.isdecimal() and len(digits) <= 14 else None


def life_of(value: object) -> timedelta:
    """Seconds, mostly as text; the documented 25 hours where it is missing or absurd."""
    seconds = code_of(value)
    return timedelta(seconds=seconds) if seconds is not None and 0 < seconds <= 10**7 else _TOKEN_LIFE
