"""What staff are told of broadcasts without having asked, each in their own language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from crm import notices, staff
from crm.care_rules import Words
from crm.content import Content
from crm.messages import Message
from crm.staff import Permission
from storage import customers
from storage.broadcasts import BroadcastView
from storage.staff import StaffRow

KIND = "broadcast"
UNSCHEDULE, PAUSE, RESUME, CANCEL = "unschedule", "pause", "resume", "cancel"


class _Done(NamedTuple):
    """What somebody did, and what can be done next."""

    vi: str
    en: str
    next_vi: str = ""
    next_en: str = ""


_DONE = {
    UNSCHEDULE: _Done("bỏ hẹn", "took back the schedule of", "hẹn lại: /gui {} hen 20h thứ 6",
                      "another time: /broadcast {} schedule 20h thứ 6"),
    PAUSE: _Done("tạm dừng", "paused", "gửi tiếp: /gui {} tiep", "go on: /broadcast {} resume"),
    RESUME: _Done("cho gửi tiếp", "resumed", "tạm dừng: /gui {} dung", "pause: /broadcast {} pause"),
    CANCEL: _Done("hủy hẳn", "cancelled for good"),
}  # fmt: skip


def tell_writer(session: Session, broadcast: BroadcastView, words: Words, now: datetime) -> int:
    """Tell who wrote it; all who may write broadcasts where that is nobody of the staff. How many were told."""
    everyone = staff.active(session)
    writer = [each for each in everyone if broadcast.created_by == f"staff:{each.id}"]
    others = [each for each in everyone if staff.may(each, Permission.WRITE_BROADCASTS)]
    return _tell(session, writer or others, broadcast, words, now)


def tell_moved(session: Session, broadcast: BroadcastView, order: str, actor: str, now: datetime) -> None:
    """Tell the member of staff who wrote it who paused it, say; not who did so themselves."""
    if broadcast.created_by == actor:
        return
    who, done, number = _called(session, actor), _DONE[order], broadcast.id
    next_vi, next_en = (f" · {each}" if each else "" for each in (done.next_vi, done.next_en))
    words = Words(
        f"{who.vi} đã {done.vi} tin gửi loạt #{number} “{broadcast.name}” của bạn.\nXem: /gui {number}"
        + next_vi.format(number),
        f"{who.en} {done.en} your broadcast {number} “{broadcast.name}”.\nSee it: /broadcast {number}"
        + next_en.format(number),
    )
    writer = [each for each in staff.active(session) if broadcast.created_by == f"staff:{each.id}"]
    _tell(session, writer, broadcast, words, now)


def _called(session: Session, actor: str) -> Words:
    """Who did something, as staff read it."""
    kind, _, name = actor.partition(":")
    match kind:
        case "staff":
            name = staff.find(session, int(name)).name
        case "key":
            return Words("Một phần mềm (API)", "A program (API)")
    return Words(name or kind, name or kind)


def seconds(session: Session, broadcast: BroadcastView) -> list[StaffRow]:
    """Those who may be the second person."""
    return [
        each for each in staff.active(session)
        if broadcast.created_by != f"staff:{each.id}" and staff.may(each, Permission.BROADCAST)
    ]  # fmt: skip


def call_second(session: Session, broadcast: BroadcastView, people: int, now: datetime, moment: str = "") -> int:
    """Tell those who may be the second person that one is waited for: those on shift, where there are any. How many.

    `moment`: as of which they are to look at it, where that is not when it is scheduled, else now."""
    others = seconds(session, broadcast)
    there = [each for each in others if staff.is_on_shift(each, now)] or others
    number, name = broadcast.id, broadcast.name
    then = f" {moment}" if moment else ""
    words = Words(
        f"Tin gửi loạt #{number} “{name}” cho {people} người cần thêm một người duyệt.\n"
        f"Xem và duyệt: /gui {number} duyet{then}",
        f"Broadcast {number} “{name}” to {people} people waits for a second person.\nSee and approve it: "
        f"/broadcast {number} approve{then}",
    )
    return _tell(session, there, broadcast, words, now)


def _tell(session: Session, people: Sequence[StaffRow], broadcast: BroadcastView, words: Words, now: datetime) -> int:
    for each in people:
        notices.tell(
            session, each.id, KIND, _say(words.of(_language(session, each.id, broadcast))), now, interrupts=False
        )
    return len(people)


def _language(session: Session, staff_id: int, broadcast: BroadcastView) -> str:
    """That of their chat, else that of the broadcast."""
    chat = next(iter(staff.chats(session, staff_id)), None)
    person = customers.person(session, chat.identity_id) if chat else None
    return (person.locale if person else "") or Content.loads(broadcast.content).language


def _say(text: str) -> Callable[[int], Message]:
    return lambda _number: Message(text)
