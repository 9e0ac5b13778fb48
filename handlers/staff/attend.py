"""Looking after conversations: take, hand back to the bot, give to a colleague, put off, close, open again."""

from __future__ import annotations

from bot.staff import summary, waking
from bot.staff.context import StaffContext
from bot.staff.grammar import Misread
from bot.staff.kinds import ConversationRef, Matter, StaffRef, Switch, Text, When
from bot.staff.router import Group, StaffRouter
from bot.understanding import is_thanks
from crm import attendance, notices, numbers, staff, tickets, times
from crm.errors import Conflict
from crm.messages import Message
from crm.staff import Permission
from storage import attendance as rows
from storage import transcripts

router = StaffRouter("attend")

_LOOKED_AT = 30


@router.command(
    "giu", "giữ", "giat", "giật", "take", "claim", usage="/giu <khách>", vi="nhận trả lời khách này, bot im",
    group=Group.QUEUE, may=Permission.ANSWER, examples=("/giu 12",),
)  # fmt: skip
def take(ctx: StaffContext, customer: ConversationRef) -> None:
    """Look after this customer yourself; the bot is silent."""
    owner = _other_owner(ctx, customer)
    if owner and not ctx.confirmed("take_over", about=f"{customer.id}:{owner}", name=customer.name, owner=owner):
        return
    attendance.take(ctx.session, customer.id, ctx.member.id, ctx.now)
    ctx.audit("take", "conversation", customer.id)
    ctx.reply("taken", name=customer.name)


@router.command(
    "tra", "trả", "return", usage="/tra <khách>", vi="trả khách này lại cho bot", group=Group.QUEUE,
    may=Permission.ANSWER, examples=("/tra 12",),
)  # fmt: skip
def give_back(ctx: StaffContext, customer: ConversationRef) -> None:
    """Let the bot answer this customer again."""
    ended = attendance.give_back(ctx.session, customer.id)
    if ctx.desk.entered_id == customer.id:
        ctx.put(entered_id=None, entered_until=None)
    ctx.audit("give_back", "conversation", customer.id)
    others = attendance.attended(ctx.session, customer.person.customer_id, ctx.now)
    bound = ctx.numbers(numbers.CONVERSATION, [each.identity_id for each in others])
    ctx.reply("given_back", name=customer.name, ended=ended, others=list(zip(bound, others, strict=True)))


@router.command(
    "bot", usage="/bot on|off [khách]", vi="bot trả lời (on) hoặc im (off) với khách này", group=Group.QUEUE,
    may=Permission.ANSWER, examples=("/bot off 12", "/bot on 12"),
)  # fmt: skip
def switch_bot(ctx: StaffContext, switch: Switch, customer: ConversationRef) -> None:
    """Let the bot answer this customer, or be silent."""
    if switch is Switch.ON:
        give_back(ctx, customer)
    else:
        take(ctx, customer)


@router.command(
    "giao", "assign", usage="/giao <khách> @<nhân viên>", vi="giao khách này cho đồng nghiệp", group=Group.QUEUE,
    may=Permission.ANSWER, examples=("/giao 12 @Minh",),
)  # fmt: skip
def assign(ctx: StaffContext, customer: ConversationRef, colleague: StaffRef) -> None:
    """Give this customer to a colleague, who is told; only leads give away what is others'."""
    owner = _other_owner(ctx, customer)
    if owner and not ctx.may(Permission.ASSIGN):
        raise Conflict(f"{owner} đang phụ trách {customer.name}; chỉ lead giao được.",
                      f"{owner} looks after {customer.name}; only a lead gives them away.")  # fmt: skip
    if not staff.may(colleague.member, Permission.ANSWER):
        raise Conflict(f"{colleague.member.name} không có quyền trả lời khách.",
                      f"{colleague.member.name} may not answer customers.")  # fmt: skip
    attendance.take(ctx.session, customer.id, colleague.id, ctx.now)
    ctx.audit("assign", "conversation", customer.id, f"staff:{colleague.id}")
    if colleague.id != ctx.member.id:
        told = _told(ctx, customer)
        notices.tell(ctx.session, colleague.id, notices.ASSIGNED, told, ctx.now, conversation_id=customer.id)
    on_shift = staff.is_on_shift(colleague.member, ctx.now)
    ctx.reply("assigned", name=customer.name, colleague=colleague.member.name, on_shift=on_shift)


