"""One batch of events: the people behind them, what is to be said and noted, written together at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from bot.context import Talk
from crm import conversations
from crm.conversations import State
from crm.events import Address
from crm.messages import Purpose
from crm.sla import Policy
from storage import conversations as stored
from storage import customers, jobs, outbox, recipients, transcripts
from storage.columns import new_id
from storage.queue import WAITING
from storage.work import wake

PROFILE_JOB = "profile.fetch"

Key = tuple[str, str, str]
Tick = tuple[int, str, datetime, tuple[str, ...], datetime | None]
"""Conversation, column, when, and which lines: those named, or all up to a moment."""


class Batch:
    """Loads every person of a batch with one query and writes every kind of row with one statement.

    `settled` are sends of ours that echoes told of, by outbox id: written together, for locks are taken by id. `ticks`
    come after them, for they may name the same messages. `silenced` are identities that staff wrote to: what the bot
    still had to say to them is not sent. On channels that are `staff_only` nobody who is new becomes a customer. Names
    and pictures of people who are new are asked for so far `apart`.
    """

    def __init__(
        self,
        session: Session,
        now: datetime,
        policy: Policy,
        staff_only: frozenset[str],
        *,
        apart: timedelta = timedelta(),
    ) -> None:
        self.session = session
        self._staff_only = staff_only
        self.now = now
        self.policy = policy
        self._apart = apart
        self.settled: dict[int, outbox.Sent] = {}
        self.silenced: set[int] = set()
        self.ticks: list[Tick] = []
        self._talks: dict[Key, Talk] = {}

    def load(self, addresses: Iterable[Address], mentioned: Iterable[str] = ()) -> int:
        """Read these people and make those that are new; how many those are.

        People whose user ids are only `mentioned` are held with them, and not made.
        """
        wanted: dict[Key, Address] = {(each.channel, each.account_id, each.user_id): each for each in addresses}
        users = [each.user_id for each in wanted.values()]
        others = list(mentioned)
        held = customers.lock_owners_of(self.session, [*users, *others]) if users or others else set()
        if not wanted:
            return 0
        people = customers.people(self.session, users)
        missing = [each for key, each in wanted.items() if key not in people]
        if missing:
            held |= self._make(missing)
            people = customers.people(self.session, users)
        joined = {person.customer_id for person in people.values()} - held
        if joined and customers.lock(self.session, sorted(joined)):
            people = customers.people(self.session, users)
        for key in wanted:
            person = people[key]
            state = conversations.state_of(person)
            self._talks[key] = Talk(person, state, state)
        return len(missing)

    def talk(self, address: Address) -> Talk:
        """The person's part in this batch."""
        return self._talks[address.channel, address.account_id, address.user_id]

    def write_lines(self) -> None:
        """Write the transcript lines that wait, so that a statement of this batch can see them."""
        lines = [line for talk in self._talks.values() for line in talk.lines]
        transcripts.add_messages(self.session, lines)
        for talk in self._talks.values():
            talk.lines = []

    def said_before(self, talk: Talk) -> str:
        """The brand's last words to this person; "" for none."""
        self.write_lines()
        said = transcripts.last_of_brand(self.session, talk.person.identity_id)
        return said.text if said else ""

    def flush(self, claim: Callable[[Sequence[Talk]], None] | None = None) -> None:
        """Write everything that this batch changed; `claim` may take replies that then are sent without a turn."""
        talks = sorted(self._talks.values(), key=lambda talk: talk.person.identity_id)
        customers.set_identities(
            self.session,
            [
                {"id": talk.person.identity_id, "last_interaction_at": talk.interaction_at, "unreachable_since": None}
                for talk in talks
                if talk.interaction_at is not None
            ],
        )
        stored.set_conversations(
            self.session,
            [
                conversations.row_of(talk.person.identity_id, talk.state)
                for talk in talks
                if talk.state is not talk.before and talk.state != talk.before
            ],
        )
        outbox.sent(self.session.connection(), list(self.settled.values()))
        if self.silenced:
            outbox.withdraw(self.session.connection(), self.silenced, Purpose.REPLY)
        answered = [talk for talk in talks if talk.outgoing]
        if answered and claim is not None:
            claim(answered)
        outgoing = [row for talk in answered for row in talk.outgoing]
        outbox.add_many(self.session.connection(), outgoing)
        self.write_lines()
        if any(row["state"] == WAITING for row in outgoing):
            wake(self.session, outbox.TOPIC)

    def tick(self) -> None:
        """Note what was delivered or read, on the lines and on what nobody asked for; after `flush`."""
        news: dict[str, set[int]] = {"delivered_at": set(), "seen_at": set()}
        for tick in self.ticks:
            news[tick[1]].update(transcripts.mark(self.session, *tick))
        for column, lines in news.items():
            if lines:
                recipients.seen(self.session, lines, read=column == "seen_at")

    def _make(self, addresses: list[Address]) -> set[int]:
        rows = [(each, new_id(), new_id()) for each in addresses]
        people: list[dict[str, Any]] = [
            {"id": customer, "created_at": self.now, "updated_at": self.now} for _, customer, _ in rows
        ]
        identities: list[dict[str, Any]] = [
            {
                "id": identity, "customer_id": customer, "channel": each.channel, "account_id": each.account_id,
                "user_id": each.user_id, "staff_only": each.channel in self._staff_only, "created_at": self.now,
            }
            for each, customer, identity in rows
        ]  # fmt: skip
        empty = [conversations.row_of(identity, State()) for _, _, identity in rows]
        customers.add_many(self.session, people, identities, empty)
        jobs.add_many(
            self.session,
            [
                profile_job(identity, each, self.now, self.now + number * self._apart)
                for number, (each, _, identity) in enumerate(rows)
            ],
        )
        return {customer for _, customer, _ in rows}


def profile_job(identity: int, address: Address, now: datetime, at: datetime) -> dict[str, Any]:
    """The wish for a person's name and picture, as `jobs.add_many` takes it."""
    return jobs.row(PROFILE_JOB, str(identity), {"identity": identity, **address._asdict()}, now, at)


def moved_window(talk: Talk, at: datetime) -> None:
    """The person did something that opens the reply window; it never moves back."""
    latest = max(filter(None, (talk.interaction_at, talk.person.last_interaction_at, at)))
    talk.interaction_at = latest
