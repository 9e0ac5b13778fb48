"""Broadcasts from the chat: looked at, tested, scheduled by PIN, preview and `/ok`, approved, stopped, told of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot import broadcast_notices, broadcasting, trial_sends
from bot.staff import counting, estimating, exporting
from bot.staff.context import StaffContext
from bot.staff.grammar import Misread, first_word
from bot.staff.kinds import KINDS, StaffRef, Text
from bot.staff.router import Group, StaffRouter
from crm import broadcast_moves, broadcast_versions, broadcasts, times, words
from crm.care_rules import Words
from crm.errors import Conflict, Invalid
from crm.staff import Permission
from handlers.staff import broadcast_drafts
from storage.broadcasts import CANCELLED, DRAFT, BroadcastView

router = StaffRouter("broadcasts")

SHOWN = 8
_NEW = ("moi", "new")
_NOW = (estimating.NOW, "now")
_BY_SECOND = "duyet"


@router.command(
    broadcast_drafts.NAME, "gửi", "gửi loạt", "broadcast",
    usage="/gui [số | moi] [xem | thu | hen <giờ> | ngay | bohen | duyet | dung | tiep | huy | tep | ten | nhom | "
    "loi | anh | nut]",
    vi="gửi loạt: viết, xem trước, gửi thử, hẹn giờ (PIN, /ok), duyệt, tạm dừng, hủy, sửa, báo cáo",
    group=Group.REACH, may=Permission.REPORT,
    examples=(
        '/gui moi Tết | vip va dongy | Chào {{ khach.ten or "bạn" }}, mai giảm 20%', "/gui 3 xem", "/gui 3 thu",
        "/gui 3 hen 20h thứ 6", "/gui 3 bohen", "/gui 3 loi Chào bạn, mai giảm 30%", "/gui 3 dung", "/gui 3 tep",
    ),
)  # fmt: skip
def manage(ctx: StaffContext, which: str = "", order: Text | None = None) -> None:
    """Broadcasts: a number alone reports; new, preview, test, schedule or now (PIN, /ok), unschedule, approve, pause,
    resume, cancel, file, name, segment, text, picture, button."""
    if not which:
        ctx.reply("broadcast_list", rows=_rows(ctx))
    elif words.plain(which) in _NEW:
        broadcast_drafts.write(ctx, order or "")
    else:
        each = broadcasts.get(ctx.session, _number(which))
        do, rest = _meant(order or "")
        do(ctx, each, rest)


def _rows(ctx: StaffContext) -> list[tuple[BroadcastView, str, str]]:
    found = broadcasts.latest(ctx.session, SHOWN)
    return [(each, broadcasts.told(state, ctx.locale), _moment(ctx, each.scheduled_at)) for each, state in found]


def _number(which: str) -> int:
    raw = which.removeprefix("#")
    if not (raw.isascii() and raw.isdecimal() and len(raw) < 10):
        raise Misread("which", f"“{which}” không phải số của tin gửi loạt; xem /gui. Nhắn một khách: /r.",
                      f"“{which}” is no broadcast's number; see /broadcast. To write to one customer: /r.")  # fmt: skip
    return int(raw)


def _meant(order: str) -> tuple[Callable[[StaffContext, BroadcastView, str], None], str]:
    """What is to be done, by the first word or the first two, and the rest."""
    if not order:
        return _show, ""
    first, rest = first_word(order)
    second, left = first_word(rest)
    for name, after in ((f"{first} {second}", left), (first, rest)):
        if found := _BY_NAME.get(words.plain(name)):
            return found, after
    vi, en = (", ".join(names[place] for names in ORDERS) for place in (0, 1))
    raise Invalid("order", f"“{first}”: dùng {vi}.", f"“{first}”: say one of {en}.")


def _show(ctx: StaffContext, each: BroadcastView, rest: str) -> None:
    """Where it stands, and what became of everybody."""
    counting.show(ctx, each)


def _look(ctx: StaffContext, each: BroadcastView, rest: str) -> None:
    estimating.ask(ctx, each)


def _try(ctx: StaffContext, each: BroadcastView, rest: str) -> None:
    """To one's own chats, or those of a colleague."""
    ctx.needs(Permission.WRITE_BROADCASTS)
    to: StaffRef = KINDS[StaffRef].read(ctx, rest)[0] if rest else StaffRef(ctx.member.id, ctx.member)
    told = trial_sends.send(ctx.session, ctx.office.sender, each.id, to.id, ctx.now)
    ctx.reply("broadcast_tested", each=each, name=to.member.name, own=to.id == ctx.member.id, told=told)