def _told(ctx: StaffContext, customer: ConversationRef) -> notices.Say:
    line = next((row.line for row in rows.some(ctx.session, [customer.id])), "") or ""

    def say(number: int) -> Message:
        given = {"number": number, "name": customer.name, "channel": customer.person.channel, "line": line}
        return ctx.rendered("assigned_to_you", by=ctx.member.name, **given)

    return say


@router.command(
    "hen", "hẹn", "snooze", usage="/hen <khách> <giờ>", vi="để khách này lại tới giờ đó", group=Group.QUEUE,
    may=Permission.ANSWER, examples=("/hen 12 9h mai", "/hen 12 20h thứ 6", "/hen 12 30p nữa"),
)  # fmt: skip
def put_off(ctx: StaffContext, customer: ConversationRef, when: When) -> None:
    """Put this customer off until then; it comes back into the list by itself."""
    attendance.snooze(ctx.session, customer.id, when.at, ctx.now)
    payload = {"conversation": customer.id, "staff": ctx.member.id}
    ctx.later(waking.JOB, f"{customer.id}:{when.at.isoformat()}", payload, after=when.at - ctx.now)
    ctx.audit("snooze", "conversation", customer.id, when.at.isoformat(timespec="minutes"))
    told = times.told(when.at, ctx.office.zone, ctx.now, ctx.locale)
    ctx.reply("snoozed", name=customer.name, told=told)


@router.command(
    "dong", "đóng", "close", usage="/dong <khách | T12 nguyên nhân>",
    vi="xong việc: đóng cuộc trò chuyện, hoặc phiếu kèm nguyên nhân",
    group=Group.QUEUE, may=Permission.ANSWER, examples=("/dong 12", "/dong T12 hàng lỗi do vận chuyển"),
)  # fmt: skip
def close(ctx: StaffContext, matter: Matter, cause: Text | None = None) -> None:
    """Close a conversation, or a ticket with its cause: the matter is done. Who still waits is asked about first."""
    if matter.ticket:
        changed = tickets.close(ctx.session, matter.ticket.id, ctx.now, ctx.office.policy, cause or "")
        ctx.audit("ticket.close", "ticket", matter.ticket.id)
        ctx.reply("ticket_closed", number=matter.ticket.id, changed=changed)
        return
    assert matter.conversation is not None
    if cause:
        raise Misread("cause", f"Thừa: “{cause}”.", f"Too much: “{cause}”.")
    if not _may_close(ctx, matter.conversation):
        return
    changed = attendance.close(ctx.session, matter.conversation.id, ctx.now)
    if ctx.desk.entered_id == matter.conversation.id:
        ctx.put(entered_id=None, entered_until=None)
    ctx.audit("close", "conversation", matter.conversation.id)
    ctx.reply("closed", name=matter.conversation.name, changed=changed)


def _may_close(ctx: StaffContext, customer: ConversationRef) -> bool:
    """Whether nothing of theirs is unanswered but thanks, or `/ok` confirmed that it may stay so."""
    since = customer.person.waiting_since
    if since is None:
        return True
    lines = transcripts.latest(ctx.session, customer.id, _LOOKED_AT)
    said = [line for line in lines if line.author == "customer" and line.at >= since - summary.BEFORE]
    unanswered = [line for line in said if line.media or not is_thanks(line.text)]
    if said and not unanswered:
        return True
    return ctx.confirmed(
        "close_preview", about=f"{customer.id}:{since.isoformat()}:{len(said)}", name=customer.name,
        line=unanswered[-1].text if unanswered else "",
    )  # fmt: skip


@router.command(
    "mo", "mở", "reopen", usage="/mo <khách | T12>", vi="mở lại cuộc trò chuyện (bạn nhận) hoặc phiếu",
    group=Group.QUEUE, may=Permission.ANSWER, examples=("/mo 12", "/mo T12"),
)  # fmt: skip
def reopen(ctx: StaffContext, matter: Matter) -> None:
    """Open a conversation, which is yours then, or a ticket again."""
    if matter.ticket:
        changed = tickets.reopen(ctx.session, matter.ticket.id, ctx.now, ctx.office.policy)
        ctx.audit("ticket.reopen", "ticket", matter.ticket.id)
        ctx.reply("ticket_opened", number=matter.ticket.id, changed=changed)
        return
    assert matter.conversation is not None
    take(ctx, matter.conversation)


def _other_owner(ctx: StaffContext, customer: ConversationRef) -> str:
    """Who else looks after this customer; "" where nobody does."""
    owner = rows.duty(ctx.session, customer.id).assigned_to
    if owner is None or owner == ctx.member.id:
        return ""
    return attendance.names(ctx.session, {owner}).get(owner, "")
