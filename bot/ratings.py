"""The job that asks customers how content they were, inside the reply window that is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from bot.inbox import Desk
from bot.jobs import Payload, Work
from crm import conversations, outbox, ratings, tickets
from crm.messages import Purpose
from crm.reach import ReachFacts, Refusal, reach
from storage import conversations as stored
from storage import customers, transcripts
from storage import outbox as queue
from storage import ratings as store
from storage.customers import Person
from storage.database import Database
from storage.ratings import RatingRow
from storage.work import wake

JOB = "ratings.ask"
DIALOG = "ratings.take_score"
ANSWER_WITHIN = timedelta(hours=24)
AT_ONCE = 50


class Ratings:
    """Looks at requests that ended, and asks where it may."""

    def __init__(self, database: Database, desk: Desk, clock: Callable[[], datetime]) -> None:
        self._database, self._desk, self._clock = database, desk, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.ask}

    async def ask(self, payload: Payload) -> None:
        """Look at what is due; costs one reading where nothing is."""
        now = self._clock()
        if await self._database.read(lambda session: bool(store.planned(session, now, 1))):
            await self._database.write(lambda session: self._ask(session, now), name=JOB)

    def _ask(self, session: Session, now: datetime) -> None:
        due = store.planned(session, now, AT_ONCE)
        customers.lock_owners(session.connection(), [row.conversation_id for row in due])
        for row in due:
            person = customers.person(session, row.conversation_id)
            assert person is not None
            self._visit(session, row, person, now)

    def _visit(self, session: Session, row: RatingRow, person: Person, now: datetime) -> None:
        facts = ReachFacts(
            purpose=Purpose.REPLY,
            last_interaction_at=person.last_interaction_at,
            now=now,
            unreachable=person.unreachable_since is not None,
        )
        window = reach(self._desk.channels[person.channel].rules, facts)
        step = ratings.next_step(row.closed_at, window, _is_busy(session, person, now), now)
        if step.reason is not None:
            store.change(session, row.ticket_id, {"state": "skipped", "reason": step.reason})
        elif step.look_at is not None:
            store.change(session, row.ticket_id, {"look_at": step.look_at})
        else:
            self._say(session, row.ticket_id, person, now)

    def _say(self, session: Session, ticket_id: int, person: Person, now: datetime) -> None:
        """The question, and a dialog that waits for the answer."""
        locale = person.locale or self._desk.locale
        message = self._desk.templates.render("ratings/ask", locale, person.channel, {"number": ticket_id})
        parts = self._desk.channels[person.channel].split(message)
        rows = outbox.compose(person, parts, Purpose.REPLY, now, dedup_key=f"rating:{ticket_id}")
        assert not isinstance(rows, Refusal), rows
        queue.add_many(session.connection(), rows)
        transcripts.add_messages(session, outbox.lines(rows, parts))
        state = conversations.asked(
            conversations.state_of(person), DIALOG, json.dumps({"ticket": ticket_id}), now + ANSWER_WITHIN
        )
        stored.set_conversations(session, [conversations.row_of(person.identity_id, state)])
        store.change(session, ticket_id, {"state": "asked", "asked_at": now})
        wake(session, queue.TOPIC)


def _is_busy(session: Session, person: Person, now: datetime) -> bool:
    """Whether staff hold the conversation, another request of it is open, or another question waits for an answer."""
    state = conversations.state_of(person)
    if state.staff_holds or conversations.waits_for(state, now):
        return True
    return tickets.has_live(session, person.identity_id)