@dataclass(frozen=True, slots=True)
class _Begin:
    """When it is to begin, and the order that says so at any later moment."""

    at: datetime
    order: str


def _schedule(ctx: StaffContext, each: BroadcastView, rest: str) -> None:
    """After the PIN, a look as sending looks, and `/ok` to just that: none is offered where a second person must agree
    first, and one whose audience grows meanwhile waits for them when it is frozen."""
    ctx.needs(Permission.BROADCAST)
    begin = _begin(ctx, rest)
    about = _seen(ctx, each, begin.order)
    if not ctx.is_confirmed(about):
        broadcasting.check(ctx.office.sender, each, begin.at, ctx.now)
        estimating.ask(ctx, each, at=begin.at, order=begin.order, about=about, begins=True)
        return
    done = broadcasting.schedule(ctx.session, ctx.office.sender, each.id, begin.at, _actor(ctx), ctx.now, people=0)
    ctx.reply("broadcast_scheduled", each=done, at=_moment(ctx, done.scheduled_at))


def _begin(ctx: StaffContext, rest: str) -> _Begin:
    """The moment to the minute, or now. Raises Invalid for what is no moment."""
    if words.plain(rest) in _NOW:
        return _Begin(ctx.now, f"hen {_NOW[0]}")
    if not rest:
        raise Invalid("at", "Gửi lúc nào? Ví dụ: /gui 3 hen 20h thứ 6, hoặc /gui 3 hen ngay.",
                      "When? For example: /broadcast 3 schedule 20h thứ 6, or … now.")  # fmt: skip
    found = times.understand_time(rest, ctx.now, ctx.office.zone)
    if found is None:
        raise Invalid("at", f"Không hiểu giờ “{rest[:40]}”. Ví dụ: /gui 3 hen 20h thứ 6, hoặc /gui 3 hen ngay.",
                      f"“{rest[:40]}” is no time. For example: /broadcast 3 schedule 20h thứ 6, or … now.")  # fmt: skip
    at = found.at.replace(second=0, microsecond=0)
    return _Begin(at, f"hen {at.astimezone(ctx.office.zone):%H:%M %d/%m/%Y}")


def _schedule_now(ctx: StaffContext, each: BroadcastView, rest: str) -> None:
    _schedule(ctx, each, _NOW[0])


def _unschedule(ctx: StaffContext, each: BroadcastView, rest: str) -> None:
    broadcasting.move(ctx.session, ctx.office.sender, broadcast_notices.UNSCHEDULE, each.id, _actor(ctx), ctx.now)
    _show(ctx, broadcasts.get(ctx.session, each.id), "")


def _approve(ctx: StaffContext, each: BroadcastView, rest: str) -> None:
    """The second person sees what the first one saw, as of a moment where one is named, and agrees with just that:
    nobody changes it meanwhile."""
    _check_second(ctx, each)
    ctx.needs(Permission.BROADCAST)
    each = broadcast_moves.hold(ctx.session, each.id)
    broadcasts.check_approval(each, _actor(ctx))
    about, (first, left) = _seen(ctx, each, _BY_SECOND), first_word(rest)
    seen, moment = (first, left) if broadcast_versions.is_seen(first) else ("", rest)
    if not (seen and ctx.is_confirmed(about)):
        at, order = _begin(ctx, moment).at if moment else None, f"{_BY_SECOND} {moment}".rstrip()
        estimating.ask(ctx, each, at=at, order=order, about=about, approves=True)
        return
    broadcasts.approve(ctx.session, each.id, _actor(ctx), ctx.now, seen)
    by, number = ctx.member.name, each.id
    then = _after_approval(each)
    told = Words(
        f"{by} đã duyệt tin gửi loạt #{number} “{each.name}”.{then.vi}",
        f"{by} approved broadcast {number} “{each.name}”.{then.en}",
    )
    broadcast_notices.tell_writer(ctx.session, each, told, ctx.now)
    ctx.reply("broadcast_approved", each=broadcasts.get(ctx.session, each.id))


def _after_approval(each: BroadcastView) -> Words:
    """What its writer does next."""
    if each.state != DRAFT:
        return Words("", "")
    if each.tested_at is None:
        return Words(f" Gửi thử rồi hẹn giờ: /gui {each.id} thu",
                     f" Test it, then schedule it: /broadcast {each.id} test")  # fmt: skip
    return Words(f" Hẹn giờ: /gui {each.id} hen 20h thứ 6", f" Schedule it: /broadcast {each.id} schedule 20h thứ 6")


