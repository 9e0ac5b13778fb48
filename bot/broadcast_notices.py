"""What staff are told of broadcasts without having asked, each in their own language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

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


def tell_writer(session: Session, broadcast: BroadcastView, words: Words, now: datetime) -> int:
    """Tell who wrote it; all who may write broadcasts where that is nobody of the staff. How many were told."""
    everyone = staff.active(session)
    writer = [each for each in everyone if broadcast.created_by == f"staff:{each.id}"]
    others = [each for each in everyone if staff.may(each, Permission.WRITE_BROADCASTS)]
    return _tell(session, writer or others, broadcast, words, now)


def seconds(session: Session, broadcast: BroadcastView) -> list[StaffRow]:
    """Those who may be the second person."""
    return [
        each for each in staff.active(session)
        if broadcast.created_by != f"staff:{each.id}" and staff.may(each, Permission.BROADCAST)
    ]  # fmt: skip


def call_second(session: Session, broadcast: BroadcastView, people: int, now: datetime) -> int:
    """Tell those who may be the second person that one is waited for: those on shift, where there are any. How many."""
    others = seconds(session, broadcast)
    there = [each for each in others if staff.is_on_shift(each, now)] or others
    number, name = broadcast.id, broadcast.name
    words = Words(
        f"Tin gửi loạt #{number} “{name}” cho {people} người cần thêm một người duyệt.\n"
        f"Xem và duyệt: /gui {number} duyet",
        f"Broadcast {number} “{name}” to {people} people waits for a second person.\nSee and approve it: "
        f"/broadcast {number} approve",
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
