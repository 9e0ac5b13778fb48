"""The only place where words of staff become a customer's message, and where they are taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from crm import conversations, outbox
from crm.messages import Message, Purpose
from crm.reach import Reach, ReachFacts, Refusal, Rules, reach
from storage import attendance, customers, transcripts
from storage import conversations as stored
from storage import outbox as queue
from storage import replies as store
from storage.customers import Person
from storage.queue import WAITING
from storage.replies import SendRow
from storage.work import wake

HOLD = timedelta(seconds=6)
"""How long a message of staff waits, so that they can take it back."""
TAKES_BACK = timedelta(minutes=2)
"""The last message is only looked for among those that are not older."""


def may_send(person: Person, rules: Rules, now: datetime, *, typed: bool = True) -> Reach:
    """Whether one may write to this person now, and until when without paying more for it.

    `typed`: a member of staff writes; else the bot, as to staff themselves.
    """
    facts = ReachFacts(
        purpose=Purpose.STAFF,
        last_interaction_at=person.last_interaction_at,
        now=now,
        typed_by_person=typed,
        unreachable=person.unreachable_since is not None,
    )
    answer = reach(rules, facts)
    while answer.until is not None:
        after = reach(rules, facts._replace(now=answer.until))
        if not after.allowed or after.cost > answer.cost or after.until is None:
            break
        answer = answer._replace(until=after.until)
    return answer


def send(
    session: Session,
    person: Person,
    parts: Sequence[Message],
    rules: Rules,
    staff_id: int,
    surface: str,
    now: datetime,
) -> Reach:
    """Let these messages, as the person's channel split them, go out in `HOLD`; nothing is written where they may not.

    The conversation is this member of staff's from now on, the bot is silent, and what it still had to say is not
    sent. Nobody waits there any more, unless the message is taken back or does not go out.
    """
    customers.lock(session, [person.customer_id])
    person = customers.person(session, person.identity_id) or person
    answer = may_send(person, rules, now + HOLD)
    rows = outbox.compose(person, parts, Purpose.STAFF, now, typed_by_person=True)
    if isinstance(rows, Refusal):
        return Reach(refusal=rows)
    if not answer.allowed:
        return answer
    queue.withdraw(session.connection(), [person.identity_id], Purpose.REPLY)
    queue.add_many(session.connection(), [{**row, "ready_at": now + HOLD} for row in rows])
    transcripts.add_messages(session, outbox.lines(rows, parts))
    _note(session, person, [row["id"] for row in rows], staff_id, surface, now)
    wake(session, queue.TOPIC)
    return answer


def take_back(session: Session, staff_id: int, surface: str, now: datetime) -> tuple[list[SendRow], list[SendRow]]:
    """Withdraw what this member of staff sent last from here: the parts that were, and those that went out already."""
    parts = store.latest(session, staff_id, surface, now - TAKES_BACK)
    if parts:
        _lock(session, parts[0].conversation_id)
    back = [part for part in parts if queue.move(session, part.id, WAITING, state=queue.WITHDRAWN)]
    store.told(session, [part.id for part in back], now)
    if back and len(back) == len(parts):
        undone(session, back[0])
    return back, [part for part in parts if part not in back]


def undone(session: Session, sent: SendRow) -> None:
    """Nothing came of this message: its customer waits as before, unless something else was said to them since."""
    duty = attendance.duty(session, sent.conversation_id)
    since = sent.waited_since
    others_spoke = duty.last_staff_at != duty.answered_at
    if since is not None and not others_spoke and not store.answers(session, sent.conversation_id, since):
        stored.set_conversations(session, [{"id": sent.conversation_id, "waiting_since": since}])
    if duty.answered_at == sent.at:
        attendance.change(session, sent.conversation_id, answered_by=None)


def _note(session: Session, person: Person, ids: Sequence[int], staff_id: int, surface: str, now: datetime) -> None:
    conversation = person.identity_id
    state = conversations.state_of(person)
    spoken = replace(conversations.staff_spoke(state, now), last_staff_at=now)
    stored.set_conversations(session, [conversations.row_of(conversation, spoken)])
    waited_since = state.waiting_since or _unanswered_since(session, person)
    attendance.change(
        session, conversation, assigned_to=staff_id, assigned_at=now, answered_by=staff_id, answered_at=now,
        snoozed_until=None, closed_at=None,
    )  # fmt: skip
    store.add(
        session,
        [
            {
                "id": each, "part_of": ids[0], "staff_id": staff_id, "surface": surface,
                "conversation_id": conversation, "waited_since": waited_since, "at": now,
            }
            for each in ids
        ],
    )  # fmt: skip


def _unanswered_since(session: Session, person: Person) -> datetime | None:
    """Since when they wait in truth whom nothing of what staff said has reached yet, and nobody else answered."""
    if person.last_staff_at is None or person.last_staff_at != attendance.duty(session, person.identity_id).answered_at:
        return None
    return store.unanswered_since(session, person.identity_id)


def _lock(session: Session, conversation_id: int) -> None:
    customers.lock_owners(session.connection(), [conversation_id])
