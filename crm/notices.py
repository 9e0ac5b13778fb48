"""What staff are told without having asked: where, by which message, and again when it did not get through."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session

from crm import numbers, outbox
from crm.messages import Message, Purpose
from crm.reach import Refusal
from storage import customers, desks, staff, transcripts
from storage import notices as store
from storage import outbox as queue
from storage.columns import new_id
from storage.customers import Person
from storage.notices import NoticeRow
from storage.queue import WAITING
from storage.work import wake

Say = Callable[[int], Message]
"""The notice under the short number that its conversation has there; 0 where it is about none."""

CALL = "call"
"""That a customer waits; a later one says all that an earlier one did."""
PROMISE = "promise"
"""That a promise about a ticket is nearly used up, or broken."""
WOKEN = "woken"
"""That a conversation that was put off is due again."""
ASSIGNED = "assigned"
"""That a colleague gave them a conversation."""
AT_ONCE = 10
"""How many held notices are told together."""


def tell(
    session: Session,
    staff_id: int,
    kind: str,
    say: Say,
    now: datetime,
    *,
    conversation_id: int | None = None,
    ticket_id: int | None = None,
    surface: str = "",
    interrupts: bool = True,
) -> int:
    """Tell a member of staff something, in one message of at most six lines; the notice's id.

    It goes to the chat `surface`, else to one for staff alone, else to the one they wrote in last. A quote of it
    answers its conversation. Where they have no chat, or the platform does not let it through, it is held until they
    write again. Who has entered another conversation in that chat leaves it, for what they type next may be meant for
    this one; not where it asks for no answer (`interrupts`).
    """
    chats = staff.chats(session, staff_id)
    chosen = next((each for each in chats if str(each.identity_id) == surface), None) or next(iter(chats), None)
    where = str(chosen.identity_id) if chosen else ""
    number = 0
    if conversation_id is not None and chosen:
        (number,) = numbers.bind(session, staff_id, where, numbers.CONVERSATION, [conversation_id], now)
        if interrupts:
            desks.leave(session, staff_id, where, conversation_id)
    message = say(number)
    person = customers.person(session, chosen.identity_id) if chosen else None
    notice_id = new_id()
    store.add(
        session,
        {
            "id": notice_id, "staff_id": staff_id, "conversation_id": conversation_id, "ticket_id": ticket_id,
            "kind": kind, "surface": where, "outbox_id": _queue(session, person, message, now) if person else None,
            "body": message.dumps(), "state": store.QUEUED if person else store.HELD, "created_at": now,
        },
    )  # fmt: skip
    return notice_id


def tell_held(session: Session, person: Person, now: datetime) -> int:
    """Tell in this chat what could not be told before, the oldest first, some at once; how many there were."""
    assert person.staff_id is not None
    settle(session)
    held = store.held(session, person.staff_id, AT_ONCE)
    for each in held:
        outbox_id = _queue(session, person, Message.loads(each.body), now)
        told = {"surface": str(person.identity_id), "outbox_id": outbox_id, "state": store.QUEUED}
        store.change(session, [each.id], **told)
    return len(held)


def count_held(session: Session, staff_id: int) -> int:
    """How many notices wait for this member of staff, as far as is known by now."""
    return store.count_held(session, staff_id)


def settle(session: Session) -> int:
    """Note which notices got through, and hold those that did not: their messages need nobody's care any more.

    Of those held about one customer who waits the last is kept. How many were looked at.
    """
    ended = store.ended(session, 500)
    lost = [each for each in ended if each.message_state != queue.SENT]
    store.change(session, [each.id for each in ended if each.message_state == queue.SENT], state=queue.SENT)
    store.change(session, [each.id for each in lost], state=store.HELD)
    store.set_aside(session, [each.outbox_id for each in lost])
    if lost:
        store.supersede(session, CALL)
    return len(ended)


def is_any_needless(session: Session) -> bool:
    """Whether there is something to take back."""
    return bool(_needless(session, 1))


def void(session: Session, most: int = 200) -> int:
    """Take back the notices that nobody was told yet and nobody needs any more; how many.

    Those of a customer who waits no more, those of a promise about a ticket that was answered or closed, and that a
    conversation is theirs or due that was closed since, or given to somebody else.
    """
    needless = _needless(session, most)
    for _, outbox_id in needless:
        if outbox_id is not None:
            queue.move(session, outbox_id, WAITING, state=queue.WITHDRAWN)
    store.change(session, [key for key, _ in needless], state=store.VOID)
    return len(needless)


def _needless(session: Session, most: int) -> list[tuple[int, int | None]]:
    return [
        *store.needless(session, CALL, most),
        *store.settled(session, PROMISE, most),
        *store.passed_by(session, (WOKEN, ASSIGNED), most),
    ]


def quoted(session: Session, person: Person, message_id: str, since: datetime) -> NoticeRow | None:
    """The notice in this chat that a quoted message carried."""
    assert person.staff_id is not None
    return store.quoted(session, person.staff_id, person.identity_id, message_id, since)


def _queue(session: Session, person: Person, message: Message, now: datetime) -> int:
    rows = outbox.compose(person, [message], Purpose.REPLY, now)
    assert not isinstance(rows, Refusal), rows
    queue.add_many(session.connection(), rows)
    transcripts.add_messages(session, outbox.lines(rows, [message]))
    wake(session, queue.TOPIC)
    return int(rows[0]["id"])
