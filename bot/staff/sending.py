"""Words of staff on their way to a customer: asked about first where that is wise, sent, and said truly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.staff.context import StaffContext
from bot.staff.kinds import ConversationRef
from crm import attendance, replies
from crm.attendance import Concern
from crm.errors import Conflict, Invalid
from crm.messages import Message
from crm.reach import Reach, Refusal
from storage.conversations import ELSEWHERE

ENTERED_FOR = timedelta(minutes=10)
LONGEST = 4000


def send(ctx: StaffContext, to: ConversationRef, *messages: Message) -> None:
    """Let a customer hear these in a few seconds, and say so; ask first where somebody else is at it, or it is closed.

    Raises CrmError where it cannot go out; then nothing was written.
    """
    if any(len(message.text) > LONGEST for message in messages):
        raise Invalid("words", f"Dài quá {LONGEST} ký tự.", f"Longer than {LONGEST} characters.")
    if to.person.holder == ELSEWHERE:
        raise Conflict(
            f"{to.name} đang do Hộp thư Trang hoặc ứng dụng khác giữ: trả lời ở đó.",
            f"{to.name} is held by the Page's inbox or another app: answer there.",
        )
    channel = ctx.office.channels[to.person.channel]
    before = replies.may_send(to.person, channel.rules, ctx.now + replies.HOLD)
    if before.refusal is not None:
        raise refused(to.name, before.refusal)
    concern = attendance.concern(ctx.session, to.id, ctx.member.id, ctx.now)
    if concern is not None and not _insists(ctx, to, messages, concern):
        return
    spoken = [message._replace(speaker=ctx.member.name) for message in messages]
    parts = [part for message in spoken for part in channel.split(message)]
    answer = replies.send(ctx.session, to.person, parts, channel.rules, ctx.member.id, ctx.surface, ctx.now)
    if answer.refusal is not None:
        raise refused(to.name, answer.refusal)
    if ctx.entered == to.id:
        ctx.put(entered_until=ctx.now + ENTERED_FOR)
    ctx.audit("reply", "conversation", to.id, f"{len(parts)}")
    (number,) = ctx.numbers("conversation", [to.id])
    left = remaining(answer, ctx.now)
    ctx.reply(
        "sending", name=to.name, number=number, channel=to.person.channel, left=left, seconds=seconds(),
        pictures=_pictures(messages),
    )  # fmt: skip


def _insists(ctx: StaffContext, to: ConversationRef, messages: Sequence[Message], concern: Concern) -> bool:
    about = "\0".join((str(to.id), str(concern), *(message.dumps() for message in messages)))
    return ctx.confirmed(
        "insist", about=about, name=to.name, concern=concern, now=ctx.now, words=messages[0].text,
        pictures=_pictures(messages),
    )  # fmt: skip


def _pictures(messages: Sequence[Message]) -> int:
    return sum(bool(message.picture) for message in messages)


def seconds() -> int:
    """How long a message waits."""
    return int(replies.HOLD.total_seconds())


def remaining(reach: Reach, now: datetime) -> int | None:
    """For how many more minutes one may write; None where that does not end."""
    return int((reach.until - now).total_seconds() // 60) if reach.until else None


def refused(name: str, refusal: Refusal) -> Conflict:
    """Why a customer cannot be written to, in words that say what can be done."""
    vi, en = _WHY.get(refusal, (str(refusal), str(refusal)))
    return Conflict(f"Không gửi cho {name}: {vi}.", f"Not sent to {name}: {en}.")


_WHY = {
    Refusal.NEVER_WROTE: ("khách chưa từng nhắn ở đây", "they never wrote here"),
    Refusal.WINDOW_CLOSED: (
        "khách không nhắn đã quá hạn nền tảng cho phép, chỉ còn tin theo mẫu đã duyệt",
        "they were silent for longer than the platform allows; only approved templates go out now",
    ),
    Refusal.UNREACHABLE: (
        "khách đã chặn hoặc rời kênh này", "they blocked or left this channel"
    ),
}  # fmt: skip
