"""Answering customers: the explicit ways by which words of staff reach one, and the way back."""

from __future__ import annotations

from bot.staff import dispatch, sending
from bot.staff.context import StaffContext
from bot.staff.grammar import Misread
from bot.staff.kinds import ConversationRef, Pictures, Text
from bot.staff.router import Group, StaffRouter
from crm import attendance, replies
from crm.errors import Conflict, NotFound
from crm.messages import Message
from crm.staff import Permission
from storage import customers, desks, outbox, transcripts
from storage.queue import DEAD

router = StaffRouter("answer")

SHOWN = 6
NO_PICTURES = Pictures(())


@router.command(
    dispatch.SEND, "trả lời", "traloi", "reply", usage="/r <khách> <nội dung>", vi="gửi cho khách (sau vài giây)",
    group=Group.ANSWER, may=Permission.ANSWER, examples=("/r 12 Đơn của bạn đang giao ạ",),
)  # fmt: skip
def send_words(ctx: StaffContext, customer: ConversationRef, words: Text, pictures: Pictures = NO_PICTURES) -> None:
    """Send these words to a customer, with the pictures that came with them, a few seconds later."""
    said = words if words.strip() else ""
    if not (said or pictures):
        raise Misread("words", "Thiếu nội dung.", "Missing: some words.")
    first, *more = pictures or ("",)
    sending.send(ctx, customer, Message(said, picture=first), *(Message(picture=each) for each in more))


@router.command(
    "vao", "vào", "enter", usage="/vao <khách>", vi="mọi chữ sau đó gửi cho khách này, tới /ra",
    group=Group.ANSWER, may=Permission.ANSWER, examples=("/vao 12",),
)  # fmt: skip
def enter(ctx: StaffContext, customer: ConversationRef) -> None:
    """Let plain words go to this customer until `/ra`, ten quiet minutes, or another customer's notice."""
    ctx.put(entered_id=customer.id, entered_until=ctx.now + sending.ENTERED_FOR)
    channel = ctx.office.channels[customer.person.channel]
    reach = replies.may_send(customer.person, channel.rules, ctx.now)
    (number,) = ctx.numbers("conversation", [customer.id])
    ctx.reply(
        "entered",
        name=customer.name,
        number=number,
        channel=customer.person.channel,
        left=sending.remaining(reach, ctx.now),
        closed=not reach.allowed,
        concern=attendance.concern(ctx.session, customer.id, ctx.member.id, ctx.now),
        lines=[line for line in transcripts.latest(ctx.session, customer.id, SHOWN) if _was_said(line)],
    )


def _was_said(line: transcripts.Line) -> bool:
    return bool(line.text or line.media) and line.state not in (outbox.WITHDRAWN, DEAD)


@router.command(
    "ra", "leave", usage="/ra", vi="ra khỏi khách đang vào", group=Group.ANSWER, may=Permission.ANSWER
)  # fmt: skip
def leave(ctx: StaffContext) -> None:
    """Leave the customer whom you entered."""
    if ctx.desk.entered_id is None:
        raise Conflict("Bạn chưa vào khách nào.", "You have entered nobody.")
    person = customers.person(ctx.session, ctx.desk.entered_id)
    ctx.put(entered_id=None, entered_until=None)
    ctx.reply("left", name=ConversationRef(person.identity_id, person).name if person else "")


@router.command(
    "huy", "hủy", "undo", "cancel", usage="/huy", vi="rút lại tin vừa gửi, khi chưa đi",
    group=Group.ANSWER, may=Permission.ANSWER,
)  # fmt: skip
def take_back(ctx: StaffContext) -> None:
    """Take back what you sent last, while it waits."""
    back, gone = replies.take_back(ctx.session, ctx.member.id, ctx.surface, ctx.now)
    if not (back or gone):
        raise Conflict("Không có tin nào đang chờ gửi.", "Nothing of yours waits to be sent.")
    person = customers.person(ctx.session, (back or gone)[0].conversation_id)
    assert person is not None
    ctx.ok = bool(back)
    ctx.audit("reply.undo", "conversation", person.identity_id, f"{len(back)}/{len(back) + len(gone)}")
    ctx.reply("undone", name=ConversationRef(person.identity_id, person).name, back=len(back), gone=len(gone))


@router.command(
    "ok", usage="/ok <mã>", vi="làm điều vừa được xem trước", group=Group.SYSTEM, may=Permission.LOOK_UP,
    examples=("/ok 4821",),
)  # fmt: skip
def confirm(ctx: StaffContext, code: str) -> None:
    """Do what was previewed under this code, if it is still the same."""
    found = desks.find_preview(ctx.session, ctx.member.id, ctx.surface, code)
    if found is None:
        raise NotFound(f"Không có mã {code} ở đây.", f"There is no code {code} here.")
    if not desks.use_preview(ctx.session, ctx.member.id, ctx.surface, code, ctx.now):
        if found.used_at is not None:
            raise Conflict(f"Mã {code} đã dùng rồi.", f"The code {code} was used already.")
        raise Conflict(f"Mã {code} đã hết hạn; gõ lại lệnh.", f"The code {code} is too old; give the command again.")
    dispatch.again(ctx, found.command, found.arguments, confirming=found.digest)