def _check_second(ctx: StaffContext, each: BroadcastView) -> None:
    """Raises Conflict for the writer, with whom they may ask instead."""
    if each.created_by != _actor(ctx):
        return
    names = ", ".join(member.name for member in broadcast_notices.seconds(ctx.session, each))
    if not names:
        raise Conflict("Người viết không tự duyệt được, và chưa có lead, marketer hay admin nào khác.",
                       "Who wrote it cannot approve it, and there is no other lead, marketer or admin.")  # fmt: skip
    raise Conflict(f"Người viết không tự duyệt được. Nhờ một người khác ({names}) gõ: /gui {each.id} duyet",
                   f"Who wrote it cannot approve it. Ask another ({names}): /broadcast {each.id} approve")  # fmt: skip


def _pause(ctx: StaffContext, each: BroadcastView, rest: str) -> None:
    """Whoever sees it may stop it, without a PIN."""
    broadcasting.move(ctx.session, ctx.office.sender, broadcast_notices.PAUSE, each.id, _actor(ctx), ctx.now)
    _show(ctx, broadcasts.get(ctx.session, each.id), "")


def _resume(ctx: StaffContext, each: BroadcastView, rest: str) -> None:
    ctx.needs(Permission.BROADCAST)
    broadcasting.move(ctx.session, ctx.office.sender, broadcast_notices.RESUME, each.id, _actor(ctx), ctx.now)
    _show(ctx, broadcasts.get(ctx.session, each.id), "")


def _cancel(ctx: StaffContext, each: BroadcastView, rest: str) -> None:
    """For good, so only after `/ok`."""
    ctx.needs(Permission.BROADCAST)
    state = broadcasts.state(ctx.session, each)
    if state in (broadcasts.FINISHED, CANCELLED):
        raise Conflict(f"Tin #{each.id} đã kết thúc rồi.", f"Broadcast {each.id} is over already.")
    told = broadcasts.told(state, ctx.locale)
    if not ctx.confirmed("broadcast_cancel", about=_facts(each, "huy"), each=each, told=told):
        return
    broadcasting.move(ctx.session, ctx.office.sender, broadcast_notices.CANCEL, each.id, _actor(ctx), ctx.now)
    _show(ctx, broadcasts.get(ctx.session, each.id), "")


def _export(ctx: StaffContext, each: BroadcastView, rest: str) -> None:
    """Who it was meant for and what became of each, as a file."""
    ctx.needs(Permission.EXPORT)
    exporting.ask(ctx, each)


def _seen(ctx: StaffContext, each: BroadcastView, order: str) -> str:
    """What `/ok` is bound to where it is looked at first: the version that stood there, and what is done with it."""
    return f"{broadcast_versions.version(ctx.session, each)}\0{order}"


def _facts(each: BroadcastView, order: str) -> str:
    """What `/ok` is bound to: these words to these people, and what is done with it."""
    return "\0".join((str(each.id), each.content, each.segment, order))


def _moment(ctx: StaffContext, at: datetime | None) -> str:
    return times.told(at, ctx.office.zone, ctx.now, ctx.locale) if at else ""


def _actor(ctx: StaffContext) -> str:
    return f"staff:{ctx.member.id}"


def _edit(part: str) -> Callable[[StaffContext, BroadcastView, str], None]:
    def edit(ctx: StaffContext, each: BroadcastView, rest: str) -> None:
        broadcast_drafts.edit(ctx, each, part, rest)

    return edit


ORDERS: Mapping[tuple[str, ...], Callable[[StaffContext, BroadcastView, str], None]] = {
    ("xem", "preview"): _look,
    ("thu", "test", "gui thu"): _try,
    ("hen", "schedule", "hen gio"): _schedule,
    ("ngay", "now", "gui ngay"): _schedule_now,
    ("bohen", "unschedule", "bo hen"): _unschedule,
    (_BY_SECOND, "approve"): _approve,
    ("dung", "pause", "tam dung"): _pause,
    ("tiep", "resume", "gui tiep", "tiep tuc"): _resume,
    ("huy", "cancel"): _cancel,
    ("tep", "file", "xuat", "export"): _export,
    ("ten", "name"): _edit("name"),
    ("nhom", "segment"): _edit("segment"),
    ("loi", "text", "noi dung"): _edit("text"),
    ("anh", "picture"): _edit("picture"),
    ("nut", "button"): _edit("button"),
}
"""What can be done with one, by its spellings: first in Vietnamese, then in English."""
_BY_NAME = {name: do for names, do in ORDERS.items() for name in names}
